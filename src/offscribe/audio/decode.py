"""Decode a recording: any common container and codec to windows of mono 16 kHz samples.

FFmpeg (through PyAV) does the decoding. What is decided here: which files may be opened, what is
plausible as sound, what damage is survived, and that a sample's place in the output is its time
in the file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import av
import av.error
import numpy as np
from av.codec.codec import UnknownCodecError
from av.container import InputContainer
from av.stream import Disposition, Stream

from offscribe.audio.files import SoundBytes, check_file, open_bytes
from offscribe.audio.mono import MonoResampler, setup_of
from offscribe.errors import AudioEmpty, AudioUnreadable, NoAudioTrack
from offscribe.types import SAMPLE_RATE, Audio, Samples

__all__ = ["AudioSource", "MediaInfo", "check_file", "open_audio"]

CONTAINERS = (
    # sound
    "wav,w64,aiff,au,caf,flac,mp3,aac,loas,ogg,ac3,eac3,dts,dtshd,truehd,mlp,amr,amrnb,amrwb,"
    "ape,wv,tta,tak,mpc,mpc8,shn,dsf,iff,voc,sox,ircam,nistsphere,oma,qcp,xwma,aa,act,dss,gsm,"
    "spdif,avr,paf,pvf,qoa,osq,ilbc,lc3,"
    # pictures and sound
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,asf,asf_o,flv,live_flv,mpegts,mpeg,mxf,gxf,dv,nut,"
    "nuv,rm,wtv,swf,ivf,obu,h264,hevc,m4v,mpegvideo,vc1,av1,gif,png_pipe,jpeg_pipe,webp_pipe"
)
"""The demuxers that may be chosen, all of which read one file and nothing else. Playlists (hls,
dash, concat, sdp, ...) are absent: they would open other files or the network."""

NO_PROTOCOL = "none"
"""Not the name of any protocol, so a demuxer that tries to open something is refused."""

SAMPLE_RATES = range(1_000, 768_001)
"""Hz. Outside, a header lies, and the resampler's filter would take gigabytes."""

MAX_CHANNELS = 64

MAX_PIXELS = 2**25
"""Of a picture that FFmpeg may decode; 7680 x 4320 fits."""

PROBATION_PACKETS = 500
"""FFmpeg finds MP3 frames in almost anything. Of so many packets at the start (ten seconds or
more) at least half must decode, or the file is not taken for sound."""

MAX_READ_ERRORS = 10
"""In a row. A container that cannot be read on after so many attempts has broken off."""

JITTER_S = 0.1
"""Timestamps that differ less from the sample count are rounding (as in libswresample)."""

MAX_SILENCE_S = 3600.0
"""A file's gaps are filled with at most so much; beyond it, its clock is taken for broken."""

STATES_LENGTH = frozenset(
    ("aiff", "ape", "au", "caf", "flac", "flv", "matroska", "mov", "tta", "w64", "wav", "wv")
)
"""Containers whose header says how long they are. The others' length is FFmpeg's estimate, which
says nothing about a missing end."""

ENDLESS_WAV = b"RIFF\xff\xff\xff\xff"
"""The start of a WAV that was written to a pipe: its length was never known."""

