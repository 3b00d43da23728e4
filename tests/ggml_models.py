"""Tiny Whisper models in whisper.cpp's file format that say what a test wants to hear.

The decoder's weights are zero but for its last block, which reads the last token and writes the
one that ``script`` has after it; so the real library loads, listens and decodes, and what it
writes is known. The file format: whisper.cpp, models/convert-pt-to-ggml.py.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

MULTILINGUAL, LARGE_V3, ENGLISH = 51_865, 51_866, 51_864
N_TEXT_TOKENS = 50_257
SOT, EN, ZH, PREV, NO_SPEECH, NO_TIMESTAMPS = 50_258, 50_259, 50_260, 50_361, 50_362, 50_363
"""Control tokens of multilingual models; END comes before SOT."""
END = 50_257
STATE, HEADS, LAYERS, AUDIO_CTX, TEXT_CTX, MELS = 64, 1, 4, 1500, 448, 80
SURE = 100.0

Tensor = tuple[str, np.ndarray]


def token(text: str) -> int:
    """The id of a token of WORDS."""
    return WORDS.index(text.encode())


WORDS = [
    *(bytes([value]) for value in range(256)),
    *(text.encode() for text in ("大家", "好", "你好", " hello", " world", "以下", "普通")),
]
"""The first tokens of the vocabulary: all bytes, so that any text can be written, and words."""


def write_model(
    path: Path, script: Mapping[int, int], *, n_vocab: int = MULTILINGUAL, n_mels: int = MELS
) -> Path:
    """Write a model file that follows every token of *script* by the one it is mapped to."""
    sizes = (AUDIO_CTX, STATE, HEADS, LAYERS, TEXT_CTX, STATE, HEADS, LAYERS, n_mels)
    with path.open("wb") as file:
        file.write(struct.pack("<I11i", 0x67676D6C, n_vocab, *sizes, 1))
        file.write(struct.pack("<2i", n_mels, 201))
        file.write(np.full((n_mels, 201), 0.01, "<f4").tobytes())
        n_text = N_TEXT_TOKENS - (n_vocab == ENGLISH)
        words = WORDS + [b"?" * 20] * (n_text - len(WORDS))
        file.write(struct.pack("<i", len(words)))
        file.write(b"".join(struct.pack("<I", len(word)) + word for word in words))
        for name, values in _tensors(script, n_vocab, n_mels):
            kind = 1 if values.dtype == np.float16 else 0
            file.write(struct.pack("<3i", values.ndim, len(name), kind))
            file.write(struct.pack(f"<{values.ndim}i", *reversed(values.shape)))
            file.write(name.encode() + values.tobytes())
    return path


def _tensors(script: Mapping[int, int], n_vocab: int, n_mels: int) -> Iterator[Tensor]:
    yield "encoder.positional_embedding", _zeros(AUDIO_CTX, STATE)
    yield "encoder.conv1.weight", _zeros(STATE, n_mels, 3, half=True)
    yield "encoder.conv1.bias", _zeros(STATE, 1)
    yield "encoder.conv2.weight", _zeros(STATE, STATE, 3, half=True)
    yield "encoder.conv2.bias", _zeros(STATE, 1)
    yield from _norm("encoder.ln_post")
    for layer in range(LAYERS):
        yield from _block(f"encoder.blocks.{layer}", ("attn",))
    known = {name: at for at, name in enumerate(dict.fromkeys([*script, *script.values()]))}
    half = STATE // 2
    embedding = _zeros(n_vocab, STATE, half=True)
    read, write = _zeros(4 * STATE, STATE, half=True), _zeros(STATE, 4 * STATE, half=True)
    for name, at in known.items():
        embedding[name, [at, half + at]] = 1.0
    for at, (before, after) in enumerate(script.items()):
        read[at, known[before]] = 10.0
        write[half + known[after], at] = SURE
    yield "decoder.positional_embedding", _zeros(TEXT_CTX, STATE)
    yield "decoder.token_embedding.weight", embedding
    yield "decoder.ln.weight", np.full(STATE, 3.0, "<f4")
    yield "decoder.ln.bias", _zeros(STATE)
    for layer in range(LAYERS):
        is_last = layer == LAYERS - 1
        yield from _block(
            f"decoder.blocks.{layer}",
            ("attn", "cross_attn"),
            mlp=(read, write) if is_last else None,
        )


def _block(
    name: str, attentions: tuple[str, ...], mlp: tuple[np.ndarray, np.ndarray] | None = None
) -> Iterator[Tensor]:
    read, write = mlp or (
        _zeros(4 * STATE, STATE, half=True),
        _zeros(STATE, 4 * STATE, half=True),
    )
    yield from _norm(f"{name}.mlp_ln")
    yield f"{name}.mlp.0.weight", read
    yield f"{name}.mlp.0.bias", _zeros(4 * STATE)
    yield f"{name}.mlp.2.weight", write
    yield f"{name}.mlp.2.bias", _zeros(STATE)
    for attention in attentions:
        yield from _norm(f"{name}.{attention}_ln")
        for part in ("query", "key", "value", "out"):
            yield f"{name}.{attention}.{part}.weight", _zeros(STATE, STATE, half=True)
            if part != "key":
                yield f"{name}.{attention}.{part}.bias", _zeros(STATE)


def _norm(name: str) -> Iterator[Tensor]:
    yield f"{name}.weight", np.ones(STATE, "<f4")
    yield f"{name}.bias", _zeros(STATE)


def _zeros(*shape: int, half: bool = False) -> np.ndarray:
    return np.zeros(shape, "<f2" if half else "<f4")
