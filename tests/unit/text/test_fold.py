from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from offscribe.text.fold import find_hits, fold, fold_query, snippet


class Index:
    """A full-text table as the store has it."""

    def __init__(self) -> None:
        self._rows = sqlite3.connect(":memory:")
        self._rows.execute("CREATE VIRTUAL TABLE found USING fts5(text, tokenize='unicode61')")

    def finds(self, text: str, query: str) -> bool:
        expression = fold_query(query)
        if not expression:
            return False
        self._rows.execute("DELETE FROM found")
        self._rows.execute("INSERT INTO found VALUES (?)", (fold(text),))
        rows = self._rows.execute("SELECT 1 FROM found WHERE found MATCH ?", (expression,))
        return rows.fetchone() is not None

    def close(self) -> None:
        self._rows.close()


@pytest.fixture(scope="module")
def index() -> Iterator[Index]:
    table = Index()
    yield table
    table.close()


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("今天开会", "今 天 开 会"),
        ("開會討論ＡＳＲ模型", "开 会 讨 论 asr 模 型"),
        ("リビングｶﾞ々", "リ ビ ン グ ガ 々"),
        ("거실을 켜줘", "거 실 을 켜 줘"),
        ("\u1100\u1161", "가"),
        ("Straße CAFÉ cafe\u0301 ﬁ", "strasse cafe cafe fi"),
        ("a\0b\n\tc\ud800", "a b c"),
        ("Hello, world!", "hello, world!"),
        ("", ""),
    ],
)
def test_folding(text: str, folded: str):
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("query", "expression"),
    [
        ("模型", '"模 型"'),
        ("  漢字 模型 ", '"汉 字" AND "模 型"'),
        ("hello wor", '"hello" AND "wor" *'),
        ("ASR模型", '"asr 模 型"'),
        ("模型v2", '"模 型 v2" *'),
        ('"NEAR(', '"near" *'),
        ("foo-bar", '"foo bar" *'),
        ("-*^:()\"'\0", ""),
        ("", ""),
        (" \n", ""),
    ],
)
def test_query_becomes_quoted_phrases(query: str, expression: str):
    assert fold_query(query) == expression


@pytest.mark.parametrize(
    ("text", "query", "is_found"),
    [
        ("今天开会讨论预算", "会", True),
        ("今天开会讨论预算", "开会", True),
        ("今天开会讨论预算", "討論預算", True),
        ("今天开会讨论预算", "会开", False),
        ("今天开会讨论预算", "预算 今天", True),
        ("今天开会讨论预算", "预算 明天", False),
        ("거실을 켜줘", "거실", True),
        ("リビングの電気", "ﾘﾋﾞﾝｸﾞ", True),
        ("The Kubernetes cluster", "kuber", True),
        ("The Kubernetes cluster", "kuber cluster", False),
        ("un café", "CAFE", True),
        ("版本v2.0发布", "v2.0", True),
        ("a AND b", "and", True),
    ],
)
def test_index_and_hits_agree(index: Index, text: str, query: str, is_found: bool):
    assert index.finds(text, query) is is_found
    assert (len(find_hits(text, query)) >= len(query.split())) is is_found


@given(st.text() | st.text("\"'*-:^()+{}\0 NEARANDORNOTaé汉한か.,"))
@example('" OR "')
@example("NEAR(a b, 3)")
@example("text : a")
@example("\0")
@example("\ud800")
@example("ⅷ ²")
@settings(max_examples=500)
def test_no_query_is_a_syntax_error(query: str):
    table = Index()
    try:
        table.finds("some text 汉字", query)
    finally:
        table.close()


@given(
    st.text("今天开會ab cé.-\nＡ한かガｶ\0", min_size=1, max_size=20),
    st.integers(0, 19),
    st.integers(1, 6),
)
@settings(max_examples=300)
def test_every_stretch_of_a_text_is_found_in_it_by_both(text: str, start: int, length: int):
    stretch = text[start : start + length].strip().split()
    hits = [part for part in stretch if fold_query(part)]
    for part in hits:
        starts_a_word = part[0] in "今天开會한かガｶ" or start == 0 or not text[start - 1].isalnum()
        if part == stretch[0] and not starts_a_word:
            continue
        table = Index()
        try:
            assert table.finds(text, part)
        finally:
            table.close()
        assert find_hits(text, part)


def test_hits_are_places_in_the_original_text():
    text = "我爱漢字，Ｃafés 和 汉字"
    hits = find_hits(text, "汉字 caf")
    assert [text[start:end] for start, end in hits] == ["漢字", "Ｃafés", "汉字"]


def test_hit_covers_both_halves_of_a_composed_character():
    text = "ｶﾞス"
    assert [text[start:end] for start, end in find_hits(text, "ガ")] == ["ｶﾞ"]


def test_overlapping_hits_are_merged():
    assert find_hits("哈哈哈", "哈哈") == [(0, 3)]


@pytest.mark.parametrize("query", ["", "!?", "\0"])
def test_query_without_words_hits_nothing(query: str):
    assert find_hits("任何 text!?", query) == []


def test_snippet_marks_hits_and_cuts_around_the_first():
    text = "天" * 100 + "开会" + "地" * 100
    pieces = snippet(text, "開會", width=30)
    assert pieces == (
        ("…", False),
        ("天" * 10, False),
        ("开会", True),
        ("地" * 18, False),
        ("…", False),
    )


def test_snippet_of_a_short_text_is_the_whole_text():
    assert snippet("今天开会", "会") == (("今天开", False), ("会", True))


def test_snippet_without_a_hit_is_the_beginning():
    assert snippet("一二三四五", "六", width=3) == (("一二三", False), ("…", False))
    assert snippet("", "六") == ()


@given(st.text("今天 ab,", max_size=80), st.text("今天 ab", max_size=6), st.integers(1, 40))
def test_snippet_is_a_stretch_of_the_text(text: str, query: str, width: int):
    shown = "".join(piece for piece, _ in snippet(text, query, width=width) if piece != "…")
    assert shown in text
    assert any(is_hit for _, is_hit in snippet(text, query, width=width)) == bool(
        find_hits(text, query)
    )
