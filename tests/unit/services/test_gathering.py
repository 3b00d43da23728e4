from __future__ import annotations

from pathlib import Path

import pytest

from offscribe.errors import InputError, NotFound, TooLarge
from offscribe.services import gathering
from offscribe.services.gathering import OutsideRoots, gather


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.wav", "a.MP3", "notes.txt", ".hidden.wav", "deep/c.flac", ".cache/d.wav"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "in"


def names(folder: Path, paths: list[Path]) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in paths]


def test_a_folder_gives_its_media_files_by_name(folder: Path) -> None:
    assert names(folder, gather([str(folder)], is_recursive=False)) == ["a.MP3", "b.wav"]
    deep = gather([str(folder)], is_recursive=True)
    assert names(folder, deep) == ["a.MP3", "b.wav", "deep/c.flac"]


def test_a_named_file_is_taken_whatever_it_is_called_and_only_once(folder: Path) -> None:
    wishes = [str(folder / "notes.txt"), str(folder / "b.wav"), str(folder)]
    assert names(folder, gather(wishes, is_recursive=False)) == ["notes.txt", "b.wav", "a.MP3"]


def test_patterns_are_understood_and_a_file_that_looks_like_one_too(folder: Path) -> None:
    (folder / "x[1].wav").touch()
    assert names(folder, gather([str(folder / "**/*.flac")], is_recursive=False)) == ["deep/c.flac"]
    assert names(folder, gather([str(folder / "x[1].wav")], is_recursive=False)) == ["x[1].wav"]
    with pytest.raises(NotFound):
        gather([str(folder / "*.ogg")], is_recursive=False)


def test_roots_hold_whatever_way_one_tries_to_leave_them(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "secret.wav"
    outside.touch()
    (folder / "link.wav").symlink_to(outside)
    roots = [folder]
    for wish in (outside, folder / "../secret.wav", folder / "link.wav", tmp_path / "*.wav", "/"):
        with pytest.raises(OutsideRoots):
            gather([str(wish)], is_recursive=True, roots=roots)
    inside = gather([str(folder)], is_recursive=True, roots=roots)
    assert names(folder, inside) == ["a.MP3", "b.wav", "deep/c.flac"]
    with pytest.raises(OutsideRoots):
        gather([str(folder)], is_recursive=True, roots=[])


def test_a_loop_of_links_ends(folder: Path) -> None:
    (folder / "deep" / "again").symlink_to(folder)
    assert len(gather([str(folder)], is_recursive=True)) == 3


@pytest.mark.parametrize("wish", ["", " ", "a\0b"])
def test_what_is_no_path_is_refused(wish: str) -> None:
    with pytest.raises(InputError):
        gather([wish], is_recursive=False)


def test_too_many_files_are_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "MAX_FILES", 2)
    with pytest.raises(TooLarge):
        gather([str(folder)], is_recursive=True)
