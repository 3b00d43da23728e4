from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from offscribe.engines.nano import (
    MAX_HOTWORDS,
    MLT_LANGUAGES,
    NANO_LANGUAGES,
    NanoRecognizer,
    Request,
    cleaned,
    context,
    fitting_hotwords,
    heard_language,
    instruction,
    languages_of,
    names_of,
    token_budget,
)
from offscribe.errors import OutOfMemory
from offscribe.types import SAMPLE_RATE, Audio, ModelCard, RecognizeOptions, Samples
from tests.fakes import loud, silence

ZH = RecognizeOptions(language="zh")
CARD = ModelCard(
    id="nano",
    title="Nano",
    engine="fake",
    kind="recognizer",
    licence="",
    homepage="",
    languages=tuple(NANO_LANGUAGES),
    times="segment",
)


class Decoder:
    """Writes what *writes* says for a clip; ``asked`` keeps lengths, requests and budgets."""

    def __init__(
        self, writes: Callable[[Samples, Request], str], *, most_at_once: int = 100
    ) -> None:
        self.asked: list[tuple[list[float], Request, list[int]]] = []
        self._writes = writes
        self._most_at_once = most_at_once

    def decode(
        self, clips: Sequence[Samples], request: Request, budgets: Sequence[int]
    ) -> list[str]:
        if len(clips) > self._most_at_once:
            raise RuntimeError("CUDA out of memory")
        durations = [len(clip) / SAMPLE_RATE for clip in clips]
        self.asked.append((durations, request, list(budgets)))
        return [self._writes(clip, request) for clip in clips]


def recognizer(decoder: Decoder) -> NanoRecognizer:
    return NanoRecognizer(CARD, decoder, names=NANO_LANGUAGES, device="cpu", batch_size=4)


def heard(decoder: Decoder, *sounds: Samples, options: RecognizeOptions = ZH) -> list[str]:
    answers = recognizer(decoder).recognize([Audio(sound) for sound in sounds], options)
    return [answer.text for answer in answers]


def with_hotwords(*words: str) -> RecognizeOptions:
    return RecognizeOptions(language="zh", hotwords=words)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (Request(None, True, ()), "语音转写："),
        (Request("中文", True, ()), "语音转写成中文："),
        (Request("英文", False, ()), "语音转写成英文，不进行文本规整："),
        (Request(None, False, ()), "语音转写，不进行文本规整："),
    ],
)
def test_the_instruction_is_the_one_of_the_training(request_: Request, expected: str) -> None:
    assert instruction(request_) == expected


def test_the_context_is_the_one_of_the_training() -> None:
    assert context(()) == ""
    assert context(("阿里", "通义")) == (
        "请结合上下文信息，更加准确地完成语音转写任务。如果没有相关信息，我们会留空。\n\n\n"
        "**上下文信息：**\n\n\n热词列表：[阿里, 通义]\n"
    )


def test_there_are_31_languages_in_the_larger_family() -> None:
    assert len(MLT_LANGUAGES) == 31
    assert len(set(MLT_LANGUAGES.values())) == 31


def test_each_clip_has_a_budget_for_its_own_length() -> None:
    decoder = Decoder(lambda *_: "好")
    heard(decoder, loud(1), loud(10))
    assert decoder.asked == [([1.0, 10.0], Request("中文", True, ()), [30, 120])]
    assert token_budget(0.5) == 25


def test_what_is_not_audible_is_not_asked_about() -> None:
    decoder = Decoder(lambda *_: "好")
    assert heard(decoder, silence(3), loud(1), silence(0)) == ["", "好", ""]
    assert [len(durations) for durations, *_ in decoder.asked] == [1]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("/sil", ""),
        ("[breath]大家好。", "大家好。"),
        ("大家好。<|im_end|>", "大家好。"),
        ("<|zh|>大家好。<|endoftext|>", "大家好。"),
        ("  大家好。\n", "大家好。"),
        ("</think>大家好。", "大家好。"),
    ],
)
def test_marks_and_special_tokens_are_no_text(written: str, expected: str) -> None:
    assert cleaned(written) == expected
    assert heard(Decoder(lambda *_: written), loud(1)) == [expected]


def test_a_loop_is_heard_again_without_hotwords() -> None:
    decoder = Decoder(lambda _, request: "好的" * 30 if request.hotwords else "今天开会。")
    options = with_hotwords("开会")
    assert heard(decoder, loud(3), options=options) == ["今天开会。"]
    assert [request.hotwords for _, request, _ in decoder.asked] == [("开会",), ()]


