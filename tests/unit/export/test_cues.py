from __future__ import annotations

from datetime import UTC, datetime

import pytest

from offscribe.export.cues import Cue, cues
from offscribe.export.document import ExportDocument, ExportOptions
from offscribe.types import Segment, Word


def shown(*segments: Segment, raw: bool = False) -> list[Cue]:
    document = ExportDocument("a", datetime(2025, 1, 1, tzinfo=UTC), 60.0, "zh", "m", segments)
    return cues(document, ExportOptions(text="raw" if raw else "itn"))


def said(text: str, *, each_s: float, start: float = 0.0, itn_text: str = "") -> Segment:
    """A segment whose characters are said at an even pace."""
    words = tuple(
        Word(char, start + n * each_s, start + (n + 1) * each_s) for n, char in enumerate(text)
    )
    return Segment(text, start, start + len(text) * each_s, itn_text, words)


def test_short_segment_is_one_cue_with_its_own_times():
    assert shown(Segment("你好", 1.0, 2.5)) == [Cue(1000, 2500, ("你好",))]


def test_long_segment_without_word_times_stays_one_cue_with_lines_of_42_columns():
    assert shown(Segment("好" * 50, 0.0, 20.0)) == [
        Cue(0, 20_000, ("好" * 21, "好" * 21, "好" * 8))
    ]


def test_segment_longer_than_seven_seconds_is_cut_at_a_sentence_end():
    segment = said("今天天气很好。我们去公园", each_s=1.0)
    assert shown(segment) == [
        Cue(0, 7000, ("今天天气很好。",)),
        Cue(7000, 12_000, ("我们去公园",)),
    ]


def test_sentence_end_goes_before_a_later_comma():
    segment = said("今天天好。我，们去公园", each_s=1.0)
    assert [cue.lines[0] for cue in shown(segment)] == ["今天天好。", "我，们去公园"]


def test_pause_is_a_place_to_cut_where_nothing_is_marked():
    first, second = said("今天天气", each_s=1.0), said("我们去公园", each_s=1.0, start=5.0)
    segment = Segment("今天天气我们去公园", 0.0, 10.0, words=first.words + second.words)
    assert shown(segment) == [Cue(0, 4000, ("今天天气",)), Cue(5000, 10_000, ("我们去公园",))]


def test_more_than_two_lines_are_cut_although_said_fast():
    segment = said("好" * 50, each_s=0.1)
    assert shown(segment) == [
        Cue(0, 4200, ("好" * 21, "好" * 21)),
        Cue(4200, 5000, ("好" * 8,)),
    ]


def test_written_form_is_cut_at_times_of_the_spoken_words():
    segment = said("一共二十五人来，我们很高兴", each_s=1.0, itn_text="一共25人来，我们很高兴")
    assert shown(segment) == [
        Cue(0, 6000, ("一共25人",)),
        Cue(6000, 13_000, ("来，我们很高兴",)),
    ]


def test_number_is_never_cut():
    segment = said("电话一三八零零一三八零零零请拨打", each_s=1.0, itn_text="电话13800138000请拨打")
    [*_, number, last] = shown(segment)
    assert number == Cue(2000, 13_000, ("13800138000",))
    assert last == Cue(13_000, 16_000, ("请拨打",))


def test_english_words_keep_together():
    texts = [" one", " two", " three", " four", " five", " six", " seven", " eight"]
    words = tuple(Word(text, n * 1.5, n * 1.5 + 1.5) for n, text in enumerate(texts))
    segment = Segment("".join(texts).strip(), 0.0, 12.0, words=words)
    assert [cue.lines for cue in shown(segment)] == [
        ("one two three four",),
        ("five six seven eight",),
    ]


@pytest.mark.parametrize(
    "words",
    [
        (Word("好" * 50, 0.0, 20.0),),
        (Word("好" * 25, 10.0, 20.0), Word("好" * 25, 0.0, 10.0)),
        (Word("好" * 25, 5.0, 2.0), Word("好" * 25, 5.0, 20.0)),
        (Word("好" * 25, 0.0, float("nan")), Word("好" * 25, 5.0, 20.0)),
    ],
)
def test_word_times_that_cannot_be_true_place_nothing(words: tuple[Word, ...]):
    [cue] = shown(Segment("好" * 50, 0.0, 20.0, words=words))
    assert (cue.start_ms, cue.end_ms) == (0, 20_000)


def test_overlapping_segments_give_way_to_the_next():
    assert shown(Segment("甲", 0.0, 5.0), Segment("乙", 3.0, 4.0)) == [
        Cue(0, 3000, ("甲",)),
        Cue(3000, 4000, ("乙",)),
    ]


def test_segments_at_the_same_time_follow_each_other():
    assert shown(Segment("甲", 1.0, 2.0), Segment("乙", 1.0, 2.0)) == [
        Cue(1000, 1001, ("甲",)),
        Cue(1001, 2000, ("乙",)),
    ]


def test_segment_of_no_length_is_still_shown():
    assert shown(Segment("甲", -1.0, -1.0)) == [Cue(0, 1, ("甲",))]
