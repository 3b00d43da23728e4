"""Any recording to mono float32 at 16 kHz, window by window, in bounded memory.

FFmpeg's libraries (PyAV) read the bytes, but only those of the one file that was opened here: no
path or address ever reaches their protocol layer, so a playlist or reference file cannot make
them open another file or the network.

Channels are averaged by libswresample's standard down-mix, which cannot clip; two channels of
opposite phase cancel out, as they would on any mono loudspeaker.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO

import av
import av.logging
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer

from offscribe.errors import (
    AudioEmpty,
    AudioUnreadable,
    InputError,
    NoAudioTrack,
    NoPermission,
    NotFound,
)
from offscribe.types import SAMPLE_RATE, Audio, Samples

MAX_CHANNELS = 64
MAX_RATE = 768_000
"""Hz. Above the fastest converters that exist; more is a broken or hostile header."""
MIN_GAP_S = 0.25
MAX_GAP_S = 3600.0
"""Silence fills a jump in the time stamps between these, so that times match a player's. Smaller
ones are rounding, larger ones broken clocks."""
MAX_DAMAGED_SHARE = 0.75
"""With more of its packets undecodable than this, what decodes is chance, not sound."""
MIN_PACKETS = 20
"""The share is not judged before so many packets."""
FOREIGN_FORMATS = frozenset({"hls", "dash", "concat", "sdp", "rtsp", "rtp", "sap", "image2", "imf"})
"""Demuxers whose files only point to others."""
UNTIMED_FORMATS = frozenset({"mp3", "aac", "adts", "amr", "ac3", "eac3", "dts", "mpeg", "mpegts"})
"""Containers without a table of contents: their duration is a guess from the bit rate."""

av.logging.set_level(None)  # what went wrong is raised or counted here


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What the container says about itself."""

    container: str
    codec: str
    sample_rate: int
    channels: int
    has_video: bool


