"""Transcribing one recording: ours beside faster-whisper, sequential and batched.

Same weights, threads, compute type, beam and Chinese prompt. Every run is a process of its own
that loads the model, warms up on ten seconds and then transcribes the file; runs of the
contestants alternate, the median is printed. Ours does everything the product does: streaming
decode, detection, word times, text passes. faster-whisper is given its decoder and its own
detection, without word times, as its users run it for speed.

    python -m bench.throughput --audio ../shared/audio/long/two_speakers_10min.flac \
        --truth ../shared/audio/long/two_speakers_10min.json
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.scoring import score
from offscribe.engines.whisper_prompts import STYLES

CHECKOUT = Path(__file__).parents[1]
BATCH = 8
CONTESTANTS = ("ours", "sequential", "batched")
NAMES = {
    "ours": "offscribe (word times, text passes)",
    "sequential": "faster-whisper sequential, VAD",
    "batched": f"faster-whisper batched ({BATCH})",
}


def run_ours(arguments: argparse.Namespace) -> Callable[[Path], str]:
    from offscribe.audio.decode import open_audio
    from offscribe.engines.registry import load_recognizer
    from offscribe.pipeline.offline import transcribe
    from offscribe.shelf.shelf import Shelf
    from offscribe.text.passes import build_passes
    from offscribe.types import LoadOptions, RecognizeOptions
    from offscribe.vad.registry import DEFAULT_VAD, load_vad

    shelf = Shelf(arguments.models)
    card, folder = shelf.card(arguments.model), shelf.folder_of(arguments.model)
    recognizer = load_recognizer(card, folder, LoadOptions(threads=arguments.threads))
    vad = load_vad(DEFAULT_VAD, shelf.folder_of(DEFAULT_VAD))
    options = RecognizeOptions(language=arguments.language, beam_size=arguments.beam)
    passes = build_passes(options)

    def run(path: Path) -> str:
        with open_audio(path) as source:
            passages = transcribe(
                source.windows(), recognizer, vad=vad, passes=passes, options=options
            )
            return " ".join(segment.text for passage in passages for segment in passage.segments)

    return run


def run_peer(arguments: argparse.Namespace, *, is_batched: bool) -> Callable[[Path], str]:
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    model = WhisperModel(
        str(arguments.models / arguments.model),
        device="cpu",
        compute_type="int8",
        cpu_threads=arguments.threads,
        local_files_only=True,
    )
    options = {
        "language": arguments.language,
        "beam_size": arguments.beam,
        "initial_prompt": STYLES.get(arguments.language),
        "vad_filter": True,
    }

    def run(path: Path) -> str:
        if is_batched:
            pipeline = BatchedInferencePipeline(model)
            segments, _ = pipeline.transcribe(str(path), batch_size=BATCH, **options)
        else:
            segments, _ = model.transcribe(str(path), **options)
        return " ".join(segment.text for segment in segments)

    return run


def contest(arguments: argparse.Namespace) -> None:
    """One contestant's run, as a child process; prints JSON."""
    name = arguments.contestant
    run = (
        run_ours(arguments) if name == "ours" else run_peer(arguments, is_batched=name == "batched")
    )
    run(CHECKOUT / "src" / "offscribe" / "sample" / "en.flac")
    started = time.perf_counter()
    text = run(arguments.audio)
    seconds = time.perf_counter() - started
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mib": peak_mib, "text": text}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--audio", type=Path, required=True)
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--language", default="zh")
    parser.add_argument("--model", default="whisper-base")
    parser.add_argument("--models", type=Path, default=CHECKOUT / "models")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--beam", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--contestant", choices=CONTESTANTS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contestant:
        contest(arguments)
        return
    utterances = json.loads(arguments.truth.read_text("utf-8"))
    runs: dict[str, list[dict[str, object]]] = {name: [] for name in CONTESTANTS}
    for _ in range(arguments.repeat):
        for name in CONTESTANTS:
            command = [
                sys.executable,
                "-m",
                "bench.throughput",
                *sys.argv[1:],
                "--contestant",
                name,
            ]
            child = subprocess.run(command, capture_output=True, text=True, check=True)
            runs[name].append(json.loads(child.stdout.splitlines()[-1]))
    report(arguments, utterances, runs)


def report(
    arguments: argparse.Namespace,
    utterances: list[dict[str, object]],
    runs: dict[str, list[dict[str, object]]],
) -> None:
    from offscribe.audio.decode import open_audio

    with open_audio(arguments.audio) as source:
        duration = sum(window.duration for window in source.windows())
    truth = "".join(str(entry["text"]) for entry in utterances)
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("faster-whisper", "ctranslate2")
    )
    print(f"input {arguments.audio.name}, {duration:.0f} s, {len(truth)} characters of truth")
    print(
        f"model {arguments.model} int8, beam {arguments.beam}, {arguments.threads} threads of"
        f" {os.cpu_count()} cores, median of {arguments.repeat}; {versions};"
        f" load of the machine {os.getloadavg()[0]:.1f}"
    )
    print(
        f"{'':<38}{'CER %':>7}{'CER, digits spelled %':>23}{'x real time':>13}"
        f"{'ratio to batched':>18}{'peak MiB':>10}"
    )
    medians = {
        name: statistics.median(float(str(run["seconds"])) for run in own)
        for name, own in runs.items()
    }
    for name, own in runs.items():
        text = str(own[-1]["text"])
        kept, spelled = (score(truth, text, digits=digits).rate for digits in ("kept", "spelled"))
        peak = max(float(str(run["peak_mib"])) for run in own)
        speed, ratio = duration / medians[name], medians["batched"] / medians[name]
        print(
            f"{NAMES[name]:<38}{kept * 100:7.1f}{spelled * 100:23.1f}"
            f"{speed:13.1f}{ratio:18.2f}{peak:10.0f}"
        )


if __name__ == "__main__":
    main()
