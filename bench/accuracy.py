"""Error rates of an installed model over a table of utterances.

The table has the columns file, speaker, duration, text, with tabs and a head line; files are
relative to it. Both sides go through the one normalisation of bench/scoring.py.

    python -m bench.accuracy --tsv ../shared/audio/aishell.tsv --model whisper-base
"""

from __future__ import annotations

import argparse
import csv
import importlib.metadata
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.scoring import Score, score, total
from offscribe.audio.decode import open_audio
from offscribe.engines.registry import load_recognizer
from offscribe.shelf.shelf import Shelf
from offscribe.text.hotwords import parse_hotwords
from offscribe.text.passes import build_passes
from offscribe.types import Audio, LoadOptions, RecognizeOptions, Recognizer, Segment

CHECKOUT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Row:
    """One utterance, what was heard and how wrong it is."""

    file: str
    truth: str
    heard: str
    kept: Score
    spelled: Score


def read_table(path: Path, limit: int | None) -> list[tuple[Path, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [(path.parent / row["file"], row["text"]) for row in rows[:limit]]


def hear(recognizer: Recognizer, path: Path, options: RecognizeOptions) -> tuple[str, float]:
    """The text of one short recording, after the text passes but as spoken, and its seconds."""
    with open_audio(path) as source:
        samples = np.concatenate([window.samples for window in source.windows()])
        [hypothesis] = recognizer.recognize([Audio(samples)], options)
        segment = Segment(hypothesis.text, 0.0, source.duration, words=hypothesis.words)
        for text_pass in build_passes(options):
            segment = text_pass(segment, language=hypothesis.language)
        return segment.text, source.duration


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tsv", type=Path, required=True)
    parser.add_argument("--model", default="whisper-base")
    parser.add_argument("--models", type=Path, default=CHECKOUT / "models")
    parser.add_argument("--language", default="zh")
    parser.add_argument("--hotwords", default="", help="as on the command line: a,b")
    parser.add_argument("--beam", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--show", type=int, default=0, help="print so many of the worst")
    arguments = parser.parse_args()
    shelf = Shelf(arguments.models)
    card, folder = shelf.card(arguments.model), shelf.folder_of(arguments.model)
    recognizer = load_recognizer(card, folder, LoadOptions(threads=arguments.threads))
    options = RecognizeOptions(
        language=arguments.language,
        hotwords=parse_hotwords(arguments.hotwords),
        beam_size=arguments.beam,
    )
    rows, seconds_of_audio = [], 0.0
    started = time.perf_counter()
    for path, truth in read_table(arguments.tsv, arguments.limit):
        heard, duration = hear(recognizer, path, options)
        seconds_of_audio += duration
        kept, spelled = (score(truth, heard, digits=digits) for digits in ("kept", "spelled"))
        rows.append(Row(path.name, truth, heard, kept, spelled))
    elapsed = time.perf_counter() - started
    version = importlib.metadata.version("ctranslate2")
    threads = f"{arguments.threads} threads of {os.cpu_count()} cores"
    print(f"input {arguments.tsv.name}, {len(rows)} utterances, {seconds_of_audio:.0f} s")
    print(f"model {card.id} int8, beam {arguments.beam}, {threads}; ctranslate2 {version}")
    print(f"one utterance at a time: {seconds_of_audio / elapsed:.1f} x real time")
    print(
        f"{'digits':<10}{'CER %':>7}{'substituted':>13}{'inserted':>10}{'missed':>8}{'length':>8}"
    )
    for name, sums in (
        ("kept", total(row.kept for row in rows)),
        ("spelled", total(row.spelled for row in rows)),
    ):
        print(
            f"{name:<10}{sums.rate * 100:7.1f}{sums.substitutions:13}{sums.insertions:10}"
            f"{sums.deletions:8}{sums.length:8}"
        )
    for row in sorted(rows, key=lambda row: -row.spelled.rate)[: arguments.show]:
        print(f"{row.file}\n  truth {row.truth}\n  heard {row.heard}")


if __name__ == "__main__":
    main()
