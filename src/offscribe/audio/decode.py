"""Decode a recording: any common container and codec to windows of mono 16 kHz samples.

FFmpeg (through PyAV) does the decoding. What is decided here: which files may be opened, what is
plausible as sound, what damage is survived, and that a sample's place in the output is its time
in the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import av.error
import numpy as np
from av.container import InputContainer

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

PROBATION_PACKETS = 100
"""FFmpeg finds MP3 frames in almost anything. Of the first hundred packets at least half must
decode, or the file is not taken for sound."""

MAX_READ_ERRORS = 10
"""In a row. A container that cannot be read on after so many attempts has broken off."""

JITTER_S = 0.1
"""Timestamps that differ less from the sample count are rounding (as in libswresample)."""

MAX_SILENCE_S = 3600.0
"""A file's gaps are filled with at most so much; beyond it, its clock is taken for broken."""

STATES_LENGTH = frozenset(
    ("wav", "w64", "aiff", "au", "caf", "flac", "ogg", "mov", "matroska", "avi", "asf", "ape", "wv")
)
"""Containers whose header says how long they are. The others' length is FFmpeg's estimate, which
says nothing about a missing end."""


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What the container says about itself. *container* and *codec* are FFmpeg's names;
    *sample_rate* (Hz) and *channels* are those of the audio track that is decoded."""

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
        if not sound.read(1):
            raise AudioEmpty(f"{shown} is empty")
        sound.seek(0)
        with _open_container(sound, shown) as container:
            yield AudioSource(container, shown)


def _open_container(sound: SoundBytes, shown: str) -> InputContainer:
    def refuse(*_: object) -> object:
        raise PermissionError("a recording may not open other files")

    try:
        return av.open(
            sound,
            "r",
            container_options={
                "format_whitelist": CONTAINERS,
                "protocol_whitelist": NO_PROTOCOL,
            },
            io_open=refuse,
            metadata_errors="replace",
        )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise AudioUnreadable(f"{shown} is not audio we can decode") from error


class AudioSource:
    """One open recording, to be read once. Made by ``open_audio``; not thread-safe.

    duration_hint: the container's claim in seconds; may be None or wrong. The figures below grow
    while ``windows`` is read and are final when it is exhausted. damaged_packets: packets that
    could not be decoded and were skipped. ended_early: the container broke off before its end.
    """

    def __init__(self, container: InputContainer, shown: str) -> None:
        self._container = container
        self._shown = shown
        self._stream = _best_track(container, shown)
        self.info = _describe(container, self._stream)
        self.duration_hint = _claimed_duration(container, self._stream)
        self.damaged_packets = 0
        self.ended_early = False
        self._decoded_packets = 0
        self._n_samples = 0
        self._began = False
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
        for samples in _regroup(self._blocks(), size):
            self._n_samples += len(samples)
            yield Audio(samples)
        self._conclude()
