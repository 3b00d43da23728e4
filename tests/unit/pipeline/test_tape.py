from __future__ import annotations

import numpy as np
import pytest

from offscribe.pipeline.tape import Tape
from offscribe.types import SAMPLE_RATE, Audio, Span


def seconds_tape(n_seconds: int, *, keep_s: float) -> Tape:
    """A tape of one-second windows; the samples of second k are all k."""
    tape = Tape(keep_s=keep_s)
    for _ in tape.playing(
        Audio(np.full(SAMPLE_RATE, second, np.float32)) for second in range(n_seconds)
    ):
        pass
    return tape


def test_a_cut_across_windows_is_seamless() -> None:
    samples = seconds_tape(5, keep_s=100).cut(Span(1.5, 3.25))
    assert len(samples) == 1.75 * SAMPLE_RATE
    assert [samples[0], samples[SAMPLE_RATE], samples[-1]] == [1.0, 2.0, 3.0]


def test_old_windows_are_let_go_and_the_newest_stay() -> None:
    tape = seconds_tape(10, keep_s=3)
    assert len(tape.cut(Span(7.0, 10.0))) == 3 * SAMPLE_RATE
    assert tape.duration == 10
    with pytest.raises(ValueError, match="no longer on the tape"):
        tape.cut(Span(6.5, 8.0))


def test_a_cut_ends_where_the_recording_ends() -> None:
    assert len(seconds_tape(2, keep_s=9).cut(Span(1.5, 3.0))) == SAMPLE_RATE / 2
