"""``manifest.json``: what a model folder holds. A folder without one is no installed model."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from offscribe.errors import ModelDamaged, ModelMissing
from offscribe.types import ModelCard, ModelFile

NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The written half of a model card: enough to verify the folder without knowing the card."""

    id: str
    engine: str
    kind: str
    title: str
    licence: str
    homepage: str
    source: str
    files: tuple[ModelFile, ...]


def manifest_of(card: ModelCard) -> Manifest:
    source = ", ".join(f"{entry.package} {entry.version}" for entry in card.sources)
    return Manifest(
        card.id, card.engine, card.kind, card.title, card.licence, card.homepage, source, card.files
    )


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Written last and whole: it is what makes the folder count."""
    partial = folder / f".{NAME}.part"
    partial.write_text(json.dumps(asdict(manifest), ensure_ascii=False, indent=2) + "\n", "utf-8")
    partial.replace(folder / NAME)


def read_manifest(folder: Path) -> Manifest:
    """Raises ModelMissing where there is none, ModelDamaged where it cannot be understood."""
    try:
        fields = json.loads((folder / NAME).read_text("utf-8"))
        files = tuple(ModelFile(**entry) for entry in fields.pop("files"))
        return Manifest(**fields, files=files)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ModelMissing(f"{folder} holds no installed model") from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelDamaged(f"{folder / NAME} cannot be read") from error


def check_sizes(folder: Path, files: tuple[ModelFile, ...]) -> None:
    """Quick check that every file is there in full. Raises ModelDamaged naming the first that is
    not."""
    for file in files:
        path = folder / file.path
        size = path.stat().st_size if path.is_file() else None
        if size != file.size_bytes:
            found = "is missing" if size is None else f"has {size} bytes, not {file.size_bytes}"
            raise ModelDamaged(f"{path} {found}")


def check_hashes(folder: Path, files: tuple[ModelFile, ...]) -> None:
    """Read every file. Raises ModelDamaged naming the first that differs."""
    check_sizes(folder, files)
    for file in files:
        with (folder / file.path).open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
        if found != file.sha256:
            raise ModelDamaged(f"{folder / file.path} has changed: its SHA-256 is {found[:12]}…")
