"""Where a text may hold spoken numbers, and which of them are not numbers at all.

Every function keeps the length of the text, so positions found in a masked text hold in the
original. The lists are ours: they name what wetext's grammars would damage in running text
(十分感谢 to 10分感谢, 千葉 to 1000葉), found by running the grammars over lists of idioms.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from offscribe.text.script import simplify_characters

MASK = "\ue000"
"""Stands for a character that the grammars must not see; they pass it through as one character."""
MAX_WINDOW_CHARS = 200
MAX_WINDOW_LETTERS = 400
"""Grammar time grows faster than length (400 Chinese digits in a row run at half the speed of 100);
the longest number of the test pairs has 205 letters."""

UNSAFE = re.compile(r'["\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]')
"""Quotes and backslashes end the grammars' own syntax, controls and half pairs break them."""

ZH_DIGITS = "零一二三四五六七八九两幺"
ZH_NUMERALS = ZH_DIGITS + "十百千万亿"
JA_NUMERALS = "零〇一二三四五六七八九十百千万億兆"

_ZH_PHRASES = [
    phrase
    for line in Path(__file__).with_name("phrases_zh.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
    for phrase in line.split()
]
_ZH_FIXED = re.compile(
    rf"(?<![{ZH_NUMERALS}])(?:"
    + "|".join(sorted(_ZH_PHRASES, key=len, reverse=True))
    + ")"
    # 十分感谢 is an adverb; 十分钟, 五点十分 and 十分之一 are numbers.
    + rf"|(?<![{ZH_NUMERALS}点时])十二?分(?![{ZH_NUMERALS}钟之])"
    # A vague number has no digits: 几十, 数百万, 上千, 十几.
    + rf"|[{ZH_NUMERALS}]{{0,8}}(?:[几数][十百千万亿]|上[百千万亿])[十百千万亿]*几?(?!分之)"
    + rf"|(?<![{ZH_NUMERALS}])十几"
    + r"|(?<![五六七八九十])初[一二三四五六七八九十]{1,2}"
    # 十点一刻 is a quarter past ten, not 10.1.
    + r"|(?<=点)[一三]刻"
    # 高一三班 is a class in a school; 高一三 alone is a train.
    + r"|高[一二三](?=[一二三四五六七八九十]{1,2}[班组])"
)

_JA_FIXED = re.compile(
    "八百屋|八百万の|八百長|五十嵐|五十鈴|五十音|五十川|千歳|百人一首|千秋楽|七五三|十八番|百日紅|"
    "三十三間堂|十人十色|千差万別|百戦錬磨|一日千秋|海千山千|千客万来|森羅万象|五十歩百歩"
    rf"|(?<![{JA_NUMERALS}時午約])十分(?![{JA_NUMERALS}間前後過以の]|ほど|くらい|ぐらい|おき|ごと)"
    # A vague number has no digits: 数百人, 何千.
    r"|[数何幾][十百千万億兆]+"
)
_JA_COUNTERS = (
    "円年人個回度日月時分秒台本枚冊件名歳才点倍杯匹羽軒階歩番号位問曲種機隻着通頭話行列社校発口字"
)
_JA_LONE = re.compile(rf"(?<![{JA_NUMERALS}])[十百千万億兆](?=[^{JA_NUMERALS}{_JA_COUNTERS}ァ-ヶ])")
"""A lone unit is mostly part of a name or compound (千葉, 百科, 万全) unless a counter follows."""
_JA_NUMBER = re.compile(rf"[{JA_NUMERALS}]+|ゼロ|マイナス|ルート")

_EN_NUMBER = re.compile(
    r"(?<![\w'])(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|"
    r"fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|fou?rty|fifty|sixty|"
    r"seventy|eighty|ninety|hundred|thousand|million|billion|trillion|half|quarter|dot|"
    r"first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|"
    r"\w+teenth|\w+tieth|hundredth|thousandth|\w+ties|\w+teens|(?:[a-z] ){2}[a-z])(?![\w'])"
)
_EN_HYPHEN = re.compile(
    r"(?<=ty)-(?=(?:one|two|three|four|five|six|seven|eight|nine|first|second|third|fourth|fifth|"
    r"sixth|seventh|eighth|ninth)\b)"
)
_EN_WORD = r"[^\W_]+(?:['.][^\W_]+)*'?"
_EN_RUN = re.compile(f"{_EN_WORD}(?: +{_EN_WORD})*")
"""Words with nothing but spaces between them; a number never spans punctuation."""


def mask_zh(text: str) -> str:
    """Simplified, with fixed phrases, quotes and controls hidden."""
    plain = UNSAFE.sub(MASK, simplify_characters(text)).replace("〇", "零")
    return _ZH_FIXED.sub(_hide, plain)


def mask_ja(text: str) -> str:
    """With names, fixed phrases, quotes and controls hidden."""
    return _JA_LONE.sub(MASK, _JA_FIXED.sub(_hide, UNSAFE.sub(MASK, text)))


def mask_en(text: str) -> str:
    """In lower case (the grammar knows no other), twenty-five as two words."""
    lower = "".join(low if len(low := char.lower()) == 1 else MASK for char in text)
    return _EN_HYPHEN.sub(" ", UNSAFE.sub(MASK, lower).replace("’", "'"))


def windows_zh(masked: str) -> list[tuple[int, int]]:
    """Stretches that may change, with room for the longest prefix and unit of the grammar."""
    found = re.finditer(f"[{ZH_NUMERALS}]+", masked)
    spans = [match.span() for match in found if not _is_lone_zh(masked, match)]
    return _windows(spans, before=8, after=8, text=masked, numerals=ZH_NUMERALS)


def windows_ja(masked: str) -> list[tuple[int, int]]:
    spans = [match.span() for match in _JA_NUMBER.finditer(masked)]
    return _windows(spans, before=6, after=14, text=masked, numerals=JA_NUMERALS)


def windows_en(masked: str) -> list[tuple[int, int]]:
    """Runs of words that hold a number word or spelled letters, cut at MAX_WINDOW_LETTERS."""
    runs = (match.span() for match in _EN_RUN.finditer(masked))
    spoken = [(start, end) for start, end in runs if _EN_NUMBER.search(masked, start, end)]
    return [
        piece
        for start, end in spoken
        for piece in _cut(masked, start, end, " ", most=MAX_WINDOW_LETTERS)
    ]


def _hide(match: re.Match[str]) -> str:
    return MASK * len(match.group())


def _is_lone_zh(masked: str, match: re.Match[str]) -> bool:
    """Whether the numeral stands alone: the grammar leaves 两个人, 第三 and 万达 in words.

    十 alone is written. A second numeral within five characters (三月五号, 三分之二) or 半 may
    make it a number, and so may a currency or a unit in Latin letters behind it.
    """
    if match.end() - match.start() > 1 or match.group() == "十":
        return False
    start, end = match.span()
    around = masked[max(0, start - 5) : start] + masked[end : end + 5]
    return not re.search(f"[{ZH_NUMERALS}半元美英欧日币镑A-Za-z负]", around)


def _windows(
    spans: Iterable[tuple[int, int]], *, before: int, after: int, text: str, numerals: str
) -> list[tuple[int, int]]:
    """Widen *spans*, merge those that touch, cut what became too long beside a number."""
    merged: list[tuple[int, int]] = []
    for found_start, found_end in spans:
        start, end = max(0, found_start - before), min(len(text), found_end + after)
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    boundaries = "".join(sorted(set(text) - set(numerals)))
    return [
        piece
        for start, end in merged
        for piece in _cut(text, start, end, boundaries, most=MAX_WINDOW_CHARS)
    ]


def _cut(text: str, start: int, end: int, boundaries: str, *, most: int) -> list[tuple[int, int]]:
    """Cut text[start:end] into pieces of at most *most* characters, after a boundary character in
    the second half of the piece where there is one."""
    pieces = []
    while end - start > most:
        latest = start + most
        middle = latest - most // 2
        cut = next((at for at in range(latest, middle, -1) if text[at - 1] in boundaries), latest)
        pieces.append((start, cut))
        start = cut
    return [*pieces, (start, end)]
