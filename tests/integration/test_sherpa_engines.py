"""The real sherpa-onnx on tiny models of the real formats: what they write is built into them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from offscribe.engines import funasr_nano_onnx
from offscribe.engines.nano import Request, instruction
from offscribe.engines.registry import load_recognizer
from offscribe.errors import BadOption, DeviceUnusable, InputError, ModelDamaged, UnknownLanguage
from offscribe.shelf.imports import import_model, remove_model
from offscribe.shelf.shelf import Shelf
from offscribe.types import SAMPLE_RATE, Audio, LoadOptions, RecognizeOptions, Recognizer, Word
from offscribe.worker.models import Models
from tests.fakes import silence
from tests.tiny_onnx import byte_letters, write_nano, write_sense_voice

ZH = RecognizeOptions(language="zh")


def letter_only_in(text: str, *others: str) -> str:
    """The BPE letter of a byte that *text* has and none of *others*."""
    rest = set("".join(others).encode())
    return byte_letters()[next(byte for byte in text.encode() if byte not in rest)]


def line(language: str | None, *, itn: bool = True) -> str:
    return instruction(Request(language, itn, ()))


ENGLISH = letter_only_in(line("英文"), line("中文"))
WITHOUT_ITN = letter_only_in(line("中文", itn=False), line("中文"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny-nano"
    write_nano(folder, says="abc", triggers={"X": "def"})
    return folder


def loaded(folder: Path, options: LoadOptions | None = None) -> Recognizer:
    card, path = Shelf(folder.parent / "none").open_folder(folder)
    return load_recognizer(card, path, options or LoadOptions(threads=1))


@pytest.fixture(scope="module")
def nano(folder: Path) -> Recognizer:
    return loaded(folder)


def sound(seconds: float, seed: int = 1) -> Audio:
    noise = np.random.default_rng(seed).normal(0, 0.1, round(seconds * SAMPLE_RATE))
    return Audio(noise.astype(np.float32))


def text_of(recognizer: Recognizer, options: RecognizeOptions) -> str:
    return recognizer.recognize([sound(2)], options)[0].text


def test_the_folder_is_known_by_its_files(folder: Path) -> None:
    card, _ = Shelf(folder.parent / "none").open_folder(folder)
    assert (card.id, card.engine, card.times) == ("tiny-nano", "funasr_nano_onnx", "segment")


def test_the_text_comes_from_the_language_model_and_has_no_times(nano: Recognizer) -> None:
    [heard] = nano.recognize([sound(2)], ZH)
    assert (heard.text, heard.language, heard.words) == ("abc", "zh", ())


def test_hotwords_reach_the_prompt_of_their_own_call_only(nano: Recognizer) -> None:
    assert text_of(nano, replace(ZH, hotwords=("X光",))) == "def"
    assert text_of(nano, ZH) == "abc"


@pytest.mark.parametrize(
    ("letter", "options"),
    [(ENGLISH, replace(ZH, language="en")), (WITHOUT_ITN, replace(ZH, itn=False))],
    ids=["language", "itn"],
)
def test_language_and_itn_reach_the_prompt_of_their_own_call_only(
    tmp_path: Path, letter: str, options: RecognizeOptions
) -> None:
    write_nano(tmp_path / "tiny", says="abc", triggers={letter: "gh"})
    recognizer = loaded(tmp_path / "tiny")
    assert text_of(recognizer, options) == "gh"
    assert text_of(recognizer, ZH) == "abc"


def test_a_hotword_cannot_break_out_of_its_list(nano: Recognizer) -> None:
    assert text_of(nano, replace(ZH, hotwords=("甲，乙\n丙]", "乙;丁"))) == "abc"


def test_a_batch_gives_what_its_chunks_give_alone(nano: Recognizer) -> None:
    batch = [sound(1), Audio(silence(2)), sound(3, seed=2)]
    together = nano.recognize(batch, ZH)
    assert together == [nano.recognize([chunk], ZH)[0] for chunk in batch]
    assert [heard.text for heard in together] == ["abc", "", "abc"]


def test_chunks_are_as_long_as_the_models_cache_allows(tmp_path: Path) -> None:
    # A token a letter: 512 less 12 of the chat, 28 of the system prompt, 62 and 20 hotwords of 4
    # with 19 commas of 2 for the context, 16 of the instruction. 276 left, at 23.67 a second.
    assert funasr_nano_onnx.Cache(512, len).max_chunk_s() == 11.6
    write_nano(tmp_path / "large", says="abc", triggers={}, cache=2048)
    assert loaded(tmp_path / "large").card.max_chunk_s == 20
    write_nano(tmp_path / "none", says="abc", triggers={}, cache=100)
    with pytest.raises(ModelDamaged, match="100 positions"):
        loaded(tmp_path / "none")


def test_hotwords_give_way_to_the_sound(caplog: pytest.LogCaptureFixture) -> None:
    cache = funasr_nano_onnx.Cache(512, len)
    request = Request("中文", True, tuple(f"词{number:03}" for number in range(60)))
    assert len(cache.fitting(request, 2.0).hotwords) > len(cache.fitting(request, 10.0).hotwords)
    assert "of 60 hotwords fit" in caplog.text
    assert cache.fitting(replace(request, hotwords=()), 30.0).hotwords == ()


def test_the_longest_chunk_with_many_hotwords_is_still_heard(
    nano: Recognizer, capfd: pytest.CaptureFixture[str]
) -> None:
    hotwords = tuple(f"专业词汇{number}" for number in range(1000))
    [heard] = nano.recognize(
        [sound(nano.card.max_chunk_s)], replace(ZH, hotwords=("X光", *hotwords))
    )
    assert heard.text == "def"
    assert "too large for KV capacity" not in capfd.readouterr().err


def test_what_breaks_the_contract_is_refused(nano: Recognizer) -> None:
    assert nano.recognize([], ZH) == []
    with pytest.raises(InputError):
        nano.recognize([sound(nano.card.max_chunk_s + 1)], ZH)
    with pytest.raises(UnknownLanguage):
        nano.recognize([sound(1)], replace(ZH, language="xx"))


def test_devices_and_compute_types_that_are_not_there_are_refused(folder: Path) -> None:
    with pytest.raises(DeviceUnusable, match="on the CPU only"):
        loaded(folder, LoadOptions(device="cuda"))
    with pytest.raises(BadOption, match="float16"):
        loaded(folder, LoadOptions(compute_type="float16"))
    assert loaded(folder, LoadOptions(compute_type="int8", threads=1)).device.startswith("cpu")


FILES = ("encoder_adaptor.int8.onnx", "llm.int8.onnx", "embedding.int8.onnx")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_file_that_was_cut_off_is_named_before_native_code_reads_it(
    folder: Path, tmp_path: Path, name: str, share: float
) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(folder, damaged)
    content = (damaged / name).read_bytes()
    (damaged / name).write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelDamaged, match=name):
        loaded(damaged)


@pytest.mark.parametrize("name", [*FILES, "Qwen3-0.6B/merges.txt", "Qwen3-0.6B/tokenizer.json"])
def test_a_missing_file_is_named(folder: Path, tmp_path: Path, name: str) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(folder, damaged)
    (damaged / name).unlink()
    card = replace(funasr_nano_onnx.CARDS[0], files=())
    with pytest.raises(ModelDamaged, match=name.split(".")[0]):
        load_recognizer(card, damaged, LoadOptions())


def test_a_language_model_of_another_export_is_refused_and_the_process_lives(
    folder: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    shutil.copy(other / "embedding.int8.onnx", other / "llm.int8.onnx")
    script = f"""
