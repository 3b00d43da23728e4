"""Latin hotwords that were split, joined, cased or spelled differently (fun asr, kubernetis).

1. The same letters and digits: ``fun asr``, ``Fun-ASR`` and ``FUNASR`` become FunASR, ``A I``
   becomes AI. A stretch of several words needs five letters or to be spelled letter by letter. In
   English a single short word (us, it, who) is never taken for an abbreviation.
2. A spelling that sounds alike: words from five letters, one edit apart (two from nine letters),
   with the same consonants and the same sound at both ends (kubernetis, cubernetes, but neither
   clause for Claude nor models for model).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache

from rapidfuzz.distance import OSA

from offscribe.text.replacement import Replacement

_WORD = re.compile(r"[A-Za-z0-9\u00c0-\u024f]+")
_TERM = re.compile(rf"{_WORD.pattern}(?:[ '’.+/_-]{_WORD.pattern})*")
_GAP = frozenset({"", " ", "-", "_", "."})
MAX_WORDS = 8
"""Longer runs are not joined: a spelled name rarely has more letters."""
MIN_JOINED_CHARS = 5
MIN_FUZZY_CHARS = 5
TWO_EDITS_CHARS = 9


class Spellings:
    """The Latin terms of a hotword list. Terms with other scripts are skipped."""

    def __init__(self, hotwords: Iterable[str]) -> None:
        terms = [word for word in hotwords if _TERM.fullmatch(word) and not word.isdigit()]
        self._by_key: dict[str, str] = {}
        for term in terms:
            self._by_key.setdefault(_key(term), term)
        self._longest = max(map(len, self._by_key), default=0)
        self._alike: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
        for key, term in self._by_key.items():
            if len(key) >= MIN_FUZZY_CHARS and key.isalpha() and _WORD.fullmatch(term):
                self._alike[_sound(key)].append(key)

    def find(self, text: str, *, language: str) -> Iterator[Replacement]:
        """The stretches to replace, in order, the longest first; never overlapping."""
        if not self._by_key:
            return
        words = list(_WORD.finditer(text))
        at = 0
        while at < len(words):
            taken, term = self._match(text, words, at, language)
            start, end = words[at].start(), words[at + taken - 1].end()
            if term is not None and text[start:end] != term:
                yield Replacement(start, end, term)
            at += taken

    def _match(
        self, text: str, words: list[re.Match[str]], at: int, language: str
    ) -> tuple[int, str | None]:
        """How many words from *at* on are a term, and which; (1, None) where none is."""
        for count in range(self._reach(text, words, at), 0, -1):
            pieces = [word.group() for word in words[at : at + count]]
            term = self._by_key.get("".join(pieces).casefold())
            if term is not None and _is_believable(pieces, language):
                return count, term
        return 1, self._spelled_like(words[at].group().casefold())

    def _reach(self, text: str, words: list[re.Match[str]], at: int) -> int:
        """How many words could form one term: only a single joint between them, not too long."""
        count, length = 1, len(words[at].group())
        while at + count < len(words) and count < MAX_WORDS:
            left, right = words[at + count - 1], words[at + count]
            length += len(right.group())
            if length > self._longest or text[left.end() : right.start()] not in _GAP:
                break
            count += 1
        return count

    def _spelled_like(self, key: str) -> str | None:
        if len(key) < MIN_FUZZY_CHARS or not key.isalpha():
            return None
        limit = 2 if len(key) >= TWO_EDITS_CHARS else 1
        near = [
            (distance, known)
            for known in self._alike.get(_sound(key), ())
            if (distance := OSA.distance(key, known, score_cutoff=limit)) <= limit
        ]
        return self._by_key[min(near)[1]] if near else None


def _key(term: str) -> str:
    return "".join(_WORD.findall(term)).casefold()


def _is_believable(pieces: list[str], language: str) -> bool:
    """Rule 1: whether the pieces may be the term whose letters they have."""
    n_chars = sum(map(len, pieces))
    if len(pieces) == 1:
        return n_chars > 3 or (n_chars > 1 and language != "en")
    return n_chars >= MIN_JOINED_CHARS or all(len(piece) == 1 for piece in pieces)


@lru_cache(maxsize=4096)
def _sound(key: str) -> tuple[str, str, str]:
    """First and last sound and the consonants, with spellings of one sound made equal."""
    folded = key.replace("ph", "f").replace("ck", "k").replace("x", "ks")
    folded = folded.translate(str.maketrans("cqz", "kks"))
    consonants = re.sub(r"(.)\1+", r"\1", re.sub("[aeiouyhw]", "", folded))
    return folded[0], folded[-1], consonants
