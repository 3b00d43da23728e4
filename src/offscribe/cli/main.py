"""The ``offscribe`` command."""

from __future__ import annotations

from typing import Annotated

import typer

from offscribe import __version__, guard
from offscribe.cli import bundle, console, doctor, history, models, serve, transcribe

app = typer.Typer(
    name="offscribe",
    help="Offline speech transcription. Nothing leaves this machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(transcribe.transcribe)
app.command()(serve.serve)
app.command()(doctor.doctor)
app.add_typer(history.app, name="history")
app.add_typer(models.app, name="models")
app.add_typer(bundle.app, name="bundle")


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        console.write_out(f"offscribe {__version__}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Offline speech transcription. Nothing leaves this machine."""


def main() -> None:
    """Entry point of the console script: guarded, and with our exit codes."""
    guard.install()
    console.run(app)


if __name__ == "__main__":
    main()
