"""Whisper models in whisper.cpp's file format: what one says of itself, and whether it is whole.

whisper.cpp trusts the sizes in a file: over a truncated one it gives back a null pointer that its
Python package does not notice, over a damaged one it may end the process. So the file is walked
from its head to its last tensor before the library sees it; the tensors' numbers are not read.

The format, little endian (whisper.cpp, models/convert-pt-to-ggml.py and whisper_model_load):
magic, eleven sizes, the mel filters, the vocabulary, then tensors until the end of the file, each
with its shape, its kind and its name.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO

from offscribe.engines.whisper_family import (
    CANTONESE_TOKENS,
    ENGLISH_TOKENS,
    MULTILINGUAL_TOKENS,
)
from offscribe.errors import ModelDamaged

MAGIC = 0x67676D6C
MEL_BANDS = (80, 128)
MAX_STATE, MAX_LAYERS, MAX_CONTEXT = 8_192, 128, 8_192
"""Several times what the largest Whisper has (1280, 32, 1500): beyond is no model."""
MAX_TOKEN_BYTES = 1_024
MAX_NAME_BYTES = 128
BLOCKS = {
    0: (1, 4),
    1: (1, 2),
    2: (32, 18),
    3: (32, 20),
    6: (32, 22),
    7: (32, 24),
    8: (32, 34),
    10: (256, 84),
    11: (256, 110),
    12: (256, 144),
    13: (256, 176),
    14: (256, 210),
}
"""Kind of tensor: (numbers in a block, bytes of a block). f32, f16, q4_0, q4_1, q5_0, q5_1, q8_0,
q2_K to q6_K; ggml.h and ggml-common.h."""


@dataclass(frozen=True, slots=True)
class GgmlFile:
    """What a whole file holds. *tokens*: the bytes of each text token, by id."""

    n_vocab: int
    n_text_ctx: int
    tokens: tuple[bytes, ...]

    @property
    def is_multilingual(self) -> bool:
        return self.n_vocab >= MULTILINGUAL_TOKENS

    @property
    def has_cantonese(self) -> bool:
        return self.n_vocab >= CANTONESE_TOKENS


@dataclass(frozen=True, slots=True)
class _Sizes:
    n_vocab: int
    n_audio_ctx: int
    n_audio_state: int
    n_audio_head: int
    n_audio_layer: int
    n_text_ctx: int
    n_text_state: int
    n_text_head: int
    n_text_layer: int
    n_mels: int
    file_type: int

    @property
    def are_plausible(self) -> bool:
        states = (self.n_audio_state, self.n_text_state)
        contexts = (self.n_audio_ctx, self.n_text_ctx)
        heads = (self.n_audio_head, self.n_text_head)
        layers = (self.n_audio_layer, self.n_text_layer)
        return (
            ENGLISH_TOKENS <= self.n_vocab <= CANTONESE_TOKENS
            and self.n_mels in MEL_BANDS
            and all(0 < state <= MAX_STATE for state in states)
            and all(0 < context <= MAX_CONTEXT for context in contexts)
            and all(0 < layer <= MAX_LAYERS for layer in layers)
            and all(0 < n <= state for n, state in zip(heads, states, strict=True))
        )

    @property
    def n_tensors(self) -> int:
        """What whisper.cpp expects: the encoder has 7 beside its layers and 15 in each, the decoder
        4 and 24."""
        return 7 + 15 * self.n_audio_layer + 4 + 24 * self.n_text_layer


def is_whisper(path: Path) -> bool:
    """Whether the file begins like a Whisper; voice detectors have the same magic."""
    try:
        with path.open("rb") as file:
            return _read_sizes(file).are_plausible
    except _Broken:
        return False


def read_ggml(path: Path) -> GgmlFile:
    """Walk through the file. Raises ModelDamaged where it is not a Whisper from end to end."""
    n_bytes = path.stat().st_size
    try:
        with path.open("rb") as file:
            sizes = _read_sizes(file)
            if not sizes.are_plausible:
                raise _Broken("its sizes are not those of a Whisper")
            _skip_filters(file, sizes)
            tokens = _read_tokens(file, sizes)
            n_tensors = _skip_tensors(file, n_bytes)
    except _Broken as error:
        raise ModelDamaged(f"{path} is not a whole Whisper model: {error}") from error
    if n_tensors != sizes.n_tensors:
        raise ModelDamaged(
            f"{path} is not a whole Whisper model: {n_tensors} of {sizes.n_tensors} tensors"
        )
    return GgmlFile(sizes.n_vocab, sizes.n_text_ctx, tokens)


class _Broken(Exception):
    """The file is not what the format says."""


def _read_sizes(file: BinaryIO) -> _Sizes:
    magic, *sizes = _unpack(file, "<I11i")
    if magic != MAGIC:
        raise _Broken("it does not begin with ggml's mark")
    return _Sizes(*sizes)


def _skip_filters(file: BinaryIO, sizes: _Sizes) -> None:
    n_mels, n_bins = _unpack(file, "<2i")
    if n_mels != sizes.n_mels or not 0 < n_bins <= MAX_CONTEXT:
        raise _Broken("its mel filters are of another size")
    file.seek(4 * n_mels * n_bins, io.SEEK_CUR)


def _read_tokens(file: BinaryIO, sizes: _Sizes) -> tuple[bytes, ...]:
    (n_tokens,) = _unpack(file, "<i")
    if not 0 < n_tokens <= sizes.n_vocab:
        raise _Broken("its vocabulary is of another size")
    tokens = []
    for _ in range(n_tokens):
        (n_bytes,) = _unpack(file, "<I")
        if n_bytes > MAX_TOKEN_BYTES:
            raise _Broken("its vocabulary is damaged")
        tokens.append(_read(file, n_bytes))
    return tuple(tokens)


def _skip_tensors(file: BinaryIO, n_bytes: int) -> int:
    """Return how many there are; the last one ends with the file."""
    n_tensors = 0
    while file.tell() < n_bytes:
        n_dimensions, n_name, kind = _unpack(file, "<3i")
        if not 1 <= n_dimensions <= 4 or not 0 < n_name <= MAX_NAME_BYTES or kind not in BLOCKS:
            raise _Broken(f"tensor {n_tensors + 1} is damaged")
        shape = _unpack(file, f"<{n_dimensions}i")
        block, block_bytes = BLOCKS[kind]
        if min(shape) < 1 or shape[0] % block:
            raise _Broken(f"tensor {n_tensors + 1} has an impossible shape")
        file.seek(n_name + prod(shape) // block * block_bytes, io.SEEK_CUR)
        n_tensors += 1
    if file.tell() > n_bytes:
        raise _Broken("it ends in the middle of a tensor")
    return n_tensors


def _unpack(file: BinaryIO, layout: str) -> tuple[int, ...]:
    return struct.unpack(layout, _read(file, struct.calcsize(layout)))


def _read(file: BinaryIO, n_bytes: int) -> bytes:
    data = file.read(n_bytes)
    if len(data) < n_bytes:
        raise _Broken("it ends early")
    return data
