"""From decoded frames of any layout and rate to mono samples at 16 kHz."""

from __future__ import annotations

from collections.abc import Iterator

import av
import numpy as np

from offscribe.types import SAMPLE_RATE, Samples

BLOCK_SAMPLES = SAMPLE_RATE
"""The mix is decided anew for each second, counted from where the sound began, so that it does
not depend on the windows that a caller asks for."""

CANCELLED = 0.1
"""A stereo mix that keeps less than this part (-20 dB) of the louder channel's level has
cancelled. Two unrelated channels keep at least 0.5."""


class MonoResampler:
    """Turns frames of one format, layout and rate into mono float32 blocks.

    Two channels are averaged, so nothing clips. Where one is the other with its poles swapped (a
    wrongly wired microphone) the average would be silence; that second is taken from the left
    channel. More channels are mixed by libswresample with its standard coefficients, scaled so
    that they add up to 1; the subwoofer is left out. Samples outside [-1, 1] are cut, and what is
    not a number becomes silence.
    """

    def __init__(self, frame: av.AudioFrame) -> None:
        self.setup = setup_of(frame)
        layout = "stereo" if frame.layout.nb_channels == 2 else "mono"
        self._resampler = av.AudioResampler(
            format="fltp",
            layout=layout,
            rate=SAMPLE_RATE,
            frame_size=BLOCK_SAMPLES,
            options={"rematrix_maxval": "1.0"},
        )

    def push(self, frame: av.AudioFrame) -> Iterator[Samples]:
        for block in self._resampler.resample(frame):
            yield _mix(block.to_ndarray())

    def drain(self) -> Iterator[Samples]:
        """Return what waits inside; the resampler is then used up."""
        for block in self._resampler.resample(None):
            yield _mix(block.to_ndarray())


def setup_of(frame: av.AudioFrame) -> tuple[str, str, int]:
    """Return what must stay the same from frame to frame within one resampler."""
    return frame.format.name, frame.layout.name, frame.sample_rate


def _mix(channels: Samples) -> Samples:
    """Return the mono samples of *channels*, shape (1 or 2, n)."""
    channels = np.nan_to_num(channels, nan=0.0, posinf=1.0, neginf=-1.0).clip(-1.0, 1.0)
    if len(channels) == 1:
        return channels[0]
    mixed: Samples = channels.mean(axis=0, dtype=np.float32)
    loudest = max(_level(channel) for channel in channels)
    return channels[0] if _level(mixed) < CANCELLED * loudest else mixed


def _level(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
