from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offscribe.audio.decode import AudioSource, check_file, open_audio
from offscribe.audio.files import SoundBytes, open_bytes
from offscribe.errors import (
    AudioEmpty,
    AudioUnreadable,
    InputError,
    NoAudioTrack,
    NoPermission,
    NotFound,
    OffscribeError,
)
from offscribe.types import Samples
from tests.unit.audio.recordings import (
    KINDS,
    WAV,
    Kind,
    click,
    place_of_click,
    refer_elsewhere,
    tone,
    wav_bytes,
    write,
    write_large_picture,
    write_pictures,
    write_tracks,
)

FLAC = Kind("flac", "flac")
M4A = Kind("ipod", "aac", 48_000, "stereo")
MKV = Kind("matroska", "aac", has_video=True)
MP3 = Kind("mp3", "libmp3lame")
WEBM = Kind("webm", "libopus", 48_000)

PRIMING_S = {
    "ac3": 0.006,
    "adts": 0.024,
    "asf": 0.046,
    "avi": 0.026,
    "flv": 0.024,
    "mpegts": 0.024,
}
"""Containers that do not store by how much the encoder is late; a player hears it late, too. AAC
is late by 1024 samples, MP3 by 1105, MP2 by 481, AC-3 by 256, WMA by 2048."""


def decode(path: Path, *, window_s: float = 30.0) -> tuple[Samples, AudioSource]:
    with open_audio(path) as source:
        windows = [window.samples for window in source.windows(window_s)]
    return np.concatenate(windows), source


def level(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples))))


# --- Time -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_click_comes_out_at_its_second(tmp_path: Path, kind: Kind) -> None:
    path = write(tmp_path / "recording", kind, click(4.0, at=2.5, rate=kind.rate))

    samples, source = decode(path)

    assert place_of_click(samples) == pytest.approx(2.5, abs=PRIMING_S.get(kind.container, 0.001))
    assert source.duration == pytest.approx(4.0, abs=0.1)
    assert (source.damaged_packets, source.ended_early) == (0, False)
    assert (source.info.sample_rate, source.info.has_video) == (kind.rate, kind.has_video)


def test_the_frame_that_a_decoder_holds_back_is_fetched_at_the_end(tmp_path: Path) -> None:
    kind = Kind("asf", "wmav2", options=(("b", "64000"),))
    _, source = decode(write(tmp_path / "a.wma", kind, tone(4.0, rate=kind.rate)))
    assert source.duration > 4.0 + 2048 / kind.rate  # WMA comes late by one frame of 2048


@pytest.mark.parametrize("kind", [MKV, Kind("mp4", "aac", has_video=True)], ids=str)
def test_sound_that_begins_after_the_pictures_keeps_its_place(tmp_path: Path, kind: Kind) -> None:
    path = write(tmp_path / "film", kind, click(2.0, at=1.0, rate=kind.rate), from_s=1.5)

    samples, source = decode(path)

    assert place_of_click(samples) == pytest.approx(2.5, abs=0.03)
    assert source.gaps_s == pytest.approx(1.5, abs=0.03)


def test_even_a_short_delay_after_the_pictures_is_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "film", MKV, click(2.0, at=1.0, rate=MKV.rate), from_s=0.08)

    samples, _ = decode(path)

    assert place_of_click(samples) == pytest.approx(1.08, abs=0.03)


def test_a_recording_whose_first_timestamp_is_not_zero_begins_at_zero(tmp_path: Path) -> None:
    kind = Kind("matroska", "pcm_s16le", 16_000)
    path = write(tmp_path / "late.mkv", kind, click(2.0, at=1.0, rate=kind.rate), from_s=7.0)

    samples, _ = decode(path)

    assert place_of_click(samples) == pytest.approx(1.0, abs=0.005)
    assert len(samples) == 2 * 16_000


