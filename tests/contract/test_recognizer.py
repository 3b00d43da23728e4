"""What every recognizer must do. A new engine file is picked up by its cards."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from offscribe.audio.decode import open_audio
from offscribe.engines.registry import cards, find_engine, load_recognizer, missing_modules
from offscribe.errors import InputError, ModelDamaged, UnknownLanguage
from offscribe.shelf.shelf import Shelf
from offscribe.types import (
    SAMPLE_RATE,
    Audio,
    LoadOptions,
    ModelCard,
    RecognizeOptions,
    Recognizer,
    Samples,
)

SAMPLES = Path(__file__).parents[2] / "src" / "offscribe" / "sample"
ZH, EN = RecognizeOptions(language="zh"), RecognizeOptions(language="en")


def is_here(card: ModelCard, models: Path) -> bool:
    installed = {model.card.id for model in Shelf(models).installed()}
    return card.id in installed and not missing_modules(find_engine(card.engine))


@pytest.fixture(scope="module", params=cards(), ids=lambda card: card.id)
def recognizer(request: pytest.FixtureRequest, models: Path) -> Recognizer:
    card = request.param
    if not is_here(card, models):
        pytest.skip(f"the model {card.id} is not installed")
    return load_recognizer(card, models / card.id, LoadOptions(device="cpu", threads=2))


def test_the_starter_model_is_among_those_tested(models: Path) -> None:
    assert any(card.id == "whisper-base" and is_here(card, models) for card in cards())


def speech(name: str) -> list[Audio]:
    """The sample in the pieces between its pauses, each with one sentence."""
    with open_audio(SAMPLES / f"{name}.flac") as source:
        samples = np.concatenate([window.samples for window in source.windows()])
    halves = {"zh": (5.2, 11.2), "en": (3.0,)}[name]
    return [Audio(part) for part in np.split(samples, [round(at * SAMPLE_RATE) for at in halves])]


def sound(samples: np.ndarray) -> Audio:
    return Audio(samples.astype(np.float32))


def test_speech_becomes_its_words_in_order(recognizer: Recognizer) -> None:
    first, second, third = recognizer.recognize(speech("zh"), ZH)
    assert "大家好" in first.text
    assert "会议" in second.text
    assert "测试报告" in third.text
    assert first.language == "zh"


def test_other_languages_are_recognised_as_asked(recognizer: Recognizer) -> None:
    texts = " ".join(heard.text for heard in recognizer.recognize(speech("en"), EN)).lower()
    assert "weekly review" in texts
    assert "without any network" in texts


def test_auto_says_which_language_was_heard(recognizer: Recognizer) -> None:
    auto = replace(ZH, language="auto")
    assert {heard.language for heard in recognizer.recognize(speech("en"), auto)} == {"en"}
    assert {heard.language for heard in recognizer.recognize(speech("zh"), auto)} == {"zh"}


def test_a_batch_gives_what_its_chunks_give_alone(recognizer: Recognizer) -> None:
    batch = [*speech("zh"), *speech("zh")[:1]]
    together = recognizer.recognize(batch, ZH)
    assert together == [recognizer.recognize([chunk], ZH)[0] for chunk in batch]


@pytest.mark.parametrize(
    "kind", ["nothing", "one sample", "silence", "faint noise", "loud noise", "tone"]
)
def test_what_is_no_speech_gives_no_text(recognizer: Recognizer, kind: str) -> None:
    n_samples = 8 * SAMPLE_RATE
    noise = np.random.default_rng(7).normal(0, 1, n_samples)
    sounds: dict[str, Samples] = {
        "nothing": np.zeros(0),
        "one sample": np.ones(1),
        "silence": np.zeros(n_samples),
        "faint noise": noise * 0.001,
        "loud noise": np.clip(noise * 0.1, -1, 1),
        "tone": 0.3 * np.sin(2 * np.pi * 440 * np.arange(n_samples) / SAMPLE_RATE),
    }
    for options in (ZH, replace(ZH, hotwords=("离线转写", "示例录音"))):
        [heard] = recognizer.recognize([sound(sounds[kind])], options)
        assert (heard.text, heard.words) == ("", ())


def test_silence_in_a_batch_disturbs_nobody(recognizer: Recognizer) -> None:
    first, *_ = speech("zh")
    quiet = sound(np.zeros(5 * SAMPLE_RATE))
    heard = recognizer.recognize([quiet, first, quiet], ZH)
    assert [bool(hypothesis.text) for hypothesis in heard] == [False, True, False]


def test_word_times_lie_in_the_chunk_in_order_and_words_join_to_the_text(
    recognizer: Recognizer,
) -> None:
    if recognizer.card.times != "word":
        assert all(not heard.words for heard in recognizer.recognize(speech("zh"), ZH))
        return
    for chunk, heard in zip(speech("zh"), recognizer.recognize(speech("zh"), ZH), strict=True):
        assert "".join(word.text for word in heard.words) == heard.text
        assert all(0 <= word.start <= word.end <= chunk.duration + 0.05 for word in heard.words)
        assert all(one.start <= next_.start for one, next_ in pairwise(heard.words))


def test_hotwords_are_taken_in_any_number(recognizer: Recognizer) -> None:
    for hotwords in (("离线转写",), tuple(f"热词{number}" for number in range(2000))):
        [first, *_] = recognizer.recognize(speech("zh"), replace(ZH, hotwords=hotwords))
        assert "大家好" in first.text


def test_no_chunks_give_no_hypotheses(recognizer: Recognizer) -> None:
    assert recognizer.recognize([], ZH) == []


def test_an_unknown_language_is_refused(recognizer: Recognizer) -> None:
    with pytest.raises(UnknownLanguage):
        recognizer.recognize(speech("zh"), replace(ZH, language="xx"))


def test_what_breaks_the_contract_is_refused(recognizer: Recognizer) -> None:
    too_long = sound(np.zeros(round((recognizer.card.max_chunk_s + 1) * SAMPLE_RATE)))
    with pytest.raises(InputError):
        recognizer.recognize([too_long], ZH)
    with pytest.raises(InputError):
        recognizer.recognize([sound(np.full(SAMPLE_RATE, np.nan))], ZH)


@pytest.mark.parametrize("card", cards(), ids=lambda card: card.id)
def test_a_damaged_folder_is_refused(card: ModelCard, models: Path, tmp_path: Path) -> None:
    if not is_here(card, models):
        pytest.skip(f"the model {card.id} is not installed")
    for damaged in card.files:
        folder = tmp_path / damaged.path
        folder.mkdir()
        for file in card.files:
            if file is not damaged:
                (folder / file.path).symlink_to((models / card.id / file.path).resolve())
        intact = (models / card.id / damaged.path).read_bytes()
        (folder / damaged.path).write_bytes(intact[: len(intact) // 3])
        if damaged.path != "vocabulary.json":  # a second copy of the tokenizer's words
            with pytest.raises(ModelDamaged):
                load_recognizer(card, folder, LoadOptions(device="cpu", threads=2))
