"""Peak memory of transcribing a short and a very long recording.

The long one is the short one repeated. Each is transcribed by ``offscribe transcribe`` in a process
of its own, into a home of its own that shares the models. Memory must not grow with the length.

    python -m bench.memory --audio ../shared/audio/long/two_speakers_10min.flac --hours 10
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import av
import numpy as np

from offscribe.audio.decode import open_audio
from offscribe.types import SAMPLE_RATE

CHECKOUT = Path(__file__).parents[1]


def repeat(source: Path, target: Path, *, seconds: float) -> None:
    """Write *source* over and over into the FLAC file *target* until it is *seconds* long."""
    with open_audio(source) as audio:
        samples = np.concatenate([window.samples for window in audio.windows()])
    pcm = np.round(samples * 32767).astype(np.int16)[np.newaxis]
    with av.open(str(target), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=SAMPLE_RATE, layout="mono")
        n_left = round(seconds * SAMPLE_RATE)
        while n_left > 0:
            part = pcm[:, :n_left]
            n_left -= part.shape[1]
            frame = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
            frame.sample_rate = SAMPLE_RATE
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def measure(audio: Path, home: Path) -> tuple[float, float, int]:
    """Return seconds, peak memory in MiB and characters of text of one transcription."""
    output = home / "text.txt"
    command = [sys.executable, "-m", "offscribe.cli.main", "transcribe", str(audio)]
    started = time.monotonic()
    pid = os.posix_spawn(
        sys.executable,
        [*command, "--home", str(home)],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 1, str(output), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        ],
    )
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"transcribing {audio} failed with status {status}")
    text = re.sub(r"\s", "", output.read_text("utf-8"))
    return time.monotonic() - started, usage.ru_maxrss / 1024, len(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--audio", type=Path, required=True)
    parser.add_argument("--hours", type=float, default=10.0)
    parser.add_argument("--models", type=Path, default=CHECKOUT / "models")
    arguments = parser.parse_args()
    with open_audio(arguments.audio) as source:
        short_s = sum(window.duration for window in source.windows())
    print(f"input {arguments.audio.name}, model whisper-base int8, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        long = Path(folder) / "long.flac"
        repeat(arguments.audio, long, seconds=arguments.hours * 3600)
        print(
            f"{'audio':>10} {'seconds':>9} {'x real time':>12} {'peak MiB':>9} {'characters':>11}"
        )
        for name, path, length_s in (
            (f"{short_s / 60:.0f} min", arguments.audio, short_s),
            (f"{arguments.hours:g} h", long, arguments.hours * 3600),
        ):
            home = Path(folder) / name.replace(" ", "")
            home.mkdir()
            (home / "models").symlink_to(arguments.models.resolve())
            seconds, peak_mib, n_characters = measure(path, home)
            speed = length_s / seconds
            print(f"{name:>10} {seconds:9.0f} {speed:12.1f} {peak_mib:9.0f} {n_characters:11}")


if __name__ == "__main__":
    main()