UNFINISHED_HINT = (
    "An MP4, M4A or MOV whose recording or copying was cut short lacks its index. "
    "Copy it again from where it was recorded, or let the recording device repair it."
)


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What the container says about itself. *container* and *codec* are FFmpeg's names;
    *sample_rate* (Hz) and *channels* are those of the audio track that is decoded; a cover picture
    is no video."""

    container: str
    codec: str
    sample_rate: int
    channels: int
    has_video: bool


@contextmanager
def open_audio(path: Path, *, name: str | None = None) -> Iterator[AudioSource]:
    """Open the recording *path* for as long as the ``with`` block lasts.

    *name* is what messages show (the user's own file name). Only a file's content decides what it
    is; its extension is not looked at. Raises what ``check_file`` raises, AudioEmpty for no bytes
    at all, NoAudioTrack for pictures without sound, AudioUnreadable for anything else that is not
    a recording.
    """
    shown = name or path.name
    with open_bytes(path, name=name) as file:
        sound = SoundBytes(file)
        head = sound.read(8)
        sound.seek(0)
        if not head:
            raise AudioEmpty(f"{shown} is empty")
        with _open_container(sound, shown, head) as container:
            yield AudioSource(container, shown, is_endless=head == ENDLESS_WAV)


def _open_container(sound: SoundBytes, shown: str, head: bytes) -> InputContainer:
    def refuse(*_: object) -> object:
        raise PermissionError("a recording may not open other files")

    try:
        return av.open(
            sound,
            "r",
            options={"max_pixels": str(MAX_PIXELS)},
            container_options={
                "codec_whitelist": _decoders(),
                "format_whitelist": CONTAINERS,
                "protocol_whitelist": NO_PROTOCOL,
            },
            io_open=refuse,
            metadata_errors="replace",
        )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        hint = UNFINISHED_HINT if head.endswith(b"ftyp") else None
        raise AudioUnreadable(f"{shown} is not audio we can decode", hint=hint) from error


@cache
def _decoders() -> str:
    """Return the names of the decoders that may run, as FFmpeg's ``codec_whitelist`` wants them.

    FFmpeg decodes pictures only to describe their track, and a file of less than 1 MB can hold
    one that takes gigabytes. H.264 stays: without it, FFmpeg does not find where a Matroska with
    H.264 begins, and its sound would lose the place that it has beside the pictures.
    """
    names = ["h264"]
    for name in sorted(av.codecs_available):
        with suppress(UnknownCodecError):  # an encoder's name
            if av.Codec(name, "r").type == "audio":
                names.append(name)
    return ",".join(names)


class AudioSource:
    """One open recording, to be read once. Made by ``open_audio``; not thread-safe.

    duration_hint: the container's claim in seconds; may be None or wrong. The figures below grow
    while ``windows`` is read and are final when it is exhausted. damaged_packets: packets that
    could not be decoded and were skipped. ended_early: the container broke off before its end
    (Ogg, AVI, ASF, MPEG and raw streams do not tell). gaps_s: seconds of silence that were put
    in where the timestamps say that sound is missing.
    """

    def __init__(self, container: InputContainer, shown: str, *, is_endless: bool = False) -> None:
        self._container = container
        self._shown = shown
        self._stream = _best_track(container, shown)
        self.info = _describe(container, self._stream)
        self.duration_hint = _claimed_duration(container, self._stream)
        self.damaged_packets = 0
        self.ended_early = False
        self.gaps_s = 0.0
        self._decoded_packets = 0
        self._n_samples = 0
        self._began = False
        self._start = (container.start_time or 0) / av.time_base
        self._reaches = 0.0
        self._ends_short = False
        self._is_endless = is_endless
        _require_plausible(self.info.sample_rate, self.info.channels, shown)

    @property
    def duration(self) -> float:
        """Seconds delivered so far."""
        return self._n_samples / SAMPLE_RATE

    def windows(self, window_s: float = 30.0) -> Iterator[Audio]:
        """Yield the recording as consecutive windows of *window_s*; only the last is shorter.

        A sample's place is its time: sound that begins after the pictures, and gaps in the
        timestamps, come out as silence. Overlaps are kept, never cut. Raises AudioUnreadable
        when hardly anything can be decoded, AudioEmpty for a sound track without samples.
        """
        if self._began:
            raise RuntimeError("a recording can be read only once")
        self._began = True
        size = round(window_s * SAMPLE_RATE)
        try:
            for samples in _regroup(self._blocks(), size):
                self._n_samples += len(samples)
                yield Audio(samples)
        except av.error.FFmpegError as error:
            raise AudioUnreadable(f"{self._shown} cannot be decoded") from error
        self._conclude()

    def _blocks(self) -> Iterator[Samples]:
        """Yield the whole recording in blocks of at most a second or so."""
        resampler: MonoResampler | None = None
        clock = _Clock(self._start, self.duration_hint)
        for frame in self._frames():
            _require_plausible(frame.sample_rate, frame.layout.nb_channels, self._shown)
            gap_s = clock.gap_before(frame)
            if resampler and (gap_s or resampler.setup != setup_of(frame)):
                yield from resampler.drain()
                resampler = None
            self.gaps_s += gap_s
            yield from _silence(gap_s)
            if resampler is None:
                resampler = MonoResampler(frame)
            yield from resampler.push(frame)
        if resampler:
            yield from resampler.drain()

    def _frames(self) -> Iterator[av.AudioFrame]:
        for packet in self._packets():
            try:
                frames = self._stream.decode(packet)
            except av.error.FFmpegError:
                self._count_damaged()
                continue
            self._decoded_packets += 1
            for frame in frames:
                if frame.samples:
                    yield frame

    def _count_damaged(self) -> None:
        self.damaged_packets += 1
        n_packets = self.damaged_packets + self._decoded_packets
        if n_packets <= PROBATION_PACKETS and self.damaged_packets > PROBATION_PACKETS // 2:
            raise AudioUnreadable(f"most of {self._shown} is damaged")

    def _packets(self) -> Iterator[av.Packet[Stream] | None]:
        """Yield the track's packets, then None: it drains the decoder."""
        n_errors = 0
        while n_errors < MAX_READ_ERRORS:
            try:
                for packet in self._container.demux():
                    n_errors = 0
                    self._note_end(packet)
                    if packet.stream is self._stream and packet.size:
                        self._ends_short = packet.is_corrupt
                        yield packet
                break
            except IndexError:  # PyAV 18, at the end, over a track that the header did not name
                break
            except (av.error.FFmpegError, OSError, ValueError):
                n_errors += 1
        self.ended_early = n_errors == MAX_READ_ERRORS
        yield None

    def _note_end(self, packet: av.Packet[Stream]) -> None:
        """Remember how far the container reaches, on whichever track."""
        if packet.pts is not None:
            end = (packet.pts + (packet.duration or 0)) * packet.time_base
            self._reaches = max(self._reaches, float(end) - self._start)

    def _conclude(self) -> None:
        if not self._n_samples:
            if self.damaged_packets or self.ended_early:
                raise AudioUnreadable(f"nothing of {self._shown} can be decoded")
            raise AudioEmpty(f"{self._shown} has no sound in it")
        self.ended_early |= self._ends_short and not self._is_endless
        if _states_length(self._container) and self.duration_hint:
            self.ended_early |= self._reaches < self.duration_hint - 1.0


class _Clock:
    """Compares the frames' timestamps with the sound so far.

    A jump ahead is believed, and answered with silence, when it ends within *claimed_s*, the
    container's length, and the file has not used up MAX_SILENCE_S. Otherwise the clock is taken
    to be wrong and the sound goes on without a gap.
    """

    def __init__(self, start: float, claimed_s: float | None) -> None:
        self._now = start
        self._latest = start + (claimed_s if claimed_s is not None else math.inf)
        self._is_first = True
        self._silence_left_s = MAX_SILENCE_S

    def gap_before(self, frame: av.AudioFrame) -> float:
        """Take the next frame; return the seconds of silence that belong before it."""
        begin = self._now if frame.time is None else float(frame.time)
        gap_s = begin - self._now
        tolerated_s = 0.0 if self._is_first else JITTER_S
        self._is_first = False
        if abs(gap_s) > tolerated_s:
            self._now = begin
        self._now += frame.samples / frame.sample_rate
        if gap_s <= tolerated_s or gap_s > self._silence_left_s or begin > self._latest:
            return 0.0
        self._silence_left_s -= gap_s
        return gap_s


def _regroup(blocks: Iterator[Samples], size: int) -> Iterator[Samples]:
    """Join *blocks* and cut them into arrays of *size* samples; the last may be shorter."""
    waiting: list[Samples] = []
    n_waiting = 0
    for block in blocks:
        waiting.append(block)
        n_waiting += len(block)
        if n_waiting < size:
            continue
        joined = np.concatenate(waiting)
        n_whole = n_waiting - n_waiting % size
        for at in range(0, n_whole, size):
            yield joined[at : at + size].copy()
        waiting = [joined[n_whole:].copy()]
        n_waiting -= n_whole
    if n_waiting:
        yield np.concatenate(waiting)


def _silence(duration: float) -> Iterator[Samples]:
    n_samples = round(duration * SAMPLE_RATE)
    for at in range(0, n_samples, SAMPLE_RATE):
        yield np.zeros(min(SAMPLE_RATE, n_samples - at), np.float32)


def _best_track(container: InputContainer, shown: str) -> av.AudioStream:
    """Return the sound track that FFmpeg finds best: the default one, then the richest."""
    track = container.streams.best("audio")
    if track is None and container.streams.video:
        raise NoAudioTrack(f"{shown} has no sound track")
    if not isinstance(track, av.AudioStream):
        raise AudioUnreadable(f"{shown} is not audio we can decode")
    if track.codec_context is None:
        raise AudioUnreadable(f"the sound of {shown} has a codec that we cannot decode")
    return track


def _describe(container: InputContainer, track: av.AudioStream) -> MediaInfo:
    return MediaInfo(
        container=container.format.name,
        codec=track.codec_context.name,
        sample_rate=track.codec_context.sample_rate,
        channels=track.codec_context.layout.nb_channels,
        has_video=any(not _is_cover(stream) for stream in container.streams.video),
    )


def _is_cover(stream: Stream) -> bool:
    return Disposition.attached_pic in stream.disposition


def _claimed_duration(container: InputContainer, track: av.AudioStream) -> float | None:
    if container.duration and container.duration > 0:
        return container.duration / av.time_base
    if track.duration and track.duration > 0 and track.time_base:
        return float(track.duration * track.time_base)
    return None


def _states_length(container: InputContainer) -> bool:
    if container.format.name == "mp3":
        return bool(container.start_time)  # the encoder's delay: from the tag that has the length
    return container.format.name.split(",")[0] in STATES_LENGTH


def _require_plausible(sample_rate: int, channels: int, shown: str) -> None:
    if sample_rate not in SAMPLE_RATES or not 1 <= channels <= MAX_CHANNELS:
        raise AudioUnreadable(
            f"{shown} claims {channels} channels at {sample_rate} Hz, which no recording has"
        )
