"""Text folded for searching: what the full-text index stores, what a query becomes, where it hits.

Folding makes width, case, accents and Chinese script equal and puts a space around every
character of a script that is written without spaces (Han, kana, Hangul, bopomofo), so SQLite's
``unicode61`` sees each as one token and a word of any length is a phrase. Hangul is cut as well:
Korean glues particles to words, and 거실 must be found in 거실을.

Everything here goes through the same pieces, so a hit in the index is a hit in the original text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from offscribe.text.script import simplify_characters

_SINGLE = (
    "\u1100-\u11ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u3096"
    "\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u3131-\u318e\u31a0-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
_SINGLE_CHAR = re.compile(f"([{_SINGLE}])")
_ACCENTS = re.compile("[\u0300-\u036f]")
_PIECE = re.compile(
    # The letters of a Hangul syllable; else a character and what combines with it.
    "[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?|.[\u0300-\u036f\u3099\u309a\uff9e\uff9f]{0,8}",
    re.DOTALL,
)
_ELLIPSIS = "…"

Hit = tuple[int, int]
"""Start and end in the original text."""


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    start: int
    end: int


def fold(text: str) -> str:
    """Return *text* for the index: NFKC, case and accents folded, traditional characters as
    simplified ones, single spaces, each character of an unspaced script alone. Controls become
    spaces."""
    folded = "".join(map(_fold_piece, _PIECE.findall(text)))
    return " ".join(_SINGLE_CHAR.sub(r" \1 ", folded).split())


def fold_query(query: str) -> str:
    """Return an FTS5 MATCH expression for *query*; empty when nothing in it can be looked up.

    Each part between spaces is a phrase and all must be found; a last part that ends in a letter
    or digit of a spaced script also finds longer words. Whatever the query holds, the expression
    is free of syntax errors: only quoted letters, digits and the operators written here are in it.
    """
    phrases = _phrases(query)
    if not phrases:
        return ""
    expression = " AND ".join(f'"{" ".join(phrase)}"' for phrase in phrases)
    return f"{expression} *" if _is_prefix(phrases[-1]) else expression


def find_hits(text: str, query: str) -> list[Hit]:
    """Return where the parts of *query* stand in *text*, in order, overlaps merged."""
    phrases = _phrases(query)
    tokens = list(_tokens(text)) if phrases else []
    hits = []
    for index, phrase in enumerate(phrases):
        may_go_on = index == len(phrases) - 1 and _is_prefix(phrase)
        hits += _phrase_hits(tokens, phrase, may_go_on=may_go_on)
    return _merged(hits)


def snippet(text: str, query: str, *, width: int = 60) -> tuple[tuple[str, bool], ...]:
    """Return about *width* characters of *text* around the first hit as (piece, is_hit).

    The pieces join to a stretch of the original text, with … where it was cut. Without a hit the
    beginning is shown.
    """
    hits = find_hits(text, query)
    first = hits[0][0] if hits else 0
    start = max(0, min(first - width // 3, len(text) - width))
    end = max(min(len(text), start + width), min(hits[0][1], first + width) if hits else 0)
    pieces: list[tuple[str, bool]] = [(_ELLIPSIS, False)] if start > 0 else []
    cursor = start
    for hit_start, hit_end in hits:
        if hit_start >= end:
            break
        if hit_end <= cursor:
            continue
        pieces += [(text[cursor:hit_start], False), (text[max(cursor, hit_start) : hit_end], True)]
        cursor = hit_end
    pieces.append((text[cursor:end], False))
    if max(cursor, end) < len(text):
        pieces.append((_ELLIPSIS, False))
    return tuple(piece for piece in pieces if piece[0])


@lru_cache(maxsize=32_768)
def _fold_piece(piece: str) -> str:
    """Fold one character with its marks; possibly longer, shorter or empty."""
    if piece.isspace() or unicodedata.category(piece[0]) in {"Cc", "Cs", "Zl", "Zp"}:
        return " "
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", piece).casefold())
    if not folded.isascii():
        bare = _ACCENTS.sub("", unicodedata.normalize("NFD", folded))
        folded = simplify_characters(unicodedata.normalize("NFC", bare))
    return folded


def _is_token_char(char: str) -> bool:
    """What unicode61 takes as part of a word: letters, digits and private use."""
    category = unicodedata.category(char)
    return category[0] in "LN" or category == "Co"


def _tokens(text: str) -> Iterator[_Token]:
    """The tokens that unicode61 would see in ``fold(text)``, with their place in *text*."""
    letters: list[str] = []
    start = end = 0
    for match in _PIECE.finditer(text):
        for char in _fold_piece(match.group()):
            is_single = _SINGLE_CHAR.match(char) is not None
            if letters and (is_single or not _is_token_char(char)):
                yield _Token("".join(letters), start, end)
                letters = []
            if is_single:
                yield _Token(char, *match.span())
            elif _is_token_char(char):
                start = start if letters else match.start()
                end = match.end()
                letters.append(char)
    if letters:
        yield _Token("".join(letters), start, end)


def _phrases(query: str) -> list[tuple[str, ...]]:
    """The parts of a query as tokens; parts without any are left out."""
    parts = (tuple(token.text for token in _tokens(part)) for part in query.split())
    return [part for part in parts if part]


def _is_prefix(phrase: tuple[str, ...]) -> bool:
    return not _SINGLE_CHAR.match(phrase[-1])


def _phrase_hits(tokens: list[_Token], phrase: tuple[str, ...], *, may_go_on: bool) -> list[Hit]:
    whole, last = phrase[:-1], phrase[-1]
    hits = []
    for at in range(len(tokens) - len(whole)):
        final = tokens[at + len(whole)]
        if final.text != last and not (may_go_on and final.text.startswith(last)):
            continue
        if all(tokens[at + n].text == wanted for n, wanted in enumerate(whole)):
            hits.append((tokens[at].start, final.end))
    return hits


def _merged(hits: list[Hit]) -> list[Hit]:
    merged: list[Hit] = []
    for start, end in sorted(hits):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
