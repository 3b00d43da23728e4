from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from offscribe.types import Word
from offscribe.words import carry_words


def words(*texts: str) -> tuple[Word, ...]:
    """One second each, from 0."""
    return tuple(Word(text, float(n), n + 1.0) for n, text in enumerate(texts))


def test_unchanged_text_keeps_its_words():
    spoken = words("你", "好")
    assert carry_words(spoken, "你好") is spoken


def test_replacement_of_equal_length_goes_character_by_character():
    assert carry_words(words("一", "三", "八"), "138") == words("1", "3", "8")


def test_shorter_form_becomes_one_word_from_first_start_to_last_end():
    carried = carry_words(words("约", "百", "分", "之", "五", "十", "吧"), "约50%吧")
    assert carried == (Word("约", 0, 1), Word("50%", 1, 6), Word("吧", 6, 7))


def test_longer_form_becomes_one_word():
    assert carry_words(words("有", "十", "人"), "有10人") == (
        Word("有", 0, 1),
        Word("10", 1, 2),
        Word("人", 2, 3),
    )


def test_change_inside_a_word_keeps_the_word_whole():
    assert carry_words(words("use", " Kubernetis", " now"), "use Kubernetes now") == (
        Word("use", 0, 1),
        Word(" Kubernetes", 1, 2),
        Word(" now", 2, 3),
    )


def test_words_written_as_one_keep_their_parts():
    assert carry_words(words("use", " fun", " asr"), "use FunASR") == (
        Word("use", 0, 1),
        Word(" Fun", 1, 2),
        Word("ASR", 2, 3),
    )


def test_inserted_mark_joins_the_word_before_it():
    assert carry_words(words("你", "好"), "你好。") == (Word("你", 0, 1), Word("好。", 1, 2))


def test_text_inserted_at_the_start_joins_the_first_word():
    assert carry_words(words("你", "好"), "“你好") == (Word("“你", 0, 1), Word("好", 1, 2))


def test_leading_space_of_the_first_word_is_dropped_with_its_time_kept():
    assert carry_words(words(" And", " so"), "And so") == words("And", " so")


def test_vanished_word_is_dropped():
    assert carry_words(words("我", "呃", "们"), "我们") == (Word("我", 0, 1), Word("们", 2, 3))


def test_no_words_or_no_text_gives_no_words():
    assert carry_words((), "你好") == ()
    assert carry_words(words("你"), "") == ()


@given(st.lists(st.text("ab一二 .", min_size=1, max_size=4), min_size=1), st.text("ab12一 .,"))
def test_words_join_to_the_text_and_no_bound_is_invented(texts: list[str], text: str):
    spoken = words(*texts)
    carried = carry_words(spoken, text)
    assert "".join(word.text for word in carried) == text
    assert all(word.text for word in carried)
    assert {word.start for word in carried} <= {word.start for word in spoken}
    assert {word.end for word in carried} <= {word.end for word in spoken}
    bounds = [bound for word in carried for bound in (word.start, word.end)]
    assert bounds == sorted(bounds)
