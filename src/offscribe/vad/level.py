"""How loud frames are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from offscribe.types import Samples

FLOOR_DB = -120.0


def levels_db(samples: Samples, *, frame_samples: int) -> npt.NDArray[np.float32]:
    """Return the RMS level in dBFS of each whole frame of *samples*; FLOOR_DB for digital
    silence."""
    n_frames = len(samples) // frame_samples
    frames = samples[: n_frames * frame_samples].reshape(n_frames, frame_samples)
    power = np.square(frames, dtype=np.float64).mean(axis=1) if n_frames else np.zeros(0)
    levels = 10 * np.log10(np.maximum(power, 10 ** (FLOOR_DB / 10)))
    return levels.astype(np.float32)
