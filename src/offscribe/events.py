"""What a worker tells the server, one JSON object a line.

Events are hints: they say that a row changed, so that nobody has to wait for the next poll. The
rows are the truth; a lost event delays, never loses.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class JobChanged:
    """The row of this job changed."""

    job_id: str


@dataclass(frozen=True, slots=True)
class ModelLoaded:
    """The worker can recognise now. *device* is the one in use, *reason* why it was chosen."""

    model: str
    device: str
    reason: str


@dataclass(frozen=True, slots=True)
class ModelFailed:
    """The worker could not load its model; jobs fail with the same error."""

    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class OutboundAttempt:
    """The worker's offline guard refused to reach *target*."""

    target: str


Event = JobChanged | ModelLoaded | ModelFailed | OutboundAttempt

_TYPES: dict[str, type[Event]] = {
    kind.__name__: kind for kind in (JobChanged, ModelLoaded, ModelFailed, OutboundAttempt)
}


def encode(event: Event) -> str:
    """Return *event* as one line of JSON without a line end."""
    return json.dumps({"event": type(event).__name__, **asdict(event)}, ensure_ascii=False)


def decode(line: str) -> Event:
    """Return the event that ``encode`` wrote. Raises ValueError on anything else."""
    try:
        fields = json.loads(line)
        return _TYPES[fields.pop("event")](**fields)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not an event: {line[:200]}") from error
