"""Multipart forms, streamed: the recording goes straight into its scratch file, never into
memory; the small fields are kept as text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from multipart import (
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from offscribe.errors import BadOption, InputError, TooLarge
from offscribe.services.gathering import MAX_FILES
from offscribe.services.intake import Upload

MAX_FIELD_BYTES = 1_000_000
"""All text fields together: 10,000 hotwords fit."""
MAX_FIELDS = 64
AUDIO_FIELD = "audio"
BATCH_FIELD = "audios"


@dataclass(slots=True)
class Form:
    """The text fields by name, and the recording's own file name (None: no recording came)."""

    fields: dict[str, str] = field(default_factory=dict)
    file_name: str | None = None

    def get(self, name: str) -> str | None:
        return self.fields.get(name)


async def read_form(request: Request, upload: Upload) -> Form:
    """Read the whole body; write the part named ``audio`` into *upload*.

    Raises BadOption, InputError, TooLarge, DiskFull. A client that goes away raises InputError
    too; nobody is there to read it.
    """

    def open_upload(file_name: str) -> Upload:
        if form.file_name is not None:
            raise BadOption("the form has more than one recording", hint="Send one a request.")
        form.file_name = file_name
        return upload

    form = Form()
    form.fields = await _read(request, AUDIO_FIELD, open_upload, max_parts=MAX_FIELDS)
    if form.file_name is None:
        raise BadOption(
            f"the form has no file in the field {AUDIO_FIELD!r}",
            hint=f"Send the recording as a file in the field {AUDIO_FIELD!r}.",
            code="audio_missing",
        )
    return form


async def read_batch_form(
    request: Request, receive: Callable[[], Upload]
) -> tuple[Form, list[tuple[Upload, str]]]:
    """Read the whole body; each part named ``audios`` goes into an upload that *receive* opens.
    Return the text fields and the uploads with their file names, in order. Raises like
    ``read_form``, and TooLarge for more than MAX_FILES recordings."""
    received: list[tuple[Upload, str]] = []

    def open_upload(file_name: str) -> Upload:
        if len(received) == MAX_FILES:
            raise TooLarge(
                f"the form has more than {MAX_FILES} recordings", hint="Divide them into batches."
            )
        upload = receive()
        received.append((upload, file_name))
        return upload

    max_parts = MAX_FILES + MAX_FIELDS
    fields = await _read(request, BATCH_FIELD, open_upload, max_parts=max_parts)
    return Form(fields), received


async def _read(
    request: Request, file_field: str, open_upload: Callable[[str], Upload], *, max_parts: int
) -> dict[str, str]:
    """Read the body, return its text fields."""
    parser = _parser(request, file_field, max_parts)
    receiver = _Receiver(file_field, open_upload)
    try:
        with parser:
            async for chunk in request.stream():
                if chunk:
                    await run_in_threadpool(receiver.take, list(parser.parse(chunk)))
    except ParserLimitReached as error:
        raise TooLarge(f"the form has too many or too large fields: {error}") from error
    except MultipartError as error:
        raise InputError(
            f"the form is broken: {error}",
            hint="Send multipart/form-data as curl -F or a browser form does.",
            code="bad_form",
        ) from error
    except ClientDisconnect as error:
        raise InputError("the upload was broken off", code="upload_interrupted") from error
    return receiver.fields()


def _parser(request: Request, file_field: str, max_parts: int) -> PushMultipartParser:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise InputError(
            "the request is not a multipart form",
            hint=f"Send multipart/form-data with the recording in the field {file_field!r}.",
            code="bad_form",
        )
    return PushMultipartParser(options["boundary"], max_segment_count=max_parts)


class _Receiver:
    """Sorts parser events into uploads and text fields."""

    def __init__(self, file_field: str, open_upload: Callable[[str], Upload]) -> None:
        self._file_field = file_field
        self._open_upload = open_upload
        self._raw: dict[str, bytearray] = {}
        self._n_field_bytes = 0
        self._upload: Upload | None = None
        self._field: str | None = None

    def take(self, events: list[Any]) -> None:
        for event in events:
            if isinstance(event, MultipartSegment):
                self._begin(event)
            elif event is None:
                self._end()
            elif self._upload is not None:
                self._upload.write(event)
            elif self._field is not None:
                self._add(self._field, event)

    def fields(self) -> dict[str, str]:
        try:
            return {name: raw.decode() for name, raw in self._raw.items()}
        except UnicodeDecodeError as error:
            raise BadOption("a form field is not UTF-8 text") from error

    def _begin(self, segment: MultipartSegment) -> None:
        self._upload = self._field = None
        if segment.name == self._file_field:
            if segment.filename is None:
                raise BadOption(
                    f"the field {self._file_field!r} is text, not a file",
                    hint=f"With curl: -F {self._file_field}=@recording.mp3",
                    code="audio_missing",
                )
            self._upload = self._open_upload(segment.filename)
        elif segment.name is not None:
            self._field = segment.name
            self._raw[segment.name] = bytearray()

    def _end(self) -> None:
        if self._upload is not None:
            self._upload.seal()
        self._upload = self._field = None

    def _add(self, name: str, data: bytes) -> None:
        self._n_field_bytes += len(data)
        if self._n_field_bytes > MAX_FIELD_BYTES:
            raise TooLarge(f"the text fields are larger than {MAX_FIELD_BYTES} bytes together")
        self._raw[name] += data


def content_length(request: Request) -> int:
    """How many bytes the client says it sends; 0 where it does not say."""
    length = request.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0


_FILE = {"type": "string", "format": "binary", "description": "Audio or video file"}


def form_schema(**fields: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI description of a form with a recording and *fields*."""
    return _schema(AUDIO_FIELD, _FILE, fields)


def batch_form_schema(**fields: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI description of a form with many recordings and *fields*."""
    return _schema(BATCH_FIELD, {"type": "array", "items": _FILE}, fields)


def _schema(file_field: str, files: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    properties = {file_field: files, **fields}
    schema = {"type": "object", "required": [file_field], "properties": properties}
    return {
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    }