def test_a_hole_in_the_timestamps_becomes_silence_of_its_length(tmp_path: Path) -> None:
    path = tmp_path / "pause.mkv"
    _write_with_jump(path, jump_s=3.0)

    samples, source = decode(path)

    assert len(samples) == 5 * 16_000  # 1 s of sound, 3 s of nothing, 1 s of sound
    assert source.gaps_s == pytest.approx(3.0, abs=0.002)
    assert level(samples[17_000:63_000]) == 0.0
    assert level(samples[65_000:79_000]) == pytest.approx(0.5 / 2**0.5, rel=0.02)


def test_a_clock_that_jumps_by_days_does_not_become_days_of_silence(tmp_path: Path) -> None:
    path = tmp_path / "broken-clock.mkv"
    _write_with_jump(path, jump_s=90_000.0)

    samples, source = decode(path)

    assert (len(samples), source.gaps_s) == (2 * 16_000, 0.0)


def test_a_timestamp_beyond_the_claimed_end_makes_no_silence(tmp_path: Path) -> None:
    path = tmp_path / "pause.mkv"
    _write_with_jump(path, jump_s=300.0)
    content = bytearray(path.read_bytes())
    at = content.index(b"\x44\x89\x88") + 3  # Duration, a double of milliseconds
    content[at : at + 8] = struct.pack(">d", 2000.0)
    path.write_bytes(content)

    samples, source = decode(path)

    assert (len(samples), source.gaps_s) == (2 * 16_000, 0.0)


def test_a_clock_that_jumps_back_loses_no_sound(tmp_path: Path) -> None:
    path = tmp_path / "overlap.mkv"
    _write_with_jump(path, jump_s=-0.5)

    samples, source = decode(path)

    assert (len(samples), source.gaps_s) == (2 * 16_000, 0.0)


