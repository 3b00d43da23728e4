"""All results of a batch in one file."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from offscribe.errors import NotFound
from offscribe.export.csv import BYTE_ORDER_MARK, cell
from offscribe.export.document import ExportDocument
from offscribe.export.names import check_template, file_name, numbered
from offscribe.export.registry import ExportOptions, find_format, render
from offscribe.services.history import History
from offscribe.services.installation import Installation
from offscribe.store.jobs import Job

COLUMNS = (
    *("filename", "state", "language", "duration", "text", "itn_text"),
    *("error", "message", "hint", "record_id"),
)
REPORT_NAME = "report.csv"


class BatchResults:
    """Renders batches. One recording at a time is in memory."""

    def __init__(self, installation: Installation, history: History) -> None:
        self._installation = installation
        self._history = history

    def csv(self, batch_id: str) -> Iterator[str]:
        """A line a recording, in the order they were sent, unfinished and failed ones too."""
        yield BYTE_ORDER_MARK + _line(COLUMNS)
        for row in self._rows(batch_id):
            yield _line([row[column] if row[column] is not None else "" for column in COLUMNS])

    def json(self, batch_id: str) -> Iterator[str]:
        """The same as a JSON array, with the segments."""
        separator = "[\n"
        for row in self._rows(batch_id, has_segments=True):
            yield separator + json.dumps(row, ensure_ascii=False)
            separator = ",\n"
        yield "\n]\n" if separator != "[\n" else "[]\n"

    def write_zip(
        self, batch_id: str, target: BinaryIO, *, formats: Sequence[str], template: str
    ) -> None:
        """Write each finished recording in all *formats*, named by *template*, and a report of all
        recordings. Raises BadOption for an unknown format or a template that cannot be used."""
        check_template(template)
        entries = [find_format(name) for name in formats]
        taken = {REPORT_NAME}
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for job in self._installation.batches.jobs(batch_id):
                document = self._document(job)
                if document is None:
                    continue
                for entry in entries:
                    name = file_name(
                        template,
                        name=job.name,
                        lang=document.language,
                        ext=entry.extension,
                        index=(job.batch_index or 0) + 1,
                        model=document.model,
                    )
                    text = render(document, entry.name, ExportOptions())
                    archive.writestr(numbered(name, taken), text.encode())
            archive.writestr(REPORT_NAME, "".join(self.csv(batch_id)).encode())

    def _rows(self, batch_id: str, *, has_segments: bool = False) -> Iterator[dict[str, Any]]:
        self._installation.batches.get(batch_id)  # NotFound
        for job in self._installation.batches.jobs(batch_id):
            yield self._row(job, has_segments=has_segments)

    def _row(self, job: Job, *, has_segments: bool) -> dict[str, Any]:
        document = self._document(job)
        row: dict[str, Any] = dict.fromkeys(COLUMNS)
        row |= {"filename": job.name, "state": job.state, "duration": job.duration}
        if job.error is not None:
            row |= {
                "error": job.error.code,
                "message": job.error.message,
                "hint": job.error.hint,
            }
        if document is not None:
            row |= {
                "language": document.language,
                "text": render(document, "txt", ExportOptions(text="raw")).strip(),
                "itn_text": render(document, "txt", ExportOptions(text="itn")).strip(),
                "record_id": job.record_id,
            }
            if has_segments:
                row["segments"] = json.loads(render(document, "json", ExportOptions()))["segments"]
        return row

    def _document(self, job: Job) -> ExportDocument | None:
        if job.record_id is None:
            return None
        try:
            return self._history.document(job.record_id)
        except NotFound:  # deleted since
            return None


def _line(values: Sequence[object]) -> str:
    sheet = io.StringIO()
    texts = [cell(value) if isinstance(value, str) else value for value in values]
    csv.writer(sheet, lineterminator="\r\n").writerow(texts)
    return sheet.getvalue()
