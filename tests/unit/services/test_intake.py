from __future__ import annotations

import pytest

from offscribe.errors import BadOption, UnknownLanguage
from offscribe.services.intake import (
    MAX_NAME_CHARS,
    clean_name,
    parse_flag,
    recognize_options,
    safe_suffix,
    vad_options,
)
from offscribe.types import ModelCard

CARD = ModelCard(
    id="parrot",
    title="Parrot",
    engine="fake",
    kind="recognizer",
    licence="",
    homepage="",
    languages=("zh", "en"),
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("周会 记录.mp3", "周会 记录.mp3"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\talk.wav", "talk.wav"),
        ("<script>alert(1)</script>.wav", "script>.wav"),
        ("two\nlines\r\x00.wav", "two lines .wav"),
        ("😀.flac", "😀.flac"),
        ("evil\u202egpj.exe", "evilgpj.exe"),
        ("", "recording"),
        (None, "recording"),
        ("..", "recording"),
        (" . ", "recording"),
        ("bro\udc80ken.wav", "bro ken.wav"),
        ("e\u0301.wav", "é.wav"),
    ],
)
def test_a_name_becomes_one_printable_line_without_folders(
    given: str | None, expected: str
) -> None:
    assert clean_name(given) == expected


def test_a_long_name_is_cut_but_keeps_its_extension() -> None:
    name = clean_name("长" * 5000 + ".flac")
    assert len(name) == MAX_NAME_CHARS
    assert name.endswith("长.flac")


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("a.MP3", ".mp3"),
        ("a", ""),
        ("a.tar gz", ""),
        ("a.音乐", ""),
        ("a.x/y", ""),
        ("a.waytoolong1", ""),
    ],
)
def test_only_a_plain_extension_is_kept_on_disk(name: str, suffix: str) -> None:
    assert safe_suffix(name) == suffix


def test_wishes_have_the_documented_defaults() -> None:
    options = recognize_options(CARD)
    assert (options.language, options.itn, options.script) == ("zh", True, "auto")
    assert options.hotwords == ()


def test_hotwords_come_as_lines_or_with_commas() -> None:
    assert recognize_options(CARD, hotwords="开放时间\n营业时间").hotwords == (
        "开放时间",
        "营业时间",
    )
    assert recognize_options(CARD, hotwords="a,b").hotwords == ("a", "b")


@pytest.mark.parametrize("language", ["xx", "中文", "<script>", "z" * 10_000])
def test_an_unknown_language_names_the_known_ones(language: str) -> None:
    with pytest.raises(UnknownLanguage) as caught:
        recognize_options(CARD, language=language)
    assert "auto, zh, en" in caught.value.hint
    assert len(caught.value.message) < 200


def test_a_language_is_read_without_regard_to_case() -> None:
    assert recognize_options(CARD, language=" EN ").language == "en"


def test_an_unknown_script_is_refused() -> None:
    with pytest.raises(BadOption):
        recognize_options(CARD, script="cursive")


@pytest.mark.parametrize("value", ["999", "60001", "-1", "x", "1e4", "99999999999999999999"])
def test_a_segment_length_out_of_range_is_refused(value: str) -> None:
    with pytest.raises(BadOption):
        vad_options(max_segment_ms=value)


def test_a_segment_length_in_range_is_taken() -> None:
    assert vad_options(max_segment_ms="1000").max_segment_ms == 1000
    assert vad_options(max_segment_ms="").max_segment_ms == 30_000


@pytest.mark.parametrize(
    ("value", "flag"), [("TRUE", True), ("0", False), ("", True), (None, True)]
)
def test_flags_are_read(value: str | None, flag: bool) -> None:
    assert parse_flag("itn", value, default=True) is flag


def test_what_is_no_flag_is_refused() -> None:
    with pytest.raises(BadOption):
        parse_flag("itn", "perhaps", default=True)
