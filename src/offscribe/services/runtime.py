"""What lives as long as the server: the worker, the guard's count, who wants to hear of changes."""

from __future__ import annotations

import json
import logging
import queue
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Literal

from offscribe.errors import Conflict, ResourceError, revive
from offscribe.events import (
    ClearCache,
    Command,
    Event,
    JobChanged,
    LoadModel,
    ModelFailed,
    ModelLoaded,
    ModelUnloaded,
    Obeyed,
    OutboundAttempt,
    Refused,
    UnloadModel,
    WorkerEnded,
)
from offscribe.guard import Guard
from offscribe.services.history import History
from offscribe.services.installation import Installation, clean_scratch
from offscribe.store.jobs import new_id
from offscribe.worker.supervisor import Supervisor

log = logging.getLogger(__name__)

WorkerState = Literal["starting", "idle", "busy", "down"]
LOAD_S = 600.0
"""How long a model may take to load; a large one from a USB disk takes minutes."""
ANSWER_S = 60.0
"""How long the worker may take for anything else; it waits while another model is loaded."""


class WorkerDown(ResourceError):
    code = "worker_down"
    hint = "It is started again by itself. Try again in some seconds."


@dataclass(frozen=True, slots=True)
class SystemState:
    """A snapshot for people: how the worker is, what it runs on, what the guard has seen."""

    worker: WorkerState
    worker_pid: int | None
    loaded: ModelLoaded | None
    model_failed: ModelFailed | None
    outbound_attempts: int
    outbound_last: str | None
    disk_free_bytes: int


class Runtime:
    """Starts and stops what the server needs beside HTTP. Its methods may be called from any
    thread."""

    def __init__(
        self, installation: Installation, guard: Guard, *, idle_unload_s: float = 0.0
    ) -> None:
        self.installation = installation
        self._guard = guard
        self._supervisor = Supervisor(
            worker_command(installation, idle_unload_s=idle_unload_s),
            installation.jobs,
            self._on_event,
            model=installation.model_id,
        )
        self._loaded: ModelLoaded | None = None
        self._model_failed: ModelFailed | None = None
        self._has_begun = False
        self._listeners: set[Callable[[str], None]] = set()
        self._lock = threading.Lock()
        self._commanding = threading.Lock()
        self._answers: queue.SimpleQueue[Event] | None = None

    def start(self) -> None:
        clean_scratch(self.installation.home)
        removed = History(self.installation).sweep()
        if removed:
            log.info("%d recordings left the trash for good", removed)
        self.installation.jobs.recover()
        self._supervisor.start()

    def stop(self) -> None:
        self._supervisor.stop()
        self.installation.database.close()

    def wake_worker(self) -> None:
        self._supervisor.wake()

    def announce(self, job_id: str) -> None:
        """Tell the worker and whoever listens that this job's row changed."""
        self.wake_worker()
        self._on_event(JobChanged(job_id))

    def load(self, model_id: str) -> ModelLoaded:
        """Have the worker load *model_id*. Blocks until it is ready. Raises Conflict while another
        one is used, ModelError, WorkerDown."""
        self._obeyed(LoadModel(new_id(), model_id), timeout_s=LOAD_S)
        loaded = self._loaded
        if loaded is None or loaded.model != model_id:
            raise Conflict(f"{model_id} was let go at once", hint="Another model was needed.")
        return loaded

    def unload(self) -> None:
        """Have the worker let its model go. Raises Conflict while it is used, WorkerDown."""
        self._obeyed(UnloadModel(new_id()), timeout_s=ANSWER_S)

    def clear_cache(self) -> None:
        """Have the worker give back memory kept for later. Raises WorkerDown."""
        self._obeyed(ClearCache(new_id()), timeout_s=ANSWER_S)

    def _obeyed(self, command: Command, *, timeout_s: float) -> None:
        """Send *command* and wait until it is carried out; one at a time. Raises Conflict, what the
        worker refused it with, WorkerDown."""
        if not self._commanding.acquire(blocking=False):
            raise Conflict("the worker is loading or unloading a model", hint="Try again later.")
        answers: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._answers = answers
        try:
            if not self._supervisor.send(command):
                raise WorkerDown("the worker is not running")
            deadline = time.monotonic() + timeout_s
            while not _answers(answers.get(timeout=deadline - time.monotonic()), command):
                pass
        except (queue.Empty, ValueError) as error:  # a timeout below zero is a ValueError
            raise WorkerDown(f"the worker did not answer within {timeout_s:.0f} s") from error
        finally:
            self._answers = None
            self._commanding.release()

    @contextmanager
    def listening(self, listener: Callable[[str], None]) -> Iterator[None]:
        """Call *listener* with the id of every job that changes, from the supervisor's thread."""
        with self._lock:
            self._listeners.add(listener)
        try:
            yield
        finally:
            with self._lock:
                self._listeners.discard(listener)

    def state(self) -> SystemState:
        pid = self._supervisor.pid
        return SystemState(
            worker=self._worker_state(pid),
            worker_pid=pid,
            loaded=self._loaded,
            model_failed=self._model_failed,
            outbound_attempts=self._guard.attempts,
            outbound_last=self._guard.last,
            disk_free_bytes=shutil.disk_usage(self.installation.home.root).free,
        )

    def _worker_state(self, pid: int | None) -> WorkerState:
        if pid is None:
            return "down"
        if not self._has_begun:
            return "starting"
        return "busy" if self.installation.jobs.is_any_running() else "idle"

    def _on_event(self, event: Event) -> None:
        self._keep(event)
        if (answers := self._answers) is not None:  # somebody waits for one
            answers.put(event)

    def _keep(self, event: Event) -> None:
        match event:
            case JobChanged(job_id):
                with self._lock:
                    listeners = list(self._listeners)
                for listener in listeners:
                    listener(job_id)
            case ModelLoaded():
                self._loaded, self._model_failed, self._has_begun = event, None, True
            case ModelUnloaded():
                self._loaded = None
            case WorkerEnded():
                self._loaded, self._has_begun = None, False
            case ModelFailed():
                self._loaded, self._model_failed, self._has_begun = None, event, True
            case OutboundAttempt(target):
                self._guard.count(target)


def _answers(event: Event, command: Command) -> bool:
    """Whether *event* says that *command* was carried out. Raises what it says went wrong."""
    match event:
        case Obeyed(ticket):
            return ticket == command.ticket
        case Refused(ticket, code, message, hint) if ticket == command.ticket:
            raise revive(code, message, hint)
        case WorkerEnded(is_switching) if not is_switching:
            raise WorkerDown("the worker ended while it was to obey")
        case ModelLoaded(model) if isinstance(command, LoadModel):
            return model == command.model
        case ModelFailed(model, code, message, hint) if isinstance(command, LoadModel):
            if model == command.model:
                raise revive(code, message, hint)
    return False


def worker_command(installation: Installation, *, idle_unload_s: float = 0.0) -> list[str]:
    """The command line of a worker for *installation*, without its owner id and its model."""
    command = [
        *(sys.executable, "-m", "offscribe.worker"),
        *("--home", str(installation.home.root)),
        *("--load", json.dumps(asdict(installation.load))),
        *("--idle-unload-s", str(idle_unload_s)),
    ]
    if installation.model_path is not None:
        command += ["--model-path", str(installation.model_path)]
    return command
