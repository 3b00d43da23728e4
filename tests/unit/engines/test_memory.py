"""Halving a batch that does not fit."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from offscribe.engines.memory import in_halves
from offscribe.errors import OutOfMemory


class Room:
    """Doubles numbers as long as not more than *n_items* come at once."""

    def __init__(self, n_items: int, error: Exception) -> None:
        self.asked: list[int] = []
        self._n_items = n_items
        self._error = error

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.asked.append(len(items))
        if len(items) > self._n_items:
            raise self._error
        return [item * 2 for item in items]


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("CUDA failed with error out of memory")]
)
def test_a_batch_that_does_not_fit_is_halved_and_keeps_its_order(error: Exception) -> None:
    room = Room(2, error)
    assert in_halves(room, [1, 2, 3, 4, 5, 6, 7]) == [2, 4, 6, 8, 10, 12, 14]
    assert room.asked == [7, 3, 1, 2, 4, 2, 2]


def test_what_fits_is_done_at_once() -> None:
    room = Room(8, MemoryError())
    assert in_halves(room, [1, 2, 3]) == [2, 4, 6]
    assert room.asked == [3]


def test_when_even_one_does_not_fit_it_is_out_of_memory() -> None:
    with pytest.raises(OutOfMemory):
        in_halves(Room(0, MemoryError()), [1, 2])


def test_other_failures_are_not_hidden() -> None:
    with pytest.raises(RuntimeError, match="broken"):
        in_halves(Room(0, RuntimeError("broken")), [1, 2])
