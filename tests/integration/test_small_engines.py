"""Vosk, Whisper on onnxruntime and whisper.cpp: the real libraries, and real speech where the
weights can be installed. whisper.cpp runs on models made here that say what a test wants."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import numpy as np
import pytest

from bench.scoring import score, total
from offscribe.audio.decode import open_audio
from offscribe.engines.registry import find_card, load_recognizer
from offscribe.engines.whisper_cpp import Task, describe, load
from offscribe.engines.whisper_prompts import Prompt
from offscribe.errors import ModelDamaged, ModelError
from offscribe.shelf.shelf import Shelf
from offscribe.types import Audio, LoadOptions, ModelCard, RecognizeOptions, Recognizer
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

SAMPLES = Path(__file__).parents[2] / "src" / "offscribe" / "sample"
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
        return load(describe(folder), folder, LoadOptions(device="cpu", threads=1))

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


def test_whisper_cpp_is_given_the_prompt_and_the_language(ggml: Make) -> None:
    decoder = ggml(TALK)._decoder  # type: ignore[attr-defined]
    settings = decoder._settings(Task("zh", Prompt("", (), (1, 2, 3)), 5))
    assert (tuple(settings.prompt_tokens), settings.language) == ((1, 2, 3), "zh")
    assert settings.beam_search["beam_size"] == 5


def test_whisper_cpp_knows_cantonese_only_where_the_model_does(ggml: Make) -> None:
    """In models before large-v3 the token that the library takes for it means: translate."""
    decoder = ggml(TALK)._decoder  # type: ignore[attr-defined]
    assert (decoder.has_language("yue"), decoder.has_language("zh")) == (False, True)
    decoder = ggml(TALK, n_vocab=LARGE_V3, n_mels=128)._decoder  # type: ignore[attr-defined]
    assert decoder.has_language("yue")


def test_whisper_cpp_tells_the_language(ggml: Make) -> None:
    [heard] = ggml({**TALK, SOT: ZH}).recognize([NOISE], RecognizeOptions(language="auto"))
    assert (heard.text, heard.language) == ("大家好", "zh")


def test_whisper_cpp_hears_cantonese_as_chinese(ggml: Make) -> None:
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


def installed(models: Path, model_id: str) -> ModelCard:
    card = find_card(model_id)
    if card.id not in {model.card.id for model in Shelf(models).installed()}:
        pytest.skip(f"the model {model_id} is not installed")
    return card


def linked(card: ModelCard, models: Path, folder: Path) -> Path:
    for file in card.files:
        (folder / file.path).parent.mkdir(parents=True, exist_ok=True)
        (folder / file.path).symlink_to((models / card.id / file.path).resolve())
    return folder


@pytest.fixture
def vosk(models: Path, tmp_path: Path) -> Recognizer:
    """In a folder with a Chinese name."""
    card = installed(models, "vosk-small-cn")
    folder = linked(card, models, tmp_path / "模型 一")
    return load_recognizer(card, folder, LoadOptions(device="cpu", threads=2))


def error_rate(recognizer: Recognizer, shared: Path, *, every: int) -> float:
    """Characters, over every so many of the utterances of AISHELL, as the models write them."""
    with (shared / "audio" / "aishell.tsv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))[::every]
    clips = []
    for row in rows:
        with open_audio(shared / "audio" / row["file"]) as source:
            clips.append(Audio(np.concatenate([part.samples for part in source.windows()])))
    answers = recognizer.recognize(clips, RecognizeOptions())
    pairs = zip(rows, answers, strict=True)
    return total(score(row["text"], heard.text, digits="spelled") for row, heard in pairs).rate


def test_vosk_keeps_its_error_rate_on_read_mandarin(vosk: Recognizer, shared: Path) -> None:
    assert error_rate(vosk, shared, every=4) < 0.2


def test_whisper_small_keeps_its_error_rate_on_read_mandarin(models: Path, shared: Path) -> None:
    card = installed(models, "whisper-small")
    folder = models / card.id
    recognizer = load_recognizer(card, folder, LoadOptions(device="cpu", threads=2))
    assert error_rate(recognizer, shared, every=10) < 0.15


def test_vosk_times_a_word_where_it_is_said(vosk: Recognizer) -> None:
    """The sample is loud from 0.80 s on, and pauses at 1.46 s."""
    with open_audio(SAMPLES / "zh.flac") as source:
        samples = np.concatenate([part.samples for part in source.windows()])
    later = Audio(np.concatenate([np.zeros(3 * 16_000, np.float32), samples[: 5 * 16_000]]))
    [heard] = vosk.recognize([later], RecognizeOptions())
    assert heard.text.startswith("大家好")
    assert 3.65 < heard.words[0].start < 3.95
    assert 4.35 < heard.words[0].end < 4.65


def test_vosk_hears_no_words_in_clicks(vosk: Recognizer) -> None:
    clicks = (np.random.default_rng(11).random(8 * 16_000) < 0.0005) * np.float32(0.9)
    [heard] = vosk.recognize([Audio(clicks.astype(np.float32))], RecognizeOptions())
    assert heard.text == ""


def test_a_vosk_that_died_is_an_error_and_not_an_empty_text(vosk: Recognizer) -> None:
    vosk._child._process.kill()  # type: ignore[attr-defined]
    for _ in range(2):
        with pytest.raises(ModelError, match="ended with code -9"):
            vosk.recognize([NOISE], RecognizeOptions())


@pytest.mark.parametrize("name", ["am/final.mdl", "graph/HCLr.fst", "ivector/final.ie"])
def test_kaldi_ending_over_a_damaged_file_is_a_damaged_model(
    models: Path, tmp_path: Path, name: str
) -> None:
    card = installed(models, "vosk-small-cn")
    folder = linked(card, models, tmp_path)
    intact = (folder / name).read_bytes()
    (folder / name).unlink()
    (folder / name).write_bytes(intact[:100] + bytes(len(intact) - 100))
    with pytest.raises(ModelDamaged):
        load_recognizer(card, folder, LoadOptions(device="cpu"))


@pytest.mark.parametrize(
    "name", ["vocab.json", "tokenizer.json", "onnx/decoder_model_merged_quantized.onnx"]
)
def test_a_whisper_small_with_wrong_bytes_is_damaged(
    models: Path, tmp_path: Path, name: str
) -> None:
    card = installed(models, "whisper-small")
    folder = linked(card, models, tmp_path)
    n_bytes = (folder / name).stat().st_size
    (folder / name).unlink()
    with (folder / name).open("wb") as file:
        file.truncate(n_bytes)
    with pytest.raises(ModelDamaged):
        load_recognizer(card, folder, LoadOptions(device="cpu"))
