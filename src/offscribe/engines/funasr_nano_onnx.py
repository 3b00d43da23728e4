"""Fun-ASR-Nano as ONNX, through sherpa-onnx: no torch, about a gigabyte, any CPU."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from offscribe.engines import sherpa
from offscribe.engines.base import EngineSpec, card_like
from offscribe.engines.nano import (
    NANO_LANGUAGES,
    SYSTEM_PROMPT,
    NanoRecognizer,
    Request,
    context,
    instruction,
    languages_of,
    names_of,
)
from offscribe.engines.onnx_metadata import require
from offscribe.engines.tokenizer import read_tokenizer
from offscribe.errors import BadOption, ModelDamaged
from offscribe.types import (
    SAMPLE_RATE,
    LoadOptions,
    ModelCard,
    Samples,
)

log = logging.getLogger(__name__)

MARKS = (
    "encoder_adaptor*.onnx",
    "llm*.onnx",
    "embedding*.onnx",
    "Qwen3-0.6B/vocab.json",
    "Qwen3-0.6B/merges.txt",
    "Qwen3-0.6B/tokenizer.json",
)
KINDS = {"int8": ".int8.onnx", "float16": ".fp16.onnx", "float32": ".onnx"}
"""Endings of the files of each compute type; ``auto`` takes the first that is there."""
MAX_CHUNK_S = 20.0
AUDIO_TOKENS_PER_S = 1000 / 60
"""One token a 60 ms frame: this export keeps all of them."""
CHAT_TOKENS = 12
"""The marks and names of the turns around system prompt, request and answer."""
RESERVED_HOTWORDS = ("专业术语",) * 20
"""As many fit beside the longest chunk; shorter chunks take more."""
SPEECH_TOKENS_PER_S = 7.0
"""What is kept free for the answer: fast Chinese."""
MAX_NEW_TOKENS = 512


def _card(kind: str, size_bytes: int, suffix: str) -> ModelCard:
    """*kind*: how the publisher names the precision, of the language model alone where it is
    fp16. Archives of the asr-models release hold one folder; its name is the hub repository's."""
    name = f"sherpa-onnx-funasr-nano-{kind}-2025-12-30"
    paths = (
        *("encoder_adaptor.int8.onnx", "embedding.int8.onnx", f"llm.{kind}.onnx"),
        *MARKS[3:],
    )
    return ModelCard(
        id=f"fun-asr-nano-2512{suffix}",
        title=f"Fun-ASR-Nano-2512 ({kind} ONNX)",
        engine="funasr_nano_onnx",
        kind="recognizer",
        licence="Apache-2.0",
        homepage="https://github.com/FunAudioLLM/Fun-ASR",
        languages=tuple(NANO_LANGUAGES),
        times="segment",
        aligned_by=("fun-asr-nano-2512-ctc",),
        max_chunk_s=MAX_CHUNK_S,
        takes_hotwords=True,
        approximate_bytes=size_bytes,
        origins=sherpa.origins(name, paths),
    )


CARDS = (_card("int8", 948_000_000, ""), _card("fp16", 1_500_000_000, "-fp16"))


def load(card: ModelCard, folder: Path, options: LoadOptions) -> NanoRecognizer:
    """See ``EngineSpec``. The card's chunk length and the number of hotwords follow from the cache
    size that is baked into the language model."""
    import sherpa_onnx

    device = sherpa.device_of(options)
    ending = _ending(folder, options.compute_type)
    encoder, llm, embedding = (
        sherpa.the_file(folder, f"{stem}{ending}", f"{stem}*.onnx")
        for stem in ("encoder_adaptor", "llm", "embedding")
    )
    require(encoder, "lfr_window_size", "lfr_window_shift", "llm_dim")
    require(embedding)
    cache = Cache(_cache_size(llm), _counter(folder / "Qwen3-0.6B" / "tokenizer.json"))
    chunk_s = cache.max_chunk_s()
    with sherpa.loading(card, folder):
        recognizer = sherpa_onnx.OfflineRecognizer.from_funasr_nano(
            encoder_adaptor=str(encoder),
            llm=str(llm),
            embedding=str(embedding),
            tokenizer=str(folder / "Qwen3-0.6B"),
            num_threads=sherpa.n_threads(options),
            max_new_tokens=min(MAX_NEW_TOKENS, cache.size),
        )
    return NanoRecognizer(
        replace(card, max_chunk_s=min(card.max_chunk_s, chunk_s)),
        SherpaDecoder(recognizer, cache),
        names=names_of(card),
        device=device,
        batch_size=options.batch_size,
    )


