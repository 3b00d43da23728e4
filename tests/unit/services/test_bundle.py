from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest

import offscribe
from offscribe.errors import BadOption, ModelDamaged, ModelError, ModelMissing, NotFound
from offscribe.services import bundle, bundle_installer
from offscribe.services.bundle import (
    ENGINE_EXTRAS,
    FOLDER,
    LAUNCHERS,
    STARTER_EXTRAS,
    NoCheckout,
    create_bundle,
    install_bundle,
)
from offscribe.services.bundle_installer import MANIFEST, check, fingerprint
from offscribe.shelf.archive import pack_archive, unpack_archive
from offscribe.shelf.manifest import Manifest, write_manifest
from offscribe.shelf.shelf import Shelf
from offscribe.types import ModelFile

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""SHA-256 of nothing."""
CHECKOUT = Path(__file__).resolve().parents[3]


def put(shelf: Shelf, model_id: str, sha256: str = EMPTY) -> None:
    """Put a model of one empty file on the shelf."""
    card = shelf.card(model_id)
    folder = shelf.folder / model_id
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "weights").touch()
    files = (ModelFile("sub/weights", 0, sha256),)
    write_manifest(folder, Manifest(model_id, card.engine, card.kind, "", "", "", "", files))


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    shelf = Shelf(tmp_path / "models")
    put(shelf, "silero-vad")
    return shelf


class Pip:
    """Notes what is asked for; wheels are zips, and they come last in a bundle."""

    def __init__(self) -> None:
        self.requirements: list[str] = []

    def collect(self, checkout: Path, folder: Path, requirements: str) -> None:
        assert checkout == CHECKOUT
        self.requirements.append(requirements)
        folder.mkdir()
        with zipfile.ZipFile(folder / "x-1-py3-none-any.whl", "w") as wheel:
            wheel.writestr("x.py", "")


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> Pip:
    fake = Pip()
    monkeypatch.setattr(bundle, "_collect_wheels", fake.collect)
    return fake


def unpacked(archive: Path, folder: Path) -> Path:
    folder.mkdir()
    unpack_archive(archive, folder, max_bytes=10**7)
    return folder / FOLDER


@pytest.mark.parametrize("name", ["b.tar", "b.tar.gz", "b.zip"])
def test_a_bundle_holds_all_it_needs_and_the_hash_of_everything(
    shelf: Shelf, pip: Pip, tmp_path: Path, name: str
) -> None:
    put(shelf, "whisper-base")
    stages = [step.stage for step in create_bundle(tmp_path / name, shelf, ["whisper-base"])]
    assert list(dict.fromkeys(stages)) == ["wheels", "models", "packing", "done"]
    assert pip.requirements == ["starter"]
    made = unpacked(tmp_path / name, tmp_path / "out")
    files = {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
    assert files == {
        *(MANIFEST, "install.py", "install.sh", "install.ps1", "wheels/x-1-py3-none-any.whl"),
        *("models/whisper-base/manifest.json", "models/whisper-base/sub/weights"),
        *("models/silero-vad/manifest.json", "models/silero-vad/sub/weights"),
    }
    assert check(made)["version"] == offscribe.__version__
    listed = json.loads((made / MANIFEST).read_text("utf-8"))["files"]
    assert {file["path"] for file in listed} == files - {MANIFEST}


@pytest.mark.usefixtures("pip")
def test_the_installer_needs_nothing_but_pythons_own_library(shelf: Shelf, tmp_path: Path) -> None:
    list(create_bundle(tmp_path / "b.tar", shelf, []))
    made = unpacked(tmp_path / "b.tar", tmp_path / "out")
    (made / "install.sh").write_text("changed", "utf-8")
    run = subprocess.run(
        [sys.executable, "-I", "-S", str(made / "install.py"), str(tmp_path / "home")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (
        1,
        "error: install.sh is missing or was changed; copy the bundle again\n",
    )
    assert not (tmp_path / "home").exists()


def test_the_launchers_ask_for_the_python_the_wheels_are_for() -> None:
    assert set(LAUNCHERS) == {"install.sh", "install.ps1"}
    assert all("@PYTHON@" in text and "install.py" in text for text in LAUNCHERS.values())
    syntax = subprocess.run(
        ["sh", "-n"], input=LAUNCHERS["install.sh"], text=True, capture_output=True, check=False
    )
    assert (syntax.returncode, syntax.stderr) == (0, "")


def test_a_model_whose_engine_stays_behind_is_refused_before_anything_is_fetched(
    shelf: Shelf, pip: Pip, tmp_path: Path
) -> None:
    put(shelf, "vosk-small-cn")
    with pytest.raises(BadOption, match="vosk-small-cn needs Vosk") as caught:
        list(create_bundle(tmp_path / "b.tar", shelf, ["vosk-small-cn"]))
    assert caught.value.hint == "Say --engines."
    with pytest.raises(BadOption, match="fun-asr-nano-2512-hf needs") as caught:
        list(create_bundle(tmp_path / "b.tar", shelf, ["fun-asr-nano-2512-hf"], with_engines=True))
    assert "cannot bring it" in caught.value.hint
    assert pip.requirements == []
    list(create_bundle(tmp_path / "b.tar", shelf, ["vosk-small-cn"], with_engines=True))
    assert pip.requirements == ["engines"]


def test_the_extras_are_those_that_the_requirements_were_made_from() -> None:
    script = (CHECKOUT / "requirements" / "update.sh").read_text("utf-8")
    for name, extras in (("starter", STARTER_EXTRAS), ("engines", ENGINE_EXTRAS)):
        [line] = [line for line in script.splitlines() if f"-o requirements/{name}.txt" in line]
        words = line.split()
        named = {after for word, after in pairwise(words) if word == "--extra"}
        assert named == extras


def test_what_cannot_be_written_is_said_before_anything_is_fetched(
    shelf: Shelf, pip: Pip, tmp_path: Path
) -> None:
    for error, target in ((BadOption, tmp_path / "b.rar"), (NotFound, tmp_path / "no" / "b.tar")):
        with pytest.raises(error):
            list(create_bundle(target, shelf, []))
    with pytest.raises(ModelMissing):
        list(create_bundle(tmp_path / "b.tar", shelf, ["whisper-base"]))
    put(shelf, "whisper-base", "0" * 64)
    with pytest.raises(ModelDamaged, match="SHA-256"):
        list(create_bundle(tmp_path / "b.tar", shelf, ["whisper-base"]))
    assert pip.requirements == []
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


def test_without_the_projects_folder_there_is_nothing_to_make_a_package_of(
    shelf: Shelf, pip: Pip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offscribe, "__file__", str(tmp_path / "a" / "b" / "c" / "__init__.py"))
    with pytest.raises(NoCheckout) as caught:
        list(create_bundle(tmp_path / "b.tar", shelf, []))
    assert "Clone the project" in caught.value.hint
    assert pip.requirements == []


def test_pips_last_words_are_passed_on_and_nothing_is_left(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        script = "import sys; sys.exit('one\\n\\nno route to the index')"
        bundle._run([sys.executable, "-c", script])

    monkeypatch.setattr(bundle, "_collect_wheels", fail)
    with pytest.raises(ModelError, match=r"one \| no route to the index") as caught:
        list(create_bundle(tmp_path / "b.tar", shelf, []))
    assert "network" in caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


@pytest.fixture
def made(shelf: Shelf, pip: Pip, tmp_path: Path) -> Path:
    """A whole bundle, unpacked; ``packed`` makes an archive of it again."""
    assert pip.requirements == []
    list(create_bundle(tmp_path / "whole.tar", shelf, []))
    return unpacked(tmp_path / "whole.tar", tmp_path / "made")


def packed(made: Path, name: str = "b.tar") -> Path:
    paths = sorted(path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file())
    archive = made.parent / name
    list(pack_archive(made, paths, archive))
    return archive


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The commands that the installer would have run."""
    commands: list[tuple[str, ...]] = []
    monkeypatch.setattr(bundle_installer, "_run", lambda *command: commands.append(command))
    return commands


