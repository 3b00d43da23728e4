"""Inverse text normalisation: spoken numbers become written ones (百分之五十 to 50%), by wetext.

wetext's grammars are files inside its package; importing it loads them all and opens no network.
They are made for bare commands, so they are not let loose on whole texts: they see only the
stretches that hold numbers (numerals.py), name the tokens they find there, and each accepted
token is written in place. Everything else keeps its characters, spaces, casing and punctuation.

Of wetext's options only the language and the direction are used. ``enable_0_to_9`` answers with
an empty text in 0.1.8 (its tagger and verbalizer disagree), and removing interjections, erhua or
punctuation would change what was said.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from types import ModuleType
from typing import Literal

from offscribe.text import numerals
from offscribe.text.script import CHINESE, convert, simplify_characters
from offscribe.types import Segment

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Number:
    """A token of the grammar: ``text[start:end]`` (*spoken*) is to be written as *written*."""

    kind: str
    spoken: str
    start: int
    end: int
    written: str


@dataclass(frozen=True, slots=True)
class Grammar:
    """How one language is prepared for wetext and which of its tokens are believed.

    mask and windows: see numerals.py. separator: between the values of a token. accepts: takes
    the whole text and a token.
    """

    code: Literal["zh", "en", "ja"]
    mask: Callable[[str], str]
    windows: Callable[[str], list[tuple[int, int]]]
    separator: str
    accepts: Callable[[str, Number], bool]


class GrammarFailed(Exception):
    """wetext found no path through a stretch, or its tokens do not add up to it."""


def normalise(text: str, language: str) -> str:
    """Return *text* with its spoken numbers written; unchanged for languages without a grammar.

    zh, yue (by the zh grammar), en and ja have one. A stretch that the grammar cannot read stays
    as it was and is logged; text is never lost. The first call loads wetext: about 0.25 s, 40 MB.
    """
    grammar = GRAMMARS.get(language)
    if grammar is None:
        return text
    masked = grammar.mask(text)
    numbers = [
        number
        for start, end in grammar.windows(masked)
        for number in _numbers(masked, start, end, grammar)
        if grammar.accepts(text, number) and not _touches_digits(text, number)
    ]
    return _write(text, numbers, in_traditional=_is_traditional(text, language), language=language)


@dataclass(frozen=True, slots=True)
class InverseNormalisation:
    """The text pass of ``RecognizeOptions.itn``: fills ``itn_text``."""

    def __call__(self, segment: Segment, *, language: str) -> Segment:
        return replace(segment, itn_text=normalise(segment.text, language))


# --- Reading the grammar ----------------------------------------------------------------------

_TOKEN = re.compile(r'(\w+) \{((?: +\w+: "(?:[^"\\]|\\.)*")+) +\}', re.DOTALL)
_MEMBER = re.compile(r' (\w+): "((?:[^"\\]|\\.)*)"', re.DOTALL)
_REMARKS = frozenset({"preserve_order", "kind", "style"})
"""Members that say something about their token; all others hold the words it was made of."""
_MAX_SKIPPED = 2
"""公元 is the longest that a grammar drops; more means that token and text do not match."""
_LITERAL = frozenset({"char", "word", "punctuation"})


def _numbers(masked: str, start: int, end: int, grammar: Grammar) -> Iterator[Number]:
    """The numbers in one stretch, in order; none where the grammar fails."""
    try:
        yield from list(_tokens(masked, start, end, grammar))
    except GrammarFailed as error:
        log.warning("left %d characters as spoken: %s", end - start, error)


def _tokens(masked: str, start: int, end: int, grammar: Grammar) -> Iterator[Number]:
    tagged = _wetext().tag(masked[start:end], grammar.code, "itn")
    cursor = start
    for token in _TOKEN.finditer(tagged):
        kind, spoken = token.group(1), _spoken(token.group(2), grammar.separator)
        begin, stop = _find(masked, spoken, cursor, end, grammar.separator)
        cursor = stop
        if kind in _LITERAL:
            continue
        written = _verbalize(token.group(), grammar.code)
        if _DIGITS_ONLY.fullmatch(spoken):
            written = written.replace(" ", "")  # digits said one by one are one number
        if written != spoken:
            yield Number(kind, spoken, begin, stop, written)
    if masked[cursor:end].strip():
        raise GrammarFailed(f"{end - cursor} of them were not read")


def _spoken(members: str, separator: str) -> str:
    """The values of a token are the words it was made of, in the order they were said."""
    found: list[tuple[str, str]] = _MEMBER.findall(members)
    values = [value for key, value in found if key not in _REMARKS and value]
    return separator.join(values).replace("\\", "")


def _find(masked: str, spoken: str, cursor: int, end: int, separator: str) -> tuple[int, int]:
    """Where *spoken* stands from *cursor* on. What the grammar skipped (公元, spaces) stays."""
    pattern = re.escape(spoken)
    if separator:
        pattern = pattern.replace(re.escape(separator), f"{separator}+")
    place = re.compile(pattern).search(masked, cursor, end)
    if place is None or len(masked[cursor : place.start()].strip()) > _MAX_SKIPPED:
        raise GrammarFailed("a token is not in the text")
    return place.span()


@lru_cache(maxsize=4096)
def _verbalize(token: str, code: str) -> str:
    library = _wetext()
    written = str(library.verbalize(library.reorder(token, code, "itn"), code, "itn"))
    if not written:
        raise GrammarFailed("a token has no written form")
    return written


@cache
def _wetext() -> ModuleType:
    """Import on first use; the package is not needed where ITN is off."""
    import wetext

    return wetext


# --- Judging and writing ----------------------------------------------------------------------

_SPELLED = re.compile(r"(?:^| )[a-z](?: |$)")
_ONE_TO_NINE = frozenset(
    ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
)
_LATIN_WORD = re.compile(r"[^\W\d_]+")
_JOINTS = r" (?:dot|dash|hyphen|underscore) "
_EN_DIGITS = frozenset(
    ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
)
_DIGIT_BEFORE = re.compile(r"\d[十百千万亿萬億]*$")
_REACH = 4
"""Characters before a number that are looked at; more than two units do not follow a digit."""
_DIGITS_ONLY = re.compile(f"[{numerals.ZH_DIGITS}〇ゼロ点]+")


def _accepts_all(_text: str, _number: Number) -> bool:
    return True


def _accepts_zh(text: str, number: Number) -> bool:
    """A train number is believed only where no school class follows (高一三班)."""
    return number.kind != "trainnumber" or text[number.end : number.end + 1] not in set(
        "班组年级学"
    )


def _accepts_en(_text: str, number: Number) -> bool:
    """No 1st to 9th (just a second), no doctor to dr., no dot between plain words."""
    if number.kind == "ordinal":
        return number.spoken not in _ONE_TO_NINE
    if number.kind == "whitelist":
        return _SPELLED.search(number.spoken) is not None
    return number.kind != "electronic" or _is_address(number.spoken)


def _is_address(spoken: str) -> bool:
    """Whether all of it is an address: "my email is a at b dot com" has more words than a name."""
    before, _, domain = spoken.rpartition(" at ")
    if not before:
        return spoken[:2] in {"w ", "h "} or _SPELLED.search(spoken) is None
    return " dot " in domain and all(map(_is_one_name, re.split(_JOINTS, before)))


def _is_one_name(name: str) -> bool:
    """One word, or letters and digits one by one: ``smith``, ``j s three``."""
    words = name.split()
    return len(words) == 1 or all(len(word) == 1 or word in _EN_DIGITS for word in words)


def _touches_digits(text: str, number: Number) -> bool:
    """Whether writing would run into digits that were there before (2千五百, 二十5)."""
    begins, ends = number.written[0].isdigit(), number.written[-1].isdigit()
    before = text[max(0, number.start - _REACH) : number.start]
    return (begins and _DIGIT_BEFORE.search(before) is not None) or (
        ends and text[number.end : number.end + 1].isdigit()
    )


def _write(text: str, numbers: list[Number], *, in_traditional: bool, language: str) -> str:
    parts: list[str] = []
    cursor = 0
    previous: Number | None = None
    for number in numbers:
        parts.append(text[cursor : number.start])
        if previous is not None and previous.end == number.start and _needs_space(previous, number):
            parts.append(" ")
        written = number.written
        if in_traditional:
            written = convert(written, "traditional", language=language)
        if written.endswith(".") and text.startswith(".", number.end):
            written = written[:-1]  # "six p.m." at the end of a sentence has one full stop
        parts.append(_cased(written, text[number.start : number.end]))
        cursor, previous = number.end, number
    return "".join([*parts, text[cursor:]])


def _needs_space(left: Number, right: Number) -> bool:
    """Two numbers that were said as two must not read as one; digits said one by one may."""
    if _DIGITS_ONLY.fullmatch(left.spoken) and _DIGITS_ONLY.fullmatch(right.spoken):
        return False
    return left.written[-1].isascii() and right.written[0].isascii()


def _cased(written: str, spoken: str) -> str:
    """Give the words that stayed (July) the casing they had."""
    if spoken.islower():
        return written
    as_spoken = {word.lower(): word for word in _LATIN_WORD.findall(spoken)}
    return _LATIN_WORD.sub(lambda match: as_spoken.get(match.group(), match.group()), written)


def _is_traditional(text: str, language: str) -> bool:
    return language in CHINESE and simplify_characters(text) != text


_CHINESE_GRAMMAR = Grammar("zh", numerals.mask_zh, numerals.windows_zh, "", _accepts_zh)
GRAMMARS = {
    "zh": _CHINESE_GRAMMAR,
    "yue": _CHINESE_GRAMMAR,
    "en": Grammar("en", numerals.mask_en, numerals.windows_en, " ", _accepts_en),
    "ja": Grammar("ja", numerals.mask_ja, numerals.windows_ja, "", _accepts_all),
}
