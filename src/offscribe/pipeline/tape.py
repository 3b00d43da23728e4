"""The newest stretch of a recording, kept so that spans can be cut from it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np

from offscribe.types import SAMPLE_RATE, Audio, Samples, Span


class Tape:
    """Keeps at least the newest *keep_s* seconds of what was played, in whole windows.

    That bounds memory also where nobody speaks for hours.
    """

    def __init__(self, *, keep_s: float) -> None:
        self._keep_samples = round(keep_s * SAMPLE_RATE)
        self._blocks: deque[Samples] = deque()
        self._first_sample = 0
        self._n_samples = 0

    @property
    def duration(self) -> float:
        """Seconds played since the start of the file."""
        return (self._first_sample + self._n_samples) / SAMPLE_RATE

    def playing(self, windows: Iterable[Audio]) -> Iterator[Audio]:
        """Pass *windows* on, keeping each before it is passed."""
        for window in windows:
            self._blocks.append(window.samples)
            self._n_samples += len(window.samples)
            while self._n_samples - len(self._blocks[0]) >= self._keep_samples:
                dropped = len(self._blocks.popleft())
                self._first_sample += dropped
                self._n_samples -= dropped
            yield window

    def cut(self, span: Span) -> Samples:
        """Return the samples of *span*. Raises ValueError where its start is no longer kept."""
        first = round(span.start * SAMPLE_RATE) - self._first_sample
        last = round(span.end * SAMPLE_RATE) - self._first_sample
        if first < 0:
            raise ValueError(f"{span} is no longer on the tape")
        pieces: list[Samples] = []
        block_first = 0
        for block in self._blocks:
            block_last = block_first + len(block)
            if block_last > first and block_first < last:
                pieces.append(block[max(first - block_first, 0) : last - block_first])
            block_first = block_last
        return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
