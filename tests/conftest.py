"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of labelled speech beside the checkout (OFFSCRIBE_SHARED overrides it)."""
    folder = Path(os.environ.get("OFFSCRIBE_SHARED", CHECKOUT.parent / "shared"))
    if not (folder / "audio").is_dir():
        pytest.skip("no labelled speech: the folder ../shared/audio is absent")
    return folder


def models_folder() -> Path:
    """The models folder of the tests; OFFSCRIBE_TEST_MODELS overrides it."""
    return Path(os.environ.get("OFFSCRIBE_TEST_MODELS", CHECKOUT / "models"))


@pytest.fixture(scope="session")
def models() -> Path:
    """The models folder with the starter models."""
    folder = models_folder()
    if not (folder / "whisper-base" / "manifest.json").is_file():
        pytest.fail("the starter models are not installed: run `bash test.sh` or `models pull`")
    return folder
