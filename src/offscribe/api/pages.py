"""The page and its files. Everything comes from the installed package."""

from __future__ import annotations

import mimetypes
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse
from starlette.staticfiles import StaticFiles

WEB = Path(str(files("offscribe") / "web"))

router = APIRouter(include_in_schema=False)


@router.get("/")
@router.get("/history")
@router.get("/records/{record_id}")
def index() -> FileResponse:
    """One page for every view; the address says which."""
    return _page("index.html")


@router.get("/docs")
def docs() -> FileResponse:
    return _page("docs.html")


def _page(name: str) -> FileResponse:
    return FileResponse(WEB / name, headers={"cache-control": "no-cache"})


class _Files(StaticFiles):
    """Static files that the browser keeps but asks about: an update shows at once."""

    def file_response(self, *args: object, **kwargs: object) -> object:  # type: ignore[override]
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["cache-control"] = "no-cache"
        return response


def install_pages(app: FastAPI) -> None:
    # Windows takes types from its registry, where .js is often text/plain.
    for suffix in (".js", ".mjs"):
        mimetypes.add_type("text/javascript", suffix)
    app.include_router(router)
    app.mount("/static", _Files(directory=WEB), name="static")