def test_a_loop_without_hotwords_is_heard_in_halves() -> None:
    decoder = Decoder(lambda clip, _: "好的" * 30 if len(clip) > 7 * SAMPLE_RATE else "今天")
    assert heard(decoder, loud(8)) == ["今天今天"]
    assert [len(durations) for durations, *_ in decoder.asked] == [1, 2]
    assert sum(decoder.asked[1][0]) == pytest.approx(8)


def test_the_cut_is_at_the_quietest_place_of_the_middle() -> None:
    decoder = Decoder(lambda clip, _: "好的" * 30 if len(clip) > 6 * SAMPLE_RATE else "今天")
    heard(decoder, np.concatenate([loud(3), loud(1, 0.001), loud(4)]))
    assert decoder.asked[1][0][0] == pytest.approx(3.0, abs=0.1)


def test_a_loop_that_stays_is_said_once() -> None:
    assert heard(Decoder(lambda *_: "我们" + "好的" * 30), loud(1)) == ["我们好的"]


def test_only_the_doubtful_clip_is_heard_again() -> None:
    loops = loud(2, 0.9)
    decoder = Decoder(
        lambda clip, request: "好的" * 30 if clip[0] > 0.8 and request.hotwords else "今天"
    )
    assert heard(decoder, loud(1), loops, options=with_hotwords("开会")) == ["今天", "今天"]
    assert [durations for durations, *_ in decoder.asked] == [[1.0, 2.0], [2.0]]


def test_recited_hotwords_are_not_what_was_said() -> None:
    decoder = Decoder(lambda _, request: "阿里巴巴，通义实验室" if request.hotwords else "")
    assert heard(decoder, loud(1), options=with_hotwords("阿里巴巴", "通义实验室")) == [""]


def test_the_context_itself_is_not_what_was_said() -> None:
    decoder = Decoder(lambda *_: "热词列表：[阿里巴巴]")
    assert heard(decoder, loud(1), options=with_hotwords("阿里巴巴")) == [""]


def test_people_may_say_what_the_instruction_says() -> None:
    assert heard(Decoder(lambda *_: "语音转写。"), loud(1)) == ["语音转写。"]


def test_one_hotword_alone_may_be_all_that_was_said() -> None:
    decoder = Decoder(lambda *_: "阿里巴巴。")
    assert heard(decoder, loud(1), options=with_hotwords("阿里巴巴", "腾讯")) == ["阿里巴巴。"]


def test_hotwords_are_capped_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    words = [f"热词{number}" for number in range(300)]
    assert fitting_hotwords(words) == tuple(words[:MAX_HOTWORDS])
    assert "100 of 300 hotwords" in caplog.text
    caplog.clear()
    assert fitting_hotwords(["阿里", "通义"]) == ("阿里", "通义")
    assert caplog.text == ""


def test_hotwords_cannot_break_the_list_they_stand_in() -> None:
    words = ["a,b", "c]\nd", "  ", "长" * 21, "e；f", "a b"]
    assert fitting_hotwords(words) == ("a b", "c d", "e f")


def test_a_hotword_cannot_end_the_question() -> None:
    assert fitting_hotwords(["<|im_end|>", "甲<|im_start|>乙"]) == ("甲 乙",)


def test_memory_that_runs_out_halves_the_batch() -> None:
    decoder = Decoder(lambda *_: "好", most_at_once=1)
    assert heard(decoder, loud(1), loud(2), loud(3)) == ["好", "好", "好"]
    with pytest.raises(OutOfMemory):
        heard(Decoder(lambda *_: "好", most_at_once=0), loud(1))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("今天很好。", "zh"),
        ("リビングの電気", "ja"),
        ("Hello there", "en"),
        ("请打开 Excel 表格", "zh"),
        ("", "auto"),
        ("123", "auto"),
    ],
)
def test_with_auto_the_script_tells_the_language(text: str, language: str) -> None:
    options = RecognizeOptions(language="auto")
    [answer] = recognizer(Decoder(lambda *_: text)).recognize([Audio(loud(1))], options)
    assert answer.language == language


def test_latin_letters_tell_nothing_where_many_languages_use_them() -> None:
    assert heard_language("bonjour", tuple(MLT_LANGUAGES)) == "auto"
    assert heard_language("안녕하세요", tuple(MLT_LANGUAGES)) == "ko"


def test_a_checkpoint_of_the_larger_family_is_asked_in_its_own_names() -> None:
    assert languages_of("Fun-ASR-Nano-2512") == tuple(NANO_LANGUAGES)
    larger = replace(CARD, languages=languages_of("Fun-ASR-MLT-Nano-2512-hf"))
    assert names_of(larger)["yue"] == "粤语"
    assert names_of(CARD)["yue"] == "中文"
