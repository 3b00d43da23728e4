"""Jobs: durable work that is leased to workers.

Whoever holds the lease may write; cancelling takes the lease away. A worker that dies leaves its
job to the next one, which goes on after the last stored segment. A job that loses MAX_WORKERS_LOST
workers fails, so that one poisonous file cannot stop the queue.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from dataclasses import dataclass
from typing import Literal

from offscribe.errors import LeaseLost, NotFound, OffscribeError, WorkerLost
from offscribe.store import codec
from offscribe.store.database import Database
from offscribe.types import RecognizeOptions, Segment

JobKind = Literal["transcribe", "vad"]
JobState = Literal["waiting", "running", "done", "failed", "cancelled"]
Stage = Literal["decoding", "recognising", "finishing"]

FINISHED: frozenset[JobState] = frozenset({"done", "failed", "cancelled"})
LEASE_S = 30.0
"""A lease not renewed for so long belongs to nobody."""
MAX_WORKERS_LOST = 3


@dataclass(frozen=True, slots=True)
class NewJob:
    """What somebody asks for. *audio_path* is relative to the home where it lies inside."""

    name: str
    source: Literal["page", "api", "cli"]
    audio_path: str
    size_bytes: int
    model: str
    options: RecognizeOptions
    kind: JobKind = "transcribe"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job failed, in the words of an OffscribeError."""

    code: str
    message: str
    hint: str

    @classmethod
    def of(cls, error: OffscribeError) -> Failure:
        return cls(error.code, error.message, error.hint)


@dataclass(frozen=True, slots=True)
class Job:
    """One row of the queue. ``done`` is seconds of audio whose segments are stored."""

    id: str
    kind: JobKind
    state: JobState
    stage: Stage | None
    name: str
    source: str
    audio_path: str
    size_bytes: int
    model: str
    options: RecognizeOptions
    created_at: float
    started_at: float | None
    finished_at: float | None
    language: str | None
    duration: float | None
    done: float
    run_started_at: float | None
    run_from: float
    lease_owner: str | None
    workers_lost: int
    warnings: tuple[str, ...]
    error: Failure | None
    result: object

    @property
    def is_finished(self) -> bool:
        return self.state in FINISHED

    def speed(self, now: float) -> float | None:
        """Audio seconds a second since this run began; None before anything is done."""
        if self.run_started_at is None or self.done <= self.run_from:
            return None
        until = self.finished_at if self.finished_at is not None else now
        return (self.done - self.run_from) / max(until - self.run_started_at, 1e-3)


