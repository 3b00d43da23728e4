from __future__ import annotations

import numpy as np
import pytest

from offscribe.pipeline.packing import Piece, pack
from offscribe.types import SAMPLE_RATE, Samples, Span


def clips(*spans: tuple[float, float]) -> list[tuple[Span, Samples]]:
    return [
        (Span(start, end), np.full(round((end - start) * SAMPLE_RATE), start, np.float32))
        for start, end in spans
    ]


def bounds(spans: list[tuple[float, float]], **options: bool) -> list[list[tuple[float, float]]]:
    return [
        [(piece.span.start, piece.span.end) for piece in chunk.pieces]
        for chunk in pack(clips(*spans), max_chunk_s=10, **options)
    ]


def test_spans_fill_a_chunk_without_the_silence_between_them() -> None:
    spans = [(0.0, 4.0), (20.0, 24.0), (40.0, 42.0), (50.0, 51.0)]
    assert bounds(spans, is_joining=True) == [spans[:3], spans[3:]]


def test_a_chunk_is_its_spans_one_after_another() -> None:
    [chunk] = pack(clips((1.0, 2.0), (5.0, 5.5)), max_chunk_s=10, is_joining=True)
    assert chunk.audio.duration == 1.5
    assert chunk.audio.samples[0] == 1.0
    assert chunk.audio.samples[-1] == 5.0
    assert [piece.at for piece in chunk.pieces] == [0.0, 1.0]
    assert (chunk.start, chunk.end) == (1.0, 5.5)


def test_without_joining_each_span_is_a_chunk() -> None:
    spans = [(0.0, 1.0), (1.5, 2.0)]
    assert bounds(spans, is_joining=False) == [spans[:1], spans[1:]]


def test_no_spans_give_no_chunks() -> None:
    assert bounds([], is_joining=True) == []


def test_a_span_longer_than_a_chunk_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="longer than 10 s"):
        bounds([(0.0, 10.5)], is_joining=True)


def test_chunk_time_becomes_file_time_and_stays_inside_the_span() -> None:
    piece = Piece(at=3.0, span=Span(20.0, 24.0))
    assert piece.to_file(3.5) == pytest.approx(20.5)
    assert piece.to_file(2.9) == 20.0
    assert piece.to_file(7.5) == 24.0
