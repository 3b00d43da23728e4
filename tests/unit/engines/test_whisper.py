"""What the engine file says without loading a model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from offscribe.engines.registry import load_recognizer
from offscribe.engines.whisper import MARKS, WHISPER_BASE, describe, devices, load, recognises
from offscribe.errors import BadOption, ModelDamaged
from offscribe.types import LoadOptions


def tokenizer(folder: Path, codes: list[str], n_tokens: int) -> Path:
    added = [{"id": 50258 + at, "content": f"<|{code}|>"} for at, code in enumerate(codes)]
    added.append({"id": n_tokens - 1, "content": "<|30.00|>"})
    (folder / "tokenizer.json").write_text(json.dumps({"added_tokens": added}), "utf-8")
    return folder


def test_the_card_adds_up() -> None:
    assert WHISPER_BASE.size_bytes == 150_218_479
    assert {"zh", "en", "ja", "ko", "yue"} <= set(WHISPER_BASE.languages)
    assert len(set(WHISPER_BASE.languages)) == len(WHISPER_BASE.languages) == 100
    targets = {target for source in WHISPER_BASE.packages for _, target in source.members}
    assert targets == {file.path for file in WHISPER_BASE.files}


def test_a_multilingual_folder_knows_its_languages_and_cantonese(tmp_path: Path) -> None:
    card = describe(tokenizer(tmp_path, ["en", "zh", "translate", "notimestamps"], 51_865))
    assert card.languages == ("zh", "en", "yue")
    assert (card.id, card.times) == (tmp_path.name, "word")


def test_an_english_only_folder_knows_english(tmp_path: Path) -> None:
    assert describe(tokenizer(tmp_path, ["en", "zh"], 51_864)).languages == ("en",)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"added_tokens": []}', b"\xff\xfe"])
def test_a_broken_tokenizer_is_damage(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "tokenizer.json").write_bytes(content)
    with pytest.raises(ModelDamaged, match=r"tokenizer\.json"):
        describe(tmp_path)


def test_a_converted_whisper_is_told_from_other_converted_models(tmp_path: Path) -> None:
    model = tmp_path / "model.bin"
    model.write_bytes(b"\x06\0\0\0\x0c\0WhisperSpec\0")
    assert recognises(tmp_path)
    model.write_bytes(b"\x06\0\0\0\x10\0TransformerSpec\0")
    assert not recognises(tmp_path)
    model.write_bytes(b"")
    assert not recognises(tmp_path)


@pytest.mark.parametrize("missing", MARKS)
def test_an_incomplete_folder_is_refused_before_any_library_looks_at_it(
    tmp_path: Path, missing: str
) -> None:
    for name in set(MARKS) - {missing}:
        (tmp_path / name).touch()
    with pytest.raises(ModelDamaged, match=missing):
        load_recognizer(replace(WHISPER_BASE, files=()), tmp_path, LoadOptions())


def test_a_batch_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadOption):
        load(WHISPER_BASE, tmp_path, LoadOptions(batch_size=0))


def test_metal_is_named_as_what_the_library_lacks() -> None:
    reports = {report.device: report for report in devices()}
    assert not reports["mps"].is_usable
    assert "no Metal" in reports["mps"].reason
    assert reports["cpu"].is_usable
