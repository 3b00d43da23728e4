"""The models this process has loaded."""

from __future__ import annotations

from pathlib import Path

from offscribe.engines.registry import load_recognizer
from offscribe.shelf.shelf import Shelf
from offscribe.types import LoadOptions, Recognizer, Vad
from offscribe.vad.registry import DEFAULT_VAD, load_vad


class Models:
    """Loads a model when it is first asked for and keeps the newest recognizer.

    *extra* is a model folder outside the shelf (``--model-path``).
    """

    def __init__(self, shelf: Shelf, options: LoadOptions, *, extra: Path | None = None) -> None:
        self._shelf = shelf
        self._options = options
        self._extra = shelf.open_folder(extra) if extra is not None else None
        self._recognizer: Recognizer | None = None
        self._vads: dict[str, Vad] = {}

    def recognizer(self, model_id: str) -> Recognizer:
        """Return the loaded model; another one is let go first. Raises ModelError, NotFound."""
        if self._recognizer is not None and self._recognizer.card.id == model_id:
            return self._recognizer
        self._recognizer = None
        if self._extra is not None and self._extra[0].id == model_id:
            card, folder = self._extra
        else:
            card, folder = self._shelf.card(model_id), self._shelf.folder_of(model_id)
        self._recognizer = load_recognizer(card, folder, self._options)
        return self._recognizer

    def vad(self, model_id: str = DEFAULT_VAD) -> Vad:
        """Return the loaded detector. Raises ModelError, NotFound."""
        if model_id not in self._vads:
            self._vads[model_id] = load_vad(model_id, self._shelf.folder_of(model_id))
        return self._vads[model_id]
