"""The history: finding, reading, exporting, deleting records."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from offscribe.errors import NotFound
from offscribe.export.document import ExportDocument
from offscribe.services.installation import Installation
from offscribe.store.records import Record
from offscribe.text.fold import find_hits, snippet
from offscribe.types import Segment

TRASH_DAYS = 30
"""Deleted records can be restored for so long."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One record that a search found. *snippet* is (text, is_hit) pieces of the original text;
    *segment_index* and *start* say where the first hit is, None if it is in the name."""

    record: Record
    snippet: tuple[tuple[str, bool], ...]
    segment_index: int | None
    start: float | None


class History:
    """Reads and changes the records of one installation."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation

    def segments(self, record_id: str) -> list[Segment]:
        return self._installation.jobs.segments(record_id)

    def document(self, record_id: str) -> ExportDocument:
        """The whole record for export. Raises NotFound."""
        record = self._installation.records.get(record_id)
        return ExportDocument(
            name=record.name,
            created_at=datetime.fromtimestamp(record.created_at, UTC),
            duration=record.duration,
            language=record.language,
            model=record.model,
            segments=tuple(self.segments(record.id)),
        )

    def audio_file(self, record_id: str) -> Path:
        """The original recording. Raises NotFound where it is gone."""
        record = self._installation.records.get(record_id)
        path = self._installation.home.root / record.audio_path
        if not path.is_file():
            raise NotFound("the recording of this record is no longer there")
        return path

    def search(self, query: str, *, limit: int = 50, offset: int = 0) -> tuple[list[Hit], int]:
        """One page of hits, newest first, and how many records there are."""
        records, total = self._installation.records.search(query, limit=limit, offset=offset)
        return [self._hit(record, query) for record in records], total

    def sweep(self) -> int:
        """Remove for good what has been in the trash for TRASH_DAYS; return how many recordings
        were deleted with it. Recordings outside the home are never touched."""
        home = self._installation.home
        limit = time.time() - TRASH_DAYS * 86_400
        paths = self._installation.records.purge(deleted_before=limit)
        owned = [path for path in paths if (home.root / path).is_relative_to(home.audio)]
        for path in owned:
            (home.root / path).unlink(missing_ok=True)
        return len(owned)

    def _hit(self, record: Record, query: str) -> Hit:
        for text in (record.itn_text, record.text):
            positions = find_hits(text, query)
            if not positions:
                continue
            index = text.count("\n", 0, positions[0][0])
            segments = self._installation.jobs.segments(record.id, after=index)
            start = segments[0].start if segments else None
            return Hit(record, snippet(text, query), index, start)
        return Hit(record, snippet(record.name, query), None, None)
