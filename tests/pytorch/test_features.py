from __future__ import annotations

import numpy as np
import pytest

from offscribe.engines.nano_features import nano_features, stack
from offscribe.types import SAMPLE_RATE


def kaldi_log_mel(samples: np.ndarray) -> np.ndarray:
    """Kaldi's filter bank from its published definition (feature-window.h, mel-computations.h),
    in float64: frames of 400 every 160, mean removed, pre-emphasis, Hamming, power spectrum of
    512, triangles on the mel scale 1127 ln(1 + f / 700), natural log."""
    n_frames = 1 + (len(samples) - 400) // 160
    window = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(400) / 399)
    edges = np.linspace(1127 * np.log(1 + 20 / 700), 1127 * np.log(1 + 8000 / 700), 82)
    mels = 1127 * np.log(1 + np.arange(257) * SAMPLE_RATE / 512 / 700)
    rising = (mels[None, :] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - mels[None, :]) / (edges[2:] - edges[1:-1])[:, None]
    bank = np.maximum(0, np.minimum(rising, falling))
    bank[:, 256] = 0  # Kaldi leaves the Nyquist bin out
    rows = []
    for index in range(n_frames):
        frame = samples[index * 160 : index * 160 + 400].astype(np.float64)
        frame = frame - frame.mean()
        frame = np.concatenate([[frame[0] * (1 - 0.97)], frame[1:] - 0.97 * frame[:-1]])
        power = np.abs(np.fft.rfft(frame * window, 512)) ** 2
        rows.append(np.log(np.maximum(bank @ power, np.finfo(np.float32).eps)))
    return np.array(rows)


def test_features_are_kaldis_within_a_thousandth() -> None:
    rng = np.random.default_rng(3)
    samples = (0.3 * rng.normal(0, 1, 2 * SAMPLE_RATE)).astype(np.float32)
    expected = stack(kaldi_log_mel(samples).astype(np.float32))
    assert nano_features(samples).shape == (33, 560)
    assert np.abs(nano_features(samples) - expected).max() < 1e-3


def test_stacks_are_centred_and_repeat_the_borders() -> None:
    frames = np.arange(13, dtype=np.float32)[:, None]
    assert stack(frames).tolist() == [
        [0, 0, 0, 0, 1, 2, 3],
        [3, 4, 5, 6, 7, 8, 9],
        [9, 10, 11, 12, 12, 12, 12],
    ]


@pytest.mark.parametrize("n_samples", [0, 1, 399])
def test_less_than_a_frame_gives_no_features(n_samples: int) -> None:
    assert nano_features(np.zeros(n_samples, np.float32)).shape == (0, 560)
