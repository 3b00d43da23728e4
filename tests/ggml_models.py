"""Tiny Whisper models in whisper.cpp's file format that say what a test wants to hear.

The decoder's weights are zero but for its last block, which reads the last token and writes the
one that ``script`` has after it; so the real library loads, listens and decodes, and what it
writes is known. The file format: whisper.cpp, models/convert-pt-to-ggml.py.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

MULTILINGUAL, LARGE_V3, ENGLISH = 51_865, 51_866, 51_864
N_TEXT_TOKENS = 50_257
SOT, EN, ZH, PREV, NO_SPEECH, NO_TIMESTAMPS = 50_258, 50_259, 50_260, 50_361, 50_362, 50_363
"""Control tokens of multilingual models; END comes before SOT."""
END = 50_257
STATE, LAYERS, AUDIO_CTX, MELS = 64, 4, 1500, 80
TEXT_CTX, SHORT_TEXT_CTX = 448, 160
LOUD, FAINT = 100.0, 0.42

Tensor = tuple[str, np.ndarray]
Shape = tuple[str, tuple[int, ...], int]
F32, F16, Q5_0 = 0, 1, 6


def token(text: str) -> int:
    """The id of a token of WORDS."""
    return WORDS.index(text.encode())


WORDS = [
    *(bytes([value]) for value in range(256)),
    *(text.encode() for text in ("大家", "好", "你好", " hello", " world", "以下", "普通")),
]
"""The first tokens of the vocabulary: all bytes, so that any text can be written, and words."""


def write_model(
    path: Path,
    script: Mapping[int, int],
    *,
    faint: Collection[int] = (),
    n_vocab: int = MULTILINGUAL,
    n_mels: int = MELS,
) -> Path:
    """Write a model file that follows every token of *script* by the one it is mapped to, surely,
    or with a probability of a third if that one is *faint*."""
    sizes = Sizes(n_vocab, STATE, LAYERS, LAYERS, n_mels, SHORT_TEXT_CTX)
    values = _values(script, faint, n_vocab)
    with path.open("wb") as file:
        n_text = N_TEXT_TOKENS - (n_vocab == ENGLISH)
        file.write(sizes.head(WORDS + [b"?" * 20] * (n_text - len(WORDS))))
        for name, shape, kind in sizes.tensors(F16):
            file.write(_label(name, shape, kind))
            filled = values.get(name, np.ones(shape) if name.endswith("ln.weight") else None)
            data = np.zeros(shape) if filled is None else filled
            file.write(data.astype("<f2" if kind == F16 else "<f4").tobytes())
    return path


def write_empty(path: Path, sizes: Sizes, words: list[bytes], kind: int) -> Path:
    """Write a file of these sizes that has holes where the numbers are. It takes no room."""
    with path.open("wb") as file:
        file.write(sizes.head(words))
        for name, shape, kind_of_it in sizes.tensors(kind):
            file.write(_label(name, shape, kind_of_it))
            n_bytes = {F32: 4.0, F16: 2.0, Q5_0: 22 / 32}[kind_of_it] * prod(shape)
            file.seek(int(n_bytes), io.SEEK_CUR)
        file.truncate(file.tell())
    return path


@dataclass(frozen=True)
class Sizes:
    """Those of one Whisper; with *state* 512 and 6 and 6 layers it is the base model."""

    n_vocab: int
    state: int
    n_audio_layer: int
    n_text_layer: int
    n_mels: int
    n_text_ctx: int = TEXT_CTX

    def head(self, words: list[bytes]) -> bytes:
        """The file up to the first tensor."""
        n_heads = self.state // 64
        audio = (AUDIO_CTX, self.state, n_heads, self.n_audio_layer)
        text = (self.n_text_ctx, self.state, n_heads, self.n_text_layer)
        return b"".join(
            (
                struct.pack("<I11i", 0x67676D6C, self.n_vocab, *audio, *text, self.n_mels, 1),
                struct.pack("<2i", self.n_mels, 201),
                np.full((self.n_mels, 201), 0.01, "<f4").tobytes(),
                struct.pack("<i", len(words)),
                *(struct.pack("<I", len(word)) + word for word in words),
            )
        )

    def tensors(self, kind: int) -> Iterator[Shape]:
        """Name, shape and kind of each; the large ones are of *kind*."""
        state = self.state
        yield "encoder.positional_embedding", (AUDIO_CTX, state), F32
        yield "encoder.conv1.weight", (state, self.n_mels, 3), F16
        yield "encoder.conv1.bias", (state, 1), F32
        yield "encoder.conv2.weight", (state, state, 3), F16
        yield "encoder.conv2.bias", (state, 1), F32
        yield from _norm("encoder.ln_post", state)
        for layer in range(self.n_audio_layer):
            yield from _block(f"encoder.blocks.{layer}", ("attn",), state, kind)
        yield "decoder.positional_embedding", (self.n_text_ctx, state), F32
        yield "decoder.token_embedding.weight", (self.n_vocab, state), kind
        yield from _norm("decoder.ln", state)
        for layer in range(self.n_text_layer):
            yield from _block(f"decoder.blocks.{layer}", ("attn", "cross_attn"), state, kind)


def _block(name: str, attentions: tuple[str, ...], state: int, kind: int) -> Iterator[Shape]:
    yield from _norm(f"{name}.mlp_ln", state)
    yield f"{name}.mlp.0.weight", (4 * state, state), kind
    yield f"{name}.mlp.0.bias", (4 * state,), F32
    yield f"{name}.mlp.2.weight", (state, 4 * state), kind
    yield f"{name}.mlp.2.bias", (state,), F32
    for attention in attentions:
        yield from _norm(f"{name}.{attention}_ln", state)
        for part in ("query", "key", "value", "out"):
            yield f"{name}.{attention}.{part}.weight", (state, state), kind
            if part != "key":
                yield f"{name}.{attention}.{part}.bias", (state,), F32


def _norm(name: str, state: int) -> Iterator[Shape]:
    yield f"{name}.weight", (state,), F32
    yield f"{name}.bias", (state,), F32


def _values(
    script: Mapping[int, int], faint: Collection[int], n_vocab: int
) -> dict[str, np.ndarray]:
    """What is not zero. A token of the script has two numbers: one is read by the last block, the
    other one is where that block writes the next token, much louder."""
    known = {name: at for at, name in enumerate(dict.fromkeys([*script, *script.values()]))}
    half = STATE // 2
    embedding = np.zeros((n_vocab, STATE))
    read, write = np.zeros((4 * STATE, STATE)), np.zeros((STATE, 4 * STATE))
    for name, at in known.items():
        embedding[name, [at, half + at]] = FAINT if name in faint else 1.0
    for at, (before, after) in enumerate(script.items()):
        read[at, known[before]] = 10.0
        write[half + known[after], at] = LOUD
    last = f"decoder.blocks.{LAYERS - 1}"
    return {
        "decoder.token_embedding.weight": embedding,
        "decoder.ln.weight": np.full(STATE, 3.0),
        f"{last}.mlp.0.weight": read,
        f"{last}.mlp.2.weight": write,
    }


def _label(name: str, shape: tuple[int, ...], kind: int) -> bytes:
    head = struct.pack("<3i", len(shape), len(name), kind)
    return head + struct.pack(f"<{len(shape)}i", *reversed(shape)) + name.encode()
