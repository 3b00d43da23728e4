"""``offscribe history``: what has been transcribed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import typer
from rich.markup import escape
from rich.text import Text

from offscribe.cli import console
from offscribe.cli.arguments import HomeOption, JsonOption
from offscribe.export.document import ExportDocument
from offscribe.export.registry import ExportOptions, render
from offscribe.home import find_home
from offscribe.services.history import History
from offscribe.services.installation import Installation, open_installation
from offscribe.store.records import Record

app = typer.Typer(help="What has been transcribed.", no_args_is_help=True)

RecordArgument = Annotated[str, typer.Argument(help="Id of a record, as `list` shows it.")]
INDENT = "    "

LimitOption = Annotated[int, typer.Option(min=1, max=100_000, help="How many at most.")]


@app.command("list")
def list_(limit: LimitOption = 20, as_json: JsonOption = False, home: HomeOption = None) -> None:
    """Newest first."""
    installation = open_installation(find_home(home))
    records = installation.records.newest(limit=limit)
    if as_json:
        console.print_json([_row(record) for record in records])
        return
    if not records:
        console.stderr.print("Nothing yet. Try: offscribe transcribe FILE")
        return
    _print([(record, record.itn_text) for record in records])


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="Words of any length; all must occur.")],
    limit: LimitOption = 20,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Find records by what was said or by name."""
    installation = open_installation(find_home(home))
    hits, total = History(installation).search(query, limit=limit)
    if as_json:
        rows = [
            {
                **_row(hit.record),
                "start": hit.start,
                "snippet": "".join(text for text, _ in hit.snippet),
            }
            for hit in hits
        ]
        console.print_json({"query": query, "total": total, "results": rows})
        return
    if not hits:
        console.stderr.print("Nothing found.")
        return
    _print([(hit.record, "".join(text for text, _ in hit.snippet)) for hit in hits])


@app.command()
def show(
    record_id: RecordArgument,
    times: Annotated[bool, typer.Option("--times", help="With times.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="As spoken, not the written form.")] = False,
    home: HomeOption = None,
) -> None:
    """Print one record's text."""
    installation = open_installation(find_home(home))
    options = ExportOptions(text="raw" if raw else "itn", times=times)
    console.write_out(render(_document(installation, record_id), "txt", options))


@app.command()
def export(
    record_id: RecordArgument,
    format_name: Annotated[
        str, typer.Option("--format", help="txt, srt, vtt, json, csv or md.")
    ] = "srt",
    text: Annotated[Literal["itn", "raw"], typer.Option(help="Written or spoken form.")] = "itn",
    home: HomeOption = None,
) -> None:
    """Print one record in a file format."""
    installation = open_installation(find_home(home))
    document = _document(installation, record_id)
    console.write_out(render(document, format_name, ExportOptions(text=text)))


@app.command()
def delete(record_id: RecordArgument, home: HomeOption = None) -> None:
    """Move one record to the trash; `restore` brings it back."""
    open_installation(find_home(home)).records.delete(record_id)
    console.stderr.print(f"In the trash. Undo: offscribe history restore {escape(record_id)}")


@app.command()
def restore(record_id: RecordArgument, home: HomeOption = None) -> None:
    """Bring one record back from the trash."""
    record = open_installation(find_home(home)).records.restore(record_id)
    console.stderr.print(f"{escape(record.name)} is back.")


def _document(installation: Installation, record_id: str) -> ExportDocument:
    return History(installation).document(record_id)


def _row(record: Record) -> dict[str, object]:
    return {
        "id": record.id,
        "name": record.name,
        "created_at": _moment(record).isoformat(),
        "duration": record.duration,
        "language": record.language,
        "model": record.model,
        "text": record.itn_text,
    }


def _print(rows: list[tuple[Record, str]]) -> None:
    """Two lines a record: what it is, then the beginning of *text* or where it was found."""
    for record, text in rows:
        facts = f"{_moment(record):%Y-%m-%d %H:%M}  {record.duration:6.0f} s  {escape(record.name)}"
        console.stdout.print(f"[bold]{record.id}[/]  {facts}")
        line = Text(text.replace("\n", " "))
        line.truncate(console.stdout.width - len(INDENT), overflow="ellipsis")
        console.stdout.print(Text(INDENT, style="dim") + line)


def _moment(record: Record) -> datetime:
    return datetime.fromtimestamp(record.created_at).astimezone()
