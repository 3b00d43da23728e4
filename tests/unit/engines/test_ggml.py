"""GGML files: what is whole is accepted, whatever is cut off or damaged is refused."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from offscribe.engines.ggml import is_whisper, read_ggml
from offscribe.engines.whisper_cpp import CARDS
from offscribe.errors import ModelDamaged
from tests.ggml_models import (
    ENGLISH,
    F16,
    LARGE_V3,
    MULTILINGUAL,
    Q5_0,
    WORDS,
    Sizes,
    write_empty,
    write_model,
)

HEAD_BYTES = 48
FILTER_BYTES = 8 + 4 * 80 * 201


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("ggml") / "ggml-tiny.bin", {})


def changed(whole: Path, folder: Path, at: int, value: int) -> Path:
    path = folder / "ggml-changed.bin"
    data = bytearray(whole.read_bytes())
    data[at : at + 4] = struct.pack("<i", value)
    path.write_bytes(data)
    return path


def test_a_whole_file_says_what_it_is(whole: Path) -> None:
    file = read_ggml(whole)
    assert (file.n_vocab, file.n_text_ctx, len(file.tokens)) == (51_865, 160, 50_257)
    assert file.tokens[256:259] == ("大家".encode(), "好".encode(), "你好".encode())
    assert is_whisper(whole)


@pytest.mark.parametrize(
    ("n_vocab", "is_multilingual", "has_cantonese"),
    [(ENGLISH, False, False), (MULTILINGUAL, True, False), (LARGE_V3, True, True)],
)
def test_the_vocabulary_tells_the_languages(
    tmp_path: Path, n_vocab: int, is_multilingual: bool, has_cantonese: bool
) -> None:
    sizes = Sizes(n_vocab, 64, 1, 1, 80)
    file = read_ggml(write_empty(tmp_path / "ggml-x.bin", sizes, WORDS, F16))
    assert (file.is_multilingual, file.has_cantonese) == (is_multilingual, has_cantonese)


@pytest.mark.parametrize(
    ("sizes", "kind", "n_bytes"),
    [
        (Sizes(51_865, 512, 6, 6, 80), F16, 147_951_465),
        (Sizes(51_865, 768, 12, 12, 80), F16, 487_601_967),
        (Sizes(51_866, 1280, 32, 4, 128), Q5_0, 574_041_195),
    ],
)
def test_the_published_sizes_follow_from_the_format(
    tmp_path: Path, sizes: Sizes, kind: int, n_bytes: int
) -> None:
    """The 50257 tokens of Whisper's multilingual vocabulary are 307057 bytes."""
    words = [b"1234567"] * 5_515 + [b"123456"] * 44_742
    path = write_empty(tmp_path / "ggml-x.bin", sizes, words, kind)
    assert path.stat().st_size == n_bytes
    assert n_bytes in [card.size_bytes for card in CARDS]
    assert read_ggml(path).n_vocab == sizes.n_vocab


@pytest.mark.parametrize("share", [0.0, 0.001, 0.01, 0.1, 0.3, 0.9, 0.999, 0.9999999])
def test_a_file_cut_off_anywhere_is_damaged(whole: Path, tmp_path: Path, share: float) -> None:
    path = tmp_path / "ggml-cut.bin"
    data = whole.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ModelDamaged, match=r"ggml-cut\.bin is not a whole Whisper"):
        read_ggml(path)


def test_a_file_that_ends_between_two_tensors_lacks_some(tmp_path: Path) -> None:
    path = tmp_path / "ggml-cut.bin"
    path.write_bytes(Sizes(MULTILINGUAL, 64, 1, 1, 80).head(WORDS))
    with pytest.raises(ModelDamaged, match="0 of 50 tensors"):
        read_ggml(path)


def test_bytes_after_the_last_tensor_are_damage(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "ggml-long.bin"
    path.write_bytes(whole.read_bytes() + bytes(64))
    with pytest.raises(ModelDamaged, match="tensor 168 is damaged"):
        read_ggml(path)


@pytest.mark.parametrize(
    ("at", "value", "reason"),
    [
        (0, 0x12345678, "mark"),
        (4, 50_000, "sizes"),
        (8, 0, "sizes"),
        (12, 100_000, "sizes"),
        (16, 65, "sizes"),
        (20, 1_000, "sizes"),
        (24, -1, "sizes"),
        (40, 81, "sizes"),
        (HEAD_BYTES, 128, "mel filters"),
        (HEAD_BYTES + 4, -5, "mel filters"),
        (HEAD_BYTES + FILTER_BYTES, 60_000, "vocabulary"),
        (HEAD_BYTES + FILTER_BYTES, 0, "vocabulary"),
        (HEAD_BYTES + FILTER_BYTES + 4, 2**31 - 1, "vocabulary is damaged"),
    ],
)
def test_an_impossible_number_is_damage(
    whole: Path, tmp_path: Path, at: int, value: int, reason: str
) -> None:
    with pytest.raises(ModelDamaged, match=reason):
        read_ggml(changed(whole, tmp_path, at, value))


@pytest.mark.parametrize(
    ("offset", "value", "reason"),
    [
        (0, 9, "tensor 1 is damaged"),
        (4, 10_000, "tensor 1 is damaged"),
        (8, 99, "tensor 1 is damaged"),
        (8, 6, "middle|damaged|tensors|impossible"),
        (12, -64, "impossible shape"),
        (12, 2**31 - 1, "middle of a tensor"),
    ],
)
def test_a_damaged_tensor_is_named(
    whole: Path, tmp_path: Path, offset: int, value: int, reason: str
) -> None:
    first = whole.read_bytes().index(b"encoder.positional_embedding") - 20
    with pytest.raises(ModelDamaged, match=reason):
        read_ggml(changed(whole, tmp_path, first + offset, value))


def test_a_voice_detector_has_the_mark_and_is_no_whisper(tmp_path: Path) -> None:
    path = tmp_path / "ggml-silero.bin"
    path.write_bytes(struct.pack("<Ii", 0x67676D6C, 10) + b"silero-16k" + bytes(100))
    assert not is_whisper(path)
    path.write_bytes(b"")
    assert not is_whisper(path)
