"""Jobs: durable work that is leased to workers.

Whoever holds the lease may write; cancelling takes the lease away. A worker that dies leaves its
job to the next one, which goes on after the last stored segment. A job that loses MAX_WORKERS_LOST
workers fails, so that one poisonous file cannot stop the queue.

A paused job is a waiting one that nobody leases. Every change that people can see gives the row a
new ``version``, greater than all before.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from offscribe.errors import Conflict, LeaseLost, NotFound, OffscribeError, WorkerLost
from offscribe.store import codec
from offscribe.store.database import Database
from offscribe.types import RecognizeOptions, Segment

JobKind = Literal["transcribe", "vad"]
JobState = Literal["waiting", "paused", "running", "done", "failed", "cancelled"]
Stage = Literal["decoding", "recognising", "finishing"]

FINISHED: frozenset[JobState] = frozenset({"done", "failed", "cancelled"})
LEASE_S = 30.0
"""A lease not renewed for so long belongs to nobody."""
MAX_WORKERS_LOST = 3
WORKER_PREFIX = "worker-"
"""Of the owners that a server's supervisor starts; a command's own work has another."""
BATCH_PRIORITY = 0
INTERACTIVE_PRIORITY = 10
"""Somebody waits for it, so it goes before batch work."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """What somebody asks for. *audio_path* is relative to the home where it lies inside.

    sha256 (hex) and modified_ns say which content is meant, where that is known. reuses: an equal
    recording that was transcribed with the same model and options gives its record.
    """

    name: str
    source: Literal["page", "api", "cli"]
    audio_path: str
    size_bytes: int
    model: str
    options: RecognizeOptions
    kind: JobKind = "transcribe"
    priority: int = INTERACTIVE_PRIORITY
    sha256: str | None = None
    modified_ns: int | None = None
    reuses: bool = False


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
    """One row of the queue. ``done`` is seconds of audio whose segments are stored, ``record_id``
    the record that a finished transcription gave."""

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
    batch_id: str | None
    batch_index: int | None
    priority: int
    sha256: str | None
    modified_ns: int | None
    reuses: bool
    record_id: str | None
    version: int

    @property
    def is_finished(self) -> bool:
        return self.state in FINISHED

    def speed(self, now: float) -> float | None:
        """Audio seconds a second since this run began; None before anything is done, and for a
        job that took a record which was there."""
        if self.record_id not in (None, self.id):
            return None
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
        """Put *new* into the queue, durably, and return it. With *owner* it is leased from the
        start, so that no other worker takes it."""
        job_id = job_id or new_id()
        with self._db.transaction() as connection:
            now = self._db.now()
            insert(connection, [(job_id, new)], now)
            if owner is not None:
                _lease(connection, owner, now, job_id)
        return self.get(job_id)

    def get(self, job_id: str) -> Job:
        """Raises NotFound."""
        rows = self._db.read("SELECT * FROM jobs WHERE id = :id", {"id": job_id})
        if not rows:
            raise NotFound(f"there is no job {job_id}")
        return job_of(rows[0])

    def newest(self, *, kind: JobKind = "transcribe", limit: int = 50) -> list[Job]:
        rows = self._db.read(
            "SELECT * FROM jobs WHERE kind = :kind ORDER BY seq DESC LIMIT :limit",
            {"kind": kind, "limit": limit},
        )
        return [job_of(row) for row in rows]

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
            "SELECT COALESCE(MAX(idx) + 1, 0) AS n FROM segments WHERE job_id = :id",
            {"id": job_id},
        )
        count: int = rows[0]["n"]
        return count

    def is_any_running(self) -> bool:
        rows = self._db.read("SELECT EXISTS (SELECT 1 FROM jobs WHERE state = 'running') AS yes")
        return bool(rows[0]["yes"])

    def changed_since(
        self, version: int, *, batch_id: str | None = None, limit: int = 200
    ) -> list[Job]:
        """The jobs whose row changed after *version*, the oldest change first, as they are now."""
        rows = self._db.read(
            "SELECT * FROM jobs WHERE version > :version AND (:batch IS NULL OR batch_id = :batch)"
            " ORDER BY version LIMIT :limit",
            {"version": version, "batch": batch_id, "limit": limit},
        )
        return [job_of(row) for row in rows]

    def unfinished(self, *, batch_id: str | None = None) -> list[Job]:
        """All jobs that are not done, failed or cancelled, in the order of the queue."""
        rows = self._db.read(
            "SELECT * FROM jobs WHERE state IN ('waiting', 'running')"
            " AND (:batch IS NULL OR batch_id = :batch)"
            " ORDER BY state, priority DESC, position, seq",
            {"batch": batch_id},
        )
        return [job_of(row) for row in rows]

    def version(self) -> int:
        """The newest version of any row."""
        (row,) = self._db.read("SELECT last FROM changes")
        last: int = row["last"]
        return last

    def twin_of(self, sha256: str | None, *, model: str, options: RecognizeOptions) -> str | None:
        """The id of a present record of the same content, model and options."""
        rows = self._db.read(
            "SELECT records.id FROM jobs JOIN records ON records.id = jobs.id"
            " WHERE jobs.sha256 = :sha256 AND jobs.state = 'done' AND jobs.model = :model"
            " AND jobs.options = :options AND records.deleted_at IS NULL"
            " ORDER BY jobs.seq DESC LIMIT 1",
            {
                "sha256": sha256,
                "model": model,
                "options": codec.dump_options(options),
            },
        )
        return rows[0]["id"] if rows else None

    def cancel(self, *job_ids: str) -> None:
        """Stop these jobs, whatever they do; their stored segments stay. Finished jobs stay as
        they are."""
        self._end_lease_of(
            job_ids, f"state = 'cancelled', finished_at = {self._db.now()!r}", "waiting", "running"
        )

    def pause(self, *job_ids: str) -> None:
        """Keep these jobs from being worked on until they are resumed; a running one stops and
        keeps its stored segments. Finished jobs stay as they are."""
        self._end_lease_of(
            job_ids, f"state = 'waiting', paused_at = {self._db.now()!r}", "waiting", "running"
        )

    def resume(self, *job_ids: str) -> None:
        """Let paused jobs be worked on again."""
        self._end_lease_of(job_ids, "paused_at = NULL", "waiting")

    def retry(self, *job_ids: str) -> None:
        """Put failed and cancelled transcriptions into the queue again; what they have stored is
        not recognised again."""
        self._end_lease_of(
            job_ids,
            "state = 'waiting', finished_at = NULL, error = NULL, workers_lost = 0,"
            " paused_at = NULL",
            "failed",
            "cancelled",
        )

    def prioritise(self, job_id: str, priority: int) -> None:
        """Jobs of a higher *priority* go first."""
        with self._db.transaction() as connection:
            connection.execute("UPDATE jobs SET priority = ? WHERE id = ?", (priority, job_id))

    def put_first(self, job_ids: Sequence[str]) -> None:
        """Let the waiting ones of these jobs go before all others of their priority, in this
        order."""
        with self._db.transaction() as connection:
            (least,) = connection.execute(
                "SELECT COALESCE(MIN(position), 0) FROM jobs WHERE state = 'waiting'"
            ).fetchone()
            connection.executemany(
                "UPDATE jobs SET position = ? WHERE id = ? AND state = 'waiting'",
                [(least - len(job_ids) + place, job_id) for place, job_id in enumerate(job_ids)],
            )

    def change(self, job_id: str, *, model: str, options: RecognizeOptions) -> Job:
        """Give a job that has not begun other settings. Raises NotFound, Conflict."""
        with self._db.transaction() as connection:
            cursor = connection.execute(
                "UPDATE jobs SET model = ?, options = ?"
                " WHERE id = ? AND state = 'waiting' AND started_at IS NULL",
                (model, codec.dump_options(options), job_id),
            )
        job = self.get(job_id)
        if not cursor.rowcount:
            raise Conflict(
                f"{job.name} has begun, its settings are fixed",
                hint="Cancel it and send it again with other settings.",
                code="job_begun",
            )
        return job

    def _end_lease_of(self, job_ids: Sequence[str], assignments: str, *states: JobState) -> None:
        with self._db.transaction() as connection:
            now = self._db.now()
            connection.executemany(
                f"UPDATE jobs SET {assignments}, {_let_go(now)}"
                f" WHERE id = ? AND state IN ({', '.join(map(repr, states))})",
                [(job_id,) for job_id in job_ids],
            )

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
                "SELECT id FROM jobs WHERE state = 'waiting' AND paused_at IS NULL"
                " ORDER BY priority DESC, position, seq LIMIT 1"
            ).fetchone()
            if next_job is None:
                return None
            return _lease(connection, owner, now, next_job["id"])

    def is_overtaken(self, job: Job) -> bool:
        """Whether something more urgent than *job* waits."""
        rows = self._db.read(
            "SELECT EXISTS (SELECT 1 FROM jobs WHERE state = 'waiting' AND paused_at IS NULL"
            " AND priority > :priority) AS yes",
            {"priority": job.priority},
        )
        return bool(rows[0]["yes"])

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

    def take_record(self, job_id: str, owner: str, record_id: str) -> None:
        """Finish a job with a record that is there already. Raises LeaseLost."""
        with self._db.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET record_id = twin.id, duration = twin.duration,"
                " done = twin.duration, language = twin.language"
                " FROM records AS twin WHERE jobs.id = ? AND lease_owner = ? AND twin.id = ?",
                (job_id, owner, record_id),
            )
            finish(connection, job_id, owner, self._db.now(), result=None)

    def fail(self, job_id: str, owner: str, error: OffscribeError) -> None:
        """End the job with *error*; its stored segments stay. Raises LeaseLost."""
        with self._db.transaction() as connection:
            _owned_update(
                connection,
                f"state = 'failed', {_let_go(self._db.now())}, finished_at = ?, error = ?",
                (self._db.now(), _failure_column(Failure.of(error))),
                job_id,
                owner,
            )

    def give_back(self, owner: str) -> None:
        """Return what *owner* holds to the queue; a clean stop is not a lost worker."""
        with self._db.transaction() as connection:
            connection.execute(
                f"UPDATE jobs SET state = 'waiting', {_let_go(self._db.now())}"
                " WHERE lease_owner = ?",
                (owner,),
            )

    def recover(self) -> None:
        """Return to the queue what workers of an earlier server hold: it is gone, and they with
        it. That is not held against the jobs; one that ends its worker does so again. Only where
        no other server runs on this database."""
        with self._db.transaction() as connection:
            connection.execute(
                f"UPDATE jobs SET state = 'waiting', {_let_go(self._db.now())}"
                f" WHERE lease_owner LIKE '{WORKER_PREFIX}%'"
            )

    def lose(self, owner: str) -> None:
        """*owner* died: return what it holds to the queue, or fail what has killed too many."""
        with self._db.transaction() as connection:
            _lose(connection, "lease_owner = ?", (owner,), self._db.now())


def new_id() -> str:
    """A random id, safe in file names and URLs."""
    return uuid.uuid4().hex


def insert(
    connection: sqlite3.Connection,
    jobs: Sequence[tuple[str, NewJob]],
    now: float,
    *,
    batch_id: str | None = None,
) -> None:
    """Add *jobs*, given with their ids, inside the caller's transaction."""
    connection.executemany(
        "INSERT INTO jobs (id, kind, state, name, source, audio_path, size_bytes, model, options,"
        " priority, sha256, modified_ns, reuses, batch_id, batch_index, created_at)"
        " VALUES (?, ?, 'waiting', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                job_id,
                new.kind,
                new.name,
                new.source,
                new.audio_path,
                new.size_bytes,
                new.model,
                codec.dump_options(new.options),
                new.priority,
                new.sha256,
                new.modified_ns,
                new.reuses,
                batch_id,
                index if batch_id else None,
                now,
            )
            for index, (job_id, new) in enumerate(jobs)
        ],
    )


