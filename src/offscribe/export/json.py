"""The full record as JSON: both forms of the text and every measured word."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

from offscribe.export.clock import to_seconds
from offscribe.export.document import ExportDocument, ExportOptions
from offscribe.export.layout import encodable
from offscribe.export.paragraphs import paragraphs
from offscribe.types import Segment, Word


def render(document: ExportDocument, options: ExportOptions) -> str:  # noqa: ARG001
    """The options have no effect: nothing is left out."""
    record = {
        "name": document.name,
        "created_at": document.created_at.astimezone(UTC).isoformat(timespec="seconds"),
        "duration": to_seconds(document.duration),
        "language": document.language,
        "model": document.model,
        "text": _running_text(document, ExportOptions(text="raw")),
        "itn_text": _running_text(document, ExportOptions(text="itn")),
        "segments": [_segment(segment) for segment in document.segments],
    }
    return encodable(json.dumps(record, ensure_ascii=False, indent=2, allow_nan=False)) + "\n"


def _running_text(document: ExportDocument, options: ExportOptions) -> str:
    return "\n\n".join(paragraph.text for paragraph in paragraphs(document, options))


def _segment(segment: Segment) -> dict[str, Any]:
    return {
        "start": to_seconds(segment.start),
        "end": to_seconds(segment.end),
        "text": segment.text,
        "itn_text": segment.itn_text or segment.text,
        "words": [_word(word) for word in segment.words],
    }


def _word(word: Word) -> dict[str, Any]:
    return {"text": word.text, "start": to_seconds(word.start), "end": to_seconds(word.end)}
