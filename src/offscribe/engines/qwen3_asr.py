"""Qwen3-ASR as ONNX, through sherpa-onnx: a language model that writes what its encoder hears.

It is asked, limited and doubted like Fun-ASR-Nano; see ``engines/nano.py``. No word times.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from offscribe.engines import sherpa
from offscribe.engines.base import EngineSpec, card_like
from offscribe.engines.nano import NanoRecognizer, Request
from offscribe.engines.onnx_metadata import require
from offscribe.errors import BadOption
from offscribe.types import LoadOptions, ModelCard, Samples

MARKS = (
    "conv_frontend*.onnx",
    "encoder*.onnx",
    "decoder*.onnx",
    "tokenizer/vocab.json",
    "tokenizer/merges.txt",
)
NAME = "sherpa-onnx-qwen3-asr-0.6B-int8-2026-03-25"
LANGUAGES = {
    **{"zh": "Chinese", "en": "English", "yue": "Cantonese", "ja": "Japanese", "ko": "Korean"},
    **{"de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "pt": "Portuguese"},
    **{"ru": "Russian", "ar": "Arabic", "id": "Indonesian", "th": "Thai", "vi": "Vietnamese"},
}
"""Those of its languages that the page offers or that are most spoken."""
TEXT_MARK = "<asr_text>"
"""Before it the model may write which language it heard."""
POSITIONS = 1024
MAX_NEW_TOKENS = 256
MAX_HOTWORDS = 40

FILES = (
    *("conv_frontend.onnx", "encoder.int8.onnx", "decoder.int8.onnx"),
    *("tokenizer/vocab.json", "tokenizer/merges.txt", "tokenizer/tokenizer_config.json"),
)

QWEN3_ASR = ModelCard(
    id="qwen3-asr-0.6b",
    title="Qwen3-ASR 0.6B (int8 ONNX)",
    engine="qwen3_asr",
    kind="recognizer",
    licence="Apache-2.0",
    homepage="https://github.com/QwenLM/Qwen3-ASR",
    languages=tuple(LANGUAGES),
    times="segment",
    max_chunk_s=20.0,
    takes_hotwords=True,
    approximate_bytes=879_000_000,
    origins=sherpa.origins(NAME, FILES, owner="csukuangfj2"),
)


def load(card: ModelCard, folder: Path, options: LoadOptions) -> NanoRecognizer:
    """See ``EngineSpec``."""
    import sherpa_onnx

    device = sherpa.device_of(options)
    if options.compute_type not in ("auto", "int8"):
        raise BadOption(f"{card.title} has no compute type {options.compute_type!r}")
    frontend, encoder, decoder = (sherpa.the_file(folder, mark) for mark in MARKS[:3])
    for path in (frontend, encoder, decoder):
        require(path)
    with sherpa.loading(card, folder):
        recognizer = sherpa_onnx.OfflineRecognizer.from_qwen3_asr(
            conv_frontend=str(frontend),
            encoder=str(encoder),
            decoder=str(decoder),
            tokenizer=str(folder / "tokenizer"),
            num_threads=sherpa.n_threads(options),
            max_total_len=POSITIONS,
            max_new_tokens=MAX_NEW_TOKENS,
        )
    return NanoRecognizer(
        card,
        QwenDecoder(recognizer),
        names=LANGUAGES,
        device=device,
        batch_size=options.batch_size,
        max_hotwords=MAX_HOTWORDS,
    )


def describe(folder: Path) -> ModelCard:
    """The card of an export that is not the publisher's."""
    return card_like(QWEN3_ASR, folder)


class QwenDecoder:
    """See ``nano.Decoder``. The model writes numbers as it likes: it has no switch for that."""

    def __init__(self, recognizer: Any) -> None:
        self._recognizer = recognizer

    def decode(
        self, clips: Sequence[Samples], request: Request, budgets: Sequence[int]
    ) -> list[str]:
        settings = {"hotwords": ",".join(request.hotwords), "language": request.language or ""}
        texts = []
        for clip, budget in zip(clips, budgets, strict=True):
            result = sherpa.decode(self._recognizer, clip, settings)
            is_within = len(result.tokens) <= budget
            written = str(result.text) if is_within else "".join(result.tokens[:budget])
            texts.append(written.rpartition(TEXT_MARK)[2])
        return texts


SPEC = EngineSpec(
    name="qwen3_asr",
    title="sherpa-onnx (Qwen3-ASR)",
    cards=(QWEN3_ASR,),
    requires=("sherpa_onnx",),
    extra="onnx",
    runtime=sherpa.RUNTIME,
    marks=MARKS,
    devices=sherpa.devices,
    load=load,
    describe=describe,
)
