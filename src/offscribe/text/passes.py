"""The text passes of a recording, in their order."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from offscribe.text.hotwords import HotwordCorrection
from offscribe.text.itn import InverseNormalisation
from offscribe.text.punctuation import FullWidthPunctuation
from offscribe.text.script import ScriptConversion
from offscribe.types import RecognizeOptions, Segment


class TextPass(Protocol):
    """A pure step from segment to segment."""

    def __call__(self, segment: Segment, *, language: str) -> Segment:
        """Return the segment with its text changed; its start and end stay.

        language: what was heard, a code of LANGUAGES other than ``auto``; a pass that does not
        know the language leaves the segment alone.
        """
        ...


def build_passes(options: RecognizeOptions) -> tuple[TextPass, ...]:
    """Return hotword correction, script, punctuation, normalisation; those that are asked for.

    The first fixes what was heard, so the others see the right words; the numbers come last
    because only ``itn_text`` has them. Without ITN the last pass copies the text. Building indexes
    the hotwords (ten thousand: about 0.2 s); wetext and OpenCC load with the first segment.
    """
    passes: list[TextPass] = []
    if options.hotwords and options.correct_hotwords:
        passes.append(HotwordCorrection(options.hotwords))
    if options.script != "keep":
        passes.append(ScriptConversion(options.script))
    passes.append(FullWidthPunctuation())
    passes.append(InverseNormalisation() if options.itn else as_spoken)
    return tuple(passes)


def as_spoken(segment: Segment, *, language: str) -> Segment:  # noqa: ARG001
    """The pass of ``itn=False``: the written form is the spoken one, in every language."""
    return replace(segment, itn_text=segment.text)
