from __future__ import annotations

import pytest

from offscribe.events import (
    Event,
    JobChanged,
    ModelFailed,
    ModelLoaded,
    OutboundAttempt,
    decode,
    encode,
)


@pytest.mark.parametrize(
    "event",
    [
        JobChanged("1"),
        ModelLoaded("whisper-base", "cpu", "no CUDA device"),
        ModelFailed("model_missing", "换行\n", "提示"),
        OutboundAttempt("example.org"),
    ],
)
def test_an_event_comes_back_from_its_line(event: Event) -> None:
    line = encode(event)
    assert "\n" not in line
    assert decode(line) == event


@pytest.mark.parametrize(
    "line", ["", "x", "[]", "{}", "3", '{"event": "Other"}', '{"event": "JobChanged", "x": 1}']
)
def test_anything_else_is_refused(line: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # JSON's own error is one too
        decode(line)
