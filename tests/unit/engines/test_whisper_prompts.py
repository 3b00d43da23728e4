"""What the model is told: at most as much as fits."""

from __future__ import annotations

import logging

import pytest

from offscribe.engines.whisper_prompts import STYLES, build_prompt


def encode(text: str) -> list[int]:
    """One token a character."""
    return [ord(character) for character in text]


def text_of(token_ids: tuple[int, ...]) -> str:
    return "".join(map(chr, token_ids))


def test_chinese_is_told_its_style_last_and_hotwords_first() -> None:
    prompt = build_prompt("zh", ["吕旭", "灵音"], encode=encode, max_tokens=200)
    assert text_of(prompt.token_ids) == "吕旭、灵音。" + STYLES["zh"]
    assert prompt.hotwords == ("吕旭", "灵音")


def test_english_without_hotwords_is_told_nothing() -> None:
    assert build_prompt("en", [], encode=encode, max_tokens=200).token_ids == ()


def test_english_hotwords_are_a_list() -> None:
    prompt = build_prompt("en", ["Kubernetes", "etcd"], encode=encode, max_tokens=200)
    assert text_of(prompt.token_ids) == " Kubernetes, etcd."


def test_hotwords_are_tidied() -> None:
    prompt = build_prompt("en", [" a\nb ", "", "a b", "\t", "c"], encode=encode, max_tokens=200)
    assert prompt.hotwords == ("a b", "c")


def test_hotwords_beyond_the_room_are_left_out_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    words = [f"word{n:03}" for n in range(100)]
    with caplog.at_level(logging.WARNING):
        prompt = build_prompt("en", words, encode=encode, max_tokens=100)
    assert len(prompt.token_ids) <= 100
    assert prompt.hotwords == tuple(words[: len(prompt.hotwords)])
    assert len(prompt.hotwords) == 11  # " " + 11 words of 7 + 10 commas with space + "." = 99
    assert f"{len(prompt.hotwords)} of the 100 hotwords" in caplog.text


def test_one_endless_hotword_leaves_the_style(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        prompt = build_prompt("zh", ["长" * 5000], encode=encode, max_tokens=100)
    assert prompt.hotwords == ()
    assert text_of(prompt.token_ids) == STYLES["zh"]
