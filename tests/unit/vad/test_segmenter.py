from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offscribe.types import Span, VadFrames, VadOptions
from offscribe.vad.segmenter import Segmenter, detect
from tests.fakes import LoudnessVad, loud, silence, windows

FRAME_S = 0.01
PLAIN = VadOptions(min_speech_ms=0, min_silence_ms=50, pad_ms=0, max_segment_ms=60_000)


def frames(probabilities: list[float], levels: list[float] | None = None) -> VadFrames:
    return VadFrames(
        np.array(probabilities, np.float32),
        np.array(levels if levels is not None else [-20.0] * len(probabilities), np.float32),
    )


def spans(
    probabilities: list[float], options: VadOptions, levels: list[float] | None = None
) -> list[tuple[float, float]]:
    segmenter = Segmenter(options, frame_s=FRAME_S)
    found = [*segmenter.accept(frames(probabilities, levels)), *segmenter.finish()]
    return [(round(span.start, 2), round(span.end, 2)) for span in found]


def options(**changes: float) -> VadOptions:
    fields = {
        "min_speech_ms": 0,
        "min_silence_ms": 50,
        "pad_ms": 0,
        "max_segment_ms": 60_000,
        **changes,
    }
    return VadOptions(**fields)  # type: ignore[arg-type]


def test_speech_between_silences_is_a_span() -> None:
    assert spans([0] * 10 + [1] * 20 + [0] * 10, PLAIN) == [(0.1, 0.3)]


def test_speech_up_to_the_end_is_closed_there() -> None:
    assert spans([0] * 10 + [1] * 20, PLAIN) == [(0.1, 0.3)]


def test_a_gap_splits_only_when_it_is_long_enough() -> None:
    assert spans([1] * 10 + [0] * 4 + [1] * 10, PLAIN) == [(0.0, 0.24)]
    assert spans([1] * 10 + [0] * 5 + [1] * 10, PLAIN) == [(0.0, 0.1), (0.15, 0.25)]


def test_a_span_opens_at_the_threshold_and_closes_below_it() -> None:
    row = [0.49] * 5 + [0.5] * 5 + [0.36] * 5 + [0.34] * 10
    assert spans(row, PLAIN) == [(0.05, 0.15)]


def test_a_burst_shorter_than_the_minimum_is_dropped() -> None:
    row = [0] * 10 + [1] * 9 + [0] * 10
    assert spans(row, options(min_speech_ms=90)) == [(0.1, 0.19)]
    assert spans(row, options(min_speech_ms=100)) == []


def test_padding_goes_around_a_span_but_not_beyond_the_file() -> None:
    row = [0] * 3 + [1] * 10 + [0] * 20 + [1] * 10 + [0] * 4
    assert spans(row, options(pad_ms=50)) == [(0.0, 0.18), (0.28, 0.47)]


def test_neighbours_share_a_gap_that_is_too_short_for_both_pads() -> None:
    row = [1] * 10 + [0] * 6 + [1] * 10
    assert spans(row, options(pad_ms=50)) == [(0.0, 0.13), (0.13, 0.26)]


def test_a_dropped_burst_takes_no_padding_from_its_neighbour() -> None:
    row = [1] * 20 + [0] * 6 + [1] * 1 + [0] * 30
    assert spans(row, options(pad_ms=50, min_speech_ms=50)) == [(0.0, 0.25)]


def test_long_speech_is_cut_at_its_quietest_point() -> None:
    levels = [-20.0] * 200
    levels[75:86] = [-50.0] * 11
    found = spans([1.0] * 200, options(max_segment_ms=1000), levels)
    assert found[0][0] == 0.0
    assert found[0][1] == pytest.approx(0.80, abs=0.02)
    assert found[1][0] == found[0][1]


def test_a_cut_loses_no_audio_and_adds_no_padding_inside() -> None:
    found = spans([0.0] * 20 + [1.0] * 950 + [0.0] * 50, options(max_segment_ms=2000, pad_ms=100))
    assert (found[0][0], found[-1][1]) == (0.1, 9.8)
    assert all(left[1] == right[0] for left, right in pairwise(found))
    assert max(end - start for start, end in found) <= 2.0


