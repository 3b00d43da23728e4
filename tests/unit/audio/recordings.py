"""Recordings to decode, encoded on the spot."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import av
import numpy as np
import numpy.typing as npt
from av.container import OutputContainer
from av.stream import Disposition

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Kind:
    """A file kind: FFmpeg's names of container and codec, and the codec's rate in Hz."""

    container: str
    codec: str
    rate: int = 44_100
    layout: str = "mono"
    has_video: bool = False
    options: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return "-".join(
            [self.container, self.codec, str(self.rate), self.layout] + ["video"] * self.has_video
        )


WAV = Kind("wav", "pcm_s16le", 16_000)

KINDS = (
    WAV,
    Kind("wav", "pcm_s16le", 8_000),
    Kind("wav", "pcm_s16le", 44_100, "stereo"),
    Kind("wav", "pcm_u8", 11_025),
    Kind("wav", "pcm_s24le", 48_000),
    Kind("wav", "pcm_f32le", 96_000),
    Kind("wav", "pcm_f64le", 22_050),
    Kind("wav", "pcm_mulaw", 8_000),
    Kind("wav", "pcm_alaw", 8_000),
    Kind("wav", "pcm_s16le", 48_000, "5.1"),
    Kind("w64", "pcm_s16le", 48_000),
    Kind("aiff", "pcm_s16be"),
    Kind("au", "pcm_s16be"),
    Kind("caf", "pcm_s16le"),
    Kind("flac", "flac"),
    Kind("flac", "flac", 16_000, "stereo"),
    Kind("mp3", "libmp3lame"),
    Kind("mp3", "libmp3lame", 16_000),
    Kind("mp3", "libmp3lame", 48_000, "stereo"),
    Kind("ogg", "libopus", 48_000),
    Kind("ogg", "flac"),
    Kind("mp4", "aac"),
    Kind("ipod", "aac", 48_000, "stereo"),
    Kind("mov", "alac"),
    Kind("adts", "aac"),
    Kind("mp4", "aac", has_video=True),
    Kind("matroska", "aac", has_video=True),
    Kind("webm", "libopus", 48_000),
    Kind("webm", "libopus", 48_000, has_video=True),
    Kind("avi", "libmp3lame", has_video=True),
    Kind("mpegts", "aac", has_video=True),
    Kind("mpegts", "mp2", 48_000),
    Kind("asf", "wmav2", options=(("b", "64000"),)),
    Kind("flv", "aac"),
    Kind("ac3", "ac3", 48_000),
    Kind("wv", "wavpack"),
    Kind("tta", "tta"),
)


PICTURES = {"webm": "libvpx", "mp4": "libx264", "matroska": "libx264"}
"""The picture codec of a container, where it is not MPEG-4."""


def tone(seconds: float, *, rate: int, hz: float = 440.0, level: float = 0.5) -> Floats:
    """One channel, shape (1, n)."""
    times = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * hz * times)).astype(np.float32)[np.newaxis]


def click(seconds: float, *, at: float, rate: int) -> Floats:
    """Silence but for 5 ms of a 1 kHz tone that begin *at* seconds; shape (1, n)."""
    sound = np.zeros((1, round(seconds * rate)), np.float32)
    burst = tone(0.005, rate=rate, hz=1000, level=0.9)
    start = round(at * rate)
    sound[:, start : start + burst.shape[1]] = burst
    return sound


def place_of_click(samples: Floats) -> float:
    """Return the second at which the loudest 5 ms begin."""
    energy = np.convolve(np.square(samples, dtype=np.float64), np.ones(80), mode="valid")
    return int(energy.argmax()) / 16_000


def wav_bytes(
    content: bytes,
    *,
    rate: int = 16_000,
    channels: int = 1,
    bits: int = 16,
    float_samples: bool = False,
    riff_size: int | None = None,
    data_size: int | None = None,
) -> bytes:
    """A WAV with any header, true or not."""
    frame_bytes = max(1, channels * bits // 8)
    kind = 3 if float_samples else 1
    header = struct.pack(
        "<HHIIHH", kind, channels, rate, rate * frame_bytes & 0xFFFFFFFF, frame_bytes, bits
    )
    return b"".join(
        [
            b"RIFF",
            struct.pack("<I", 36 + len(content) if riff_size is None else riff_size),
            b"WAVEfmt \x10\0\0\0",
            header,
            b"data",
            struct.pack("<I", len(content) if data_size is None else data_size),
            content,
        ]
    )


def write(path: Path, kind: Kind, sound: Floats, *, from_s: float = 0.0) -> Path:
    """Encode *sound*, shape (1 or n_channels, n); one channel goes to every channel.

    The first sample's timestamp is *from_s*; pictures, where the kind has them, begin at 0.
    """
    with av.open(path, "w", format=kind.container) as container:
        stream = cast(
            av.AudioStream,
            container.add_stream(
                kind.codec, rate=kind.rate, layout=kind.layout, options=dict(kind.options)
            ),
        )
        if kind.has_video:
            n_pictures = max(1, int(10 * (from_s + sound.shape[1] / kind.rate)))
            _draw(container, PICTURES.get(kind.container, "mpeg4"), n_pictures)
        _encode(container, stream, kind, sound, from_s)
    return path


def write_pictures(path: Path, container_name: str = "matroska") -> Path:
    """A video without a sound track."""
    with av.open(path, "w", format=container_name) as container:
        _draw(container, "mpeg4", 10)
    return path


def write_tracks(path: Path, container_name: str, hz: tuple[float, ...], *, default: int) -> Path:
    """Two seconds of sound tracks with a tone each; number *default* is marked as the default."""
    with av.open(path, "w", format=container_name) as container:
        tracks = [
            cast(av.AudioStream, container.add_stream("pcm_s16le", rate=16_000, layout="mono"))
            for _ in hz
        ]
        for index, track in enumerate(tracks):
            track.disposition = Disposition.default if index == default else Disposition(0)
        for track, pitch in zip(tracks, hz, strict=True):
            sound = (tone(2.0, rate=16_000, hz=pitch) * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(sound, format="s16", layout="mono")
            frame.sample_rate = 16_000
            container.mux(track.encode(frame))
            container.mux(track.encode(None))
    return path


def refer_elsewhere(movie: bytes, target: str) -> bytes:
    """Return the QuickTime *movie* with its sound said to lie in the file *target* beside it."""
    name = target.encode()
    padded = name + b"\0" * (len(name) % 2)
    alias = b"".join(
        [
            bytes(10) + b"\x03vol" + bytes(24 + 12),
            bytes([len(name)]) + name.ljust(63, b"\0") + bytes(16),
            struct.pack(">hh", 1, 1) + bytes(16),  # both lie in the same folder
            struct.pack(">hh", 2, 4 + len(name)) + b"vol:" + padded,
            struct.pack(">hh", -1, 0),
        ]
    )
    entry = struct.pack(">I4sI", 12 + len(alias), b"alis", 0) + alias
    content = bytearray(movie)
    begin = content.index(b"url \0\0\0\1") - 4
    content[begin : begin + 12] = entry
    for box in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):  # all now hold more
        at = content.index(box) - 4
        [size] = struct.unpack_from(">I", content, at)
        struct.pack_into(">I", content, at, size + len(entry) - 12)
    return bytes(content)


def write_large_picture(path: Path, codec: str, pix_fmt: str, side: int) -> Path:
    """A second of silence beside one black picture of *side* x *side*: few bytes that decode to
    many."""
    with av.open(path, "w", format="mov") as container:
        sound = cast(av.AudioStream, container.add_stream("pcm_s16le", rate=16_000, layout="mono"))
        picture = cast(av.VideoStream, container.add_stream(codec, rate=1))
        picture.width = picture.height = side
        picture.pix_fmt = pix_fmt
        black = av.VideoFrame(side, side, pix_fmt)
        for plane in black.planes:
            plane.update(bytes(plane.buffer_size))
        container.mux(picture.encode(black))
        container.mux(picture.encode(None))
        silence = av.AudioFrame.from_ndarray(
            np.zeros((1, 16_000), np.int16), format="s16", layout="mono"
        )
        silence.sample_rate = 16_000
        container.mux(sound.encode(silence))
        container.mux(sound.encode(None))
    return path


def _draw(container: OutputContainer, codec: str, n_pictures: int) -> None:
    """Ten black pictures a second."""
    stream = cast(av.VideoStream, container.add_stream(codec, rate=10))
    stream.width = stream.height = 32
    stream.pix_fmt = "yuv420p"
    for _ in range(n_pictures):
        container.mux(stream.encode(av.VideoFrame(32, 32, "yuv420p")))
    container.mux(stream.encode(None))


def _encode(
    container: OutputContainer, stream: av.AudioStream, kind: Kind, sound: Floats, from_s: float
) -> None:
    to_codec = av.AudioResampler(
        format=stream.format.name, layout=kind.layout, rate=kind.rate, frame_size=1024
    )
    n_channels = av.AudioLayout(kind.layout).nb_channels
    planes = np.ascontiguousarray(np.broadcast_to(sound, (n_channels, sound.shape[1])))
    n_fed = round(from_s * kind.rate)
    for at in range(0, planes.shape[1], kind.rate):
        part = np.ascontiguousarray(planes[:, at : at + kind.rate])
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=kind.layout)
        frame.sample_rate = kind.rate
        frame.pts = n_fed
        n_fed += part.shape[1]
        for ready in to_codec.resample(frame):
            container.mux(stream.encode(ready))
    for ready in to_codec.resample(None):
        container.mux(stream.encode(ready))
    container.mux(stream.encode(None))
