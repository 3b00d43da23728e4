from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from offscribe.pipeline.offline import KEEP_S, Passage, transcribe
from offscribe.types import Audio, Hypothesis, RecognizeOptions, Samples, Segment, VadOptions
from tests.fakes import LoudnessVad, Parrot, loud, silence, spoken, windows

OPTIONS = RecognizeOptions(
    language="zh", vad=VadOptions(min_silence_ms=200, min_speech_ms=100, pad_ms=0)
)


def run(
    parts: list[Samples],
    parrot: Parrot,
    *,
    options: RecognizeOptions = OPTIONS,
    after: float = 0.0,
) -> list[Passage]:
    return list(
        transcribe(
            windows(*parts), parrot, vad=LoudnessVad(), passes=(), options=options, after=after
        )
    )


def segments(passages: list[Passage]) -> list[Segment]:
    return [segment for passage in passages for segment in passage.segments]


def by_level(audio: Audio) -> Hypothesis:
    """Names each chunk by its loudness: 0.1 → 一, 0.2 → 二, …"""
    level = round(float(audio.samples.max()) * 10)
    return Hypothesis("零一二三四五六七八九"[level], "zh")


def test_speech_after_silence_keeps_its_place_in_the_file() -> None:
    [segment] = segments(run([silence(5), loud(2)], Parrot(lambda _: spoken("你好"))))
    assert segment.text == "你好"
    assert segment.start == pytest.approx(5.0, abs=0.05)
    assert segment.end == pytest.approx(7.0, abs=0.05)


def test_silence_gives_no_text_and_asks_no_recognizer() -> None:
    parrot = Parrot(lambda _: spoken("鬼"))
    passages = run([silence(100)], parrot)
    assert segments(passages) == []
    assert parrot.asked == []
    assert passages[-1].until == 100


def test_the_last_passage_ends_at_the_full_length() -> None:
    passages = run([loud(2), silence(9)], Parrot(lambda _: spoken("你好")))
    assert passages[-1].until == 11


def test_an_hour_of_silence_before_speech_does_not_lose_its_samples() -> None:
    seconds = KEEP_S * 3
    [segment] = segments(run([silence(seconds), loud(2)], Parrot(lambda _: spoken("你好"))))
    assert segment.start == pytest.approx(seconds, abs=0.05)


def test_without_word_times_every_span_is_recognised_alone() -> None:
    parts = [part for level in (1, 2, 3) for part in (loud(1, level / 10), silence(1))]
    parrot = Parrot(by_level, times="segment")
    heard = segments(run(parts, parrot))
    assert [segment.text for segment in heard] == ["一", "二", "三"]
    assert [round(segment.start, 1) for segment in heard] == [0.0, 2.0, 4.0]


def test_the_first_batch_is_small_and_the_others_full() -> None:
    parts = [part for _ in range(11) for part in (loud(1), silence(1))]
    parrot = Parrot(by_level, times="segment", batch_size=4)
    run(parts, parrot)
    assert [size for size, _ in parrot.asked] == [2, 4, 4, 1]


def test_resuming_at_any_passage_gives_what_an_undisturbed_run_gives() -> None:
    parts = [part for level in range(1, 10) for part in (loud(1, level / 10), silence(1))]
    whole = run(parts, Parrot(by_level, times="segment", batch_size=2))
    for n_done in range(len(whole)):
        done, until = whole[:n_done], whole[n_done - 1].until if n_done else 0.0
        rest = run(parts, Parrot(by_level, times="segment", batch_size=2), after=until)
        assert segments(done) + segments(rest) == segments(whole)


def test_language_is_detected_once_and_then_kept() -> None:
    parts = [part for _ in range(6) for part in (loud(1), silence(1))]
    parrot = Parrot(lambda _: Hypothesis("hi", "en"), times="segment", batch_size=2)
    passages = run(parts, parrot, options=replace(OPTIONS, language="auto"))
    assert [options.language for _, options in parrot.asked] == ["auto", "en", "en"]
    assert passages[-1].language == "en"


def test_the_language_of_most_speech_wins() -> None:
    parrot = Parrot(
        lambda audio: Hypothesis("x", "en" if audio.duration > 2 else "zh"), times="segment"
    )
    passages = run(
        [loud(1), silence(1), loud(5)], parrot, options=replace(OPTIONS, language="auto")
    )
    assert passages[0].language == "en"


def test_chunks_without_text_do_not_decide_the_language() -> None:
    parrot = Parrot(lambda _: Hypothesis("", "ko"), times="segment")
    passages = run([loud(1)], parrot, options=replace(OPTIONS, language="auto"))
    assert passages[-1].language == "auto"


def test_passes_see_the_heard_language_and_the_written_form_is_never_empty() -> None:
    seen: list[str] = []

    def shout(segment: Segment, *, language: str) -> Segment:
        seen.append(language)
        return replace(segment, text=segment.text + "!")

    [passage, _] = transcribe(
        windows(loud(1)),
        Parrot(lambda _: Hypothesis("hi", "en"), times="segment"),
        vad=LoudnessVad(),
        passes=(shout,),
        options=replace(OPTIONS, language="auto"),
    )
    assert seen == ["en"]
    assert (passage.segments[0].text, passage.segments[0].itn_text) == ("hi!", "hi!")


def test_speech_longer_than_the_models_window_is_cut_and_nothing_is_lost() -> None:
    heard: list[Samples] = []

    def listen(audio: Audio) -> Hypothesis:
        heard.append(audio.samples)
        return Hypothesis("x", "zh")

    speech = (np.arange(70 * 16000) % 1000 + 1).astype(np.float32) / 2000
    run([speech], Parrot(listen, times="segment", max_chunk_s=20))
    assert max(len(samples) for samples in heard) <= 20 * 16000
    np.testing.assert_array_equal(np.concatenate(heard), speech)


def test_windows_are_pulled_only_when_they_are_needed() -> None:
    pulled = 0

    def endless():  # type: ignore[no-untyped-def]
        nonlocal pulled
        while True:
            pulled += 1
            yield from windows(loud(10), silence(20))

    passages = transcribe(
        endless(), Parrot(lambda _: spoken("你好")), vad=LoudnessVad(), passes=(), options=OPTIONS
    )
    next(passages)
    assert pulled <= 8
