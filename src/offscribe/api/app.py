"""The web application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from offscribe import __version__
from offscribe.api import batches, jobs, models, pages, progress, records, system
from offscribe.api.context import Services
from offscribe.api.failures import install_failures
from offscribe.api.guarding import Guarding
from offscribe.api.schemas import ErrorOut
from offscribe.services.batch_intake import BatchIntake
from offscribe.services.batch_results import BatchResults
from offscribe.services.history import History
from offscribe.services.intake import Intake
from offscribe.services.models import ModelCatalogue
from offscribe.services.runtime import Runtime

DESCRIPTION = "Speech to text on this machine. Nothing that is sent here leaves it."
_ERRORS: dict[int | str, dict[str, object]] = {
    "4XX": {"model": ErrorOut, "description": "The request cannot be served as it is"},
    "5XX": {"model": ErrorOut, "description": "A model, the disk or the server itself is at fault"},
}


def create_app(
    runtime: Runtime, *, hosts: frozenset[str] = frozenset(), roots: Sequence[Path] = ()
) -> FastAPI:
    """Return the application around *runtime*, which it starts and stops.

    *hosts*: names beside loopback ones that requests may call this server by. *roots*: folders
    whose recordings may be named by path.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(runtime.start)
        try:
            yield
        finally:
            await run_in_threadpool(runtime.stop)

    app = FastAPI(
        title="Offscribe",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,  # would load from a CDN; ours is in pages.py
        redoc_url=None,
        lifespan=lifespan,
        responses=_ERRORS,
    )
    installation = runtime.installation
    intake, history = Intake(installation), History(installation)
    app.state.services = Services(
        runtime,
        intake,
        BatchIntake(installation, intake, roots=roots),
        BatchResults(installation, history),
        history,
        ModelCatalogue(installation),
    )
    install_failures(app)
    for module in (jobs, batches, progress, records, models, system):
        app.include_router(module.router)
    pages.install_pages(app)
    app.add_middleware(Guarding, hosts=hosts)
    return app
