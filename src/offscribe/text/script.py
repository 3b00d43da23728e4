"""Simplified and traditional Chinese, by OpenCC (its dictionaries come with the package)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache

from opencc import OpenCC

from offscribe.types import Script, Segment
from offscribe.words import carry_words

CHINESE = frozenset({"zh", "yue"})
TRADITIONAL = {"zh": "s2tw", "yue": "s2hk"}
"""The character standards of Taiwan and Hong Kong (為), not OpenCC's own (爲). The variants that
also swap vocabulary (軟件 to 軟體) would change what was said."""
SURROGATES = re.compile("([\ud800-\udfff]+)")


def convert(text: str, script: Script, *, language: str) -> str:
    """Return *text* in *script*; unchanged for ``keep`` and for languages other than zh and yue."""
    if script == "keep" or language not in CHINESE:
        return text
    converter = _converter(TRADITIONAL[language] if script == "traditional" else "t2s")
    return _converted(text, converter)


def simplify_characters(text: str) -> str:
    """Return *text* with each traditional character simplified on its own: same length and places.

    For comparing, not for reading: characters are looked at without their neighbours.
    """
    return text if text.isascii() else text.translate(_SIMPLIFIED)


@dataclass(frozen=True, slots=True)
class ScriptConversion:
    """The text pass of ``RecognizeOptions.script``."""

    script: Script

    def __call__(self, segment: Segment, *, language: str) -> Segment:
        text = convert(segment.text, self.script, language=language)
        if text == segment.text:
            return segment
        return replace(segment, text=text, words=carry_words(segment.words, text))


class _Simplified(dict[int, int]):
    """A translation table that asks OpenCC once per character."""

    def __missing__(self, codepoint: int) -> int:
        character = chr(codepoint)
        simplified = _converted(character, _converter("t2s"))
        self[codepoint] = ord(simplified) if len(simplified) == 1 else codepoint
        return self[codepoint]


_SIMPLIFIED = _Simplified()


@cache
def _converter(config: str) -> OpenCC:
    """Load once per process: t2s in about 15 ms and 3 MB, s2tw in about 55 ms and 45 MB."""
    return OpenCC(config)


def _converted(text: str, converter: OpenCC) -> str:
    """OpenCC takes UTF-8, which half a surrogate pair has none of; those stay as they are."""
    if not SURROGATES.search(text):
        return str(converter.convert(text))
    parts = SURROGATES.split(text)
    parts[::2] = [str(converter.convert(part)) for part in parts[::2]]
    return "".join(parts)
