"""One file from the network, as often interrupted as it may be."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from offscribe.errors import ModelDamaged, ModelError
from offscribe.shelf.manifest import BLOCK_BYTES, sha256_of

TRIES = 8
"""Attempts in a row that bring no new byte, before we give up."""
LONGEST_PAUSE_S = 30.0
TIMEOUT = httpx.Timeout(30.0, connect=15.0)
OFFLINE_HINT = (
    "Check the network connection. What was downloaded is kept: run the command again to go on. "
    "Or copy the model from another machine: offscribe models import."
)


class NoConnection(ModelError):
    code = "no_connection"
    hint = OFFLINE_HINT


@dataclass(frozen=True, slots=True)
class Remote:
    """A file to fetch. Empty checksums and a size of -1 are not known. *git_sha1*: the hash that
    Git gives the file as a blob."""

    url: str
    size_bytes: int = -1
    sha256: str = ""
    git_sha1: str = ""
    headers: dict[str, str] = field(default_factory=dict)


class _Interrupted(Exception):
    """The connection ended before the file did."""


def fetch(
    client: httpx.Client,
    remote: Remote,
    target: Path,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[int]:
    """Download *remote* to *target*; yield the bytes that are there, now and then.

    A partial file beside it survives and is gone on with, also by another process later. Raises
    NoConnection, ModelError for what the server refuses, ModelDamaged where size or checksum are
    wrong (the partial file is then removed).
    """
    if target.is_file():
        yield target.stat().st_size
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    tries = 0
    while True:
        before = _size(part)
        try:
            yield from _attempt(client, remote, part)
            break
        except (httpx.TransportError, _Interrupted) as error:
            tries = 0 if _size(part) > before else tries + 1
            if tries >= TRIES:
                raise NoConnection(f"{_host(remote)} cannot be reached: {error}") from error
            sleep(min(2.0**tries, LONGEST_PAUSE_S))
    _check(remote, part)
    part.replace(target)
    _tag_of(part).unlink(missing_ok=True)


def _attempt(client: httpx.Client, remote: Remote, part: Path) -> Iterator[int]:
    have = _size(part)
    if have and have == remote.size_bytes:
        return
    headers = {"Accept-Encoding": "identity", **remote.headers}
    if have:
        headers["Range"] = f"bytes={have}-"
        if _tag_of(part).is_file():
            headers["If-Range"] = _tag_of(part).read_text(encoding="utf-8")
    with client.stream("GET", remote.url, headers=headers) as answer:
        if remote.url.startswith("https:") and answer.url.scheme != "https":
            raise ModelError(f"{_host(remote)} sends us to an unprotected address; refused")
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink(missing_ok=True)
            raise _Interrupted("the server has another file than before")
        if not answer.is_success:
            _refuse(remote, answer)
        _refuse_page(remote, answer)
        is_going_on = answer.status_code == httpx.codes.PARTIAL_CONTENT and _starts_at(answer, have)
        if answer.status_code == httpx.codes.PARTIAL_CONTENT and not is_going_on:
            part.unlink(missing_ok=True)
            raise _Interrupted("the server sent another part than asked for")
        have = have if is_going_on else 0
        _keep_tag(part, answer)
        expected = _expected(remote, answer, have)
        with part.open("ab" if is_going_on else "wb") as output:
            for block in answer.iter_bytes():
                have += len(block)
                if 0 <= expected < have:
                    part.unlink()
                    raise ModelDamaged(f"{_host(remote)} sends more than the file's size")
                output.write(block)
                yield have
    if 0 <= have < expected:
        raise _Interrupted(f"it ended at {have} of {expected} bytes")


def _expected(remote: Remote, answer: httpx.Response, have: int) -> int:
    """The size of the whole file, -1 where nobody says."""
    if remote.size_bytes >= 0:
        return remote.size_bytes
    length = answer.headers.get("content-length", "")
    return have + int(length) if length.isdecimal() else -1


def _starts_at(answer: httpx.Response, have: int) -> bool:
    return str(answer.headers.get("content-range", "")).startswith(f"bytes {have}-")


def _keep_tag(part: Path, answer: httpx.Response) -> None:
    """Only strong tags may stand in If-Range (RFC 9110, 13.1.5)."""
    tag = answer.headers.get("etag", "")
    if tag and not tag.startswith("W/"):
        _tag_of(part).write_text(tag, encoding="utf-8")
    else:
        _tag_of(part).unlink(missing_ok=True)


def _tag_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.etag")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _check(remote: Remote, part: Path) -> None:
    problem = ""
    if remote.size_bytes >= 0 and part.stat().st_size != remote.size_bytes:
        problem = f"{part.stat().st_size} bytes instead of {remote.size_bytes}"
    elif remote.sha256 and sha256_of(part) != remote.sha256:
        problem = "not the expected SHA-256"
    elif remote.git_sha1 and git_sha1_of(part) != remote.git_sha1:
        problem = "not the expected Git hash"
    if problem:
        name = part.name.removesuffix(".part")
        part.unlink()
        raise ModelDamaged(
            f"{name} from {_host(remote)} has {problem}",
            hint="Run the command again; if it stays, the place or a mirror of it is damaged.",
        )


def git_sha1_of(path: Path) -> str:
    """The hash Git gives a file: SHA-1 over ``blob SIZE\\0`` and the content."""
    digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _refuse_page(remote: Remote, answer: httpx.Response) -> None:
    """A hotel's login page comes with status 200."""
    is_page = answer.headers.get("content-type", "").startswith("text/html")
    if is_page and not remote.url.endswith((".html", ".htm")):
        raise ModelError(
            f"{_host(remote)} answers with a web page instead of the file",
            hint="A login page of the network may be in the way: open a browser and sign in.",
        )


def refuse(url: str, answer: httpx.Response) -> None:
    """Raise the error for an *answer* that is no success; return where trying again may help."""
    host, status = httpx.URL(url).host, answer.status_code
    if status in (401, 403):
        raise ModelError(
            f"{host} does not let us in ({status})",
            hint="Accept the model's licence on its page, and set HF_TOKEN to your access token.",
        )
    if status == 404:
        raise ModelError(
            f"{host} has no {httpx.URL(url).path}",
            hint="It may have moved. Try another place: offscribe models pull ID --from …",
        )
    if status != 429 and status < 500:
        raise ModelError(f"{host} refuses: status {status}")


def _refuse(remote: Remote, answer: httpx.Response) -> None:
    refuse(remote.url, answer)
    raise _Interrupted(f"{_host(remote)} is busy (status {answer.status_code})")


def _host(remote: Remote) -> str:
    return httpx.URL(remote.url).host
