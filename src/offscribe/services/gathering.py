"""Which recordings a person means by files, folders and patterns."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from pathlib import Path

from offscribe.errors import InputError, NotFound, TooLarge

MAX_FILES = 10_000
"""In one batch."""
MEDIA = frozenset(
    f".{name}"
    for name in (
        *("wav", "w64", "aif", "aiff", "au", "caf", "flac", "mp3", "mp2", "aac", "m4a", "m4b"),
        *("ogg", "oga", "opus", "ac3", "dts", "amr", "ape", "wv", "tta", "wma", "voc"),
        *("mp4", "m4v", "mov", "3gp", "mkv", "mka", "webm", "avi", "asf", "wmv", "flv", "ts"),
        *("mts", "m2ts", "mpg", "mpeg", "mxf", "rm", "rmvb"),
    )
)
"""What is taken of a folder. A file that is named itself is taken whatever it is called."""


class OutsideRoots(InputError):
    code = "outside_roots"


def gather(
    wishes: Sequence[str], *, is_recursive: bool, roots: Sequence[Path] | None = None
) -> list[Path]:
    """Return the files meant by *wishes*: paths of files, of folders and glob patterns, each file
    once, in the order given; those of a folder by name.

    With *roots*, every file must lie below one of them, links followed; a folder's files that do
    not are left out. Hidden files of folders are left out. Raises NotFound, OutsideRoots, TooLarge
    for more than MAX_FILES.
    """
    found: dict[Path, None] = {}
    for wish in wishes:
        for path in _meant(wish, is_recursive=is_recursive, roots=roots):
            found[path] = None
            if len(found) > MAX_FILES:
                raise TooLarge(
                    f"these are more than {MAX_FILES} files", hint="Divide them into batches."
                )
    return list(found)


def _meant(wish: str, *, is_recursive: bool, roots: Sequence[Path] | None) -> Iterator[Path]:
    if "\0" in wish or not wish.strip():
        raise InputError("an empty path names no file")
    path = Path(wish)
    is_pattern = glob.has_magic(wish) and not path.exists()
    places: Iterable[Path] = [path]
    if is_pattern:
        fixed = Path(*takewhile(lambda part: not glob.has_magic(part), path.parts))
        _require_inside(fixed, roots)
        places = map(Path, sorted(glob.iglob(wish, recursive=True)))  # noqa: PTH207  # of any root
    n_places = 0
    for place in places:
        n_places += 1
        _require_inside(place, roots)
        if not place.is_dir():
            yield place
            continue
        yield from (file for file in _media(place, is_recursive) if _is_inside(file, roots))
    if not n_places:
        raise NotFound(f"no file matches {wish[:200]}", hint="Check the pattern.")


def _media(folder: Path, is_recursive: bool) -> Iterator[Path]:
    """Links to folders are not followed: they may lead back here."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in MEDIA:
                yield Path(place, name)
        if not is_recursive:
            return


def _is_inside(path: Path, roots: Sequence[Path] | None) -> bool:
    if roots is None:
        return True
    real = path.resolve()
    return any(real.is_relative_to(root.resolve()) for root in roots)


def _require_inside(path: Path, roots: Sequence[Path] | None) -> None:
    if not _is_inside(path, roots):
        raise OutsideRoots(
            f"{path} does not lie in a folder that this server may read",
            hint="Start the server with --root FOLDER to allow one.",
        )
