"""Laying out text: what is printable, where a line may break, how wide it is, how pieces join."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

_SURROGATES = re.compile("[\ud800-\udfff]")
_INVISIBLE = re.compile(
    # Controls but for white space; embeddings, overrides and isolates that would turn the text
    # after them around. Plain direction marks stay: Arabic and Hebrew need them.
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]"
)
_SPACE = re.compile(r"\s+")
_UNSPACED = re.compile(
    "[\u2e80-\u303f\u3040-\u30ff\u3100-\u312f\u31a0-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\ufe30-\ufe4f\uff01-\uff65\U00020000-\U0003ffff“”‘’…—]"
)
"""Han, kana and their punctuation; Korean is written with spaces."""
_CLOSING = frozenset(
    "，。！？；：、,.!?;:)]}）】》」』”’…—%％‰°℃·・ーっゃゅょぁぃぅぇぉッャュョァィゥェォ々"
)
_OPENING = frozenset("([{（【《「『“‘¥$€£#＃")


def encodable(text: str) -> str:
    """Return *text* with half surrogate pairs replaced, so that it can be written as UTF-8."""
    return _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", text)


def one_line(text: str) -> str:
    """Return *text* on one line: runs of white space and line ends as one space, no controls."""
    return _SPACE.sub(" ", _INVISIBLE.sub("", encodable(text))).strip()


def joiner(left: str, right: str) -> str:
    """What belongs between two pieces of running text: nothing beside Chinese or Japanese, else a
    space."""
    if not left or not right or _UNSPACED.match(left[-1]) or _UNSPACED.match(right[0]):
        return ""
    return " "


def may_break(left: str, right: str) -> bool:
    """Whether a line may end between the two characters."""
    if right == " " or unicodedata.category(right) in {"Mn", "Me", "Mc", "Cf"}:
        return False
    if left == " ":
        return True
    if right in _CLOSING or left in _OPENING or left == "\u200d":
        return False
    return _UNSPACED.match(left) is not None or _UNSPACED.match(right) is not None


def columns_of(text: str) -> int:
    """Width on a screen: full-width characters count two, combining ones nothing."""
    return sum(map(_columns, text))


def wrap(text: str, *, columns: int) -> list[str]:
    """Break one line of text into lines of at most *columns*, without spaces at their ends.

    Words longer than a line are cut; everything else breaks where ``may_break`` allows.
    """
    lines: list[str] = []
    line, width = "", 0
    for piece in _pieces(text, columns):
        piece_width = columns_of(piece.rstrip())
        if line and width + piece_width > columns:
            lines.append(line.rstrip())
            line, width = "", 0
        line += piece
        width += columns_of(piece)
    lines.append(line.rstrip())
    return [line for line in lines if line]


def _pieces(text: str, columns: int) -> Iterator[str]:
    """Stretches that stay on one line; the space after a word belongs to it."""
    start = 0
    bounds = [
        at for at, (left, right) in enumerate(pairwise(text), start=1) if may_break(left, right)
    ]
    for end in [*bounds, len(text)]:
        yield from _cut(text[start:end], columns)
        start = end


def _cut(piece: str, columns: int) -> Iterator[str]:
    if columns_of(piece.rstrip()) <= columns:
        yield piece
        return
    part, width = "", 0
    for char in piece:
        if part and width + _columns(char) > columns:
            yield part
            part, width = "", 0
        part += char
        width += _columns(char)
    yield part


def _columns(char: str) -> int:
    if unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1
