"""Times as exports write them."""

from __future__ import annotations

import math

from offscribe.errors import InputError


def to_ms(seconds: float) -> int:
    """Return whole milliseconds, never negative. Raises InputError for what is no time at all."""
    if not math.isfinite(seconds):
        raise InputError(
            f"the recording holds a time that is not a number ({seconds})",
            hint="Transcribe the recording again.",
        )
    return max(0, round(seconds * 1000))


def to_seconds(seconds: float) -> float:
    """Return *seconds* to the millisecond, never negative."""
    return to_ms(seconds) / 1000


def timestamp(ms: int, *, point: str) -> str:
    """``01:02:03.004`` with *point* before the milliseconds; from 100 hours on, more digits."""
    whole, rest = divmod(ms, 1000)
    return f"{clock(whole)}{point}{rest:03d}"


def clock(seconds: int) -> str:
    """``01:02:03``."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{rest:02d}"
