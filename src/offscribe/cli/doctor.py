"""``offscribe doctor``: is everything here that transcription needs?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape

from offscribe.cli import console
from offscribe.cli.arguments import (
    DeviceOption,
    HomeOption,
    JsonOption,
    ModelOption,
    ModelPathOption,
)
from offscribe.cli.serve import DEFAULT_PORT
from offscribe.home import find_home
from offscribe.services.doctor import examine
from offscribe.services.installation import open_installation
from offscribe.types import LoadOptions


def doctor(
    model: ModelOption = None,
    model_path: ModelPathOption = None,
    device: DeviceOption = "auto",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to look at.")] = DEFAULT_PORT,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Check decoder, models, device, disk, port and home."""
    installation = open_installation(
        find_home(home), model_id=model, model_path=model_path, load=LoadOptions(device=device)
    )
    checks = []
    for check in examine(installation, port=port):
        checks.append(check)
        if as_json:
            continue
        mark = "[green]ok  [/]" if check.is_ok else "[bold red]fail[/]"
        console.stdout.print(f"{mark} {check.name}: {escape(check.detail)}")
        if check.hint:
            console.stdout.print(f"     {escape(check.hint)}")
    if as_json:
        console.print_json([asdict(check) for check in checks])
    if not all(check.is_ok for check in checks):
        raise typer.Exit(console.SOME_FAILED)
