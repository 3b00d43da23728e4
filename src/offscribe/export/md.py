"""Markdown: a heading, what is known about the recording, and its paragraphs."""

from __future__ import annotations

import re
from datetime import UTC

from offscribe.export.clock import clock, to_ms
from offscribe.export.document import ExportDocument, ExportOptions
from offscribe.export.layout import one_line
from offscribe.export.paragraphs import Paragraph, paragraphs

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&$!#])")
_LINE_START = re.compile(r"^([+=:-]|\d+(?=[.)]))")


def render(document: ExportDocument, options: ExportOptions) -> str:
    facts = [
        f"- Date: {document.created_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        f"- Duration: {clock(to_ms(document.duration) // 1000)}",
        f"- Language: {_escape(document.language)}",
        f"- Model: {_escape(document.model)}",
    ]
    texts = [_paragraph(item, options) for item in paragraphs(document, options)]
    heading = f"# {_escape(document.name) or 'Transcript'}"
    return "\n\n".join([heading, "\n".join(facts), *texts]) + "\n"


def _paragraph(paragraph: Paragraph, options: ExportOptions) -> str:
    text = _escape(paragraph.text)
    return f"`{clock(paragraph.start_ms // 1000)}` {text}" if options.times else text


def _escape(text: str) -> str:
    """Take their meaning from characters that have one in Markdown."""
    escaped = _SPECIAL.sub(r"\\\1", one_line(text))
    return _LINE_START.sub(_escape_start, escaped)


def _escape_start(match: re.Match[str]) -> str:
    """``1.`` becomes ``1\\.``: a digit itself cannot be escaped."""
    start = match.group()
    return f"{start}\\" if start[0].isdigit() else f"\\{start}"
