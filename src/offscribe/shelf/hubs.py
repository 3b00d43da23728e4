"""What a model hub has: the files of a repository, with their sizes and checksums.

Sources: Hugging Face Hub API documentation (``/api/models/{repo}/tree``, ``/resolve``) and the
``huggingface_hub`` client; ModelScope's client (``/api/v1/models/{repo}/repo/files``).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from offscribe.errors import ModelDamaged, ModelError
from offscribe.shelf.fetch import NoConnection, Remote, refuse
from offscribe.shelf.manifest import is_inside
from offscribe.types import ArchiveSource, HubSource

HUGGING_FACE = "https://huggingface.co"
MODEL_SCOPE = "https://www.modelscope.cn"
GITHUB = "https://github.com"
MAX_PAGES = 100


@dataclass(frozen=True, slots=True)
class Listing:
    """The files to fetch, by the path they get in the model's folder, and *where* they are from,
    for people."""

    files: dict[str, Remote]
    where: str


def list_files(client: httpx.Client, source: HubSource) -> Listing:
    """Ask the hub. Raises NoConnection, ModelError, ModelDamaged for an answer that makes no
    sense or lacks a file of the model."""
    lister = _hugging_face if source.hub == "huggingface" else _model_scope
    listing = lister(client, source)
    if not listing.files:
        raise ModelDamaged(f"{source.repo} has none of the model's files")
    return listing


def archive_url(source: ArchiveSource) -> str:
    """The address of a release archive; OFFSCRIBE_GITHUB_MIRROR takes GitHub's place."""
    base = os.environ.get("OFFSCRIBE_GITHUB_MIRROR", GITHUB).rstrip("/")
    return f"{base}/{source.repo}/releases/download/{quote(source.tag)}/{quote(source.name)}"


def _hugging_face(client: httpx.Client, source: HubSource) -> Listing:
    """One commit is looked up first, so that all files belong together."""
    base = os.environ.get("HF_ENDPOINT", HUGGING_FACE).rstrip("/")
    token = os.environ.get("HF_TOKEN", "")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    api = f"{base}/api/models/{source.repo}"
    revision = source.revision or "main"
    commit = str(_get(client, f"{api}/revision/{quote(revision, safe='')}", headers)["sha"])
    files = {}
    for entry in _pages(client, f"{api}/tree/{commit}?recursive=true", headers):
        if entry.get("type") != "file":
            continue
        for path in _places(source.members, str(entry["path"])):
            large = entry.get("lfs") or {}
            files[path] = Remote(
                f"{base}/{source.repo}/resolve/{commit}/{quote(str(entry['path']))}",
                int(entry["size"]),
                sha256=str(large.get("oid", "")),
                git_sha1="" if large else str(entry["oid"]),
                headers=headers,
            )
    return Listing(files, f"huggingface {source.repo} at {commit}")


def _model_scope(client: httpx.Client, source: HubSource) -> Listing:
    base = os.environ.get("MODELSCOPE_ENDPOINT", MODEL_SCOPE).rstrip("/")
    revision = source.revision or "master"
    api = f"{base}/api/v1/models/{source.repo}/repo"
    answer = _get(client, f"{api}/files?Revision={quote(revision)}&Recursive=true", {})
    files = {}
    for entry in answer["Data"]["Files"]:
        if entry.get("Type") == "tree":
            continue
        for path in _places(source.members, str(entry["Path"])):
            files[path] = Remote(
                f"{api}?Revision={quote(revision)}&FilePath={quote(str(entry['Path']))}",
                int(entry["Size"]),
                sha256=str(entry.get("Sha256") or ""),
            )
    return Listing(files, f"modelscope {source.repo} at {revision}")


def _places(members: Sequence[tuple[str, str]], path: str) -> Iterator[str]:
    """Where the hub's file *path* goes in the model's folder; nowhere where it is not wanted."""
    for member, place in members:
        is_below = member.endswith("/") and path.startswith(member)
        if path != member and not is_below:
            continue
        target = place + path.removeprefix(member) if is_below else place
        if not is_inside(target):
            raise ModelDamaged(f"the hub names a file outside the model's folder: {path[:80]!r}")
        yield target


def _pages(client: httpx.Client, url: str, headers: dict[str, str]) -> Iterator[dict[str, Any]]:
    """All entries; the next page is named in the Link header."""
    following: str | None = url
    for _ in range(MAX_PAGES):
        if following is None:
            return
        answer = _answer(client, following, headers)
        yield from _json(answer, url)
        following = answer.links.get("next", {}).get("url")
    raise ModelDamaged(f"{url} has no end")


def _get(client: httpx.Client, url: str, headers: dict[str, str]) -> Any:
    return _json(_answer(client, url, headers), url)


def _answer(client: httpx.Client, url: str, headers: dict[str, str]) -> httpx.Response:
    try:
        answer = client.get(url, headers=headers)
    except httpx.TransportError as error:
        raise NoConnection(f"{httpx.URL(url).host} cannot be reached: {error}") from error
    if not answer.is_success:
        refuse(url, answer)
        raise NoConnection(
            f"{httpx.URL(url).host} is busy (status {answer.status_code})",
            hint="Try again in some minutes, or another place with --from.",
        )
    return answer


def _json(answer: httpx.Response, url: str) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        raise ModelError(
            f"{httpx.URL(url).host} answers with something else than a list of files",
            hint="A login page of the network may be in the way: open a browser and sign in.",
        ) from error
