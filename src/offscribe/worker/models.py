"""The models this process has loaded: at most one recognizer, never two copies of anything."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock

from offscribe.engines.aligned import AlignedRecognizer
from offscribe.engines.base import EngineSpec
from offscribe.engines.registry import find_engine, load_recognizer, require_library
from offscribe.errors import Conflict
from offscribe.events import Event, ModelLoaded, ModelUnloaded
from offscribe.shelf.shelf import Shelf
from offscribe.types import LoadOptions, ModelCard, Recognizer, Vad
from offscribe.vad.registry import DEFAULT_VAD, load_vad


class ModelInUse(Conflict):
    code = "model_in_use"
    hint = "Wait until the recording that is being transcribed is done, or cancel it."


class OtherRuntime(Conflict):
    """The model computes in another native runtime than the one this process has loaded. Two of
    them in one process may clash, so it takes a new process."""

    code = "other_runtime"

    def __init__(self, model_id: str, runtime: str) -> None:
        super().__init__(f"{model_id} needs the runtime {runtime}, which takes a new process")
        self.model_id = model_id


@dataclass(frozen=True, slots=True)
class _Loaded:
    model_id: str
    recognizer: Recognizer


class Models:
    """Loads a model when it is first asked for and keeps the newest. May be used by several
    threads: loading and letting go happen under one lock, and what somebody uses stays.

    *extra* is a model folder outside the shelf (``--model-path``). *say* hears what is loaded and
    let go. ``now`` gives seconds of any steady clock.
    """

    def __init__(
        self,
        shelf: Shelf,
        options: LoadOptions,
        *,
        extra: Path | None = None,
        say: Callable[[Event], None] = lambda _: None,
        now: Callable[[], float] = time.monotonic,
        load: Callable[[ModelCard, Path, LoadOptions], Recognizer] = load_recognizer,
        engine: Callable[[str], EngineSpec] = find_engine,
        require: Callable[[ModelCard], None] = require_library,
    ) -> None:
        self._shelf = shelf
        self._options = options
        self._extra = shelf.open_folder(extra) if extra is not None else None
        self._say = say
        self._now = now
        self._load_recognizer = load
        self._engine = engine
        self._require = require
        self._lock = RLock()
        self._loaded: _Loaded | None = None
        self._n_users = 0
        self._used_at = now()
        self._spec: EngineSpec | None = None
        self._vads: dict[str, Vad] = {}

    @contextmanager
    def using(self, model_id: str) -> Iterator[Recognizer]:
        """Hold the loaded model; nobody lets it go meanwhile. Raises what ``load`` does."""
        with self._lock:
            recognizer = self._load(model_id)
            self._n_users += 1
        try:
            yield recognizer
        finally:
            with self._lock:
                self._n_users -= 1
                self._used_at = self._now()

    def load(self, model_id: str) -> None:
        """Have *model_id* ready; another model is let go first. Blocks for seconds.

        Raises ModelInUse while another one is used, OtherRuntime, ModelError, NotFound.
        """
        with self._lock:
            self._load(model_id)
            self._used_at = self._now()

    def unload(self) -> None:
        """Let the recognizer go, with its memory. Raises ModelInUse."""
        with self._lock:
            if self._loaded is None:
                return
            if self._n_users:
                raise ModelInUse(f"{self._loaded.model_id} is in use")
            gone, self._loaded = self._loaded.model_id, None
            self.clear_cache()
            self._say(ModelUnloaded(gone))

    def unload_idle(self, after_s: float) -> None:
        """Let the recognizer go where nobody has used it for *after_s* seconds."""
        with self._lock:
            if not self._n_users and self._now() - self._used_at >= after_s:
                self.unload()

    def clear_cache(self) -> None:
        """Give back the memory that the runtime keeps for later, on the GPU too."""
        with self._lock:
            gc.collect()
            if self._spec is not None:
                self._spec.clear_cache()

    def vad(self, model_id: str = DEFAULT_VAD) -> Vad:
        """Return the loaded detector. Raises ModelError, NotFound."""
        with self._lock:
            if model_id not in self._vads:
                self._vads[model_id] = load_vad(model_id, self._shelf.folder_of(model_id))
            return self._vads[model_id]

    def _load(self, model_id: str) -> Recognizer:
        if self._loaded is not None and self._loaded.model_id == model_id:
            return self._loaded.recognizer
        card, folder = self._found(model_id)
        spec = self._engine(card.engine)
        if self._loaded is not None and self._n_users:
            raise ModelInUse(f"{self._loaded.model_id} is in use")
        self._require(card)
        if self._spec is not None and spec.runtime != self._spec.runtime:
            raise OtherRuntime(model_id, spec.runtime)
        self.unload()
        self._spec = spec
        recognizer = self._load_recognizer(card, folder, self._options)
        if (aligner := self._aligner_of(card)) is not None:
            recognizer = AlignedRecognizer(recognizer, aligner)
        self._loaded = _Loaded(model_id, recognizer)
        device, _, reason = recognizer.device.partition(" ")
        self._say(ModelLoaded(model_id, device, reason.strip("()")))
        return recognizer

    def _found(self, model_id: str) -> tuple[ModelCard, Path]:
        if self._extra is not None and self._extra[0].id == model_id:
            return self._extra
        return self._shelf.card(model_id), self._shelf.folder_of(model_id)

    def _aligner_of(self, card: ModelCard) -> Recognizer | None:
        """The model on the shelf that times the words of *card*, loaded. It may compute in another
        runtime: those pairs were tried together."""
        aligner = self._shelf.aligner_of(card)
        if aligner is None:
            return None
        options = replace(self._options, device="auto", compute_type="auto")
        return self._load_recognizer(aligner, self._shelf.folder_of(aligner.id), options)
