from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offscribe.errors import BadOption
from offscribe.text.hotwords import MAX_HOTWORDS, HotwordCorrection, parse_hotwords
from offscribe.types import Segment, Word


@pytest.mark.parametrize(
    ("source", "terms"),
    [
        ("开放时间\n营业时间\r\n客服电话\n", ("开放时间", "营业时间", "客服电话")),
        ("a,b，c；d;e、f\tg", ("a", "b", "c", "d", "e", "f", "g")),
        ("# names\n张三\n  # more\n李四", ("张三", "李四")),
        ("C#\nFun ASR", ("C#", "Fun ASR")),
        ("阿里巴巴 20\n通义实验室 -30\niPhone 15 10\n", ("阿里巴巴", "通义实验室", "iPhone 15")),
        ("阿里巴巴\t20\n通义\t5", ("阿里巴巴", "通义")),
        ("iPhone 15\nBoeing 747", ("iPhone 15", "Boeing 747")),
        ('{"阿里巴巴": 20, "通义实验室": 30}', ("阿里巴巴", "通义实验室")),
        ('["x, y", "张三 2"]', ("x, y", "张三 2")),
        ("\ufeff张三\n\n张三\n ,, 李四 ，", ("张三", "李四")),
        ("e\u0301t\u00e9\n\u00e9te\u0301", ("\u00e9t\u00e9",)),
        ("a  \u3000 b\x00\x07c", ("a b c",)),
        ("", ()),
        (" \n#\n,,,", ()),
        ("[]", ()),
        ("20\n3.5", ("20", "3.5")),
    ],
)
def test_every_known_form_of_a_list_is_read(source: str, terms: tuple[str, ...]):
    assert parse_hotwords(source) == terms


@pytest.mark.parametrize(
    "source",
    [
        "[音乐]",
        "{",
        '{"a": ',
        "[1, 2]",
        '[["a"]]',
        "[null]",
        "[" * 100_000,
        '["\\ud800"]',
        "\ud800",
    ],
)
def test_what_cannot_be_read_is_refused_with_a_hint(source: str):
    with pytest.raises(BadOption) as caught:
        parse_hotwords(source)
    assert caught.value.hint


def test_length_and_number_are_limited():
    assert parse_hotwords("字" * 64) == ("字" * 64,)
    with pytest.raises(BadOption, match="65 characters"):
        parse_hotwords("字" * 65)
    many = "\n".join(f"term{n}" for n in range(MAX_HOTWORDS))
    assert len(parse_hotwords(many + "\nterm0")) == MAX_HOTWORDS
    with pytest.raises(BadOption, match="10001 hotwords"):
        parse_hotwords(many + "\none more")


@given(st.text())
def test_any_text_gives_tidy_terms_or_a_clear_refusal(source: str):
    try:
        terms = parse_hotwords(source)
    except BadOption:
        return
    assert len(set(terms)) == len(terms)
    assert all(term and term == term.strip() and len(term) <= 64 for term in terms)


def corrected(text: str, *hotwords: str, language: str = "zh") -> str:
    return HotwordCorrection(hotwords).correct(text, language=language)


@pytest.mark.parametrize(
    ("heard", "hotword", "meant"),
    [
        ("我在同意实验室工作", "通义实验室", "我在通义实验室工作"),
        ("请找章伟签字", "张伟", "请找张伟签字"),
        ("联系科大训飞公司", "科大讯飞", "联系科大讯飞公司"),
        ("去南靖路口", "蓝靖路口", "去蓝靖路口"),  # n and l
        ("服南发展银行", "湖南发展银行", "湖南发展银行"),  # h and f
        ("問題交給科大訓飛", "科大讯飞", "問題交給科大讯飞"),
    ],
)
def test_homophone_becomes_the_hotword(heard: str, hotword: str, meant: str):
    assert corrected(heard, hotword) == meant


@pytest.mark.parametrize(
    ("text", "hotword"),
    [
        ("这个公式很难", "攻势"),  # a word of its own
        ("我同意你的看法", "通义"),
        ("城市长大了", "视长"),  # across two words
        ("这是他的事情", "的士"),
        ("他是网力公司的", "王莉"),  # both characters differ
        ("范围内的行业", "黄伟娜"),  # alike by two confusions
        ("通义实验室很好", "同义实验室的"),  # another number of syllables
        ("我们去看电影", "北京"),
        ("张伟来了", "张伟"),
        ("章", "张"),
    ],
)
def test_no_hotword_is_put_where_it_was_not_said(text: str, hotword: str):
    assert corrected(text, hotword) == text


def test_text_that_is_another_hotword_stays():
    assert corrected("请找章伟签字", "张伟", "章伟") == "请找章伟签字"


def test_longest_hotword_wins():
    assert corrected("在同意实验室里", "通义实验室", "通义实验") == "在通义实验室里"


@pytest.mark.parametrize("language", ["yue", "ja", "ko", "en", "auto"])
def test_sounds_are_compared_in_mandarin_alone(language: str):
    assert corrected("我在同意实验室", "通义实验室", language=language) == "我在同意实验室"


@pytest.mark.parametrize(
    ("heard", "hotword", "meant"),
    [
        ("用 fun asr 识别", "FunASR", "用 FunASR 识别"),
        ("用Fun-ASR识别", "FunASR", "用FunASR识别"),
        ("用funasr识别", "FunASR", "用FunASR识别"),
        ("这个a i模型", "AI", "这个AI模型"),
        ("苹果ai", "AI", "苹果AI"),
        ("deploy kubernetis today", "Kubernetes", "deploy Kubernetes today"),
        ("deploy cubernetes today", "Kubernetes", "deploy Kubernetes today"),
        ("open web ui", "Open WebUI", "Open WebUI"),
        ("postgress is fast", "Postgres", "Postgres is fast"),
    ],
)
def test_latin_spelling_is_repaired(heard: str, hotword: str, meant: str):
    assert corrected(heard, hotword) == meant


@pytest.mark.parametrize(
    ("text", "hotword"),
    [
        ("give it to us, who can", "US"),
        ("give it to us, who can", "IT"),
        ("the clause says", "Claude"),
        ("many models here", "model"),
        ("is a good one", "ISA"),
        ("a thing. b thing", "AB"),
        ("FunASR", "FunASR"),
        ("42 and 4 2", "42"),
    ],
)
def test_common_english_words_are_no_hotwords(text: str, hotword: str):
    assert corrected(text, hotword, language="en") == text


def test_terms_of_mixed_script_and_kana_change_nothing():
    text = "阿里云oss和カラオケと노래방"
    assert corrected(text, "阿里云OSS", "カラオケ", "노래방", "", " ", "\0") == text


def test_pass_carries_word_times():
    segment = Segment(
        "找章伟",
        0.0,
        1.0,
        words=tuple(Word(char, n / 4, n / 4 + 0.2) for n, char in enumerate("找章伟")),
    )
    changed = HotwordCorrection(("张伟",))(segment, language="zh")
    assert [(word.text, word.start) for word in changed.words] == [
        ("找", 0),
        ("张", 0.25),
        ("伟", 0.5),
    ]
    assert (changed.start, changed.end) == (0.0, 1.0)


@given(
    st.text("章张伟同意通义实验室的事 ab\n", max_size=30),
    st.lists(st.text("张伟通义实验室ab", max_size=5)),
)
def test_correction_keeps_chinese_length_and_is_stable(text: str, hotwords: list[str]):
    once = corrected(text, *hotwords)
    assert [c for c in once if c > "z"].__len__() == [c for c in text if c > "z"].__len__()
    assert corrected(once, *hotwords) == once
