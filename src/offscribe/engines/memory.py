"""Running out of memory on a batch: halve it, and only give up on a single chunk."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from offscribe.errors import OutOfMemory

log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")


def is_out_of_memory(error: BaseException) -> bool:
    """Native libraries raise MemoryError or a RuntimeError that says so."""
    return isinstance(error, MemoryError) or "out of memory" in str(error).lower()


def in_halves(work: Callable[[Sequence[T]], list[R]], items: Sequence[T]) -> list[R]:
    """Return ``work(items)``, in smaller and smaller batches where memory runs out.

    Raises OutOfMemory when even one item is too much.
    """
    try:
        return work(items)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        if len(items) <= 1:
            raise OutOfMemory("the memory does not suffice for one piece of audio") from error
    half = len(items) // 2
    log.warning("out of memory with %d chunks at once; trying %d", len(items), half)
    return in_halves(work, items[:half]) + in_halves(work, items[half:])
