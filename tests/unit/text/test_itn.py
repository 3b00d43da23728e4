from __future__ import annotations

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offscribe.text.itn import InverseNormalisation, normalise
from offscribe.types import Segment, Word


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("我的电话是一三八零零一三八零零零", "我的电话是13800138000"),
        ("身份证号是四二零一零六一九九零零一零一二", "身份证号是420106199001012"),
        ("二零二五年三月十五号下午三点半开会", "2025/03/15 3:30p.m.开会"),
        ("二〇〇八年", "2008年"),
        ("公元一九九六年", "公元1996年"),
        ("占百分之九十五点六", "占95.6%"),
        ("一百五十人民币", "CNY150"),
        ("三分之二的人", "2/3的人"),
        ("一共一千二百三十四个", "一共1234个"),
        ("九点半", "9:30"),
        ("十分钟", "10min"),
        ("在第二十三届，二十五岁", "在第23届，25岁"),
        ("四百八百", "400 800"),
    ],
)
def test_chinese_numbers_are_written(spoken: str, written: str):
    assert normalise(spoken, "zh") == written


@pytest.mark.parametrize(
    "text",
    [
        "我们一心一意，十分感谢，一起努力，万一不行就算了",
        "千万不要三心二意，九牛一毛，乱七八糟，十全十美，一五一十地说",
        "他一目十行，我们五十步笑百步",
        "十几个人，几十个人，数百万人，上千次，二十几万的投资",
        "高一三班的同学在十字路口",
        "李四和张三去三亚，用百度",
        "双十一，五一劳动节，大年三十，初十",
        "第一，第二，第三",
        "2025年3月花了100块钱",
        "他走了2千五百步",
    ],
)
def test_words_that_are_no_numbers_stay(text: str):
    assert normalise(text, "zh") == text


def test_age_of_thirty_is_no_new_years_eve():
    assert normalise("今年三十岁", "zh") == "今年30岁"


def test_traditional_text_keeps_its_script():
    assert normalise("賺了八千萬美元，三點四十五分", "yue") == "賺了$8000萬，3:45"


def test_punctuation_quotes_and_spaces_of_chinese_survive():
    text = '他说： "二十五" ，然后 \\ <走> 了。\n三十人'
    assert normalise(text, "zh") == '他说： "25" ，然后 \\ <走> 了。\n30人'


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("I have twenty-five apples.", "I have 25 apples."),
        ("Twenty five people came.", "25 people came."),
        ("He was born on July twenty fifth, two thousand twelve.", None),
        ("It costs twenty dollars and fifty cents.", "It costs $20.50."),
        ("Call five five five one two three four!", "Call 5551234!"),
        ('"Twenty," he said: "I\'m forty two." (Really?)', None),
        ("Meet me at six p.m. on Monday.", None),
        ("the twenty first century", "the 21st century"),
        ("a dot b c at g mail dot com", "a.bc@gmail.com"),
    ],
)
def test_english_numbers_are_written_in_place(spoken: str, written: str | None):
    expected = {
        "He was": "He was born on July 25, 2012.",
        '"Twent': '"20," he said: "I\'m 42." (Really?)',
        "Meet m": "Meet me at 06:00 p.m. on Monday.",
    }
    assert normalise(spoken, "en") == (written or expected[spoken[:6]])


@pytest.mark.parametrize(
    "text",
    [
        "And so my fellow Americans, ask not what your country can do for you, ask what you can "
        "do for your country.",
        "  Just a second, please.  The first  time I saw her.\n",
        "Doctor Smith met Saint George, for example.",
        "I am at home. I dot my i's.",
        "My email is john dot smith at gmail dot com",
        "naïve café, 25 of them, Füße; 😀 <b> & \\ {x} [y] $5",
    ],
)
def test_english_text_without_numbers_survives_to_the_letter(text: str):
    assert normalise(text, "en") == text


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("二千二十四年十月一日に会議を開きます", "2024年10月1日に会議を開きます"),
        ("九十五パーセント", "95%"),
        ('彼は"二十"歳\\です', '彼は"20"歳\\です'),
        ("千円です", "1000円です"),
    ],
)
def test_japanese_numbers_are_written(spoken: str, written: str):
    assert normalise(spoken, "ja") == written


