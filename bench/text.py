"""How fast and how right the text passes are, on labelled speech and on ITN pairs.

    python -m bench.text
    python -m bench.text --shared FOLDER --repeat 20 --hotwords 0 100 10000

Prints its input, versions and, for each number of hotwords, characters per second of every pass
and of all together; how often a hotword was put where it was not said; how many ITN pairs pass.
Hotwords are made, names of two and three characters; those that are in the texts are left out.
"""

from __future__ import annotations

import argparse
import platform
import random
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

from offscribe.text.hotwords import HotwordCorrection
from offscribe.text.itn import normalise
from offscribe.text.passes import build_passes
from offscribe.text.script import convert
from offscribe.types import RecognizeOptions, Segment

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓韩冯曹彭曾肖田董"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰志建文国晓红宇浩雪梅鹏飞波"
LANGUAGES = {"chinese": "zh", "english": "en", "japanese": "ja"}


def main() -> None:
    arguments = _arguments()
    rows = (arguments.shared / "audio" / "aishell.tsv").read_text("utf-8").splitlines()[1:]
    texts = [row.split("\t")[3] for row in rows]
    n_chars = sum(map(len, texts)) * arguments.repeat
    print(f"{len(texts)} texts of aishell.tsv, {arguments.repeat} times: {n_chars} characters")
    packages = ("wetext", "opencc", "pypinyin", "rjieba", "rapidfuzz")
    print(f"Python {platform.python_version()},", ", ".join(f"{p} {version(p)}" for p in packages))
    _report_load()
    _report_speed(texts * arguments.repeat, n_chars)
    for n_hotwords in arguments.hotwords:
        _report_hotwords(texts, arguments.repeat, _names(n_hotwords, texts))
    _report_pairs(arguments.shared / "itn")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    beside = Path(__file__).resolve().parents[2] / "shared"
    parser.add_argument("--shared", type=Path, default=beside, help="folder with audio/ and itn/")
    parser.add_argument("--repeat", type=int, default=20, help="how often the texts are gone over")
    parser.add_argument("--hotwords", type=int, nargs="+", default=[0, 100, 10_000])
    return parser.parse_args()


def _report_load() -> None:
    loads: dict[str, Callable[[], object]] = {
        "wetext": lambda: normalise("二十五", "zh"),
        "OpenCC t2s": lambda: convert("漢", "simplified", language="zh"),
        "OpenCC s2tw": lambda: convert("汉", "traditional", language="zh"),
    }
    for name, load in loads.items():
        print(f"first call of {name}: {_seconds(load) * 1000:.0f} ms")


def _report_speed(texts: Sequence[str], n_chars: int) -> None:
    itn_s = _seconds(lambda: [normalise(text, "zh") for text in texts])
    script_s = _seconds(lambda: [convert(text, "auto", language="zh") for text in texts])
    print(f"ITN: {n_chars / itn_s:,.0f} characters/s")
    print(f"script: {n_chars / script_s:,.0f} characters/s")


def _report_hotwords(texts: Sequence[str], repeat: int, hotwords: tuple[str, ...]) -> None:
    n_chars = sum(map(len, texts)) * repeat
    build_s = _seconds(lambda: HotwordCorrection(hotwords))
    correction = HotwordCorrection(hotwords)
    passes = build_passes(RecognizeOptions(hotwords=hotwords))
    segments = [Segment(text, 0.0, 1.0) for text in texts] * repeat

    def run_all() -> None:
        for segment in segments:
            for text_pass in passes:
                segment = text_pass(segment, language="zh")

    alone_s = _seconds(lambda: [correction(segment, language="zh") for segment in segments])
    false = sum(correction.correct(text, language="zh") != text for text in texts)
    print(
        f"{len(hotwords)} hotwords: built in {build_s * 1000:.0f} ms, "
        f"correction {n_chars / alone_s:,.0f} characters/s, "
        f"all passes {n_chars / _seconds(run_all):,.0f} characters/s, "
        f"false insertions in {false} of {len(texts)} texts"
    )


def _report_pairs(folder: Path) -> None:
    for file in sorted(folder.glob("*/*.txt")):
        lines = [line for line in file.read_text("utf-8").splitlines() if "=>" in line]
        pairs = [tuple(half.strip() for half in line.split("=>", 1)) for line in lines]
        language = LANGUAGES[file.parent.name]
        n_passed = sum(normalise(spoken, language) == written for spoken, written in pairs)
        print(f"ITN {file.parent.name}/{file.stem}: {n_passed} of {len(pairs)}")


def _names(count: int, texts: Sequence[str]) -> tuple[str, ...]:
    """Made-up names that are not in the texts, the same on every run."""
    chance = random.Random(1)
    everything = "\n".join(texts)
    names: dict[str, None] = {}
    while len(names) < count:
        given = "".join(chance.choices(GIVEN, k=chance.choice([1, 2, 2])))
        name = chance.choice(SURNAMES) + given
        if name not in everything:
            names[name] = None
    return tuple(names)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