def describe(folder: Path) -> ModelCard:
    """The card of an export that is not one of the publisher's."""
    return card_like(CARDS[0], folder, languages=languages_of(folder.name))


@dataclass(frozen=True, slots=True)
class Cache:
    """The positions that the language model has for prompt, sound and answer together; over them
    sherpa-onnx cuts the sound and only says so in its log. *count*: the tokens of a text."""

    size: int
    count: Callable[[str], int]

    def max_chunk_s(self) -> float:
        """The longest chunk that fits with its answer and RESERVED_HOTWORDS. Raises
        ModelDamaged."""
        free = self.size - self._prompt(Request("中文", False, RESERVED_HOTWORDS))
        fitting = free / (AUDIO_TOKENS_PER_S + SPEECH_TOKENS_PER_S)
        if fitting < 1:
            raise ModelDamaged(f"the model's {self.size} positions have no room for speech")
        return min(MAX_CHUNK_S, int(fitting * 10) / 10)

    def fitting(self, request: Request, duration: float) -> Request:
        """*request* with as many of its hotwords as fit beside *duration* seconds of sound and
        their answer; what is left out is said in the log."""
        free = self.size - math.ceil(duration * (AUDIO_TOKENS_PER_S + SPEECH_TOKENS_PER_S))
        fitting = request
        while fitting.hotwords and self._prompt(fitting) > free:
            fitting = replace(fitting, hotwords=fitting.hotwords[: len(fitting.hotwords) * 9 // 10])
        if fitting is not request:
            log.warning("%d of %d hotwords fit", len(fitting.hotwords), len(request.hotwords))
        return fitting

    def _prompt(self, request: Request) -> int:
        user = context(request.hotwords) + instruction(request)
        return CHAT_TOKENS + self.count(SYSTEM_PROMPT) + self.count(user)


class SherpaDecoder:
    """See ``nano.Decoder``. sherpa-onnx decodes one clip after the other. It has one token limit
    for all; what a text has beyond its own is cut off."""

    def __init__(self, recognizer: Any, cache: Cache) -> None:
        self._recognizer = recognizer
        self._cache = cache

    def decode(
        self, clips: Sequence[Samples], request: Request, budgets: Sequence[int]
    ) -> list[str]:
        return [
            self._text(clip, request, budget) for clip, budget in zip(clips, budgets, strict=True)
        ]

    def _text(self, clip: Samples, request: Request, budget: int) -> str:
        fitting = self._cache.fitting(request, len(clip) / SAMPLE_RATE)
        result = sherpa.decode(
            self._recognizer,
            clip,
            {
                "hotwords": ",".join(fitting.hotwords),
                "language": fitting.language or "",
                "itn": "1" if fitting.itn else "0",
            },
        )
        is_within = len(result.tokens) <= budget
        return str(result.text) if is_within else "".join(result.tokens[:budget])


def _ending(folder: Path, compute_type: str) -> str:
    there = [
        name
        for name, ending in KINDS.items()
        if any(path.name == f"llm{ending}" for path in folder.glob("llm*.onnx"))
    ]
    if compute_type == "auto" and there:
        return KINDS[there[0]]
    if compute_type in there:
        return KINDS[compute_type]
    if compute_type == "auto":
        raise ModelDamaged(f"{folder} lacks llm.int8.onnx, llm.fp16.onnx and llm.onnx")
    raise BadOption(
        f"the compute type {compute_type!r} is not among the model's files",
        hint=f"It has: {', '.join(there)}.",
    )


def _counter(tokenizer: Path) -> Callable[[str], int]:
    encode = read_tokenizer(tokenizer).encode
    return lambda text: len(encode(text, add_special_tokens=False).ids)


def _cache_size(llm: Path) -> int:
    metadata = require(llm, "vocab_size", "max_total_len", "model_type")
    size = metadata["max_total_len"]
    if "kv_delta" not in metadata["model_type"] or not size.isdecimal():
        raise ModelDamaged(
            f"{llm} is no language model of a form that sherpa-onnx reads",
            hint="Take the files made for sherpa-onnx, of December 2025 or later.",
        )
    return int(size)


SPEC = EngineSpec(
    name="funasr_nano_onnx",
    title="sherpa-onnx (Fun-ASR-Nano)",
    cards=CARDS,
    requires=("sherpa_onnx", "tokenizers"),
    extra="onnx",
    runtime=sherpa.RUNTIME,
    marks=MARKS,
    devices=sherpa.devices,
    load=load,
    describe=describe,
)
