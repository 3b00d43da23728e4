"""Speech spans packed into the windows that a recognizer takes.

A model with a fixed window (Whisper: 30 s) costs the same however much of it is speech, so spans
are joined without the silence between them until the window is full. That needs word times to
find the way back; a model without them gets one span a chunk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from offscribe.types import Audio, Samples, Span


@dataclass(frozen=True, slots=True)
class Piece:
    """*span* of the file lies in its chunk from *at* seconds on."""

    at: float
    span: Span

    @property
    def until(self) -> float:
        return self.at + self.span.duration

    def to_file(self, time: float) -> float:
        """Chunk time to file time, kept inside the span."""
        return min(max(self.span.start + time - self.at, self.span.start), self.span.end)


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """What one recognition hears: *audio* made of *pieces*, in order."""

    audio: Audio
    pieces: tuple[Piece, ...]

    @property
    def start(self) -> float:
        return self.pieces[0].span.start

    @property
    def end(self) -> float:
        return self.pieces[-1].span.end


def pack(
    clips: Iterable[tuple[Span, Samples]], *, max_chunk_s: float, is_joining: bool
) -> Iterator[Chunk]:
    """Group *clips*, spans with their samples, into chunks of at most *max_chunk_s*.

    Longer spans are the caller's mistake (the detector's ``max_segment_ms`` cuts them) and raise
    ValueError.
    """
    pieces: list[Piece] = []
    parts: list[Samples] = []
    for span, samples in clips:
        if span.duration > max_chunk_s + 1e-6:
            raise ValueError(f"{span} is longer than {max_chunk_s} s")
        is_full = bool(pieces) and pieces[-1].until + span.duration > max_chunk_s
        if pieces and (is_full or not is_joining):
            yield Chunk(Audio(np.concatenate(parts)), tuple(pieces))
            pieces, parts = [], []
        pieces.append(Piece(pieces[-1].until if pieces else 0.0, span))
        parts.append(samples)
    if pieces:
        yield Chunk(Audio(np.concatenate(parts)), tuple(pieces))
