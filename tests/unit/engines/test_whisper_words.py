"""From aligned tokens to words."""

from __future__ import annotations

from offscribe.engines.whisper_words import Piece, stripped, without_loops, words_of
from offscribe.types import Word


def pieces(*items: tuple[str, float, float]) -> list[Piece]:
    return [Piece(*item) for item in items]


def test_punctuation_joins_its_word_whose_times_stay() -> None:
    words = words_of(
        pieces(("你", 0.0, 0.2), ("好", 0.2, 0.4), ("。", 0.4, 0.6), ("来", 0.6, 0.8)),
        duration=1.0,
    )
    assert words == (Word("你", 0.0, 0.2), Word("好。", 0.2, 0.4), Word("来", 0.6, 0.8))


def test_opening_punctuation_joins_the_next_word() -> None:
    words = words_of(
        pieces(("听", 0.0, 0.2), ("《", 0.2, 0.3), ("歌", 0.3, 0.5), ("》", 0.5, 0.6)),
        duration=1.0,
    )
    assert [word.text for word in words] == ["听", "《歌》"]


def test_joined_words_give_what_the_tokens_say() -> None:
    said = pieces((" Ask", 0, 0.3), (" not", 0.3, 0.5), (",", 0.5, 0.6), (" why", 0.6, 0.9))
    assert "".join(word.text for word in words_of(said, duration=1.0)) == " Ask not, why"


def test_parts_of_a_latin_word_or_number_are_one_word() -> None:
    said = pieces(
        ("买", 0.0, 0.2), ("iPh", 0.2, 0.4), ("one", 0.4, 0.6), ("1", 0.6, 0.8), ("5", 0.8, 1)
    )
    assert words_of(said, duration=1.0) == (Word("买", 0.0, 0.2), Word("iPhone15", 0.2, 1.0))


def test_english_words_are_not_joined() -> None:
    said = pieces((" one", 0.0, 0.2), (" two", 0.2, 0.4))
    assert [word.text for word in words_of(said, duration=1.0)] == [" one", " two"]


def test_a_word_before_a_pause_ends_where_it_was_said() -> None:
    said = pieces(("一", 0.0, 0.2), ("二", 0.2, 0.4), ("三", 0.4, 5.0), ("四", 5.0, 5.2))
    words = words_of(said, duration=6.0)
    assert words[2] == Word("三", 0.4, 0.8)
    assert words[3] == Word("四", 5.0, 5.2)


def test_the_first_word_starts_where_it_was_said() -> None:
    said = pieces(("一", 0.0, 3.0), ("二", 3.0, 3.2), ("三", 3.2, 3.4), ("四", 3.4, 3.6))
    assert words_of(said, duration=4.0)[0] == Word("一", 2.6, 3.0)


def test_a_number_read_digit_by_digit_may_be_long() -> None:
    said = pieces(("打", 0.0, 0.2), ("137", 0.2, 1.1), ("吧", 1.1, 1.3))
    assert words_of(said, duration=2.0)[1] == Word("137", 0.2, 1.1)


def test_times_never_go_back_nor_leave_the_chunk() -> None:
    words = words_of(pieces(("a", -0.5, 0.4), (" b", 0.3, 0.6), (" c", 0.9, 1.7)), duration=1.0)
    times = [time for word in words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert (times[0], times[-1]) == (0.0, 1.0)


def test_no_tokens_are_no_words() -> None:
    assert words_of([], duration=1.0) == ()


def test_only_punctuation_is_kept_as_it_is() -> None:
    assert [word.text for word in words_of(pieces(("「", 0.0, 0.5)), duration=1.0)] == ["「"]


def test_a_loop_of_words_is_said_once_in_its_first_place() -> None:
    words = [Word("好", at * 0.1, at * 0.1 + 0.1) for at in range(20)] + [Word("吧", 2.0, 2.1)]
    assert without_loops(words) == (words[0], words[-1])


def test_white_space_around_the_text_goes() -> None:
    words = (Word(" ", 0, 0.1), Word(" Hello", 0.1, 0.2), Word(" you ", 0.2, 0.3))
    assert stripped(words) == (Word("Hello", 0.1, 0.2), Word(" you", 0.2, 0.3))
    assert stripped((Word("  ", 0, 1),)) == ()
