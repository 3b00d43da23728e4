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
from contextlib import AbstractContextManager, nullcontext
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
    NotImplementedError,
    ValueError,  # zipfile: names and offsets that make no sense
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
        self._files: set[str] = set()
        self._folders: dict[str, str] = {}

    def make_folder(self, name: str) -> None:
        path = self._checked(name)
        self._enter(name, (path, *path.parents[:-1]))
        (self._folder / path).mkdir(parents=True, exist_ok=True)

    def write(self, name: str, stream: IO[bytes]) -> None:
        path = self._checked(name)
        self._enter(name, path.parents[:-1])
        folded = _folded(path)
        if folded in self._files or folded in self._folders:
            raise _refused(name, "is there twice, or differs only in case from another")
        self._files.add(folded)
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
        if not is_inside(str(path)):
            raise _refused(name, "lies outside the archive's own folder")
        if _size(name) > MAX_PATH_BYTES or max(map(_size, path.parts)) > MAX_PART_BYTES:
            raise _refused(name, "has too long a name")
        if any(map(_is_strange, path.parts)):
            raise _refused(name, "has a name that Windows does not allow")
        return path

    def _enter(self, name: str, folders: Sequence[PurePosixPath]) -> None:
        """Note *folders*; each must always be spelled alike and be no file."""
        for folder in folders:
            folded, spelled = _folded(folder), str(folder)
            if folded in self._files or self._folders.setdefault(folded, spelled) != spelled:
                raise _refused(name, "is there twice, or differs only in case from another")


