"""The model shelf over HTTP. Installing from the network stays a command: the server never does."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from offscribe.api.context import Context, Services
from offscribe.api.schemas import DeviceOut, LoadedOut, ModelOut, ModelsOut
from offscribe.shelf.imports import remove_model

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
