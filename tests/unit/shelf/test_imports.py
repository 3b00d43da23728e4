from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from offscribe.errors import (
    BadOption,
    Conflict,
    ModelDamaged,
    ModelError,
    ModelMissing,
    NotFound,
)
from offscribe.shelf.imports import export_model, import_model, remove_model
from offscribe.shelf.manifest import read_manifest
from offscribe.shelf.shelf import Shelf

TOKENIZER = json.dumps({"added_tokens": [{"id": 51_866, "content": "<|zh|>"}]})


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder that looks like a converted Whisper."""
    folder = tmp_path / "stick" / "我的 whisper!"
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(b"\x06\0\0\0\x0b\0WhisperSpec\0" + bytes(1000))
    (folder / "config.json").write_text("{}", "utf-8")
    (folder / "tokenizer.json").write_text(TOKENIZER, "utf-8")
    return folder


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    return tmp_path / "models"


def imported(path: Path, shelf: Path, **options: object) -> str:
    return list(import_model(path, shelf, **options))[-1].model_id  # type: ignore[arg-type]


def entries(shelf: Path) -> set[str]:
    return {path.name for path in shelf.iterdir() if not path.name.endswith(".lock")}


def test_a_folder_is_recognised_copied_and_listed(model: Path, shelf: Path) -> None:
    assert imported(model, shelf) == "whisper"
    [installed] = Shelf(shelf).installed()
    assert (installed.card.engine, installed.card.languages) == ("whisper", ("zh", "yue"))
    assert installed.manifest.source == "imported from 我的 whisper!"
    assert (model / "model.bin").is_file()
    Shelf(shelf).verify("whisper")


def test_junk_and_code_stay_outside(model: Path, shelf: Path) -> None:
    for name in (".DS_Store", "._model.bin", "Thumbs.db", "export.py", "old.pt", "__MACOSX/x"):
        (model / name).parent.mkdir(exist_ok=True)
        (model / name).write_bytes(b"x")
    imported(model, shelf)
    names = {file.path for file in read_manifest(shelf / "whisper").files}
    assert names == {"model.bin", "config.json", "tokenizer.json"}


@pytest.mark.parametrize("name", ["out.tar", "out.zip", "out.tar.gz"])
def test_what_one_machine_exports_another_imports(
    model: Path, shelf: Path, tmp_path: Path, name: str
) -> None:
    imported(model, shelf, model_id="mine")
    assert list(export_model(shelf, "mine", tmp_path / name))[-1].stage == "done"
    other = tmp_path / "other"
    assert imported(tmp_path / name, other) == "mine"
    assert read_manifest(other / "mine").files == read_manifest(shelf / "mine").files


def test_a_changed_byte_is_found_and_nothing_is_left_behind(
    model: Path, shelf: Path, tmp_path: Path
) -> None:
    imported(model, shelf, model_id="mine")
    copied = tmp_path / "copied"
    shutil.copytree(shelf / "mine", copied)
    content = bytearray((copied / "model.bin").read_bytes())
    content[500] ^= 1
    (copied / "model.bin").write_bytes(content)
    other = tmp_path / "other"
    with pytest.raises(ModelDamaged, match=r"model\.bin does not have the SHA-256"):
        imported(copied, other)
    assert entries(other) == set()
    (copied / "model.bin").write_bytes(content[:400])
    with pytest.raises(ModelDamaged, match=r"model\.bin is missing or not of the size"):
        imported(copied, other)


def test_an_id_that_is_taken_is_kept_unless_replacing_is_asked_for(
    model: Path, shelf: Path
) -> None:
    imported(model, shelf)
    (model / "model.bin").write_bytes(b"\x06\0\0\0\x0b\0WhisperSpec\0" + bytes(2000))
    with pytest.raises(Conflict, match="whisper is installed already"):
        imported(model, shelf)
    assert read_manifest(shelf / "whisper").files[1].size_bytes < 2000
    imported(model, shelf, is_replacing=True)
    assert (shelf / "whisper" / "model.bin").stat().st_size > 2000
    assert entries(shelf) == {"whisper"}


@pytest.mark.parametrize("model_id", ["", "../x", "a/b", ".hidden", "x" * 101, "名"])
def test_an_id_that_cannot_be_a_folder_is_refused(model: Path, shelf: Path, model_id: str) -> None:
    with pytest.raises(BadOption):
        imported(model, shelf, model_id=model_id)


def test_a_manifest_cannot_choose_where_it_goes(model: Path, shelf: Path, tmp_path: Path) -> None:
    imported(model, shelf, model_id="mine")
    manifest = json.loads((shelf / "mine" / "manifest.json").read_text("utf-8"))
    for changes in ({"id": "../../evil"}, {"files": [{**manifest["files"][0], "path": "../x"}]}):
        hostile = tmp_path / "hostile"
        shutil.copytree(shelf / "mine", hostile, dirs_exist_ok=True)
        (hostile / "manifest.json").write_text(json.dumps({**manifest, **changes}), "utf-8")
        with pytest.raises(ModelDamaged):
            imported(hostile, tmp_path / "other")
    assert not (tmp_path / "evil").exists()


def test_a_link_out_of_the_folder_is_refused(model: Path, shelf: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret", "utf-8")
    (model / "vocabulary.json").symlink_to(tmp_path / "secret")
    with pytest.raises(ModelError, match="leads out of the folder"):
        imported(model, shelf)


@pytest.mark.parametrize(
    ("files", "what"),
    [
        (("model.pt", "config.yaml"), "an original FunASR checkpoint"),
        (("model.pt", "configuration.json"), "an original FunASR checkpoint"),
        (("pytorch_model.bin", "config.json"), "a pickle"),
        (("qwen.gguf",), "GGUF"),
        (("parakeet.nemo",), "NeMo"),
        (("notes.txt",), "no engine recognises"),
        ((), "no engine recognises"),
    ],
)
def test_what_cannot_be_run_says_what_it_is(
    shelf: Path, tmp_path: Path, files: tuple[str, ...], what: str
) -> None:
    folder = tmp_path / "foreign"
    folder.mkdir()
    for name in files:
        (folder / name).write_text("{}", "utf-8")
    with pytest.raises(ModelError, match=what) as caught:
        imported(folder, shelf)
    assert caught.value.hint
    assert entries(shelf) == set()


def test_an_incomplete_folder_says_which_file_is_missing(model: Path, shelf: Path) -> None:
    (model / "tokenizer.json").unlink()
    with pytest.raises(ModelDamaged) as caught:
        imported(model, shelf)
    assert "faster-whisper: tokenizer.json" in caught.value.hint


def test_neither_folder_nor_archive_is_refused(shelf: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no"):
        imported(tmp_path / "absent", shelf)
    (tmp_path / "model.bin").write_bytes(b"x")
    with pytest.raises(ModelError, match="neither a folder nor"):
        imported(tmp_path / "model.bin", shelf)


def test_removing_leaves_nothing_and_works_on_damaged_ones(model: Path, shelf: Path) -> None:
    imported(model, shelf)
    (shelf / "whisper" / "model.bin").unlink()
    remove_model(shelf, "whisper")
    assert entries(shelf) == set()
    for model_id in ("whisper", "../stick", ""):
        with pytest.raises(ModelMissing):
            remove_model(shelf, model_id)
    assert model.is_dir()


def test_a_known_model_without_manifest_keeps_its_id(shelf: Path, tmp_path: Path) -> None:
    card = next(card for card in Shelf(shelf).known() if card.id == "vosk-small-cn")
    folder = tmp_path / "renamed"
    for file in card.files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as sparse:
            sparse.truncate(file.size_bytes)
    # The sizes are the known model's, the content is not: the hashes are looked at.
    with pytest.raises(ModelDamaged, match="SHA-256"):
        imported(folder, shelf)
    assert replace(card).id not in entries(shelf)
