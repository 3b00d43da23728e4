"""Mixing, on frames made by hand."""

from __future__ import annotations

import av
import numpy as np
import pytest

from offscribe.audio.mono import MonoResampler
from offscribe.types import Samples
from tests.unit.audio.recordings import Floats, tone

HALF = tone(2.0, rate=16_000)[0]


def mix(channels: Floats, layout: str, *, rate: int = 16_000) -> Samples:
    """Mono samples of *channels*, shape (n_channels, n)."""
    packed = np.ascontiguousarray(channels.T, np.float32).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(packed, format="flt", layout=layout)
    frame.sample_rate = rate
    resampler = MonoResampler(frame)
    return np.concatenate([*resampler.push(frame), *resampler.drain()])


def level(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples))))


def test_equal_channels_stay_as_loud_as_they_are() -> None:
    np.testing.assert_allclose(mix(np.stack([HALF, HALF]), "stereo"), HALF, atol=1e-6)


def test_two_full_channels_do_not_clip() -> None:
    full = 2 * HALF
    mixed = mix(np.stack([full, full]), "stereo")
    np.testing.assert_allclose(mixed, full, atol=1e-6)
    assert np.abs(mixed).max() <= 1.0


def test_a_voice_on_one_channel_only_comes_out_at_half() -> None:
    np.testing.assert_allclose(mix(np.stack([0 * HALF, HALF]), "stereo"), HALF / 2, atol=1e-6)


def test_opposite_channels_do_not_cancel() -> None:
    np.testing.assert_allclose(mix(np.stack([HALF, -HALF]), "stereo"), HALF, atol=1e-6)


def test_nearly_opposite_channels_do_not_cancel() -> None:
    assert level(mix(np.stack([HALF, -0.95 * HALF]), "stereo")) > 0.9 * level(HALF)


def test_the_seconds_of_an_opposite_pair_keep_to_one_channel() -> None:
    growing = np.linspace(0.9, 1.1, len(HALF), dtype=np.float32)
    mixed = mix(np.stack([HALF, -growing * HALF]), "stereo")
    np.testing.assert_allclose(mixed, HALF, atol=1e-6)


def test_silence_on_both_channels_is_silence() -> None:
    assert level(mix(np.zeros((2, 16_000), np.float32), "stereo")) == 0.0


@pytest.mark.parametrize("layout", ["2.1", "3.0", "quad", "5.0", "5.1", "5.1(side)", "7.1", "22.2"])
def test_every_channel_of_surround_sound_at_full_level_does_not_clip(layout: str) -> None:
    n_channels = av.AudioLayout(layout).nb_channels
    full = np.repeat(2 * HALF[np.newaxis], n_channels, axis=0)
    np.testing.assert_allclose(mix(full, layout), full[0], atol=0.001)


def test_the_voice_in_the_centre_of_surround_sound_is_heard() -> None:
    channels = np.zeros((6, len(HALF)), np.float32)
    channels[2] = HALF  # FL FR FC LFE BL BR
    assert level(mix(channels, "5.1")) > 0.25 * level(HALF)


def test_the_subwoofer_is_left_out() -> None:
    channels = np.zeros((6, len(HALF)), np.float32)
    channels[3] = HALF
    assert level(mix(channels, "5.1")) == 0.0


@pytest.mark.parametrize("layout", ["9 channels", "ambisonic 1", "64 channels"])
def test_channels_without_places_are_averaged(layout: str) -> None:
    n_channels = av.AudioLayout(layout).nb_channels
    equal = np.repeat(HALF[np.newaxis], n_channels, axis=0)
    np.testing.assert_allclose(mix(equal, layout), HALF, atol=1e-6)


def test_one_microphone_of_many_is_not_lost_among_silent_ones() -> None:
    channels = np.zeros((32, len(HALF)), np.float32)
    channels[20] = HALF
    np.testing.assert_allclose(mix(channels, "32 channels"), HALF, atol=1e-6)


def test_values_that_are_no_sound_are_cut_to_range() -> None:
    wild = np.array([[0.1, np.nan, np.inf, -np.inf, 3e38, -5.0] * 10], np.float32)
    mixed = mix(wild, "mono")
    np.testing.assert_allclose(mixed[:6], [0.1, 0.0, 1.0, -1.0, 1.0, -1.0])
