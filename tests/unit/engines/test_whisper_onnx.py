"""The loop over the tokens, and the second thoughts about what it gives; on a scripted model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from offscribe.engines.registry import load_recognizer
from offscribe.engines.whisper_onnx import (
    MARKS,
    WHISPER_SMALL,
    OnnxDecoder,
    Take,
    WhisperOnnxRecognizer,
    _quantization,
    describe,
    devices,
    is_unheard,
    recognises,
)
from offscribe.engines.whisper_prompts import NO_PROMPT, Prompt
from offscribe.errors import BadOption, ModelDamaged
from offscribe.types import Audio, LoadOptions, RecognizeOptions, Samples

SPEECH = Audio(np.full(16_000, 0.1, np.float32))
SILENCE = Audio(np.zeros(16_000, np.float32))
TEXT = ("大家", "好", "你好", "hello", "unknown")
CONTROL = (
    *("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|zh|>", "<|transcribe|>"),
    *("<|startofprev|>", "<|nocaptions|>", "<|notimestamps|>"),
)
IDS = {name: at for at, name in enumerate((*TEXT, *CONTROL))}
SURE = 12.0
TALK = {"<|notimestamps|>": "大家", "大家": "好", "好": "<|endoftext|>"}


class FakeModel:
    """onnx-asr's Whisper, as far as the loop uses it: after each token the *script* has the next
    one. *loudness*: how sure it is, as a logit."""

    _tokens = IDS

    def __init__(self, script: Mapping[str, str], loudness: float = SURE) -> None:
        self._script, self._loudness = script, loudness
        self.heads: list[list[int]] = []

    def _encode(self, samples: np.ndarray, lengths: np.ndarray) -> str:
        assert samples.shape == (1, lengths[0])
        return "states"

    def _create_state(self) -> tuple[()]:
        return ()

    def _decode(self, ids: np.ndarray, cache: Any, states: str) -> tuple[np.ndarray, Any]:
        assert states == "states"
        if cache == ():
            self.heads.append(ids[0].tolist())
        names = list(IDS)
        logits = np.zeros((1, ids.shape[1], len(IDS)), np.float32)
        for at, token in enumerate(ids[0]):
            if (following := self._script.get(names[token])) is not None:
                logits[0, at, IDS[following]] = self._loudness
        return logits, "cache"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a tokenizer of whole words."""
    pytest.importorskip("tokenizers")
    special = [
        {"id": IDS[name], "content": name, "special": True, "single_word": False}
        | {"lstrip": False, "rstrip": False, "normalized": False}
        for name in CONTROL
    ]
    tokenizer = {
        "version": "1.0",
        "added_tokens": special,
        "pre_tokenizer": {"type": "Whitespace"},
        "decoder": {"type": "Fuse"},
        "model": {"type": "WordLevel", "vocab": IDS, "unk_token": "unknown"},
    }
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer), "utf-8")
    return tmp_path


def written(folder: Path, script: Mapping[str, str], loudness: float = SURE) -> Take:
    decoder = OnnxDecoder(FakeModel(script, loudness), folder)
    return decoder.write("states", "zh", NO_PROMPT, 1.0)


def test_the_card_adds_up() -> None:
    assert WHISPER_SMALL.size_bytes == 252_627_123
    [package] = WHISPER_SMALL.packages
    assert package.index == "npm"
    assert [target for _, target in package.members] == [file.path for file in WHISPER_SMALL.files]
    for mark in MARKS:
        assert any(Path(file.path).match(mark.removeprefix("**/")) for file in WHISPER_SMALL.files)


def test_tokens_are_written_one_after_the_other_until_the_end(folder: Path) -> None:
    take = written(folder, TALK)
    assert take.text == "大家好"
    assert take.logprob == pytest.approx(-np.log1p((len(IDS) - 8) * np.exp(-SURE)), abs=1e-4)


def test_an_unsure_model_has_a_low_logprob(folder: Path) -> None:
    take = written(folder, TALK, loudness=1.0)
    assert take.logprob == pytest.approx(1.0 - np.log(np.e + 5), abs=1e-5)


def test_the_probability_of_no_speech_is_read_after_the_start(folder: Path) -> None:
    silent = written(folder, {**TALK, "<|startoftranscript|>": "<|nocaptions|>"})
    assert silent.no_speech == pytest.approx(1.0, abs=1e-3)
    late = written(folder, {**TALK, "<|transcribe|>": "<|nocaptions|>"})
    assert late.no_speech == pytest.approx(1 / len(IDS))


def test_control_tokens_are_never_written(folder: Path) -> None:
    take = written(folder, {**TALK, "<|notimestamps|>": "<|zh|>"})
    assert "<|" not in take.text


def test_a_loop_ends_with_the_budget_of_the_sound(folder: Path) -> None:
    take = written(folder, {**TALK, "好": "大家"})
    assert len(take.text) == 16 * 3  # 20 tokens and 12 a second, of one and two characters


def test_the_prompt_goes_before_the_start(folder: Path) -> None:
    model = FakeModel(TALK)
    OnnxDecoder(model, folder).write("states", "zh", Prompt("", (), (2, 3)), 1.0)
    head = [IDS[name] for name in ("<|startoftranscript|>", "<|zh|>", "<|transcribe|>")]
    assert model.heads == [[IDS["<|startofprev|>"], 2, 3, *head, IDS["<|notimestamps|>"]]]


def test_the_language_is_the_most_probable_one(folder: Path) -> None:
    decoder = OnnxDecoder(FakeModel({"<|startoftranscript|>": "<|en|>"}), folder)
    assert decoder.language_of("states") == "en"
    assert (decoder.has_language("zh"), decoder.has_language("yue")) == (True, False)


