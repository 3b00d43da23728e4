"""How many of WeTextProcessing's own pairs come out as written there."""

from __future__ import annotations

from pathlib import Path

import pytest

from offscribe.text.itn import normalise

FLOORS = {
    "chinese/cardinal": 29,
    "chinese/char": 2,
    "chinese/date": 10,
    "chinese/fraction": 3,
    "chinese/license_plate": 3,
    "chinese/math": 6,
    "chinese/measure": 39,
    "chinese/money": 11,
    "chinese/normalizer": 26,
    "chinese/normalizer_enable_standalone_number_disable_0_to_9": 42,
    "chinese/number": 31,
    "chinese/time": 12,
    "chinese/train_number": 7,
    "chinese/whitelist": 2,
    "english/en_cardinal": 28,
    "english/en_date": 44,
    "english/en_decimal": 63,
    "english/en_electronic": 23,
    "english/en_measure": 114,
    "english/en_money": 52,
    "english/en_ordinal": 20,
    "english/en_telephone": 24,
    "english/en_time": 36,
    "english/en_whitelist": 6,
    "english/en_word": 54,
    "japanese/cardinal": 55,
    "japanese/char": 2,
    "japanese/date": 13,
    "japanese/fraction": 8,
    "japanese/math": 6,
    "japanese/measure": 6,
    "japanese/money": 1,
    "japanese/normalizer_enable_standalone_number_disable_0_to_9": 70,
    "japanese/number": 11,
    "japanese/time": 9,
    "japanese/whitelist": 2,
}
"""Pairs that pass, by file. Those that do not: single digits and removed interjections (other
options than ours), and on purpose first to ninth, doctor to dr. and an address of plain words.
The files for the options ``disable_standalone_number`` and ``enable_0_to_9`` are left out."""

LANGUAGES = {"chinese": "zh", "english": "en", "japanese": "ja"}


def pairs(file: Path) -> list[tuple[str, str]]:
    lines = [line for line in file.read_text("utf-8").splitlines() if "=>" in line]
    halves = [line.split("=>", 1) for line in lines]
    return [(spoken.strip(), written.strip()) for spoken, written in halves]


@pytest.mark.parametrize("name", FLOORS)
def test_known_pairs_come_out_as_written(shared: Path, name: str):
    language = LANGUAGES[name.split("/")[0]]
    found = pairs(shared / "itn" / f"{name}.txt")
    passed = [spoken for spoken, written in found if normalise(spoken, language) == written]
    assert len(passed) >= FLOORS[name]


def test_spoken_text_of_real_recordings_gets_its_digits(shared: Path):
    rows = (shared / "audio" / "aishell.tsv").read_text("utf-8").splitlines()[1:]
    texts = [row.split("\t")[3] for row in rows]
    written = {text: normalise(text, "zh") for text in texts}
    changed = {text: form for text, form in written.items() if text != form}
    assert changed["一三九五一五八三五九三"] == "13951583593"
    assert changed["百分之八十是危险临界点"] == "80%是危险临界点"
    assert len(changed) == 12
