"""What all Whispers have in common, whatever runs them."""

from __future__ import annotations

from offscribe.types import ModelCard

WINDOW_S = 30.0
"""The encoder has no position beyond it."""
_CODES = """
zh en ja ko yue af am ar as az ba be bg bn bo br bs ca cs cy da de el es et eu fa fi fo fr gl gu ha
haw he hi hr ht hu hy id is it jw ka kk km kn la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn
no oc pa pl ps pt ro ru sa sd si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi
yo
"""
LANGUAGES = tuple(_CODES.split())
"""What multilingual Whisper models were trained on. Those before large-v3 have no token of their
own for Cantonese (yue); they hear it as Chinese."""
ENGLISH_TOKENS = 51_864
MULTILINGUAL_TOKENS = 51_865
CANTONESE_TOKENS = 51_866
"""Sizes of the vocabularies: only English, 99 languages, and since large-v3 Cantonese too."""
WHISPER = ModelCard(
    id="whisper",
    title="Whisper",
    engine="",
    kind="recognizer",
    licence="MIT",
    homepage="https://github.com/openai/whisper",
    languages=LANGUAGES,
    times="segment",
    max_chunk_s=WINDOW_S,
    takes_hotwords=True,
)
"""What the cards of the family are made from."""
