"""A table of segments for spreadsheets."""

from __future__ import annotations

import csv
import io

from offscribe.export.clock import to_ms
from offscribe.export.document import ExportDocument, ExportOptions
from offscribe.export.layout import one_line

COLUMNS = ("index", "start", "end", "text", "itn_text")
BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel reads UTF-8 as the code page of the country."""
_FORMULA_STARTS = frozenset("=+-@＝＋－＠")


def render(document: ExportDocument, options: ExportOptions) -> str:  # noqa: ARG001
    """Both forms of the text are columns, so the options have no effect."""
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for index, segment in enumerate(document.segments, start=1):
        times = [f"{to_ms(seconds) / 1000:.3f}" for seconds in (segment.start, segment.end)]
        texts = [segment.text, segment.itn_text or segment.text]
        writer.writerow([index, *times, *map(cell, texts)])
    return BYTE_ORDER_MARK + sheet.getvalue()


def cell(text: str) -> str:
    """A text that begins like a formula gets an apostrophe before it, or it would be calculated."""
    line = one_line(text)
    return f"'{line}" if line[:1] in _FORMULA_STARTS else line