@pytest.mark.parametrize("name", ["b.tar", "b.tar.xz", "b.zip"])
def test_a_bundle_is_installed_without_an_index_and_offers_its_models(
    made: Path, ran: list[tuple[str, ...]], tmp_path: Path, name: str
) -> None:
    install_bundle(packed(made, name), tmp_path / "home")
    venv, pip = ran
    assert venv[1:3] == ("-m", "venv")
    assert {"--no-index", "--no-deps"} <= set(pip)
    assert pip[-1].endswith("wheels/x-1-py3-none-any.whl")
    assert [model.card.id for model in Shelf(tmp_path / "home" / "models").installed()] == [
        "silero-vad"
    ]
    assert {path.name for path in (tmp_path / "home").iterdir()} == {"models", "start.sh"}


def test_nothing_of_a_changed_bundle_is_run(
    made: Path, ran: list[tuple[str, ...]], tmp_path: Path
) -> None:
    wheel = made / "wheels" / "x-1-py3-none-any.whl"
    whole = wheel.read_bytes()
    wheel.write_bytes(whole + b" ")
    with pytest.raises(ModelError, match=r"x-1-py3-none-any\.whl is missing or was changed"):
        install_bundle(packed(made), tmp_path / "home")
    wheel.write_bytes(whole)
    (made / "models" / "silero-vad" / "sub" / "weights").write_bytes(b"x")
    with pytest.raises(ModelError, match="weights is missing or was changed"):
        install_bundle(packed(made), tmp_path / "home")
    (made / MANIFEST).unlink()
    with pytest.raises(ModelError, match="is no bundle of Offscribe"):
        install_bundle(packed(made), tmp_path / "home")
    assert ran == []
    assert list((tmp_path / "home").iterdir()) == []


def test_another_python_is_said_before_anything_is_run(
    made: Path, ran: list[tuple[str, ...]], tmp_path: Path
) -> None:
    manifest = json.loads((made / MANIFEST).read_text("utf-8"))
    manifest["made_for"]["python"] = "3.0"
    (made / MANIFEST).write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(ModelError, match=rf"python 3\.0, not {fingerprint()['python']}"):
        install_bundle(packed(made), tmp_path / "home")
    assert ran == []


def test_a_bundle_that_was_cut_off_or_leads_outside_is_not_installed(
    made: Path, ran: list[tuple[str, ...]], tmp_path: Path
) -> None:
    archive = packed(made, "b.tar.gz")
    archive.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(ModelDamaged, match="broken or not complete"):
        install_bundle(archive, tmp_path / "home")
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as hostile:
        hostile.writestr(f"{FOLDER}/../../../evil", "x")
    with pytest.raises(ModelError, match="lies outside"):
        install_bundle(tmp_path / "evil.zip", tmp_path / "home")
    with pytest.raises(NotFound, match="there is no archive"):
        install_bundle(tmp_path / "absent.tar", tmp_path / "home")
    assert not (tmp_path / "evil").exists()
    assert ran == []
