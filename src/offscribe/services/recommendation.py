"""Which model a machine is best served with, of those that install by package name."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from offscribe.engines.processors import usable_cores

SMALL_MODEL = "whisper-base"
LARGE_MODEL = "whisper-small"
LARGE_CORES = 4
LARGE_MEMORY_BYTES = 7 << 30
"""Whisper small makes half the errors of base in Chinese and takes 2.6 GiB; on two cores it does
about four times real time, which is slow for a page that people wait at. Machines sold with 8 GB
report a little less. Figures: bench/README.md; none were taken on four cores."""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The id of a model, and the reason for people."""

    model_id: str
    reason: str


def recommend(cores: int | None = None, memory_bytes: int | None = None) -> Recommendation:
    """The model to install where a person leaves the choice to us."""
    cores = usable_cores() if cores is None else cores
    memory_bytes = _memory_bytes() if memory_bytes is None else memory_bytes
    machine = f"{cores} cores, {memory_bytes / 2**30:.0f} GiB of memory"
    if cores >= LARGE_CORES and memory_bytes >= LARGE_MEMORY_BYTES:
        return Recommendation(LARGE_MODEL, f"{machine} are enough for the better model")
    return Recommendation(SMALL_MODEL, f"{machine} are better served with the fast model")


def _memory_bytes() -> int:
    """0 where the system does not say."""
    if sys.platform == "win32" or "SC_PHYS_PAGES" not in os.sysconf_names:
        return 0
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
