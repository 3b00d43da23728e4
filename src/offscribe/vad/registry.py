"""The detectors there are."""

from __future__ import annotations

from pathlib import Path

from offscribe.errors import NotFound
from offscribe.types import ModelCard, Vad
from offscribe.vad import fsmn, silero

VAD_CARDS: tuple[ModelCard, ...] = (silero.CARD, fsmn.CARD)
DEFAULT_VAD = silero.CARD.id


def load_vad(card_id: str, folder: Path, *, threads: int = 1) -> Vad:
    """Load the detector *card_id* from *folder*. Raises NotFound, ModelMissing, ModelDamaged."""
    if card_id == silero.CARD.id:
        return silero.load(folder, threads=threads)
    if card_id == fsmn.CARD.id:
        return fsmn.load(folder, threads=threads)
    known = ", ".join(card.id for card in VAD_CARDS)
    raise NotFound(f"there is no detector {card_id}", hint=f"Known: {known}.")
