"""``python -m offscribe.worker.measure``: how fast one model is on this machine, and what it takes.

In a process of its own, so that the memory is this model's. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from offscribe import guard
from offscribe.errors import OffscribeError

REFUSED = 3
"""Exit code of an error of the house; it is printed instead of the measurement."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run. *speed*: seconds of audio a second of work, detection included. *peak_bytes*: the
    most memory of the process, with Python and all libraries; None where the system does not
    say."""

    model: str
    device: str
    load_s: float
    audio_s: float
    work_s: float
    speed: float
    peak_bytes: int | None
    text: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--audio", type=Path, required=True)
    parser.add_argument("--language", required=True)
    parser.add_argument("--load", type=json.loads, default={})
    arguments = parser.parse_args()
    guard.install()
    try:
        json.dump(asdict(run(arguments)), sys.stdout, ensure_ascii=False)
    except OffscribeError as error:
        texts = {"code": error.code, "message": error.message, "hint": error.hint}
        json.dump(texts, sys.stdout, ensure_ascii=False)
        sys.exit(REFUSED)


def run(arguments: argparse.Namespace) -> Measurement:
    # Imported after the guard has prepared the environment.
    from offscribe.audio.decode import open_audio
    from offscribe.pipeline.offline import transcribe
    from offscribe.shelf.shelf import Shelf
    from offscribe.types import SAMPLE_RATE, Audio, LoadOptions, RecognizeOptions
    from offscribe.worker.models import Models

    with open_audio(arguments.audio) as source:
        samples = np.concatenate([window.samples for window in source.windows()])
    samples = np.tile(samples, max(1, round(60 * SAMPLE_RATE / len(samples))))
    models = Models(Shelf(arguments.models), LoadOptions(**arguments.load))
    begun = time.perf_counter()
    models.vad()
    models.load(arguments.model)
    load_s = time.perf_counter() - begun
    with models.using(arguments.model) as recognizer:
        begun = time.perf_counter()
        passages = list(
            transcribe(
                [Audio(samples)],
                recognizer,
                vad=models.vad(),
                passes=(),
                options=RecognizeOptions(language=arguments.language),
            )
        )
        work_s = time.perf_counter() - begun
        device = recognizer.device
    audio_s = len(samples) / SAMPLE_RATE
    return Measurement(
        model=arguments.model,
        device=device,
        load_s=load_s,
        audio_s=audio_s,
        work_s=work_s,
        speed=audio_s / work_s,
        peak_bytes=_peak_bytes(),
        text="".join(segment.text for passage in passages for segment in passage.segments)[:200],
    )


def _peak_bytes() -> int | None:
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # kibibytes elsewhere


if __name__ == "__main__":
    main()
