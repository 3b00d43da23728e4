"""How commands speak: results to standard output, everything else to standard error, and the one
place that chooses exit codes."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from collections.abc import Callable
from typing import NoReturn

from rich.console import Console
from rich.markup import escape

from offscribe.errors import (
    Conflict,
    InputError,
    ModelError,
    NotFound,
    OffscribeError,
    ResourceError,
)

OK = 0
SOME_FAILED = 1
BAD_INPUT = 3
MODEL = 4
RESOURCE = 5
INTERNAL = 70

EXIT_CODES: tuple[tuple[type[OffscribeError], int], ...] = (
    (InputError, BAD_INPUT),
    (NotFound, BAD_INPUT),
    (Conflict, BAD_INPUT),
    (ModelError, MODEL),
    (ResourceError, RESOURCE),
)
"""The first class that fits decides. Documented in docs/cli.md."""

stderr = Console(stderr=True, highlight=False)
stdout = Console(highlight=False, soft_wrap=True)

log = logging.getLogger(__name__)


def exit_code(error: OffscribeError) -> int:
    return next((code for family, code in EXIT_CODES if isinstance(error, family)), INTERNAL)


def complain(error: OffscribeError, *, about: str = "") -> None:
    """Print *error* for a person."""
    prefix = f"{escape(about)}: " if about else ""
    stderr.print(f"[bold red]error[/] {prefix}{escape(error.message)} [dim]({error.code})[/]")
    if error.hint:
        stderr.print(f"  {escape(error.hint)}")


def print_json(value: object) -> None:
    """Print *value* as JSON, whatever the terminal."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def write_out(text: str) -> None:
    """Write *text* as it is: no wrapping, no colours."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    sys.stdout.flush()


def run(command: Callable[[], object]) -> NoReturn:
    """Run *command* and leave with the right exit code; a person never sees a traceback.

    Typer itself ends with 2 for a wrong command line and 130 for Ctrl+C.
    """
    for stream in (sys.stdout, sys.stderr):
        # A Windows console or a C locale must not turn Chinese into an exception.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        command()
    except OffscribeError as error:
        complain(error)
        sys.exit(exit_code(error))
    except BrokenPipeError:  # the reader of our output, `head` say, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        if os.environ.get("OFFSCRIBE_DEBUG"):
            raise
        log.debug("a bug", exc_info=True)
        stderr.print(
            f"[bold red]error[/] an unexpected error: {escape(repr(error))}\n"
            "  Set OFFSCRIBE_DEBUG=1 to see where it happened."
        )
        sys.exit(INTERNAL)
    sys.exit(OK)
