"""Many recordings at once."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, suppress
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from offscribe.api.context import Context
from offscribe.api.forms import batch_form_schema, content_length, read_batch_form
from offscribe.api.jobs import POLL_S, WISHES, job_fields, transcript_of, wished
from offscribe.api.records import attachment
from offscribe.api.schemas import (
    BatchesOut,
    BatchIn,
    BatchItemOut,
    BatchOut,
    BatchWithJobsOut,
    ErrorBody,
    JobOut,
    OrderIn,
)
from offscribe.errors import NotFound
from offscribe.export.names import DEFAULT_TEMPLATE
from offscribe.services.intake import parse_flag, recognize_options
from offscribe.store.batches import Batch
from offscribe.store.jobs import Job, new_id

router = APIRouter(prefix="/api", tags=["batches"])


@router.post(
    "/batch_transcribe",
    response_model=list[BatchItemOut],
    openapi_extra=batch_form_schema(
        **WISHES,
        wait={"type": "boolean", "default": True, "description": "false: answer 202 at once"},
        name={"type": "string", "description": "What to call the batch"},
        duplicates={"type": "string", "enum": ["reuse", "again"], "default": "reuse"},
    ),
    responses={202: {"model": BatchWithJobsOut, "description": "Queued, with wait=false"}},
    summary="Transcribe many recordings",
)
async def batch_transcribe(request: Request, context: Context) -> object:
    """Answers when all are finished, in the order sent; one that failed carries its error. All of
    them are stored before recognition begins: a client that goes away loses nothing."""
    with ExitStack() as uploads:
        expected_bytes = content_length(request)

        def receive() -> Any:
            return uploads.enter_context(context.intake.receive(expected_bytes=0))

        with context.intake.receive(expected_bytes=expected_bytes):
            pass  # DiskFull before the first byte
        form, received = await read_batch_form(request, receive)
        is_waiting = parse_flag("wait", form.get("wait"), default=True)
        card, options = await run_in_threadpool(wished, context, form)
        batch = await run_in_threadpool(
            context.batch_intake.submit_uploads,
            received,
            card=card,
            options=options,
            name=form.get("name") or "",
            reuses=_reuses(form.get("duplicates")),
        )
    context.runtime.wake_worker()
    if not is_waiting:
        out = await run_in_threadpool(_with_jobs, context, batch, 0, -1)
        return JSONResponse(out.model_dump(mode="json"), 202)
    await _finished(context, batch)
    return await run_in_threadpool(_items, context, batch)


@router.post("/batches", status_code=202, response_model=BatchOut, summary="Queue files by path")
def add_batch(wishes: BatchIn, context: Context) -> object:
    """Files, folders and patterns on the server's machine, under a folder that it was started
    with (``--root``). They stay where they are."""
    card = context.intake.card(wishes.model)
    options = recognize_options(
        card,
        language=wishes.language,
        itn=wishes.itn is not False,
        hotwords=wishes.hotwords,
        script=wishes.script,
    )
    batch = context.batch_intake.submit_paths(
        wishes.paths,
        card=card,
        options=options,
        is_recursive=wishes.recursive,
        name=wishes.name,
        reuses=wishes.duplicates == "reuse",
    )
    context.runtime.wake_worker()
    return BatchOut.of(batch)


@router.get("/batches", response_model=BatchesOut, summary="Newest batches first")
def list_batches(context: Context, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> object:
    batches = context.installation.batches.newest(limit=limit)
    return {"batches": [BatchOut.of(batch) for batch in batches]}


@router.get("/batches/{batch_id}", response_model=BatchWithJobsOut, summary="One batch")
def get_batch(
    batch_id: str,
    context: Context,
    offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
    limit: Annotated[int, Query(ge=0, le=1000)] = 200,
) -> object:
    """``jobs`` is one page of them, in the order they were sent."""
    return _with_jobs(context, context.installation.batches.get(batch_id), offset, limit)


@router.get(
    "/batches/{batch_id}/results",
    response_class=Response,
    summary="All results in one file",
    responses={200: {"content": {"application/zip": {}, "text/csv": {}, "application/json": {}}}},
)
def get_results(
    batch_id: str,
    context: Context,
    format: Literal["zip", "csv", "json"] = "zip",
    files: Annotated[str, Query(max_length=200)] = "txt",
    template: Annotated[str, Query(max_length=1000)] = DEFAULT_TEMPLATE,
) -> Response:
    """A batch that is not finished gives what is there. A ZIP has a ``report.csv`` about all
    recordings beside the *files* of the finished ones; *template* names those, from ``{name}``,
    ``{lang}``, ``{ext}``, ``{index}``, ``{model}``."""
    batch = context.installation.batches.get(batch_id)
    headers = {"content-disposition": attachment(f"{batch.name}.{format}")}
    results = context.batch_results
    if format == "csv":
        rows = results.csv(batch_id)
        return StreamingResponse(rows, media_type="text/csv; charset=utf-8", headers=headers)
    if format == "json":
        rows = results.json(batch_id)
        return StreamingResponse(rows, media_type="application/json", headers=headers)
    formats = [name.strip() for name in files.split(",") if name.strip()] or ["txt"]
    target = context.installation.home.scratch / f"{new_id()}.zip"
    try:
        with target.open("wb") as file:
            results.write_zip(batch_id, file, formats=formats, template=template)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return FileResponse(
        target,
        media_type="application/zip",
        headers=headers,
        background=BackgroundTask(target.unlink, missing_ok=True),
    )


@router.post("/batches/{batch_id}/{action}", response_model=BatchOut, summary="Act on all jobs")
def act_on_batch(batch_id: str, action: str, context: Context) -> object:
    """``pause``, ``resume``, ``cancel``, or ``retry``: the failed and cancelled ones again, without
    what is stored of them. Jobs that it does not fit stay as they are."""
    jobs = context.installation.jobs
    actions = {
        "pause": jobs.pause,
        "resume": jobs.resume,
        "cancel": jobs.cancel,
        "retry": jobs.retry,
    }
    if action not in actions:
        raise NotFound(f"there is no action {action[:40]!r}", hint=f"One of {', '.join(actions)}.")
    context.installation.batches.get(batch_id)  # NotFound
    own = context.installation.batches.jobs(batch_id)
    actions[action](*(job.id for job in own))
    if own:
        context.runtime.announce(own[0].id)
    return BatchOut.of(context.installation.batches.get(batch_id))


@router.put("/queue", status_code=204, summary="Reorder what waits")
def reorder(wanted: OrderIn, context: Context) -> None:
    """The waiting ones of these jobs go first, in this order."""
    context.installation.jobs.put_first(wanted.jobs)
    context.runtime.announce(wanted.jobs[0])


def _reuses(value: str | None) -> bool:
    return parse_flag(
        "duplicates",
        {"reuse": "true", "again": "false"}.get((value or "reuse").strip().lower(), value),
        default=True,
    )


def _with_jobs(context: Context, batch: Batch, offset: int, limit: int) -> BatchWithJobsOut:
    jobs = context.installation.batches.jobs(batch.id, offset=offset, limit=limit)
    fields = [JobOut(**job_fields(context, job)) for job in jobs]
    return BatchWithJobsOut(**BatchOut.of(batch).model_dump(), jobs=fields)


async def _finished(context: Context, batch: Batch) -> None:
    """Wait until no job of *batch* is left; paused ones are waited for too."""
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()

    def on_change(_: str) -> None:
        loop.call_soon_threadsafe(changed.set)

    with context.runtime.listening(on_change):
        while not batch.is_finished:
            with suppress(TimeoutError):  # the rows are the truth: look at them anyway
                await asyncio.wait_for(changed.wait(), POLL_S)
            changed.clear()
            batch = await run_in_threadpool(context.installation.batches.get, batch.id)


def _items(context: Context, batch: Batch) -> list[BatchItemOut]:
    return [_item(context, job) for job in context.installation.batches.jobs(batch.id)]


def _item(context: Context, job: Job) -> BatchItemOut:
    if job.state != "done":
        error = (
            ErrorBody(code=job.error.code, message=job.error.message, hint=job.error.hint)
            if job.error is not None
            else ErrorBody(code="cancelled", message="the job was cancelled", hint="")
        )
        return BatchItemOut(filename=job.name, job_id=job.id, error=error)
    try:
        answer = transcript_of(context, job)
    except NotFound as error:  # the record was deleted meanwhile
        body = ErrorBody(code=error.code, message=error.message, hint=error.hint)
        return BatchItemOut(filename=job.name, job_id=job.id, error=body)
    return BatchItemOut(
        filename=job.name,
        job_id=job.id,
        **answer.model_dump(include={"text", "itn_text", "language", "duration", "record_id"}),
        segments=answer.segments,
    )
