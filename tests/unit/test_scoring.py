"""Error rates, counted by hand."""

from __future__ import annotations

import pytest

from bench.scoring import Score, normalise, score, total


@pytest.mark.parametrize(
    ("text", "compared"),
    [
        ("打开客厅的灯。", "打开客厅的灯"),
        ("Hello, World!", "hello world"),
        ("ＡＢＣ　１２３", "abc 123"),
        ("臺灣的體育", "台湾的体育"),
        ("星巴克咖啡(虹桥西航二店)", "星巴克咖啡 虹桥西航二店"),
        ("  a\n\tb  ", "a b"),
        ("。，!?", ""),
        ("Straße", "strasse"),
    ],
)
def test_both_sides_are_compared_in_one_form(text: str, compared: str) -> None:
    assert normalise(text) == compared


def test_characters_are_counted_without_spaces() -> None:
    # 今天(天)气很好 against 今日天气好: 天 heard as 日, 很 missed.
    assert score("今天天气很好", "今日天气好") == Score(
        substitutions=1, insertions=0, deletions=1, length=6
    )
    assert score("a b", "ab").errors == 0


def test_words_are_counted_as_words() -> None:
    heard = score("ask not what your country can", "ask what your big country can", unit="word")
    assert heard == Score(substitutions=0, insertions=1, deletions=1, length=6)


def test_rates_weigh_by_length() -> None:
    both = total([score("一二三四", "一二三四"), score("好", "坏")])
    assert both.rate == pytest.approx(1 / 5)


def test_more_may_be_invented_than_was_said() -> None:
    assert score("好", "好好好").rate == 2.0


@pytest.mark.parametrize(("heard", "rate"), [("", 0.0), ("。", 0.0), ("字幕", 1.0)])
def test_silence_is_right_only_when_empty(heard: str, rate: float) -> None:
    assert score("", heard).rate == rate


def test_kept_digits_are_other_characters() -> None:
    assert score("设定二十九度", "设定29度") == Score(
        substitutions=2, insertions=0, deletions=1, length=6
    )


@pytest.mark.parametrize(
    ("truth", "heard"),
    [
        ("设定二十九度", "设定29度"),
        ("二零一八年", "2018年"),
        ("幺三七零零九七二七幺四", "137-0097-2714"),
        ("一三七零零九七二七一四", "13700972714"),
        ("29度", "二十九度"),
        ("二十多个", "二十多个"),
    ],
)
def test_spelled_digits_are_no_errors_in_either_reading(truth: str, heard: str) -> None:
    assert score(truth, heard, digits="spelled").errors == 0


def test_a_wrong_number_stays_wrong_when_spelled() -> None:
    assert score("二十九度", "28度", digits="spelled").errors == 1
