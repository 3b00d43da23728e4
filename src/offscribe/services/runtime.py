"""What lives as long as the server: the worker, the guard's count, who wants to hear of changes."""

from __future__ import annotations

import logging
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from offscribe.events import Event, JobChanged, ModelFailed, ModelLoaded, OutboundAttempt
from offscribe.guard import Guard
from offscribe.services.history import History
from offscribe.services.installation import Installation, clean_scratch
from offscribe.worker.supervisor import Supervisor

log = logging.getLogger(__name__)

WorkerState = Literal["starting", "idle", "busy", "down"]


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

    def __init__(self, installation: Installation, guard: Guard) -> None:
        self.installation = installation
        self._guard = guard
        self._supervisor = Supervisor(
            worker_command(installation), installation.jobs, self._on_event
        )
        self._loaded: ModelLoaded | None = None
        self._model_failed: ModelFailed | None = None
        self._listeners: set[Callable[[str], None]] = set()
        self._lock = threading.Lock()

    def start(self) -> None:
        clean_scratch(self.installation.home)
        removed = History(self.installation).sweep()
        if removed:
            log.info("%d recordings left the trash for good", removed)
        self._supervisor.start()

    def stop(self) -> None:
        self._supervisor.stop()
        self.installation.database.close()

    def wake_worker(self) -> None:
        self._supervisor.wake()

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
        if self._loaded is None and self._model_failed is None:
            return "starting"
        return "busy" if self.installation.jobs.is_any_running() else "idle"

    def _on_event(self, event: Event) -> None:
        match event:
            case JobChanged(job_id):
                with self._lock:
                    listeners = list(self._listeners)
                for listener in listeners:
                    listener(job_id)
            case ModelLoaded():
                self._loaded, self._model_failed = event, None
            case ModelFailed():
                self._loaded, self._model_failed = None, event
            case OutboundAttempt(target):
                self._guard.count(target)


def worker_command(installation: Installation) -> list[str]:
    """The command line of a worker for *installation*, without its owner id."""
    command = [
        *(sys.executable, "-m", "offscribe.worker"),
        *("--home", str(installation.home.root)),
        *("--model", installation.model.id),
        *("--device", installation.load.device),
        *("--threads", str(installation.load.threads)),
    ]
    if installation.model_path is not None:
        command += ["--model-path", str(installation.model_path)]
    return command
