"""Records: finished transcripts, searchable, with a trash.

A record appears whole, in the same transaction that marks its job done; its segments are those
the job stored.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from offscribe.errors import NotFound
from offscribe.store import codec
from offscribe.store.database import Database
from offscribe.store.jobs import Job, finish
from offscribe.text.fold import fold, fold_query
from offscribe.types import RecognizeOptions


@dataclass(frozen=True, slots=True)
class Record:
    """One transcript without its segments. ``text`` and ``itn_text`` hold one segment a line."""

    id: str
    name: str
    source: str
    audio_path: str
    created_at: float
    duration: float
    language: str
    model: str
    options: RecognizeOptions
    warnings: tuple[str, ...]
    text: str
    itn_text: str
    deleted_at: float | None


class Records:
    """The history inside a database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(
        self,
        job: Job,
        owner: str,
        *,
        duration: float,
        language: str,
        warnings: tuple[str, ...] = (),
    ) -> Record:
        """Turn the finished *job* into a record: the record, its index entry and "job done" in
        one transaction. *duration* is what was decoded, in seconds. Raises LeaseLost."""
        now = self._db.now()
        with self._db.transaction() as connection:
            rows = connection.execute(
                "SELECT text, itn_text FROM segments WHERE job_id = ? ORDER BY idx", (job.id,)
            ).fetchall()
            connection.execute(
                "UPDATE jobs SET duration = ?, done = ?, language = ?, warnings = ?"
                " WHERE id = ? AND lease_owner = ?",
                (duration, duration, language, codec.dump(warnings), job.id, owner),
            )
            finish(connection, job.id, owner, now, result=None)
            cursor = connection.execute(
                "INSERT INTO records (id, name, source, audio_path, created_at, duration,"
                " language, model, options, warnings, text, itn_text)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *",
                (
                    job.id,
                    job.name,
                    job.source,
                    job.audio_path,
                    now,
                    duration,
                    language,
                    job.model,
                    codec.dump_options(job.options),
                    codec.dump(warnings),
                    "\n".join(row["text"] for row in rows),
                    "\n".join(row["itn_text"] for row in rows),
                ),
            )
            (row,) = cursor.fetchall()
            connection.execute(
                "INSERT INTO records_index (rowid, name, text, itn_text) VALUES (?, ?, ?, ?)",
                _index_row(row),
            )
        return _record(row)

    def get(self, record_id: str) -> Record:
        """Raises NotFound, also for a record in the trash."""
        rows = self._db.read(
            "SELECT * FROM records WHERE id = :id AND deleted_at IS NULL", {"id": record_id}
        )
        if not rows:
            raise NotFound(f"there is no record {record_id}")
        return _record(rows[0])

    def newest(self, *, limit: int = 50, offset: int = 0) -> list[Record]:
        rows = self._db.read(
            "SELECT * FROM records WHERE deleted_at IS NULL"
            " ORDER BY created_at DESC, seq DESC LIMIT :limit OFFSET :offset",
            {"limit": limit, "offset": offset},
        )
        return [_record(row) for row in rows]

    def count(self) -> int:
        rows = self._db.read("SELECT COUNT(*) AS n FROM records WHERE deleted_at IS NULL")
        count: int = rows[0]["n"]
        return count

    def search(self, query: str, *, limit: int = 50, offset: int = 0) -> tuple[list[Record], int]:
        """Return one page of the records that hold every part of *query*, newest first, and how
        many there are. A query without a searchable character finds nothing."""
        expression = fold_query(query)
        if not expression:
            return [], 0
        matching = (
            "FROM records_index JOIN records ON records.seq = records_index.rowid"
            " WHERE records_index MATCH :match AND deleted_at IS NULL"
        )
        total: int = self._db.read(f"SELECT COUNT(*) AS n {matching}", {"match": expression})[0][
            "n"
        ]
        rows = self._db.read(
            f"SELECT records.* {matching}"
            " ORDER BY created_at DESC, records.seq DESC LIMIT :limit OFFSET :offset",
            {"match": expression, "limit": limit, "offset": offset},
        )
        return [_record(row) for row in rows], total

    def delete(self, record_id: str) -> float:
        """Move the record to the trash; return when. Raises NotFound."""
        deleted_at = self._db.now()
        with self._db.transaction() as connection:
            cursor = connection.execute(
                "UPDATE records SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL",
                (deleted_at, record_id),
            )
            if cursor.rowcount == 0:
                raise NotFound(f"there is no record {record_id}")
        return deleted_at

    def restore(self, record_id: str) -> Record:
        """Take the record out of the trash; one that is not in it stays as it is. Raises
        NotFound."""
        with self._db.transaction() as connection:
            connection.execute("UPDATE records SET deleted_at = NULL WHERE id = ?", (record_id,))
        return self.get(record_id)

    def purge(self, *, deleted_before: float) -> list[str]:
        """Remove for good what went to the trash before that time (UTC seconds); return the
        audio paths that no remaining record or job uses."""
        with self._db.transaction() as connection:
            rows = connection.execute(
                "SELECT * FROM records WHERE deleted_at < ?", (deleted_before,)
            ).fetchall()
            for row in rows:
                connection.execute(
                    "INSERT INTO records_index (records_index, rowid, name, text, itn_text)"
                    " VALUES ('delete', ?, ?, ?, ?)",
                    _index_row(row),
                )
                connection.execute("DELETE FROM records WHERE seq = ?", (row["seq"],))
                connection.execute("DELETE FROM jobs WHERE id = ?", (row["id"],))
            paths = {row["audio_path"] for row in rows}
            return sorted(path for path in paths if not _is_used(connection, path))


def _is_used(connection: sqlite3.Connection, audio_path: str) -> bool:
    query = (
        "SELECT EXISTS (SELECT 1 FROM jobs WHERE audio_path = :path)"
        " OR EXISTS (SELECT 1 FROM records WHERE audio_path = :path)"
    )
    used: int = connection.execute(query, {"path": audio_path}).fetchone()[0]
    return bool(used)


def _index_row(row: sqlite3.Row) -> tuple[int, str, str, str]:
    """The index entry of a record. The written form is left out where it says the same, so that
    the common case is not stored twice."""
    itn_text = "" if row["itn_text"] == row["text"] else row["itn_text"]
    return row["seq"], fold(row["name"]), fold(row["text"]), fold(itn_text)


def _record(row: sqlite3.Row) -> Record:
    return Record(
        id=row["id"],
        name=row["name"],
        source=row["source"],
        audio_path=row["audio_path"],
        created_at=row["created_at"],
        duration=row["duration"],
        language=row["language"],
        model=row["model"],
        options=codec.load_options(row["options"]),
        warnings=tuple(json.loads(row["warnings"])),
        text=row["text"],
        itn_text=row["itn_text"],
        deleted_at=row["deleted_at"],
    )
