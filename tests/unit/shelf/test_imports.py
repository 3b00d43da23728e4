from __future__ import annotations

import errno
import hashlib
import json
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from offscribe.errors import (
    BadOption,
    Conflict,
    DiskFull,
    ModelDamaged,
    ModelError,
    ModelMissing,
    NoPermission,
    NotFound,
)
from offscribe.shelf import imports
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
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "whisper").symlink_to(model)
    with pytest.raises(ModelError, match="no engine recognises"):
        imported(tmp_path / "linked", shelf)


def test_what_cannot_be_run_leaves_nothing_behind(shelf: Path, tmp_path: Path) -> None:
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "large.pt").write_bytes(b"PK")
    with pytest.raises(ModelError, match="a pickle"):
        imported(tmp_path / "foreign", shelf)
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


def vosk_like(folder: Path, head: bytes) -> str:
    """Files in the sizes of a known model, with other content; return the model's id."""
    card = next(card for card in Shelf(folder).known() if card.id == "vosk-small-cn")
    for file in card.files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as sparse:
            sparse.truncate(file.size_bytes)
    with (folder / "am" / "final.mdl").open("r+b") as model:
        model.write(head)
    return card.id


def test_the_size_of_a_known_model_without_its_content_is_damage(
    shelf: Path, tmp_path: Path
) -> None:
    vosk_like(tmp_path / "renamed", b"??")
    with pytest.raises(ModelDamaged, match="the size but not the SHA-256 of"):
        imported(tmp_path / "renamed", shelf)
    assert entries(shelf) == set()


def test_a_tuned_model_is_not_taken_for_the_known_one_of_its_size(
    shelf: Path, tmp_path: Path
) -> None:
    known = vosk_like(tmp_path / "tuned-cn", b"\0B")
    assert imported(tmp_path / "tuned-cn", shelf) == "tuned-cn"
    with pytest.raises(ModelError, match="these files are not"):
        imported(tmp_path / "tuned-cn", shelf, model_id=known)
    assert entries(shelf) == {"tuned-cn"}


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tgz"])
def test_an_archive_with_files_at_its_top_takes_its_name(
    model: Path, shelf: Path, tmp_path: Path, suffix: str
) -> None:
    if suffix == ".zip":
        with zipfile.ZipFile(tmp_path / f"mine{suffix}", "w") as zipped:
            for path in model.iterdir():
                zipped.write(path, path.name)
            zipped.writestr("__MACOSX/._model.bin", b"x")
    else:
        with tarfile.open(tmp_path / f"mine{suffix}", "w:gz" if suffix == ".tgz" else "w") as tar:
            for path in model.iterdir():
                tar.add(path, f"./{path.name}")
    assert imported(tmp_path / f"mine{suffix}", shelf) == "mine"
    assert (shelf / "mine" / "model.bin").read_bytes() == (model / "model.bin").read_bytes()
    assert entries(shelf) == {"mine"}


def test_a_broken_archive_leaves_nothing_behind(model: Path, shelf: Path, tmp_path: Path) -> None:
    imported(model, shelf, model_id="mine")
    list(export_model(shelf, "mine", tmp_path / "m.tar.gz"))
    content = (tmp_path / "m.tar.gz").read_bytes()
    (tmp_path / "m.tar.gz").write_bytes(content[:-4])
    other = tmp_path / "other"
    with pytest.raises(ModelDamaged, match="broken or not complete"):
        imported(tmp_path / "m.tar.gz", other)
    assert entries(other) == set()


def test_a_file_that_grows_while_it_is_copied_is_told(model: Path, shelf: Path) -> None:
    steps = import_model(model, shelf)
    while next(steps).stage != "copying":
        pass
    with (model / "tokenizer.json").open("ab") as file:
        file.write(b" ")
    with pytest.raises(ModelDamaged, match=r"tokenizer\.json changed while it was copied"):
        list(steps)
    assert entries(shelf) == set()


def test_a_stick_pulled_out_while_copying_leaves_nothing_behind(model: Path, shelf: Path) -> None:
    steps = import_model(model, shelf)
    while next(steps).stage != "copying":
        pass
    shutil.rmtree(model)
    with pytest.raises(ModelDamaged, match="cannot be read") as caught:
        list(steps)
    assert "drive" in caught.value.hint
    assert entries(shelf) == set()


