"""Chinese hotwords that were heard right and written wrong (通义实验室 as 同意实验室).

A stretch of the text becomes a hotword only if all of this holds; each rule removes a kind of
false insertion that was seen:

1. It has as many characters as the hotword and sounds the same without tones: character by
   character the same, or alike by a known confusion (zh/z, ch/c, sh/s, n/l, h/f, an/ang, en/eng,
   in/ing). One confusion for every three characters, none in terms of two, and then at least one
   character is the very same (范围内 is not the name 黄伟娜).
2. It is not a word of the dictionary (公式 is never made 攻势), nor a hotword itself.
3. It begins and ends where words begin and end, so 城市长大 keeps its 市长 apart.
4. A term of two characters shares one with the text, and the other is not one of the particles
   and everyday characters that stand anywhere (的事 is not 的士).

The dictionary and the word bounds are jieba's. Candidates are found by the sounds of their first
two characters, so a list of ten thousand costs about the same as a list of ten.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import rjieba
from pypinyin import lazy_pinyin
from pypinyin.contrib.tone_convert import to_normal
from pypinyin.pinyin_dict import pinyin_dict

from offscribe.text.replacement import Replacement
from offscribe.text.script import simplify_characters

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]{2,}")
_EVERYWHERE = frozenset(
    "的了是在我你他她它们有和就不人都一上也很到说要去会着没看好这那里来个为以可时得过下能对于出而"
    "与及或被把让给从向但又还再只之其此某每各吗呢吧啊呀哦嗯事次点些什么怎样"
)
_H_AS_F = {
    "hu": "fu",
    "hua": "fa",
    "huan": "fan",
    "huang": "fang",
    "hui": "fei",
    "hun": "fen",
    "hong": "feng",
}
"""Where accents that mix h and f have a syllable for each."""
_SAME_INITIAL = {"zh": "z", "ch": "c", "sh": "s", "n": "l"}
_SAME_FINAL = {"ang": "an", "eng": "en", "ing": "in"}
_CONTEXT_CHARS = 8
"""Characters on either side that decide where words begin and end."""


Sounds = tuple[tuple[str, str], ...]
"""The readings of a character: toneless, and with confusions made equal."""


@dataclass(frozen=True, slots=True)
class _Term:
    """A hotword with its toneless *syllables*, and those with confusions made equal (*blurred*)."""

    text: str
    syllables: tuple[str, ...]
    blurred: tuple[str, ...]


class Homophones:
    """The Chinese terms of a hotword list, by sound. Terms that are not wholly Han are skipped."""

    def __init__(self, hotwords: Iterable[str]) -> None:
        words = {simplify_characters(word) for word in hotwords if _HAN.fullmatch(word)}
        terms = [_term(word) for word in sorted(words, key=lambda word: (-len(word), word))]
        self._by_sound: defaultdict[tuple[str, str], list[_Term]] = defaultdict(list)
        self._by_start: defaultdict[str, list[str]] = defaultdict(list)
        for term in terms:
            self._by_sound[term.blurred[0], term.blurred[1]].append(term)
            self._by_start[term.text[:2]].append(term.text)

    def find(self, text: str) -> Iterator[Replacement]:
        """The stretches to replace, in order, the longest term first; never overlapping."""
        if not self._by_sound:
            return
        plain = simplify_characters(text)
        for run in _HAN.finditer(plain):
            yield from self._find_in_run(plain, *run.span())

    def _find_in_run(self, text: str, start: int, end: int) -> Iterator[Replacement]:
        sounds = [_sounds(char) for char in text[start:end]]
        at = start
        while at < end - 1:
            if known := self._hotword_at(text, at):
                at += len(known)
                continue
            candidates = self._candidates(sounds[at - start], sounds[at - start + 1])
            term = self._best(text, at, candidates) if candidates else None
            if term is None:
                at += 1
                continue
            yield Replacement(at, at + len(term.text), term.text)
            at += len(term.text)

    def _hotword_at(self, text: str, at: int) -> str | None:
        """The longest hotword that stands at *at* already."""
        known = self._by_start.get(text[at : at + 2], ())
        return next((word for word in known if text.startswith(word, at)), None)

    def _candidates(self, first: Sounds, second: Sounds) -> list[_Term]:
        return [
            term
            for _, left in first
            for _, right in second
            for term in self._by_sound.get((left, right), ())
        ]

    def _best(self, text: str, at: int, candidates: list[_Term]) -> _Term | None:
        for term in sorted(candidates, key=lambda term: -len(term.text)):
            end = at + len(term.text)
            if (
                _is_heard_as(text[at:end], term)
                and not self._hotword_inside(text, at, end)
                and _stands_apart(text, at, end)
            ):
                return term
        return None

    def _hotword_inside(self, text: str, start: int, end: int) -> bool:
        """Whether a hotword that is there already begins inside the stretch."""
        return any(self._hotword_at(text, at) for at in range(start + 1, end))


def _term(word: str) -> _Term:
    syllables = tuple(lazy_pinyin(word))
    return _Term(word, syllables, tuple(map(_blur, syllables)))


def _is_heard_as(heard: str, term: _Term) -> bool:
    """Rules 1, 2 and 4."""
    n_chars = len(term.text)
    if len(heard) < n_chars or not _HAN.fullmatch(heard):
        return False
    n_confused = 0
    changed: list[str] = []
    for char, wanted, syllable in zip(heard, term.text, term.syllables, strict=True):
        if char == wanted:
            continue
        changed.append(char)
        sounds = [sound for sound, _ in _sounds(char)]
        if syllable not in sounds:
            if not any(_is_confusable(sound, syllable) for sound in sounds):
                return False
            n_confused += 1
    if n_confused > n_chars // 3 or (n_confused and len(changed) == n_chars):
        return False
    if n_chars == 2 and (len(changed) == 2 or changed[0] in _EVERYWHERE):
        return False
    return not rjieba.has_word(heard)


def _stands_apart(text: str, start: int, end: int) -> bool:
    """Rule 3: no word of the text runs across either end of the stretch."""
    at = max(0, start - _CONTEXT_CHARS)
    bounds = {at}
    for word in rjieba.cut(text[at : end + _CONTEXT_CHARS], hmm=False):
        at += len(word)
        bounds.add(at)
    return start in bounds and end in bounds


@cache
def _sounds(char: str) -> Sounds:
    """The two most frequent readings of a character."""
    readings = pinyin_dict.get(ord(char), "").split(",")[:2]
    plain = dict.fromkeys(str(to_normal(reading)) for reading in readings if reading)
    return tuple((sound, _blur(sound)) for sound in plain)


def _blur(syllable: str) -> str:
    """Make syllables equal that speakers and recognizers confuse."""
    initial, final = _parts(_H_AS_F.get(syllable, syllable))
    return _SAME_INITIAL.get(initial, initial) + _SAME_FINAL.get(final, final)


@cache
def _is_confusable(left: str, right: str) -> bool:
    """Whether two toneless syllables differ by one confusion; huang and fan differ by two."""
    if _blur(left) != _blur(right):
        return False
    as_f = (_H_AS_F.get(left, left), _H_AS_F.get(right, right))
    (initial, final), (other_initial, other_final) = map(_parts, as_f)
    kinds = as_f != (left, right), initial != other_initial, final != other_final
    return sum(kinds) == 1


def _parts(syllable: str) -> tuple[str, str]:
    """Initial and final."""
    final = syllable.lstrip("bpmfdtnlgkhjqxzcsryw")
    return syllable[: len(syllable) - len(final)], final
