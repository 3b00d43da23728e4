"""The file under a recording: that it may be read, and as bytes only.

FFmpeg is never given a path. It would take some names for addresses (``http://``, ``concat:``,
``subfile:``), and trust the extension more than the content.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
from pathlib import Path
from typing import BinaryIO

from offscribe.errors import InputError, NoPermission, NotFound

ID3_HEADER_BYTES = 10


def check_file(path: Path, *, name: str | None = None) -> None:
    """Make sure that *path* is a regular file that may be read; its content is not looked at.

    *name* is what messages show. Raises NotFound, NoPermission, or InputError for a folder, a
    pipe, a device, a socket and for a name that no file can have.
    """
    open_bytes(path, name=name).close()


def open_bytes(path: Path, *, name: str | None = None) -> BinaryIO:
    """Open *path* for reading; the caller closes it. Raises what ``check_file`` raises."""
    shown = name or str(path)
    try:
        _require_regular(path.stat().st_mode, shown)  # first: opening a pipe would wait for ever
        return path.open("rb")
    except OSError as error:
        raise _explain(error, shown) from error
    except ValueError as error:  # a null character in the name
        raise InputError(
            f"{shown!r} is not a possible file name", hint="Give the path of a local file."
        ) from error


def _require_regular(mode: int, shown: str) -> None:
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise InputError(f"{shown} is a folder", hint="Choose the audio files inside it.")
    raise InputError(
        f"{shown} is not a regular file but a {_kind(mode)}",
        hint="Save the sound to a file first, then give that file.",
    )


def _kind(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "pipe"
    return "socket" if stat.S_ISSOCK(mode) else "device"


def _explain(error: OSError, shown: str) -> InputError | NotFound | NoPermission:
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR:
            return NotFound(
                f"there is no file {shown}",
                hint="Check the path. Only local files are opened, never an address.",
            )
        case errno.EACCES | errno.EPERM:
            return NoPermission(
                f"{shown} may not be read", hint="Give yourself the right to read the file."
            )
    return InputError(
        f"{shown} cannot be opened: {error.strerror}", hint="Copy the file to another place."
    )


def sha256_of(path: Path) -> str:
    """The SHA-256 of a recording, hex. Raises what ``check_file`` does."""
    digest = hashlib.sha256()
    with open_bytes(path) as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


class SoundBytes(io.RawIOBase):
    """What FFmpeg sees of a file: bytes without a name, from behind the ID3v2 tag on.

    Without a name only the content decides what a file is. The tag has to go because FFmpeg takes
    whatever stands behind a tag of more than 1 MiB (a large cover picture) for MP3. The file
    stays the caller's to close.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = file.seek(0, os.SEEK_END)
        self._start = min(_id3_bytes(file), self._size)
        self._at = self._start

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._at >= self._size:
            return b""
        self._file.seek(self._at)
        content = self._file.read(size)
        self._at += len(content)
        return content

    def tell(self) -> int:
        return self._at - self._start

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move as ``io`` does, but never raise: a damaged file makes FFmpeg ask for places that no
        file has. Before the start the answer is FFmpeg's error code."""
        base = {os.SEEK_SET: self._start, os.SEEK_CUR: self._at, os.SEEK_END: self._size}
        target = base[whence] + offset
        if target < self._start:
            return -errno.EINVAL
        self._at = target
        return self.tell()


def _id3_bytes(file: BinaryIO) -> int:
    """Return the size of the ID3v2 tag at the start of *file*, 0 without one (ID3v2.4, 3.1)."""
    file.seek(0)
    header = file.read(ID3_HEADER_BYTES)
    if len(header) < ID3_HEADER_BYTES or header[:3] != b"ID3" or max(header[6:]) > 0x7F:
        return 0
    size = 0
    for byte in header[6:]:
        size = size << 7 | byte
    has_footer = bool(header[5] & 0x10)
    return ID3_HEADER_BYTES + size + (ID3_HEADER_BYTES if has_footer else 0)
