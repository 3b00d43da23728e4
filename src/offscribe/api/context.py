"""What routes work with, handed in by FastAPI's dependency injection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from offscribe.services.batch_intake import BatchIntake
from offscribe.services.batch_results import BatchResults
from offscribe.services.history import History
from offscribe.services.installation import Installation
from offscribe.services.intake import Intake
from offscribe.services.models import ModelCatalogue
from offscribe.services.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Services:
    runtime: Runtime
    intake: Intake
    batch_intake: BatchIntake
    batch_results: BatchResults
    history: History
    models: ModelCatalogue

    @property
    def installation(self) -> Installation:
        return self.runtime.installation


def _services(connection: HTTPConnection) -> Services:
    services: Services = connection.app.state.services
    return services


Context = Annotated[Services, Depends(_services)]
