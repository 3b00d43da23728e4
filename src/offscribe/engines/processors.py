"""How many threads a model may use on this machine."""

from __future__ import annotations

import os
from pathlib import Path

CPU_TOPOLOGY = Path("/sys/devices/system/cpu")
CGROUP_LIMIT = Path("/sys/fs/cgroup/cpu.max")


def usable_cores(topology: Path = CPU_TOPOLOGY, limit: Path = CGROUP_LIMIT) -> int:
    """Return the physical cores this process may use, at least 1.

    Hyper-threads of one core count once, because matrix products gain nothing from the second.
    A container's CPU limit counts too: threads beyond it are only throttled. Where the topology
    cannot be read (not Linux), logical processors are counted.
    """
    allowed = _allowed_processors()
    cores = {_siblings(topology, processor) for processor in allowed}
    n_cores = len(cores)
    if (quota := _container_limit(limit)) is not None:
        n_cores = min(n_cores, quota)
    return max(n_cores, 1)


def _allowed_processors() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return set(os.sched_getaffinity(0))
    return set(range(os.cpu_count() or 1))


def _siblings(topology: Path, processor: int) -> str:
    path = topology / f"cpu{processor}" / "topology" / "thread_siblings_list"
    try:
        return path.read_text().strip()
    except OSError:
        return str(processor)


def _container_limit(limit: Path) -> int | None:
    """The whole processors that control group v2 allows (``cpu.max``: quota and period)."""
    try:
        quota, period = limit.read_text().split()
        return max(int(quota) // int(period), 1)
    except (OSError, ValueError):
        return None
