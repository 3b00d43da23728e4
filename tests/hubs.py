"""Local servers that speak the protocols of model hubs, and misbehave on demand."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlparse

COMMIT = "c0ffee" * 6 + "beef"


@dataclass
class Hub:
    """Files by path, and what goes wrong. *asked* keeps (path, Range header) of every request."""

    files: dict[str, bytes]
    large: set[str] = field(default_factory=set)
    page_size: int = 1000
    breaks_after: list[int] = field(default_factory=list)
    """For each following file answer: bytes after which the connection is cut."""
    ignores_ranges: bool = False
    status: int = 200
    retry_statuses: list[int] = field(default_factory=list)
    captive: bool = False
    token: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    authorised: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""

    def entries(self) -> list[dict[str, Any]]:
        """As Hugging Face lists them."""
        listed: list[dict[str, Any]] = [{"type": "directory", "path": "sub", "oid": "0", "size": 0}]
        for path, content in self.files.items():
            sha1 = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
            entry = {"type": "file", "path": path, "size": len(content), "oid": sha1}
            if path in self.large:
                sha256 = hashlib.sha256(content).hexdigest()
                entry |= {"oid": "pointer", "lfs": {"oid": sha256, "size": len(content)}}
            listed.append(entry)
        return listed


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Clients that go away are what the tests are about."""


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer(self, hub)

        def log_message(self, *_: object) -> None:
            pass

    server = QuietServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answer(request: BaseHTTPRequestHandler, hub: Hub) -> None:
    address = urlparse(request.path)
    path, query = unquote(address.path), parse_qs(address.query)
    hub.asked.append((path, request.headers.get("Range", "")))
    hub.authorised.append((path, request.headers.get("Authorization", "")))
    if hub.captive:
        return send(request, b"<html>Please sign in</html>", kind="text/html")
    if hub.status != 200:
        return send(request, b"no", status=hub.status)
    if path.startswith("/api/models/") and "/revision/" in path:
        return send_json(request, {"sha": COMMIT})
    if path.startswith("/api/models/") and f"/tree/{COMMIT}" in path:
        return send_page(request, hub, int(query.get("cursor", ["0"])[0]))
    if f"/resolve/{COMMIT}/" in path:  # large files lie elsewhere
        name = path.split(f"/resolve/{COMMIT}/", 1)[1]
        if name in hub.large:
            return redirect(request, f"/cdn/{name}")
        return send_file(request, hub, name)
    if path.startswith("/cdn/"):
        return send_file(request, hub, path.removeprefix("/cdn/"))
    if path.endswith("/repo/files"):
        rows = [
            {
                **{"Path": name, "Size": len(content), "Type": "blob"},
                "Sha256": hashlib.sha256(content).hexdigest(),
            }
            for name, content in hub.files.items()
        ]
        return send_json(request, {"Code": 200, "Data": {"Files": rows}})
    if path.endswith("/repo"):
        return send_file(request, hub, query["FilePath"][0])
    if "/releases/download/" in path:
        return send_file(request, hub, path.rsplit("/", 1)[1])
    return send(request, b"not here", status=404)


def send_page(request: BaseHTTPRequestHandler, hub: Hub, first: int) -> None:
    entries = hub.entries()
    last = first + hub.page_size
    headers = {}
    if last < len(entries):
        headers["Link"] = f'<{hub.url}{request.path.split("?")[0]}?cursor={last}>; rel="next"'
    send_json(request, entries[first:last], headers)


def send_file(request: BaseHTTPRequestHandler, hub: Hub, name: str) -> None:
    if hub.retry_statuses:
        return send(request, b"busy", status=hub.retry_statuses.pop(0))
    if name not in hub.files:
        return send(request, b"not here", status=404)
    content = hub.files[name]
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    wanted = request.headers.get("Range", "")
    first, status, headers = 0, 200, {"ETag": tag}
    is_same = request.headers.get("If-Range", tag) == tag
    if wanted and is_same and not hub.ignores_ranges:
        first, status = int(wanted.removeprefix("bytes=").rstrip("-")), 206
        if first >= len(content):
            return send(request, b"", status=416)
        headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
    request.send_response(status)
    for key, value in headers.items():
        request.send_header(key, value)
    request.send_header("Content-Length", str(len(content) - first))
    request.end_headers()
    if hub.breaks_after:
        request.wfile.write(content[first : first + hub.breaks_after.pop(0)])
        request.wfile.flush()
        request.close_connection = True
        request.connection.shutdown(2)
        return None
    request.wfile.write(content[first:])
    return None


def send_json(
    request: BaseHTTPRequestHandler, value: object, headers: dict[str, str] | None = None
) -> None:
    send(request, json.dumps(value).encode(), headers=headers)


def redirect(request: BaseHTTPRequestHandler, to: str) -> None:
    send(request, b"", status=302, headers={"Location": to})


def send(
    request: BaseHTTPRequestHandler,
    body: bytes,
    *,
    status: int = 200,
    kind: str = "application/json",
    headers: dict[str, str] | None = None,
) -> None:
    request.send_response(status)
    for key, value in {"Content-Type": kind, **(headers or {})}.items():
        request.send_header(key, value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)
