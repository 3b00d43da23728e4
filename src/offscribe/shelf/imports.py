"""Models that come and go by hand: from a folder or archive, to an archive, off the shelf."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from offscribe.errors import BadOption, Conflict, ModelDamaged, ModelError, ModelMissing, NotFound
from offscribe.shelf.archive import archive_stem, is_archive, pack_archive, room_for, unpack_archive
from offscribe.shelf.formats import CODE, PICKLES, recognised
from offscribe.shelf.manifest import (
    BLOCK_BYTES,
    MANIFEST,
    Manifest,
    first_wrong_size,
    manifest_of,
    read_manifest,
    sha256_of,
    write_manifest,
)
from offscribe.shelf.pull import LOCK, TEMPORARY, PullProgress
from offscribe.shelf.storage import only_one, storing
from offscribe.types import ModelFile

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_JUNK = re.compile(r"(^|/)(__MACOSX/|\._|\.DS_Store$|Thumbs\.db$|desktop\.ini$|\.git/|\.cache/)")


def import_model(
    path: Path, shelf: Path, *, model_id: str | None = None, is_replacing: bool = False
) -> Iterator[PullProgress]:
    """Put a copy of the model in *path*, a folder or an archive, on the *shelf*; yield the
    progress, whose last step carries the id it has there.

    With a manifest inside, every file is held against its SHA-256; without, the format is
    recognised from the files. Nothing unfinished is ever visible. Raises NotFound, BadOption,
    ModelDamaged, ModelError, Conflict for an id that is there, DiskFull, NoPermission.
    """
    path = path.expanduser()
    if model_id is not None and not ID.fullmatch(model_id):
        raise BadOption(
            f"{model_id[:60]!r} cannot be an id", hint="Use letters, digits, dots and dashes."
        )
    if not path.exists():
        raise NotFound(f"there is no {path}", hint="Is the drive connected?")
    if not path.is_dir() and not is_archive(path):
        raise ModelError(
            f"{path.name} is neither a folder nor a zip or tar archive",
            hint="Give the folder that holds the model's files, or an archive of it.",
        )
    with storing(str(shelf)):
        shelf.mkdir(parents=True, exist_ok=True)
        with only_one(shelf / LOCK):
            temporary = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=shelf))
            try:
                yield from _import(path, shelf, temporary, model_id, is_replacing=is_replacing)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)


def export_model(shelf: Path, model_id: str, file: Path) -> Iterator[PullProgress]:
    """Write an installed model into one archive that ``import_model`` reads. Raises ModelMissing,
    ModelDamaged, BadOption, DiskFull, NoPermission."""
    folder = _installed(shelf, model_id)
    files = read_manifest(folder).files
    if (wrong := first_wrong_size(folder, files)) is not None:
        raise ModelDamaged(f"{folder / wrong} is missing or not of the size it should have")
    total = sum(each.size_bytes for each in files)
    for done in pack_archive(folder, [MANIFEST, *(each.path for each in files)], file):
        yield PullProgress(model_id, "exporting", min(done, total), total)
    yield PullProgress(model_id, "done", total, total)


def remove_model(shelf: Path, model_id: str) -> None:
    """Delete a model, also a damaged one. Raises ModelMissing, Conflict while models are being
    installed, NoPermission."""
    folder = _installed(shelf, model_id)
    with storing(str(shelf)), only_one(shelf / LOCK):
        gone = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=shelf))
        folder.rename(gone / model_id)
        shutil.rmtree(gone)


def _installed(shelf: Path, model_id: str) -> Path:
    folder = shelf / model_id
    if not ID.fullmatch(model_id) or not (folder / MANIFEST).is_file():
        raise ModelMissing(f"the model {model_id[:60]!r} is not installed in {shelf}")
    return folder


def _import(
    path: Path, shelf: Path, temporary: Path, model_id: str | None, *, is_replacing: bool
) -> Iterator[PullProgress]:
    name = path.resolve().name if path.is_dir() else archive_stem(path)
    yield PullProgress(model_id or name, "unpacking", 0, 0)
    content = _top(path if path.is_dir() else _unpacked(path, temporary))
    manifest = _manifest(content, name, source=f"imported from {path.name}")
    if model_id is not None:
        manifest = replace(manifest, id=model_id)
    place = shelf / manifest.id
    if place.exists() and not is_replacing:
        raise Conflict(
            f"a model {manifest.id} is installed already",
            hint="Remove it first, give another --id, or say --replace.",
        )
    model = temporary / "model"
    model.mkdir()
    total = sum(file.size_bytes for file in manifest.files)
    done = 0
    for file in manifest.files:
        for n_copied in _copied(content / file.path, model / file.path):
            yield PullProgress(manifest.id, "copying", done + n_copied, total)
        done += file.size_bytes
        if sha256_of(model / file.path) != file.sha256:
            raise ModelDamaged(
                f"{file.path} does not have the SHA-256 that its manifest says",
                hint="Copy the model again from where it came.",
            )
    write_manifest(model, manifest)
    if place.exists():
        place.rename(temporary / "replaced")
    model.rename(place)
    yield PullProgress(manifest.id, "done", total, total)


def _unpacked(archive: Path, temporary: Path) -> Path:
    content = temporary / "content"
    content.mkdir()
    unpack_archive(archive, content, max_bytes=room_for(temporary) // 2)  # it is copied once more
    return content


def _top(folder: Path) -> Path:
    """*folder*, or the only folder in it: how most archives are packed."""
    entries = [entry for entry in folder.iterdir() if not _JUNK.search(f"{entry.name}/")]
    is_wrapped = len(entries) == 1 and entries[0].is_dir()
    return entries[0] if is_wrapped else folder


def _manifest(content: Path, name: str, *, source: str) -> Manifest:
    """The manifest that came with the files, or one made for them."""
    if (content / MANIFEST).is_file():
        manifest = read_manifest(content)
        if not ID.fullmatch(manifest.id):
            raise ModelDamaged(f"the manifest gives the id {manifest.id[:60]!r}, which is none")
        if (wrong := first_wrong_size(content, manifest.files)) is not None:
            raise ModelDamaged(f"{wrong} is missing or not of the size its manifest says")
        return manifest
    card = recognised(content)
    files = card.files or tuple(
        ModelFile(path, (content / path).stat().st_size, sha256_of(content / path))
        for path in _useful(content)
    )
    described = replace(card, files=files)
    if not card.files:
        described = replace(described, id=_as_id(name), title=name)
    return replace(manifest_of(described), source=source)


def _useful(content: Path) -> list[str]:
    """The files that belong to a model: no junk, no code, no pickles. Raises ModelError for a link
    that leads out of the folder."""
    root = content.resolve()
    useful = []
    for file in sorted(content.rglob("*")):
        path = file.relative_to(content).as_posix()
        if _JUNK.search(path) or not file.is_file():
            continue
        if not file.resolve().is_relative_to(root):
            raise ModelError(f"refused: {path} is a link that leads out of the folder")
        if file.suffix.lower() not in (*PICKLES, *CODE):
            useful.append(path)
    return useful


def _copied(source: Path, target: Path) -> Iterator[int]:
    """Copy one file; yield the bytes so far."""
    target.parent.mkdir(parents=True, exist_ok=True)
    done = 0
    with target.open("xb") as writer:
        for block in _blocks(source):
            writer.write(block)
            done += len(block)
            yield done


def _blocks(source: Path) -> Iterator[bytes]:
    try:
        with source.open("rb") as reader:
            while block := reader.read(8 * BLOCK_BYTES):
                yield block
    except OSError as error:
        raise ModelDamaged(
            f"{source.name} cannot be read: {error.strerror}", hint="Is the drive still connected?"
        ) from error


def _as_id(name: str) -> str:
    cleaned = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:100]
    if not cleaned:
        raise BadOption(f"{name!r} gives no id", hint="Give one: --id NAME")
    return cleaned
