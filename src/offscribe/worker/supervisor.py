"""Keeps one worker process alive and returns to the queue what a dead one held."""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from collections.abc import Callable, Sequence

from offscribe.errors import ResourceError
from offscribe.events import Command, Event, ModelWanted, WorkerEnded, decode, encode
from offscribe.store.jobs import WORKER_PREFIX, Jobs, new_id

log = logging.getLogger(__name__)

STOP_S = 10.0
"""How long a worker may take to store its passage and give its job back."""
QUICK_DEATH_S = 10.0
"""A worker that lived shorter is started again only after a growing pause."""
LONGEST_PAUSE_S = 30.0


class Supervisor:
    """Starts *command* (plus ``--owner ID --model ID``) and starts it again whenever it ends.

    *model* is what the first worker loads; one that ends to make way for another model names the
    next. *on_event* is called from the supervisor's thread with everything the worker says,
    and with its end.
    """

    def __init__(
        self,
        command: Sequence[str],
        jobs: Jobs,
        on_event: Callable[[Event], None],
        *,
        model: str,
    ) -> None:
        self._command = list(command)
        self._model = model
        self._is_switching = False
        self._jobs = jobs
        self._on_event = on_event
        self._process: subprocess.Popen[str] | None = None
        self._writing = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def pid(self) -> int | None:
        """The process id of the living worker."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def wake(self) -> None:
        """Tell the worker that there is work. A worker that is gone finds it when it is back."""
        if not self._write("\n"):
            log.info("the worker is not there to be woken")

    def send(self, command: Command) -> bool:
        """Give the worker *command*; False where there is no worker to take it."""
        return self._write(f"{encode(command)}\n")

    def _write(self, line: str) -> bool:
        process = self._process
        if process is None or process.stdin is None:
            return False
        try:
            with self._writing:
                process.stdin.write(line)
                process.stdin.flush()
        except (BrokenPipeError, ValueError):
            return False
        return True

    def stop(self) -> None:
        """End the worker: gently, then by force. Its job goes back to the queue."""
        self._stopping.set()
        process = self._process
        if process is not None and process.stdin is not None:
            process.stdin.close()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                log.warning("the worker did not stop within %s s and is ended", STOP_S)
                process.kill()
        self._thread.join()

    def _watch(self) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            started = time.monotonic()
            self._run_once()
            lived_s = time.monotonic() - started
            if self._is_switching or lived_s > QUICK_DEATH_S:
                pause = 0.0
            else:
                pause = min(pause * 2 + 0.5, LONGEST_PAUSE_S)

    def _run_once(self) -> None:
        owner = f"{WORKER_PREFIX}{new_id()}"
        self._is_switching = False
        self._process = subprocess.Popen(
            [*self._command, "--owner", owner, "--model", self._model],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        if self._stopping.is_set() and self._process.stdin is not None:
            self._process.stdin.close()
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._receive(line)
        code = self._process.wait()
        self._on_event(WorkerEnded(self._is_switching))
        try:
            if self._stopping.is_set() or self._is_switching:
                self._jobs.give_back(owner)
            else:
                log.warning("the worker ended with code %s; a new one is started", code)
                self._jobs.lose(owner)
        except ResourceError as error:  # the lease runs out by itself
            log.warning("the worker's job could not be returned: %s", error.message)

    def _receive(self, line: str) -> None:
        try:
            event = decode(line)
        except ValueError:
            log.warning("the worker said something that is no event: %s", line[:200])
            return
        if isinstance(event, ModelWanted):
            self._model, self._is_switching = event.model, True
        self._on_event(event)
