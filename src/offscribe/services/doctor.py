"""Is everything here that transcription needs? Each check says what it saw and what to do."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from offscribe.engines.devices import choose_device
from offscribe.engines.registry import find_engine, require_library
from offscribe.errors import ModelMissing, OffscribeError
from offscribe.services.installation import Installation
from offscribe.services.intake import KEEP_FREE_BYTES
from offscribe.vad.registry import DEFAULT_VAD


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. *hint* is empty where all is well."""

    name: str
    is_ok: bool
    detail: str
    hint: str = ""


def examine(installation: Installation, *, port: int) -> Iterator[Check]:
    """Yield the checks one by one; hashing the models takes seconds."""
    yield Check("home", True, str(installation.home.root))
    yield _attempt("decoder", _decoder)
    yield _attempt("engine", partial(_engine, installation))
    for model_id in (installation.model.id, DEFAULT_VAD):
        yield _attempt(f"model {model_id}", partial(_model, installation, model_id))
    yield _attempt("device", partial(_device, installation))
    yield _attempt("history", lambda: f"{installation.records.count()} records")
    yield _disk(installation)
    yield _port(port)


def _attempt(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, True, check())
    except OffscribeError as error:
        return Check(name, False, error.message, error.hint)


def _decoder() -> str:
    import av

    versions = ", ".join(
        f"{name} {'.'.join(str(part) for part in version)}"
        for name, version in sorted(av.library_versions.items())
        if name in ("libavcodec", "libavformat")
    )
    return f"PyAV {av.__version__} ({versions})"


def _engine(installation: Installation) -> str:
    spec = find_engine(installation.model.engine)
    require_library(installation.model)
    return spec.title


def _model(installation: Installation, model_id: str) -> str:
    if installation.model_path is not None and model_id == installation.model.id:
        return f"{installation.model_path} (not from the shelf, not verified)"
    try:
        installation.shelf.verify(model_id)
    except ModelMissing as error:
        raise ModelMissing(f"{model_id} is not installed") from error
    return "complete, SHA-256 of every file matches"


def _device(installation: Installation) -> str:
    spec = find_engine(installation.model.engine)
    choice = choose_device(installation.load.device, spec.devices())
    return f"{choice.device}: {choice.reason}"


def _disk(installation: Installation) -> Check:
    free = shutil.disk_usage(installation.home.root).free
    detail = f"{free / 2**30:.1f} GiB free"
    if free < 4 * KEEP_FREE_BYTES:
        return Check(
            "disk", False, detail, "Free some space: uploads are refused when it runs out."
        )
    return Check("disk", True, detail)


def _port(port: int) -> Check:
    with socket.socket() as probe:
        is_answered = probe.connect_ex(("127.0.0.1", port)) == 0
    if is_answered:
        return Check("port", False, f"{port} is in use", "Offscribe may be running already.")
    return Check("port", True, f"{port} is free")
