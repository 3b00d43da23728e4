"""SubRip subtitles. The format has no escapes; players read some markup in it."""

from __future__ import annotations

from offscribe.export.clock import timestamp
from offscribe.export.cues import Cue, cues
from offscribe.export.document import ExportDocument, ExportOptions


def render(document: ExportDocument, options: ExportOptions) -> str:
    blocks = [_block(number, cue) for number, cue in enumerate(cues(document, options), start=1)]
    return "\n".join(blocks)


def _block(number: int, cue: Cue) -> str:
    start, end = (timestamp(ms, point=",") for ms in (cue.start_ms, cue.end_ms))
    text = "\n".join(map(_escape, cue.lines))
    return f"{number}\n{start} --> {end}\n{text}\n"


def _escape(line: str) -> str:
    """An arrow would be read as a time line, ``{\\`` as a player's command."""
    return line.replace("-->", "→").replace("{\\", "{ \\")
