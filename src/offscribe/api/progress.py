"""How the work goes on, told while it happens: a WebSocket, and the same as server-sent events.

First the present state, then every change with an id that only grows. Who comes back with the
last id that they saw is told what came since, also after a restart of the server: the id is the
version of the job's row. Each reader is told the newest state of a row, not every state it passed
through, so a slow one costs nobody anything.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect

from offscribe.api.context import Context, Services
from offscribe.api.jobs import POLL_S, job_fields
from offscribe.api.schemas import BatchOut, JobOut
from offscribe.store.jobs import Job

router = APIRouter(tags=["progress"])

PAGE = 200
"""Jobs in one message of the present state."""
KEEPALIVE_S = 15.0


@router.get(
    "/api/events", summary="Progress as server-sent events", response_class=StreamingResponse
)
async def events(
    context: Context,
    batch: Annotated[str | None, Query(max_length=64)] = None,
    after: Annotated[int | None, Query(ge=0)] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> StreamingResponse:
    """``event: state`` comes first unless *after* (or the header Last-Event-ID) says how far the
    client has read; then ``event: job`` with one job each, and ``event: batch`` with the sums of
    its batch. Lines that begin with a colon only keep the connection."""
    if after is None and last_event_id and last_event_id.isascii() and last_event_id.isdigit():
        after = int(last_event_id)
    if batch is not None:
        await run_in_threadpool(context.installation.batches.get, batch)  # NotFound

    async def lines() -> AsyncIterator[str]:
        async for message in _messages(context, batch, after):
            if message is None:
                yield ":\n\n"
                continue
            number = f"id: {message['id']}\n" if "id" in message else ""
            body = json.dumps(message, ensure_ascii=False)
            yield f"{number}event: {message['type']}\ndata: {body}\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream")


@router.websocket("/ws/progress")
async def progress(
    socket: WebSocket,
    context: Context,
    batch: Annotated[str | None, Query(max_length=64)] = None,
    after: Annotated[int | None, Query(ge=0)] = None,
) -> None:
    """JSON messages of type ``state``, ``job`` and ``batch``; see docs/api.md. What the client
    sends is not read."""
    await socket.accept()
    telling = asyncio.create_task(_tell(socket, context, batch, after))
    try:
        while not telling.done():
            hearing = asyncio.create_task(socket.receive())
            await asyncio.wait({telling, hearing}, return_when=asyncio.FIRST_COMPLETED)
            if not hearing.done():
                hearing.cancel()
            elif hearing.result()["type"] == "websocket.disconnect":
                return
    finally:
        telling.cancel()
        with suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
            await telling  # RuntimeError: Starlette's, for sending after the end


async def _tell(socket: WebSocket, context: Services, batch: str | None, after: int | None) -> None:
    async for message in _messages(context, batch, after):
        if message is not None:
            await socket.send_text(json.dumps(message, ensure_ascii=False))


async def _messages(
    context: Services, batch: str | None, after: int | None
) -> AsyncIterator[dict[str, Any] | None]:
    """Yield messages for as long as they are asked for; None where nothing happened for a while."""
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()

    def on_change(_: str) -> None:
        loop.call_soon_threadsafe(changed.set)

    with context.runtime.listening(on_change):
        if after is None:
            read, pages = await run_in_threadpool(_state, context, batch)
            for page in pages:
                yield page
        else:
            read = after
        quiet_s = 0.0
        while True:
            changed.clear()
            jobs = await run_in_threadpool(
                context.installation.jobs.changed_since, read, batch_id=batch, limit=PAGE
            )
            for job in jobs:
                read = job.version
                yield await run_in_threadpool(_job_message, context, job)
            for batch_id in dict.fromkeys(job.batch_id for job in jobs):
                if batch_id is not None:
                    yield await run_in_threadpool(_batch_message, context, batch_id)
            if jobs:
                quiet_s = 0.0
                continue
            with suppress(TimeoutError):  # the rows are the truth: look at them anyway
                await asyncio.wait_for(changed.wait(), POLL_S)
            quiet_s += POLL_S
            if quiet_s >= KEEPALIVE_S:
                quiet_s = 0.0
                yield None


def _state(context: Services, batch: str | None) -> tuple[int, list[dict[str, Any]]]:
    """The version that the state has at least, and its messages."""
    version = context.installation.jobs.version()
    batches = context.installation.batches
    sums = [batches.get(batch)] if batch else batches.newest()
    jobs = batches.jobs(batch) if batch else context.installation.jobs.unfinished()
    pages: list[dict[str, Any]] = [
        {
            "type": "state",
            "batches": [BatchOut.of(entry).model_dump(mode="json") for entry in sums if not at],
            "jobs": [_job_json(context, job) for job in jobs[at : at + PAGE]],
            "is_complete": at + PAGE >= len(jobs),
        }
        for at in range(0, max(len(jobs), 1), PAGE)
    ]
    pages[-1]["id"] = version
    return version, pages


def _job_message(context: Services, job: Job) -> dict[str, Any]:
    return {"type": "job", "id": job.version, "job": _job_json(context, job)}


def _batch_message(context: Services, batch_id: str) -> dict[str, Any]:
    batch = BatchOut.of(context.installation.batches.get(batch_id))
    return {"type": "batch", "batch": batch.model_dump(mode="json")}


def _job_json(context: Services, job: Job) -> dict[str, Any]:
    return JobOut(**job_fields(context, job)).model_dump(mode="json")
