"""Real speech comes out of the decoder whole, whatever it was packed in."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from offscribe.audio.decode import open_audio
from offscribe.types import SAMPLE_RATE, Samples
from tests.unit.audio.recordings import Kind, write


def decode(path: Path) -> Samples:
    with open_audio(path) as source:
        samples = np.concatenate([window.samples for window in source.windows()])
        assert (source.damaged_packets, source.ended_early, source.gaps_s) == (0, False, 0.0)
        assert source.duration == len(samples) / SAMPLE_RATE
    return samples


def test_each_utterance_is_as_long_as_its_corpus_states(shared: Path) -> None:
    folder = shared / "audio"
    with (folder / "aishell.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) == 80
    for row in rows:
        samples = decode(folder / row["file"])
        assert len(samples) / SAMPLE_RATE == pytest.approx(float(row["duration"]), abs=0.001)
        assert 0.01 < np.abs(samples).max() <= 1.0


@pytest.mark.parametrize(
    "kind",
    [
        Kind("mp3", "libmp3lame", 44_100, "stereo"),
        Kind("ipod", "aac", 48_000),
        Kind("webm", "libopus", 48_000),
        Kind("mp4", "aac", 44_100, "stereo", has_video=True),
    ],
    ids=str,
)
def test_speech_packed_by_a_lossy_codec_stays_in_place(
    shared: Path, tmp_path: Path, kind: Kind
) -> None:
    original = decode(shared / "audio" / "languages" / "jfk_en.flac")
    times = np.arange(round(len(original) * kind.rate / SAMPLE_RATE)) / kind.rate
    at_rate = np.interp(times, np.arange(len(original)) / SAMPLE_RATE, original)
    packed = decode(write(tmp_path / "packed", kind, at_rate.astype(np.float32)[np.newaxis]))

    size = 2 * max(len(packed), len(original))  # so that nothing wraps around
    product = np.fft.rfft(packed, size) * np.conj(np.fft.rfft(original, size))
    correlation = np.fft.irfft(product, size)
    delay = int(correlation.argmax())
    delay_s = (delay if delay < size // 2 else delay - size) / SAMPLE_RATE

    assert delay_s == pytest.approx(0.0, abs=0.005)
    likeness = correlation.max() / (np.linalg.norm(packed) * np.linalg.norm(original))
    assert likeness > 0.9
