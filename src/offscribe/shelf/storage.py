"""What the file system refuses, as the errors of the house."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from offscribe.errors import Conflict, DiskFull, NoPermission

FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
TEMPORARY = ".pull-"
"""Folders on the shelf that begin so are unfinished and belong to whoever holds the lock."""
LOCK = ".pull.lock"
REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def storing(what: str) -> Iterator[None]:
    """Turn a full disk into DiskFull and a refusal into NoPermission. *what*: e.g. the folder."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise DiskFull(f"the disk is full while writing {what}") from error
        if error.errno in REFUSED:
            raise NoPermission(
                f"{what} cannot be written: {error.strerror}",
                hint="Give this user the right to write there, or choose another home folder.",
            ) from error
        raise


@contextmanager
def installing(shelf: Path) -> Iterator[Path]:
    """Hold the *shelf* and give a hidden folder on it to work in, which is gone afterwards; what
    others left unfinished there is removed first. Raises Conflict while another process, or thread
    of this one, does the same, DiskFull, NoPermission."""
    with storing(str(shelf)):
        shelf.mkdir(parents=True, exist_ok=True)
        with only_one(shelf / LOCK):
            for leftover in shelf.glob(f"{TEMPORARY}*"):
                if leftover.is_dir():
                    shutil.rmtree(leftover)
            temporary = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=shelf))
            try:
                yield temporary
            finally:
                shutil.rmtree(temporary, ignore_errors=True)


def put(model: Path, place: Path, aside: Path) -> None:
    """Rename the finished folder *model* to *place*; what lay there goes *aside*, or stays where
    that fails."""
    if place.exists():
        place.rename(aside)
    try:
        model.rename(place)
    except OSError:
        if aside.exists():
            aside.rename(place)
        raise


@contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Hold the file *lock*; the operating system lets go of it however this process ends.

    Raises Conflict while another process, or another thread of this one, holds it.
    """
    with lock.open("a+b") as file:
        try:
            _lock(file.fileno())
        except OSError as error:
            raise Conflict(
                "models are being installed already", hint="Wait until that has finished."
            ) from error
        yield


def _lock(descriptor: int) -> None:
    """Released by closing the descriptor."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
