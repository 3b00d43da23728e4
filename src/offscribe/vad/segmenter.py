"""Frame probabilities become speech spans."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from offscribe.types import SAMPLE_RATE, Audio, Span, Vad, VadFrames, VadOptions

HYSTERESIS = 0.15
"""A span opens at the threshold and closes this much below it."""
SMOOTHING_S = 0.1
"""The quietest point is looked for in levels averaged over this time."""
DOUBT_DB = 20.0
"""At equal level, a frame that is surely no speech counts as this much quieter."""


def detect(windows: Iterable[Audio], vad: Vad, options: VadOptions) -> Iterator[Span]:
    """Yield the speech spans of consecutive *windows*, in order, each as soon as it is final.

    Spans do not overlap and lie within the recording. A window is pulled only when needed.
    """
    stream = vad.open()
    segmenter = Segmenter(options, frame_s=vad.frame_s)
    n_samples = 0
    for window in windows:
        n_samples += len(window.samples)
        yield from segmenter.accept(stream.accept(window.samples))
    duration = n_samples / SAMPLE_RATE
    for span in [*segmenter.accept(stream.finish()), *segmenter.finish()]:
        if span.start < duration:
            yield Span(span.start, min(span.end, duration))


class Segmenter:
    """Turns frames into spans as they come; how they are portioned makes no difference.

    State is at most one longest segment of frames.
    """

    def __init__(self, options: VadOptions, *, frame_s: float) -> None:
        self._frame_s = frame_s
        self._open_at = options.threshold
        self._close_at = max(options.threshold - HYSTERESIS, 0.01)
        self._min_speech = _frames(options.min_speech_ms, frame_s)
        self._min_silence = max(_frames(options.min_silence_ms, frame_s), 1)
        self._pad = _frames(options.pad_ms, frame_s)
        # Room for both pads, so that no padded piece is longer than allowed.
        self._longest = max(int(options.max_segment_ms / 1000 / frame_s) - 2 * self._pad, 2)
        self._smoothing = max(round(SMOOTHING_S / frame_s), 1)
        self._now = 0
        self._start: int | None = None
        self._is_continued = False
        self._silent_since: int | None = None
        self._costs: list[float] = []
        self._pending: _Piece | None = None
        self._last_end = 0

    @property
    def open_since(self) -> float | None:
        """Seconds at which the speech that is going on began; None between spans."""
        return None if self._start is None else self._start * self._frame_s

    def accept(self, frames: VadFrames) -> list[Span]:
        """Return the spans that these frames made final."""
        spans: list[Span] = []
        for probability, level in zip(
            frames.probabilities.tolist(), frames.levels_db.tolist(), strict=True
        ):
            if self._start is None and probability >= self._open_at:
                self._start, self._silent_since, self._costs = self._now, None, []
                self._is_continued = False
            if self._start is not None:
                self._costs.append(level + DOUBT_DB * probability)
                self._follow(probability, spans)
            self._now += 1
            self._settle(spans)
        return spans

    def finish(self) -> list[Span]:
        """Return the spans that only the end made final. Ends may lie half a frame beyond the
        recording; ``detect`` cuts them there."""
        spans: list[Span] = []
        if self._start is not None:
            end = self._silent_since if self._silent_since is not None else self._now
            self._close(end, spans)
        if self._pending is not None:
            spans.append(
                self._span(self._pending, end=min(self._pending.end + self._pad, self._now))
            )
            self._pending = None
        return spans

    def _follow(self, probability: float, spans: list[Span]) -> None:
        """One more frame of an open span: does it end, or is it too long?"""
        assert self._start is not None
        if probability >= self._close_at:
            self._silent_since = None
        elif self._silent_since is None:
            self._silent_since = self._now
        if (
            self._silent_since is not None
            and self._now + 1 - self._silent_since >= self._min_silence
        ):
            self._close(self._silent_since, spans)
        elif self._now + 1 - self._start >= self._longest:
            self._cut(spans)

    def _close(self, end: int, spans: list[Span]) -> None:
        assert self._start is not None
        piece = _Piece(self._start, end, is_continued=self._is_continued)
        self._start = None
        if self._is_continued or piece.end - piece.start >= max(self._min_speech, 1):
            self._queue(piece, spans)

    def _cut(self, spans: list[Span]) -> None:
        """End the open span at its quietest point and go on right there."""
        assert self._start is not None
        at = self._start + self._quietest()
        self._queue(_Piece(self._start, at, is_continued=self._is_continued), spans)
        self._costs = self._costs[at - self._start :]
        self._start, self._is_continued = at, True
        if self._silent_since is not None:
            self._silent_since = max(self._silent_since, at)

    def _quietest(self) -> int:
        """The offset of the quietest frame in the second half of the open span."""
        half = len(self._costs) // 2
        costs: npt.NDArray[np.float64] = np.array(self._costs)
        width = min(self._smoothing, len(costs))
        smooth = np.convolve(costs, np.ones(width) / width, mode="same")
        # The last frames are smoothed with nothing: leave them out.
        end = max(len(costs) - width, half + 1)
        return half + int(np.argmin(smooth[half:end]))

    def _queue(self, piece: _Piece, spans: list[Span]) -> None:
        """*piece* is sure. The one before it now knows how much of the gap is its own."""
        if self._pending is not None:
            gap = piece.start - self._pending.end
            right = 0 if piece.is_continued else min(self._pad, gap // 2)
            spans.append(self._span(self._pending, end=self._pending.end + right))
            piece.left = 0 if piece.is_continued else min(self._pad, gap - right)
        else:
            piece.left = 0 if piece.is_continued else min(self._pad, piece.start - self._last_end)
        self._pending = piece

    def _settle(self, spans: list[Span]) -> None:
        """Let the pending piece go once nothing can claim a part of its padding."""
        pending = self._pending
        if pending is None or self._start is not None:
            return
        if self._now >= pending.end + 2 * self._pad:
            spans.append(self._span(pending, end=pending.end + self._pad))
            self._pending = None

    def _span(self, piece: _Piece, *, end: int) -> Span:
        self._last_end = end
        return Span((piece.start - piece.left) * self._frame_s, end * self._frame_s)


class _Piece:
    """Speech from frame *start* to frame *end*; *left* frames of padding go before it."""

    def __init__(self, start: int, end: int, *, is_continued: bool) -> None:
        self.start = start
        self.end = end
        self.left = 0
        self.is_continued = is_continued


def _frames(milliseconds: int, frame_s: float) -> int:
    return round(milliseconds / 1000 / frame_s)
