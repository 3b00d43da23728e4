"""Plain text: paragraphs, or a line a segment with its time."""

from __future__ import annotations

from offscribe.export.clock import clock
from offscribe.export.document import ExportDocument, ExportOptions
from offscribe.export.paragraphs import lines, paragraphs


def render(document: ExportDocument, options: ExportOptions) -> str:
    if options.times:
        found = [
            f"[{clock(line.start_ms // 1000)}] {line.text}" for line in lines(document, options)
        ]
        return "".join(f"{line}\n" for line in found)
    texts = [paragraph.text for paragraph in paragraphs(document, options)]
    return "\n\n".join(texts) + "\n" if texts else ""
