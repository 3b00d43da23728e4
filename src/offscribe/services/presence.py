"""Whether a server runs on this home, and where: for commands that speak to it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

from offscribe.errors import NotFound
from offscribe.home import Home


class NoServer(NotFound):
    code = "no_server"
    hint = "Start it: offscribe serve"


@contextmanager
def announced(home: Home, url: str) -> Iterator[None]:
    """Say in the home that a server answers at *url*, as long as the block runs."""
    text = json.dumps({"url": url, "pid": os.getpid()})
    home.presence.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        if home.presence.is_file() and home.presence.read_text(encoding="utf-8") == text:
            home.presence.unlink()


def server_of(home: Home) -> str:
    """The URL of the server on this *home*. It may have died since. Raises NoServer."""
    try:
        url = json.loads(home.presence.read_text(encoding="utf-8"))["url"]
    except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
        raise NoServer(f"no server runs on {home.root}") from error
    return str(url)
