"""A real server in a process of its own, for tests that need one."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

START_S = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def link_models(home: Path, models: Path) -> None:
    """Give *home* the installed models without copying them."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "models").symlink_to(models.resolve(), target_is_directory=True)


class Server:
    """``offscribe serve`` on *home*; ``client`` speaks to it."""

    def __init__(self, home: Path, *, port: int | None = None, options: Sequence[str] = ()) -> None:
        self.home = home
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = httpx.Client(base_url=self.url, timeout=120)
        self._options = list(options)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "offscribe.cli.main", "serve", *self._options]
        with (self.home / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--home", str(self.home), "--port", str(self.port)],
                env={**os.environ, "OFFSCRIBE_DEBUG": "1"},
                stderr=log,
                start_new_session=True,
            )
        self._wait_until_up()

    def kill(self) -> None:
        """SIGKILL to the server and its worker, as a power cut would."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int:
        """Ctrl+C; return the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(30)

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()
        self.client.close()

    def log(self) -> str:
        return (self.home / "server.log").read_text("utf-8", errors="replace")

    def system(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.get("/api/system").raise_for_status().json()
        return answer

    def send(self, path: Path, *, to: str = "/api/transcribe", **fields: str) -> httpx.Response:
        with path.open("rb") as file:
            return self.client.post(to, files={"audio": (path.name, file)}, data=fields)

    def job(self, job_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.get(f"/api/jobs/{job_id}").raise_for_status().json()
        return answer

    def wait_for(self, job_id: str, *states: str, until_s: float = 120) -> dict[str, Any]:
        """Poll until the job is in one of *states* (default: finished)."""
        wanted = states or ("done", "failed", "cancelled")
        deadline = time.monotonic() + until_s
        while time.monotonic() < deadline:
            job = self.job(job_id)
            if job["state"] in wanted:
                return job
            time.sleep(0.1)
        raise TimeoutError(f"{self.job(job_id)}\n{self.log()}")

    def wait_until(self, is_so: Callable[[], bool], until_s: float = 60) -> None:
        deadline = time.monotonic() + until_s
        while not is_so():
            if time.monotonic() > deadline:
                raise TimeoutError(self.log())
            time.sleep(0.1)

    def _wait_until_up(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"the server ended at its start:\n{self.log()}")
            try:
                self.client.get("/healthz")
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return
        raise TimeoutError(self.log())


@contextmanager
def serving(home: Path, models: Path, *, options: Sequence[str] = ()) -> Iterator[Server]:
    """A server on a new *home* that has *models*; gone at the end, whatever happens."""
    link_models(home, models)
    server = Server(home, options=options)
    try:
        server.start()
        yield server
    finally:
        server.close()
