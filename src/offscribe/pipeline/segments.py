"""Hypotheses (times from the chunk's start) become segments (times from the file's start)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from offscribe.pipeline.packing import Chunk, Piece
from offscribe.types import Hypothesis, Segment, Span, Word

SENTENCE_ENDS = frozenset("。！？!?…")
MAX_SENTENCE_S = 15.0
"""A longer run of words is divided at its longest pause."""
MIN_SENTENCE_S = 1.0
"""A sentence end sooner than this after the start does not divide."""


def segments_of(chunk: Chunk, hypothesis: Hypothesis) -> list[Segment]:
    """Return the segments of one chunk, in order, none with empty text.

    With word times: one segment a sentence, never across two spans. Without: one for the chunk.
    """
    if not hypothesis.text.strip():
        return []
    if not hypothesis.words:
        return [Segment(_one_line(hypothesis.text).strip(), chunk.start, chunk.end)]
    segments: list[Segment] = []
    for piece, words in _by_piece(chunk, hypothesis.words):
        segments.extend(_segments_of_piece(piece, words))
    return segments


def _by_piece(chunk: Chunk, words: tuple[Word, ...]) -> Iterator[tuple[Piece, list[Word]]]:
    """Give every word to the piece that its middle falls into, in file time."""
    remaining = list(words)
    for index, piece in enumerate(chunk.pieces):
        is_last = index == len(chunk.pieces) - 1
        own: list[Word] = []
        while remaining and (is_last or (remaining[0].start + remaining[0].end) / 2 < piece.until):
            word = remaining.pop(0)
            own.append(
                Word(_one_line(word.text), piece.to_file(word.start), piece.to_file(word.end))
            )
        if own:
            yield piece, own


def _segments_of_piece(piece: Piece, words: list[Word]) -> Iterator[Segment]:
    sentences = [part for sentence in _sentences(words) for part in _bounded(sentence)]
    for index, sentence in enumerate(sentences):
        is_first, is_last = index == 0, index == len(sentences) - 1
        bounds = Span(
            piece.span.start if is_first else sentence[0].start,
            piece.span.end if is_last else sentence[-1].end,
        )
        text = "".join(word.text for word in sentence).strip()
        if text:
            yield Segment(text, bounds.start, bounds.end, words=_trimmed(sentence))


def _one_line(text: str) -> str:
    """A segment is one line wherever it is stored, searched or shown."""
    return re.sub(r"\s", " ", text)


def _sentences(words: list[Word]) -> Iterator[list[Word]]:
    sentence: list[Word] = []
    for word in words:
        sentence.append(word)
        text = word.text.strip()
        is_end = bool(text) and (text[-1] in SENTENCE_ENDS or _is_full_stop(text))
        if is_end and word.end - sentence[0].start >= MIN_SENTENCE_S:
            yield sentence
            sentence = []
    if sentence:
        yield sentence


def _is_full_stop(word: str) -> bool:
    """A Latin full stop ends a sentence; one after an initial (``J.``) or a number does not."""
    stem = word[:-1]
    return word.endswith(".") and len(stem) > 1 and not stem[-1].isdigit() and "." not in stem


def _bounded(words: list[Word]) -> list[list[Word]]:
    if len(words) < 2 or words[-1].end - words[0].start <= MAX_SENTENCE_S:
        return [words]
    middle = (words[0].start + words[-1].end) / 2

    def pause_before(index: int) -> tuple[float, float]:
        return (
            round(words[index].start - words[index - 1].end, 2),
            -abs(words[index].start - middle),
        )

    cut = max(range(1, len(words)), key=pause_before)
    return _bounded(words[:cut]) + _bounded(words[cut:])


def _trimmed(words: list[Word]) -> tuple[Word, ...]:
    """Without the white space around the segment, so that joined words give its text."""
    texts = [word.text for word in words]
    texts[0] = texts[0].lstrip()
    texts[-1] = texts[-1].rstrip()
    return tuple(
        Word(text, word.start, word.end) for text, word in zip(texts, words, strict=True) if text
    )
