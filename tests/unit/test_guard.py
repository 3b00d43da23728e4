"""Audit hooks cannot be removed, so each test guards a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from offscribe.guard import Guard, OutboundRefused, is_local, is_loopback


def guarded(body: str) -> str:
    script = f"""
import socket
from offscribe import guard
told = []
watch = guard.install(told.append)
{body}
"""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


@pytest.mark.parametrize(
    "call",
    [
        "socket.create_connection(('192.0.2.1', 80), 1)",
        "socket.getaddrinfo('example.org', 80)",
        "socket.gethostbyname('example.org')",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
        "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 80))",
        "__import__('urllib.request').request.urlopen('http://example.org')",
    ],
)
def test_reaching_another_machine_is_refused_counted_and_told(call: str) -> None:
    body = f"""
try:
    {call}
except OSError as error:
    cause = getattr(error, "reason", error)
    print(type(cause).__name__, watch.attempts, told == [watch.last])
"""
    assert guarded(body) == "OutboundRefused 1 True"


def test_what_a_person_asked_to_fetch_may_be_fetched_and_nothing_after_it() -> None:
    body = """
def reach():
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53))
    except guard.OutboundRefused:
        return "refused"
    except OSError:
        pass  # a machine without a network
    return "let through"

with guard.lifted():
    first = reach()
print(first, reach(), watch.attempts)
"""
    assert guarded(body) == "let through refused 1"


def test_loopback_works_as_ever() -> None:
    body = """
with socket.create_server(("127.0.0.1", 0)) as server:
    port = server.getsockname()[1]
    with socket.create_connection(("localhost", port)) as client, server.accept()[0] as peer:
        client.sendall(b"hi")
        print(peer.recv(2), watch.attempts)
"""
    assert guarded(body) == "b'hi' 0"


def test_hub_libraries_are_told_to_stay_offline() -> None:
    assert guarded("import os; print(os.environ['HF_HUB_OFFLINE'])") == "1"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", True),
        ("localhost", True),
        ("localhost.example.org", False),
        ("192.168.1.5", False),
        ("::ffff:192.0.2.1", False),
        ("127.0.0.1.example.org", False),
    ],
)
def test_local_is_loopback_and_nothing_else(host: str, expected: bool) -> None:
    assert is_local(host) is expected


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.5", "localhost.example.org"])
def test_listening_there_would_let_others_in(host: str) -> None:
    assert not is_loopback(host)


def test_attempts_of_other_processes_are_counted_too() -> None:
    watch = Guard()
    watch.count("example.org")
    with pytest.raises(OutboundRefused):
        watch.refuse("192.0.2.1")
    assert (watch.attempts, watch.last) == (2, "192.0.2.1")
