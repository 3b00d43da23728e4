"""What is a loop, a parrot or a mark, and what people really say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offscribe.engines.guards import (
    Loop,
    compression_ratio,
    cut_loops,
    find_loop,
    is_parrot,
    is_repetitive,
    strip_marks,
)

SAID_BY_PEOPLE = [
    "谢谢谢谢",
    "哈哈哈哈哈哈哈哈",
    "幺幺幺",
    "我的电话是一三七四零零零零五二二四六",
    "零零零零零零零零零零零零",
    "对对对对对,就是这样",
    "好的好的好的,我知道了",
    "下雨了下雨了下雨了下雨了",
    "Run, run, run, run as fast as you can.",
    "Row, row, row your boat, row, row, row your boat",
    "No, no, no. It was one hundred, one hundred, not ten.",
    "打开客厅的灯。打开客厅的灯。打开客厅的灯。",
]


@pytest.mark.parametrize("text", SAID_BY_PEOPLE)
def test_what_people_repeat_survives(text: str) -> None:
    assert find_loop(text) is None
    assert cut_loops(text) == text


@pytest.mark.parametrize(
    ("text", "once"),
    [
        ("好" * 30 + "吧", "好吧"),
        ("请注意," + "作曲" * 9 + "完", "请注意,作曲完"),
        ("我去。我去。我去。我去。我去。我去。我去。", "我去。"),
        (" the cat" * 8 + " sat", " the cat sat"),
        ("字幕由志愿者提供。" * 4, "字幕由志愿者提供。"),
        ("Thank you for watching this. " * 6 + "Bye.", "Thank you for watching this. Bye."),
        ("五" * 25, "五"),
        ("4-5-5-5-5-5-5-5-5-5-5-5-5-5", "4-5-"),
    ],
)
def test_a_loop_is_said_once(text: str, once: str) -> None:
    assert cut_loops(text) == once
    assert is_repetitive(text)


def test_a_loop_knows_where_it_begins_and_how_often_it_turns() -> None:
    assert find_loop("开头" + "转圈" * 7 + "结束") == Loop(start=2, once=4, end=16, count=7)


def test_case_and_punctuation_do_not_hide_a_loop() -> None:
    assert cut_loops("Go on, go on. GO ON! go on, go on; go on, go on") == "Go on, "


def test_two_loops_are_both_cut() -> None:
    assert cut_loops("啊" * 12 + "然后" + "嗯" * 12) == "啊然后嗯"


def test_repetition_with_small_changes_is_noticed_by_its_compression() -> None:
    verses = "".join(f"今天的天气非常非常好我们出去玩第{n}次吧" for n in "一二三四五六七八")
    assert find_loop(verses) is None
    assert compression_ratio(verses) > 2.4
    assert is_repetitive(verses)


def test_ordinary_text_is_not_repetitive() -> None:
    assert not is_repetitive(
        "新股发行其实不用有什么增量的东西。三星的新工厂位于首尔南部的平泽市,引来前所未有的关注,"
        "这座工厂耗费一百四十四亿美元建设,苹果表配有十六个按钮。"
    )


def test_nothing_has_no_compression_ratio() -> None:
    assert compression_ratio("") == 0.0


@given(st.text(max_size=120))
def test_cutting_ends_and_leaves_no_loop(text: str) -> None:
    assert find_loop(cut_loops(text)) is None


PROMPT = "以下是普通话的句子。"


@pytest.mark.parametrize(
    "text", [PROMPT, "以下是普通话的句子", "以下是普通話的句子！", " 以下是普通话句子。"]
)
def test_the_prompt_itself_is_a_parrot(text: str) -> None:
    assert is_parrot(text, PROMPT, ())


def test_a_part_of_a_longer_prompt_is_a_parrot() -> None:
    prompt = PROMPT + "请使用简体中文，并加上标点符号。"
    assert is_parrot("请使用简体中文。", prompt, ())
    assert is_parrot("请使用简体中文﹑并加", prompt, ())
    assert is_parrot("请使用简体中文４", prompt, ())
    assert not is_parrot("请使用这台电脑", prompt, ())


@pytest.mark.parametrize("text", ["", "句子", "今天我们学习普通话的句子结构", "以下内容"])
def test_speech_that_shares_words_with_the_prompt_is_none(text: str) -> None:
    assert not is_parrot(text, PROMPT, ())


def test_a_list_of_hotwords_and_nothing_else_is_a_parrot() -> None:
    hotwords = ("康熙来了", "小S", "蔡康永")
    assert is_parrot("康熙来了、小S、蔡康永。", "", hotwords)
    assert is_parrot("小s,小s", "", hotwords)


def test_one_hotword_or_hotwords_in_a_sentence_are_speech() -> None:
    hotwords = ("康熙来了", "小S")
    assert not is_parrot("康熙来了", "", hotwords)
    assert not is_parrot("小S主持康熙来了", "", hotwords)


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("你好[breath]世界", "你好 世界"),
        ("[noise] hello <sil> there /sil", "hello there"),
        ("<|nospeech|><|zh|>好", "好"),
        ("[laughter]", ""),
        ("and/or a [note] 3<4 /silence", "and/or a [note] 3<4 /silence"),
        ("  kept as it is  ", "  kept as it is  "),
    ],
)
def test_marks_for_sounds_are_taken_out(text: str, without: str) -> None:
    assert strip_marks(text) == without
