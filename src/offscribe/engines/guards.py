"""Signs in a text that a model did not write down what it heard. Pure functions.

A generative recognizer that loses the audio repeats itself, repeats its prompt, or writes marks
for sounds. What real people repeat must survive: 谢谢谢谢, 哈哈哈, a digit string, a refrain.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

LOOP_COUNTS = ((1, 10), (2, 7), (5, 5), (12, 4))
"""(unit length up to, repetitions that make a loop). Longer units: LONG_LOOP_COUNT. Above what
people say in one breath (laughter, thanks, a phone number), below what a stuck decoder writes."""
LONG_LOOP_COUNT = 3
MAX_LOOP_UNITS = 60
"""Longer repeated passages are refrains; a 30 s chunk has no room for three."""
MAX_COMPRESSION_RATIO = 2.4
"""UTF-8 bytes by zlib bytes; the limit of Whisper's reference decoder."""
MIN_COMPRESSED_UNITS = 40
"""Below, one repeated sentence is enough to reach the ratio."""
PARROT_SIMILARITY = 80.0
PARROT_PART_SIMILARITY = 85.0
MIN_PARROT_PART = 3
"""Percent, for the whole prompt and for a part of it of at least so many characters: what a model
makes of its prompt on noise differs by a character or two, one in seven of a part."""
SPOKEN_DIGITS = frozenset("零〇一二三四五六七八九幺两")

_LETTER = "[a-z0-9À-ɏЀ-ӿ가-힣]"
_UNIT = re.compile(rf"{_LETTER}+(?:['’]{_LETTER}+)*|\w", re.IGNORECASE)
_MARK = re.compile(
    r"""
    <\|[^|<>]{1,40}\|>                                              # <|nospeech|>
    | [\[<]\s*/?(?:breath|noise|laughter|laugh|cough|sil|silence|unk|music|blank_audio)\s*[\]>]
    | (?<!\w)/(?:sil|noise|breath|unk)(?!\w)
    """,
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Loop:
    """``text[start:end]`` is one unit *count* times; ``text[start:once]`` is it once."""

    start: int
    once: int
    end: int
    count: int


def find_loop(text: str) -> Loop | None:
    """Return the first repetition that no person would say, or None.

    Units are words of alphabets written with spaces, else characters; case, white space and
    punctuation between them do not matter. A run of one spoken digit (零零零) may be a number, so
    for it the limit is twice as high.
    """
    matches = list(_UNIT.finditer(text))
    units = [match.group().casefold() for match in matches]
    for first in range(len(units)):
        for length in range(1, min(MAX_LOOP_UNITS, (len(units) - first) // 3) + 1):
            count = _repetitions(units, first, length)
            if count >= _limit(units[first : first + length]):
                once, end = first + length, first + length * count
                return Loop(
                    matches[first].start(),
                    _until(text, matches, once),
                    _until(text, matches, end),
                    count,
                )
    return None


def cut_loops(text: str) -> str:
    """Return *text* with every loop said once."""
    while (loop := find_loop(text)) is not None:
        text = text[: loop.once] + text[loop.end :]
    return text


def is_repetitive(text: str) -> bool:
    """True for a loop, and for a text that repeats itself with small changes."""
    if find_loop(text) is not None:
        return True
    n_units = sum(1 for _ in _UNIT.finditer(text))
    return n_units >= MIN_COMPRESSED_UNITS and compression_ratio(text) > MAX_COMPRESSION_RATIO


def compression_ratio(text: str) -> float:
    """UTF-8 size by compressed size; the more a text repeats itself, the higher. 0 for none."""
    data = text.encode("utf-8", errors="replace")
    return len(data) / len(zlib.compress(data)) if data else 0.0


def is_parrot(text: str, prompt: str, hotwords: Sequence[str]) -> bool:
    """True where *text* says no more than what the model was given: nearly its *prompt* or a part
    of it, or at least two *hotwords* and nothing else."""
    heard = _folded(text)
    if not heard:
        return False
    if _is_part_of(heard, _folded(prompt)):
        return True
    rest, n_found = heard, 0
    for word in sorted((_folded(word) for word in hotwords), key=len, reverse=True):
        if word and word in rest:
            n_found += rest.count(word)
            rest = rest.replace(word, "\n")
    return n_found >= 2 and not rest.replace("\n", "")


def _is_part_of(heard: str, given: str) -> bool:
    if not given or fuzz.ratio(heard, given) >= PARROT_SIMILARITY:
        return bool(given)
    is_long_enough = MIN_PARROT_PART <= len(heard) <= len(given)
    return is_long_enough and fuzz.partial_ratio(heard, given) >= PARROT_PART_SIMILARITY


def strip_marks(text: str) -> str:
    """Return *text* without the marks some models write for sounds and silence (``[breath]``,
    ``/sil``, ``<|nospeech|>``); the space around a mark closes up."""
    if not _MARK.search(text):
        return text
    return re.sub(r"[ \t]{2,}", " ", _MARK.sub(" ", text)).strip()


def _repetitions(units: Sequence[str], first: int, length: int) -> int:
    """How often the *length* units from *first* on stand there one after the other."""
    pattern = units[first : first + length]
    count = 1
    while units[first + count * length : first + (count + 1) * length] == pattern:
        count += 1
    return count


def _limit(pattern: Sequence[str]) -> int:
    limit = next((count for length, count in LOOP_COUNTS if len(pattern) <= length), None)
    if limit is None:
        return LONG_LOOP_COUNT
    is_digit = len(pattern) == 1 and pattern[0] in SPOKEN_DIGITS
    return limit * 2 if is_digit else limit


def _until(text: str, matches: Sequence[re.Match[str]], n_units: int) -> int:
    """The index in *text* where the unit after the first *n_units* starts, or the text's end.

    Punctuation and white space after a unit belong to it.
    """
    return matches[n_units].start() if n_units < len(matches) else len(text)


def _folded(text: str) -> str:
    normal = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in normal if character.isalnum())
