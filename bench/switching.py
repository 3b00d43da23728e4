"""What it costs that a model of another native runtime takes another worker process.

Sends one short recording to a server by turns for two installed models and prints how long each
answer took: the first after a switch, then one without.

    python -m bench.switching --models whisper-base,vosk-small-cn
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from bench.accuracy import CHECKOUT
from tests.server import Server, serving

SAMPLE = CHECKOUT / "src" / "offscribe" / "sample" / "zh.flac"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default="whisper-base,vosk-small-cn")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    print(f"input {SAMPLE.name}, {os.cpu_count()} cores")
    print(f"{'model':<18}{'after a switch s':>18}{'without s':>11}{'switch s':>10}")
    with (
        tempfile.TemporaryDirectory() as home,
        serving(Path(home), CHECKOUT / "models") as server,
    ):
        for model in arguments.models.split(",") * arguments.rounds:
            switched, plain = (answer_s(server, model) for _ in range(2))
            print(f"{model:<18}{switched:18.2f}{plain:11.2f}{switched - plain:10.2f}")


def answer_s(server: Server, model: str) -> float:
    begun = time.perf_counter()
    server.send(SAMPLE, model=model).raise_for_status()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
