"""Whisper's ``recognize``: a batch in parts, and second thoughts about what the model wrote."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import TypeVar

import numpy as np

from offscribe.engines.clips import check, is_audible
from offscribe.engines.guards import is_parrot, is_repetitive
from offscribe.engines.memory import in_halves
from offscribe.engines.whisper_decoder import Decoder, Features, Search, Take
from offscribe.engines.whisper_prompts import NO_PROMPT, Prompt, build_prompt
from offscribe.engines.whisper_words import stripped, without_loops, words_of
from offscribe.types import (
    SAMPLE_RATE,
    Audio,
    Hypothesis,
    ModelCard,
    RecognizeOptions,
    Samples,
    Word,
)

UNHEARD_NO_SPEECH = 0.5
UNHEARD_LOGPROB = -0.8
"""Nothing was heard where the model both doubts that somebody speaks and is unsure of what it
wrote. Measured with whisper-base: over 156 noises, tones and silences of 1 to 29 s no_speech was
above 0.58 and the log-probability below -0.82; over 80 utterances it was below 0.57, or the
log-probability above -0.72."""
MIN_HOLE_S = 2.0
HOLE_LOUDNESS = 0.3
"""The model sometimes leaves out a sentence, or stops in the middle of a window. A stretch longer
than this without a word, at least this loud compared with the whole clip, is heard on its own."""
CUT_SEARCH_S = 0.6
FRAME_S = 0.02
"""It is cut at the quietest frames this close to the words around it."""
MAX_HOLES = 3
"""Of one clip, the longest: each costs as much as a whole window."""
HOLE_DEPTH = 2
"""How often a hole in what was heard in a hole is looked into."""
RETRY_TEMPERATURES = (0.0, 0.4, 0.8)
"""Doubtful text is heard again without prompt and hotwords, then with more and more chance."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Layout:
    """How a batch is worked on: *n_workers* side by side, at most *part_size* chunks each at a
    time."""

    n_workers: int
    part_size: int

    def divided(self, clips: Sequence[T]) -> list[Sequence[T]]:
        """*clips* in parts of nearly the same size, as many for every worker."""
        n_rounds = math.ceil(len(clips) / (self.n_workers * self.part_size))
        n_parts = min(n_rounds * self.n_workers, len(clips))
        bounds = [len(clips) * part // n_parts for part in range(n_parts + 1)] if clips else []
        return [clips[first:last] for first, last in pairwise(bounds)]


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One thing to listen to, and its features."""

    samples: Samples
    features: Features

    @property
    def duration(self) -> float:
        return len(self.samples) / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Task:
    """How to listen: in which *language* of the model, told what, how carefully."""

    language: str
    prompt: Prompt
    search: Search


@dataclass(frozen=True, slots=True)
class Heard:
    """What one listening gave; no words where nothing was heard."""

    words: tuple[Word, ...]
    is_doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Hole:
    """After the first *n_words*, from sample *first* to *last*, something was left out."""

    n_words: int
    first: int
    last: int


class WhisperRecognizer:
    """A loaded Whisper. See ``offscribe.types.Recognizer``."""

    def __init__(
        self, card: ModelCard, decoder: Decoder, layout: Layout, *, device: str, batch_size: int
    ) -> None:
        self.card = card
        self.device = device
        self.batch_size = batch_size
        self._decoder = decoder
        self._layout = layout
        self._pool = ThreadPoolExecutor(layout.n_workers, thread_name_prefix="whisper")

    def recognize(self, batch: Sequence[Audio], options: RecognizeOptions) -> list[Hypothesis]:
        """See ``Recognizer.recognize``. Raises UnknownLanguage, BadOption, OutOfMemory, and
        InputError for a chunk that is too long or holds samples that are not numbers.

        With language ``auto`` the whole batch is taken for one language; where nothing was
        audible it stays ``auto``.
        """
        check(self.card, batch, options)
        clips = [self._clip(audio.samples) for audio in batch if is_audible(audio)]
        language = options.language
        if language == "auto" and clips:
            language = self._language_of(clips)
        task = self._task(language, options)
        answers = iter(self._in_parts(partial(self._hear, task=task), clips))
        words = [stripped(next(answers)) if is_audible(audio) else () for audio in batch]
        return [Hypothesis("".join(word.text for word in own), language, own) for own in words]

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

    def _in_parts(
        self, work: Callable[[Sequence[Clip]], list[T]], clips: Sequence[Clip]
    ) -> list[T]:
        parts = self._layout.divided(clips)
        return [
            answer for part in self._pool.map(partial(in_halves, work), parts) for answer in part
        ]

    def _language_of(self, clips: Sequence[Clip]) -> str:
        """The language of most of the seconds; each clip votes with its probabilities."""
        if not self._decoder.is_multilingual:
            return "en"
        votes: Counter[str] = Counter()
        for clip, answer in zip(clips, self._in_parts(self._probabilities, clips), strict=True):
            for code, probability in answer.items():
                votes[code] += probability * clip.duration  # type: ignore[assignment]
        return max(votes, key=lambda code: votes[code])

    def _probabilities(self, clips: Sequence[Clip]) -> list[dict[str, float]]:
        return self._decoder.languages(self._decoder.encode([clip.features for clip in clips]))

    def _hear(
        self, clips: Sequence[Clip], *, task: Task, depth: int = HOLE_DEPTH
    ) -> list[tuple[Word, ...]]:
        """Return the words of every clip, after second thoughts."""
        heard = self._listen(clips, task)
        for temperature in RETRY_TEMPERATURES:
            doubtful = [index for index, answer in enumerate(heard) if answer.is_doubtful]
            if not doubtful:
                break
            search = replace(task.search, temperature=temperature)
            retry = replace(task, prompt=NO_PROMPT, search=search)
            again = self._listen([clips[index] for index in doubtful], retry)
            for index, answer in zip(doubtful, again, strict=True):
                if not answer.is_doubtful:
                    heard[index] = answer
        words = [without_loops(answer.words) for answer in heard]
        return self._without_holes(clips, words, task, depth - 1) if depth else words

    def _listen(self, clips: Sequence[Clip], task: Task) -> list[Heard]:
        """Listen once, without second thoughts."""
        encoded = self._decoder.encode([clip.features for clip in clips])
        takes = self._decoder.write(
            encoded,
            len(clips),
            language=task.language,
            prompt=task.prompt.token_ids,
            search=task.search,
        )
        durations = [clip.duration for clip in clips]
        aligned = self._decoder.align(encoded, takes, language=task.language, durations=durations)
        return [
            Heard(())
            if _is_unheard(take)
            else Heard(words_of(pieces, duration=duration), _is_doubtful(take, task.prompt))
            for take, pieces, duration in zip(takes, aligned, durations, strict=True)
        ]

    def _without_holes(
        self, clips: Sequence[Clip], words: list[tuple[Word, ...]], task: Task, depth: int
    ) -> list[tuple[Word, ...]]:
        """Hear what was left out, and put it where it belongs."""
        holes = [
            (index, hole)
            for index, (clip, own) in enumerate(zip(clips, words, strict=True))
            for hole in find_holes(clip.samples, own)
        ]
        missing = [
            self._clip(clips[index].samples[hole.first : hole.last]) for index, hole in holes
        ]
        answers = self._hear(missing, task=task, depth=depth) if missing else []
        filled = list(words)
        for (index, hole), answer in reversed(list(zip(holes, answers, strict=True))):
            own = filled[index]
            found = _later(answer, hole.first / SAMPLE_RATE)
            filled[index] = own[: hole.n_words] + found + own[hole.n_words :]
        return filled


def _is_unheard(take: Take) -> bool:
    is_unsure = take.average_logprob < UNHEARD_LOGPROB
    return not take.text.strip() or (take.no_speech > UNHEARD_NO_SPEECH and is_unsure)


def _is_doubtful(take: Take, prompt: Prompt) -> bool:
    return is_repetitive(take.text) or is_parrot(take.text, prompt.style, prompt.hotwords)


def find_holes(samples: Samples, words: Sequence[Word]) -> list[Hole]:
    """Return the stretches of a clip that have sound but no word, in order; only the longest.

    A clip without any word was judged to be no speech and has none.
    """
    if not words:
        return []
    loudness = _rms(samples)
    next_starts = [*(word.start for word in words[1:]), len(samples) / SAMPLE_RATE]
    holes = []
    for n_words, (word, next_start) in enumerate(zip(words, next_starts, strict=True), start=1):
        if next_start - word.end < MIN_HOLE_S:
            continue
        is_end = n_words == len(words)
        first = _quietest(samples, word.end)
        last = len(samples) if is_end else _quietest(samples, next_start - CUT_SEARCH_S)
        if _rms(samples[first:last]) >= HOLE_LOUDNESS * loudness:
            holes.append(Hole(n_words, first, last))
    longest = sorted(holes, key=lambda hole: hole.first - hole.last)[:MAX_HOLES]
    return sorted(longest, key=lambda hole: hole.first)


def _quietest(samples: Samples, start: float) -> int:
    """The sample at which the quietest frame within CUT_SEARCH_S from *start* begins."""
    first, frame = round(start * SAMPLE_RATE), round(FRAME_S * SAMPLE_RATE)
    n_frames = round(CUT_SEARCH_S / FRAME_S)
    frames = samples[first : first + n_frames * frame].reshape(n_frames, frame)
    return first + int(np.square(frames).mean(axis=1).argmin()) * frame


def _rms(samples: Samples) -> float:
    return float(np.sqrt(np.square(samples, dtype=np.float64).mean())) if len(samples) else 0.0


def _later(words: Sequence[Word], seconds: float) -> tuple[Word, ...]:
    return tuple(
        replace(word, start=round(word.start + seconds, 3), end=round(word.end + seconds, 3))
        for word in words
    )