@pytest.mark.parametrize("text", ["十分です", "千葉県の八百屋", "五十嵐さん", "百科事典", "数百人"])
def test_japanese_names_and_compounds_stay(text: str):
    assert normalise(text, "ja") == text


@pytest.mark.parametrize("language", ["ko", "auto", "", "fr"])
def test_languages_without_a_grammar_stay(language: str):
    assert normalise("이십오 二十五 twenty five", language) == "이십오 二十五 twenty five"


@pytest.mark.parametrize("language", ["zh", "en", "ja"])
@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\0",
        "a\0b",
        '"',
        "\\",
        '\\"',
        "]}{[",
        'char { value: "x" }',
        'money { value: "3" }',
        "<eps>",
        "\ud800",
        "\ue000",
        "\u202e\ufeff\u2028",
        "👨\u200d👩\u200d👧",
        "🇨🇳",
        "e\u0301",
        "ไทย العربية 한국어",
        "1" * 3000,
        "~`!@#$%^&*()_+-=[]{}|;:,./<>?'",
    ],
)
def test_odd_input_comes_back_as_it_was(text: str, language: str):
    assert normalise(text, language) == text


@pytest.mark.parametrize("language", ["zh", "en", "ja"])
def test_odd_characters_beside_numbers_survive(language: str):
    spoken = {"zh": "二十五", "en": "twenty five", "ja": "二十五"}[language]
    for odd in ("\0", '"', "\\", "\ud800", "\x07", "[", "{", "😀", "\ue000", "\u200f", "<"):
        assert normalise(f"{odd}{spoken}{odd}", language) == f"{odd}25{odd}"


def test_megabyte_on_one_line_loses_nothing():
    text = "今天天气很好" * 60_000 + "一共二十五人"
    assert normalise(text, "zh") == "今天天气很好" * 60_000 + "一共25人"


def test_very_long_digits_keep_every_digit():
    written = normalise("一二三四五六七八九零" * 300, "zh")
    assert written == "1234567890" * 300


def test_stretch_that_cannot_be_read_stays_and_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    class Mute:
        """A wetext that finds no path, as it answers to what its grammars do not know."""

        @staticmethod
        def tag(*_: object) -> str:
            return ""

    monkeypatch.setattr("offscribe.text.itn._wetext", lambda: Mute)
    with caplog.at_level(logging.WARNING):
        assert normalise("一共二十五人", "zh") == "一共二十五人"
    assert "left 6 characters as spoken" in caplog.text


def test_pass_fills_itn_text_and_nothing_else():
    segment = Segment("二十人", 1.0, 2.0, words=(Word("二", 1.0, 1.2),))
    assert InverseNormalisation()(segment, language="zh") == Segment(
        "二十人", 1.0, 2.0, "20人", (Word("二", 1.0, 1.2),)
    )


_NUMBERLESS = st.text().filter(
    lambda text: not set(text) & set("零〇一二三四五六七八九十百千万亿两幺億萬兩")
)


@given(_NUMBERLESS)
@settings(max_examples=200, deadline=None)
def test_text_without_numerals_never_changes_in_chinese(text: str):
    assert normalise(text, "zh") == text


@given(st.text("甲乙，。 \"\\'[{}]<\n\0😀\ud800漢"), st.text("甲乙，。 \"\\'[{}]<\n\0😀\ud800漢"))
@settings(max_examples=200, deadline=None)
def test_what_stands_around_a_number_never_changes(before: str, after: str):
    assert normalise(f"{before}甲二十五甲{after}", "zh") == f"{before}甲25甲{after}"


@given(st.text("one two -'\",.at dot first seven \\ I", max_size=60))
@settings(max_examples=200, deadline=None)
def test_english_never_crashes_and_never_empties(text: str):
    assert bool(normalise(text, "en").strip()) == bool(text.strip())
