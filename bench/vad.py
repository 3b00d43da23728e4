"""Speech detection: speed, what is missed and what is found in vain, beside faster-whisper's.

Each detector runs in the same process one after the other, on one thread, on samples that are
already in memory. Truth is a JSON list of {start, end}; its bounds may include a little silence,
so nobody reaches 100 % of it.

    python -m bench.vad --audio ../shared/audio/long/two_speakers_10min.flac \
        --truth ../shared/audio/long/two_speakers_10min.json
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from faster_whisper import vad as peer

from offscribe.audio.decode import open_audio
from offscribe.types import SAMPLE_RATE, Audio, Samples, Span, VadOptions
from offscribe.vad.registry import VAD_CARDS, load_vad
from offscribe.vad.segmenter import detect

CHECKOUT = Path(__file__).parents[1]
RESOLUTION = 100
"""Frames a second for comparing spans."""

Detector = Callable[[Samples], list[Span]]


def ours(model_id: str, models: Path) -> Detector:
    vad = load_vad(model_id, models / model_id)
    size = 30 * SAMPLE_RATE

    def run(samples: Samples) -> list[Span]:
        windows = (Audio(samples[at : at + size]) for at in range(0, len(samples), size))
        return list(detect(windows, vad, VadOptions()))

    return run


def theirs(samples: Samples) -> list[Span]:
    options = VadOptions()
    found = peer.get_speech_timestamps(
        samples,
        peer.VadOptions(
            threshold=options.threshold,
            min_speech_duration_ms=options.min_speech_ms,
            max_speech_duration_s=options.max_segment_ms / 1000,
            min_silence_duration_ms=options.min_silence_ms,
            speech_pad_ms=options.pad_ms,
        ),
    )
    return [Span(part["start"] / SAMPLE_RATE, part["end"] / SAMPLE_RATE) for part in found]


def mask(spans: list[Span], n_frames: int) -> np.ndarray:
    covered = np.zeros(n_frames, bool)
    for span in spans:
        covered[round(span.start * RESOLUTION) : round(span.end * RESOLUTION)] = True
    return covered


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--audio", type=Path, required=True)
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--models", type=Path, default=CHECKOUT / "models")
    arguments = parser.parse_args()
    with open_audio(arguments.audio) as source:
        samples = np.concatenate([window.samples for window in source.windows()])
    duration = len(samples) / SAMPLE_RATE
    utterances = json.loads(arguments.truth.read_text("utf-8"))
    n_frames = round(duration * RESOLUTION)
    truth = mask([Span(entry["start"], entry["end"]) for entry in utterances], n_frames)
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("onnxruntime", "faster-whisper")
    )
    print(f"input {arguments.audio.name} {duration:.0f} s, 1 thread of {os.cpu_count()} cores,")
    print(f"median of {arguments.repeat}, same options for all; {versions}")
    detectors: dict[str, Detector] = {
        card.id: ours(card.id, arguments.models) for card in VAD_CARDS
    }
    detectors["faster-whisper (silero v6)"] = theirs
    print(f"{'detector':<28}{'x real time':>12}{'spans':>7}{'found %':>9}{'in vain %':>11}")
    for name, run in detectors.items():
        seconds = []
        for _ in range(arguments.repeat):
            started = time.perf_counter()
            spans = run(samples)
            seconds.append(time.perf_counter() - started)
        found = mask(spans, n_frames)
        recall = (truth & found).sum() / truth.sum() * 100
        in_vain = (found & ~truth).sum() / found.sum() * 100
        speed = duration / statistics.median(seconds)
        print(f"{name:<28}{speed:12.0f}{len(spans):7}{recall:9.1f}{in_vain:11.1f}")


if __name__ == "__main__":
    main()
