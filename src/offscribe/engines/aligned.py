"""Word times for a model that measures none: a second model hears the same sound and times it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rapidfuzz.distance import LCSseq

from offscribe.types import Audio, Hypothesis, RecognizeOptions, Recognizer
from offscribe.words import carry_words

MIN_AGREEMENT = 0.5
"""Share of a text's letters that the aligner must have heard too; below, its times belong to
something else and are not taken."""


class AlignedRecognizer:
    """The text of *recognizer* with the word times that *aligner* measured.

    Where both heard the same letters, those have the aligner's times; a stretch in which they
    differ becomes one word with the stretch's borders. See ``offscribe.words.carry_words``.
    """

    def __init__(self, recognizer: Recognizer, aligner: Recognizer) -> None:
        self.card = replace(recognizer.card, times="word")
        self.device = recognizer.device
        self.batch_size = recognizer.batch_size
        self._recognizer = recognizer
        self._aligner = aligner

    def recognize(self, batch: Sequence[Audio], options: RecognizeOptions) -> list[Hypothesis]:
        """See ``Recognizer.recognize``. A chunk that the aligner does not understand has no
        words."""
        heard = self._recognizer.recognize(batch, options)
        spoken = [index for index, hypothesis in enumerate(heard) if hypothesis.text]
        language = options.language if options.language in self._aligner.card.languages else "auto"
        timed = self._aligner.recognize(
            [batch[index] for index in spoken], replace(options, language=language)
        )
        aligned = list(heard)
        for index, timing in zip(spoken, timed, strict=True):
            aligned[index] = _timed(heard[index], timing)
        return aligned


def _timed(hypothesis: Hypothesis, timing: Hypothesis) -> Hypothesis:
    if _agreement(hypothesis.text, timing.text) < MIN_AGREEMENT:
        return hypothesis
    return replace(hypothesis, words=carry_words(timing.words, hypothesis.text))


def _agreement(text: str, other: str) -> float:
    """The share of the letters of *text* that *other* has in the same order."""
    letters, others = _letters(text), _letters(other)
    if not letters:
        return 0.0
    return LCSseq.similarity(letters, others) / len(letters)


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())
