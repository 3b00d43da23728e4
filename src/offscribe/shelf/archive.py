"""Archives from outside: nothing in them is believed until it was checked.

Only regular files and folders come out, below the target folder, with our own permissions. Sizes
are counted while they are written, not read from headers, and an archive is read to its very end,
so that its checksums count.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import lzma
import os
import shutil
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, cast

from offscribe.errors import (
    BadOption,
    DiskFull,
    ModelDamaged,
    ModelError,
    NoPermission,
    NotFound,
)
from offscribe.shelf.manifest import BLOCK_BYTES, is_inside
from offscribe.shelf.storage import storing

TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
SUFFIXES = (".zip", *TAR_SUFFIXES)
MAX_FILES = 10_000
MAX_MODEL_BYTES = 64 << 30
"""Larger than any model there is a use for; smaller than a bomb."""
KEEP_FREE_BYTES = 256 << 20
MAX_HEADER_BYTES = 1 << 20
"""A tar's header that needs more describes no file of ours; the library would read it whole."""
MAX_PART_BYTES, MAX_PATH_BYTES = 255, 1_024
"""What the usual file systems take, for one name and for a path."""
ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
"""How a zip begins, the second an empty one. The end says nothing: a tar may end with a wheel."""
_RESERVED = {
    *("con", "prn", "aux", "nul", "conin$", "conout$"),
    *(f"{name}{digit}" for name in ("com", "lpt") for digit in "123456789¹²³"),
}
"""Names that Windows takes for devices. Source: Microsoft, "Naming Files, Paths"."""
_NOT_ON_WINDOWS = frozenset('<>"|?*')
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    OSError,  # gzip and bz2 say so when the content makes no sense; a drive that is gone, too
)


def is_archive(path: Path) -> bool:
    """Whether the name says that it is an archive we read."""
    return path.name.lower().endswith(SUFFIXES)


def archive_stem(path: Path) -> str:
    """The name of *path* without what makes it an archive."""
    suffix = next((end for end in SUFFIXES if path.name.lower().endswith(end)), "")
    return path.name[: len(path.name) - len(suffix)]


def room_for(folder: Path) -> int:
    """How many bytes an archive may unfold to in *folder*: no more than leaves the disk alive."""
    free = shutil.disk_usage(folder).free - KEEP_FREE_BYTES
    return min(MAX_MODEL_BYTES, max(free, 0))


def unpack_archive(
    archive: Path, target: Path, *, max_bytes: int, max_files: int = MAX_FILES
) -> None:
    """Write the files of *archive* (zip or tar) below the existing, empty folder *target*.

    Raises ModelError for what is refused (a path outside, a link, a device, a password, names
    that differ only in case, more than *max_bytes* or *max_files*), ModelDamaged for an archive
    that is broken or cut off, NotFound, NoPermission, DiskFull. Some files may have been written
    by then.
    """
    place = _Target(target, max_bytes, max_files)
    try:
        with _opened(archive) as file, storing(str(target)):
            magic = file.read(4)
            file.seek(0)
            if magic in ZIP_MAGICS:
                _unpack_zip(file, place)
            else:
                _unpack_tar(file, place)
    except _BROKEN as error:
        raise ModelDamaged(
            f"{archive.name} is broken or not complete: {error}",
            hint="Copy or download it again.",
        ) from error


def pack_archive(folder: Path, paths: Sequence[str], target: Path) -> Iterator[int]:
    """Write the files *paths* of *folder* into the archive *target*, all below one folder named
    like *folder*; yield the bytes done so far.

    The same files give the same bytes. *target* appears when it is complete. Raises BadOption for
    an unknown extension or a folder, NotFound for its folder, ModelDamaged for files of *folder*
    that cannot be read or change meanwhile, DiskFull, NoPermission.
    """
    check_target(target)
    partial = target.with_name(f".{target.name}.part")
    pack = _pack_zip if target.name.lower().endswith(".zip") else _pack_tar
    try:
        with storing(str(target)):
            with partial.open("wb") as output:
                yield from pack(folder, paths, output, target.name.lower())
                output.flush()
                os.fsync(output.fileno())  # sticks are pulled out right after
            partial.replace(target)
    except OSError as error:
        if error.errno != errno.EFBIG:
            raise
        raise DiskFull(
            f"{target} grows larger than a file may be on this drive",
            hint="A FAT32 drive takes 4 GB a file. Use one with exFAT or NTFS.",
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def check_target(target: Path) -> None:
    """Whether an archive can be written to *target*, before any work is done for it. Raises
    BadOption, NotFound."""
    if not is_archive(target):
        raise BadOption(
            f"{target.name} has no extension of an archive", hint=f"Use {', '.join(SUFFIXES)}."
        )
    if target.is_dir():
        raise BadOption(f"{target} is a folder", hint="Give the name of a file to write.")
    if not target.parent.is_dir():
        raise NotFound(f"there is no folder {target.parent}", hint="Is the drive connected?")


class _Target:
    """Where files go, and what has gone there."""

    def __init__(self, folder: Path, max_bytes: int, max_files: int) -> None:
        self._folder = folder
        self._left_bytes = max_bytes
        self._left_files = max_files
        self._seen: dict[str, tuple[str, bool]] = {}

    def make_folder(self, name: str) -> None:
        path = self._checked(name)
        self._enter(name, path, is_folder=True)
        (self._folder / path).mkdir(parents=True, exist_ok=True)

    def write(self, name: str, stream: IO[bytes]) -> None:
        path = self._checked(name)
        self._enter(name, path, is_folder=False)
        place = self._folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("xb") as output:
            while block := stream.read(BLOCK_BYTES):
                self._left_bytes -= len(block)
                if self._left_bytes < 0:
                    raise _refused(name, "makes the archive larger than it may be")
                output.write(block)

    def _checked(self, name: str) -> PurePosixPath:
        self._left_files -= 1
        if self._left_files < 0:
            raise _refused(name, "makes too many files")
        path = PurePosixPath(name)
        if name.startswith("/") or not is_inside(str(path)):
            raise _refused(name, "lies outside the archive's own folder")
        if len(os.fsencode(name)) > MAX_PATH_BYTES or any(
            len(os.fsencode(part)) > MAX_PART_BYTES for part in path.parts
        ):
            raise _refused(name, "has too long a name")
        if not name.isprintable():
            raise _refused(name, "has a name that cannot be shown")
        if any(map(_is_strange, path.parts)):
            raise _refused(name, "has a name that Windows does not allow")
        return path

    def _enter(self, name: str, path: PurePosixPath, *, is_folder: bool) -> None:
        """Note *path* and the folders above it. Some file systems take names for one that differ
        in case, or in how an accent is encoded."""
        for each in (path, *path.parents[:-1]):
            what = (str(each), is_folder or each != path)
            folded = unicodedata.normalize("NFC", str(each)).casefold()
            if self._seen.setdefault(folded, what) != what or (each == path and not is_folder):
                if what not in self._new(folded):
                    raise _refused(name, "is there twice, or differs only in case from another")

    def _new(self, folded: str) -> tuple[tuple[str, bool], ...]:
        return ()


def _refused(name: str, why: str) -> ModelError:
    shown = "".join(letter if letter.isprintable() else "?" for letter in name[:80])
    return ModelError(f"refused: {shown!r} in the archive {why}")
