"""What happens to every request before and after its route: an id, who may ask, which headers."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from offscribe.guard import is_loopback

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none';"
    " form-action 'self'; media-src 'self' blob:"
)
DOCS_CONTENT_SECURITY_POLICY = (
    f"{CONTENT_SECURITY_POLICY}; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
)
"""Swagger UI sets styles inline and draws its icons from data: addresses."""

_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "microphone=(self), camera=(), geolocation=()",
}


def request_id(connection: HTTPConnection) -> str:
    """The id under which the log knows this request."""
    identifier: str = connection.scope.get("state", {}).get("request_id", "")
    return identifier


class Guarding:
    """ASGI middleware: gives each request an id, refuses what another web page could send through
    the person's browser, and sets the security headers.

    *hosts* are the names this server is called by beside loopback ones. A request with another
    Host header is DNS rebinding; one with a foreign Origin is another site's script.
    """

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and self._refusal(Headers(scope=scope)) is not None:
            await send({"type": "websocket.close", "code": 1008})  # HTTP 403, before the handshake
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identifier = uuid.uuid4().hex[:12]
        scope.setdefault("state", {})["request_id"] = identifier

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                is_docs = scope["path"] == "/docs"
                policy = DOCS_CONTENT_SECURITY_POLICY if is_docs else CONTENT_SECURITY_POLICY
                headers["content-security-policy"] = policy
                headers["x-request-id"] = identifier
                headers.update(_HEADERS)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        refusal = self._refusal(Headers(scope=scope))
        if refusal is None:
            await self._app(scope, receive, send_guarded)
            return
        body = {
            "code": "foreign_request",
            "message": refusal,
            "hint": "Open the page under the address that the server printed.",
            "request_id": identifier,
        }
        await JSONResponse({"error": body}, 403)(scope, receive, send_guarded)

    def _refusal(self, headers: Headers) -> str | None:
        host = _host_name(headers.get("host", ""))
        if not self._is_ours(host):
            return f"this server is not called {host[:100]!r}"
        origin = headers.get("origin")
        if origin is not None and not self._is_ours(_host_name(urlsplit(origin).netloc)):
            return "the request comes from another web site"
        return None

    def _is_ours(self, host: str) -> bool:
        return is_loopback(host) or host in self._hosts


def _host_name(authority: str) -> str:
    """``name:port`` or ``[v6]:port`` without its port, in lower case."""
    if authority.startswith("["):
        return authority[1:].partition("]")[0]
    return authority.rpartition("@")[2].partition(":")[0].lower()
