"""A recording to segments, in one direction.

windows → spans → packed chunks → hypotheses → segments → text passes
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from offscribe.pipeline.packing import Chunk, pack
from offscribe.pipeline.segments import segments_of
from offscribe.pipeline.tape import Tape
from offscribe.text.passes import TextPass
from offscribe.types import Audio, Hypothesis, RecognizeOptions, Recognizer, Segment, Vad
from offscribe.vad.segmenter import detect

FIRST_BATCH = 2
"""Chunks in the first batch: small, so that the first text is there soon."""
KEEP_S = 180.0
"""Seconds kept for cutting: the longest segment (60 s) twice, and what ends it."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Everything before *until* seconds is finished; *segments* are its new ones, in order."""

    segments: tuple[Segment, ...]
    until: float
    language: str


def transcribe(
    windows: Iterable[Audio],
    recognizer: Recognizer,
    *,
    vad: Vad,
    passes: Sequence[TextPass],
    options: RecognizeOptions,
    after: float = 0.0,
) -> Iterator[Passage]:
    """Yield the recording's passages as they are finished; the last ends at its full length.

    *windows* are consecutive from the start of the file and are pulled only when needed: memory
    is bounded by one batch of chunks. What ends before *after* seconds is skipped, so a job that
    was interrupted goes on where it stopped; detection is repeated from the start, because its
    answers depend on what went before. With language ``auto`` the first batch decides for the
    whole recording; give the heard language in *options* when resuming.
    Errors are those of *windows* and of the recognizer.
    """
    tape = Tape(keep_s=KEEP_S)
    language = options.language
    for batch in _batches(tape, windows, recognizer, vad, options, after):
        hypotheses = recognizer.recognize(
            [chunk.audio for chunk in batch], replace(options, language=language)
        )
        if language == "auto":
            language = _majority(batch, hypotheses)
        segments = tuple(
            _passed(segment, passes, language)
            for chunk, hypothesis in zip(batch, hypotheses, strict=True)
            for segment in segments_of(chunk, hypothesis)
        )
        yield Passage(segments, batch[-1].end, language)
    yield Passage((), tape.duration, language)


def _batches(
    tape: Tape,
    windows: Iterable[Audio],
    recognizer: Recognizer,
    vad: Vad,
    options: RecognizeOptions,
    after: float,
) -> Iterator[list[Chunk]]:
    card = recognizer.card
    max_segment_ms = min(options.vad.max_segment_ms, int(card.max_chunk_s * 1000))
    spans = detect(tape.playing(windows), vad, replace(options.vad, max_segment_ms=max_segment_ms))
    chunks = pack(
        ((span, tape.cut(span)) for span in spans),
        max_chunk_s=card.max_chunk_s,
        is_joining=card.times == "word",
    )
    batch: list[Chunk] = []
    size = min(FIRST_BATCH, recognizer.batch_size)
    for chunk in chunks:
        if chunk.end <= after:
            continue
        batch.append(chunk)
        if len(batch) >= size:
            yield batch
            batch, size = [], recognizer.batch_size
    if batch:
        yield batch


def _majority(batch: Sequence[Chunk], hypotheses: Sequence[Hypothesis]) -> str:
    """The language of most of the speech. Silence has none, so the question stays open."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for chunk, hypothesis in zip(batch, hypotheses, strict=True):
        if hypothesis.text.strip():
            seconds[hypothesis.language] += chunk.audio.duration
    return max(seconds, key=lambda code: seconds[code]) if seconds else "auto"


def _passed(segment: Segment, passes: Sequence[TextPass], language: str) -> Segment:
    for text_pass in passes:
        segment = text_pass(segment, language=language)
    return segment if segment.itn_text else replace(segment, itn_text=segment.text)
