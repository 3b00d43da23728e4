"""``python -m offscribe.engines.vosk_child FOLDER THREADS``: Vosk in a process of its own.

Vosk carries OpenFST inside, and so does the library that writes numbers (kaldifst, for wetext).
Both in one process corrupt each other's memory: loading the second one crashes or hangs. So Vosk
lives here, and ``engines/vosk.py`` speaks to it through standard input and output:

- request: uint32 number of clips, then for each uint32 number of bytes and PCM, int16 16 kHz mono,
  all little endian;
- answer: one line of JSON, a list with one list of ``{word, start, end, conf}`` for each clip.

The first line is ``ready``, or what is wrong with the model.
"""

from __future__ import annotations

import json
import signal
import struct
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import IO, Any

from offscribe import guard

BLOCK_BYTES = 8_000
"""A quarter of a second: Vosk decodes as it is fed."""
TRIAL = bytes(2 * BLOCK_BYTES)
"""Silence to decode before saying that all is well: over a damaged graph the library only prints a
line and goes on, and the process ends at the first sound."""


def main() -> None:
    guard.install()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when it ends
    folder, threads = sys.argv[1], int(sys.argv[2])
    import vosk  # untyped

    vosk.SetLogLevel(-1)
    try:
        model = vosk.Model(folder)
    except Exception as error:  # noqa: BLE001  # the library raises nothing narrower
        print(error, flush=True)
        return
    _words(vosk, model, TRIAL)
    print("ready", flush=True)
    with ThreadPoolExecutor(threads) as pool:
        while (clips := read_clips(sys.stdin.buffer)) is not None:
            words = list(pool.map(partial(_words, vosk, model), clips))
            print(json.dumps(words, ensure_ascii=False), flush=True)


def write_clips(stream: IO[bytes], clips: list[bytes]) -> None:
    stream.write(struct.pack("<I", len(clips)))
    for clip in clips:
        stream.write(struct.pack("<I", len(clip)))
        stream.write(clip)
    stream.flush()


def read_clips(stream: IO[bytes]) -> list[bytes] | None:
    """The clips of the next request, or None at the end."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    return [_sized(stream) for _ in range(struct.unpack("<I", head)[0])]


def _sized(stream: IO[bytes]) -> bytes:
    (size,) = struct.unpack("<I", stream.read(4))
    return stream.read(size)


def _words(vosk: Any, model: Any, pcm: bytes) -> list[dict[str, Any]]:
    """An endpoint inside the clip ends one result and begins the next; all of them count."""
    recognizer = vosk.KaldiRecognizer(model, 16_000.0)
    recognizer.SetWords(True)
    words: list[dict[str, Any]] = []
    for start in range(0, len(pcm), BLOCK_BYTES):
        if recognizer.AcceptWaveform(pcm[start : start + BLOCK_BYTES]):
            words += json.loads(recognizer.Result()).get("result", [])
    words += json.loads(recognizer.FinalResult()).get("result", [])
    return words


if __name__ == "__main__":
    main()
