"""Counting cores: hyper-threads once, containers' limits respected."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from offscribe.engines.processors import usable_cores

ALLOWED = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]


def topology(folder: Path, siblings: dict[int, str]) -> Path:
    for processor, text in siblings.items():
        path = folder / f"cpu{processor}" / "topology" / "thread_siblings_list"
        path.parent.mkdir(parents=True)
        path.write_text(f"{text}\n")
    return folder


def test_hyper_threads_of_one_core_count_once(tmp_path: Path) -> None:
    siblings = ",".join(map(str, ALLOWED))
    machine = topology(tmp_path, dict.fromkeys(ALLOWED, siblings))
    assert usable_cores(machine, tmp_path / "none") == 1


def test_every_core_counts(tmp_path: Path) -> None:
    machine = topology(tmp_path, {processor: str(processor) for processor in ALLOWED})
    assert usable_cores(machine, tmp_path / "none") == len(ALLOWED)


@pytest.mark.parametrize(
    ("limit", "n_cores"),
    [("max 100000", len(ALLOWED)), ("100000 100000", 1), ("50000 100000", 1), ("", len(ALLOWED))],
)
def test_a_containers_limit_counts(tmp_path: Path, limit: str, n_cores: int) -> None:
    machine = topology(tmp_path, {processor: str(processor) for processor in ALLOWED})
    path = tmp_path / "cpu.max"
    path.write_text(limit)
    assert usable_cores(machine, path) == n_cores


def test_without_topology_processors_are_counted(tmp_path: Path) -> None:
    assert usable_cores(tmp_path / "none", tmp_path / "none") == len(ALLOWED)