def _write_with_jump(path: Path, *, jump_s: float) -> None:
    """Two seconds of a tone, one second each side of a jump in the timestamps."""
    with av.open(path, "w", format="matroska") as container:
        stream = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for index, second in enumerate((0.0, 1.0 + jump_s)):
            part = (tone(1.0, rate=16_000) * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
            frame.sample_rate = 16_000
            frame.pts = round(second * 16_000)
            for packet in stream.encode(frame):
                packet.dts = index  # the muxer wants them to grow; the reader goes by pts
                container.mux(packet)


# --- Tracks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("container", ["matroska", "mov"])
@pytest.mark.parametrize(("default", "hz"), [(0, 300), (1, 900), (2, 1500)])
def test_the_track_that_is_marked_as_default_is_decoded(
    tmp_path: Path, container: str, default: int, hz: int
) -> None:
    path = write_tracks(tmp_path / "film", container, (300, 900, 1500), default=default)
    samples, _ = decode(path)
    assert int(np.abs(np.fft.rfft(samples[:16_000])).argmax()) == hz


@pytest.mark.parametrize("container", ["matroska", "mov"])
def test_without_a_default_the_first_track_is_decoded(tmp_path: Path, container: str) -> None:
    path = write_tracks(tmp_path / "film", container, (300, 900), default=-1)
    samples, _ = decode(path)
    assert int(np.abs(np.fft.rfft(samples[:16_000])).argmax()) == 300


# --- Windows ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Kind("wav", "pcm_s16le", 44_100, "stereo"), MP3, WEBM], ids=str)
def test_windows_join_without_a_seam(tmp_path: Path, kind: Kind) -> None:
    path = write(tmp_path / "recording", kind, tone(7.3, rate=kind.rate))

    whole, _ = decode(path, window_s=60.0)
    pieces, _ = decode(path, window_s=0.7)

    np.testing.assert_array_equal(whole, pieces)


def test_every_window_but_the_last_has_the_length_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", WAV, tone(7.0, rate=16_000))

    with open_audio(path) as source:
        lengths = [window.duration for window in source.windows(3.0)]

    assert lengths == [3.0, 3.0, 1.0]


def test_a_recording_of_exactly_two_windows_gives_two(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", WAV, tone(6.0, rate=16_000))

    with open_audio(path) as source:
        assert [window.duration for window in source.windows(3.0)] == [3.0, 3.0]


def test_duration_counts_what_was_delivered_so_far(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", WAV, tone(7.0, rate=16_000))

    with open_audio(path) as source:
        windows = source.windows(3.0)
        assert (source.duration_hint, source.duration) == (7.0, 0.0)
        next(windows)
        assert source.duration == 3.0


def test_a_recording_is_read_only_once(tmp_path: Path) -> None:
    with open_audio(write(tmp_path / "a.wav", WAV, tone(1.0, rate=16_000))) as source:
        list(source.windows())
        with pytest.raises(RuntimeError, match="only once"):
            next(source.windows())


# --- Sound ------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100, 48_000, 96_000])
def test_a_tone_keeps_its_pitch_and_level_at_every_rate(tmp_path: Path, rate: int) -> None:
    path = write(tmp_path / "a.wav", Kind("wav", "pcm_s16le", rate), tone(2.0, rate=rate))

    samples, _ = decode(path)

    spectrum = np.abs(np.fft.rfft(samples[:16_000]))
    assert int(spectrum.argmax()) == 440
    assert level(samples[1600:-1600]) == pytest.approx(0.5 / 2**0.5, rel=0.01)


def test_sound_above_8_khz_does_not_fold_back(tmp_path: Path) -> None:
    kind = Kind("wav", "pcm_f32le", 48_000)
    samples, _ = decode(write(tmp_path / "a.wav", kind, tone(2.0, rate=48_000, hz=10_000.0)))

    assert level(samples[1600:-1600]) < 0.001


def test_samples_are_mono_float32_and_at_16_khz_bit_exact(tmp_path: Path) -> None:
    sound = np.array([[0.0, 0.25, -1.0, 0.5]], np.float32)
    samples, _ = decode(write(tmp_path / "a.wav", Kind("wav", "pcm_f32le", 16_000), sound))

    assert samples.dtype == np.float32
    np.testing.assert_array_equal(samples, sound[0])


def test_values_that_are_no_sound_are_cut_to_range(tmp_path: Path) -> None:
    wild = np.array([0.1, np.nan, np.inf, -np.inf, 3e38, -5.0] * 1000, "<f4")
    path = tmp_path / "wild.wav"
    path.write_bytes(wav_bytes(wild.tobytes(), bits=32, float_samples=True))

    samples, _ = decode(path)

    assert np.isfinite(samples).all()
    assert np.abs(samples).max() <= 1.0
    assert len(samples) == 6000


# --- Change within a recording ----------------------------------------------------------------


def test_rate_and_channels_may_change_within_a_recording(tmp_path: Path) -> None:
    first = write(tmp_path / "1", Kind("adts", "aac", 44_100, "stereo"), tone(4.0, rate=44_100))
    second = write(tmp_path / "2", Kind("adts", "aac", 16_000), click(4.0, at=2.0, rate=16_000))
    both = tmp_path / "both.aac"
    both.write_bytes(first.read_bytes() + second.read_bytes())

    samples, source = decode(both)

    assert source.duration == pytest.approx(8.0, abs=0.2)
    late = samples[5 * 16_000 :]
    assert 5.0 + place_of_click(late) == pytest.approx(6.0, abs=0.15)  # two encoders' delays


# --- Damage -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [FLAC, M4A, MKV, WEBM, Kind("ogg", "libopus", 48_000)], ids=str)
def test_sound_after_damage_is_decoded_and_keeps_its_second(tmp_path: Path, kind: Kind) -> None:
    sound = click(20.0, at=15.0, rate=kind.rate) + tone(20.0, rate=kind.rate, level=0.01)
    path = write(tmp_path / "recording", kind, sound)
    content = bytearray(path.read_bytes())
    hole = slice(len(content) * 40 // 100, len(content) * 45 // 100)
    content[hole] = np.random.default_rng(1).bytes(hole.stop - hole.start)
    path.write_bytes(content)

    samples, source = decode(path)

    late = samples[12 * 16_000 :]
    assert 12.0 + place_of_click(late) == pytest.approx(15.0, abs=0.03)
    assert source.damaged_packets > 0 or source.gaps_s > 0.2
    assert not source.ended_early


@pytest.mark.parametrize(
    "kind",
    [WAV, FLAC, MP3, MKV, WEBM, Kind("aiff", "pcm_s16be"), Kind("flv", "aac"), Kind("tta", "tta")],
    ids=str,
)
def test_a_file_cut_in_the_middle_gives_its_first_part_and_says_so(
    tmp_path: Path, kind: Kind
) -> None:
    path = write(tmp_path / "recording", kind, tone(20.0, rate=kind.rate))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])

    samples, source = decode(path)

    assert source.ended_early
    assert 10.0 < source.duration < 13.0
    assert level(samples[1600 : 10 * 16_000]) == pytest.approx(0.5 / 2**0.5, rel=0.05)


def test_an_mp4_without_its_index_is_unreadable_and_the_hint_says_why(tmp_path: Path) -> None:
    path = write(tmp_path / "a.m4a", M4A, tone(5.0, rate=48_000))
    path.write_bytes(path.read_bytes()[:20_000])

    with pytest.raises(AudioUnreadable) as caught:
        decode(path)
    assert "index" in caught.value.hint


def test_a_wav_written_to_a_pipe_has_not_ended_early(tmp_path: Path) -> None:
    path = tmp_path / "piped.wav"
    path.write_bytes(wav_bytes(b"\0" * 32_000, riff_size=0xFFFFFFFF, data_size=0xFFFFFFFF))

    _, source = decode(path)

    assert (source.duration, source.ended_early) == (1.0, False)


# --- Not a recording --------------------------------------------------------------------------


def test_a_file_without_a_byte_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.touch()
    with pytest.raises(AudioEmpty, match=r"a\.wav is empty"):
        decode(path)


def test_a_wav_without_samples_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav_bytes(b""))
    with pytest.raises(AudioEmpty):
        decode(path)


@pytest.mark.parametrize("kind", [FLAC, MKV], ids=str)
def test_a_container_without_samples_is_empty(tmp_path: Path, kind: Kind) -> None:
    path = write(tmp_path / "a", kind, np.zeros((1, 0), np.float32))
    with pytest.raises(AudioEmpty):
        decode(path)


def test_a_wav_cut_behind_its_header_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav_bytes(b"\1" * 32_000)[:44])
    with pytest.raises(AudioEmpty):
        decode(path)