def test_text_from_people_gives_no_control_tokens(folder: Path) -> None:
    decoder = OnnxDecoder(FakeModel(TALK), folder)
    assert decoder.text_tokens("大家 <|endoftext|> 好 <|en|>") == [IDS["大家"], IDS["好"]]
    assert decoder.text_tokens("hello \ud800") == [IDS["hello"], IDS["unknown"]]


@pytest.mark.parametrize(
    ("take", "expected"),
    [
        (Take("大家好", -0.1, 0.9), False),
        (Take("一三一五零八八", -0.36, 0.62), False),
        (Take("含糊的话", -1.5, 0.2), False),
        (Take("字幕", -0.66, 0.75), True),
        (Take("警报", -0.88, 0.363), True),
        (Take("((((", -0.1, 0.1), True),
        (Take("(upbeat music)", -0.1, 0.1), True),
        (Take("[beep] [beep].", -0.1, 0.1), True),
        (Take("大家(笑)好", -0.1, 0.1), False),
        (Take("", 0.0, 0.0), True),
    ],
)
def test_doubt_and_unsureness_together_mean_that_nobody_spoke(take: Take, expected: bool) -> None:
    assert is_unheard(take) is expected


class FakeDecoder:
    """Gives the *takes* one after the other."""

    def __init__(self, *takes: Take) -> None:
        self._takes = list(takes)
        self.prompts: list[Prompt] = []

    def has_language(self, code: str) -> bool:
        return code != "yue"

    def text_tokens(self, text: str) -> list[int]:
        return [1] * len(text)

    def encode(self, clip: Samples) -> Samples:
        return clip

    def language_of(self, states: Samples) -> str:
        return "zh" if states[0] > 0.05 else "en"

    def write(self, states: Samples, language: str, prompt: Prompt, duration: float) -> Take:
        assert (language, duration) != ("yue", 0)
        assert len(states)
        self.prompts.append(prompt)
        return self._takes.pop(0)


def heard(takes: Sequence[Take], **wishes: object) -> tuple[str, list[Prompt]]:
    decoder = FakeDecoder(*takes)
    made = WhisperOnnxRecognizer(WHISPER_SMALL, decoder, device="cpu", batch_size=8)  # type: ignore[arg-type]
    _, answer = made.recognize([SILENCE, SPEECH], RecognizeOptions(**wishes))  # type: ignore[arg-type]
    return answer.text, decoder.prompts


def test_what_is_sure_is_taken_at_once() -> None:
    assert heard([Take("大家好。", -0.1, 0.1)])[0] == "大家好。"


def test_what_repeats_the_prompt_is_written_again_without_it() -> None:
    parrot = Take("请使用简体中文，并加上标点符号。", -0.2, 0.8)
    text, prompts = heard([parrot, Take("(字幕)", -1.2, 0.8)])
    assert (text, bool(prompts[0].token_ids), prompts[1]) == ("", True, NO_PROMPT)


def test_a_loop_that_stays_is_said_once() -> None:
    loop = Take("再见" * 30, -0.1, 0.1)
    assert heard([loop, loop])[0] == "再见"


def test_cantonese_keeps_its_name_where_the_model_takes_it_for_chinese() -> None:
    decoder = FakeDecoder(Take("大家好", -0.1, 0.1))
    made = WhisperOnnxRecognizer(WHISPER_SMALL, decoder, device="cpu", batch_size=8)  # type: ignore[arg-type]
    [answer] = made.recognize([SPEECH], RecognizeOptions(language="yue"))
    assert (answer.text, answer.language) == ("大家好", "yue")


def test_the_files_are_chosen_by_the_compute_type(tmp_path: Path) -> None:
    (tmp_path / "onnx").mkdir()
    (tmp_path / "onnx" / "encoder_model.onnx").touch()
    assert _quantization(tmp_path, "auto") is None
    with pytest.raises(BadOption, match="int8") as caught:
        _quantization(tmp_path, "int8")
    assert caught.value.hint == "It has: float32."
    (tmp_path / "onnx" / "encoder_model_quantized.onnx").touch()
    assert _quantization(tmp_path, "auto") == _quantization(tmp_path, "int8") == "quantized"
    assert _quantization(tmp_path, "float32") is None


def test_an_exported_folder_is_told_by_its_configuration(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"model_type": "whisper", "vocab_size": 51864}', "utf-8")
    assert recognises(tmp_path)
    assert describe(tmp_path).languages == ("en",)
    config.write_text('{"model_type": "wav2vec2"}', "utf-8")
    assert not recognises(tmp_path)
    config.write_text('{"model_type"', "utf-8")
    with pytest.raises(ModelDamaged, match=r"config\.json"):
        recognises(tmp_path)


@pytest.mark.parametrize("missing", range(len(MARKS)))
def test_an_incomplete_folder_is_refused_before_any_library_looks_at_it(
    tmp_path: Path, missing: int
) -> None:
    for at, mark in enumerate(MARKS):
        if at != missing:
            (tmp_path / mark.removeprefix("**/").replace("*", "")).touch()
    with pytest.raises(ModelDamaged, match="incomplete"):
        load_recognizer(replace(WHISPER_SMALL, files=()), tmp_path, LoadOptions(device="cpu"))


def test_a_broken_tokenizer_is_damage(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{", "utf-8")
    with pytest.raises(ModelDamaged, match="is not a tokenizer"):
        OnnxDecoder(FakeModel(TALK), folder)


def test_metal_is_named_as_what_the_library_lacks() -> None:
    reports = {report.device: report for report in devices()}
    assert not reports["mps"].is_usable
    assert reports["cpu"].is_usable
