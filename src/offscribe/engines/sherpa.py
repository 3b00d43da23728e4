"""What the engines on sherpa-onnx share: devices, threads, and what its failures mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from offscribe.engines.clips import check, is_audible
from offscribe.engines.devices import DeviceReport, choose_device, cpu_only
from offscribe.engines.failures import load_failure
from offscribe.engines.guards import strip_marks
from offscribe.engines.processors import usable_cores
from offscribe.errors import BadOption, ModelDamaged
from offscribe.types import (
    SAMPLE_RATE,
    ArchiveSource,
    Audio,
    HubSource,
    Hypothesis,
    LoadOptions,
    ModelCard,
    Origin,
    RecognizeOptions,
    Samples,
    Word,
)
from offscribe.words import carry_words

RUNTIME = "sherpa-onnx"
MAX_TOKEN_S = 0.3
"""A token is said to last until the next one, but no longer than this: models give only starts."""
MAX_THREADS = 8
"""More slow the small steps of decoding down."""


def origins(name: str, paths: Sequence[str], *, owner: str = "csukuangfj") -> tuple[Origin, ...]:
    """Where the publisher of sherpa-onnx keeps the export *name*: as an archive on a release, and
    as a repository of *owner* with the same files."""
    members = tuple((path, path) for path in paths)
    return (
        ArchiveSource("k2-fsa/sherpa-onnx", "asr-models", f"{name}.tar.bz2", members),
        HubSource("huggingface", f"{owner}/{name}", members),
    )


def one_model(folder: Path, card: ModelCard, compute_type: str) -> tuple[Path, Path]:
    """The graph and the token list of a model that is one graph. Raises ModelDamaged, and
    BadOption for a compute type that it does not come in."""
    names = {"int8": ("model.int8.onnx",), "float32": ("model.onnx",)}
    if compute_type != "auto" and compute_type not in names:
        raise BadOption(
            f"{card.title} has no compute type {compute_type!r}",
            hint=f"Choose one of: auto, {', '.join(names)}.",
        )
    wanted = names.get(compute_type, ("model.int8.onnx", "model*.onnx"))
    return the_file(folder, *wanted), the_file(folder, "tokens.txt")


def devices() -> tuple[DeviceReport, ...]:
    """The package is built for the CPU; given ``cuda`` it would only log a line and go on."""
    return cpu_only("the sherpa-onnx package computes on the CPU only")


def device_of(options: LoadOptions) -> str:
    """The device to say. Raises DeviceUnusable."""
    return str(choose_device(options.device, devices()))


def n_threads(options: LoadOptions) -> int:
    return options.threads or min(usable_cores(), MAX_THREADS)


@contextmanager
def loading(card: ModelCard, folder: Path) -> Iterator[None]:
    """Turn what sherpa-onnx raises while it loads into ModelDamaged or OutOfMemory."""
    try:
        yield
    except (RuntimeError, ValueError, MemoryError) as error:
        raise load_failure(error, card, folder) from error


def the_file(folder: Path, *patterns: str) -> Path:
    """The first file that one of *patterns* matches. Raises ModelDamaged."""
    for pattern in patterns:
        for path in sorted(folder.glob(pattern)):
            return path
    raise ModelDamaged(f"{folder} lacks {' or '.join(patterns)}")


def decode(recognizer: Any, clip: Samples, options: dict[str, str]) -> Any:
    """The result of one clip, with per-stream *options*."""
    stream = recognizer.create_stream()
    for name, value in options.items():
        stream.set_option(name, value)
    stream.accept_waveform(SAMPLE_RATE, np.ascontiguousarray(clip, dtype=np.float32))
    recognizer.decode_stream(stream)
    return stream.result


def words_of(tokens: Sequence[str], starts: Sequence[float], duration: float) -> tuple[Word, ...]:
    """Tokens with measured starts as words: pieces of one word (``▁hel`` ``lo``) are joined, a
    Chinese character is a word of its own. They join to the text."""
    words: list[Word] = []
    ends = [*starts[1:], duration]
    for token, start, next_start in zip(tokens, starts, ends, strict=True):
        text = token.replace("▁", " ")
        end = max(start, min(next_start, start + MAX_TOKEN_S, duration))
        if not text.strip():
            continue
        if words and _goes_on(words[-1].text, text):
            words[-1] = Word(words[-1].text + text, words[-1].start, end)
        else:
            words.append(Word(text if words else text.lstrip(), start, end))
    return tuple(words)


def _goes_on(word: str, text: str) -> bool:
    """Whether *text* belongs to the Latin word before it, or is punctuation behind it."""
    if text[0].isspace():
        return False
    if not text[0].isalnum():
        return True
    return text[0].isascii() and word[-1].isascii() and (word[-1].isalnum() or word[-1] in "'-")


@dataclass(frozen=True, slots=True)
class Heard:
    """What a model wrote for one clip: the text, and the tokens it consists of with their starts
    in seconds; no starts where the model gave none."""

    language: str
    text: str
    tokens: tuple[str, ...]
    starts: tuple[float, ...]


class TimedRecognizer:
    """A loaded model that gives tokens with starts. See ``offscribe.types.Recognizer``.

    *hear* decodes one clip in a language; these models write a token where they hear one, so they
    do not loop.
    """

    def __init__(
        self,
        card: ModelCard,
        hear: Callable[[Samples, str], Heard],
        *,
        device: str,
        batch_size: int,
    ) -> None:
        self.card = card
        self.device = device
        self.batch_size = batch_size
        self._hear = hear

    def recognize(self, batch: Sequence[Audio], options: RecognizeOptions) -> list[Hypothesis]:
        """See ``Recognizer.recognize``. The models take no hotwords."""
        check(self.card, batch, options)
        return [
            self._hypothesis(audio, options.language)
            if is_audible(audio)
            else Hypothesis("", options.language)
            for audio in batch
        ]

    def _hypothesis(self, audio: Audio, language: str) -> Hypothesis:
        heard = self._hear(audio.samples, language)
        text = strip_marks(heard.text).strip()
        words: tuple[Word, ...] = ()
        if len(heard.starts) == len(heard.tokens):
            words = carry_words(words_of(heard.tokens, heard.starts, audio.duration), text)
        return Hypothesis(text, heard.language, words)
