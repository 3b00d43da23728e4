"""What every engine asks of the sound it is given."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from offscribe.errors import BadOption, InputError, UnknownLanguage
from offscribe.types import Audio, ModelCard, RecognizeOptions

MIN_S = 0.1
"""Nothing can be said in less; a model would invent a word."""
SILENT_PEAK = 1e-4
"""-80 dBFS, below the noise of any microphone: digital silence."""
TOLERANCE_S = 0.02
"""How much longer than the model takes a chunk may be: rounding at its borders."""


def check(card: ModelCard, batch: Sequence[Audio], options: RecognizeOptions) -> None:
    """Hold a call of ``recognize`` against its contract.

    Raises UnknownLanguage, BadOption, and InputError for a chunk that is too long or holds
    samples that are not numbers.
    """
    if options.language != "auto" and options.language not in card.languages:
        raise UnknownLanguage(
            f"{card.title} does not know the language {options.language!r}",
            hint=f"It knows: auto, {', '.join(card.languages)}.",
        )
    if options.beam_size < 1:
        raise BadOption(f"beam_size {options.beam_size} is less than 1")
    for audio in batch:
        if audio.duration > card.max_chunk_s + TOLERANCE_S:
            raise InputError(
                f"a chunk of {audio.duration:.1f} s is longer than the "
                f"{card.max_chunk_s:g} s that {card.title} takes"
            )
        if not np.isfinite(audio.samples).all():
            raise InputError("the audio holds samples that are not numbers")


def is_audible(audio: Audio) -> bool:
    """Whether there is enough sound in *audio* to be worth a model's time."""
    return audio.duration >= MIN_S and float(np.abs(audio.samples).max(initial=0.0)) > SILENT_PEAK
