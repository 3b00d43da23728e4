"""Segments joined into running text."""

from __future__ import annotations

from dataclasses import dataclass

from offscribe.export.clock import to_ms
from offscribe.export.document import ExportDocument, ExportOptions, text_of
from offscribe.export.layout import joiner, one_line

PARAGRAPH_PAUSE_MS = 2_000
"""A pause as long as this begins a new paragraph."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    start_ms: int
    text: str


def paragraphs(document: ExportDocument, options: ExportOptions) -> list[Paragraph]:
    """Join segments up to the next long pause; without spaces between Chinese ones."""
    joined: list[Paragraph] = []
    last_end_ms = 0
    for line in lines(document, options):
        if joined and line.start_ms - last_end_ms < PARAGRAPH_PAUSE_MS:
            before = joined.pop()
            text = before.text + joiner(before.text, line.text) + line.text
            joined.append(Paragraph(before.start_ms, text))
        else:
            joined.append(Paragraph(line.start_ms, line.text))
        last_end_ms = line.end_ms
    return joined


@dataclass(frozen=True, slots=True)
class Line:
    start_ms: int
    end_ms: int
    text: str


def lines(document: ExportDocument, options: ExportOptions) -> list[Line]:
    """Each segment that has text, on one line."""
    found = (
        Line(to_ms(segment.start), to_ms(segment.end), one_line(text_of(segment, options)))
        for segment in document.segments
    )
    return [line for line in found if line.text]