class Jobs:
    """The queue inside a database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # --- asking -------------------------------------------------------------------------------

    def add(self, new: NewJob, *, job_id: str | None = None, owner: str | None = None) -> Job:
        """Put *new* at the end of the queue, durably, and return it. With *owner* it is leased
        from the start, so that no other worker takes it."""
        job_id = job_id or new_id()
        with self._db.transaction() as connection:
            now = self._db.now()
            connection.execute(
                "INSERT INTO jobs (id, kind, state, name, source, audio_path, size_bytes, model,"
                " options, created_at) VALUES (?, ?, 'waiting', ?, ?, ?, ?, ?, ?, ?)",
                (
                    job_id,
                    new.kind,
                    new.name,
                    new.source,
                    new.audio_path,
                    new.size_bytes,
                    new.model,
                    codec.dump_options(new.options),
                    now,
                ),
            )
            if owner is not None:
                _lease(connection, owner, now, job_id)
        return self.get(job_id)

    def get(self, job_id: str) -> Job:
        """Raises NotFound."""
        rows = self._db.read("SELECT * FROM jobs WHERE id = :id", {"id": job_id})
        if not rows:
            raise NotFound(f"there is no job {job_id}")
        return _job(rows[0])

    def newest(self, *, kind: JobKind = "transcribe", limit: int = 50) -> list[Job]:
        rows = self._db.read(
            "SELECT * FROM jobs WHERE kind = :kind ORDER BY seq DESC LIMIT :limit",
            {"kind": kind, "limit": limit},
        )
        return [_job(row) for row in rows]

    def segments(self, job_id: str, *, after: int = 0) -> list[Segment]:
        """The stored segments from index *after* on, in order."""
        rows = self._db.read(
            "SELECT * FROM segments WHERE job_id = :id AND idx >= :after ORDER BY idx",
            {"id": job_id, "after": after},
        )
        return [
            Segment(
                text=row["text"],
                start=row["start"],
                end=row["end"],
                itn_text=row["itn_text"],
                words=codec.load_words(row["words"]),
            )
            for row in rows
        ]

    def segment_count(self, job_id: str) -> int:
        rows = self._db.read(
            "SELECT COUNT(*) AS n FROM segments WHERE job_id = :id", {"id": job_id}
        )
        count: int = rows[0]["n"]
        return count

    def is_any_running(self) -> bool:
        rows = self._db.read("SELECT EXISTS (SELECT 1 FROM jobs WHERE state = 'running') AS yes")
        return bool(rows[0]["yes"])

    def cancel(self, job_id: str) -> Job:
        """Stop *job_id*, whatever it does; its stored segments stay. Finished jobs stay as they
        are. Raises NotFound."""
        with self._db.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET state = 'cancelled', stage = NULL, lease_owner = NULL,"
                " lease_until = NULL, finished_at = ?"
                " WHERE id = ? AND state IN ('waiting', 'running')",
                (self._db.now(), job_id),
            )
        return self.get(job_id)

    def remove(self, job_id: str) -> None:
        """Remove a job that makes no record. Others are removed with their records."""
        with self._db.transaction() as connection:
            connection.execute("DELETE FROM jobs WHERE id = ? AND kind = 'vad'", (job_id,))

    # --- working ------------------------------------------------------------------------------

    def lease(self, owner: str) -> Job | None:
        """Give *owner* the next job; None where there is none to give."""
        now = self._db.now()
        with self._db.transaction() as connection:
            _lose(connection, "lease_until < ?", (now,), now)
            next_job = connection.execute(
                "SELECT id FROM jobs WHERE state = 'waiting' ORDER BY seq LIMIT 1"
            ).fetchone()
            if next_job is None:
                return None
            return _lease(connection, owner, now, next_job["id"])

    def renew(self, job_id: str, owner: str) -> None:
        """Keep the lease alive. Raises LeaseLost."""
        with self._db.transaction() as connection:
            until = self._db.now() + LEASE_S
            _owned_update(connection, "lease_until = ?", (until,), job_id, owner)

    def check(self, job_id: str, owner: str) -> None:
        """Raises LeaseLost when *owner* may not write any more. Writes nothing."""
        if self.get(job_id).lease_owner != owner:
            raise LeaseLost(f"the lease on job {job_id} was taken away")

    def append(
        self,
        job_id: str,
        owner: str,
        segments: tuple[Segment, ...],
        *,
        done: float,
        language: str,
    ) -> None:
        """Store *segments* and that everything before *done* seconds is finished, both or
        neither. Raises LeaseLost."""
        with self._db.transaction() as connection:
            _owned_update(
                connection,
                "stage = 'recognising', done = ?, language = ?",
                (done, language),
                job_id,
                owner,
            )
            (first,) = connection.execute(
                "SELECT COALESCE(MAX(idx) + 1, 0) FROM segments WHERE job_id = ?", (job_id,)
            ).fetchone()
            connection.executemany(
                "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        job_id,
                        index,
                        segment.start,
                        segment.end,
                        segment.text,
                        segment.itn_text,
                        codec.dump_words(segment.words),
                    )
                    for index, segment in enumerate(segments, start=first)
                ],
            )

    def describe(self, job_id: str, owner: str, *, duration: float | None) -> None:
        """Store the recording's length as its container claims it. Raises LeaseLost."""
        with self._db.transaction() as connection:
            _owned_update(connection, "duration = ?", (duration,), job_id, owner)

    def answer(self, job_id: str, owner: str, result: object) -> None:
        """Finish a job that makes no record; *result* is JSON-able. Raises LeaseLost."""
        with self._db.transaction() as connection:
            finish(connection, job_id, owner, self._db.now(), result=codec.dump(result))

    def fail(self, job_id: str, owner: str, error: OffscribeError) -> None:
        """End the job with *error*; its stored segments stay. Raises LeaseLost."""
        with self._db.transaction() as connection:
            _owned_update(
                connection,
                "state = 'failed', stage = NULL, lease_owner = NULL, lease_until = NULL,"
                " finished_at = ?, error = ?",
                (self._db.now(), _failure_column(Failure.of(error))),
                job_id,
                owner,
            )

    def give_back(self, owner: str) -> None:
        """Return what *owner* holds to the queue; a clean stop is not a lost worker."""
        with self._db.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET state = 'waiting', stage = NULL, lease_owner = NULL,"
                " lease_until = NULL WHERE lease_owner = ?",
                (owner,),
            )

    def lose(self, owner: str) -> None:
        """*owner* died: return what it holds to the queue, or fail what has killed too many."""
        with self._db.transaction() as connection:
            _lose(connection, "lease_owner = ?", (owner,), self._db.now())


