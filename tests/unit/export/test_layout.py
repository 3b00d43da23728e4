from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offscribe.export.layout import columns_of, encodable, joiner, may_break, one_line, wrap


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\r\n\r\nb\tc  d", "a b c d"),
        ("\u2028a\u0085b\u3000c\xa0", "a b c"),
        ("a\0\x07\x1b\x7fb", "ab"),
        ("\u202eabc\u202c\u2066d\u2069\ufeff", "abcd"),
        ("שלום\u200f!", "שלום\u200f!"),
        ("\ud800a", "\ufffda"),
    ],
)
def test_text_on_one_line(text: str, line: str):
    assert one_line(text) == line


@pytest.mark.parametrize(
    ("left", "right", "between"),
    [
        ("你好", "世界", ""),
        ("你好。", "Hello", ""),
        ("Hello,", "world", " "),
        ("거실", "불", " "),
        ("カラ", "オケ", ""),
        ("", "a", ""),
    ],
)
def test_what_belongs_between_two_pieces(left: str, right: str, between: str):
    assert joiner(left, right) == between


@pytest.mark.parametrize(
    ("pair", "may"),
    [("你好", True), ("好。", False), ("（好", False), ("ab", False), ("a ", False), (" b", True),
     ("好a", True), ("12", False), ("é\u0301", False), ("켜줘", False)],
)  # fmt: skip
def test_where_a_line_may_end(pair: str, may: bool):
    assert may_break(*pair) is may


def test_full_width_counts_two_and_marks_nothing():
    assert columns_of("aé好カ。e\u0301") == 2 + 6 + 1
    assert columns_of("ｶ") == 1


@pytest.mark.parametrize(
    ("text", "columns", "lines"),
    [
        ("今天天气很好。", 12, ["今天天气很", "好。"]),
        ("one two three", 7, ["one two", "three"]),
        ("one two three", 8, ["one two", "three"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("用Kubernetes部署", 12, ["用Kubernetes", "部署"]),
        ("", 10, []),
    ],
)
def test_wrapping(text: str, columns: int, lines: list[str]):
    assert wrap(text, columns=columns) == lines


@given(st.text("今好。，ab 1é-😀（"), st.integers(2, 30))
def test_wrapped_lines_fit_and_lose_nothing(text: str, columns: int):
    line = one_line(text)
    lines = wrap(line, columns=columns)
    assert all(columns_of(part) <= columns and part.strip() == part for part in lines)
    assert "".join("".join(lines).split()) == "".join(line.split())


@given(st.text())
def test_any_text_can_be_written_as_utf8(text: str):
    encodable(text).encode("utf-8")
    one_line(text).encode("utf-8")
