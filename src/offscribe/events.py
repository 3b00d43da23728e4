"""What server and worker tell each other, one JSON object a line.

Events are hints: they say that a row changed, so that nobody has to wait for the next poll. The
rows are the truth; a lost event delays, never loses.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TypeVar, get_args

T = TypeVar("T")


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
class ModelUnloaded:
    """The worker holds no recognition model any more."""

    model: str


@dataclass(frozen=True, slots=True)
class ModelFailed:
    """The worker could not load a model; jobs fail with the same error."""

    model: str
    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class OutboundAttempt:
    """The worker's offline guard refused to reach *target*."""

    target: str


@dataclass(frozen=True, slots=True)
class ModelWanted:
    """The worker ends: *model* computes in another native runtime than the one this process has
    loaded, and the next worker is to start with it."""

    model: str


@dataclass(frozen=True, slots=True)
class WorkerEnded:
    """Said by the supervisor: the worker is gone, and with it what it had loaded.
    *is_switching*: it made way for another model."""

    is_switching: bool


@dataclass(frozen=True, slots=True)
class Obeyed:
    """The command with this *ticket* was carried out."""

    ticket: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The command with this *ticket* was not carried out."""

    ticket: str
    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class LoadModel:
    """To the worker: have *model* ready. Where that takes a new worker, it answers by ModelLoaded
    or ModelFailed; all else is answered by Obeyed or Refused."""

    ticket: str
    model: str


@dataclass(frozen=True, slots=True)
class UnloadModel:
    """To the worker: let the model go."""

    ticket: str


@dataclass(frozen=True, slots=True)
class ClearCache:
    """To the worker: give back memory that the runtime keeps."""

    ticket: str


Event = (
    JobChanged
    | ModelLoaded
    | ModelUnloaded
    | ModelFailed
    | ModelWanted
    | WorkerEnded
    | Obeyed
    | Refused
    | OutboundAttempt
)
Command = LoadModel | UnloadModel | ClearCache

_EVENTS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}
_COMMANDS: dict[str, type[Command]] = {kind.__name__: kind for kind in get_args(Command)}


def encode(message: Event | Command) -> str:
    """Return *message* as one line of JSON without a line end."""
    return json.dumps({"event": type(message).__name__, **asdict(message)}, ensure_ascii=False)


def decode(line: str) -> Event:
    """Return the event that ``encode`` wrote. Raises ValueError on anything else."""
    return _decoded(line, _EVENTS)


def decode_command(line: str) -> Command:
    """Return the command that ``encode`` wrote. Raises ValueError on anything else."""
    return _decoded(line, _COMMANDS)


def _decoded(line: str, kinds: dict[str, type[T]]) -> T:
    try:
        fields = json.loads(line)
        return kinds[fields.pop("event")](**fields)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not an event: {line[:200]}") from error
