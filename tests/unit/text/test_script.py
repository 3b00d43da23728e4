from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offscribe.text.script import ScriptConversion, convert, simplify_characters
from offscribe.types import Script, Segment, Word


@pytest.mark.parametrize("script", ["auto", "simplified"])
@pytest.mark.parametrize("language", ["zh", "yue"])
def test_chinese_is_simplified_unless_asked_otherwise(script: Script, language: str):
    assert convert("打開客廳的燈，乾杯", script, language=language) == "打开客厅的灯，干杯"


def test_traditional_writes_what_taiwan_writes_and_keeps_the_vocabulary():
    assert convert("为什么软件在里面", "traditional", language="zh") == "為什麼軟件在裡面"


def test_traditional_cantonese_writes_what_hong_kong_writes():
    assert convert("这里", "traditional", language="yue") == "這裏"


def test_keep_keeps_mixed_script():
    assert convert("開客厅", "keep", language="zh") == "開客厅"


@pytest.mark.parametrize("language", ["ja", "ko", "en", "auto", ""])
@pytest.mark.parametrize("script", ["auto", "simplified", "traditional"])
def test_other_languages_are_never_touched(script: Script, language: str):
    assert convert("図書館で漢字を読む", script, language=language) == "図書館で漢字を読む"


def test_pass_keeps_times_and_rewrites_words():
    segment = Segment("開燈", 1.0, 2.0, words=(Word("開", 1.0, 1.4), Word("燈", 1.5, 1.9)))
    assert ScriptConversion("auto")(segment, language="zh") == Segment(
        "开灯", 1.0, 2.0, words=(Word("开", 1.0, 1.4), Word("灯", 1.5, 1.9))
    )


def test_half_a_surrogate_pair_passes_through():
    assert convert("\ud800開\udfff", "simplified", language="zh") == "\ud800开\udfff"


@given(st.text())
def test_simplified_characters_stay_in_their_places(text: str):
    simplified = simplify_characters(text)
    assert len(simplified) == len(text)
    assert all(a == b for a, b in zip(text, simplified, strict=True) if a.isascii())
