"""What the whisper.cpp engine does around the library; the library itself is in integration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from offscribe.engines.whisper import LANGUAGES
from offscribe.engines.whisper_cpp import (
    CARDS,
    CppDecoder,
    Take,
    Task,
    WhisperCppRecognizer,
    _built_in,
    _gpu,
    describe,
    load,
    recognises,
)
from offscribe.errors import BadOption, DeviceUnusable, ModelDamaged
from offscribe.types import Audio, HubSource, LoadOptions, RecognizeOptions, Samples
from tests.ggml_models import ENGLISH, F16, MULTILINGUAL, WORDS, Sizes, token, write_empty

SPEECH = Audio(np.full(16_000, 0.1, np.float32))
SILENCE = Audio(np.zeros(16_000, np.float32))
SURE = -0.1
UNSURE = -0.9


class FakeDecoder:
    """Answers with *first* and then, where it is asked again, with *second*."""

    is_multilingual = True
    max_prompt_tokens = 223
    language_names = ("en", "zh")

    def __init__(self, first: Take, second: Take | None = None) -> None:
        self._first, self._second = first, second
        self.tasks: list[Task] = []

    def has_language(self, code: str) -> bool:
        return code in self.language_names

    def text_tokens(self, text: str) -> list[int]:
        return [1] * len(text)

    def languages(self, samples: Samples) -> npt.NDArray[np.float32]:
        return np.array([0.1, 0.9] if samples[0] > 0.05 else [0.8, 0.2], np.float32)

    def write(self, samples: Samples, task: Task) -> Take:  # noqa: ARG002
        self.tasks.append(task)
        return self._first

    def write_carefully(self, samples: Samples, task: Task) -> Take:  # noqa: ARG002
        assert self._second is not None, "asked again without need"
        self.tasks.append(task)
        return self._second


def recognizer(first: Take, second: Take | None = None) -> tuple[WhisperCppRecognizer, FakeDecoder]:
    decoder = FakeDecoder(first, second)
    made = WhisperCppRecognizer(CARDS[0], decoder, device="cpu", batch_size=8)  # type: ignore[arg-type]
    return made, decoder


def heard(first: Take, second: Take | None = None, **wishes: object) -> str:
    options = RecognizeOptions(**wishes)  # type: ignore[arg-type]
    [answer] = recognizer(first, second)[0].recognize([SPEECH], options)
    return answer.text


def test_every_card_is_one_file_with_its_hash_from_the_hub() -> None:
    assert [card.id for card in CARDS] == [
        "whisper-base-ggml",
        "whisper-small-ggml",
        "whisper-large-v3-turbo-q5_0-ggml",
    ]
    for card in CARDS:
        [file], [origin] = card.files, card.origins
        assert isinstance(origin, HubSource)
        assert origin.members == ((file.path, file.path),)
        assert len(bytes.fromhex(file.sha256)) == 32
        assert (card.languages, card.times) == (LANGUAGES, "segment")


def test_what_is_written_surely_is_taken_at_once() -> None:
    assert heard(Take("大家好。", SURE)) == "大家好。"


@pytest.mark.parametrize("first", [Take("", 0.0), Take("大家好", UNSURE), Take("好" * 40, SURE)])
def test_what_is_empty_unsure_or_a_loop_is_heard_again_with_care(first: Take) -> None:
    assert heard(first, Take("大家好", UNSURE)) == "大家好"


def test_what_repeats_the_hotwords_is_heard_again_without_them() -> None:
    made, decoder = recognizer(Take("离线转写、示例录音。", SURE), Take("今天", SURE))
    options = RecognizeOptions(hotwords=("离线转写", "示例录音"))
    assert made.recognize([SPEECH], options)[0].text == "今天"
    assert [bool(task.prompt.token_ids) for task in decoder.tasks] == [True, False]


def test_what_is_unsure_is_heard_again_with_the_same_prompt() -> None:
    made, decoder = recognizer(Take("大家好", UNSURE), Take("大家好", SURE))
    made.recognize([SPEECH], RecognizeOptions())
    assert decoder.tasks[0] == decoder.tasks[1]


def test_marks_go_and_a_loop_that_stays_is_said_once() -> None:
    assert heard(Take("[BLANK_AUDIO]", SURE)) == ""
    assert heard(Take("好" * 40, SURE), Take("再见" * 40, SURE)) == "再见"


def test_silence_is_not_given_to_the_model() -> None:
    made, decoder = recognizer(Take("大家好", SURE))
    answers = made.recognize([SILENCE, SPEECH, SILENCE], RecognizeOptions())
    assert [answer.text for answer in answers] == ["", "大家好", ""]
    assert len(decoder.tasks) == 1


def test_auto_is_the_language_of_most_seconds() -> None:
    made, _ = recognizer(Take("大家好", SURE))
    english = Audio(np.full(40_000, 0.01, np.float32))
    auto = RecognizeOptions(language="auto")
    assert {answer.language for answer in made.recognize([SPEECH] * 2, auto)} == {"zh"}
    assert {answer.language for answer in made.recognize([SPEECH, english], auto)} == {"en"}
    assert made.recognize([SILENCE], auto)[0].language == "auto"


def test_cantonese_is_heard_as_chinese_where_the_model_has_no_token_for_it() -> None:
    made, decoder = recognizer(Take("大家好", SURE))
    [answer] = made.recognize([SPEECH], RecognizeOptions(language="yue"))
    assert (answer.language, decoder.tasks[0].language) == ("yue", "zh")


def test_a_wider_beam_than_the_library_takes_becomes_its_widest() -> None:
    made, decoder = recognizer(Take("大家好", SURE))
    made.recognize([SPEECH], RecognizeOptions(beam_size=20))
    assert decoder.tasks[0].beam_size == 8


def decoder_with(words: Sequence[bytes]) -> CppDecoder:
    decoder = object.__new__(CppDecoder)
    decoder._ids = {word: at for at, word in enumerate(words)}  # type: ignore[attr-defined]
    decoder._native = decoder._context = None  # type: ignore[attr-defined]
    return decoder


def test_text_becomes_the_longest_tokens_of_every_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(CppDecoder, "__del__")
    decoder = decoder_with(WORDS)
    assert decoder.text_tokens("大家好 hello") == [token(text) for text in ("大家", "好", " hello")]
    assert decoder.text_tokens("<|endoftext|>") == list(b"<|endoftext|>")
    assert decoder.text_tokens("\ud800") == list(b"?")
    assert decoder_with([b"a"]).text_tokens("abc") == [0]


def test_backends_are_read_from_what_the_library_says_of_itself() -> None:
    info = "WHISPER : COREML = 0 | CUDA : ARCHS = 890 | CPU : SSE3 = 1 | AVX = 1 |"
    assert _gpu("cuda", _built_in(info), is_present=False).is_usable
    report = _gpu("mps", _built_in(info), is_present=True)
    assert (report.is_usable, report.reason) == (False, "this build of whisper.cpp has no METAL")
    assert _gpu("mps", _built_in("MTL : EMBED_LIBRARY = 1 |"), is_present=True).is_usable


def test_a_compute_type_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="float32"):
        load(CARDS[0], tmp_path, LoadOptions(compute_type="float32"))


def test_a_folder_has_one_model_file(tmp_path: Path) -> None:
    with pytest.raises(ModelDamaged, match="no file"):
        describe(tmp_path)
    for name in ("ggml-a.bin", "ggml-b.bin"):
        write_empty(tmp_path / name, Sizes(MULTILINGUAL, 64, 1, 1, 80), WORDS, F16)
    with pytest.raises(ModelDamaged, match="2 files"):
        describe(tmp_path)


def test_a_folder_is_described_by_its_file(tmp_path: Path) -> None:
    write_empty(tmp_path / "ggml-own.bin", Sizes(ENGLISH, 64, 1, 1, 80), WORDS, F16)
    assert recognises(tmp_path)
    card = describe(tmp_path)
    assert (card.id, card.languages, card.engine) == (tmp_path.name, ("en",), "whisper_cpp")
    (tmp_path / "ggml-own.bin").write_bytes(b"GGUF" + bytes(100))
    assert not recognises(tmp_path)


def test_a_device_that_this_build_lacks_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("_pywhispercpp")
    with pytest.raises(DeviceUnusable, match="mps"):
        load(CARDS[0], tmp_path, LoadOptions(device="mps"))
