"""WebVTT subtitles."""

from __future__ import annotations

from offscribe.export.clock import timestamp
from offscribe.export.cues import Cue, cues
from offscribe.export.document import ExportDocument, ExportOptions

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
"""With > goes the arrow, which would be read as a time line."""


def render(document: ExportDocument, options: ExportOptions) -> str:
    blocks = [_block(number, cue) for number, cue in enumerate(cues(document, options), start=1)]
    return "\n".join(["WEBVTT\n", *blocks])


def _block(number: int, cue: Cue) -> str:
    start, end = (timestamp(ms, point=".") for ms in (cue.start_ms, cue.end_ms))
    text = "\n".join(line.translate(_ESCAPES) for line in cue.lines)
    return f"{number}\n{start} --> {end}\n{text}\n"
