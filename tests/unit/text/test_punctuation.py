from __future__ import annotations

import pytest

from offscribe.text.punctuation import FullWidthPunctuation, full_width
from offscribe.types import Segment, Word


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("大家好,这是录音。", "大家好，这是录音。"),
        ("你好, 世界", "你好，世界"),
        ("真的吗?真的!", "真的吗？真的！"),
        ("增长8%,我们继续", "增长8%，我们继续"),
        ("我们增长8%,", "我们增长8%，"),
        ("下午3:30开会", "下午3:30开会"),
        ("共1,234人", "共1,234人"),
        ("Hello, world", "Hello, world"),
        ("他说Hello, world就走了", "他说Hello, world就走了"),
        ("こんにちは,世界", "こんにちは，世界"),
        ("会议，照旧", "会议，照旧"),
        ("", ""),
    ],
)
def test_marks_of_chinese_text_are_full_width(heard: str, written: str) -> None:
    assert full_width(heard) == written


def test_other_languages_are_left_alone() -> None:
    segment = Segment("안녕,친구", 0, 1)
    assert FullWidthPunctuation()(segment, language="ko") is segment


def test_words_keep_their_times_and_join_to_the_text() -> None:
    words = (Word("好", 0.0, 0.5), Word(",", 0.5, 0.6), Word("吗", 0.6, 1.0))
    segment = FullWidthPunctuation()(Segment("好,吗", 0, 1, words=words), language="zh")
    assert segment.text == "".join(word.text for word in segment.words) == "好，吗"
    assert segment.words[1] == Word("，", 0.5, 0.6)