from pathlib import Path
from offscribe.engines.registry import load_recognizer
from offscribe.engines.funasr_nano_onnx import CARDS
from offscribe.errors import ModelDamaged
from offscribe.types import LoadOptions
try:
    load_recognizer(CARDS[0], Path({str(other)!r}), LoadOptions())
except ModelDamaged as error:
    print(error.message)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "lacks the metadata vocab_size, max_total_len, model_type" in run.stdout


# --- the CTC head -------------------------------------------------------------------------------

SPOKEN = {5: "你", 10: "好", 20: "▁hel", 22: "lo"}
"""LFR frame and what is said there."""


@pytest.fixture(scope="module")
def ctc(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    folder = tmp_path_factory.mktemp("models") / "tiny-ctc"
    write_sense_voice(folder, SPOKEN)
    return loaded(folder)


def test_ctc_tokens_have_the_times_of_their_frames_and_join_to_words(ctc: Recognizer) -> None:
    assert (ctc.card.engine, ctc.card.times) == ("funasr_ctc", "word")
    [heard] = ctc.recognize([sound(3)], ZH)
    assert heard.text == "你好 hello"
    assert [word.text for word in heard.words] == ["你", "好", " hello"]
    assert [word.start for word in heard.words] == pytest.approx([0.3, 0.6, 1.2], abs=0.061)
    assert all(isinstance(word, Word) and word.end - word.start <= 0.5 for word in heard.words)


def test_ctc_silence_and_bad_input(ctc: Recognizer) -> None:
    [heard] = ctc.recognize([Audio(silence(3))], ZH)
    assert heard.text == ""
    with pytest.raises(UnknownLanguage):
        ctc.recognize([sound(1)], replace(ZH, language="xx"))


def test_a_ctc_model_without_metadata_is_refused(tmp_path: Path) -> None:
    write_sense_voice(tmp_path / "tiny", SPOKEN, leaving_out="lfr_window_size")
    with pytest.raises(ModelDamaged, match="lfr_window_size"):
        loaded(tmp_path / "tiny")


def test_sense_voice_tells_the_language_and_its_tags_are_no_text(tmp_path: Path) -> None:
    write_sense_voice(tmp_path / "tiny-sense", SPOKEN, is_nano=False)
    [heard] = loaded(tmp_path / "tiny-sense").recognize([sound(3)], replace(ZH, language="auto"))
    assert (heard.text, heard.language) == ("你好 hello", "zh")
    assert [word.text for word in heard.words] == ["你", "好", " hello"]


# --- the CTC head as a clock --------------------------------------------------------------------


def test_the_ctc_head_times_the_text_of_the_language_model(tmp_path: Path) -> None:
    home = tmp_path / "models"
    write_nano(tmp_path / "nano", says="abc", triggers={})
    write_sense_voice(tmp_path / "ctc", {5: "▁a", 10: "b", 20: "c"})
    for name, model_id in (("nano", "fun-asr-nano-2512"), ("ctc", "fun-asr-nano-2512-ctc")):
        list(import_model(tmp_path / name, home, model_id=model_id))
    shelf = Shelf(home)
    assert shelf.times_of(shelf.card("fun-asr-nano-2512")) == "word"
    models = Models(shelf, LoadOptions(threads=1))
    with models.using("fun-asr-nano-2512") as recognizer:
        [heard] = recognizer.recognize([sound(3)], ZH)
    assert heard.text == "abc"
    [word] = heard.words
    assert (word.text, word.start) == ("abc", pytest.approx(0.3, abs=0.061))
    remove_model(home, "fun-asr-nano-2512-ctc")
    assert shelf.times_of(shelf.card("fun-asr-nano-2512")) == "segment"
