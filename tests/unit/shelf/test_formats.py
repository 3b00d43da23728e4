from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path

import pytest

from offscribe.engines.registry import cards, specs
from offscribe.errors import ModelDamaged, ModelError
from offscribe.shelf.formats import FOREIGN, FUNASR_HINTS, is_pickled, recognised

FUNASR = "offscribe models pull ID, where ID is "


def folder_with(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, "utf-8")
    return folder


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ({"model.pt": "", "config.yaml": ""}, "an original FunASR checkpoint, a PyTorch pickle"),
        ({"model.pt": "", "configuration.json": "{}"}, "an original FunASR checkpoint"),
        ({"pytorch_model.bin": "", "config.json": "{}"}, "a PyTorch checkpoint, a pickle"),
        ({"pytorch_model-00001-of-00002.bin": ""}, "a PyTorch checkpoint, a pickle"),
        ({"large-v3.pt": ""}, r"a PyTorch checkpoint \(large-v3\.pt\), a pickle"),
        ({"last.ckpt": "", "config.json": "{}"}, r"\(last\.ckpt\), a pickle"),
        ({"weights.pth": ""}, r"\(weights\.pth\), a pickle"),
        ({"model.bin": "PK\x03\x04", "config.json": "{}"}, r"\(model\.bin\), a pickle"),
        ({"qwen.gguf": ""}, "a GGUF file"),
        ({"parakeet.nemo": ""}, "a NeMo archive"),
        ({"encoder-1.onnx": "", "decoder-1.onnx": "", "joiner-1.onnx": ""}, "a transducer"),
        ({"whisper.tflite": ""}, "a TensorFlow Lite model"),
        ({"encoder.mlmodelc/model.mil": ""}, "a Core ML model"),
        ({"encoder.mlpackage/Manifest.json": ""}, "a Core ML model"),
        ({"notes.txt": ""}, "no engine recognises"),
        ({}, "no engine recognises"),
    ],
)
def test_what_cannot_be_run_says_what_it_is_and_what_to_take(
    tmp_path: Path, files: dict[str, str], what: str
) -> None:
    with pytest.raises(ModelError, match=what) as caught:
        recognised(folder_with(tmp_path, files))
    assert caught.value.hint


@pytest.mark.parametrize(
    ("config", "instead"),
    [
        ("model: FunASRNano\n", "fun-asr-nano-2512 (ONNX) or fun-asr-nano-2512-hf (safetensors)."),
        ("# x\nmodel: SenseVoiceSmall\n", "sensevoice-small."),
        ("model: SeacoParaformer\n", "paraformer-zh."),
        ("tokenizer: Paraformer\n", "fun-asr-nano-2512, sensevoice-small or paraformer-zh."),
    ],
)
def test_a_checkpoint_of_funasr_is_told_its_counterpart(
    tmp_path: Path, config: str, instead: str
) -> None:
    with pytest.raises(ModelError) as caught:
        recognised(folder_with(tmp_path, {"model.pt": "", "config.yaml": config}))
    assert caught.value.hint.endswith(FUNASR + instead)


def test_every_model_that_a_hint_names_can_be_pulled() -> None:
    known = {card.id for card in cards() if card.ways}
    hints = " ".join([models for _, models in FUNASR_HINTS] + [each.hint for each in FOREIGN])
    named = set(re.findall(r"\b[a-z]+-[a-z0-9-]+\b", hints))
    assert named
    assert named <= known


def test_an_architecture_that_is_not_ours_is_named(tmp_path: Path) -> None:
    files = {
        "config.json": json.dumps({"model_type": "qwen2_audio"}),
        "tokenizer.json": "{}",
        "tokenizer_config.json": "{}",
        "model.safetensors": "",
    }
    with pytest.raises(ModelError, match=r"no engine recognises .*model_type 'qwen2_audio'"):
        recognised(folder_with(tmp_path, files))
    (tmp_path / "tokenizer_config.json").unlink()
    with pytest.raises(ModelDamaged, match=r"incomplete .*model_type 'qwen2_audio'"):
        recognised(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "null", "3", '{"model_type": {}}', "\x00"])
def test_a_config_that_makes_no_sense_is_no_accident(tmp_path: Path, content: str) -> None:
    names = ("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors")
    with pytest.raises(ModelError):
        recognised(folder_with(tmp_path, dict.fromkeys(names, content)))


@pytest.mark.parametrize("spec", specs(), ids=lambda spec: spec.name)
def test_the_files_of_an_engine_without_their_content_are_not_believed(
    tmp_path: Path, spec: object
) -> None:
    """Empty files under the right names: refused by an error of ours, or described."""
    for mark in spec.marks:  # type: ignore[attr-defined]
        folder_with(tmp_path, {mark.replace("**/", "").replace("*", "x"): ""})
    with suppress(ModelError):
        assert recognised(tmp_path).id == tmp_path.name


def test_a_pickle_beside_real_weights_does_not_make_the_folder_one(tmp_path: Path) -> None:
    """It lacks the tokenizer: that is what its owner can mend."""
    files = {"model.bin": "\x06", "config.json": "{}", "old.pt": "PK"}
    with pytest.raises(ModelDamaged) as caught:
        recognised(folder_with(tmp_path, files))
    assert "tokenizer.json" in caught.value.hint


def test_the_engine_that_misses_the_fewest_files_is_named(tmp_path: Path) -> None:
    files = dict.fromkeys(("encoder_adaptor.onnx", "llm.onnx", "embedding.onnx"), "")
    with pytest.raises(ModelDamaged) as caught:
        recognised(folder_with(tmp_path, files))
    assert caught.value.hint.endswith(
        "Qwen3-0.6B/vocab.json, Qwen3-0.6B/merges.txt, Qwen3-0.6B/tokenizer.json."
    )


@pytest.mark.parametrize(
    ("name", "content", "is_one"),
    [
        ("a.PT", b"", True),
        ("a.bin", b"PK\x03\x04", True),
        ("a.bin", b"\x80\x02", True),
        ("a.bin", b"\x06\0\0\0", False),
        ("ggml-base.bin", b"lmgg", False),
        ("a.onnx", b"PK\x03\x04", False),
        ("a.bin", b"", False),
    ],
)
def test_a_pickle_is_known_by_its_name_or_first_bytes(
    tmp_path: Path, name: str, content: bytes, is_one: bool
) -> None:
    (tmp_path / name).write_bytes(content)
    assert is_pickled(tmp_path / name) is is_one
