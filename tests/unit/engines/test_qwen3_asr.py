from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from offscribe.engines.nano import Request
from offscribe.engines.qwen3_asr import QWEN3_ASR, QwenDecoder, load
from offscribe.errors import ModelDamaged
from offscribe.types import LoadOptions


@dataclass
class Result:
    text: str
    tokens: list[str]


@dataclass
class Stream:
    result: Result
    options: dict[str, str] = field(default_factory=dict)

    def set_option(self, name: str, value: str) -> None:
        self.options[name] = value

    def accept_waveform(self, *_: object) -> None:
        pass


@dataclass
class Sherpa:
    """Writes one text, a token a letter."""

    text: str
    streams: list[Stream] = field(default_factory=list)

    def create_stream(self) -> Stream:
        self.streams.append(Stream(Result(self.text, list(self.text))))
        return self.streams[-1]

    def decode_stream(self, _: Stream) -> None:
        pass


def decoded(sherpa: Sherpa, budget: int = 100) -> str:
    request = Request("Chinese", True, ("甲", "乙"))
    [text] = QwenDecoder(sherpa).decode([np.zeros(16_000, np.float32)], request, [budget])
    return text


def test_the_language_that_the_model_writes_first_is_no_text() -> None:
    assert decoded(Sherpa("language Chinese<asr_text>今天很好。")) == "今天很好。"
    assert decoded(Sherpa("今天很好。")) == "今天很好。"


def test_language_and_hotwords_are_given_to_the_stream() -> None:
    sherpa = Sherpa("好")
    decoded(sherpa)
    assert sherpa.streams[0].options == {"hotwords": "甲,乙", "language": "Chinese"}


def test_what_goes_beyond_the_budget_is_cut_off() -> None:
    assert decoded(Sherpa("好" * 50), budget=3) == "好好好"


def test_missing_files_are_named_before_native_code_reads_them(tmp_path: Path) -> None:
    pytest.importorskip("sherpa_onnx")
    with pytest.raises(ModelDamaged, match="conv_frontend"):
        load(QWEN3_ASR, tmp_path, LoadOptions())