def _let_go(now: float) -> str:
    """The assignments that end a lease, if there is one."""
    return (
        "stage = NULL, lease_owner = NULL, lease_until = NULL, busy_s = busy_s +"
        f" CASE WHEN lease_owner IS NULL THEN 0 ELSE MAX({now!r} - run_started_at, 0) END"
    )


def finish(
    connection: sqlite3.Connection, job_id: str, owner: str, now: float, *, result: str | None
) -> None:
    """Mark *job_id* done inside the caller's transaction. Raises LeaseLost."""
    _owned_update(
        connection,
        f"state = 'done', {_let_go(now)}, finished_at = ?, result = ?",
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
    return job_of(row)


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
        f"UPDATE jobs SET state = 'waiting', {_let_go(now)}, workers_lost = workers_lost + 1"
        f" WHERE state = 'running' AND {condition}",
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


def job_of(row: sqlite3.Row) -> Job:
    is_paused = row["state"] == "waiting" and row["paused_at"] is not None
    has_record = row["state"] == "done" and row["kind"] == "transcribe"
    return Job(
        id=row["id"],
        kind=row["kind"],
        state="paused" if is_paused else row["state"],
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
        batch_id=row["batch_id"],
        batch_index=row["batch_index"],
        priority=row["priority"],
        sha256=row["sha256"],
        modified_ns=row["modified_ns"],
        reuses=bool(row["reuses"]),
        record_id=row["record_id"] or row["id"] if has_record else None,
        version=row["version"],
    )
