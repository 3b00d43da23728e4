"""Values as JSON columns and back."""

from __future__ import annotations

import json
from dataclasses import asdict

from offscribe.types import RecognizeOptions, VadOptions, Word


def dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def dump_options(options: RecognizeOptions) -> str:
    return dump(asdict(options))


def load_options(column: str) -> RecognizeOptions:
    fields = json.loads(column)
    return RecognizeOptions(
        **{
            **fields,
            "hotwords": tuple(fields["hotwords"]),
            "vad": VadOptions(**fields["vad"]),
        }
    )


def dump_words(words: tuple[Word, ...]) -> str | None:
    if not words:
        return None
    return dump([[word.text, round(word.start, 3), round(word.end, 3)] for word in words])


def load_words(column: str | None) -> tuple[Word, ...]:
    return tuple(Word(*fields) for fields in json.loads(column)) if column else ()
