"""Batches: recordings that were asked for together, and how far they are."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from offscribe.errors import NotFound
from offscribe.store.database import Database
from offscribe.store.jobs import Job, NewJob, insert, job_of, new_id

STATES = ("waiting", "paused", "running", "done", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch and the sums over its jobs.

    counts: jobs by state. duration: seconds of audio of the jobs whose length is known, done: of
    what is stored. left: seconds of work until all of it is finished at the pace so far, None
    before there is one.
    """

    id: str
    name: str
    source: str
    created_at: float
    counts: dict[str, int]
    duration: float
    done: float
    left: float | None

    @property
    def n_jobs(self) -> int:
        return sum(self.counts.values())

    @property
    def is_finished(self) -> bool:
        return not any(self.counts[state] for state in ("waiting", "paused", "running"))


_SUMS = """
SELECT batches.*,
  SUM(jobs.state = 'waiting' AND paused_at IS NULL) AS waiting,
  SUM(jobs.state = 'waiting' AND paused_at IS NOT NULL) AS paused,
  SUM(jobs.state = 'running') AS running,
  SUM(jobs.state = 'done') AS done_jobs,
  SUM(jobs.state = 'failed') AS failed,
  SUM(jobs.state = 'cancelled') AS cancelled,
  TOTAL(duration) AS known_s,
  TOTAL(done) AS done_s,
  TOTAL(CASE WHEN duration IS NOT NULL THEN size_bytes END) AS known_bytes,
  TOTAL(CASE WHEN duration IS NULL AND jobs.state IN ('waiting', 'running')
    THEN size_bytes END) AS unknown_bytes,
  TOTAL(CASE WHEN duration IS NOT NULL AND jobs.state IN ('waiting', 'running')
    THEN MAX(duration - done, 0) END) AS left_s,
  TOTAL(CASE WHEN jobs.record_id IS NULL THEN done END) AS worked_s,
  TOTAL(busy_s + CASE WHEN jobs.state = 'running'
    THEN MAX(:now - run_started_at, 0) ELSE 0 END) AS busy
FROM batches LEFT JOIN jobs ON jobs.batch_id = batches.id
"""


class Batches:
    """The batches inside a database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, name: str, source: str, jobs: Sequence[tuple[str, NewJob]]) -> Batch:
        """Queue *jobs*, given with their ids, as one batch: all of them or none."""
        batch_id, now = new_id(), self._db.now()
        with self._db.transaction() as connection:
            connection.execute(
                "INSERT INTO batches (id, name, source, created_at) VALUES (?, ?, ?, ?)",
                (batch_id, name, source, now),
            )
            insert(connection, jobs, now, batch_id=batch_id)
        return self.get(batch_id)

    def get(self, batch_id: str) -> Batch:
        """Raises NotFound."""
        rows = self._db.read(
            f"{_SUMS} WHERE batches.id = :id GROUP BY batches.seq",
            {"id": batch_id, "now": self._db.now()},
        )
        if not rows:
            raise NotFound(f"there is no batch {batch_id}")
        return _batch(rows[0])

    def newest(self, *, limit: int = 50) -> list[Batch]:
        rows = self._db.read(
            f"{_SUMS} WHERE batches.seq IN (SELECT seq FROM batches ORDER BY seq DESC LIMIT :limit)"
            " GROUP BY batches.seq ORDER BY batches.seq DESC",
            {"limit": limit, "now": self._db.now()},
        )
        return [_batch(row) for row in rows]

    def jobs(self, batch_id: str, *, offset: int = 0, limit: int = -1) -> list[Job]:
        """The batch's jobs in the order they were asked for; a negative *limit* means all."""
        rows = self._db.read(
            "SELECT * FROM jobs WHERE batch_id = :id ORDER BY batch_index"
            " LIMIT :limit OFFSET :offset",
            {"id": batch_id, "limit": limit, "offset": offset},
        )
        return [job_of(row) for row in rows]


def _batch(row: sqlite3.Row) -> Batch:
    counts = {state: row["done_jobs" if state == "done" else state] or 0 for state in STATES}
    known_s = row["known_s"]
    left_s = row["left_s"]
    left: float | None = None
    if row["worked_s"] and row["busy"]:
        if row["known_bytes"]:
            left_s += row["unknown_bytes"] * known_s / row["known_bytes"]
        left = left_s * row["busy"] / row["worked_s"]
    return Batch(
        id=row["id"],
        name=row["name"],
        source=row["source"],
        created_at=row["created_at"],
        counts=counts,
        duration=known_s,
        done=row["done_s"],
        left=left,
    )
