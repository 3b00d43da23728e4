"""Small stand-ins for engines, detectors and clocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from offscribe.engines.whisper_decoder import Search, Take
from offscribe.engines.whisper_words import Piece
from offscribe.types import (
    SAMPLE_RATE,
    Audio,
    Hypothesis,
    ModelCard,
    RecognizeOptions,
    Samples,
    VadFrames,
    Word,
)


class Clock:
    """UTC seconds that only move when told to."""

    def __init__(self, at: float = 1_000_000.0) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


def loud(seconds: float, level: float = 0.5) -> Samples:
    """What LoudnessVad takes for speech; *level* says which, where a test must tell it apart."""
    return np.full(round(seconds * SAMPLE_RATE), level, np.float32)


def windows(*parts: Samples, window_s: float = 30.0) -> list[Audio]:
    """The parts after one another, in windows of the usual length."""
    samples = np.concatenate(parts) if parts else silence(0)
    size = round(window_s * SAMPLE_RATE)
    return [Audio(samples[at : at + size]) for at in range(0, len(samples), size)]


class LoudnessVad:
    """Says speech (1.0) for each 10 ms frame that is not digital silence."""

    card = ModelCard(
        id="loudness", title="Loudness", engine="fake", kind="vad", licence="", homepage=""
    )
    frame_s = 0.01

    def open(self) -> LoudnessVadStream:
        return LoudnessVadStream()


class LoudnessVadStream:
    def __init__(self) -> None:
        self._rest = silence(0)

    def accept(self, samples: Samples) -> VadFrames:
        joined = np.concatenate([self._rest, samples])
        n_frames = len(joined) // 160
        frames = np.abs(joined[: n_frames * 160]).reshape(n_frames, 160)
        self._rest = joined[n_frames * 160 :]
        peaks = frames.max(axis=1, initial=0.0)
        return VadFrames(
            (peaks > 0).astype(np.float32),
            np.where(peaks > 0, 20 * np.log10(np.maximum(peaks, 1e-6)), -120.0).astype(np.float32),
        )

    def finish(self) -> VadFrames:
        return VadFrames(np.zeros(0, np.float32), np.zeros(0, np.float32))


class Parrot:
    """A recognizer that answers from a script and remembers what it was asked.

    *hears* turns one chunk into its hypothesis.
    """

    device = "cpu (a fake)"

    def __init__(
        self,
        hears: Callable[[Audio], Hypothesis],
        *,
        times: str = "word",
        batch_size: int = 4,
        max_chunk_s: float = 30.0,
    ) -> None:
        self.card = ModelCard(
            id="parrot",
            title="Parrot",
            engine="fake",
            kind="recognizer",
            licence="",
            homepage="",
            languages=("zh", "en"),
            times=times,  # type: ignore[arg-type]
            max_chunk_s=max_chunk_s,
        )
        self.batch_size = batch_size
        self.asked: list[tuple[int, RecognizeOptions]] = []
        self._hears = hears

    def recognize(self, batch: Sequence[Audio], options: RecognizeOptions) -> list[Hypothesis]:
        self.asked.append((len(batch), options))
        return [self._hears(audio) for audio in batch]


def spoken(text: str, *, each_s: float = 0.2, language: str = "zh") -> Hypothesis:
    """*text* at an even pace from the chunk's start, a word a character."""
    words = tuple(
        Word(character, index * each_s, (index + 1) * each_s)
        for index, character in enumerate(text)
    )
    return Hypothesis(text, language, words)


class ScriptedDecoder:
    """Stands for a loaded Whisper: its features are the samples themselves, and *writes* says what
    it makes of them. Texts are said at an even pace, *each_s* a character.

    ``asked`` keeps the searches in order, ``sizes`` how many clips came at once.
    """

    max_prompt_tokens = 200

    def __init__(
        self,
        writes: Callable[[Samples, str, tuple[int, ...], Search], Take],
        *,
        languages: tuple[str, ...] = ("zh", "en"),
        heard: Callable[[Samples], dict[str, float]] = lambda _: {"zh": 1.0},
        each_s: float = 0.2,
        most_at_once: int = 100,
    ) -> None:
        self.is_multilingual = len(languages) > 1
        self.asked: list[Search] = []
        self.sizes: list[int] = []
        self._writes = writes
        self._languages = languages
        self._heard = heard
        self._each_s = each_s
        self._most_at_once = most_at_once

    def has_language(self, code: str) -> bool:
        return code in self._languages

    def features(self, samples: Samples) -> Samples:
        return samples

    def encode(self, features: Sequence[Samples]) -> Sequence[Samples]:
        self.sizes.append(len(features))
        if len(features) > self._most_at_once:
            raise MemoryError
        return features

    def languages(self, encoded: Sequence[Samples]) -> list[dict[str, float]]:
        return [self._heard(samples) for samples in encoded]

    def text_tokens(self, text: str) -> list[int]:
        return [ord(character) for character in text]

    def write(
        self,
        encoded: Sequence[Samples],
        n_clips: int,
        *,
        language: str,
        prompt: Sequence[int],
        search: Search,
    ) -> list[Take]:
        assert n_clips == len(encoded)
        self.asked.append(search)
        return [self._writes(samples, language, tuple(prompt), search) for samples in encoded]

    def align(
        self,
        encoded: Sequence[Samples],
        takes: Sequence[Take],
        *,
        language: str,  # noqa: ARG002
        durations: Sequence[float],  # noqa: ARG002
    ) -> list[list[Piece]]:
        return [
            [
                Piece(character, at * self._each_s, (at + 1) * self._each_s)
                for at, character in enumerate(take.text)
            ]
            for _, take in zip(encoded, takes, strict=True)
        ]


def taken(text: str, *, logprob: float = -0.2, no_speech: float = 0.1) -> Take:
    """What a model wrote, sure of itself unless told otherwise."""
    return Take(tuple(map(ord, text)), text, logprob, no_speech)
