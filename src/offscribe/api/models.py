"""The model shelf over HTTP. Installing from the network stays a command: the server never does."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, Response
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from offscribe.api.context import Context, Services
from offscribe.api.forms import content_length
from offscribe.api.schemas import DeviceOut, LoadedOut, ModelOut, ModelsOut
from offscribe.errors import InputError
from offscribe.services.intake import Upload, clean_name
from offscribe.shelf.imports import export_model, import_model, remove_model
from offscribe.shelf.storage import storing
from offscribe.store.jobs import new_id

router = APIRouter(prefix="/api", tags=["models"])


@router.get("/models", response_model=ModelsOut, summary="Installed and known models")
def models(context: Context) -> object:
    loaded = _loaded(context)
    return ModelsOut(
        models=[ModelOut.of(state, loaded=loaded) for state in context.models.all()], loaded=loaded
    )


@router.get("/devices", response_model=dict[str, list[DeviceOut]], summary="Devices, by engine")
def devices(context: Context) -> object:
    return context.models.devices()


@router.post(
    "/models/import",
    response_model=ModelOut,
    status_code=201,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"format": "binary"}}},
        }
    },
    summary="Install a model from an archive, sent as the body",
)
async def import_(
    request: Request,
    context: Context,
    name: Annotated[str, Query(description="The archive's file name; its extension matters")],
    model_id: Annotated[str | None, Query(alias="id", description="Id to give it")] = None,
    replace: Annotated[bool, Query(description="Replace a model of that id")] = False,
) -> object:
    with context.intake.receive(expected_bytes=content_length(request)) as upload:
        try:
            async for chunk in request.stream():
                await run_in_threadpool(upload.write, chunk)
        except ClientDisconnect as error:
            raise InputError("the upload was broken off", code="upload_interrupted") from error
        imported = await run_in_threadpool(
            _import, context, upload, name, model_id, is_replacing=replace
        )
    return await run_in_threadpool(model, imported, context)


@router.get(
    "/models/{model_id}/export", response_class=FileResponse, summary="A model as one archive"
)
def export(model_id: str, context: Context) -> FileResponse:
    folder = context.installation.home.scratch / f"export-{new_id()}"
    folder.mkdir()
    file = folder / f"{clean_name(model_id)}.tar"
    try:
        for _ in export_model(context.installation.shelf.folder, model_id, file):
            pass
    except BaseException:
        shutil.rmtree(folder)
        raise
    return FileResponse(
        file,
        filename=file.name,
        media_type="application/x-tar",
        background=BackgroundTask(shutil.rmtree, folder),
    )


@router.get("/models/{model_id}", response_model=ModelOut, summary="One model")
def model(model_id: str, context: Context) -> object:
    return ModelOut.of(context.models.one(model_id), loaded=_loaded(context))


@router.post("/models/unload", status_code=204, summary="Let the loaded model go")
def unload(context: Context) -> Response:
    context.runtime.unload()
    return Response(status_code=204)


@router.post("/models/clear-cache", status_code=204, summary="Free memory kept for later")
def clear_cache(context: Context) -> Response:
    context.runtime.clear_cache()
    return Response(status_code=204)


@router.post("/models/{model_id}/load", response_model=LoadedOut, summary="Have a model ready")
def load(model_id: str, context: Context) -> object:
    context.intake.card(model_id)
    return context.runtime.load(model_id)


@router.post("/models/{model_id}/default", response_model=ModelOut, summary="Make it the default")
def use(model_id: str, context: Context) -> object:
    return ModelOut.of(context.models.use(model_id), loaded=_loaded(context))


@router.post("/models/{model_id}/verify", status_code=204, summary="Compare all its SHA-256")
def verify(model_id: str, context: Context) -> Response:
    context.installation.shelf.verify(model_id)
    return Response(status_code=204)


@router.delete("/models/{model_id}", status_code=204, summary="Delete its files")
def remove(model_id: str, context: Context) -> Response:
    context.models.check_removable(model_id)
    if _loaded(context) == model_id:
        context.runtime.unload()
    remove_model(context.installation.shelf.folder, model_id)
    return Response(status_code=204)


def _loaded(context: Services) -> str | None:
    loaded = context.runtime.state().loaded
    return loaded.model if loaded else None


def _import(
    context: Services, upload: Upload, name: str, model_id: str | None, *, is_replacing: bool
) -> str:
    """Put the uploaded archive on the shelf under the name it came with; return the model's id."""
    with storing("the upload"):
        upload.file.close()
    received = Path(upload.file.name)
    folder = received.with_suffix("")
    folder.mkdir()
    try:
        archive = received.rename(folder / clean_name(name))
        steps = import_model(
            archive,
            context.installation.shelf.folder,
            model_id=model_id,
            is_replacing=is_replacing,
        )
        return list(steps)[-1].model_id
    finally:
        shutil.rmtree(folder)
