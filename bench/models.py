"""Every installed recognizer that knows a language, side by side over a table of utterances.

Each model runs in a process of its own, so that memory and time are its own. The table is that of
bench.accuracy; both sides go through the one normalisation of bench/scoring.py. "spelled" reads
digits out, which is fairer to models that write 120 where the truth has 一百二十.

    python -m bench.models --tsv ../shared/audio/aishell.tsv
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from bench.accuracy import CHECKOUT, read_table
from bench.scoring import score, total
from offscribe.audio.decode import open_audio
from offscribe.engines.registry import find_engine, load_recognizer, missing_modules
from offscribe.shelf.shelf import Shelf
from offscribe.text.passes import build_passes
from offscribe.types import Audio, LoadOptions, RecognizeOptions, Segment

BATCH = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tsv", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=CHECKOUT / "models")
    parser.add_argument("--language", default="zh")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--only", help="one model, as JSON: what the child processes do")
    arguments = parser.parse_args()
    if arguments.only:
        json.dump(measure(arguments), sys.stdout)
        return
    cards = [
        model.card
        for model in Shelf(arguments.models).installed()
        if arguments.language in model.card.languages
        and not missing_modules(find_engine(model.card.engine))
    ]
    print(f"input {arguments.tsv.name}, language {arguments.language}, batches of {BATCH}")
    print(f"{arguments.threads} threads of {os.cpu_count()} cores")
    heads = ("CER %", "spelled", "x real", "load s", "peak MiB", "MiB")
    widths = (7, 9, 8, 8, 10, 6)
    columns = zip(heads, widths, strict=True)
    print(f"{'model':<18}" + "".join(f"{head:>{width}}" for head, width in columns))
    for card in cards:
        command = [sys.executable, "-m", "bench.models", *sys.argv[1:], "--only", card.id]
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        row = json.loads(run.stdout)
        print(
            f"{card.id:<18}{row['kept'] * 100:7.1f}{row['spelled'] * 100:9.1f}{row['speed']:8.1f}"
            f"{row['load_s']:8.1f}{row['peak'] / 2**20:10.0f}{card.size_bytes / 2**20:6.0f}"
        )


def measure(arguments: argparse.Namespace) -> dict[str, float]:
    shelf = Shelf(arguments.models)
    card, folder = shelf.card(arguments.only), shelf.folder_of(arguments.only)
    table = read_table(arguments.tsv, arguments.limit)
    clips = [Audio(whole(path)) for path, _ in table]
    begun = time.perf_counter()
    recognizer = load_recognizer(card, folder, LoadOptions(threads=arguments.threads))
    load_s = time.perf_counter() - begun
    options = RecognizeOptions(language=arguments.language)
    begun = time.perf_counter()
    heard = []
    for first in range(0, len(clips), BATCH):
        heard += recognizer.recognize(clips[first : first + BATCH], options)
    work_s = time.perf_counter() - begun
    texts = []
    for hypothesis, clip in zip(heard, clips, strict=True):
        segment = Segment(hypothesis.text, 0.0, clip.duration, words=hypothesis.words)
        for text_pass in build_passes(options):
            segment = text_pass(segment, language=hypothesis.language)
        texts.append(segment.text)
    pairs = list(zip((truth for _, truth in table), texts, strict=True))
    usages = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    del recognizer  # an engine in a child process is counted once it has ended
    return {
        "kept": total(score(truth, text) for truth, text in pairs).rate,
        "spelled": total(score(truth, text, digits="spelled") for truth, text in pairs).rate,
        "speed": sum(clip.duration for clip in clips) / work_s,
        "load_s": load_s,
        "peak": sum(resource.getrusage(usage).ru_maxrss for usage in usages) * 1024,
    }


def whole(path: Path) -> np.ndarray:
    with open_audio(path) as source:
        return np.concatenate([window.samples for window in source.windows()])


if __name__ == "__main__":
    main()
