"""Multipart forms, streamed: the recording goes straight into its scratch file, never into
memory; the small fields are kept as text."""

from __future__ import annotations

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
from offscribe.services.intake import Upload

MAX_FIELD_BYTES = 1_000_000
"""All text fields together: 10,000 hotwords fit."""
MAX_FIELDS = 64
AUDIO_FIELD = "audio"


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
    parser = _parser(request)
    receiver = _Receiver(upload)
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
    return receiver.form()


def _parser(request: Request) -> PushMultipartParser:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise InputError(
            "the request is not a multipart form",
            hint=f"Send multipart/form-data with the recording in the field {AUDIO_FIELD!r}.",
            code="bad_form",
        )
    return PushMultipartParser(options["boundary"], max_segment_count=MAX_FIELDS)


class _Receiver:
    """Sorts parser events into the upload and the text fields."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._form = Form()
        self._raw: dict[str, bytearray] = {}
        self._current: str | None = None
        self._n_field_bytes = 0

    def take(self, events: list[Any]) -> None:
        for event in events:
            if isinstance(event, MultipartSegment):
                self._begin(event)
            elif event is None:
                self._current = None
            elif self._current == AUDIO_FIELD:
                self._upload.write(event)
            elif self._current is not None:
                self._add(self._current, event)

    def form(self) -> Form:
        if self._form.file_name is None:
            raise BadOption(
                f"the form has no file in the field {AUDIO_FIELD!r}",
                hint=f"Send the recording as a file in the field {AUDIO_FIELD!r}.",
                code="audio_missing",
            )
        try:
            self._form.fields = {name: raw.decode() for name, raw in self._raw.items()}
        except UnicodeDecodeError as error:
            raise BadOption("a form field is not UTF-8 text") from error
        return self._form

    def _begin(self, segment: MultipartSegment) -> None:
        self._current = segment.name
        if segment.name == AUDIO_FIELD:
            if segment.filename is None:
                raise BadOption(
                    f"the field {AUDIO_FIELD!r} is text, not a file",
                    hint="With curl: -F audio=@recording.mp3",
                    code="audio_missing",
                )
            if self._form.file_name is not None:
                raise BadOption("the form has more than one recording", hint="Send one a request.")
            self._form.file_name = segment.filename
        elif segment.name is not None:
            self._raw[segment.name] = bytearray()

    def _add(self, name: str, data: bytes) -> None:
        self._n_field_bytes += len(data)
        if self._n_field_bytes > MAX_FIELD_BYTES:
            raise TooLarge(f"the text fields are larger than {MAX_FIELD_BYTES} bytes together")
        self._raw[name] += data


def content_length(request: Request) -> int:
    """How many bytes the client says it sends; 0 where it does not say."""
    length = request.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0


def form_schema(**fields: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI description of a form with a recording and *fields*."""
    properties = {
        AUDIO_FIELD: {"type": "string", "format": "binary", "description": "Audio or video file"},
        **fields,
    }
    schema = {"type": "object", "required": [AUDIO_FIELD], "properties": properties}
    return {
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    }
