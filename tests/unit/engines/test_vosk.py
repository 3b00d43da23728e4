"""What the Vosk engine does around the library, which lives in a process of its own."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from offscribe.engines.registry import load_recognizer
from offscribe.engines.vosk import (
    CARDS,
    MARKS,
    VoskRecognizer,
    _pcm,
    describe,
    devices,
    load,
    recognises,
    words_of,
)
from offscribe.engines.vosk_child import read_clips, write_clips
from offscribe.errors import BadOption, DeviceUnusable, InputError, ModelDamaged, UnknownLanguage
from offscribe.types import Audio, LoadOptions, RecognizeOptions, Samples, Word

CN, EN = CARDS
SPEECH = Audio(np.full(16_000, 0.1, np.float32))
SILENCE = Audio(np.zeros(16_000, np.float32))


class FakeChild:
    """Hears the same words in every clip, and remembers how many clips it was given."""

    def __init__(self, *words: dict[str, Any]) -> None:
        self._words = list(words)
        self.n_clips: list[int] = []

    def hear(self, clips: Sequence[Samples]) -> list[list[dict[str, Any]]]:
        self.n_clips.append(len(clips))
        return [self._words for _ in clips]


def heard(text: str, start: float, end: float, conf: float = 0.9) -> dict[str, Any]:
    return {"word": text, "start": start, "end": end, "conf": conf}


def recognizer(child: FakeChild, card: object = CN) -> VoskRecognizer:
    return VoskRecognizer(card, child, device="cpu", batch_size=8)  # type: ignore[arg-type]


def folder_with(folder: Path, *names: str, content: bytes = b"\0B") -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


WHOLE = tuple(mark.replace("*", "HCLG") for mark in MARKS)


@pytest.mark.parametrize(
    ("card", "language", "n_bytes"), [(CN, "zh", 68_292_189), (EN, "en", 70_898_768)]
)
def test_the_cards_add_up(card: Any, language: str, n_bytes: int) -> None:
    assert card.size_bytes == n_bytes
    assert (card.languages, card.times, card.streams) == ((language,), "word", True)
    assert not card.takes_hotwords
    [package] = card.packages
    assert [target for _, target in package.members] == [file.path for file in card.files]
    for mark in MARKS:
        assert any(Path(file.path).match(mark) for file in card.files), mark


def test_chinese_words_are_joined_without_spaces() -> None:
    words = words_of([heard("大家", 0.1, 0.4), heard("好", 0.4, 0.6)], "zh")
    assert words == (Word("大家", 0.1, 0.4), Word("好", 0.4, 0.6))


def test_english_words_keep_their_leading_space() -> None:
    words = words_of([heard("weekly", 0.1, 0.4), heard("review", 0.4, 0.6)], "en")
    assert [word.text for word in words] == ["weekly", " review"]


def test_what_has_no_name_is_left_out_and_the_first_word_has_no_space() -> None:
    words = words_of([heard("[unk]", 0, 0.1), heard("weekly", 0.1, 0.4)], "en")
    assert [word.text for word in words] == ["weekly"]


def test_a_word_too_long_to_be_one_is_noise() -> None:
    assert words_of([heard("哇", 0.0, 7.98)], "zh") == ()
    assert words_of([heard("哇", 0.0, 7.98), heard("好", 8.0, 8.3)], "zh") == (
        Word("好", 8.0, 8.3),
    )


def test_words_it_is_unsure_of_are_noise_but_one_unsure_word_in_a_sentence_stays() -> None:
    assert words_of([heard("啊", 0.0, 0.1, conf=0.48)], "zh") == ()
    sentence = [heard("大家", 0.0, 0.3, conf=0.2), heard("好", 0.3, 0.5, conf=0.9)]
    assert "".join(word.text for word in words_of(sentence, "zh")) == "大家好"


def test_text_is_its_words_and_silence_is_not_sent() -> None:
    child = FakeChild(heard("大家", 0.1, 0.4), heard("好", 0.4, 0.6))
    quiet, spoken = recognizer(child).recognize([SILENCE, SPEECH], RecognizeOptions())
    assert (quiet.text, quiet.words) == ("", ())
    assert spoken.text == "".join(word.text for word in spoken.words) == "大家好"
    assert child.n_clips == [1]


def test_auto_is_the_only_language_it_knows() -> None:
    auto = RecognizeOptions(language="auto")
    child = FakeChild(heard("hello", 0.1, 0.4))
    assert [one.language for one in recognizer(child, EN).recognize([SPEECH, SILENCE], auto)] == [
        "en",
        "en",
    ]


def test_another_language_and_a_chunk_too_long_are_refused() -> None:
    with pytest.raises(UnknownLanguage, match="Vosk small English"):
        recognizer(FakeChild(), EN).recognize([SPEECH], RecognizeOptions(language="zh"))
    too_long = Audio(np.zeros(61 * 16_000, np.float32))
    with pytest.raises(InputError, match="60 s"):
        recognizer(FakeChild()).recognize([too_long], RecognizeOptions())


def test_samples_beyond_full_scale_are_clipped_not_wrapped() -> None:
    pcm = np.frombuffer(_pcm(np.array([0, 0.5, 1, 1.5, -1, -3], np.float32)), "<i2")
    assert pcm.tolist() == [0, 16383, 32767, 32767, -32767, -32767]


def test_clips_survive_the_way_to_the_child() -> None:
    stream = io.BytesIO()
    write_clips(stream, [b"\1\2", b"", b"\3" * 100_000])
    write_clips(stream, [])
    stream.seek(0)
    assert read_clips(stream) == [b"\1\2", b"", b"\3" * 100_000]
    assert read_clips(stream) == []
    assert read_clips(stream) is None


@pytest.mark.parametrize("missing", WHOLE)
def test_an_incomplete_folder_is_refused_before_kaldi_looks_at_it(
    tmp_path: Path, missing: str
) -> None:
    folder_with(tmp_path, *(name for name in WHOLE if name != missing))
    with pytest.raises(ModelDamaged, match="incomplete"):
        load_recognizer(replace(CN, files=()), tmp_path, LoadOptions())


def test_a_gpu_and_a_compute_type_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DeviceUnusable, match="CPU only"):
        load(CN, tmp_path, LoadOptions(device="cuda"))
    with pytest.raises(BadOption, match="int8"):
        load(CN, tmp_path, LoadOptions(compute_type="int8"))
    assert [report.device for report in devices() if report.is_usable] == ["cpu"]


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("vosk-model-small-cn-0.22", "zh"),
        ("vosk-model-en-us-0.22", "en"),
        ("vosk_model_ja", "ja"),
        ("mine", "en"),
    ],
)
def test_the_usual_names_of_folders_tell_the_language(
    tmp_path: Path, name: str, language: str
) -> None:
    card = describe(tmp_path / name)
    assert (card.id, card.languages, card.times) == (name, (language,), "word")


def test_a_kaldi_model_is_told_from_other_files(tmp_path: Path) -> None:
    assert recognises(folder_with(tmp_path, "am/final.mdl"))
    assert not recognises(folder_with(tmp_path, "am/final.mdl", content=b"<Nnet>"))
