"""What every recognizer must do. A new engine file is picked up by its cards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from bench.scoring import score
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
from tests.conftest import models_folder

SAMPLES = Path(__file__).parents[2] / "src" / "offscribe" / "sample"
TESTED = ("whisper-base", "whisper-small", "vosk-small-cn", "vosk-small-en")
"""Those that test.sh installs; others are tested where somebody has put them on the shelf."""


@dataclass(frozen=True)
class Talk:
    """A sample recording: what is said in it, and where its pauses are, in seconds."""

    truth: tuple[str, ...]
    pauses: tuple[float, ...]
    signal_words: tuple[str, ...]
    """One for each piece, that every model hears."""


TALKS = {
    "zh": Talk(
        (
            "大家好，这是一段离线转写的示例录音。",
            "项目会议定在二零二五年十二月三日下午三点，预算是一百二十万元，同比增长百分之八。",
            "请提前准备好语音识别的测试报告。",
        ),
        (5.2, 11.2),
        ("大家好", "会议", "测试报告"),
    ),
    "en": Talk(
        (
            "Welcome to the weekly review.",
            "The new transcription server was installed on March third, and it works without any "
            "network. Please send your questions before Friday afternoon.",
        ),
        (3.0,),
        ("weekly review", "without any network"),
    ),
}
DITHERED = ("vosk",)
"""Kaldi adds noise below one bit to every sound, other noise each time; a word may turn on it."""
KEPT_BYTES = 1 << 20
MAX_ERROR_RATE = 0.4
"""Characters, over a whole sample; what the weakest model leaves is far below."""


def is_here(card: ModelCard, models: Path) -> bool:
    installed = {model.card.id for model in Shelf(models).installed()}
    return card.id in installed and not missing_modules(find_engine(card.engine))


HERE = [card for card in cards() if card.id in TESTED or is_here(card, models_folder())]
"""Those of TESTED count as here: where one is missing, its tests fail."""


@pytest.fixture(scope="module", params=HERE, ids=lambda card: card.id)
def recognizer(request: pytest.FixtureRequest, models: Path) -> Recognizer:
    card = request.param
    return load_recognizer(card, models / card.id, LoadOptions(device="cpu", threads=2))


def test_the_models_that_the_tests_install_are_among_those_tested(models: Path) -> None:
    assert set(TESTED) <= {card.id for card in cards() if is_here(card, models)}


def speech(language: str) -> list[Audio]:
    """The sample in the pieces between its pauses."""
    with open_audio(SAMPLES / f"{language}.flac") as source:
        samples = np.concatenate([window.samples for window in source.windows()])
    cuts = [round(at * SAMPLE_RATE) for at in TALKS[language].pauses]
    return [Audio(part) for part in np.split(samples, cuts)]


def sound(samples: np.ndarray) -> Audio:
    return Audio(samples.astype(np.float32))


def own(recognizer: Recognizer) -> RecognizeOptions:
    """Options with a language of the model that there is a sample in."""
    return RecognizeOptions(language=talks_of(recognizer)[0])


def talks_of(recognizer: Recognizer) -> list[str]:
    return [language for language in TALKS if language in recognizer.card.languages]


def test_speech_becomes_its_words_in_order(recognizer: Recognizer) -> None:
    for language in talks_of(recognizer):
        options = RecognizeOptions(language=language)
        answers = recognizer.recognize(speech(language), options)
        talk = TALKS[language]
        for heard, word in zip(answers, talk.signal_words, strict=True):
            assert word in heard.text.lower()
            assert heard.language == language
        text = " ".join(heard.text for heard in answers)
        rate = score(" ".join(talk.truth), text, digits="spelled").rate
        assert rate < MAX_ERROR_RATE, text


def test_auto_says_which_language_was_heard(recognizer: Recognizer) -> None:
    for language in talks_of(recognizer):
        auto = RecognizeOptions(language="auto")
        answers = recognizer.recognize(speech(language), auto)
        assert {heard.language for heard in answers} == {language}
        assert TALKS[language].signal_words[0] in answers[0].text.lower()


def test_a_batch_gives_what_its_chunks_give_alone(recognizer: Recognizer) -> None:
    options = own(recognizer)
    batch = [*speech(options.language), *speech(options.language)[:1]]
    together = recognizer.recognize(batch, options)
    alone = [recognizer.recognize([chunk], options)[0] for chunk in batch]
    if recognizer.card.engine not in DITHERED:
        assert together == alone
        return
    for one, other in zip(together, alone, strict=True):
        assert score(one.text, other.text).rate <= 0.1
        assert one.language == other.language


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
    plain = own(recognizer)
    for options in (plain, replace(plain, hotwords=("离线转写", "示例录音"))):
        [heard] = recognizer.recognize([sound(sounds[kind])], options)
        assert (heard.text, heard.words) == ("", ())


def test_silence_in_a_batch_disturbs_nobody(recognizer: Recognizer) -> None:
    options = own(recognizer)
    first, *_ = speech(options.language)
    quiet = sound(np.zeros(5 * SAMPLE_RATE))
    heard = recognizer.recognize([quiet, first, quiet], options)
    assert [bool(hypothesis.text) for hypothesis in heard] == [False, True, False]


def test_word_times_lie_in_the_chunk_in_order_and_words_join_to_the_text(
    recognizer: Recognizer,
) -> None:
    options = own(recognizer)
    chunks = speech(options.language)
    for chunk, heard in zip(chunks, recognizer.recognize(chunks, options), strict=True):
        if recognizer.card.times != "word":
            assert not heard.words
            continue
        assert "".join(word.text for word in heard.words) == heard.text
        assert all(0 <= word.start <= word.end <= chunk.duration + 0.05 for word in heard.words)
        assert all(one.start <= next_.start for one, next_ in pairwise(heard.words))


def test_text_has_no_space_around_it(recognizer: Recognizer) -> None:
    for language in talks_of(recognizer):
        options = RecognizeOptions(language=language)
        for heard in recognizer.recognize(speech(language), options):
            assert heard.text == heard.text.strip() != ""


def test_hotwords_are_taken_in_any_number(recognizer: Recognizer) -> None:
    options = own(recognizer)
    word = TALKS[options.language].signal_words[0]
    for hotwords in (
        ("离线转写",),
        tuple(f"热词{number}" for number in range(2000)),
        ("<|endoftext|>", "<|en|>", "\ud800", "a\nb"),
    ):
        heard, *_ = recognizer.recognize(
            speech(options.language), replace(options, hotwords=hotwords)
        )
        assert word in heard.text.lower()


def test_no_chunks_give_no_hypotheses(recognizer: Recognizer) -> None:
    assert recognizer.recognize([], own(recognizer)) == []


def test_an_unknown_language_is_refused(recognizer: Recognizer) -> None:
    options = own(recognizer)
    with pytest.raises(UnknownLanguage):
        recognizer.recognize(speech(options.language), replace(options, language="xx"))


def test_what_breaks_the_contract_is_refused(recognizer: Recognizer) -> None:
    options = own(recognizer)
    too_long = sound(np.zeros(round((recognizer.card.max_chunk_s + 1) * SAMPLE_RATE)))
    with pytest.raises(InputError):
        recognizer.recognize([too_long], options)
    with pytest.raises(InputError):
        recognizer.recognize([sound(np.full(SAMPLE_RATE, np.nan))], options)


@pytest.mark.parametrize("card", HERE, ids=lambda card: card.id)
def test_a_damaged_folder_is_refused(card: ModelCard, models: Path, tmp_path: Path) -> None:
    for number, damaged in enumerate(card.files):
        if damaged.size_bytes == 0:
            continue
        folder = tmp_path / str(number)
        for file in card.files:
            (folder / file.path).parent.mkdir(parents=True, exist_ok=True)
            if file is not damaged:
                (folder / file.path).symlink_to((models / card.id / file.path).resolve())
        with (models / card.id / damaged.path).open("rb") as intact:
            (folder / damaged.path).write_bytes(intact.read(KEPT_BYTES)[: damaged.size_bytes // 3])
        with pytest.raises(ModelDamaged):
            load_recognizer(card, folder, LoadOptions(device="cpu", threads=2))
