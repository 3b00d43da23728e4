"""Which model this machine is best served with, of those that install by package name."""

from __future__ import annotations


def recommend() -> str:
    """Return the id of the model to install where a person leaves the choice to us."""
    return "whisper-base"
