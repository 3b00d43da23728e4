"""Vosk, Whisper on onnxruntime and whisper.cpp: the real libraries, and real speech where the
weights can be installed. whisper.cpp runs on models made here that say what a test wants."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import numpy as np
import pytest

from offscribe.engines.whisper_cpp import describe, load
from offscribe.errors import ModelDamaged
from offscribe.types import Audio, LoadOptions, RecognizeOptions, Recognizer
from tests.ggml_models import (
    END,
    LARGE_V3,
    NO_SPEECH,
    NO_TIMESTAMPS,
    SOT,
    ZH,
    token,
    write_model,
)

NOISE = Audio(np.random.default_rng(0).normal(0, 0.1, 2 * 16_000).astype(np.float32))
TALK = {NO_TIMESTAMPS: token("大家"), token("大家"): token("好"), token("好"): END}

Make = Callable[..., Recognizer]


@pytest.fixture
def ggml(tmp_path: Path) -> Make:
    """Make a model of whisper.cpp that says what *script* says, in a folder with a Chinese name."""
    pytest.importorskip("_pywhispercpp")
    folder = tmp_path / "模型 一"

    def make(script: Mapping[int, int], faint: Collection[int] = (), **sizes: int) -> Recognizer:
        folder.mkdir(exist_ok=True)
        write_model(folder / "ggml-tiny.bin", script, faint=faint, **sizes)
        return load(describe(folder), folder, LoadOptions(device="cpu", threads=2))

    return make


def text_of(recognizer: Recognizer, **wishes: object) -> str:
    [heard] = recognizer.recognize([NOISE], RecognizeOptions(**wishes))  # type: ignore[arg-type]
    return heard.text


@pytest.mark.parametrize("beam_size", [1, 5, 20])
def test_whisper_cpp_writes_what_its_model_says(ggml: Make, beam_size: int) -> None:
    assert text_of(ggml(TALK), beam_size=beam_size) == "大家好"


def test_whisper_cpp_takes_hotwords_in_any_number(ggml: Make) -> None:
    recognizer = ggml(TALK)
    assert text_of(recognizer, hotwords=tuple(f"热词{at}" for at in range(2000))) == "大家好"
    assert text_of(recognizer, hotwords=("<|endoftext|>", "[_SOT_]", "\ud800")) == "大家好"


def test_whisper_cpp_tells_the_language(ggml: Make) -> None:
    [heard] = ggml({**TALK, SOT: ZH}).recognize([NOISE], RecognizeOptions(language="auto"))
    assert (heard.text, heard.language) == ("大家好", "zh")


def test_whisper_cpp_hears_cantonese_as_chinese(ggml: Make) -> None:
    """In models before large-v3 the token the library takes for it means: translate."""
    [heard] = ggml(TALK).recognize([NOISE], RecognizeOptions(language="yue"))
    assert (heard.text, heard.language) == ("大家好", "yue")


def test_whisper_cpp_loads_the_form_of_large_v3(ggml: Make) -> None:
    """One language more moves every token after them by one."""
    later = {NO_TIMESTAMPS + 1: token("你好"), token("你好"): END}
    assert text_of(ggml(later, n_vocab=LARGE_V3, n_mels=128)) == "你好"


def test_whisper_cpp_is_silent_where_it_is_unsure_and_nobody_seems_to_speak(ggml: Make) -> None:
    unsure = {token("大家"), token("好")}
    assert text_of(ggml({**TALK, SOT: NO_SPEECH}, unsure)) == ""
    assert text_of(ggml({**TALK, SOT: NO_SPEECH})) == "大家好"
    assert "大家好" in text_of(ggml({**TALK, SOT: ZH}, unsure), beam_size=1)


def test_whisper_cpp_comes_out_of_a_loop(ggml: Make) -> None:
    loop = {**TALK, token("好"): token("大家")}
    assert text_of(ggml(loop), beam_size=1) == "大家好"


def test_whisper_cpp_gives_each_chunk_its_own_text(ggml: Make) -> None:
    long = Audio(np.tile(NOISE.samples, 15))
    short = Audio(NOISE.samples[:1_700])
    heard = ggml(TALK).recognize([long, NOISE, short], RecognizeOptions())
    assert [one.text for one in heard] == ["大家好"] * 3


def test_whisper_cpp_prints_nothing_and_ends_quietly(tmp_path: Path) -> None:
    pytest.importorskip("_pywhispercpp")
    write_model(tmp_path / "ggml-tiny.bin", TALK)
    code = (
        "import sys; from pathlib import Path; import numpy as np;"
        "from offscribe.engines.whisper_cpp import describe, load;"
        "from offscribe.types import Audio, LoadOptions, RecognizeOptions;"
        "folder = Path(sys.argv[1]);"
        "model = load(describe(folder), folder, LoadOptions(device='cpu', threads=1));"
        "sound = Audio(np.full(32000, 0.1, np.float32));"
        "[heard] = model.recognize([sound], RecognizeOptions(language='auto'));"
        "sys.exit(0 if heard.text == '大家好' else 1)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_whisper_cpp_refuses_a_file_cut_off_before_the_library_sees_it(tmp_path: Path) -> None:
    pytest.importorskip("_pywhispercpp")
    path = write_model(tmp_path / "ggml-tiny.bin", TALK)
    card = describe(tmp_path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelDamaged):
        load(card, tmp_path, LoadOptions(device="cpu"))
