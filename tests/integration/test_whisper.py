"""The starter model on real speech: words, error-rate ceilings, a timed word."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from bench.scoring import score, total
from offscribe.audio.decode import open_audio
from offscribe.engines.registry import find_card, load_recognizer
from offscribe.pipeline.offline import transcribe
from offscribe.text.passes import build_passes
from offscribe.types import LoadOptions, RecognizeOptions, Recognizer, Segment
from offscribe.vad.registry import DEFAULT_VAD, load_vad


@pytest.fixture(scope="module")
def whisper(models: Path) -> Recognizer:
    return load_recognizer(
        find_card("whisper-base"), models / "whisper-base", LoadOptions(device="cpu", threads=2)
    )


def segments_of(path: Path, whisper: Recognizer, models: Path, **wishes: object) -> list[Segment]:
    options = RecognizeOptions(**wishes)  # type: ignore[arg-type]
    vad = load_vad(DEFAULT_VAD, models / DEFAULT_VAD)
    with open_audio(path) as source:
        passages = transcribe(
            source.windows(), whisper, vad=vad, passes=build_passes(options), options=options
        )
        return [segment for passage in passages for segment in passage.segments]


def text_of(segments: list[Segment]) -> str:
    return " ".join(segment.text for segment in segments)


def test_english_speech_is_heard_word_for_word(
    whisper: Recognizer, shared: Path, models: Path
) -> None:
    path = shared / "audio" / "languages" / "jfk_en.flac"
    truth = (
        "And so my fellow Americans, ask not what your country can do for you,"
        " ask what you can do for your country."
    )
    heard = text_of(segments_of(path, whisper, models, language="en"))
    assert score(truth, heard, unit="word").rate < 0.1


@pytest.mark.parametrize(
    ("language", "truth", "ceiling"),
    [
        ("zh", "打开客厅的灯", 0.2),
        ("en", "Turn on the living room light", 0.2),
        ("ja", "リビングの電気をつけて", 0.5),
        ("ko", "거실 불 켜줘", 0.5),
    ],
)
def test_short_commands_in_the_promised_languages(
    whisper: Recognizer, shared: Path, models: Path, language: str, truth: str, ceiling: float
) -> None:
    path = shared / "audio" / "languages" / f"lamp_{language}.flac"
    heard = text_of(segments_of(path, whisper, models, language=language))
    assert score(truth, heard).rate <= ceiling


def test_cantonese_is_recognised_as_chinese_characters(
    whisper: Recognizer, shared: Path, models: Path
) -> None:
    path = shared / "audio" / "languages" / "lamp_yue.flac"
    heard = text_of(segments_of(path, whisper, models, language="yue"))
    assert any("\u4e00" <= character <= "\u9fff" for character in heard)


def test_the_error_rate_on_read_mandarin_stays_under_its_ceiling(
    whisper: Recognizer, shared: Path, models: Path
) -> None:
    with (shared / "audio" / "aishell.tsv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))[::4]
    scores = [
        score(
            row["text"],
            text_of(segments_of(shared / "audio" / row["file"], whisper, models)),
            digits="spelled",
        )
        for row in rows
    ]
    assert total(scores).rate < 0.25


def test_a_long_recording_keeps_its_error_rate_and_its_places(
    whisper: Recognizer, shared: Path, models: Path
) -> None:
    folder = shared / "audio" / "long"
    truth = json.loads((folder / "two_speakers_10min.json").read_text("utf-8"))
    segments = segments_of(folder / "two_speakers_10min.flac", whisper, models)
    heard = text_of(segments)
    assert score("".join(entry["text"] for entry in truth), heard).rate < 0.202
    # A word of the 90th utterance, at its place to a fraction of a second.
    starts = np.array([segment.start for segment in segments])
    errors = [np.abs(starts - entry["start"]).min() for entry in truth]
    assert np.median(errors) < 0.6
    words = [word for segment in segments for word in segment.words]
    timed = next(entry for entry in truth if entry["text"].startswith("司机"))
    word = next(word for word in words if word.text.startswith("司"))
    assert timed["start"] - 0.1 <= word.start <= timed["start"] + 0.8
