from __future__ import annotations

import pytest

from offscribe.events import (
    ClearCache,
    Command,
    Event,
    JobChanged,
    LoadModel,
    ModelFailed,
    ModelLoaded,
    ModelUnloaded,
    ModelWanted,
    Obeyed,
    OutboundAttempt,
    Refused,
    UnloadModel,
    WorkerEnded,
    decode,
    decode_command,
    encode,
)


@pytest.mark.parametrize(
    "event",
    [
        JobChanged("1"),
        ModelLoaded("whisper-base", "cpu", "no CUDA device"),
        ModelFailed("whisper-base", "model_missing", "换行\n", "提示"),
        ModelUnloaded("whisper-base"),
        ModelWanted("vosk-small-cn"),
        WorkerEnded(True),
        Obeyed("1"),
        Refused("1", "conflict", "in use", ""),
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


@pytest.mark.parametrize(
    "command", [LoadModel("1", "whisper-base"), UnloadModel("2"), ClearCache("3")]
)
def test_a_command_comes_back_from_its_line_and_is_no_event(command: Command) -> None:
    assert decode_command(encode(command)) == command
    with pytest.raises(ValueError, match="not an event"):
        decode(encode(command))
