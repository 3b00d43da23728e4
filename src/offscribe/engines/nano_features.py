"""Fun-ASR-Nano's features, without torchaudio.

Kaldi's log-mel filter bank, then seven frames stacked every six: one row a 60 ms.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from offscribe.types import SAMPLE_RATE, Samples

N_MELS = 80
STACKED = 7
STRIDE = 6
"""Low frame rate of the model: its config's num_frames_lfr and stride_lfr."""


def nano_features(samples: Samples) -> npt.NDArray[np.float32]:
    """Return the model's input for *samples*, float32 of shape (ceil(n_frames / 6), 560).

    25 ms windows every 10 ms (Hamming, no dither, only whole ones), pre-emphasis 0.97, 80 mel bands
    from 20 Hz to 8 kHz, natural log floored at float32's epsilon; first and last frame repeated so
    that stacks are centred. As ``transformers.FunAsrNanoFeatureExtractor`` defines it, samples in
    [-1, 1] included; held by tests/pytorch/test_features.py. Empty for less than 25 ms.
    """
    return stack(_log_mel(samples))


def stack(frames: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Stack the neighbours of every STRIDE-th of *frames* (n, bands): (ceil(n / 6), 7 bands)."""
    if not len(frames):
        return np.zeros((0, frames.shape[1] * STACKED), np.float32)
    n_rows = -(-len(frames) // STRIDE)
    left = (STACKED - 1) // 2
    wanted = np.arange(n_rows)[:, None] * STRIDE + np.arange(STACKED)[None, :] - left
    rows: npt.NDArray[np.float32] = frames[np.clip(wanted, 0, len(frames) - 1)]
    return rows.reshape(n_rows, -1)


def _log_mel(samples: Samples) -> npt.NDArray[np.float32]:
    import kaldi_native_fbank

    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.samp_freq = SAMPLE_RATE
    options.frame_opts.dither = 0.0
    options.frame_opts.window_type = "hamming"
    options.frame_opts.snip_edges = True
    options.mel_opts.num_bins = N_MELS
    bank = kaldi_native_fbank.OnlineFbank(options)
    bank.accept_waveform(SAMPLE_RATE, samples.tolist())
    bank.input_finished()
    frames = [np.array(bank.get_frame(index)) for index in range(bank.num_frames_ready)]
    return np.array(frames, np.float32).reshape(-1, N_MELS)
