"""What the file system refuses, as the errors of the house."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from offscribe.errors import Conflict, DiskFull, NoPermission

FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
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