def test_a_source_that_cannot_be_looked_at_is_no_fault_of_the_shelf(
    model: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> Path:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(imports, "_top", refuse)
    with pytest.raises(ModelDamaged, match=r"我的 whisper! cannot be read: Permission denied"):
        imported(model, shelf)
    assert entries(shelf) == set()


def test_an_import_that_is_given_up_leaves_nothing_and_frees_the_shelf(
    model: Path, shelf: Path
) -> None:
    steps = import_model(model, shelf)
    next(steps)
    with pytest.raises(Conflict, match="being installed already"):
        imported(model, shelf)
    steps.close()  # type: ignore[attr-defined]
    (shelf / ".pull-killed").mkdir()
    imported(model, shelf)
    assert entries(shelf) == {"whisper"}


def test_a_full_disk_is_called_full(
    model: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(*_: object, **__: object) -> Iterator[bytes]:
        yield b"x"
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(imports, "_taken", fill)
    (shelf / "model").mkdir(parents=True)
    monkeypatch.setattr(imports, "_size", lambda _: 1)
    with pytest.raises(DiskFull):
        imported(model, shelf)
    assert entries(shelf) == {"model"}


def test_what_was_left_out_is_written_down(model: Path, shelf: Path) -> None:
    (model / "export.py").write_text("import os", "utf-8")
    (model / "optimizer.bin").write_bytes(b"PK\x03\x04 a PyTorch checkpoint")
    imported(model, shelf)
    manifest = read_manifest(shelf / "whisper")
    assert manifest.source == "imported from 我的 whisper! without export.py, optimizer.bin"
    assert len(manifest.files) == 3


def with_manifest(shelf: Path, folder: Path, **changes: object) -> Path:
    """A copy of the model ``mine`` whose manifest says something else."""
    shutil.copytree(shelf / "mine", folder)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    (folder / "manifest.json").write_text(json.dumps({**manifest, **changes}), "utf-8")
    return folder


def listed(path: str, content: bytes) -> dict[str, object]:
    return {
        "path": path,
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


@pytest.mark.parametrize("name", ["model.pt", "hook.py", "native.so", "pytorch.bin"])
def test_a_manifest_cannot_bring_code_along(
    model: Path, shelf: Path, tmp_path: Path, name: str
) -> None:
    imported(model, shelf, model_id="mine")
    content = b"\x80\x02 a pickle"
    hostile = with_manifest(shelf, tmp_path / "hostile", files=[listed(name, content)])
    (hostile / name).write_bytes(content)
    with pytest.raises(ModelError, match=f"refused: {name} is code, or a pickle"):
        imported(hostile, tmp_path / "other")


def test_a_manifest_cannot_reach_through_a_link(model: Path, shelf: Path, tmp_path: Path) -> None:
    imported(model, shelf, model_id="mine")
    (tmp_path / "secret").write_bytes(b"secret")
    hostile = with_manifest(shelf, tmp_path / "hostile", files=[listed("x", b"secret")])
    (hostile / "x").symlink_to(tmp_path / "secret")
    with pytest.raises(ModelError, match="leads out of the folder"):
        imported(hostile, tmp_path / "other")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"id": "whisper-base"}, "these files are not Whisper base"),
        ({"id": "silero-vad"}, "these files are not"),
        ({"id": "sensevoice-small"}, "these files are not SenseVoice"),
        ({"engine": "of-the-future"}, "'of-the-future', which this version"),
        ({"kind": "vad"}, "no speech detector"),
        ({"files": []}, "names no file"),
        ({"files": [listed("manifest.json", b"")]}, "not of the size"),
    ],
)
def test_a_manifest_cannot_pass_for_something_else(
    model: Path, shelf: Path, tmp_path: Path, changes: dict[str, object], what: str
) -> None:
    imported(model, shelf, model_id="mine")
    hostile = with_manifest(shelf, tmp_path / "hostile", **changes)
    with pytest.raises(ModelError, match=what):
        imported(hostile, tmp_path / "other")
    assert entries(tmp_path / "other") == set()


def test_a_manifest_that_names_a_file_twice_is_damaged(
    model: Path, shelf: Path, tmp_path: Path
) -> None:
    imported(model, shelf, model_id="mine")
    config = listed("config.json", b"{}")
    hostile = with_manifest(shelf, tmp_path / "hostile", files=[config, config])
    with pytest.raises(ModelDamaged, match="twice"):
        imported(hostile, tmp_path / "other")


def test_a_manifest_that_names_itself_is_damaged(model: Path, shelf: Path, tmp_path: Path) -> None:
    imported(model, shelf, model_id="mine")
    itself = {**listed("manifest.json", b""), "size_bytes": 5000}
    hostile = with_manifest(shelf, tmp_path / "hostile", files=[itself])
    path = hostile / "manifest.json"
    path.write_bytes(path.read_bytes().rstrip().ljust(5000))
    with pytest.raises(ModelDamaged, match="or itself"):
        imported(hostile, tmp_path / "other")


def test_links_inside_the_folder_are_followed_and_lost_ones_refused(
    model: Path, shelf: Path
) -> None:
    """How a hub's cache looks once it was copied with its blobs."""
    (model / "blobs").mkdir()
    (model / "model.bin").rename(model / "blobs" / "1234")
    (model / "model.bin").symlink_to(Path("blobs") / "1234")
    imported(model, shelf)
    assert not (shelf / "whisper" / "model.bin").is_symlink()
    (model / "lost").symlink_to(model / "nowhere")
    with pytest.raises(ModelError, match="lost is a link that leads out") as caught:
        imported(model, shelf, model_id="again")
    assert "cp -rL" in caught.value.hint


def test_a_model_that_changed_on_the_shelf_is_not_exported(
    model: Path, shelf: Path, tmp_path: Path
) -> None:
    imported(model, shelf)
    (shelf / "whisper" / "config.json").write_text("[]", "utf-8")
    with pytest.raises(ModelDamaged, match=r"config\.json is missing or does not have the SHA-256"):
        list(export_model(shelf, "whisper", tmp_path / "m.tar"))
    assert not (tmp_path / "m.tar").exists()
    with pytest.raises(ModelMissing):
        list(export_model(shelf, "../stick", tmp_path / "m.tar"))
    with pytest.raises(BadOption, match=r"m\.rar"):  # before hours of reading
        list(export_model(shelf, "whisper", tmp_path / "m.rar"))


def test_the_old_model_stays_where_the_new_one_cannot_be_put(
    model: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(model, shelf)
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if self.name == "model":
            raise PermissionError(errno.EACCES, "in use")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(NoPermission):
        imported(model, shelf, is_replacing=True)
    assert (shelf / "whisper" / "model.bin").is_file()
    assert entries(shelf) == {"whisper"}
