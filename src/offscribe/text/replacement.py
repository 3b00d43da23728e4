"""A stretch of text to be replaced."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Replacement:
    """``text[start:end]`` becomes *term*."""

    start: int
    end: int
    term: str


def apply(text: str, replacements: Iterable[Replacement]) -> str:
    """Return *text* with the replacements made; where two overlap, the earlier one is made."""
    parts: list[str] = []
    cursor = 0
    for item in sorted(replacements, key=lambda item: (item.start, -item.end)):
        if item.start >= cursor:
            parts += [text[cursor : item.start], item.term]
            cursor = item.end
    return "".join([*parts, text[cursor:]])
