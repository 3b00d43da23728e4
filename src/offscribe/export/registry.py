"""The formats by name: what the command line, the API and the page offer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from offscribe.errors import BadOption
from offscribe.export import csv, json, md, srt, txt, vtt
from offscribe.export.document import ExportDocument, ExportOptions

__all__ = ["FORMATS", "ExportOptions", "Format", "find_format", "render"]


@dataclass(frozen=True, slots=True)
class Format:
    """*extension* is without its dot; *render* gives text to be written as UTF-8 as it is."""

    name: str
    extension: str
    media_type: str
    render: Callable[[ExportDocument, ExportOptions], str]


FORMATS: dict[str, Format] = {
    entry.name: entry
    for entry in (
        Format("txt", "txt", "text/plain; charset=utf-8", txt.render),
        Format("srt", "srt", "application/x-subrip; charset=utf-8", srt.render),
        Format("vtt", "vtt", "text/vtt; charset=utf-8", vtt.render),
        Format("json", "json", "application/json", json.render),
        Format("csv", "csv", "text/csv; charset=utf-8", csv.render),
        Format("md", "md", "text/markdown; charset=utf-8", md.render),
    )
}


def find_format(name: str) -> Format:
    """Raises BadOption, which lists the known formats, for an unknown *name*."""
    if name not in FORMATS:
        raise BadOption(
            f"there is no export format {name!r}", hint=f"Choose one of {', '.join(FORMATS)}."
        )
    return FORMATS[name]


def render(document: ExportDocument, format_name: str, options: ExportOptions) -> str:
    """Return *document* in a format; line ends are already the format's own. Raises BadOption."""
    return find_format(format_name).render(document, options)
