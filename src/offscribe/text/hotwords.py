"""Hotwords: reading the list a person gives, and repairing near-misses of it in the text."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from offscribe.errors import BadOption
from offscribe.text.homophones import Homophones
from offscribe.text.replacement import Replacement, apply
from offscribe.text.spelling import Spellings
from offscribe.types import Segment
from offscribe.words import carry_words

MAX_HOTWORDS = 10_000
MAX_HOTWORD_CHARS = 64

_SEPARATORS = re.compile(r"[,，;；、\t]")
_WEIGHTED = re.compile(r"(.*\S)[ \t]+-?\d+(?:\.\d+)?")
_BEYOND_LATIN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]$")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def parse_hotwords(source: str) -> tuple[str, ...]:
    """Return the terms of *source*: trimmed, NFC, without empty ones and duplicates, in order.

    One term a line, or separated by commas, semicolons, 、 or tabs; ``#`` begins a comment line.
    ``阿里巴巴 20`` is a term with a weight, which is dropped: in a list where at least one such
    term is in Chinese, Japanese or Korean, so that ``iPhone 15`` elsewhere stays whole. A JSON
    list of terms or an object whose keys are terms does too.
    Raises BadOption for unreadable JSON, a term over 64 characters and more than 10,000 terms.
    """
    stripped = source.lstrip("\ufeff \t\r\n")
    found = _from_json(stripped) if stripped[:1] in {"{", "["} else _from_lines(stripped)
    terms = dict.fromkeys(term for raw in found if (term := _tidy(raw)))
    if len(terms) > MAX_HOTWORDS:
        raise BadOption(
            f"{len(terms)} hotwords are too many", hint=f"Give at most {MAX_HOTWORDS} hotwords."
        )
    return tuple(terms)


class HotwordCorrection:
    """The text pass that repairs near-misses of hotwords; see homophones.py and spelling.py.

    Chinese terms are compared by sound, in zh alone: Cantonese and Japanese read the same
    characters differently. Latin terms are compared by spelling in every language. Terms that mix
    the two, and terms in kana or Hangul, are left to the recognizer.
    """

    def __init__(self, hotwords: tuple[str, ...]) -> None:
        self._homophones = Homophones(hotwords)
        self._spellings = Spellings(hotwords)

    def __call__(self, segment: Segment, *, language: str) -> Segment:
        text = self.correct(segment.text, language=language)
        if text == segment.text:
            return segment
        return replace(segment, text=text, words=carry_words(segment.words, text))

    def correct(self, text: str, *, language: str) -> str:
        found: list[Replacement] = list(self._spellings.find(text, language=language))
        if language == "zh":
            found += self._homophones.find(text)
        return apply(text, found)


def _from_json(source: str) -> Iterable[str]:
    try:
        parsed: Any = json.loads(source)
    except (ValueError, RecursionError) as error:
        raise BadOption(
            "the hotwords begin like JSON but cannot be read as JSON",
            hint='Give a list like ["term", "term"], or plain text with one term a line.',
        ) from error
    terms = list(parsed)
    if not all(isinstance(term, str) for term in terms):
        raise BadOption(
            "the hotwords are JSON but not a list of terms", hint='Give a list like ["term"].'
        )
    return terms


def _from_lines(source: str) -> Iterator[str]:
    lines = [line.strip() for line in source.splitlines()]
    entries = [
        entry.strip()
        for line in lines
        if not line.startswith("#")
        for entry in _SEPARATORS.split(_close_weight(line))
    ]
    weighted = [_WEIGHTED.fullmatch(entry) for entry in entries]
    has_weights = any(match and _BEYOND_LATIN.search(match.group(1)) for match in weighted)
    for entry, match in zip(entries, weighted, strict=True):
        yield match.group(1) if match and has_weights else entry


def _close_weight(line: str) -> str:
    """A tab before a weight is a space: ``term<TAB>20`` is one entry, not two."""
    return re.sub(r"\t+(?=-?\d+(?:\.\d+)?$)", " ", line)


def _tidy(raw: str) -> str:
    if _SURROGATES.search(raw):
        raise BadOption("a hotword is not valid text", hint="Save the list as UTF-8.")
    term = " ".join(unicodedata.normalize("NFC", _CONTROLS.sub(" ", raw)).split())
    if len(term) > MAX_HOTWORD_CHARS:
        raise BadOption(
            f"the hotword {term[:20]}… is {len(term)} characters long",
            hint=f"Give terms of at most {MAX_HOTWORD_CHARS} characters, one a line.",
        )
    return term
