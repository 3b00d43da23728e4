"""What every detector must do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from offscribe.audio.decode import open_audio
from offscribe.errors import ModelDamaged, ModelMissing, NotFound
from offscribe.types import SAMPLE_RATE, Audio, Samples, Vad, VadFrames, VadOptions
from offscribe.vad.registry import VAD_CARDS, load_vad
from offscribe.vad.segmenter import detect

SAMPLE = Path(__file__).parents[2] / "src" / "offscribe" / "sample" / "zh.flac"


@pytest.fixture(scope="module", params=[card.id for card in VAD_CARDS])
def vad(request: pytest.FixtureRequest, models: Path) -> Vad:
    return load_vad(request.param, models / request.param)


@pytest.fixture(scope="module")
def speech() -> Samples:
    with open_audio(SAMPLE) as source:
        return np.concatenate([window.samples for window in source.windows()])


def probabilities(vad: Vad, *portions: Samples) -> np.ndarray:
    return np.concatenate([frames.probabilities for frames in run(vad, *portions)])


def run(vad: Vad, *portions: Samples) -> list[VadFrames]:
    stream = vad.open()
    return [*(stream.accept(portion) for portion in portions), stream.finish()]


def spans(vad: Vad, samples: Samples) -> list[tuple[float, float]]:
    return [(s.start, s.end) for s in detect([Audio(samples)], vad, VadOptions())]


@pytest.mark.parametrize("n_portions", [2, 7, 331, 4001])
def test_portions_give_what_the_whole_gives(vad: Vad, speech: Samples, n_portions: int) -> None:
    whole = probabilities(vad, speech)
    parts = probabilities(vad, *np.array_split(speech, n_portions))
    np.testing.assert_allclose(parts, whole, atol=1e-4)


def test_each_frame_has_a_probability_a_level_and_its_time(vad: Vad, speech: Samples) -> None:
    frames = run(vad, speech)
    n_frames = sum(len(part.probabilities) for part in frames)
    assert n_frames == sum(len(part.levels_db) for part in frames)
    assert n_frames * vad.frame_s == pytest.approx(len(speech) / SAMPLE_RATE, abs=0.05)
    assert all(((part.probabilities >= 0) & (part.probabilities <= 1)).all() for part in frames)


def test_streams_do_not_disturb_each_other(vad: Vad, speech: Samples) -> None:
    expected = probabilities(vad, speech)
    one, other = vad.open(), vad.open()
    found = []
    for portion in np.array_split(speech, 11):
        found.append(one.accept(portion).probabilities)
        other.accept(np.zeros(1234, np.float32))
    found.append(one.finish().probabilities)
    np.testing.assert_allclose(np.concatenate(found), expected, atol=1e-4)


def test_speech_is_found(vad: Vad, speech: Samples) -> None:
    found = sum(end - start for start, end in spans(vad, speech))
    assert found > 0.5 * len(speech) / SAMPLE_RATE


def test_speech_after_silence_keeps_its_place(vad: Vad, speech: Samples) -> None:
    first = spans(vad, speech)[0][0]
    later = np.concatenate([np.zeros(5 * SAMPLE_RATE, np.float32), speech])
    assert spans(vad, later)[0][0] == pytest.approx(first + 5, abs=0.15)


@pytest.mark.parametrize("sound", ["digital silence", "faint noise", "tone"])
def test_what_is_no_speech_gives_no_span(vad: Vad, sound: str) -> None:
    n_samples = 10 * SAMPLE_RATE
    match sound:
        case "digital silence":
            samples = np.zeros(n_samples)
        case "faint noise":
            samples = np.random.default_rng(1).normal(0, 0.001, n_samples)
        case _:
            samples = 0.3 * np.sin(2 * np.pi * 1000 * np.arange(n_samples) / SAMPLE_RATE)
    assert spans(vad, samples.astype(np.float32)) == []


@pytest.mark.parametrize("n_samples", [0, 1, 159, 511])
def test_next_to_nothing_gives_nothing(vad: Vad, n_samples: int) -> None:
    assert spans(vad, np.zeros(n_samples, np.float32)) == []


@pytest.mark.parametrize("card", VAD_CARDS, ids=lambda card: card.id)
def test_a_missing_and_a_damaged_model_are_told_apart(
    card,
    models: Path,
    tmp_path: Path,  # type: ignore[no-untyped-def]
) -> None:
    with pytest.raises(ModelMissing):
        load_vad(card.id, tmp_path)
    for file in card.files:
        intact = (models / card.id / file.path).read_bytes()
        (tmp_path / file.path).write_bytes(intact[: len(intact) // 2])
    with pytest.raises(ModelDamaged):
        load_vad(card.id, tmp_path)


def test_an_unknown_detector_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        load_vad("other", tmp_path)
    assert "silero-vad" in caught.value.hint
