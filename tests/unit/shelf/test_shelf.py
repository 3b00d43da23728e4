from __future__ import annotations

from pathlib import Path

import pytest

from offscribe.errors import ModelDamaged, ModelError, ModelMissing, NotFound
from offscribe.shelf.manifest import Manifest, manifest_of, write_manifest
from offscribe.shelf.shelf import STARTER, Shelf
from offscribe.types import ModelFile

DAMAGED = "0" * 64
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""SHA-256 of nothing."""


def put(shelf: Shelf, model_id: str, *, sha256: str = EMPTY) -> Path:
    """Put a model of one empty file on the shelf."""
    folder = shelf.folder / model_id
    folder.mkdir(parents=True)
    (folder / "model.bin").touch()
    card = shelf.card(model_id)
    manifest = manifest_of(card)
    files = (ModelFile("model.bin", 0, sha256),)
    write_manifest(
        folder,
        Manifest(
            manifest.id,
            manifest.engine,
            manifest.kind,
            manifest.title,
            manifest.licence,
            manifest.homepage,
            manifest.source,
            files,
        ),
    )
    return folder


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "models")


def test_the_starter_models_are_known_and_can_be_pulled(shelf: Shelf) -> None:
    for model_id in STARTER:
        card = shelf.card(model_id)
        assert card.packages
        assert card.files


def test_an_empty_shelf_has_nothing_and_says_how_to_get_it(shelf: Shelf) -> None:
    assert shelf.installed() == []
    with pytest.raises(ModelMissing) as caught:
        shelf.folder_of("whisper-base")
    assert "offscribe models pull whisper-base" in caught.value.hint


def test_a_model_with_its_manifest_is_installed(shelf: Shelf) -> None:
    folder = put(shelf, "whisper-base")
    assert [model.card.id for model in shelf.installed()] == ["whisper-base"]
    assert shelf.folder_of("whisper-base") == folder


def test_a_half_copied_model_is_never_listed(shelf: Shelf) -> None:
    folder = put(shelf, "whisper-base")
    (folder / "model.bin").unlink()
    assert shelf.installed() == []
    with pytest.raises(ModelDamaged, match=r"model\.bin is missing"):
        shelf.folder_of("whisper-base")


def test_verifying_reads_the_content(shelf: Shelf) -> None:
    put(shelf, "whisper-base")
    shelf.verify("whisper-base")
    put(shelf, "silero-vad", sha256=DAMAGED)
    with pytest.raises(ModelDamaged, match="SHA-256"):
        shelf.verify("silero-vad")


def test_nothing_is_pulled_where_the_model_is_intact(shelf: Shelf) -> None:
    put(shelf, "whisper-base")
    assert [progress.stage for progress in shelf.pull("whisper-base")] == ["done"]


@pytest.mark.parametrize("name", ["nothing", "", "../etc", "x" * 5000])
def test_an_unknown_model_names_the_known_ones(shelf: Shelf, name: str) -> None:
    with pytest.raises(NotFound) as caught:
        shelf.card(name)
    assert "whisper-base" in caught.value.hint
    assert len(caught.value.message) < 200


def test_a_folder_is_opened_by_its_manifest(shelf: Shelf) -> None:
    folder = put(shelf, "whisper-base")
    card, opened = shelf.open_folder(folder)
    assert (card.id, opened) == ("whisper-base", folder.resolve())


def test_a_detector_is_no_recognizer(shelf: Shelf) -> None:
    with pytest.raises(ModelError, match="only detects speech"):
        shelf.open_folder(put(shelf, "silero-vad"))


def test_a_folder_of_no_known_format_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(ModelMissing):
        shelf.open_folder(tmp_path / "absent")
    with pytest.raises(ModelError, match="no engine recognises"):
        shelf.open_folder(tmp_path)


def test_an_incomplete_folder_is_told_what_it_lacks(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "model.bin").touch()
    with pytest.raises(ModelError) as caught:
        shelf.open_folder(tmp_path)
    assert "config.json" in caught.value.hint
