"""What an engine file exports: how to find out about, and load, the models of one library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from offscribe.engines.devices import DeviceReport
from offscribe.types import LoadOptions, ModelCard, Recognizer


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """One recognition library. ``engines/<name>.py`` exports it as ``SPEC``.

    title: for people. cards: the models that can be pulled. requires: importable modules without
    which ``load`` cannot work, and extra: the pip extra that brings them. runtime: the native
    library that computes; a process loads one of them in its life. marks: the files by which a
    model folder of this engine is known, as glob patterns; a folder with some but not all of them
    is incomplete.

    devices: what this machine offers; imports the library, so call it only where it is there.
    load: reads a folder and returns the model; raises ModelDamaged, DeviceUnusable, BadOption,
    OutOfMemory; the marks are there when it is called. describe: the card of a folder where no
    known card fits; its id is the folder's name. recognises: whether a folder that has all marks
    is really of this engine, where they leave a doubt; reads little, imports nothing heavy.
    clear_cache: gives back memory that the runtime keeps.
    """

    name: str
    title: str
    cards: tuple[ModelCard, ...]
    requires: tuple[str, ...]
    extra: str
    runtime: str
    marks: tuple[str, ...]
    devices: Callable[[], tuple[DeviceReport, ...]]
    load: Callable[[ModelCard, Path, LoadOptions], Recognizer]
    describe: Callable[[Path], ModelCard]
    recognises: Callable[[Path], bool] = lambda _: True
    clear_cache: Callable[[], None] = lambda: None


def card_like(card: ModelCard, folder: Path, **changes: Any) -> ModelCard:
    """The card of a model in *folder* of which nothing is known but that it is one like *card*."""
    unknown: dict[str, Any] = {
        **{"id": folder.name, "title": folder.name, "licence": "unknown", "homepage": ""},
        **{"files": (), "approximate_bytes": 0, "packages": (), "origins": ()},
    }
    return replace(card, **(unknown | changes))
