"""The models of one installation: what is known, what is there, and whether it is whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from offscribe.engines.registry import cards, find_engine, missing_modules
from offscribe.errors import ModelDamaged, ModelError, ModelMissing, NotFound
from offscribe.shelf.download import download
from offscribe.shelf.formats import recognised
from offscribe.shelf.manifest import (
    ID,
    MANIFEST,
    Manifest,
    first_wrong_size,
    read_manifest,
    sha256_of,
)
from offscribe.shelf.pull import Download, PullProgress, pull
from offscribe.types import ModelCard, Times
from offscribe.vad.registry import VAD_CARDS

STARTER = ("whisper-base", "silero-vad", "fsmn-vad")
"""What a first installation gets."""


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A complete model folder on the shelf."""

    card: ModelCard
    folder: Path
    manifest: Manifest


class Shelf:
    """The folder of model folders. It need not exist until the first pull."""

    def __init__(self, folder: Path, *, download: Download = download) -> None:
        self.folder = folder
        self._download = download

    def known(self) -> tuple[ModelCard, ...]:
        """Every model that can be pulled, recognizers first."""
        return cards() + VAD_CARDS

    def card(self, model_id: str) -> ModelCard:
        """The card of a known or installed model. Raises NotFound, listing them."""
        for card in self.known():
            if card.id == model_id:
                return card
        installed = {model.card.id: model.card for model in self.installed()}
        if model_id in installed:
            return installed[model_id]
        names = ", ".join(dict.fromkeys([card.id for card in self.known()] + sorted(installed)))
        raise NotFound(f"no model is called {model_id[:60]!r}", hint=f"There are: {names}.")

    def installed(self) -> list[InstalledModel]:
        """The complete models, by folder name. What is unfinished or not whole is left out;
        ``folder_of`` says what is wrong with it."""
        if not self.folder.is_dir():
            return []
        found = []
        for folder in sorted(self.folder.iterdir()):
            if not ID.fullmatch(folder.name) or not (folder / MANIFEST).is_file():
                continue
            try:
                found.append(_opened(folder))
            except (ModelError, NotFound):
                continue
        return found

    def folder_of(self, model_id: str) -> Path:
        """Where an installed model lies. Raises ModelMissing, and ModelDamaged where files are
        missing or of the wrong size."""
        folder = self.folder / model_id
        if not ID.fullmatch(model_id) or not (folder / MANIFEST).is_file():
            raise ModelMissing(
                f"the model {model_id[:60]!r} is not installed in {self.folder}",
                hint=f"Install it: offscribe models pull {model_id[:60]}",
            )
        return _opened(folder).folder

    def aligner_of(self, card: ModelCard) -> ModelCard | None:
        """The installed model that times the words of *card*, if there is one."""
        return next((self.card(name) for name in card.aligned_by if self._is_here(name)), None)

    def source_of(self, model_id: str) -> str:
        """Where the files of an installed model came from. Raises ModelMissing, ModelDamaged."""
        return read_manifest(self.folder_of(model_id)).source

    def times_of(self, card: ModelCard) -> Times:
        """The finest times that *card* gives on this machine."""
        return "word" if self.aligner_of(card) is not None else card.times

    def verify(self, model_id: str) -> None:
        """Read every byte of a model. Raises ModelMissing, and ModelDamaged naming the file."""
        folder = self.folder_of(model_id)
        for file in read_manifest(folder).files:
            if sha256_of(folder / file.path) != file.sha256:
                raise ModelDamaged(
                    f"{folder / file.path} does not have the expected SHA-256",
                    hint=f"Install the model again: offscribe models pull {model_id}",
                )

    def pull(self, model_id: str, *, way: str | None = None) -> Iterator[PullProgress]:
        """Install a model; yield the progress, at least once. Uses the network, unless the model
        is here and whole. Raises NotFound and what ``offscribe.shelf.pull.pull`` raises."""
        card = self.card(model_id)
        if self._is_whole(model_id):
            yield PullProgress(card.id, "done", card.size_bytes, card.size_bytes)
        else:
            yield from pull(card, self.folder, way=way, download=self._download)

    def open_folder(self, path: Path) -> tuple[ModelCard, Path]:
        """Return the card and folder of a recognizer anywhere on this machine (``--model-path``).

        Known by its manifest, else by the engine that recognises its files. Raises ModelMissing
        where there is no folder, ModelDamaged where something of it is missing, ModelError where
        no engine recognises it or it is no recognizer.
        """
        folder = path.expanduser().resolve()
        if not folder.is_dir():
            raise ModelMissing(
                f"there is no model folder {folder}",
                hint="Give the folder that holds the model's files, e.g. models/whisper-base.",
            )
        if (folder / MANIFEST).is_file():
            card = _opened(folder).card
            if card.kind != "recognizer":
                raise ModelError(
                    f"{folder} holds {card.title}, which only detects speech",
                    hint="Give the folder of a recognition model.",
                )
            return card, folder
        return recognised(folder), folder

    def _is_here(self, model_id: str) -> bool:
        try:
            spec = find_engine(self.card(model_id).engine)
            self.folder_of(model_id)
        except (ModelError, NotFound):
            return False
        return not missing_modules(spec)

    def _is_whole(self, model_id: str) -> bool:
        try:
            self.verify(model_id)
        except ModelError:
            return False
        return True


def _opened(folder: Path) -> InstalledModel:
    """Read a folder that has a manifest. Raises ModelDamaged, and NotFound for its engine."""
    manifest = read_manifest(folder)
    if (wrong := first_wrong_size(folder, manifest.files)) is not None:
        raise ModelDamaged(f"{folder / wrong} is missing or not of the size it should have")
    return InstalledModel(_card_of(folder, manifest), folder, manifest)


def _card_of(folder: Path, manifest: Manifest) -> ModelCard:
    for card in cards() + VAD_CARDS:
        if card.id == manifest.id:
            return card
    if manifest.kind == "vad":
        described = ModelCard(manifest.id, "", manifest.engine, "vad", "", "")
    else:
        known = (card for card in cards() if card.files and card.files == manifest.files)
        described = next(known, None) or find_engine(manifest.engine).describe(folder)
    return replace(
        described,
        id=manifest.id,
        title=manifest.title,
        licence=manifest.licence,
        homepage=manifest.homepage,
        files=manifest.files,
    )
