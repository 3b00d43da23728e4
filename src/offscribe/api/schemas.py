"""The shapes of JSON that go over HTTP. Everything a client may rely on is described here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from offscribe.services.history import Hit
from offscribe.services.models import ModelEntry
from offscribe.store.batches import Batch
from offscribe.store.jobs import Job
from offscribe.store.records import Record
from offscribe.types import Segment

EXCERPT_CHARS = 120


class ErrorBody(BaseModel):
    code: str = Field(description="Stable; see docs/errors.md")
    message: str = Field(description="What happened, in English")
    hint: str = Field(description="What to do about it; may be empty")
    request_id: str = Field(default="", description="Also in the server's log")


class ErrorOut(BaseModel):
    error: ErrorBody


class WordOut(BaseModel):
    text: str
    start: float
    end: float


class SegmentOut(BaseModel):
    index: int
    start: float = Field(description="Seconds from the start of the file")
    end: float
    text: str = Field(description="As spoken")
    itn_text: str = Field(description="Written form: numbers, dates, amounts")
    words: list[WordOut] | None = Field(
        default=None, description="Only where the model measured word times"
    )

    @classmethod
    def of(cls, index: int, segment: Segment, *, has_words: bool) -> SegmentOut:
        words = [WordOut(text=w.text, start=w.start, end=w.end) for w in segment.words]
        return cls(
            index=index,
            start=segment.start,
            end=segment.end,
            text=segment.text,
            itn_text=segment.itn_text,
            words=words or None if has_words else None,
        )


class JobOut(BaseModel):
    id: str
    kind: Literal["transcribe", "vad"]
    state: Literal["waiting", "paused", "running", "done", "failed", "cancelled"]
    stage: str | None
    name: str
    source: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    duration: float | None = Field(description="Seconds of audio, once known")
    done: float = Field(description="Seconds of audio whose text is stored")
    speed: float | None = Field(description="Seconds of audio a second")
    eta: float | None = Field(description="Seconds until done")
    model: str
    language: str
    n_segments: int
    record_id: str | None
    batch_id: str | None = None
    priority: int = Field(description="Higher goes first")
    warnings: list[str]
    error: ErrorBody | None

    @classmethod
    def fields_of(cls, job: Job, *, n_segments: int, now: float) -> dict[str, Any]:
        speed = job.speed(now)
        left = job.duration - job.done if job.duration is not None else None
        return {
            "id": job.id,
            "kind": job.kind,
            "state": job.state,
            "stage": job.stage,
            "name": job.name,
            "source": job.source,
            "created_at": moment(job.created_at),
            "started_at": moment(job.started_at),
            "finished_at": moment(job.finished_at),
            "duration": job.duration,
            "done": job.done,
            "speed": speed,
            "eta": max(left, 0.0) / speed if speed and left and job.state == "running" else None,
            "model": job.model,
            "language": job.language or job.options.language,
            "n_segments": n_segments,
            "record_id": job.record_id,
            "batch_id": job.batch_id,
            "priority": job.priority,
            "warnings": list(job.warnings),
            "error": ErrorBody(code=job.error.code, message=job.error.message, hint=job.error.hint)
            if job.error
            else None,
        }


class JobWithSegmentsOut(JobOut):
    segments: list[SegmentOut]


class Settings(BaseModel):
    """What recordings are to be transcribed with, where it comes as JSON."""

    model_config = ConfigDict(extra="forbid")

    language: str | None = Field(default=None, max_length=40)
    itn: bool | None = None
    hotwords: str | None = Field(
        default=None, max_length=1_000_000, description="One a line, or with commas"
    )
    script: str | None = Field(default=None, max_length=40)
    model: str | None = Field(default=None, max_length=200)


class JobChangeIn(Settings):
    """What is not named stays."""

    priority: int | None = Field(default=None, ge=-100, le=100)

    @property
    def names_settings(self) -> bool:
        return bool(self.model_fields_set - {"priority"})


class BatchIn(Settings):
    """Recordings that lie on this machine."""

    paths: list[str] = Field(
        description="Files, folders and glob patterns under an allowed root", max_length=10_000
    )
    recursive: bool = Field(default=False, description="Also the folders inside folders")
    name: str = Field(default="", max_length=1000)
    duplicates: Literal["reuse", "again"] = Field(
        default="reuse", description="Take the record of an equal recording, or transcribe again"
    )


class BatchOut(BaseModel):
    id: str
    name: str
    source: str
    created_at: datetime
    finished: bool
    counts: dict[str, int] = Field(description="Jobs by state")
    duration: float = Field(description="Seconds of audio in jobs whose length is known")
    done: float = Field(description="Seconds of audio whose text is stored")
    eta: float | None = Field(description="Seconds until all is finished, once there is a pace")

    @classmethod
    def of(cls, batch: Batch) -> BatchOut:
        return cls(
            id=batch.id,
            name=batch.name,
            source=batch.source,
            created_at=datetime.fromtimestamp(batch.created_at, UTC),
            finished=batch.is_finished,
            counts=batch.counts,
            duration=batch.duration,
            done=batch.done,
            eta=batch.left,
        )


class BatchesOut(BaseModel):
    batches: list[BatchOut]


class BatchWithJobsOut(BatchOut):
    jobs: list[JobOut]


class BatchItemOut(BaseModel):
    """One recording of a batch that was waited for."""

    filename: str
    text: str | None = None
    itn_text: str | None = None
    segments: list[SegmentOut] = []
    language: str | None = None
    duration: float | None = None
    job_id: str
    record_id: str | None = None
    error: ErrorBody | None = None


class OrderIn(BaseModel):
    jobs: list[str] = Field(min_length=1, max_length=10_000)


class JobsOut(BaseModel):
    jobs: list[JobOut]


class RecordSummary(BaseModel):
    id: str
    name: str
    created_at: datetime
    duration: float
    language: str
    model: str
    source: str
    excerpt: str

    @classmethod
    def fields_of(cls, record: Record) -> dict[str, Any]:
        return {
            "id": record.id,
            "name": record.name,
            "created_at": moment(record.created_at),
            "duration": record.duration,
            "language": record.language,
            "model": record.model,
            "source": record.source,
            "excerpt": record.itn_text[:EXCERPT_CHARS].replace("\n", " "),
        }

    @classmethod
    def of(cls, record: Record) -> RecordSummary:
        return cls(**RecordSummary.fields_of(record))


class RecordsOut(BaseModel):
    records: list[RecordSummary]
    total: int


class RecordOut(RecordSummary):
    text: str = Field(description="One segment a line")
    itn_text: str
    segments: list[SegmentOut]
    options: dict[str, Any]
    warnings: list[str]
    has_audio: bool


class TranscriptOut(BaseModel):
    """The answer of one finished transcription."""

    text: str = Field(description="As spoken, segments joined")
    itn_text: str
    segments: list[SegmentOut]
    language: str
    duration: float
    model: str
    record_id: str
    warnings: list[str]


class DeletedOut(BaseModel):
    id: str
    deleted_at: datetime


class SnippetPiece(BaseModel):
    text: str
    hit: bool


class HitOut(BaseModel):
    record: RecordSummary
    snippet: list[SnippetPiece]
    index: int | None = Field(description="Segment of the first hit; null if it is in the name")
    start: float | None

    @classmethod
    def of(cls, hit: Hit) -> HitOut:
        return cls(
            record=RecordSummary.of(hit.record),
            snippet=[SnippetPiece(text=text, hit=is_hit) for text, is_hit in hit.snippet],
            index=hit.segment_index,
            start=hit.start,
        )


class SearchOut(BaseModel):
    query: str
    total: int
    results: list[HitOut]


class VadSegment(BaseModel):
    start: float
    end: float
    duration: float


class VadOut(BaseModel):
    segments: list[VadSegment]
    duration: float
    model: str
    warnings: list[str]


class ModelState(BaseModel):
    id: str
    title: str
    installed: bool
    times: str
    languages: list[str]
    error: ErrorBody | None = None


class DeviceState(BaseModel):
    device: str
    reason: str


class WorkerStateOut(BaseModel):
    state: str
    pid: int | None


class OutboundState(BaseModel):
    attempts: int = Field(description="Refused attempts to reach another machine")
    last: str | None


class SystemOut(BaseModel):
    version: str
    home: str
    model: ModelState
    loaded_model: str | None = Field(description="What the worker has loaded; None while nothing")
    device: DeviceState | None
    worker: WorkerStateOut
    outbound: OutboundState
    disk_free_bytes: int
    languages: list[str]
    formats: list[str]
    samples: list[str]


class HealthOut(BaseModel):
    status: Literal["ok"]


def moment(at: float | None) -> datetime | None:
    """UTC seconds since 1970 as a date and time with its zone."""
    return None if at is None else datetime.fromtimestamp(at, UTC)


class DeviceOut(BaseModel):
    device: str
    is_usable: bool
    reason: str = Field(description="Why it cannot be used, or what was found")
    is_present: bool


class LoadedOut(BaseModel):
    model: str
    device: str
    reason: str


class ModelOut(BaseModel):
    id: str
    title: str
    kind: Literal["recognizer", "vad"]
    engine: str
    installed: bool
    loaded: bool
    default: bool
    size_bytes: int = Field(description="Approximate where it is not installed")
    languages: list[str]
    times: str = Field(description="none, segment or word: the finest it gives on this machine")
    takes_hotwords: bool
    streams: bool = Field(description="Hears speech as it comes in")
    max_chunk_s: float
    licence: str
    homepage: str
    missing: list[str] = Field(description="Python modules it needs that are not here")
    install: str = Field(description="The command that brings them; empty where nothing is missing")
    pull_from: list[str] = Field(description="Where `models pull` can get it")
    source: str = Field(description="Where an installed one came from")

    @classmethod
    def of(cls, entry: ModelEntry, *, loaded: str | None) -> ModelOut:
        card = entry.card
        return cls(
            id=card.id,
            title=card.title,
            kind=card.kind,
            engine=card.engine,
            installed=entry.is_installed,
            loaded=card.id == loaded,
            default=entry.is_default,
            size_bytes=card.size_bytes,
            languages=list(card.languages),
            times=entry.times,
            takes_hotwords=card.takes_hotwords,
            streams=card.streams,
            max_chunk_s=card.max_chunk_s,
            licence=card.licence,
            homepage=card.homepage,
            missing=list(entry.missing),
            install=entry.install,
            pull_from=list(card.ways),
            source=entry.source,
        )


class ModelsOut(BaseModel):
    models: list[ModelOut]
    loaded: str | None
