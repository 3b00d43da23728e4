"""Keeping measured word times when the text they belong to is rewritten.

Both the text passes (hotwords, script) and the exports (cues of normalised text) need it, so it
lives below both.
"""

from __future__ import annotations

from itertools import accumulate, pairwise

from rapidfuzz.distance import Levenshtein

from offscribe.types import Word

Region = tuple[int, int, int, int]
"""Old start, old end, new start, new end: a stretch that is equal or changed as a whole."""


def carry_words(words: tuple[Word, ...], text: str) -> tuple[Word, ...]:
    """Return words that join to *text* and carry the times of *words*.

    An equal stretch, or a change of equal length, goes over character by character. Any other
    change merges the words it touches into one, from the first start to the last end; words whose
    text vanished are dropped; inserted text joins the word before it. No bound is invented: every
    start is the start of some old word, every end the end of one. Empty when either side is.
    """
    old = "".join(word.text for word in words)
    if not old or not text:
        return ()
    if old == text:
        return words
    places = _new_places(old, text)
    edges = [0, *accumulate(len(word.text) for word in words)]
    kept = [index for index, edge in enumerate(edges) if edge in places]
    carried = []
    for first, last in pairwise(kept):
        piece = text[places[edges[first]] : places[edges[last]]]
        if piece:
            carried.append(Word(piece, words[first].start, words[last - 1].end))
    return tuple(carried)


def _new_places(old: str, new: str) -> dict[int, int]:
    """Where each position of *old* lies in *new*; positions inside a rewritten stretch are absent.

    Monotone, with both ends fixed.
    """
    places = {0: 0}
    for old_start, old_end, new_start, new_end in _regions(old, new):
        if old_end - old_start == new_end - new_start:
            for offset in range(old_end - old_start + 1):
                places[old_start + offset] = new_start + offset
        places[old_end] = new_end
    places[0] = 0
    return places


def _regions(old: str, new: str) -> list[Region]:
    """Split both texts into equal and changed regions; changes that touch are one region."""
    regions: list[Region] = []
    was_equal = True
    for code in Levenshtein.opcodes(old, new):
        is_equal = code.tag == "equal"
        if regions and not is_equal and not was_equal:
            start, _, new_start, _ = regions.pop()
            regions.append((start, code.src_end, new_start, code.dest_end))
        else:
            regions.append((code.src_start, code.src_end, code.dest_start, code.dest_end))
        was_equal = is_equal
    return regions