def check_file(path: Path) -> None:
    """Raise NotFound, NoPermission or InputError unless *path* is a regular file one may read."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFound(f"there is no file {path}", hint="Check the path.") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path!s} is no usable path") from error
    if stat.S_ISDIR(mode):
        raise InputError(f"{path} is a folder", hint="Name the recordings in it.")
    if not stat.S_ISREG(mode):
        raise InputError(f"{path} is not a regular file", hint="Save the recording to a file.")
    if not os.access(path, os.R_OK):
        raise NoPermission(f"{path} may not be read", hint="Check its owner and permissions.")


@contextmanager
def open_audio(path: Path, *, name: str | None = None) -> Iterator[AudioSource]:
    """Open the recording at *path*; messages call it *name*.

    Raises NotFound, NoPermission, InputError, AudioEmpty, AudioUnreadable, NoAudioTrack.
    """
    check_file(path)
    name = name or path.name
    if path.stat().st_size == 0:
        raise AudioEmpty(f"{name} is an empty file")
    with path.open("rb") as file, _container(file, name) as container:
        yield AudioSource(container, name)


class AudioSource:
    """An opened recording. ``windows`` can be taken once."""

    def __init__(self, container: InputContainer, name: str) -> None:
        self._container = container
        self._name = name
        self._stream = _audio_stream(container, name)
        self._n_samples = 0
        self._n_packets = 0
        self.damaged_packets = 0
        """Packets that could not be decoded and were skipped."""
        self.ended_early = False
        """The file breaks off before the end that its container announces."""

    @property
    def info(self) -> MediaInfo:
        codec = self._stream.codec_context
        return MediaInfo(
            container=self._container.format.name,
            codec=codec.name,
            sample_rate=codec.sample_rate or 0,
            channels=codec.channels or 0,
            has_video=bool(self._container.streams.video),
        )

    @property
    def duration_hint(self) -> float | None:
        """Seconds that the container claims, if it does; may be wrong."""
        stream = self._stream
        if stream.duration and stream.time_base:
            return float(stream.duration * stream.time_base)
        return self._container.duration / av.time_base if self._container.duration else None

    @property
    def duration(self) -> float:
        """Seconds delivered so far."""
        return self._n_samples / SAMPLE_RATE

    def windows(self, window_s: float = 30.0) -> Iterator[Audio]:
        """Yield consecutive windows, each exactly *window_s* long but the last.

        Damaged packets are skipped and counted. Raises AudioEmpty or AudioUnreadable where there
        is no sound in the file at all, AudioUnreadable where most of it is damaged.
        """
        size = round(window_s * SAMPLE_RATE)
        waiting: list[Samples] = []
        n_waiting = 0
        for block in self._blocks():
            waiting.append(block)
            n_waiting += len(block)
            if n_waiting < size:
                continue
            joined = np.concatenate(waiting)
            whole = len(joined) // size * size
            for at in range(0, whole, size):
                yield self._delivered(joined[at : at + size])
            waiting, n_waiting = [joined[whole:]], len(joined) - whole
        if n_waiting:
            yield self._delivered(np.concatenate(waiting))
        self._judge_end()

    def _delivered(self, samples: Samples) -> Audio:
        self._n_samples += len(samples)
        return Audio(np.ascontiguousarray(samples))

    def _judge_end(self) -> None:
        if self._n_samples == 0:
            if self.damaged_packets:
                raise AudioUnreadable(f"nothing in {self._name} can be decoded")
            raise AudioEmpty(f"{self._name} contains no sound")
        self._judge_damage()
        hint = self.duration_hint
        is_timed = not (set(self._container.format.name.split(",")) & UNTIMED_FORMATS)
        if hint is not None and is_timed and self.duration < hint * 0.98 - 0.5:
            self.ended_early = True

    def _judge_damage(self) -> None:
        if (
            self._n_packets >= MIN_PACKETS
            and self.damaged_packets > MAX_DAMAGED_SHARE * self._n_packets
        ):
            raise AudioUnreadable(f"most of {self._name} cannot be decoded")

    def _blocks(self) -> Iterator[Samples]:
        """Decoded and resampled pieces, with silence where the time stamps jump."""
        resampler = _Resampler()
        expected_s: float | None = None
        for frame in self._frames():
            if expected_s is not None and frame.time is not None:
                gap_s = frame.time - expected_s
                if MIN_GAP_S < gap_s < MAX_GAP_S:
                    yield from resampler.flush()
                    yield np.zeros(round(gap_s * SAMPLE_RATE), np.float32)
            if frame.time is not None and frame.sample_rate:
                expected_s = frame.time + frame.samples / frame.sample_rate
            yield from resampler.take(frame)
        yield from resampler.flush()

    def _frames(self) -> Iterator[av.AudioFrame]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except (av.FFmpegError, OSError):
                self.ended_early = True
                return
            if packet is None:
                return
            # The last packet is empty: it asks the decoder for what it still holds.
            self._n_packets += packet.size > 0
            try:
                yield from packet.decode()
            except (av.FFmpegError, ValueError):
                self.damaged_packets += 1
                if self.damaged_packets % 100 == 0:
                    self._judge_damage()


class _Resampler:
    """libswresample for one layout after another: some streams change theirs on the way."""

    def __init__(self) -> None:
        self._kind: tuple[str, str, int] | None = None
        self._resampler: av.AudioResampler | None = None

    def take(self, frame: av.AudioFrame) -> Iterator[Samples]:
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind != self._kind:
            yield from self.flush()
            self._kind = kind
            self._resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
        assert self._resampler is not None
        # Our position is counted in samples; gaps in time stamps are filled elsewhere.
        frame.pts = None
        yield from map(_samples, self._resampler.resample(frame))

    def flush(self) -> Iterator[Samples]:
        """Give out what the filter still holds."""
        if self._resampler is not None:
            yield from map(_samples, self._resampler.resample(None))
        self._kind, self._resampler = None, None


def _samples(frame: av.AudioFrame) -> Samples:
    """The samples of a mono float frame, finite and in [-1, 1]: float files may hold anything."""
    samples: Samples = np.nan_to_num(frame.to_ndarray().reshape(-1), nan=0.0)
    return np.clip(samples, -1.0, 1.0)


@contextmanager
def _container(file: BinaryIO, name: str) -> Iterator[InputContainer]:
    try:
        container = av.open(
            file,
            mode="r",
            metadata_errors="ignore",
            container_options={"format_whitelist": _own_formats(), "protocol_whitelist": "none"},
        )
    except (av.FFmpegError, ValueError, OSError) as error:
        raise AudioUnreadable(f"{name} is not audio or video that can be decoded") from error
    with container:
        yield container


@cache
def _own_formats() -> str:
    """All demuxers but the foreign ones, as FFmpeg's option wants them."""
    names = {name for entry in av.formats_available for name in entry.split(",")}
    return ",".join(sorted(names - FOREIGN_FORMATS))


def _audio_stream(container: InputContainer, name: str) -> AudioStream:
    stream = container.streams.best("audio")
    if not isinstance(stream, AudioStream):
        if container.streams.video:
            raise NoAudioTrack(f"{name} has no audio track")
        raise AudioUnreadable(f"{name} is not audio or video that can be decoded")
    codec = stream.codec_context
    if codec is None:
        raise AudioUnreadable(f"no decoder for the sound of {name}")
    if (codec.sample_rate or 0) > MAX_RATE or (codec.channels or 0) > MAX_CHANNELS:
        raise AudioUnreadable(
            f"{name} claims {codec.channels} channels at {codec.sample_rate} Hz, which cannot be"
        )
    return stream
