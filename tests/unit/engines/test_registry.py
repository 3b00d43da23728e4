"""Finding engines, and what is said about one whose library is not there."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from offscribe.engines import registry
from offscribe.engines.registry import find_card, find_engine, load_recognizer, missing_modules
from offscribe.errors import EngineMissing, NotFound
from offscribe.types import LoadOptions


def test_every_engine_file_is_found() -> None:
    assert "whisper" in [spec.name for spec in registry.specs()]


def test_cards_name_their_engine_and_have_ids_of_their_own() -> None:
    for spec in registry.specs():
        assert {card.engine for card in spec.cards} <= {spec.name}
    ids = [card.id for card in registry.cards()]
    assert len(ids) == len(set(ids))


def test_an_unknown_model_is_refused_with_the_known_ones() -> None:
    with pytest.raises(NotFound) as caught:
        find_card("whisper-bass")
    assert "whisper-base" in caught.value.hint


def test_an_unknown_engine_is_refused_with_the_known_ones() -> None:
    with pytest.raises(NotFound) as caught:
        find_engine("abacus")
    assert "whisper" in caught.value.hint


def test_a_missing_library_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = replace(find_engine("whisper"), requires=("no_such_library",), extra="abacus")
    monkeypatch.setattr(registry, "specs", lambda: (spec,))
    assert missing_modules(spec) == ("no_such_library",)
    with pytest.raises(EngineMissing) as caught:
        load_recognizer(find_card("whisper-base"), Path(), LoadOptions())
    assert caught.value.hint == f'Run: "{sys.executable}" -m pip install "offscribe[abacus]"'


def test_looking_at_the_engines_imports_no_recognition_library() -> None:
    code = (
        "import sys; from offscribe.engines.registry import specs, cards; specs(); cards();"
        "heavy = {'faster_whisper', 'ctranslate2', 'onnxruntime', 'tokenizers'} & set(sys.modules);"
        "sys.exit(str(sorted(heavy)) if heavy else 0)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
