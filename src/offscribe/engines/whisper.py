"""OpenAI Whisper through CTranslate2 (faster-whisper): its features, tokenizer and prompts, its
beam search on a batch of chunks, and word times from its cross-attention.

On a CPU the batch is divided into small parts that run side by side, each on few threads: the
decoder's steps are too small to share, so that is faster than one large batch on all threads
(bench/throughput.py shows the difference).
"""

from __future__ import annotations

import ctypes
import json
import re
import shutil
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from offscribe.engines.base import EngineSpec
from offscribe.engines.devices import DeviceChoice, DeviceReport, choose_device
from offscribe.engines.guards import is_parrot, is_repetitive
from offscribe.engines.memory import in_halves, is_out_of_memory
from offscribe.engines.processors import usable_cores
from offscribe.engines.whisper_decoder import Decoder, Features, Search, Take
from offscribe.engines.whisper_prompts import NO_PROMPT, Prompt, build_prompt
from offscribe.engines.whisper_words import stripped, without_loops, words_of
from offscribe.errors import (
    BadOption,
    DeviceUnusable,
    InputError,
    ModelDamaged,
    OffscribeError,
    OutOfMemory,
    UnknownLanguage,
)
from offscribe.types import (
    SAMPLE_RATE,
    Audio,
    Hypothesis,
    LoadOptions,
    ModelCard,
    ModelFile,
    PackageSource,
    RecognizeOptions,
    Samples,
    Word,
)

WINDOW_S = 30.0
"""The encoder has no position beyond it."""
FILES = ("model.bin", "config.json", "tokenizer.json")
LANGUAGES = tuple(
    (
        "zh en ja ko yue af am ar as az ba be bg bn bo br bs ca cs cy da de el es et eu fa fi fo fr "
        "gl gu ha haw he hi hr ht hu hy id is it jw ka kk km kn la lb ln lo lt lv mg mi mk ml mn mr "
        "ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd si sk sl sn so sq sr su sv sw ta te tg th "
        "tk tl tr tt uk ur uz vi yi yo"
    ).split()
)
"""What multilingual Whisper models were trained on. Those before large-v3 have no token of their
own for Cantonese (yue); it is then recognised as Chinese."""

