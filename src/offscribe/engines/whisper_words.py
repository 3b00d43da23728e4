"""From aligned tokens to words with times.

The times are measured: dynamic time warping over the cross-attention of the model's alignment
heads, 20 ms a step. A token starts where the alignment reaches it and ends where the next one
starts, so the token before a pause swallows the pause; that is undone here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from offscribe.engines.guards import find_loop
from offscribe.types import Word

PREPENDED = "\"'“¿([{-「『《（【"
APPENDED = "\"'.。,，!！?？:：;；”)]}、…」』》）】%％"
"""Punctuation that belongs to the word after or before it."""
LONG_WORD_MEDIANS = 2.0
MEDIAN_LIMIT_S = 0.7
"""A word longer than two median words (a median above 0.7 s is not believed) has swallowed a
pause; the rule of Whisper's reference decoder."""

_ASCII_WORD = re.compile(r"[A-Za-z0-9'-]+")


@dataclass(frozen=True, slots=True)
class Piece:
    """What one or more tokens say, in seconds from the chunk's start."""

    text: str
    start: float
    end: float


def words_of(pieces: Iterable[Piece], *, duration: float) -> tuple[Word, ...]:
    """Return the words of one chunk: joined they give what the tokens say, times never go back
    and lie between 0 and *duration*."""
    spoken = [piece for piece in pieces if piece.text]
    return _ordered(_punctuated(_whole_words(_without_pauses(spoken))), duration)


def without_loops(words: Sequence[Word]) -> tuple[Word, ...]:
    """Return *words* with every loop said once."""
    kept = list(words)
    while (loop := find_loop("".join(word.text for word in kept))) is not None:
        remaining, at = [], 0
        for word in kept:
            if not loop.once <= at < loop.end:
                remaining.append(word)
            at += len(word.text)
        if len(remaining) == len(kept):
            break
        kept = remaining
    return tuple(kept)


def stripped(words: Sequence[Word]) -> tuple[Word, ...]:
    """Return *words* without white space at either end of the text they make."""
    kept = list(words)
    while kept and not kept[0].text.strip():
        kept.pop(0)
    while kept and not kept[-1].text.strip():
        kept.pop()
    if kept:
        kept[0] = replace(kept[0], text=kept[0].text.lstrip())
        kept[-1] = replace(kept[-1], text=kept[-1].text.rstrip())
    return tuple(kept)


def _whole_words(pieces: Sequence[Piece]) -> list[Piece]:
    """Join the parts of a Latin word or number that the tokenizer cut (``iPh`` + ``one``): text
    without spaces is split wherever a token ends."""
    joined: list[Piece] = []
    for piece in pieces:
        before = joined[-1] if joined else None
        if (
            before is not None
            and _ASCII_WORD.fullmatch(before.text.lstrip())
            and _ASCII_WORD.fullmatch(piece.text)
        ):
            joined[-1] = Piece(before.text + piece.text, before.start, piece.end)
        else:
            joined.append(piece)
    return joined


def _without_pauses(pieces: Sequence[Piece]) -> list[Piece]:
    """Shorten what swallowed a pause: the first word at its start, all others at their end."""
    durations = [
        piece.end - piece.start
        for piece in pieces
        if piece.end > piece.start and not _is_punctuation(piece.text)
    ]
    if not durations:
        return list(pieces)
    typical = min(median(durations), MEDIAN_LIMIT_S)
    shortened = []
    for index, piece in enumerate(pieces):
        longest = LONG_WORD_MEDIANS * typical * _n_spoken(piece.text)
        if piece.end - piece.start <= longest:
            shortened.append(piece)
        elif index == 0:
            shortened.append(replace(piece, start=piece.end - longest))
        else:
            shortened.append(replace(piece, end=piece.start + longest))
    return shortened


def _n_spoken(text: str) -> int:
    """How many words a token is when it is read out: one, but every digit of a number is one."""
    return max(sum(character.isdigit() for character in text), 1)


def _punctuated(pieces: Sequence[Piece]) -> list[Piece]:
    """Give punctuation, which has no sound of its own, to its word; the word's times stay."""
    words: list[Piece] = []
    opening = ""
    for piece in pieces:
        mark = piece.text.strip()
        if words and not opening and mark and mark in APPENDED:
            words[-1] = replace(words[-1], text=words[-1].text + piece.text)
        elif mark and mark in PREPENDED:
            opening += piece.text
        else:
            words.append(replace(piece, text=opening + piece.text))
            opening = ""
    if opening:
        if words:
            words[-1] = replace(words[-1], text=words[-1].text + opening)
        else:
            words = [Piece(opening, pieces[0].start, pieces[-1].end)]
    return words


def _ordered(pieces: Iterable[Piece], duration: float) -> tuple[Word, ...]:
    words: list[Word] = []
    at = 0.0
    for piece in pieces:
        start = round(min(max(piece.start, at), duration), 3)
        end = round(min(max(piece.end, start), duration), 3)
        words.append(Word(piece.text, start, end))
        at = end
    return tuple(words)


def _is_punctuation(text: str) -> bool:
    return not any(character.isalnum() for character in text)
