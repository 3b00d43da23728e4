"""``manifest.json`` of a model folder: what it is and which files belong to it.

It is written last, so a folder with a manifest whose sizes are right was copied completely.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from offscribe.errors import ModelDamaged
from offscribe.types import ModelCard, ModelFile

MANIFEST = "manifest.json"
BLOCK_BYTES = 1 << 20
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""What a model may be called: the name of its folder on every system."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The facts of a model folder. *source*: where its files came from, for people."""

    id: str
    engine: str
    kind: Literal["recognizer", "vad"]
    title: str
    licence: str
    homepage: str
    source: str
    files: tuple[ModelFile, ...]


def manifest_of(card: ModelCard) -> Manifest:
    return Manifest(
        id=card.id,
        engine=card.engine,
        kind=card.kind,
        title=card.title,
        licence=card.licence,
        homepage=card.homepage,
        source=", ".join(f"{source.package} {source.version}" for source in card.packages),
        files=card.files,
    )


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write it at once or not at all."""
    unfinished = folder / f"{MANIFEST}.new"
    text = json.dumps(asdict(manifest), ensure_ascii=False, indent=2)
    unfinished.write_text(f"{text}\n", encoding="utf-8")
    unfinished.replace(folder / MANIFEST)


def read_manifest(folder: Path) -> Manifest:
    """Raises FileNotFoundError without one, ModelDamaged where it is not a manifest or names
    files outside *folder*."""
    path = folder / MANIFEST
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        return _parsed(fields)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelDamaged(f"{path} is not a model manifest: {error}") from error


def is_inside(path: str) -> bool:
    """True for a relative posix path that stays below the folder it is joined to."""
    pure = PurePosixPath(path)
    return (
        bool(pure.parts)
        and not pure.is_absolute()
        and not {"..", "."} & set(pure.parts)
        and ("\\" not in path and ":" not in path and "\0" not in path)
    )


def first_wrong_size(folder: Path, files: tuple[ModelFile, ...]) -> str | None:
    """The path of the first file that is missing or of another size."""
    for file in files:
        path = folder / file.path
        if not path.is_file() or path.stat().st_size != file.size_bytes:
            return file.path
    return None


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _parsed(fields: Any) -> Manifest:
    files = tuple(
        ModelFile(str(file["path"]), int(file["size_bytes"]), str(file["sha256"]))
        for file in fields["files"]
    )
    if outside := [file.path for file in files if not is_inside(file.path)]:
        raise ValueError(f"{outside[0]!r} lies outside the folder")
    if fields["kind"] not in ("recognizer", "vad"):
        raise ValueError(f"unknown kind {fields['kind']!r}")
    names = ("id", "engine", "title", "licence", "homepage", "source")
    texts = {name: str(fields[name]) for name in names}
    return Manifest(kind=fields["kind"], files=files, **texts)