MIN_S = 0.1
"""Nothing can be said in less; the model would invent a word."""
SILENT_PEAK = 1e-4
"""-80 dBFS, below the quietest recording: digital silence."""
UNHEARD_NO_SPEECH = 0.5
UNHEARD_LOGPROB = -0.8
"""Nothing was heard where the model both doubts that somebody speaks and is unsure of what it
wrote. Over synthetic noises, tones and silence of 1 to 29 s it always is, over 80 clips of real
speech never: those have at most 0.57 or at least -0.72 (whisper-base)."""
UNHEARD_TAIL_S = 2.5
"""The model sometimes stops in the middle of a window. More sound than this after the last word,
as loud as the speech before it (TAIL_LOUDNESS), is listened to again."""
TAIL_LOUDNESS = 0.3
TAIL_CUT_S = 0.6
"""The tail is cut at the quietest moment this long after the last word."""
MAX_TAILS = 3
RETRY_TEMPERATURES = (0.0, 0.4, 0.8)
"""A doubtful text is heard again without prompt and hotwords, then with more and more chance."""
CPU_PART = 2
"""Chunks that one worker takes at a time on a CPU."""
MAX_CPU_WORKERS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One thing to listen to, and its features."""

    samples: Samples
    features: Features

    @property
    def duration(self) -> float:
        return len(self.samples) / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Heard:
    """What one listening gave. Without words where nothing was heard."""

    words: tuple[Word, ...]
    is_doubtful: bool


@dataclass(frozen=True, slots=True)
class Task:
    """How to listen: in which *language* of the model, told what, how carefully."""

    language: str
    prompt: Prompt
    search: Search


class WhisperRecognizer:
    """A loaded Whisper. See ``offscribe.types.Recognizer``."""

    def __init__(
        self, card: ModelCard, decoder: Decoder, *, device: str, batch_size: int, layout: Layout
    ) -> None:
        self.card = card
        self.device = device
        self.batch_size = batch_size
        self._decoder = decoder
        self._part_size = layout.part_size
        self._pool = ThreadPoolExecutor(layout.n_workers, thread_name_prefix="whisper")

    def recognize(self, batch: Sequence[Audio], options: RecognizeOptions) -> list[Hypothesis]:
        """See ``Recognizer.recognize``. Raises InputError for a chunk that is too long or not
        sound, UnknownLanguage, BadOption and OutOfMemory."""
        self._check(batch, options)
        audible = [index for index, audio in enumerate(batch) if _is_audible(audio.samples)]
        clips = [self._clip(batch[index].samples) for index in audible]
        language = options.language
        if language == "auto" and clips:
            language = self._language_of(clips)
        task = self._task(language, options)
        heard = self._in_parts(partial(self._hear, task=task), clips)
        hypotheses = [Hypothesis("", language)] * len(batch)
        for index, words in zip(audible, heard, strict=True):
            words = stripped(words)
            hypotheses[index] = Hypothesis("".join(word.text for word in words), language, words)
        return hypotheses

    def _check(self, batch: Sequence[Audio], options: RecognizeOptions) -> None:
        if options.language != "auto" and options.language not in self.card.languages:
            raise UnknownLanguage(
                f"{self.card.title} does not know the language {options.language!r}",
                hint=f"It knows: auto, {', '.join(self.card.languages)}.",
            )
        if options.beam_size < 1:
            raise BadOption(f"beam_size {options.beam_size} is not at least 1")
        for audio in batch:
            if audio.duration > self.card.max_chunk_s + 0.01:
                raise InputError(
                    f"a chunk of {audio.duration:.1f} s is longer than the "
                    f"{self.card.max_chunk_s:g} s that {self.card.title} takes"
                )
            if not np.isfinite(audio.samples).all():
                raise InputError("the audio holds samples that are not numbers")

    def _clip(self, samples: Samples) -> Clip:
        return Clip(samples, self._decoder.features(samples))

    def _task(self, language: str, options: RecognizeOptions) -> Task:
        known = language if self._decoder.has_language(language) else "zh"
        prompt = build_prompt(
            known,
            options.hotwords,
            encode=self._decoder.text_tokens,
            max_tokens=self._decoder.max_prompt_tokens,
        )
        return Task(known, prompt, Search(options.beam_size))

    def _in_parts[T](
        self, work: Callable[[Sequence[Clip]], list[T]], clips: Sequence[Clip]
    ) -> list[T]:
        parts = [clips[at : at + self._part_size] for at in range(0, len(clips), self._part_size)]
        answers = self._pool.map(partial(in_halves, work), parts)
        return [answer for part in answers for answer in part]

    def _language_of(self, clips: Sequence[Clip]) -> str:
        """The language of most of the seconds, each clip voting with its probabilities."""
        if not self._decoder.is_multilingual:
            return "en"
        votes: Counter[str] = Counter()
        for clip, probabilities in zip(clips, self._in_parts(self._vote, clips), strict=True):
            for code, probability in probabilities.items():
                votes[code] += probability * clip.duration
        return max(votes, key=lambda code: votes[code])

    def _vote(self, clips: Sequence[Clip]) -> list[dict[str, float]]:
        return self._decoder.languages(self._decoder.encode([clip.features for clip in clips]))

    def _hear(
        self, clips: Sequence[Clip], *, task: Task, tails_left: int = MAX_TAILS
    ) -> list[tuple[Word, ...]]:
        """Return the words of every clip. What is doubtful is heard again, and so is the rest of
        a clip in which the model stopped too early."""
        heard = self._listen(clips, task)
        for temperature in RETRY_TEMPERATURES:
            doubtful = [index for index, answer in enumerate(heard) if answer.is_doubtful]
            if not doubtful:
                break
            search = replace(task.search, temperature=temperature)
            retry = replace(task, prompt=NO_PROMPT, search=search)
            for index, answer in zip(
                doubtful, self._listen([clips[index] for index in doubtful], retry), strict=True
            ):
                heard[index] = answer if not answer.is_doubtful else heard[index]
        words = [
            without_loops(answer.words) if answer.is_doubtful else answer.words for answer in heard
        ]
        return self._with_tails(clips, words, task, tails_left) if tails_left else words

    ...
