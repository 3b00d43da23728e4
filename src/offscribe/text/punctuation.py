"""Full-width punctuation in Chinese and Japanese text.

Multilingual models put half-width commas into Chinese sentences, because their training text
does. House rule of Chinese typesetting (GB/T 15834): marks that belong to Chinese text are
full-width; inside Latin words, numbers and times they stay as they are.
"""

from __future__ import annotations

import re
from dataclasses import replace

from offscribe.types import Segment
from offscribe.words import carry_words

LANGUAGES = frozenset({"zh", "yue", "ja"})
_FULL_WIDTH = str.maketrans(",?!;:", "，？！；：")
_CJK = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_MARK = re.compile(
    rf"(?<=[{_CJK}]) ?[,?!;:](?!\S*//) ?"  # after a Chinese character
    rf"|(?<=\S)[,?!;:] ?(?=[{_CJK}])"  # or before one
    rf"|(?<=\S)[,?!;:]$"  # or at the end
)
_HAS_CJK = re.compile(f"[{_CJK}]")


class FullWidthPunctuation:
    """A text pass; see ``offscribe.text.passes.TextPass``."""

    def __call__(self, segment: Segment, *, language: str) -> Segment:
        if language not in LANGUAGES:
            return segment
        text = full_width(segment.text)
        if text == segment.text:
            return segment
        return replace(segment, text=text, words=carry_words(segment.words, text))


def full_width(text: str) -> str:
    """Return *text* with the marks of its Chinese or Japanese parts full-width, without the
    spaces around them. Text without such a part comes back as it is."""
    if not _HAS_CJK.search(text):
        return text
    return _MARK.sub(lambda mark: mark.group().strip().translate(_FULL_WIDTH), text)
