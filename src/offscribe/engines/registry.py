"""All engines. Adding one is adding ``engines/<name>.py`` that exports ``SPEC``."""

from __future__ import annotations

import pkgutil
import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import offscribe.engines
from offscribe.engines.base import EngineSpec
from offscribe.errors import EngineMissing, ModelDamaged, NotFound
from offscribe.types import LoadOptions, ModelCard, Recognizer


@cache
def specs() -> tuple[EngineSpec, ...]:
    """Return every engine of the house by name, also those whose library is not installed."""
    names = (module.name for module in pkgutil.iter_modules(offscribe.engines.__path__))
    modules = (import_module(f"{offscribe.engines.__name__}.{name}") for name in sorted(names))
    return tuple(module.SPEC for module in modules if hasattr(module, "SPEC"))


def cards() -> tuple[ModelCard, ...]:
    """Return the cards of all engines."""
    return tuple(card for spec in specs() for card in spec.cards)


def find_card(model_id: str) -> ModelCard:
    """Raises NotFound, listing the known ids."""
    for card in cards():
        if card.id == model_id:
            return card
    known = ", ".join(card.id for card in cards())
    raise NotFound(f"no recognition model is called {model_id!r}", hint=f"Known models: {known}.")


def find_engine(name: str) -> EngineSpec:
    """Raises NotFound, listing the known engines."""
    for spec in specs():
        if spec.name == name:
            return spec
    known = ", ".join(spec.name for spec in specs())
    raise NotFound(f"no engine is called {name!r}", hint=f"Known engines: {known}.")


def missing_modules(spec: EngineSpec) -> tuple[str, ...]:
    """The modules that *spec* requires and this Python does not have. Imports none of them."""
    return tuple(name for name in spec.requires if find_spec(name) is None)


def install_command(spec: EngineSpec) -> str:
    """What brings the library of *spec* into the environment that runs now."""
    return f'"{sys.executable}" -m pip install "offscribe[{spec.extra}]"'


def require_library(card: ModelCard) -> None:
    """Raises EngineMissing, with the command that installs it, where the library of a recognizer
    is not here."""
    spec = find_engine(card.engine)
    if missing := missing_modules(spec):
        raise EngineMissing(
            f"{card.title} needs {spec.title}, which is not installed (no {', '.join(missing)})",
            hint=f"Run: {install_command(spec)}",
        )


def load_recognizer(card: ModelCard, folder: Path, options: LoadOptions) -> Recognizer:
    """Load the model in *folder*. Blocks for seconds. Raises EngineMissing with the command that
    installs the library, ModelDamaged where a file is missing or not of its size (native code may
    end the process over it), and what ``EngineSpec.load`` raises."""
    spec = find_engine(card.engine)
    require_library(card)
    for file in card.files:
        path = folder / file.path
        if not path.is_file() or path.stat().st_size != file.size_bytes:
            raise ModelDamaged(f"{card.title}: {path} is missing or not of the size it should have")
    for mark in spec.marks:
        if not any(folder.glob(mark)):
            raise ModelDamaged(f"{card.title} is incomplete: {folder / mark} is missing")
    return spec.load(card, folder, options)