@pytest.mark.parametrize("container", ["matroska", "mp4", "avi"])
def test_pictures_without_sound_have_no_audio_track(tmp_path: Path, container: str) -> None:
    with pytest.raises(NoAudioTrack, match="film has no sound track"):
        decode(write_pictures(tmp_path / "film", container))


def _garbage() -> dict[str, bytes]:
    return {
        "one byte": b"R",
        "half a header": wav_bytes(b"\1" * 100)[:20],
        "text": b"this is a letter, not a recording\n" * 5000,
        "subtitles": b"1\n00:00:01,000 --> 00:00:02,000\nhello\n\n" * 100,
        "zeros": bytes(3_000_000),
        "ones": b"\xff" * 3_000_000,
        "only mp3 headers": b"\xff\xfb\x90\x64" * 500_000,
        "random": np.random.default_rng(7).bytes(3_000_000),
        "program": b"\x7fELF\x02\x01\x01" + np.random.default_rng(8).bytes(500_000),
        "unknown codec": wav_bytes(b"\1" * 3200, bits=0),
    }


@pytest.mark.parametrize("what", _garbage())
def test_what_is_no_recording_is_unreadable_whatever_its_name(tmp_path: Path, what: str) -> None:
    path = tmp_path / "recording.mp3"
    path.write_bytes(_garbage()[what])
    with pytest.raises(AudioUnreadable, match=r"recording\.mp3"):
        decode(path)


