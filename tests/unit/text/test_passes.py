from __future__ import annotations

from offscribe.text.passes import build_passes
from offscribe.types import RecognizeOptions, Segment, Word


def passed(text: str, options: RecognizeOptions, *, language: str = "zh") -> Segment:
    segment = Segment(text, 3.0, 4.0, words=(Word(text, 3.1, 3.9),))
    for text_pass in build_passes(options):
        segment = text_pass(segment, language=language)
    return segment


def test_hotwords_come_before_script_and_script_before_numbers():
    options = RecognizeOptions(hotwords=("张伟",), script="traditional")
    assert passed("章伟有二十个问题", options) == Segment(
        "張偉有二十個問題", 3.0, 4.0, "張偉有20個問題", (Word("張偉有二十個問題", 3.1, 3.9),)
    )


def test_without_itn_the_written_form_is_the_spoken_one():
    segment = passed("二十個", RecognizeOptions(itn=False))
    assert (segment.text, segment.itn_text) == ("二十个", "二十个")


def test_hotwords_are_only_corrected_when_asked():
    options = RecognizeOptions(hotwords=("张伟",), correct_hotwords=False)
    assert passed("请找章伟", options).text == "请找章伟"


def test_english_is_neither_converted_nor_damaged():
    segment = passed("It is twenty.", RecognizeOptions(script="traditional"), language="en")
    assert (segment.text, segment.itn_text) == ("It is twenty.", "It is 20.")


def test_korean_passes_unchanged():
    segment = passed("거실 불 켜줘", RecognizeOptions(), language="ko")
    assert (segment.text, segment.itn_text) == ("거실 불 켜줘", "거실 불 켜줘")
