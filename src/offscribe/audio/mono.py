"""From decoded frames of any layout and rate to mono samples at 16 kHz."""

from __future__ import annotations

import av
import numpy as np

from offscribe.types import SAMPLE_RATE, Samples

BLOCK_SAMPLES = SAMPLE_RATE
"""The mix is decided anew for each second, counted from where the sound began, so that it does
not depend on the windows that a caller asks for."""

CANCELLED = 0.1
"""A mix that keeps less than this part (-20 dB) of the loudest channel's level has cancelled.
Two channels that have nothing to do with each other keep at least half."""


class MonoResampler:
    """Turns frames of one format, layout and rate into mono float32 blocks.

    Surround sound is mixed by libswresample with its standard coefficients, scaled so that they
    add up to 1; the subwoofer is left out. One or two channels, and channels whose places nobody
    stated, are averaged. So nothing clips by mixing. Where the average cancels (one wire of a
    microphone swapped makes two channels each other's opposite) that second is taken from one
    channel alone. Samples outside [-1, 1] are cut, and what is not a number becomes silence.
    """

    def __init__(self, frame: av.AudioFrame) -> None:
        self.setup = setup_of(frame)
        self._resampler = av.AudioResampler(
            format="flt",
            layout="mono" if _is_surround(frame.layout) else frame.layout,
            rate=SAMPLE_RATE,
            frame_size=BLOCK_SAMPLES,
            options={"rematrix_maxval": "1.0"},
        )

    def push(self, frame: av.AudioFrame) -> list[Samples]:
        """Return the blocks that *frame* completed. Raises av.error.FFmpegError."""
        frame.pts = None  # its place is the caller's business
        return [_mix(block) for block in self._resampler.resample(frame)]

    def drain(self) -> list[Samples]:
        """Return what waits inside; the resampler is then used up."""
        return [_mix(block) for block in self._resampler.resample(None)]


def setup_of(frame: av.AudioFrame) -> tuple[str, str, int]:
    """Return what must stay the same from frame to frame within one resampler."""
    return frame.format.name, frame.layout.name, frame.sample_rate


def _is_surround(layout: av.AudioLayout) -> bool:
    """Whether libswresample knows where each of three or more channels belongs.

    It calls channels without places ``9 channels``, and cannot mix ``ambisonic`` ones.
    """
    has_places = not layout.name.endswith(" channels") and "ambisonic" not in layout.name
    return layout.nb_channels > 2 and has_places


def _mix(block: av.AudioFrame) -> Samples:
    interleaved = np.asarray(block.to_ndarray(), np.float32)
    channels = interleaved.reshape(-1, block.layout.nb_channels).T
    channels = np.nan_to_num(channels, nan=0.0, posinf=1.0, neginf=-1.0).clip(-1.0, 1.0)
    if len(channels) == 1:
        return np.ascontiguousarray(channels[0])
    mixed = channels.mean(axis=0, dtype=np.float32)
    levels = np.sqrt(np.mean(np.square(channels, dtype=np.float64), axis=1))
    if np.sqrt(np.mean(np.square(mixed, dtype=np.float64))) < CANCELLED * levels.max():
        mixed = channels[int(np.argmax(levels >= levels.max() / 2))]
    return np.ascontiguousarray(mixed)
