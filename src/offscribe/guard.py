"""The offline guard: nothing in this process may reach beyond this machine.

``install`` adds an audit hook that refuses and counts every connect, datagram and name look-up
that is not loopback. Answering a client that connected to us is not affected: accepting makes no
audit event. Native code that calls the operating system directly is not seen by audit hooks; what
the engines' native libraries do is held by the network-namespace test.

Audit event names and arguments: the Python library reference, "Audit events table".
"""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

QUIET_ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "ORT_DISABLE_TELEMETRY": "1",
    "PYANNOTE_METRICS_ENABLED": "0",
}
"""Variables that keep hub and telemetry code of libraries quiet. Read by them at import."""

_CONNECTS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_LOOKUPS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}


class OutboundRefused(PermissionError):
    """This process tried to reach another machine. Libraries see an ordinary network failure."""


@dataclass
class Guard:
    """What the guard of this process has seen. ``last`` names the newest refused target."""

    on_attempt: Callable[[str], None] | None = None
    attempts: int = 0
    last: str | None = None
    is_lifted: bool = False
    _lock: Lock = field(default_factory=Lock, repr=False)

    def refuse(self, target: str) -> None:
        """Count one attempt and raise OutboundRefused."""
        with self._lock:
            self.attempts += 1
            self.last = target
        if self.on_attempt is not None:
            self.on_attempt(target)
        raise OutboundRefused(f"offline: refused to reach {target}")

    def count(self, target: str) -> None:
        """Count an attempt that another process refused."""
        with self._lock:
            self.attempts += 1
            self.last = target


def prepare_environment() -> None:
    """Set the variables that keep libraries quiet. Call before importing any of them."""
    os.environ.update(QUIET_ENVIRONMENT)


_guard: Guard | None = None


def install(on_attempt: Callable[[str], None] | None = None) -> Guard:
    """Guard this process from now on and return its counter. Cannot be undone."""
    global _guard
    prepare_environment()
    guard = _guard = Guard(on_attempt)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if guard.is_lifted:
            return
        if event in _CONNECTS:
            if (host := _remote_host(arguments[-1])) is not None:
                guard.refuse(host)
        elif event in _LOOKUPS and (name := _remote_name(arguments[0])) is not None:
            guard.refuse(name)

    sys.addaudithook(hook)
    return guard


@contextmanager
def lifted() -> Iterator[None]:
    """Let this process reach the network: for what a person asked to fetch, and nothing else."""
    guard = installed()
    guard.is_lifted = True
    try:
        yield
    finally:
        guard.is_lifted = False


def installed() -> Guard:
    """The guard of this process. Raises RuntimeError where none was installed."""
    if _guard is None:
        raise RuntimeError("the offline guard is not installed")
    return _guard


def is_loopback(host: str) -> bool:
    """True for loopback addresses and ``localhost``: reachable from this machine only."""
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


def is_local(host: str) -> bool:
    """True for what a connect cannot leave this machine by: loopback, and the unspecified
    address, which means this machine. (Listening on it means every network: see is_loopback.)"""
    address = _address(host)
    return not host or is_loopback(host) or (address is not None and address.is_unspecified)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host.split("%", 1)[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _remote_host(address: object) -> str | None:
    """The host of a socket *address* if it lies beyond this machine.

    Unix sockets have a path (str or bytes), not a tuple, and are local; None is a datagram on a
    connected socket, whose connect was checked.
    """
    if not isinstance(address, tuple) or not address or not isinstance(address[0], str):
        return None
    return None if is_local(address[0]) else address[0]


def _remote_name(name: object) -> str | None:
    """*name* if looking it up would ask a name server; an address needs no look-up."""
    text = name.decode("idna") if isinstance(name, bytes) else name
    if not isinstance(text, str) or is_local(text):
        return None
    return text if _address(text) is None else None
