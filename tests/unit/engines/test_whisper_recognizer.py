"""Second thoughts about what the model wrote, with a scripted model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from offscribe.engines.whisper_decoder import Search, Take
from offscribe.engines.whisper_prompts import STYLES
from offscribe.engines.whisper_recognizer import Hole, Layout, WhisperRecognizer, find_holes
from offscribe.errors import BadOption, InputError, OutOfMemory, UnknownLanguage
from offscribe.types import SAMPLE_RATE, Audio, ModelCard, RecognizeOptions, Samples, Word
from tests.fakes import ScriptedDecoder, loud, silence, taken

CARD = ModelCard(
    id="fake",
    title="Fake",
    engine="whisper",
    kind="recognizer",
    licence="",
    homepage="",
    languages=("zh", "en", "yue"),
    times="word",
)
ZH = RecognizeOptions(language="zh", beam_size=5)


def recognizer(decoder: ScriptedDecoder, *, n_workers: int = 1, part: int = 2) -> WhisperRecognizer:
    layout = Layout(n_workers, part)
    return WhisperRecognizer(CARD, decoder, layout, device="cpu (a fake)", batch_size=8)  # type: ignore[arg-type]


def always(take: Take) -> ScriptedDecoder:
    return ScriptedDecoder(lambda *_: take)


def texts(decoder: ScriptedDecoder, *chunks: Samples, options: RecognizeOptions = ZH) -> list[str]:
    heard = recognizer(decoder).recognize([Audio(chunk) for chunk in chunks], options)
    return [hypothesis.text for hypothesis in heard]


def test_a_batch_keeps_its_order_over_parts_and_workers() -> None:
    decoder = ScriptedDecoder(lambda samples, *_: taken("一二三四五六七八九"[int(samples[0] * 10)]))
    batch = [Audio(loud(1, level)) for level in (0.05, 0.15, 0.25, 0.35, 0.45)]
    heard = recognizer(decoder, n_workers=2).recognize(batch, ZH)
    assert [hypothesis.text for hypothesis in heard] == ["一", "二", "三", "四", "五"]
    assert sorted(decoder.sizes) == [1, 1, 1, 2]


@pytest.mark.parametrize(
    ("n_clips", "sizes"),
    [
        (0, []),
        (1, [1]),
        (2, [1, 1]),
        (3, [1, 2]),
        (4, [2, 2]),
        (5, [1, 1, 1, 2]),
        (8, [2, 2, 2, 2]),
    ],
)
def test_no_worker_waits_while_another_has_two_parts_left(n_clips: int, sizes: list[int]) -> None:
    assert [len(part) for part in Layout(2, 2).divided(range(n_clips))] == sizes


def test_parts_keep_the_order() -> None:
    assert [list(part) for part in Layout(2, 2).divided([1, 2, 3])] == [[1], [2, 3]]


@pytest.mark.parametrize("chunk", [silence(0), silence(3), loud(0.05), loud(3, 1e-5)])
def test_what_cannot_be_speech_is_not_even_asked_about(chunk: Samples) -> None:
    decoder = always(taken("字幕"))
    assert texts(decoder, chunk, loud(1), chunk) == ["", "字幕", ""]
    assert decoder.sizes == [1]


@pytest.mark.parametrize(
    ("logprob", "no_speech", "text"),
    [(-1.2, 0.9, ""), (-0.4, 0.9, "谢谢观看"), (-1.2, 0.1, "谢谢观看"), (-0.81, 0.51, "")],
)
def test_a_text_is_dropped_only_where_the_model_doubts_both_speech_and_text(
    logprob: float, no_speech: float, text: str
) -> None:
    take = taken("谢谢观看", logprob=logprob, no_speech=no_speech)
    assert texts(always(take), loud(1)) == [text]


def test_a_loop_is_heard_again_without_the_prompt() -> None:
    def writes(_: Samples, __: str, prompt: tuple[int, ...], ___: Search) -> Take:
        return taken("好" * 40 if prompt else "好的")

    decoder = ScriptedDecoder(writes, each_s=0.02)
    assert texts(decoder, loud(1)) == ["好的"]
    assert decoder.asked == [Search(5), Search(5)]


def test_only_the_chunk_that_loops_is_heard_again() -> None:
    def writes(samples: Samples, _: str, prompt: tuple[int, ...], __: Search) -> Take:
        return taken("好" * 40 if prompt and samples[0] > 0.3 else "好的")

    decoder = ScriptedDecoder(writes, each_s=0.02)
    assert texts(decoder, loud(1, 0.2), loud(1, 0.5)) == ["好的", "好的"]
    assert decoder.sizes == [2, 1]


def test_a_loop_that_stays_is_tried_with_more_chance_and_then_said_once() -> None:
    decoder = ScriptedDecoder(lambda *_: taken("是的" + "好" * 40), each_s=0.02)
    assert texts(decoder, loud(1)) == ["是的好"]
    assert [search.temperature for search in decoder.asked] == [0.0, 0.0, 0.4, 0.8]


def test_a_parroted_prompt_is_replaced_by_what_is_heard_without_it() -> None:
    def writes(_: Samples, __: str, prompt: tuple[int, ...], ___: Search) -> Take:
        return taken(STYLES["zh"] if prompt else "开灯")

    assert texts(ScriptedDecoder(writes, each_s=0.02), loud(1)) == ["开灯"]


def test_hotwords_parroted_over_noise_are_dropped() -> None:
    def writes(_: Samples, __: str, prompt: tuple[int, ...], ___: Search) -> Take:
        if prompt:
            return taken("康熙来了、蔡康永")
        return taken("试", logprob=-1.5, no_speech=0.8)

    options = replace(ZH, hotwords=("康熙来了", "蔡康永"))
    assert texts(ScriptedDecoder(writes, each_s=0.02), loud(1), options=options) == [""]


def test_somebody_who_really_says_the_prompt_is_believed() -> None:
    decoder = ScriptedDecoder(lambda *_: taken("以下是普通话的句子。"), each_s=0.02)
    assert texts(decoder, loud(1)) == ["以下是普通话的句子。"]


def test_hotwords_reach_the_model() -> None:
    prompts: list[str] = []

    def writes(_: Samples, __: str, prompt: tuple[int, ...], ___: Search) -> Take:
        prompts.append("".join(map(chr, prompt)))
        return taken("好")

    texts(ScriptedDecoder(writes), loud(1), options=replace(ZH, hotwords=("吕旭",)))
    assert prompts == ["吕旭。" + STYLES["zh"]]


def test_a_sentence_left_out_at_the_end_is_heard_on_its_own() -> None:
    def writes(samples: Samples, *_: object) -> Take:
        return taken("前面一句" if len(samples) > 3 * SAMPLE_RATE else "后面一句")

    [heard] = recognizer(ScriptedDecoder(writes)).recognize([Audio(loud(3.5))], ZH)
    assert heard.text == "前面一句后面一句"
    assert heard.words[3:5] == (Word("句", 0.6, 0.8), Word("后", 0.8, 1.0))


def test_sound_without_words_is_not_listened_to_for_ever() -> None:
    decoder = always(taken("嗯"))
    assert texts(decoder, loud(25)) == ["嗯嗯嗯"]
    assert decoder.sizes == [1, 1, 1]


def test_a_quiet_end_is_left_alone() -> None:
    decoder = always(taken("说完了"))
    quiet = np.concatenate([loud(1), loud(7, 0.01)])
    assert texts(decoder, quiet) == ["说完了"]
    assert decoder.sizes == [1]


def test_holes_lie_between_words_where_there_is_sound() -> None:
    words = [Word("一", 0.0, 0.5), Word("二", 4.0, 4.5), Word("三", 9.0, 9.5)]
    samples = np.concatenate([loud(5), silence(4), loud(1)])
    samples[round(0.7 * SAMPLE_RATE) : round(0.8 * SAMPLE_RATE)] = 0
    [hole] = find_holes(samples, words)
    assert hole == Hole(1, round(0.7 * SAMPLE_RATE), round(3.4 * SAMPLE_RATE))


def test_a_clip_has_no_more_holes_than_are_worth_it() -> None:
    words = [Word("词", at * 4.0, at * 4.0 + 0.2) for at in range(7)]
    assert len(find_holes(loud(28), words)) == 3


def test_a_clip_without_words_has_no_holes() -> None:
    assert find_holes(loud(10), ()) == []


def test_auto_takes_the_language_of_most_seconds_for_all() -> None:
    decoder = ScriptedDecoder(
        lambda _, language, *__: taken(language),
        heard=lambda samples: (
            {"en": 0.9, "zh": 0.1} if samples[0] > 0.3 else {"zh": 0.8, "en": 0.2}
        ),
    )
    batch = [Audio(loud(1, 0.2)), Audio(loud(1, 0.2)), Audio(loud(1.9, 0.5)), Audio(silence(9))]
    heard = recognizer(decoder).recognize(batch, replace(ZH, language="auto"))
    # Chinese 1.6 + 0.19 against English 0.4 + 1.71 weighted seconds.
    assert [hypothesis.text for hypothesis in heard] == ["en", "en", "en", ""]
    assert {hypothesis.language for hypothesis in heard} == {"en"}


def test_silence_leaves_the_language_open() -> None:
    [heard] = recognizer(always(taken("x"))).recognize(
        [Audio(silence(2))], replace(ZH, language="auto")
    )
    assert (heard.text, heard.language) == ("", "auto")


def test_cantonese_is_heard_as_chinese_by_a_model_without_a_token_for_it() -> None:
    decoder = ScriptedDecoder(lambda _, language, *__: taken(language))
    [heard] = recognizer(decoder).recognize([Audio(loud(1))], replace(ZH, language="yue"))
    assert (heard.text, heard.language) == ("zh", "yue")


def test_an_english_only_model_answers_auto_with_english() -> None:
    decoder = ScriptedDecoder(lambda *_: taken("hi"), languages=("en",))
    [heard] = recognizer(decoder).recognize([Audio(loud(1))], replace(ZH, language="auto"))
    assert heard.language == "en"


def test_a_part_that_does_not_fit_is_halved() -> None:
    decoder = ScriptedDecoder(lambda *_: taken("好"), most_at_once=1)
    assert texts(decoder, loud(1), loud(1)) == ["好", "好"]
    assert decoder.sizes == [2, 1, 1]
    with pytest.raises(OutOfMemory):
        texts(ScriptedDecoder(lambda *_: taken("好"), most_at_once=0), loud(1))


def test_what_the_caller_got_wrong_is_refused() -> None:
    decoder = always(taken("好"))
    with pytest.raises(UnknownLanguage, match="'xx'"):
        texts(decoder, loud(1), options=replace(ZH, language="xx"))
    with pytest.raises(BadOption):
        texts(decoder, loud(1), options=replace(ZH, beam_size=0))
    with pytest.raises(InputError, match=r"31\.0 s"):
        texts(decoder, loud(31))
    with pytest.raises(InputError, match="not numbers"):
        texts(decoder, loud(1, float("nan")))
    assert decoder.sizes == []
