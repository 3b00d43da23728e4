"""Silero VAD: one probability per 32 ms, from a small recurrent network.

The "sequence" graph of silero-vad 6.2 takes many frames in one run and gives the same
probabilities as the frame-by-frame graph (held by tests/contract/test_vad.py), several times
faster. Inputs and state shapes: the package's silero_vad/sequence_vad.py.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from offscribe.types import (
    SAMPLE_RATE,
    ModelCard,
    ModelFile,
    PackageSource,
    Samples,
    VadFrames,
)
from offscribe.vad.level import levels_db
from offscribe.vad.runtime import open_session

FRAME_SAMPLES = 512
CONTEXT_SAMPLES = 64
STATE_SHAPE = (1, 1, 128)
GRAPH = "silero_vad_16k_sequence.onnx"

CARD = ModelCard(
    id="silero-vad",
    title="Silero VAD 6.2",
    engine="silero",
    kind="vad",
    licence="MIT",
    homepage="https://github.com/snakers4/silero-vad",
    files=(
        ModelFile(
            GRAPH, 1_246_165, "9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85"
        ),
    ),
    packages=(
        PackageSource(
            "silero-vad",
            "6.2.3",
            "7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8",
            ((f"silero_vad/data/{GRAPH}", GRAPH),),
        ),
    ),
)


def load(folder: Path, *, threads: int = 1) -> SileroVad:
    """Raises ModelMissing, ModelDamaged."""
    return SileroVad(open_session(folder / GRAPH, threads=threads))


class SileroVad:
    """The loaded graph."""

    card = CARD
    frame_s = FRAME_SAMPLES / SAMPLE_RATE

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session

    def open(self) -> SileroStream:
        return SileroStream(self._session)


class SileroStream:
    """State: the last 64 samples, the network's memory, and samples short of a frame."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self._context = np.zeros(CONTEXT_SAMPLES, np.float32)
        self._hidden = np.zeros(STATE_SHAPE, np.float32)
        self._cell = np.zeros(STATE_SHAPE, np.float32)
        self._rest = np.zeros(0, np.float32)

    def accept(self, samples: Samples) -> VadFrames:
        joined = np.concatenate([self._rest, samples])
        n_samples = len(joined) // FRAME_SAMPLES * FRAME_SAMPLES
        self._rest = joined[n_samples:].copy()
        return self._run(joined[:n_samples])

    def finish(self) -> VadFrames:
        padding = -len(self._rest) % FRAME_SAMPLES
        last, self._rest = np.pad(self._rest, (0, padding)), self._rest[:0]
        return self._run(last)

    def _run(self, samples: Samples) -> VadFrames:
        frames = samples.reshape(-1, FRAME_SAMPLES)
        if not len(frames):
            return VadFrames(np.zeros(0, np.float32), np.zeros(0, np.float32))
        probabilities: npt.NDArray[np.float32]
        probabilities, self._hidden, self._cell = self._session.run(
            ["speech_probs", "hn", "cn"],
            {"input": self._with_context(frames), "h": self._hidden, "c": self._cell},
        )
        return VadFrames(probabilities, levels_db(samples, frame_samples=FRAME_SAMPLES))

    def _with_context(self, frames: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Each frame after the last 64 samples of the one before it."""
        contexts = np.vstack([self._context, frames[:-1, -CONTEXT_SAMPLES:]])
        self._context = frames[-1, -CONTEXT_SAMPLES:].copy()
        return np.hstack([contexts, frames])
