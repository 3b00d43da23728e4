"""Commands that speak to the server which runs on this home."""

from __future__ import annotations

from typing import Any

import httpx

from offscribe.errors import revive
from offscribe.home import Home
from offscribe.services.presence import NoServer, server_of

TIMEOUT_S = 660.0
"""Loading a large model takes minutes."""


def ask(home: Home, method: str, path: str) -> Any:
    """Return the JSON answer of the server on *home*, None where it has no body.

    Raises NoServer, and the server's own error in its own class.
    """
    url = server_of(home)
    try:
        answer = httpx.request(method, f"{url}{path}", timeout=TIMEOUT_S, trust_env=False)
    except httpx.TransportError as error:
        raise NoServer(f"the server at {url} does not answer: {error}") from error
    if answer.is_error:
        fields = answer.json()["error"]
        raise revive(fields["code"], fields["message"], fields["hint"])
    return answer.json() if answer.content else None
