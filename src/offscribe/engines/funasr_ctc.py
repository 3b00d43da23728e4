"""SenseVoice, and Fun-ASR-Nano's encoder with its CTC head, through sherpa-onnx: one pass, fast,
with measured token times. The CTC head also times the text of the language model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from offscribe.engines import sherpa
from offscribe.engines.base import EngineSpec, card_like
from offscribe.engines.onnx_metadata import read_metadata, require
from offscribe.types import LoadOptions, ModelCard, Samples

MARKS = ("model*.onnx", "tokens.txt")
SENSE_VOICE = ("sense_voice", "sensevoice", "sense-voice", "funasr", "fun-asr", "fun_asr")
"""What the model_type or comment of the metadata says."""
COMMON = ("vocab_size", "lfr_window_size", "lfr_window_shift", "normalize_samples")
OF_SENSE_VOICE = (
    *("with_itn", "without_itn", "neg_mean", "inv_stddev"),
    *(f"lang_{code}" for code in ("auto", "zh", "en", "ja", "ko", "yue")),
)
"""The metadata without which sherpa-onnx ends the process. Source: its sense-voice model."""
LANGUAGES = ("zh", "en", "ja", "ko", "yue")


def _card(
    model_id: str, title: str, name: str, size_bytes: int, languages: tuple[str, ...]
) -> ModelCard:
    return ModelCard(
        id=model_id,
        title=title,
        engine="funasr_ctc",
        kind="recognizer",
        licence="Apache-2.0" if "nano" in model_id else "FunASR Model License 1.1",
        homepage="https://github.com/FunAudioLLM",
        languages=languages,
        times="word",
        max_chunk_s=30.0,
        approximate_bytes=size_bytes,
        origins=sherpa.origins(name, ("model.int8.onnx", "tokens.txt")),
    )


CARDS = (
    _card(
        "fun-asr-nano-2512-ctc",
        "Fun-ASR-Nano-2512 CTC head (int8 ONNX)",
        "sherpa-onnx-sense-voice-funasr-nano-int8-2025-12-17",
        252_000_000,
        ("zh", "en", "ja", "yue"),
    ),
    _card(
        "sensevoice-small",
        "SenseVoice small (int8 ONNX)",
        "sherpa-onnx-sense-voice-zh-en-ja-ko-yue-int8-2025-09-09",
        240_000_000,
        LANGUAGES,
    ),
)


def load(card: ModelCard, folder: Path, options: LoadOptions) -> sherpa.TimedRecognizer:
    """See ``EngineSpec``."""
    import sherpa_onnx

    device = sherpa.device_of(options)
    model, tokens = sherpa.one_model(folder, card, options.compute_type)
    metadata = require(model, *COMMON)
    if "Nano" not in metadata.get("comment", ""):
        require(model, *OF_SENSE_VOICE)
    with sherpa.loading(card, folder):
        recognizer = sherpa_onnx.OfflineRecognizer.from_sense_voice(
            model=str(model),
            tokens=str(tokens),
            num_threads=sherpa.n_threads(options),
            language="",
            use_itn=False,
        )

    def hear(clip: Samples, language: str) -> sherpa.Heard:
        settings = {} if language == "auto" else {"language": language}
        return _heard(sherpa.decode(recognizer, clip, settings), language)

    return sherpa.TimedRecognizer(card, hear, device=device, batch_size=options.batch_size)


def recognises(folder: Path) -> bool:
    """By what the export wrote about itself."""
    metadata = read_metadata(sherpa.the_file(folder, "model*.onnx"))
    about = " ".join((metadata.get("model_type", ""), metadata.get("comment", ""))).lower()
    return any(name in about for name in SENSE_VOICE) or "lang_zh" in metadata


def describe(folder: Path) -> ModelCard:
    """The card of an export that is not one of the publisher's."""
    return card_like(CARDS[1], folder)


def _heard(result: Any, language: str) -> sherpa.Heard:
    told = str(result.lang).strip("<|>")
    return sherpa.Heard(
        language=told if language == "auto" and told in LANGUAGES else language,
        text=str(result.text),
        tokens=tuple(result.tokens),
        starts=tuple(result.timestamps),
    )


SPEC = EngineSpec(
    name="funasr_ctc",
    title="sherpa-onnx (SenseVoice)",
    cards=CARDS,
    requires=("sherpa_onnx",),
    extra="onnx",
    runtime=sherpa.RUNTIME,
    marks=MARKS,
    devices=sherpa.devices,
    load=load,
    recognises=recognises,
    describe=describe,
)