def test_fifty_megabytes_of_noise_are_refused_after_reading_little(tmp_path: Path) -> None:
    path = tmp_path / "noise.mp3"
    path.write_bytes(np.random.default_rng(9).bytes(50_000_000))
    before = _bytes_read()

    with pytest.raises(AudioUnreadable):
        decode(path)
    assert _bytes_read() - before < 10_000_000


def _bytes_read() -> int:
    counters = Path("/proc/self/io")
    if not counters.exists():
        pytest.skip("this system does not count the bytes a process reads")
    return int(counters.read_text().split()[1])


@pytest.mark.parametrize(("rate", "channels"), [(1, 1), (2**31 - 1, 1), (16_000, 512)])
def test_an_absurd_claim_is_refused(tmp_path: Path, rate: int, channels: int) -> None:
    path = tmp_path / "absurd.wav"
    path.write_bytes(wav_bytes(b"\1\1" * 512 * 100, rate=rate, channels=channels))
    with pytest.raises(AudioUnreadable, match=f"claims {channels} channels at {rate} Hz"):
        decode(path)


PEAK_GROWTH = """
import re, sys
from pathlib import Path
from offscribe.audio.decode import open_audio
peak_kib = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before = peak_kib()
with open_audio(Path(sys.argv[1])) as source:
    list(source.windows())
print(peak_kib() - before, source.duration)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux states the peak")
@pytest.mark.parametrize(
    ("codec", "pix_fmt", "side"), [("png", "rgba64be", 4000), ("libx264", "yuv420p", 8192)]
)
def test_a_huge_picture_beside_the_sound_takes_no_memory(
    tmp_path: Path, codec: str, pix_fmt: str, side: int
) -> None:
    path = write_large_picture(tmp_path / "film.mov", codec, pix_fmt, side)  # > 100 MB decoded
    assert path.stat().st_size < 500_000

    run = subprocess.run(
        [sys.executable, "-c", PEAK_GROWTH, str(path)], capture_output=True, check=True
    )

    growth_kib, duration = run.stdout.split()
    assert float(duration) == 1.0
    assert int(growth_kib) < 60_000


def test_a_sound_file_most_of_which_is_damaged_is_unreadable(tmp_path: Path) -> None:
    path = write(tmp_path / "a.m4a", M4A, tone(30.0, rate=48_000))
    content = bytearray(path.read_bytes())
    begin, end = content.index(b"mdat") + 4, content.index(b"moov") - 4
    content[begin:end] = b"\xff" * (end - begin)
    path.write_bytes(content)
    with pytest.raises(AudioUnreadable, match=r"most of a\.m4a is damaged"):
        decode(path)


def test_a_place_outside_the_file_is_answered_as_ffmpeg_expects(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"0123456789")
    with open_bytes(path) as file:
        sound = SoundBytes(file)
        assert (sound.seek(-1), sound.seek(-11, 2), sound.tell()) == (-22, -22, 0)
        assert (sound.seek(2**63 - 1), sound.read(4)) == (2**63 - 1, b"")
        assert (sound.seek(-2, 2), sound.read(), sound.tell()) == (8, b"89", 10)


def test_a_good_name_of_the_users_is_what_messages_show(tmp_path: Path) -> None:
    path = tmp_path / "f81d4fae"
    path.write_bytes(b"no sound in here")
    with (
        pytest.raises(AudioUnreadable, match=r"^采访 3\.mp3 is not audio"),
        open_audio(path, name="采访 3.mp3"),
    ):
        pass


def test_nothing_is_printed_about_a_bad_file(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "a.mp3", MP3, tone(5.0, rate=44_100))
    content = bytearray(path.read_bytes())
    content[4000:9000] = bytes(5000)
    path.write_bytes(content)

    decode(path)

    assert capfd.readouterr() == ("", "")


# --- Content decides, not the name ------------------------------------------------------------


def test_a_recording_with_a_wrong_extension_is_decoded(tmp_path: Path) -> None:
    path = write(tmp_path / "actually-flac.mp3", FLAC, tone(1.0, rate=44_100))
    _, source = decode(path)
    assert (source.info.container, source.duration) == ("flac", 1.0)


@pytest.mark.parametrize("kind", [MP3, FLAC], ids=str)
@pytest.mark.parametrize("tag_bytes", [100, 0x7F << 14])
def test_a_cover_picture_of_any_size_may_stand_before_the_sound(
    tmp_path: Path, kind: Kind, tag_bytes: int
) -> None:
    path = write(tmp_path / "tagged", kind, click(4.0, at=2.5, rate=44_100))
    size = bytes(tag_bytes >> shift & 0x7F for shift in (21, 14, 7, 0))
    path.write_bytes(b"ID3\x04\0\0" + size + bytes(tag_bytes) + path.read_bytes())

    samples, source = decode(path)

    assert place_of_click(samples) == pytest.approx(2.5, abs=0.03)
    assert source.info.container == kind.container


def test_a_cover_picture_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    with av.open(path, "w", format="flac") as container:
        sound = container.add_stream("flac", rate=44_100, layout="mono")
        cover = container.add_stream("png", rate=1)
        assert isinstance(sound, av.AudioStream)
        assert isinstance(cover, av.VideoStream)
        cover.width = cover.height = 32
        cover.pix_fmt = "rgb24"
        cover.disposition = Disposition.attached_pic
        container.mux(cover.encode(av.VideoFrame(32, 32, "rgb24")))
        frame = av.AudioFrame.from_ndarray(
            (tone(2.0, rate=44_100) * 32767).astype(np.int16), format="s16", layout="mono"
        )
        frame.sample_rate = 44_100
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))

    _, source = decode(path)

    assert not source.info.has_video
    assert source.duration == 2.0


# --- Nothing else is opened -------------------------------------------------------------------

PLAYLISTS = {
    "list.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{target}\n#EXT-X-ENDLIST\n",
    "list.ffconcat": "ffconcat version 1.0\nfile {target}\n",
    "list.m3u": "#EXTM3U\n{target}\n",
    "list.pls": "[playlist]\nFile1={target}\n",
    "list.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
    "m=audio 5004 RTP/AVP 0\n",
    "list.mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'
    '<Period><AdaptationSet mimeType="audio/mp4"><Representation id="1"><BaseURL>{target}'
    "</BaseURL></Representation></AdaptationSet></Period></MPD>",
}


@pytest.mark.parametrize("playlist", PLAYLISTS)
def test_a_playlist_opens_no_other_file(
    tmp_path: Path, playlist: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where FFmpeg would look, and safe enough for its own rules
    target = write(tmp_path / "secret.aac", Kind("adts", "aac"), tone(4.0, rate=44_100))
    path = tmp_path / playlist
    path.write_text(PLAYLISTS[playlist].format(target=target.name))
    decode(target)

    with pytest.raises(AudioUnreadable):
        decode(path)


def test_a_movie_that_refers_to_another_file_does_not_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    kind = Kind("mov", "pcm_s16le", 16_000)
    movie = write(tmp_path / "secret.mov", kind, tone(2.0, rate=16_000)).read_bytes()
    path = tmp_path / "movie.mov"
    path.write_bytes(refer_elsewhere(movie, "secret.mov"))
    with av.open("movie.mov", container_options={"enable_drefs": "1"}) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) == 32_000

    with pytest.raises(AudioEmpty):
        decode(path)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9/a.mp3",
        "file:{target}",
        "concat:{target}|{target}",
        "subfile:,,start,0,end,1000,,:{target}",
        "data:audio/wav;base64,UklGRg==",
        "pipe:0",
    ],
)
def test_an_address_is_no_file(tmp_path: Path, address: str) -> None:
    target = write(tmp_path / "a.wav", WAV, tone(1.0, rate=16_000))
    path = Path(address.format(target=target))
    with pytest.raises(NotFound) as caught:
        decode(path)
    assert "never an address" in caught.value.hint


def test_a_file_whose_name_looks_like_an_address_is_just_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.name != "posix":
        pytest.skip("this system has no such names")
    write(tmp_path / "a.wav", WAV, tone(1.0, rate=16_000)).rename(tmp_path / "concat:a.wav")
    monkeypatch.chdir(tmp_path)
    _, source = decode(Path("concat:a.wav"))
    assert source.duration == 1.0


# --- What cannot be opened --------------------------------------------------------------------


def test_a_regular_file_passes_the_check_whatever_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("no sound")
    check_file(path)


@pytest.mark.parametrize("name", ["absent.wav", "a.txt/below.wav"])
def test_what_is_not_there_is_not_found(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.txt").touch()
    with pytest.raises(NotFound):
        check_file(tmp_path / name)


@pytest.mark.parametrize("name", ["nul\0l", "x" * 5000])
def test_an_impossible_name_is_bad_input(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError):
        check_file(tmp_path / name)


def test_a_folder_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        check_file(tmp_path)


def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="but a pipe"):
        check_file(tmp_path / "pipe")


def test_a_socket_and_a_device_are_refused(tmp_path: Path) -> None:
    if os.name != "posix":
        pytest.skip("this system has no such files")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        with pytest.raises(InputError, match="but a socket"):
            check_file(tmp_path / "s")
    with pytest.raises(InputError, match="but a device"):
        check_file(Path("/dev/zero"))


def test_a_link_to_itself_is_bad_input(tmp_path: Path) -> None:
    link = tmp_path / "loop"
    link.symlink_to(link)
    with pytest.raises(InputError):
        check_file(link)


def test_a_file_that_may_not_be_read_is_no_permission(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", WAV, tone(0.1, rate=16_000))
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(NoPermission):
        check_file(path)


# --- Any damage at all ------------------------------------------------------------------------

MUTATED = (
    Kind("wav", "pcm_s16le", 8_000),
    Kind("flac", "flac", 8_000, "stereo"),
    Kind("mp3", "libmp3lame", 16_000),
    Kind("ogg", "libopus", 48_000),
    Kind("mp4", "aac", 16_000, has_video=True),
    Kind("webm", "libopus", 48_000),
    Kind("adts", "aac", 16_000),
    Kind("avi", "libmp3lame", 16_000, has_video=True),
    Kind("mpegts", "mp2", 16_000),
)


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("originals")
    sound = [tone(1.0, rate=kind.rate) for kind in MUTATED]
    return [
        write(folder / str(kind), kind, part).read_bytes()
        for kind, part in zip(MUTATED, sound, strict=True)
    ]


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_damaged_files_raise_only_our_errors(
    tmp_path: Path, originals: list[bytes], data: st.DataObject
) -> None:
    content = bytearray(
        data.draw(st.sampled_from(range(len(originals))).map(originals.__getitem__))
    )
    places = st.integers(0, len(content) - 1) | st.integers(0, min(400, len(content) - 1))
    for place, patch in data.draw(
        st.lists(st.tuples(places, st.binary(min_size=1, max_size=16)), max_size=6)
    ):
        content[place : place + len(patch)] = patch
    path = tmp_path / "damaged"
    path.write_bytes(content[: data.draw(st.just(len(content)) | places)])

    with contextlib.suppress(OffscribeError):
        samples, source = decode(path, window_s=1.0)
        assert source.duration == len(samples) / 16_000
        assert np.isfinite(samples).all()
        assert np.abs(samples).max() <= 1.0
