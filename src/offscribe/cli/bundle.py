"""``offscribe bundle``: to and on a machine that never sees a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from offscribe import guard
from offscribe.cli import console
from offscribe.cli.arguments import HomeOption
from offscribe.home import find_home
from offscribe.services.bundle import create_bundle, install_bundle
from offscribe.shelf.shelf import STARTER, Shelf

app = typer.Typer(help="Everything in one file, for a machine without a network.")


@app.command()
def create(
    file: Annotated[Path, typer.Argument(help="Archive to write: .tar, .tar.gz or .zip.")],
    models: Annotated[str, typer.Option(help="Ids of installed models, with commas.")] = ",".join(
        STARTER
    ),
    engines: Annotated[
        bool, typer.Option("--engines", help="Also the engines for Vosk and GGML models.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """Collect packages, models and an installer. Uses the package index."""
    wanted = [name.strip() for name in models.split(",") if name.strip()]
    shelf = Shelf(find_home(home).models)
    with guard.lifted(), console.stderr.status("…") as status:
        for step in create_bundle(file, shelf, wanted, with_engines=engines):
            status.update(escape(f"{step.stage} {step.detail}"))
    size = file.stat().st_size / 2**20
    console.stderr.print(
        f"{escape(str(file))} is complete ({size:.0f} MiB). On the other machine:\n"
        f"  unpack it, then: sh offscribe-bundle/install.sh FOLDER"
    )


@app.command()
def install(
    file: Annotated[Path, typer.Argument(help="A bundle.")],
    to: Annotated[Path, typer.Option("--to", help="Folder to install into.")],
) -> None:
    """Install a bundle, also over an older installation. Uses no network."""
    install_bundle(file, to.expanduser().resolve())
