"""Detection on real speech with known utterances."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from offscribe.audio.decode import open_audio
from offscribe.types import VadOptions
from offscribe.vad.registry import load_vad
from offscribe.vad.segmenter import detect


@pytest.mark.parametrize("model", ["silero-vad", "fsmn-vad"])
def test_hardly_any_speech_is_missed_and_little_else_is_kept(
    model: str, shared: Path, models: Path
) -> None:
    folder = shared / "audio" / "long"
    truth = json.loads((folder / "two_speakers_10min.json").read_text("utf-8"))
    with open_audio(folder / "two_speakers_10min.flac") as source:
        spans = list(detect(source.windows(), load_vad(model, models / model), VadOptions()))
        n_frames = round(source.duration * 100)
    is_speech, is_found = np.zeros(n_frames, bool), np.zeros(n_frames, bool)
    for utterance in truth:
        is_speech[round(utterance["start"] * 100) : round(utterance["end"] * 100)] = True
    for span in spans:
        is_found[round(span.start * 100) : round(span.end * 100)] = True
    # The utterances' bounds include a little silence, which nobody needs to find.
    assert (is_speech & is_found).sum() / is_speech.sum() > 0.75
    assert (is_found & ~is_speech).sum() / is_found.sum() < 0.1
