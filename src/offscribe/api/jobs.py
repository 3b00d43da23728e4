"""Sending recordings in and following their jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from offscribe.api.context import Context, Services
from offscribe.api.forms import Form, content_length, form_schema, read_form
from offscribe.api.schemas import (
    JobChangeIn,
    JobOut,
    JobsOut,
    JobWithSegmentsOut,
    SegmentOut,
    TranscriptOut,
    VadOut,
    VadSegment,
)
from offscribe.errors import Conflict, revive
from offscribe.export.registry import FORMATS, ExportOptions, find_format, render
from offscribe.services.intake import Upload, parse_flag, recognize_options, vad_options
from offscribe.store.jobs import Job
from offscribe.types import ModelCard, RecognizeOptions
from offscribe.vad.registry import DEFAULT_VAD, VAD_CARDS

router = APIRouter(prefix="/api", tags=["transcribe"])

POLL_S = 1.0
"""How often a waiting request looks at the row although no event came."""

WISHES: dict[str, dict[str, Any]] = {
    "language": {
        "type": "string",
        "default": "zh",
        "description": "zh, en, ja, ko, yue, another language of the model, or auto",
    },
    "itn": {"type": "boolean", "default": True, "description": "Write numbers as digits"},
    "hotwords": {"type": "string", "description": "Terms to expect: one a line, or with commas"},
    "script": {
        "type": "string",
        "enum": ["auto", "simplified", "traditional", "keep"],
        "default": "auto",
    },
    "model": {"type": "string", "description": "An installed model; default: the server's"},
}
_FORMAT: dict[str, Any] = {
    "type": "string",
    "enum": ["json", *(name for name in FORMATS if name != "json")],
}


@router.post(
    "/transcribe",
    response_model=TranscriptOut,
    openapi_extra=form_schema(**WISHES, format=_FORMAT | {"default": "json"}),
    summary="Transcribe one recording and wait for its text",
)
async def transcribe(request: Request, context: Context) -> object:
    """Answers when the text is there. The recording is stored before recognition begins: a client
    that goes away finds the result in the history. ``format`` other than json answers with that
    file instead."""
    with context.intake.receive(expected_bytes=content_length(request)) as upload:
        form = await read_form(request, upload)
        wanted = _wanted_format(form)
        job = await run_in_threadpool(_submit, context, upload, form, "api")
    job = await _finished(context, job)
    if wanted != "json":
        document = await run_in_threadpool(context.history.document, job.id)
        text = render(document, wanted, ExportOptions())
        return Response(text, media_type=FORMATS[wanted].media_type)
    return await run_in_threadpool(transcript_of, context, job)


@router.post(
    "/jobs",
    status_code=202,
    response_model=JobOut,
    openapi_extra=form_schema(**WISHES),
    summary="Queue one recording",
)
async def add_job(request: Request, context: Context) -> object:
    """Answers as soon as the recording is stored. Follow it with ``GET /api/jobs/{id}``."""
    with context.intake.receive(expected_bytes=content_length(request)) as upload:
        form = await read_form(request, upload)
        job = await run_in_threadpool(_submit, context, upload, form, "page")
    return job_fields(context, job)


@router.get("/jobs", response_model=JobsOut, summary="Newest jobs first")
def list_jobs(
    context: Context, limit: Annotated[int, Query(ge=1, le=500)] = 50
) -> dict[str, object]:
    jobs = context.installation.jobs.newest(limit=limit)
    return {"jobs": [job_fields(context, job) for job in jobs]}


@router.get("/jobs/{job_id}", response_model=JobWithSegmentsOut, summary="One job and its text")
def get_job(
    job_id: str, context: Context, after: Annotated[int, Query(ge=0)] = 0
) -> dict[str, object]:
    """``segments`` holds those with an index of *after* and more: ask again with the number you
    have."""
    job = context.installation.jobs.get(job_id)
    segments = context.installation.jobs.segments(job_id, after=after)
    fields = job_fields(context, job)
    fields["segments"] = [
        SegmentOut.of(index, segment, has_words=False)
        for index, segment in enumerate(segments, start=after)
    ]
    return fields


@router.post("/jobs/{job_id}/cancel", response_model=JobOut, summary="Stop a job")
def cancel_job(job_id: str, context: Context) -> dict[str, object]:
    """The text so far stays with the job. A finished job stays as it is."""
    return _job_after(context, job_id, context.installation.jobs.cancel)


@router.post("/jobs/{job_id}/pause", response_model=JobOut, summary="Let a job wait")
def pause_job(job_id: str, context: Context) -> dict[str, object]:
    """A running job stops and keeps the text so far. A finished job stays as it is."""
    return _job_after(context, job_id, context.installation.jobs.pause)


@router.post("/jobs/{job_id}/resume", response_model=JobOut, summary="Go on with a paused job")
def resume_job(job_id: str, context: Context) -> dict[str, object]:
    return _job_after(context, job_id, context.installation.jobs.resume)


@router.post("/jobs/{job_id}/retry", response_model=JobOut, summary="Try a job again")
def retry_job(job_id: str, context: Context) -> dict[str, object]:
    """For failed and cancelled jobs: what is stored of them is not recognised again."""
    return _job_after(context, job_id, context.installation.jobs.retry)


@router.post("/jobs/{job_id}/first", response_model=JobOut, summary="Let a waiting job go first")
def put_job_first(job_id: str, context: Context) -> dict[str, object]:
    """Before all others of its priority."""
    return _job_after(context, job_id, lambda id: context.installation.jobs.put_first([id]))


@router.patch("/jobs/{job_id}", response_model=JobOut, summary="Change a job that waits")
def change_job(job_id: str, wishes: JobChangeIn, context: Context) -> dict[str, object]:
    """Settings can be changed until the job begins, its priority at any time."""
    job = context.installation.jobs.get(job_id)
    if wishes.priority is not None:
        context.installation.jobs.prioritise(job_id, wishes.priority)
    if wishes.names_settings:
        card = context.intake.card(wishes.model or job.model)
        options = job.options
        hotwords = "\n".join(options.hotwords) if wishes.hotwords is None else wishes.hotwords
        options = recognize_options(
            card,
            language=wishes.language or options.language,
            itn=options.itn if wishes.itn is None else wishes.itn,
            hotwords=hotwords,
            script=wishes.script or options.script,
        )
        context.installation.jobs.change(job_id, model=card.id, options=options)
    return job_fields(context, context.installation.jobs.get(job_id))


@router.post(
    "/vad",
    response_model=VadOut,
    openapi_extra=form_schema(
        max_segment_ms={
            "type": "integer",
            "minimum": 1000,
            "maximum": 60000,
            "default": 30000,
            "description": "Longer speech is cut at its quietest point",
        },
        model={"type": "string", "enum": [card.id for card in VAD_CARDS], "default": DEFAULT_VAD},
    ),
    summary="Find speech without recognising it",
)
async def detect(request: Request, context: Context) -> object:
    with context.intake.receive(expected_bytes=content_length(request)) as upload:
        form = await read_form(request, upload)
        job = await run_in_threadpool(_submit_vad, context, upload, form)
    try:
        job = await _finished(context, job)
    finally:
        await run_in_threadpool(context.intake.discard, job.id)
    assert isinstance(job.result, dict)
    spans = job.result["spans"]
    return VadOut(
        segments=[
            VadSegment(start=s["start"], end=s["end"], duration=s["end"] - s["start"])
            for s in spans
        ],
        duration=job.result["duration"],
        model=job.model,
        warnings=job.result["warnings"],
    )


def _job_after(context: Context, job_id: str, act: Callable[[str], None]) -> dict[str, object]:
    context.installation.jobs.get(job_id)  # NotFound
    act(job_id)
    context.runtime.announce(job_id)
    return job_fields(context, context.installation.jobs.get(job_id))


def _wanted_format(form: Form) -> str:
    wanted = (form.get("format") or "json").strip().lower()
    find_format(wanted)
    return wanted


def _submit(context: Context, upload: Upload, form: Form, source: Literal["page", "api"]) -> Job:
    card, options = wished(context, form)
    job = context.intake.submit_upload(
        upload, name=form.file_name, source=source, options=options, model_id=card.id
    )
    context.runtime.wake_worker()
    return job


def wished(context: Context, form: Form) -> tuple[ModelCard, RecognizeOptions]:
    """The model and the options that *form* asks for."""
    card = context.intake.card(form.get("model"))
    options = recognize_options(
        card,
        language=form.get("language"),
        itn=parse_flag("itn", form.get("itn"), default=True),
        hotwords=form.get("hotwords"),
        script=form.get("script"),
    )
    return card, options


def _submit_vad(context: Context, upload: Upload, form: Form) -> Job:
    card = context.intake.vad_card(form.get("model"))
    options = RecognizeOptions(vad=vad_options(max_segment_ms=form.get("max_segment_ms")))
    job = context.intake.submit_upload(
        upload, name=form.file_name, source="api", options=options, kind="vad", model_id=card.id
    )
    context.runtime.wake_worker()
    return job


async def _finished(context: Context, job: Job) -> Job:
    """Wait until *job* is done. Raises what it failed with, Conflict if it was cancelled."""
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()

    def on_change(job_id: str) -> None:
        if job_id == job.id:
            loop.call_soon_threadsafe(changed.set)

    with context.runtime.listening(on_change):
        while not job.is_finished:
            with suppress(TimeoutError):  # the row is the truth: look at it anyway
                await asyncio.wait_for(changed.wait(), POLL_S)
            changed.clear()
            job = await run_in_threadpool(context.installation.jobs.get, job.id)
    if job.error is not None:
        raise revive(job.error.code, job.error.message, job.error.hint)
    if job.state == "cancelled":
        raise Conflict("the job was cancelled", code="cancelled")
    return job


def transcript_of(context: Services, job: Job) -> TranscriptOut:
    """The answer of a transcription that is done. Raises NotFound where its record was deleted."""
    record_id = job.record_id or job.id
    document = context.history.document(record_id)
    record = context.installation.records.get(record_id)
    return TranscriptOut(
        text=render(document, "txt", ExportOptions(text="raw")).strip(),
        itn_text=render(document, "txt", ExportOptions(text="itn")).strip(),
        segments=[
            SegmentOut.of(index, segment, has_words=True)
            for index, segment in enumerate(document.segments)
        ],
        language=record.language,
        duration=record.duration,
        model=record.model,
        record_id=record.id,
        warnings=list(record.warnings),
    )


def job_fields(context: Services, job: Job) -> dict[str, Any]:
    """The fields of ``JobOut``."""
    n_segments = context.installation.jobs.segment_count(job.id)
    return JobOut.fields_of(job, n_segments=n_segments, now=context.installation.database.now())
