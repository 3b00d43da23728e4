"""How error rates are counted: one normalisation, applied to both sides, then Levenshtein.

The normalisation, in order: NFKC, casefold, traditional to simplified characters (OpenCC ``t2s``),
everything that is not a letter, a mark or a digit becomes a space, white space is collapsed.
CER counts characters without white space; WER counts white-space separated words.

Digits are left as they are, unless ``digits="spelled"``: then Arabic numerals are read out in
Chinese and the reading (digit by digit, or as a number) nearest to the other side is scored, so
that ``29度`` is no error for 二十九度. Figures are only comparable with the same setting.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal

from opencc import OpenCC
from rapidfuzz.distance import Levenshtein
from wetext import Normalizer

Unit = Literal["character", "word"]
Digits = Literal["kept", "spelled"]

_READ_OUT = str.maketrans("0123456789", "零一二三四五六七八九")
_ONE_READING = str.maketrans("幺〇", "一零")
"""Spellings of the same digit that the spelled setting does not tell apart."""


@dataclass(frozen=True, slots=True)
class Score:
    """Edits that turn the truth into what was heard, and the *length* of the truth."""

    substitutions: int = 0
    insertions: int = 0
    deletions: int = 0
    length: int = 0

    @property
    def errors(self) -> int:
        return self.substitutions + self.insertions + self.deletions

    @property
    def rate(self) -> float:
        """Errors a unit of truth; above 1.0 where more was invented than said. With an empty
        truth it is 0.0 for an empty answer, else 1.0."""
        if self.length == 0:
            return float(self.errors > 0)
        return self.errors / self.length

    def __add__(self, other: Score) -> Score:
        return Score(
            self.substitutions + other.substitutions,
            self.insertions + other.insertions,
            self.deletions + other.deletions,
            self.length + other.length,
        )


def normalise(text: str) -> str:
    """Return *text* as it is compared (see the module's description)."""
    text = _to_simplified().convert(unicodedata.normalize("NFKC", text).casefold())
    kept = (char if unicodedata.category(char)[0] in "LMN" else " " for char in text)
    return " ".join("".join(kept).split())


def score(truth: str, heard: str, *, unit: Unit = "character", digits: Digits = "kept") -> Score:
    """Compare one pair. Both sides are normalised here."""
    if digits == "kept":
        return _compare(normalise(truth), normalise(heard), unit)
    readings = [
        _compare(one, other, unit) for one in _read_out(truth) for other in _read_out(heard)
    ]
    return min(readings, key=lambda reading: reading.errors)


def total(scores: Iterable[Score]) -> Score:
    """Sum: long utterances weigh more, as is usual for corpus error rates."""
    return sum(scores, Score())


def _compare(truth: str, heard: str, unit: Unit) -> Score:
    one = truth.split() if unit == "word" else list(truth.replace(" ", ""))
    other = heard.split() if unit == "word" else list(heard.replace(" ", ""))
    edits = Levenshtein.editops(one, other)
    kinds = [edit.tag for edit in edits]
    return Score(kinds.count("replace"), kinds.count("insert"), kinds.count("delete"), len(one))


def _read_out(text: str) -> set[str]:
    """*text* normalised, with its numerals read digit by digit and as numbers."""
    folded = unicodedata.normalize("NFKC", text)
    if not re.search(r"\d", folded):
        return {normalise(folded).translate(_ONE_READING)}
    by_digit = normalise(folded).translate(_READ_OUT)
    as_number = normalise(_reader().normalize(folded))
    return {by_digit.translate(_ONE_READING), as_number.translate(_ONE_READING)}


@cache
def _to_simplified() -> OpenCC:
    return OpenCC("t2s")


@cache
def _reader() -> Normalizer:
    return Normalizer(lang="zh", operator="tn")