class _TarStream(io.RawIOBase):
    """What the tar library reads from, so that no header makes it read more than a header is."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__()
        self._stream = stream
        self._left: int | None = MAX_HEADER_BYTES
        self._last = b""

    def expect_header(self) -> None:
        self._left = MAX_HEADER_BYTES

    def expect_content(self) -> None:
        self._left = None

    def check_end(self) -> None:
        """The library takes the first header that makes no sense for the end. Also read what
        pads an archive, to have the checksum behind it checked."""
        if len(self._last) != tarfile.BLOCKSIZE or any(self._last):
            raise tarfile.ReadError("its end is missing")
        if len(self._stream.read(MAX_HEADER_BYTES)) == MAX_HEADER_BYTES:
            raise tarfile.ReadError("it goes on after its end")

    def read(self, size: int = -1) -> bytes:
        if self._left is not None:
            if not 0 <= size <= self._left:
                raise tarfile.ReadError("a header is larger than it may be")
            self._left -= size
        self._last = self._stream.read(size)
        return self._last

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def seekable(self) -> bool:
        return True


def _opened(archive: Path) -> IO[bytes]:
    try:
        return archive.open("rb")
    except (FileNotFoundError, IsADirectoryError) as error:
        raise NotFound(f"there is no archive {archive}", hint="Is the drive connected?") from error
    except PermissionError as error:
        raise NoPermission(
            f"{archive} cannot be read: {error.strerror}", hint="Give this user the right to."
        ) from error


def _unpack_zip(file: IO[bytes], target: _Target) -> None:
    with zipfile.ZipFile(file) as source:
        for entry in source.infolist():
            name = entry.orig_filename  # the other one has been made to look harmless
            if entry.external_attr >> 28 not in (0, 4, 8):
                # What Unix calls S_IFMT: folder 4, regular file 8.
                raise _refused(name, "is a link or a device")
            if entry.flag_bits & 1:
                raise _refused(name, "is behind a password")
            if name.endswith("/"):
                target.make_folder(name)
                continue
            try:
                stream = source.open(entry)
            except NotImplementedError as error:
                raise _refused(name, f"cannot be unpacked: {error}") from error
            with stream:
                target.write(name, stream)


def _unpack_tar(file: IO[bytes], target: _Target) -> None:
    stream = _TarStream(_decompressed(file))
    with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r:") as source:
        while (entry := source.next()) is not None:
            if entry.size < 0:
                raise tarfile.ReadError("a header points backwards")
            if entry.isdir():
                if entry.name not in (".", ""):
                    target.make_folder(entry.name)
            elif entry.isreg() and not entry.issparse():
                content = source.extractfile(entry)
                assert content is not None, "a regular file has content"
                stream.expect_content()
                target.write(entry.name, content)
            else:
                why = "is sparse" if entry.isreg() else "is a link or a device"
                raise _refused(entry.name, why)
            stream.expect_header()
    stream.check_end()


def _decompressed(file: IO[bytes]) -> IO[bytes]:
    magic = file.read(6)
    file.seek(0)
    if magic.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=file))
    if magic.startswith(b"BZh"):
        return cast("IO[bytes]", bz2.BZ2File(file))
    if magic == b"\xfd7zXZ\0":
        return cast("IO[bytes]", lzma.LZMAFile(file))
    return file


def _pack_tar(folder: Path, paths: Sequence[str], output: IO[bytes], name: str) -> Iterator[int]:
    """Written by hand, block for block: the library would not say how far a large file is."""
    done = 0
    with _compressing(output, name) as stream:
        for path in paths:
            entry = tarfile.TarInfo(f"{folder.name}/{path}")
            entry.size = _size_of(folder, path)
            stream.write(entry.tobuf(tarfile.PAX_FORMAT))
            for block in _blocks(folder, path, entry.size):
                stream.write(block)
                done += len(block)
                yield done
            stream.write(bytes(-entry.size % tarfile.BLOCKSIZE))
        stream.write(bytes(2 * tarfile.BLOCKSIZE))


def _compressing(output: IO[bytes], name: str) -> AbstractContextManager[IO[bytes]]:
    """Leaves *output* open."""
    if name.endswith((".gz", ".tgz")):
        # Weights hardly become smaller: the fastest level. No time and name, for equal bytes.
        gzipped = gzip.GzipFile("", "wb", compresslevel=1, fileobj=output, mtime=0)
        return cast("AbstractContextManager[IO[bytes]]", gzipped)
    if name.endswith((".bz2", ".tbz2")):
        return cast("AbstractContextManager[IO[bytes]]", bz2.BZ2File(output, "wb"))
    if name.endswith((".xz", ".txz")):
        return cast("AbstractContextManager[IO[bytes]]", lzma.LZMAFile(output, "wb"))
    return nullcontext(output)


def _pack_zip(folder: Path, paths: Sequence[str], output: IO[bytes], _: str) -> Iterator[int]:
    done = 0
    with zipfile.ZipFile(output, "w", zipfile.ZIP_STORED) as archive:
        for path in paths:
            entry = zipfile.ZipInfo(f"{folder.name}/{path}")
            entry.external_attr = 0o100644 << 16
            with archive.open(entry, "w", force_zip64=True) as stream:
                for block in _blocks(folder, path, _size_of(folder, path)):
                    stream.write(block)
                    done += len(block)
                    yield done


def _size_of(folder: Path, path: str) -> int:
    try:
        return (folder / path).stat().st_size
    except OSError as error:
        raise _unreadable(path, error.strerror) from error


def _blocks(folder: Path, path: str, size_bytes: int) -> Iterator[bytes]:
    """The first *size_bytes* of a file, which must have as many."""
    try:
        with (folder / path).open("rb") as stream:
            while size_bytes and (block := stream.read(min(BLOCK_BYTES, size_bytes))):
                size_bytes -= len(block)
                yield block
    except OSError as error:
        raise _unreadable(path, error.strerror) from error
    if size_bytes:
        raise _unreadable(path, "it became shorter")


def _unreadable(path: str, why: str | None) -> ModelDamaged:
    return ModelDamaged(f"{path} cannot be read: {why}", hint="Is the drive still connected?")


def _is_strange(part: str) -> bool:
    return (
        part.split(".")[0].rstrip().casefold() in _RESERVED
        or part != part.rstrip(". ")
        or any(letter in _NOT_ON_WINDOWS or letter < " " for letter in part)
    )


def _folded(path: PurePosixPath) -> str:
    """Equal for names that some file system takes for one: case, and how an accent is encoded."""
    return unicodedata.normalize("NFC", str(path)).casefold()


def _size(name: str) -> int:
    return len(name.encode("utf-8", "surrogatepass"))


def _refused(name: str, why: str) -> ModelError:
    shown = "".join(letter if letter.isprintable() else "?" for letter in name[:80])
    return ModelError(f"refused: {shown!r} in the archive {why}")