def new_id() -> str:
    """A random id, safe in file names and URLs."""
    return uuid.uuid4().hex


def finish(
    connection: sqlite3.Connection, job_id: str, owner: str, now: float, *, result: str | None
) -> None:
    """Mark *job_id* done inside the caller's transaction. Raises LeaseLost."""
    _owned_update(
        connection,
        "state = 'done', stage = NULL, lease_owner = NULL, lease_until = NULL, finished_at = ?,"
        " result = ?",
        (now, result),
        job_id,
        owner,
    )


def _lease(connection: sqlite3.Connection, owner: str, now: float, job_id: str) -> Job:
    (row,) = connection.execute(
        "UPDATE jobs SET state = 'running', stage = 'decoding', lease_owner = ?, lease_until = ?,"
        " started_at = COALESCE(started_at, ?), run_started_at = ?, run_from = done"
        " WHERE id = ? RETURNING *",
        (owner, now + LEASE_S, now, now, job_id),
    ).fetchall()
    return _job(row)


def _owned_update(
    connection: sqlite3.Connection,
    assignments: str,
    values: tuple[object, ...],
    job_id: str,
    owner: str,
) -> None:
    cursor = connection.execute(
        f"UPDATE jobs SET {assignments} WHERE id = ? AND lease_owner = ? AND state = 'running'",
        (*values, job_id, owner),
    )
    if cursor.rowcount == 0:
        raise LeaseLost(f"the lease on job {job_id} was taken away")


def _lose(
    connection: sqlite3.Connection, condition: str, values: tuple[object, ...], now: float
) -> None:
    connection.execute(
        "UPDATE jobs SET state = 'waiting', stage = NULL, lease_owner = NULL, lease_until = NULL,"
        f" workers_lost = workers_lost + 1 WHERE state = 'running' AND {condition}",
        values,
    )
    error = WorkerLost(f"{MAX_WORKERS_LOST} workers died on this recording")
    connection.execute(
        "UPDATE jobs SET state = 'failed', finished_at = ?, error = ?"
        " WHERE state = 'waiting' AND workers_lost >= ?",
        (now, _failure_column(Failure.of(error)), MAX_WORKERS_LOST),
    )


def _failure_column(failure: Failure) -> str:
    return codec.dump({"code": failure.code, "message": failure.message, "hint": failure.hint})


def _job(row: sqlite3.Row) -> Job:
    return Job(
        id=row["id"],
        kind=row["kind"],
        state=row["state"],
        stage=row["stage"],
        name=row["name"],
        source=row["source"],
        audio_path=row["audio_path"],
        size_bytes=row["size_bytes"],
        model=row["model"],
        options=codec.load_options(row["options"]),
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        language=row["language"],
        duration=row["duration"],
        done=row["done"],
        run_started_at=row["run_started_at"],
        run_from=row["run_from"],
        lease_owner=row["lease_owner"],
        workers_lost=row["workers_lost"],
        warnings=tuple(json.loads(row["warnings"])),
        error=Failure(**json.loads(row["error"])) if row["error"] else None,
        result=json.loads(row["result"]) if row["result"] else None,
    )
