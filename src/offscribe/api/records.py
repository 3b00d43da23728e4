"""The history over HTTP."""

from __future__ import annotations

import mimetypes
from dataclasses import asdict
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse, Response

from offscribe.api.context import Context
from offscribe.api.schemas import (
    DeletedOut,
    HitOut,
    RecordOut,
    RecordsOut,
    RecordSummary,
    SearchOut,
    SegmentOut,
    moment,
)
from offscribe.errors import NotFound
from offscribe.export.registry import FORMATS, ExportOptions, render

router = APIRouter(prefix="/api", tags=["history"])

Limit = Annotated[int, Query(ge=1, le=500)]
Offset = Annotated[int, Query(ge=0, le=10_000_000)]


@router.get("/records", response_model=RecordsOut, summary="Newest records first")
def list_records(context: Context, limit: Limit = 50, offset: Offset = 0) -> object:
    records = context.installation.records.newest(limit=limit, offset=offset)
    return {
        "records": [RecordSummary.of(record) for record in records],
        "total": context.installation.records.count(),
    }


@router.get("/records/{record_id}", response_model=RecordOut, summary="One whole record")
def get_record(record_id: str, context: Context) -> object:
    record = context.installation.records.get(record_id)
    return RecordOut(
        **RecordSummary.fields_of(record),
        text=record.text,
        itn_text=record.itn_text,
        segments=[
            SegmentOut.of(index, segment, has_words=True)
            for index, segment in enumerate(context.history.segments(record_id))
        ],
        options=asdict(record.options),
        warnings=list(record.warnings),
        has_audio=_has_audio(context, record_id),
    )


@router.get(
    "/records/{record_id}/export",
    response_class=Response,
    summary="A record as a file",
    responses={200: {"content": {entry.media_type: {} for entry in FORMATS.values()}}},
)
def export_record(
    record_id: str,
    context: Context,
    format: str = "txt",
    text: Literal["itn", "raw"] = "itn",
    times: bool = False,
) -> Response:
    document = context.history.document(record_id)
    body = render(document, format, ExportOptions(text=text, times=times))
    entry = FORMATS[format]
    stem = document.name.rpartition(".")[0] or document.name
    return Response(
        body,
        media_type=entry.media_type,
        headers={"content-disposition": attachment(f"{stem}.{entry.extension}")},
    )


@router.get("/records/{record_id}/audio", response_class=FileResponse, summary="The recording")
def get_audio(record_id: str, context: Context) -> FileResponse:
    """Answers range requests, so that a player can seek."""
    path = context.history.audio_file(record_id)
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    is_media = kind.startswith(("audio/", "video/"))
    return FileResponse(path, media_type=kind if is_media else "application/octet-stream")


@router.delete("/records/{record_id}", response_model=DeletedOut, summary="Move to the trash")
def delete_record(record_id: str, context: Context) -> object:
    deleted_at = context.installation.records.delete(record_id)
    return {"id": record_id, "deleted_at": moment(deleted_at)}


@router.post(
    "/records/{record_id}/restore", response_model=RecordSummary, summary="Undo a deletion"
)
def restore_record(record_id: str, context: Context) -> object:
    return RecordSummary.of(context.installation.records.restore(record_id))


@router.get("/search", response_model=SearchOut, summary="Full-text search")
def search(
    context: Context,
    q: Annotated[str, Query(max_length=1000)],
    limit: Limit = 50,
    offset: Offset = 0,
) -> object:
    """Finds Chinese words of any length; several words must all occur; the last Latin word may be
    the beginning of one. Script, width and case do not matter."""
    hits, total = context.history.search(q, limit=limit, offset=offset)
    return {"query": q, "total": total, "results": [HitOut.of(hit) for hit in hits]}


def _has_audio(context: Context, record_id: str) -> bool:
    try:
        context.history.audio_file(record_id)
    except NotFound:
        return False
    return True


def attachment(name: str) -> str:
    """The Content-Disposition of a download. RFC 6266 section 4.3: a plain name for old clients,
    the real one in UTF-8."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_. ") else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
