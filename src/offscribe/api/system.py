"""How the server is, and the files it shows people."""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import FileResponse

from offscribe import __version__
from offscribe.api.context import Context
from offscribe.api.schemas import (
    DeviceState,
    ErrorBody,
    HealthOut,
    ModelState,
    OutboundState,
    SystemOut,
    WorkerStateOut,
)
from offscribe.errors import ModelError
from offscribe.export.registry import FORMATS
from offscribe.types import LANGUAGES

router = APIRouter(tags=["system"])


@router.get("/healthz", response_model=HealthOut, summary="Is the server up?")
async def healthz() -> object:
    return {"status": "ok"}


@router.get("/api/system", response_model=SystemOut, summary="Model, device, worker, offline guard")
def system(context: Context) -> object:
    state = context.runtime.state()
    failed = state.model_failed
    card = context.installation.model
    loaded = state.loaded
    return SystemOut(
        version=__version__,
        home=str(context.installation.home.root),
        model=ModelState(
            id=card.id,
            title=card.title,
            installed=_is_installed(context),
            times=context.installation.shelf.times_of(card),
            languages=list(card.languages),
            error=ErrorBody(code=failed.code, message=failed.message, hint=failed.hint)
            if failed
            else None,
        ),
        loaded_model=loaded.model if loaded else None,
        device=DeviceState(device=loaded.device, reason=loaded.reason) if loaded else None,
        worker=WorkerStateOut(state=state.worker, pid=state.worker_pid),
        outbound=OutboundState(attempts=state.outbound_attempts, last=state.outbound_last),
        disk_free_bytes=state.disk_free_bytes,
        languages=[code for code in LANGUAGES if code == "auto" or code in card.languages],
        formats=list(FORMATS),
        samples=["zh", "en"],
    )


@router.get("/api/sample/{language}", response_class=FileResponse, summary="A recording to try")
def sample(language: Literal["zh", "en"]) -> FileResponse:
    with as_file(files("offscribe") / "sample" / f"{language}.flac") as path:
        return FileResponse(path, media_type="audio/flac")


def _is_installed(context: Context) -> bool:
    if context.installation.model_path is not None:
        return True
    try:
        context.installation.shelf.folder_of(context.installation.model.id)
    except ModelError:
        return False
    return True
