"""A real server with the starter model, and a real browser that is watched.

A visit fails, when it ends, on any request to another host and on any error in the browser's
console that the test did not name beforehand.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, FilePayload, Page, sync_playwright

from offscribe.store.database import Database
from offscribe.store.jobs import Jobs, NewJob
from offscribe.store.records import Records
from offscribe.types import RecognizeOptions, Segment

CHECKOUT = Path(__file__).resolve().parents[2]
SAMPLES = CHECKOUT / "src" / "offscribe" / "sample"
START_TIMEOUT_S = 60
BROWSER_ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Server:
    """``python app.py`` on a port of its own; can be killed and started again on that port."""

    def __init__(self, home: Path, log: Path) -> None:
        self.home = home
        self._log = log
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("OFFSCRIBE_")}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "app.py", "--port", str(self.port), "--home", str(self.home)],
                cwd=CHECKOUT,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the server did not start:\n{self._log.read_text()}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the server; SIGKILL gives it no chance to put anything in order."""
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


@pytest.fixture(scope="session")
def new_server(
    models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Server]]:
    """Start servers, each with an empty home; all are stopped at the end."""
    servers: list[Server] = []

    def start() -> Server:
        home = tmp_path_factory.mktemp("home")
        (home / "models").symlink_to(models, target_is_directory=True)
        server = Server(home, tmp_path_factory.mktemp("log") / "server.log")
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def server(new_server: Callable[[], Server]) -> Server:
    """One server for the tests that can share a history."""
    return new_server()


def find_browser() -> str:
    """The browser of the machine (OFFSCRIBE_TEST_BROWSER overrides it)."""
    named = os.environ.get("OFFSCRIBE_TEST_BROWSER")
    path = named or next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.fail("no browser: install Chromium, or name one in OFFSCRIBE_TEST_BROWSER")
    return path


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=BROWSER_ARGUMENTS)
        yield browser
        browser.close()


def payload(path: Path) -> FilePayload:
    """A file as the browser is handed it; paths and made-up files cannot be chosen together."""
    return {"name": path.name, "mimeType": "audio/flac", "buffer": path.read_bytes()}


class Visit:
    """One person's browser window on *server*."""

    def __init__(self, browser: Browser, server: Server, **context: object) -> None:
        self.server = server
        self._context = browser.new_context(
            **{"viewport": {"width": 1280, "height": 860}, **context}
        )  # type: ignore[arg-type]
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(20_000)
        self._foreign: list[str] = []
        self._errors: list[str] = []
        self._expected: list[str] = []
        self._context.on("request", lambda request: self._check_host(request.url))
        self.page.on("websocket", lambda socket: self._check_host(socket.url))
        self.page.on("pageerror", lambda error: self._errors.append(f"uncaught: {error}"))
        self.page.on(
            "console",
            lambda message: (
                self._errors.append(message.text) if message.type in ("error", "warning") else None
            ),
        )

    def _check_host(self, url: str) -> None:
        parts = urlsplit(url)
        if (
            parts.scheme not in ("data", "blob")
            and parts.netloc != urlsplit(self.server.url).netloc
        ):
            self._foreign.append(url)

    def expect_console(self, pattern: str) -> None:
        """An error that matches *pattern* is part of what this test provokes."""
        self._expected.append(pattern)

    def open(self, path: str = "/") -> Page:
        self.page.goto(self.server.url + path)
        self.page.wait_for_selector("h1")
        return self.page

    def choose(self, *files: Path | FilePayload) -> None:
        payloads = [payload(file) if isinstance(file, Path) else file for file in files]
        self.page.locator("input[type=file]").set_input_files(payloads)

    def transcribe(self, *files: Path | FilePayload) -> None:
        """Choose *files*, start, and wait until each is done or has failed."""
        self.choose(*files)
        self.page.locator("button.start").click()
        over = self.page.locator(".task.is-done, .task.is-failed")
        over.nth(len(files) - 1).wait_for(timeout=120_000)

    def close(self) -> None:
        self._context.close()

    def check(self) -> None:
        assert self._foreign == [], "the page talked to another host"
        unexpected = [
            error for error in self._errors if not any(re.search(p, error) for p in self._expected)
        ]
        assert unexpected == [], "the browser's console holds errors"


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Callable[..., Visit]]:
    """Open windows: ``visit(locale="en-US", color_scheme="dark", ...)``. Chinese, light, 1280 px
    wide unless told otherwise; ``at=`` another server."""
    visits: list[Visit] = []

    def open_window(*, at: Server | None = None, **context: object) -> Visit:
        window = Visit(browser, at or server, **{"locale": "zh-CN", **context})
        visits.append(window)
        return window

    yield open_window
    for window in visits:
        window.close()
    for window in visits:
        window.check()


@pytest.fixture(scope="session")
def sample() -> Path:
    """A real recording in Chinese that names a 会议 at 下午三点."""
    return SAMPLES / "zh.flac"


@pytest.fixture(scope="session")
def recorded(browser: Browser, server: Server, sample: Path) -> str:
    """The id of a finished record of *sample*, for tests that only read."""
    window = Visit(browser, server, locale="zh-CN")
    window.open()
    window.transcribe(sample)
    window.page.get_by_role("link", name="打开记录").click()
    window.page.wait_for_url("**/records/*")
    identifier = urlsplit(window.page.url).path.rpartition("/")[2]
    window.close()
    window.check()
    return identifier


@pytest.fixture(scope="session")
def numbered(server: Server) -> Iterator[str]:
    """The id of a record whose two forms differ, whatever the model makes of the sample."""
    database = Database(server.home / "webui" / "data" / "history.db")
    jobs = Jobs(database)
    path = str(SAMPLES / "zh.flac")
    new = NewJob("numbers.flac", "api", path, 1, "whisper-base", RecognizeOptions())
    job = jobs.add(new, owner="test")
    segment = Segment("同比增长百分之八", 12.0, 15.0, "同比增长8%")
    jobs.append(job.id, "test", (segment,), done=22.7, language="zh")
    yield Records(database).add(job, "test", duration=22.7, language="zh").id
    database.close()
