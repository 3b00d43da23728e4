"""Models that come and go by hand: from a folder or archive, to an archive, off the shelf."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from offscribe.engines.registry import cards, find_engine
from offscribe.errors import BadOption, Conflict, ModelDamaged, ModelError, ModelMissing, NotFound
from offscribe.shelf.archive import (
    archive_stem,
    check_target,
    is_archive,
    pack_archive,
    room_for,
    unpack_archive,
)
from offscribe.shelf.formats import CODE, described, is_pickled, recognised
from offscribe.shelf.manifest import (
    BLOCK_BYTES,
    ID,
    MANIFEST,
    Manifest,
    first_wrong_size,
    manifest_of,
    read_manifest,
    sha256_of,
    write_manifest,
)
from offscribe.shelf.pull import PullProgress
from offscribe.shelf.storage import installing, put
from offscribe.types import ModelCard, ModelFile
from offscribe.vad.registry import VAD_CARDS

SHOWN_NAMES = 5
_JUNK = re.compile(r"(^|/)(__MACOSX/|\._|\.DS_Store$|Thumbs\.db$|desktop\.ini$|\.git/|\.cache/)")


@dataclass(frozen=True, slots=True)
class _Offer:
    """A model that may be taken over from *folder*. The SHA-256 of its manifest's files are empty
    where nobody has said them. *is_ours*: the files need not stay where they are."""

    folder: Path
    manifest: Manifest
    is_ours: bool


def import_model(
    path: Path, shelf: Path, *, model_id: str | None = None, is_replacing: bool = False
) -> Iterator[PullProgress]:
    """Put a copy of the model in *path*, a folder or an archive, on the *shelf*; yield the
    progress, whose last step carries the id it has there.

    With a manifest inside, every file is held against its SHA-256; without, the format is
    recognised from the files, and code and pickles beside them are left out, which the model's
    source says. Nothing unfinished is ever visible. Raises NotFound, BadOption, ModelDamaged,
    ModelError, Conflict for an id that is there, DiskFull, NoPermission.
    """
    path = path.expanduser()
    if model_id is not None and not ID.fullmatch(model_id):
        raise BadOption(
            f"{model_id[:60]!r} cannot be an id", hint="Use letters, digits, dots and dashes."
        )
    with _reading(path.name):
        _check_source(path)
    with installing(shelf) as temporary:
        yield PullProgress(model_id or _name(path), "unpacking", 0, 0)
        offer = _offer(path, temporary)
        if model_id is not None:
            offer = replace(offer, manifest=replace(offer.manifest, id=model_id))
        yield from _take(offer, shelf, temporary, is_replacing=is_replacing)


def export_model(shelf: Path, model_id: str, file: Path) -> Iterator[PullProgress]:
    """Write an installed model into one archive that ``import_model`` reads. Raises ModelMissing,
    ModelDamaged where a byte of it has changed, BadOption, NotFound, DiskFull, NoPermission."""
    folder = _installed(shelf, model_id)
    check_target(file)
    files = read_manifest(folder).files
    total = sum(each.size_bytes for each in files)
    for each in files:
        yield PullProgress(model_id, "exporting", 0, total)
        path = folder / each.path
        if not path.is_file() or sha256_of(path) != each.sha256:
            raise ModelDamaged(f"{path} is missing or does not have the SHA-256 it should have")
    for done in pack_archive(folder, [MANIFEST, *(each.path for each in files)], file):
        yield PullProgress(model_id, "exporting", min(done, total), total)
    yield PullProgress(model_id, "done", total, total)


def remove_model(shelf: Path, model_id: str) -> None:
    """Delete a model, also a damaged one. Raises ModelMissing, Conflict while models are being
    installed, NoPermission."""
    folder = _installed(shelf, model_id)
    with installing(shelf) as temporary:
        folder.rename(temporary / model_id)


def _installed(shelf: Path, model_id: str) -> Path:
    folder = shelf / model_id
    if not ID.fullmatch(model_id) or not (folder / MANIFEST).is_file():
        raise ModelMissing(
            f"the model {model_id[:60]!r} is not installed in {shelf}",
            hint="See what is: offscribe models list --installed",
        )
    return folder


def _check_source(path: Path) -> None:
    if not path.exists():
        raise NotFound(f"there is no {path}", hint="Is the drive connected?")
    if not path.is_dir() and not is_archive(path):
        raise ModelError(
            f"{path.name} is neither a folder nor a zip or tar archive",
            hint="Give the folder that holds the model's files, or an archive of it.",
        )


def _offer(path: Path, temporary: Path) -> _Offer:
    is_ours = not path.is_dir()
    folder = _unpacked(path, temporary) if is_ours else path
    with _reading(path.name):
        folder = _top(folder)
        if (folder / MANIFEST).is_file():
            manifest = read_manifest(folder)
            _check_files(folder, manifest)
        else:
            manifest = _made_manifest(folder, _name(path), source=f"imported from {path.name}")
        _check_links(folder, manifest)
    return _Offer(folder, manifest, is_ours)


def _take(
    offer: _Offer, shelf: Path, temporary: Path, *, is_replacing: bool
) -> Iterator[PullProgress]:
    manifest = offer.manifest
    _check_identity(manifest)
    place = shelf / manifest.id
    if place.exists() and not is_replacing:
        raise Conflict(
            f"a model {manifest.id} is installed already",
            hint=f"Remove it first (offscribe models remove {manifest.id}), give another --id, "
            "or say --replace.",
        )
    model = temporary / "model"
    total = sum(file.size_bytes for file in manifest.files)
    done = 0
    arrived = []
    for file in manifest.files:
        digest = hashlib.sha256()
        for block in _taken(offer.folder / file.path, model / file.path, is_ours=offer.is_ours):
            digest.update(block)
            done += len(block)
            yield PullProgress(manifest.id, "copying", min(done, total), total)
        arrived.append(ModelFile(file.path, _size(model / file.path), digest.hexdigest()))
        _check_arrived(file, arrived[-1])
    write_manifest(model, replace(manifest, files=tuple(arrived)))
    put(model, place, temporary / "replaced")
    yield PullProgress(manifest.id, "done", total, total)


def _unpacked(archive: Path, temporary: Path) -> Path:
    content = temporary / "content"
    content.mkdir()
    unpack_archive(archive, content, max_bytes=room_for(temporary))
    return content


def _top(folder: Path) -> Path:
    """*folder*, or the only folder in it: how most archives are packed."""
    entries = [entry for entry in folder.iterdir() if not _JUNK.search(f"{entry.name}/")]
    is_wrapped = len(entries) == 1 and entries[0].is_dir() and not entries[0].is_symlink()
    return entries[0] if is_wrapped else folder


def _made_manifest(folder: Path, name: str, *, source: str) -> Manifest:
    """A manifest for files that came without one."""
    card = _recognised(folder)
    if card.files:
        return replace(manifest_of(card), source=source)
    paths = _paths(folder)
    useful = [path for path in paths if not _may_run(folder / path)]
    if left_out := [path for path in paths if path not in useful]:
        shown = ", ".join(left_out[:SHOWN_NAMES])
        source += f" without {shown}" + (", ..." if len(left_out) > SHOWN_NAMES else "")
    files = tuple(ModelFile(path, _size(folder / path), "") for path in useful)
    card = replace(card, id=_as_id(name), title=name, files=files)
    return replace(manifest_of(card), source=source)


def _recognised(folder: Path) -> ModelCard:
    """The known card whose files these are byte for byte, else the engine's description: tuned
    models have the sizes of what they were tuned from."""
    card = recognised(folder)
    changed = [file.path for file in card.files if sha256_of(folder / file.path) != file.sha256]
    if not changed:
        return card
    try:
        return described(folder)
    except ModelError as error:
        raise ModelDamaged(
            f"{changed[0]} has the size but not the SHA-256 of {card.title}'s",
            hint="Copy the model again from where it came.",
        ) from error


def _paths(folder: Path) -> list[str]:
    """The files below *folder* but what systems strew about. Raises ModelError for a link that
    leads to no file inside the folder."""
    paths = []
    for entry in sorted(folder.rglob("*")):
        path = entry.relative_to(folder).as_posix()
        if _JUNK.search(path):
            continue
        if entry.is_symlink() and not entry.is_file():
            raise _led_away(path)
        if entry.is_file():
            paths.append(path)
    return paths


def _may_run(path: Path) -> bool:
    return path.suffix.lower() in CODE or is_pickled(path)


def _check_files(folder: Path, manifest: Manifest) -> None:
    """Whether the files that a manifest from outside names may and can be taken over."""
    if (wrong := first_wrong_size(folder, manifest.files)) is not None:
        raise ModelDamaged(
            f"{wrong} is missing or not of the size its manifest says",
            hint="Copy the model again from where it came.",
        )
    names = {file.path.casefold() for file in manifest.files} - {MANIFEST}
    if not names or len(names) < len(manifest.files):
        raise ModelDamaged("the manifest names no file, one twice, or itself")
    for file in manifest.files:
        if _may_run(folder / file.path):
            raise ModelError(
                f"refused: {file.path} is code, or a pickle that could run some",
                hint="Only weights that are read as data are taken over: safetensors, ONNX, GGML, "
                "CTranslate2, Kaldi.",
            )


def _check_links(folder: Path, manifest: Manifest) -> None:
    root = folder.resolve()
    for file in manifest.files:
        if not (folder / file.path).resolve().is_relative_to(root):
            raise _led_away(file.path)


def _check_identity(manifest: Manifest) -> None:
    """A model may not take the name of a known one that it is not."""
    if not ID.fullmatch(manifest.id):
        raise ModelDamaged(f"the manifest gives the id {manifest.id[:60]!r}, which is none")
    known = {card.id: card for card in cards() + VAD_CARDS}.get(manifest.id)
    if manifest.kind == "recognizer":
        try:
            find_engine(manifest.engine)
        except NotFound as error:
            raise ModelError(
                f"{manifest.id} needs the engine {manifest.engine[:60]!r}, which this version of "
                "Offscribe does not have",
                hint="Was it exported by a newer version?",
            ) from error
    elif known is None:
        raise ModelError(
            f"{manifest.id} is no speech detector that Offscribe knows",
            hint=f"Detectors keep their ids: {', '.join(card.id for card in VAD_CARDS)}.",
        )
    if known is not None and (
        (known.engine, known.kind) != (manifest.engine, manifest.kind)
        or set(known.files) - set(manifest.files)
    ):
        raise ModelError(
            f"these files are not {known.title}, whose id {known.id} they would get",
            hint="Give another one: --id NAME",
        )


def _check_arrived(wanted: ModelFile, arrived: ModelFile) -> None:
    if wanted.sha256 and arrived.sha256 != wanted.sha256:
        raise ModelDamaged(
            f"{wanted.path} does not have the SHA-256 it should have",
            hint="Copy the model again from where it came.",
        )
    if arrived.size_bytes != wanted.size_bytes:
        raise ModelDamaged(
            f"{wanted.path} changed while it was copied", hint="Wait until it is complete."
        )


def _taken(source: Path, target: Path, *, is_ours: bool) -> Iterator[bytes]:
    """Move or copy one file; yield its content."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if is_ours:
        source.rename(target)
        yield from _blocks(target)
        return
    with target.open("xb") as writer:
        for block in _blocks(source):
            writer.write(block)
            yield block


def _blocks(source: Path) -> Iterator[bytes]:
    with _reading(source.name), source.open("rb") as reader:
        while block := reader.read(8 * BLOCK_BYTES):
            yield block


@contextmanager
def _reading(name: str) -> Iterator[None]:
    """What cannot be read is no fault of the shelf."""
    try:
        yield
    except OSError as error:
        raise ModelDamaged(
            f"{name} cannot be read: {error.strerror or error}",
            hint="Is the drive still connected, and may this user read it?",
        ) from error


def _led_away(path: str) -> ModelError:
    return ModelError(
        f"refused: {path} is a link that leads out of the folder",
        hint="Copy the folder with the files that its links stand for, e.g. with cp -rL.",
    )


def _size(path: Path) -> int:
    return path.stat().st_size


def _name(path: Path) -> str:
    return path.resolve().name if path.is_dir() else archive_stem(path)


def _as_id(name: str) -> str:
    cleaned = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:100]
    if not cleaned:
        raise BadOption(f"{name!r} gives no id", hint="Give one: --id NAME")
    return cleaned
