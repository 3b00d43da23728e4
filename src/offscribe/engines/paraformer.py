"""Paraformer, through sherpa-onnx: Chinese with some English, fast, with token times."""

from __future__ import annotations

from pathlib import Path

from offscribe.engines import sherpa
from offscribe.engines.base import EngineSpec, card_like
from offscribe.engines.onnx_metadata import read_metadata, require
from offscribe.types import LoadOptions, ModelCard, Samples

MARKS = ("model*.onnx", "tokens.txt")
NAME = "sherpa-onnx-paraformer-zh-2023-09-14"

PARAFORMER_ZH = ModelCard(
    id="paraformer-zh",
    title="Paraformer Chinese (int8 ONNX)",
    engine="paraformer",
    kind="recognizer",
    licence="FunASR Model License 1.1",
    homepage="https://github.com/modelscope/FunASR",
    languages=("zh", "en"),
    times="word",
    max_chunk_s=30.0,
    approximate_bytes=233_000_000,
    origins=sherpa.origins(NAME, ("model.int8.onnx", "tokens.txt")),
)


def load(card: ModelCard, folder: Path, options: LoadOptions) -> sherpa.TimedRecognizer:
    """See ``EngineSpec``."""
    import sherpa_onnx

    device = sherpa.device_of(options)
    model, tokens = sherpa.one_model(folder, card, options.compute_type)
    require(model, "vocab_size", "lfr_window_size", "lfr_window_shift", "neg_mean", "inv_stddev")
    with sherpa.loading(card, folder):
        recognizer = sherpa_onnx.OfflineRecognizer.from_paraformer(
            paraformer=str(model), tokens=str(tokens), num_threads=sherpa.n_threads(options)
        )

    def hear(clip: Samples, language: str) -> sherpa.Heard:
        result = sherpa.decode(recognizer, clip, {})
        return sherpa.Heard(
            language="zh" if language == "auto" else language,
            text=str(result.text),
            tokens=tuple(result.tokens),
            starts=tuple(result.timestamps),
        )

    return sherpa.TimedRecognizer(card, hear, device=device, batch_size=options.batch_size)


def recognises(folder: Path) -> bool:
    """Its export has normalisation in the metadata and no languages."""
    metadata = read_metadata(sherpa.the_file(folder, "model*.onnx"))
    return "paraformer" in metadata.get("model_type", "").lower() or (
        "neg_mean" in metadata and "lang_zh" not in metadata
    )


def describe(folder: Path) -> ModelCard:
    """The card of an export that is not the publisher's."""
    return card_like(PARAFORMER_ZH, folder)


SPEC = EngineSpec(
    name="paraformer",
    title="sherpa-onnx (Paraformer)",
    cards=(PARAFORMER_ZH,),
    requires=("sherpa_onnx",),
    extra="onnx",
    runtime=sherpa.RUNTIME,
    marks=MARKS,
    devices=sherpa.devices,
    load=load,
    recognises=recognises,
    describe=describe,
)
