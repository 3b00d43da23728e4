from __future__ import annotations

import pytest

from offscribe.pipeline.packing import Chunk, pack
from offscribe.pipeline.segments import segments_of
from offscribe.types import Hypothesis, Segment, Span, Word
from tests.fakes import loud, spoken


def chunk(*spans: tuple[float, float]) -> Chunk:
    [packed] = pack(
        [(Span(start, end), loud(end - start)) for start, end in spans],
        max_chunk_s=30,
        is_joining=True,
    )
    return packed


def brief(segments: list[Segment]) -> list[tuple[str, float, float]]:
    return [(s.text, round(s.start, 2), round(s.end, 2)) for s in segments]


def test_each_span_gets_the_words_that_fall_into_it() -> None:
    # Chunk time 0-1 is file time 10-11; chunk time 1-2 is file time 20-21.
    words = (Word("你", 0.1, 0.4), Word("好", 0.5, 0.9), Word("再", 1.1, 1.4), Word("见", 1.5, 1.9))
    segments = segments_of(chunk((10, 11), (20, 21)), Hypothesis("你好再见", "zh", words))
    assert brief(segments) == [("你好", 10, 11), ("再见", 20, 21)]
    assert segments[1].words == (
        Word("再", pytest.approx(20.1), pytest.approx(20.4)),  # type: ignore[arg-type]
        Word("见", pytest.approx(20.5), pytest.approx(20.9)),  # type: ignore[arg-type]
    )


def test_a_word_across_a_seam_stays_whole_and_inside_one_span() -> None:
    words = (Word("你", 0.2, 0.5), Word("好", 0.8, 1.3))
    segments = segments_of(chunk((10, 11), (20, 21)), Hypothesis("你好", "zh", words))
    assert brief(segments) == [("你", 10, 11), ("好", 20, 21)]
    assert segments[1].words[0].start == 20


def test_words_beyond_the_end_belong_to_the_last_span() -> None:
    segments = segments_of(chunk((0, 1)), Hypothesis("好", "zh", (Word("好", 1.2, 1.4),)))
    assert brief(segments) == [("好", 0, 1)]


def test_a_sentence_end_divides_a_span() -> None:
    segments = segments_of(chunk((5, 9)), spoken("今天天气很好。我们出去", each_s=0.3))
    assert brief(segments) == [("今天天气很好。", 5.0, 7.1), ("我们出去", 7.1, 9.0)]


def test_short_sentences_are_kept_together() -> None:
    segments = segments_of(chunk((0, 3)), spoken("好。好。我们走吧", each_s=0.2))
    assert brief(segments) == [("好。好。我们走吧", 0, 3)]


@pytest.mark.parametrize("text", [" J.", " 3.", " e.g."])
def test_a_point_that_ends_no_sentence_does_not_divide(text: str) -> None:
    words = (Word(" Mister", 0.0, 1.5), Word(text, 1.5, 2.0), Word(" Smith", 2.0, 3.0))
    joined = "".join(word.text for word in words)
    assert len(segments_of(chunk((0, 3)), Hypothesis(joined, "en", words))) == 1


def test_an_english_full_stop_divides_and_spaces_are_trimmed() -> None:
    words = (Word(" Good", 0, 1), Word(" day.", 1, 2), Word(" We", 2, 2.5), Word(" go.", 2.5, 3))
    segments = segments_of(chunk((0, 3)), Hypothesis(" Good day. We go.", "en", words))
    assert [segment.text for segment in segments] == ["Good day.", "We go."]
    assert ["".join(w.text for w in s.words) for s in segments] == ["Good day.", "We go."]


def test_long_speech_without_a_sentence_end_is_divided_at_its_longest_pause() -> None:
    first = [Word("啊", at, at + 0.5) for at in range(0, 9)]
    second = [Word("哦", at + 0.5, at + 1.0) for at in range(9, 18)]
    words = tuple(first + second)
    segments = segments_of(chunk((0, 19)), Hypothesis("啊" * 9 + "哦" * 9, "zh", words))
    assert [segment.text for segment in segments] == ["啊" * 9, "哦" * 9]
    assert segments[0].end == 8.5
    assert segments[1].start == 9.5


def test_without_word_times_the_chunk_is_one_segment() -> None:
    segments = segments_of(chunk((3, 4)), Hypothesis(" 你好\n吗 ", "zh"))
    assert segments == [Segment("你好 吗", 3, 4)]


def test_nothing_heard_is_no_segment() -> None:
    assert segments_of(chunk((3, 4)), Hypothesis("  ", "zh")) == []
