"""Subtitle cues: segments cut to what can be read on a screen, at times that were measured."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from offscribe.export.clock import to_ms
from offscribe.export.document import ExportDocument, ExportOptions, text_of
from offscribe.export.layout import may_break, one_line, wrap
from offscribe.types import Segment, Word
from offscribe.words import carry_words

MAX_CUE_MS = 7_000
MAX_LINES = 2
LINE_COLUMNS = 42
"""Seven seconds and two lines of 42 columns are what subtitle guides of broadcasters ask for."""
PAUSE_MS = 400
"""A pause between words that is as good a place to cut as a comma."""

_SENTENCE_ENDS = frozenset("。！？!?….")
_CLAUSE_ENDS = frozenset("，、；：,;:—")


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle: *lines* of text, none empty; ``0 <= start_ms < end_ms``."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """Text with the times it was said; what is inside is not cut."""

    start_ms: int
    end_ms: int
    text: str


def cues(document: ExportDocument, options: ExportOptions) -> list[Cue]:
    """Return the cues in order; they never overlap.

    A segment without usable word times stays one cue however long it is: where its middle was
    said is not known, and a guess would be shown as if it were.
    """
    parts = [part for segment in document.segments for part in _parts(segment, options)]
    found: list[Cue] = []
    in_order = sorted(parts, key=lambda part: part.start_ms)
    for index, part in enumerate(in_order):
        start_ms = max(part.start_ms, found[-1].end_ms if found else 0)
        end_ms = part.end_ms
        if index + 1 < len(in_order):
            end_ms = min(end_ms, in_order[index + 1].start_ms)
        text = tuple(wrap(part.text, columns=LINE_COLUMNS))
        found.append(Cue(start_ms, max(end_ms, start_ms + 1), text))
    return found


def _parts(segment: Segment, options: ExportOptions) -> list[_Part]:
    text = one_line(text_of(segment, options))
    if not text:
        return []
    whole = _Part(to_ms(segment.start), to_ms(segment.end), text)
    if _fits(whole) or not _are_measured(segment.words):
        return [whole]
    atoms = list(_atoms(carry_words(segment.words, text)))
    return list(_grouped(atoms)) if atoms else [whole]


def _are_measured(words: tuple[Word, ...]) -> bool:
    """Whether the times can place a cut: in order, and more than one of them."""
    finite = all(math.isfinite(word.start) and math.isfinite(word.end) for word in words)
    return (
        len(words) > 1
        and finite
        and all(word.start <= word.end for word in words)
        and all(left.start <= right.start for left, right in pairwise(words))
    )


def _atoms(words: tuple[Word, ...]) -> Iterator[_Part]:
    """Words joined where a line must not break: digits of a number, a word and its comma."""
    held: _Part | None = None
    for word in words:
        part = _Part(to_ms(word.start), to_ms(word.end), word.text)
        if held is None:
            held = part
        elif part.text[0] == " " or may_break(held.text[-1], part.text[0]):
            yield held
            held = part
        else:
            held = _joined([held, part])
    if held is not None:
        yield held


def _grouped(atoms: list[_Part]) -> Iterator[_Part]:
    """Fill cues as far as they go, then step back to the best place to cut."""
    held: list[_Part] = []
    for atom in atoms:
        while held and not _fits(_joined([*held, atom])):
            cut = _best_cut([*held, atom])
            yield _stripped(_joined(held[:cut]))
            held = held[cut:]
        held.append(atom)
    if held:
        yield _stripped(_joined(held))


def _best_cut(atoms: list[_Part]) -> int:
    """How many of *atoms* to show first, not all: up to the last sentence end, else the last comma
    or pause, of the second half; else as many as go."""
    most = len(atoms) - 1
    ranked = [(_rank(atoms[n - 1], atoms[n]), n) for n in range(max(1, most // 2), most + 1)]
    return max(ranked)[1]


def _rank(left: _Part, right: _Part) -> int:
    last = left.text.rstrip()[-1:]
    if last in _SENTENCE_ENDS:
        return 2
    return int(last in _CLAUSE_ENDS or right.start_ms - left.end_ms >= PAUSE_MS)


def _fits(part: _Part) -> bool:
    if part.end_ms - part.start_ms > MAX_CUE_MS:
        return False
    return len(wrap(part.text, columns=LINE_COLUMNS)) <= MAX_LINES


def _joined(parts: list[_Part]) -> _Part:
    text = "".join(part.text for part in parts)
    return _Part(parts[0].start_ms, max(part.end_ms for part in parts), text)


def _stripped(part: _Part) -> _Part:
    return _Part(part.start_ms, part.end_ms, part.text.strip())
