"""The metadata of an ONNX file, without reading its weights.

An ONNX file is one protobuf message, ModelProto: the graph, with hundreds of megabytes of
weights, is field 7, and the metadata entries (key 1, value 2) are field 14. Source: onnx.proto3
of the ONNX project and the protobuf encoding guide.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO

from offscribe.errors import ModelDamaged

_METADATA_PROPS = 14
_MAX_ENTRY_BYTES = 16 << 20
_VARINT, _FIXED64, _SIZED, _FIXED32 = 0, 1, 2, 5


def read_metadata(path: Path) -> dict[str, str]:
    """Raises ModelDamaged where *path* is missing, cut off or no ONNX file."""
    try:
        size_bytes = path.stat().st_size
        with path.open("rb") as file:
            return dict(_entry(data) for data in _entries(file, size_bytes))
    except (OSError, ValueError) as error:
        raise ModelDamaged(f"{path} is not a complete ONNX file: {error}") from error


def require(path: Path, *keys: str) -> dict[str, str]:
    """The metadata of *path*, which must have *keys*: native code ends the whole process over a
    missing one. Raises ModelDamaged, naming it."""
    metadata = read_metadata(path)
    if missing := [key for key in keys if not metadata.get(key)]:
        raise ModelDamaged(
            f"{path} lacks the metadata {', '.join(missing)}",
            hint="It was exported for another program. Take the files made for sherpa-onnx.",
        )
    return metadata


def _entries(file: IO[bytes], size_bytes: int) -> list[bytes]:
    entries = []
    while file.tell() < size_bytes:
        key = _varint(file)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            _varint(file)
            continue
        n_bytes = {_FIXED64: 8, _FIXED32: 4}.get(kind)
        if kind == _SIZED:
            n_bytes = _varint(file)
        if n_bytes is None or number == 0:
            raise ValueError("it holds no protobuf message")
        if file.tell() + n_bytes > size_bytes:
            raise ValueError("it is cut off")
        if number == _METADATA_PROPS and n_bytes <= _MAX_ENTRY_BYTES:
            entries.append(file.read(n_bytes))
        else:
            file.seek(n_bytes, 1)
    if not size_bytes:
        raise ValueError("it is empty")
    return entries


def _entry(data: bytes) -> tuple[str, str]:
    """One StringStringEntryProto."""
    texts = {1: "", 2: ""}
    at = 0
    while at < len(data):
        key, at = _varint_in(data, at)
        n_bytes, at = _varint_in(data, at)
        texts[key >> 3] = data[at : at + n_bytes].decode("utf-8")
        at += n_bytes
    return texts[1], texts[2]


def _varint(file: IO[bytes]) -> int:
    """Seven bits a byte, the lowest first; the top bit says that more follow."""
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            raise ValueError("it is cut off")
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise ValueError("it holds no protobuf message")


def _varint_in(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return value, at
    raise ValueError("its metadata is damaged")
