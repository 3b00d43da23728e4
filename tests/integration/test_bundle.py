"""A bundle on its way to a machine without a network."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from offscribe.errors import ModelError
from offscribe.services.bundle import FOLDER, install_bundle
from offscribe.services.bundle_installer import MANIFEST, CannotInstall, check, fingerprint
from offscribe.shelf.archive import pack_archive
from offscribe.shelf.manifest import sha256_of
from tests.integration.test_offline import SAMPLE, without_network


@pytest.fixture(scope="module")
def unpacked(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real bundle with the starter model, unpacked as a person would."""
    folder = tmp_path_factory.mktemp("bundle")
    command = ["bundle", "create", str(folder / "b.tar"), "--models", "whisper-base"]
    run = subprocess.run(
        [sys.executable, "-m", "offscribe.cli.main", *command, "--home", str(models.parent)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    shutil.unpack_archive(folder / "b.tar", folder, filter="data")
    return folder / FOLDER


def test_a_bundle_installs_and_transcribes_where_there_is_no_network(
    unpacked: Path, tmp_path: Path
) -> None:
    home = tmp_path / "离线 家"
    run = without_network("sh", str(unpacked / "install.sh"), str(home))
    assert run.returncode == 0, run.stderr + run.stdout
    assert str(home / "start.sh") in run.stdout
    run = without_network(str(home / "start.sh"), "transcribe", str(SAMPLE))
    assert run.returncode == 0, run.stderr
    assert "会议" in run.stdout
    run = without_network(str(home / "start.sh"), "models", "verify", "whisper-base")
    assert run.returncode == 0, run.stderr


def test_an_installed_offscribe_installs_the_archive_itself_over_an_older_one(
    unpacked: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    (home / ".venv").mkdir(parents=True)
    (home / ".venv" / "older").touch()
    command = ["-m", "offscribe.cli.main", "bundle", "install", str(unpacked.parent / "b.tar")]
    run = without_network(sys.executable, *command, "--to", str(home))
    assert run.returncode == 0, run.stderr
    assert not (home / ".venv" / "older").exists()
    run = without_network(str(home / "start.sh"), "models", "list", "--installed", "--json")
    assert {row["id"] for row in json.loads(run.stdout)} == {"silero-vad", "whisper-base"}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The shape of a bundle, without packages."""
    bundle = tmp_path / FOLDER
    (bundle / "models" / "m").mkdir(parents=True)
    (bundle / "models" / "m" / "model.bin").write_bytes(b"weights")
    (bundle / "wheels").mkdir()
    (bundle / "wheels" / "x.whl").write_bytes(b"no wheel")
    files = [
        {"path": path, "sha256": sha256_of(bundle / path)}
        for path in ("models/m/model.bin", "wheels/x.whl")
    ]
    manifest = {"version": "1", "made_for": fingerprint(), "files": files}
    (bundle / MANIFEST).write_text(json.dumps(manifest), "utf-8")
    return bundle


def test_a_changed_a_missing_and_a_foreign_file_are_found(small: Path) -> None:
    check(small)
    (small / "extra.py").write_text("evil", "utf-8")
    with pytest.raises(CannotInstall, match=r"extra\.py does not belong"):
        check(small)
    (small / "extra.py").unlink()
    (small / "models" / "m" / "model.bin").write_bytes(b"Weights")
    with pytest.raises(CannotInstall, match=r"models/m/model\.bin is missing or was changed"):
        check(small)
    (small / "models" / "m" / "model.bin").unlink()
    with pytest.raises(CannotInstall, match=r"models/m/model\.bin is missing or was changed"):
        check(small)


def test_another_kind_of_machine_is_said_before_anything_is_done(small: Path) -> None:
    manifest = json.loads((small / MANIFEST).read_text("utf-8"))
    manifest["made_for"] |= {"python": "2.7", "machine": "pdp11"}
    (small / MANIFEST).write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(CannotInstall, match=r"python 2\.7, not .*machine pdp11, not"):
        check(small)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"made_for": {}, "files": 3}'])
def test_what_is_no_bundle_is_refused(small: Path, content: str) -> None:
    (small / MANIFEST).write_text(content, "utf-8")
    with pytest.raises(CannotInstall):
        check(small)


def test_a_failed_installation_keeps_the_one_before(small: Path, tmp_path: Path) -> None:
    """The wheel is none, so pip fails after the environment was made."""
    home = tmp_path / "home"
    (home / ".venv").mkdir(parents=True)
    (home / ".venv" / "works").write_text("yes", "utf-8")
    paths = [
        path.relative_to(small).as_posix() for path in sorted(small.rglob("*")) if path.is_file()
    ]
    list(pack_archive(small, paths, tmp_path / "b.zip"))
    with pytest.raises(ModelError, match="failed"):
        install_bundle(tmp_path / "b.zip", home)
    assert (home / ".venv" / "works").is_file()
    assert {path.name for path in home.iterdir()} == {".venv"}
