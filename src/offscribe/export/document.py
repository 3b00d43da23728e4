"""What an export is made of: one finished recording and what the person wants to see of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from offscribe.types import Segment


@dataclass(frozen=True, slots=True)
class ExportDocument:
    """A recording as exports see it. *created_at* is in UTC, *duration* in seconds; *segments*
    are in the order of their starts."""

    name: str
    created_at: datetime
    duration: float
    language: str
    model: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """text: the written form with numbers, or the words as spoken. times: also show when, in the
    formats that can do without (txt, md)."""

    text: Literal["itn", "raw"] = "itn"
    times: bool = False


def text_of(segment: Segment, options: ExportOptions) -> str:
    """The chosen form of a segment's text."""
    return (segment.itn_text or segment.text) if options.text == "itn" else segment.text
