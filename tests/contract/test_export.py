"""Every format, read back by a parser that knows the format and not our code."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from offscribe.errors import BadOption, InputError
from offscribe.export.document import ExportDocument
from offscribe.export.registry import FORMATS, ExportOptions, find_format, render
from offscribe.types import Segment, Word

HOSTILE = (
    "=cmd|' /C calc'!A0\n\n2\n00:00:01,000 --> 00:00:02,000\n<script>alert(1)</script> &amp; "
    '"quoted", `code` | pipe | \0\x07\u202e reversed \u2028 line \ud800 {\\an8} [a](b) 1. *x* _y_'
)

MeasuredTimes = st.floats(-5, 500_000) | st.sampled_from([0.0, 0.9996, 359_999.9999, 360_000.0])


def document(*segments: Segment, name: str = "talk.wav") -> ExportDocument:
    created_at = datetime(2025, 3, 15, 8, 30, tzinfo=UTC)
    return ExportDocument(name, created_at, 12.5, "zh", "whisper-base", segments)


TALK = document(
    Segment("今天有二十人", 0.0, 2.0, "今天有20人", (Word("今天有二十人", 0.1, 1.9),)),
    Segment("很好。", 2.5, 3.0, "很好。"),
    Segment("Hello there", 6.0, 7.0, "Hello there"),
    Segment("everyone.", 7.5, 8.25, "everyone."),
)


def parse_subtitles(text: str, *, point: str) -> list[tuple[int, int, list[str]]]:
    """Blocks between blank lines: number, times, lines of text."""
    clock = rf"(\d{{2,}}):([0-5]\d):([0-5]\d){re.escape(point)}(\d{{3}})"
    cues = []
    for number, block in enumerate(filter(None, text.strip("\n").split("\n\n")), start=1):
        head, times, *lines = block.split("\n")
        assert head == str(number)
        match = re.fullmatch(f"{clock} --> {clock}", times)
        assert match, times
        h1, m1, s1, ms1, h2, m2, s2, ms2 = map(int, match.groups())
        start = ((h1 * 60 + m1) * 60 + s1) * 1000 + ms1
        end = ((h2 * 60 + m2) * 60 + s2) * 1000 + ms2
        assert lines
        assert all(line.strip() for line in lines)
        cues.append((start, end, lines))
    return cues


def parse_vtt(text: str) -> list[tuple[int, int, list[str]]]:
    head, _, rest = text.partition("\n\n")
    assert head == "WEBVTT" or text == "WEBVTT\n"
    return parse_subtitles(rest, point=".")


def unescape_vtt(line: str) -> str:
    assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", line)
    return line.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def assert_in_order(cues: list[tuple[int, int, list[str]]]) -> None:
    assert all(0 <= start < end for start, end, _ in cues)
    assert all(left[1] <= right[0] for left, right in pairwise(cues))


@pytest.mark.parametrize("name", FORMATS)
class TestEveryFormat:
    def test_has_an_extension_and_a_media_type(self, name: str):
        entry = find_format(name)
        assert (entry.name, entry.extension) == (name, name)
        assert "/" in entry.media_type

    def test_writes_the_form_that_was_asked_for(self, name: str):
        written = render(TALK, name, ExportOptions(text="itn"))
        spoken = render(TALK, name, ExportOptions(text="raw"))
        assert "20人" in written
        assert "二十人" in spoken
        if name not in {"json", "csv"}:  # these hold both
            assert "二十人" not in written
            assert "20人" not in spoken

    def test_falls_back_to_the_spoken_form_where_nothing_was_normalised(self, name: str):
        talk = document(Segment("二十人", 0.0, 1.0))
        assert "二十人" in render(talk, name, ExportOptions(text="itn"))

    def test_recording_without_speech_is_an_empty_file_of_the_format(self, name: str):
        for options in (ExportOptions(), ExportOptions(times=True)):
            text = render(document(), name, options)
            assert "None" not in text

    def test_segments_without_text_leave_no_holes(self, name: str):
        silent = document(Segment("", 0.0, 1.0), Segment(" \n", 1.0, 2.0), Segment("好", 2.0, 3.0))
        text = render(silent, name, ExportOptions())
        assert "\n\n\n" not in text
        assert "好" in text

    def test_hostile_text_can_be_encoded_and_holds_no_control_characters(self, name: str):
        hostile = document(Segment(HOSTILE, 0.0, 1.0), name=HOSTILE)
        for options in (ExportOptions(), ExportOptions(times=True)):
            text = render(hostile, name, options)
            text.encode("utf-8")
            assert not set(text) & set("\0\x07\x1b")
            if name != "json":
                assert not set(text) & set("\u202e\u2028")

    def test_time_that_is_no_number_is_an_input_error(self, name: str):
        for time in (float("nan"), float("inf")):
            with pytest.raises(InputError, match="not a number"):
                render(document(Segment("好", time, 1.0)), name, ExportOptions())


def test_unknown_format_lists_the_known():
    with pytest.raises(BadOption, match="docx") as caught:
        render(TALK, "docx", ExportOptions())
    assert caught.value.hint == "Choose one of txt, srt, vtt, json, csv, md."


# --- txt --------------------------------------------------------------------------------------


def test_txt_joins_to_paragraphs_and_breaks_at_two_seconds():
    assert render(TALK, "txt", ExportOptions()) == "今天有20人很好。\n\nHello there everyone.\n"


def test_txt_with_times_has_a_line_a_segment():
    assert render(TALK, "txt", ExportOptions(times=True)) == (
        "[00:00:00] 今天有20人\n[00:00:02] 很好。\n[00:00:06] Hello there\n[00:00:07] everyone.\n"
    )


def test_txt_keeps_the_spaces_of_korean():
    talk = document(Segment("거실 불", 0.0, 1.0), Segment("켜줘", 1.0, 2.0))
    assert render(talk, "txt", ExportOptions()) == "거실 불 켜줘\n"


def test_txt_of_silence_is_empty():
    assert render(document(), "txt", ExportOptions()) == ""


# --- srt and vtt ------------------------------------------------------------------------------


def test_srt_as_players_read_it():
    assert parse_subtitles(render(TALK, "srt", ExportOptions()), point=",") == [
        (0, 2000, ["今天有20人"]),
        (2500, 3000, ["很好。"]),
        (6000, 7000, ["Hello there"]),
        (7500, 8250, ["everyone."]),
    ]


def test_vtt_as_browsers_read_it():
    cues = parse_vtt(render(TALK, "vtt", ExportOptions()))
    assert cues == parse_subtitles(render(TALK, "srt", ExportOptions()), point=",")


def test_vtt_text_comes_back_unescaped():
    talk = document(Segment("a <b> & c --> d &lt;", 0.0, 1.0))
    [(_, _, lines)] = parse_vtt(render(talk, "vtt", ExportOptions()))
    assert [unescape_vtt(line) for line in lines] == ["a <b> & c --> d &lt;"]


def test_srt_text_cannot_open_another_cue():
    talk = document(Segment(HOSTILE, 0.0, 1.0), Segment("好", 1.0, 2.0))
    cues = parse_subtitles(render(talk, "srt", ExportOptions()), point=",")
    assert len(cues) == 2
    assert "-->" not in "".join(line for _, _, lines in cues for line in lines)


def test_hundred_hours_and_rounding_to_the_next_second():
    talk = document(Segment("好", 359_999.9996, 360_001.0))
    assert "100:00:00,000 --> 100:00:01,000" in render(talk, "srt", ExportOptions())


@given(
    st.lists(
        st.builds(
            lambda text, start, length, words: Segment(
                text, start, start + length, words=tuple(words)
            ),
            st.text("好，。 ab.-<>&\n-\0{\\é😀", max_size=120),
            MeasuredTimes,
            st.floats(-1, 20),
            st.lists(
                st.builds(Word, st.text("好，ab. ", min_size=1), MeasuredTimes, MeasuredTimes),
                max_size=4,
            ),
        ),
        max_size=6,
    ),
    st.sampled_from(["itn", "raw"]),
)
@settings(max_examples=300, deadline=None)
def test_cues_never_overlap_and_lose_no_text(segments: list[Segment], text: Literal["itn", "raw"]):
    talk = document(*segments)
    options = ExportOptions(text=text)
    srt = parse_subtitles(render(talk, "srt", options), point=",")
    vtt = parse_vtt(render(talk, "vtt", options))
    assert_in_order(srt)
    assert [cue[:2] for cue in vtt] == [cue[:2] for cue in srt]
    shown = [unescape_vtt(line) for _, _, lines in vtt for line in lines]
    said = [segment.text.replace("\0", "") for segment in segments]
    assert sorted("".join("".join(shown).split())) == sorted("".join("".join(said).split()))


# --- json -------------------------------------------------------------------------------------


def test_json_holds_the_whole_record():
    record = json.loads(render(TALK, "json", ExportOptions()))
    assert list(record) == [
        "name",
        "created_at",
        "duration",
        "language",
        "model",
        "text",
        "itn_text",
        "segments",
    ]
    assert record["created_at"] == "2025-03-15T08:30:00+00:00"
    assert record["text"] == "今天有二十人很好。\n\nHello there everyone."
    assert record["itn_text"] == "今天有20人很好。\n\nHello there everyone."
    assert record["segments"][0] == {
        "start": 0.0,
        "end": 2.0,
        "text": "今天有二十人",
        "itn_text": "今天有20人",
        "words": [{"text": "今天有二十人", "start": 0.1, "end": 1.9}],
    }
    assert record["segments"][1]["words"] == []


def test_json_is_readable_chinese():
    assert "今天有二十人" in render(TALK, "json", ExportOptions())


@given(st.text())
def test_json_gives_text_back_to_the_letter(text: str):
    record = json.loads(render(document(Segment(text, 0.0, 1.0)), "json", ExportOptions()))
    expected = re.sub("[\ud800-\udfff]", "\ufffd", text)
    assert record["segments"][0]["text"] == expected


# --- csv --------------------------------------------------------------------------------------


def rows_of(text: str) -> list[list[str]]:
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline="")))


def test_csv_has_a_row_a_segment():
    assert rows_of(render(TALK, "csv", ExportOptions()))[:3] == [
        ["index", "start", "end", "text", "itn_text"],
        ["1", "0.000", "2.000", "今天有二十人", "今天有20人"],
        ["2", "2.500", "3.000", "很好。", "很好。"],
    ]
    assert render(TALK, "csv", ExportOptions()).count("\r\n") == 5


@pytest.mark.parametrize("start", list("=+-@＝＋－＠"))
def test_csv_text_is_never_a_formula(start: str):
    for lead in ("", " ", "\t", "\r", "\n", "\0", "\u202e"):
        talk = document(Segment(f"{lead}{start}1+1", 0.0, 1.0))
        assert rows_of(render(talk, "csv", ExportOptions()))[1][3] == f"'{start}1+1"


@given(st.lists(st.text(), max_size=5))
def test_csv_keeps_its_rows_and_columns(texts: list[str]):
    talk = document(*(Segment(text, 0.0, 1.0) for text in texts))
    rows = rows_of(render(talk, "csv", ExportOptions()))
    assert len(rows) == len(texts) + 1
    assert all(len(row) == 5 for row in rows)


# --- md ---------------------------------------------------------------------------------------


def shown_by_markdown(source: str) -> list[tuple[str, str]]:
    """(block, text) as a renderer shows them; any markup inside text fails the test."""
    blocks = []
    tokens = MarkdownIt("commonmark").enable("table").enable("strikethrough").parse(source)
    for before, token in pairwise(tokens):
        if token.type == "inline":
            children = token.children or []
            assert {child.type for child in children} <= {"text", "text_special", "code_inline"}
            blocks.append((before.type, "".join(child.content for child in children)))
    return blocks


def test_markdown_has_a_heading_facts_and_paragraphs():
    assert render(TALK, "md", ExportOptions()) == (
        "# talk.wav\n\n"
        "- Date: 2025-03-15 08:30 UTC\n- Duration: 00:00:12\n- Language: zh\n"
        "- Model: whisper-base\n\n"
        "今天有20人很好。\n\nHello there everyone.\n"
    )


def test_markdown_with_times_begins_each_paragraph_with_its_time():
    text = render(TALK, "md", ExportOptions(times=True))
    assert text.endswith("`00:00:00` 今天有20人很好。\n\n`00:00:06` Hello there everyone.\n")


@given(
    st.text("#*_`|<>[]()!&\\~+-=.:$ 1a好\n\t", min_size=1).filter(lambda text: bool(text.split()))
)
@settings(max_examples=500)
def test_markdown_shows_the_text_and_no_markup(text: str):
    talk = replace(document(Segment(text, 0.0, 1.0)), name=text)
    (heading, name), *_, (kind, shown) = shown_by_markdown(render(talk, "md", ExportOptions()))
    assert (heading, kind) == ("heading_open", "paragraph_open")
    assert name == shown == " ".join(text.split())
