"""What routes work with, handed in by FastAPI's dependency injection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from offscribe.services.history import History
from offscribe.services.installation import Installation
from offscribe.services.intake import Intake
from offscribe.services.models import ModelCatalogue
from offscribe.services.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Services:
    runtime: Runtime
    intake: Intake
    history: History
    models: ModelCatalogue

    @property
    def installation(self) -> Installation:
        return self.runtime.installation


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Context = Annotated[Services, Depends(_services)]
