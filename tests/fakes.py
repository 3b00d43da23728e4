"""Small stand-ins for engines, detectors and clocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

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
