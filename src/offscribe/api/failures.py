"""Errors as HTTP answers. The only place that chooses a status."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from offscribe.api.guarding import request_id
from offscribe.api.schemas import ErrorBody, ErrorOut
from offscribe.errors import (
    Conflict,
    DiskFull,
    InputError,
    ModelError,
    NotFound,
    OffscribeError,
    ResourceError,
    TooLarge,
)

log = logging.getLogger(__name__)

_STATUS: tuple[tuple[type[OffscribeError], int], ...] = (
    (TooLarge, 413),
    (InputError, 400),
    (NotFound, 404),
    (Conflict, 409),
    (ModelError, 503),
    (DiskFull, 507),
    (ResourceError, 503),
)
"""The first class that fits decides."""


def status_of(error: OffscribeError) -> int:
    return next((status for family, status in _STATUS if isinstance(error, family)), 500)


def install_failures(app: FastAPI) -> None:
    """Answer every error in the one shape of ``ErrorOut``."""

    @app.exception_handler(OffscribeError)
    async def ours(request: Request, error: OffscribeError) -> JSONResponse:
        status = status_of(error)
        if status >= 500:
            log.error("%s %s: %s", request_id(request), error.code, error.message)
        return _answer(request, status, error.code, error.message, error.hint)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc'][1:])}: {problem['msg']}"
            for problem in error.errors()
        )
        return _answer(request, 400, "bad_option", problems, "See /docs for what is accepted.")

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> JSONResponse:
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http")
        answer = _answer(
            request, error.status_code, code, str(error.detail), "See /docs for what there is."
        )
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    async def bug(request: Request, error: Exception) -> JSONResponse:
        log.error("%s: a bug", request_id(request), exc_info=error)
        return _answer(
            request,
            500,
            "internal",
            "an unexpected error",
            "The server's log holds the details under this request id.",
        )


def _answer(request: Request, status: int, code: str, message: str, hint: str) -> JSONResponse:
    body = ErrorBody(code=code, message=message, hint=hint, request_id=request_id(request))
    return JSONResponse(ErrorOut(error=body).model_dump(), status_code=status)