def test_silence_and_nothing_give_no_span() -> None:
    assert spans([0.0] * 100, PLAIN) == []
    assert spans([], PLAIN) == []


def test_a_span_is_given_out_as_soon_as_nothing_can_change_it() -> None:
    segmenter = Segmenter(options(pad_ms=50), frame_s=FRAME_S)
    assert segmenter.accept(frames([1] * 20 + [0] * 9)) == []
    assert segmenter.open_since is None
    assert segmenter.accept(frames([0])) == [Span(0.0, pytest.approx(0.25))]  # type: ignore[arg-type]


def test_speech_that_goes_on_says_since_when() -> None:
    segmenter = Segmenter(PLAIN, frame_s=FRAME_S)
    segmenter.accept(frames([0] * 10 + [1] * 5))
    assert segmenter.open_since == pytest.approx(0.1)


probability_rows = st.lists(
    st.tuples(st.floats(0, 1, width=32), st.integers(1, 40)), max_size=40
).map(lambda runs: [p for p, count in runs for _ in range(count)])
any_options = st.builds(
    VadOptions,
    threshold=st.floats(0.05, 0.95),
    min_speech_ms=st.integers(0, 400),
    min_silence_ms=st.integers(0, 400),
    pad_ms=st.integers(0, 300),
    max_segment_ms=st.integers(1000, 3000),
)


@given(probability_rows, any_options)
def test_spans_are_ordered_apart_inside_and_never_too_long(
    row: list[float], options: VadOptions
) -> None:
    segmenter = Segmenter(options, frame_s=FRAME_S)
    found = [*segmenter.accept(frames(row)), *segmenter.finish()]
    slack = 1e-6
    for span in found:
        assert 0 <= span.start < span.end <= len(row) * FRAME_S + slack
        assert span.duration <= options.max_segment_ms / 1000 + slack
    for left, right in pairwise(found):
        assert left.end <= right.start + slack


@given(probability_rows, any_options, st.integers(1, 50))
def test_how_frames_are_portioned_makes_no_difference(
    row: list[float], options: VadOptions, portion: int
) -> None:
    at_once, in_parts = (Segmenter(options, frame_s=FRAME_S) for _ in range(2))
    expected = [*at_once.accept(frames(row)), *at_once.finish()]
    found: list[Span] = []
    for at in range(0, len(row), portion):
        found += in_parts.accept(frames(row[at : at + portion]))
    assert [*found, *in_parts.finish()] == expected


@given(probability_rows)
def test_every_sure_frame_of_speech_is_in_a_span(row: list[float]) -> None:
    segmenter = Segmenter(options(pad_ms=100, max_segment_ms=1000), frame_s=FRAME_S)
    found = [*segmenter.accept(frames(row)), *segmenter.finish()]
    for index, probability in enumerate(row):
        middle = (index + 0.5) * FRAME_S
        if probability >= 0.5:
            assert any(span.start <= middle <= span.end for span in found)


def test_detection_places_speech_in_the_file_and_ends_with_it() -> None:
    recording = windows(silence(5), loud(2.005))
    [span] = detect(recording, LoudnessVad(), options(pad_ms=100))
    assert span.start == pytest.approx(4.9)
    assert span.end == pytest.approx(7.0, abs=0.011)
    assert span.end <= 7.005


@pytest.mark.parametrize(
    "changes",
    [
        {"threshold": 0.0},
        {"threshold": 1.0},
        {"min_speech_ms": -1},
        {"pad_ms": 2001},
        {"max_segment_ms": 999},
        {"max_segment_ms": 60_001},
    ],
)
def test_options_out_of_range_are_refused(changes: dict[str, float]) -> None:
    from offscribe.errors import BadOption

    with pytest.raises(BadOption):
        options(**changes)
