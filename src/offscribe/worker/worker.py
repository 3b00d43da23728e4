"""The worker process: leases jobs, does them, says what changed."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from typing import TextIO

from offscribe.errors import (
    DiskFull,
    LeaseLost,
    ModelError,
    NotFound,
    OffscribeError,
    OutOfMemory,
)
from offscribe.events import (
    ClearCache,
    Command,
    Event,
    JobChanged,
    LoadModel,
    ModelFailed,
    ModelWanted,
    Obeyed,
    Refused,
    UnloadModel,
    decode_command,
    encode,
)
from offscribe.store.database import DatabaseBusy
from offscribe.store.jobs import Job, new_id
from offscribe.worker.models import OtherRuntime
from offscribe.worker.work import Bench, work_on

log = logging.getLogger(__name__)

POLL_S = 1.0
"""How often an idle worker looks for work that nobody announced."""
PAUSE_S = 5.0
"""How long it waits when the disk is full or the database is held by another program."""


class Worker:
    """Works until *stopping* is set. *woken* ends the wait for new work early. A model that
    nobody has used for *idle_unload_s* seconds is let go; 0 keeps it."""

    def __init__(
        self,
        owner: str,
        bench: Bench,
        say: Callable[[Event], None],
        *,
        idle_unload_s: float = 0.0,
    ) -> None:
        self.owner = owner
        self._idle_unload_s = idle_unload_s
        self.woken = threading.Event()
        self.stopping = threading.Event()
        self._bench = bench
        self._say = say

    def stop(self) -> None:
        self.stopping.set()
        self.woken.set()

    def preload(self, model_id: str) -> None:
        """Load *model_id* before the first job needs it. A failure is told, not raised: the jobs
        will fail with the same error."""
        try:
            self._bench.models.load(model_id)
            self._bench.models.vad()
        except (ModelError, NotFound, OutOfMemory) as error:
            log.warning("the model %s cannot be loaded: %s", model_id, error.message)
            self._say(ModelFailed(model_id, error.code, error.message, error.hint))

    def obey(self, command: Command) -> None:
        """Carry *command* out now, also while a job runs, and say what came of it."""
        models = self._bench.models
        try:
            match command:
                case LoadModel(_, model_id):
                    models.load(model_id)
                case UnloadModel():
                    models.unload()
                case ClearCache():
                    models.clear_cache()
            self._say(Obeyed(command.ticket))
        except OtherRuntime as error:
            self._make_way(error.model_id)
        except OffscribeError as error:
            self._say(Refused(command.ticket, error.code, error.message, error.hint))

    def work(self) -> None:
        while not self.stopping.is_set():
            self.woken.clear()
            try:
                job = self._bench.jobs.lease(self.owner)
                if job is None:
                    self._rest()
                else:
                    self._do(job)
            except (DiskFull, DatabaseBusy) as error:
                log.warning("waiting: %s", error.message)
                self.stopping.wait(PAUSE_S)

    def _rest(self) -> None:
        if self._idle_unload_s:
            self._bench.models.unload_idle(self._idle_unload_s)
        self.woken.wait(POLL_S)

    def _make_way(self, model_id: str) -> None:
        """End, so that a new process can load *model_id*."""
        log.info("a new worker is needed for %s", model_id)
        self._say(ModelWanted(model_id))
        self.stop()

    def _do(self, job: Job) -> None:
        self._say(JobChanged(job.id))
        try:
            with closing(work_on(job, self.owner, self._bench)) as passages:
                for _ in passages:
                    self._say(JobChanged(job.id))
                    if self.stopping.is_set() or self._bench.jobs.is_overtaken(job):
                        break
        except LeaseLost:
            log.info("job %s was taken away", job.id)
        except OtherRuntime as error:
            self._make_way(error.model_id)
        except (DiskFull, DatabaseBusy):
            self._bench.jobs.give_back(self.owner)
            raise
        except OffscribeError as error:
            self._fail(job, error)
        except MemoryError:
            self._fail(job, OutOfMemory("there was not enough memory for this recording"))
        except Exception:  # a bug must fail this job, not the queue
            incident = new_id()[:12]
            log.exception("job %s failed, incident %s", job.id, incident)
            self._fail(
                job,
                OffscribeError(
                    f"an unexpected error, incident {incident}",
                    hint="The log holds the details under this number.",
                ),
            )
        self._bench.jobs.give_back(self.owner)
        self._say(JobChanged(job.id))

    def _fail(self, job: Job, error: OffscribeError) -> None:
        try:
            self._bench.jobs.fail(job.id, self.owner, error)
        except LeaseLost:
            log.info("job %s was taken away while it failed: %s", job.id, error.message)


def listen(worker: Worker, commands: TextIO) -> threading.Thread:
    """Let each line of *commands* wake *worker*, or be obeyed, and their end stop it: the server
    that started the worker has gone or wants it to go. A bug in obeying stops it too: a worker
    that hears no more would outlive its server."""

    def read() -> None:
        try:
            for line in commands:
                if line.strip():
                    worker.obey(decode_command(line))
                worker.woken.set()
        finally:
            worker.stop()

    thread = threading.Thread(target=read, name="commands", daemon=True)
    thread.start()
    return thread


def claim_stdout() -> Callable[[Event], None]:
    """Keep standard output for events alone; whatever a library prints goes to standard error."""
    events = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    lock = threading.Lock()

    def say(event: Event) -> None:
        with lock:
            try:
                print(encode(event), file=events)
            except BrokenPipeError:
                log.info("nobody listens to events any more")

    return say


def ignore_interrupts() -> None:
    """Ctrl+C reaches the whole process group; the server decides when its worker stops."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
