"""Archives from outside: nothing in them is believed until it was checked.

Only regular files and folders come out, below the target folder, with our own permissions. Sizes
are counted while they are written, not read from headers.
"""

from __future__ import annotations

import lzma
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO

from offscribe.errors import BadOption, ModelDamaged, ModelError
from offscribe.shelf.manifest import BLOCK_BYTES, is_inside
from offscribe.shelf.storage import storing

TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
SUFFIXES = (".zip", *TAR_SUFFIXES)
MAX_FILES = 10_000
MAX_MODEL_BYTES = 64 << 30
"""Larger than any model there is a use for; smaller than a bomb."""
KEEP_FREE_BYTES = 256 << 20
_RESERVED = {
    *("con", "prn", "aux", "nul"),
    *(f"{name}{digit}" for name in ("com", "lpt") for digit in range(1, 10)),
}
"""Names that Windows takes for devices. Source: Microsoft, "Naming Files, Paths"."""
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    NotImplementedError,
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
    that differ only in case, more than *max_bytes* or *max_files*) and ModelDamaged for an archive
    that is broken or cut off. Some files may have been written by then.
    """
    try:
        with storing(str(target)):
            if zipfile.is_zipfile(archive):
                _unpack_zip(archive, _Target(target, max_bytes, max_files))
            else:
                _unpack_tar(archive, _Target(target, max_bytes, max_files))
    except _BROKEN as error:
        raise ModelDamaged(
            f"{archive.name} is broken or not complete: {error}",
            hint="Copy or download it again.",
        ) from error
    except RuntimeError as error:  # zipfile: a password is needed
        raise ModelError(f"{archive.name} cannot be unpacked: {error}") from error


def pack_archive(folder: Path, paths: Sequence[str], target: Path) -> Iterator[int]:
    """Write the files *paths* of *folder* into the archive *target*, all below one folder named
    like *folder*; yield the bytes done so far. *target* appears when it is complete.

    Raises BadOption for an unknown extension, DiskFull, NoPermission.
    """
    if not is_archive(target):
        raise BadOption(
            f"{target.name} has no extension of an archive", hint=f"Use {', '.join(SUFFIXES)}."
        )
    partial = target.with_name(f".{target.name}.part")
    try:
        with storing(str(target)):
            pack = _pack_zip if target.name.lower().endswith(".zip") else _pack_tar
            yield from pack(folder, paths, partial, target.name.lower())
            partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


class _Target:
    """Where files go, and what has gone there."""

    def __init__(self, folder: Path, max_bytes: int, max_files: int) -> None:
        self._folder = folder
        self._left_bytes = max_bytes
        self._left_files = max_files
        self._seen: set[str] = set()

    def make_folder(self, name: str) -> None:
        path = self._checked(name)
        (self._folder / path).mkdir(parents=True, exist_ok=True)

    def write(self, name: str, stream: IO[bytes]) -> None:
        path = self._checked(name)
        folded = path.casefold()
        if folded in self._seen:
            raise _refused(name, "is there twice, or differs only in case from another")
        self._seen.add(folded)
        place = self._folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("xb") as output:
            while block := stream.read(BLOCK_BYTES):
                self._left_bytes -= len(block)
                if self._left_bytes < 0:
                    raise _refused(name, "makes the archive larger than it may be")
                output.write(block)

    def _checked(self, name: str) -> str:
        self._left_files -= 1
        if self._left_files < 0:
            raise _refused(name, "makes too many files")
        path = str(PurePosixPath(name))
        if name.startswith("/") or not is_inside(path):
            raise _refused(name, "lies outside the archive's own folder")
        for part in PurePosixPath(path).parts:
            if part.split(".")[0].casefold() in _RESERVED or part != part.rstrip(". "):
                raise _refused(name, "has a name that Windows does not allow")
        return path


def _unpack_zip(archive: Path, target: _Target) -> None:
    with zipfile.ZipFile(archive) as source:
        for entry in source.infolist():
            kind = entry.external_attr >> 28
            if kind not in (0, 4, 8):  # what Unix calls S_IFMT: folder 4, regular file 8
                raise _refused(entry.filename, "is a link or a device")
            if entry.is_dir():
                target.make_folder(entry.filename)
                continue
            with source.open(entry) as stream:
                target.write(entry.filename, stream)


def _unpack_tar(archive: Path, target: _Target) -> None:
    with tarfile.open(archive, "r|*") as source:
        for entry in source:
            if entry.isdir():
                if entry.name not in (".", ""):
                    target.make_folder(entry.name)
                continue
            if not entry.isreg():
                raise _refused(entry.name, "is a link or a device")
            stream = source.extractfile(entry)
            if stream is None:
                raise _refused(entry.name, "has no content")
            with stream:
                target.write(entry.name.removeprefix("./"), stream)


def _pack_tar(folder: Path, paths: Sequence[str], target: Path, name: str) -> Iterator[int]:
    mode = next(
        mode
        for ends, mode in (
            ((".gz", ".tgz"), "w:gz"),
            ((".bz2", ".tbz2"), "w:bz2"),
            ((".xz", ".txz"), "w:xz"),
            ((".tar",), "w"),
        )
        if name.endswith(ends)
    )
    done = 0
    with tarfile.open(target, mode) as archive:  # type: ignore[call-overload]
        for path in paths:
            entry = tarfile.TarInfo(f"{folder.name}/{path}")
            entry.size = (folder / path).stat().st_size
            entry.mode = 0o644
            with (folder / path).open("rb") as stream:
                archive.addfile(entry, stream)
            done += entry.size
            yield done


def _pack_zip(folder: Path, paths: Sequence[str], target: Path, _: str) -> Iterator[int]:
    done = 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in paths:
            entry = zipfile.ZipInfo(f"{folder.name}/{path}")
            entry.external_attr = 0o100644 << 16
            with (
                (folder / path).open("rb") as source,
                archive.open(entry, "w", force_zip64=True) as output,
            ):
                while block := source.read(BLOCK_BYTES):
                    output.write(block)
            done += (folder / path).stat().st_size
            yield done


def _refused(name: str, why: str) -> ModelError:
    shown = "".join(letter if letter.isprintable() else "?" for letter in name[:80])
    return ModelError(f"refused: {shown!r} in the archive {why}")
