"""The work itself: one leased job from audio file to stored answer."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from offscribe.audio.decode import AudioSource, open_audio
from offscribe.errors import InputError, LeaseLost
from offscribe.home import Home
from offscribe.pipeline.offline import Passage, transcribe
from offscribe.store.jobs import LEASE_S, Job, Jobs
from offscribe.store.records import Records
from offscribe.text.passes import build_passes
from offscribe.types import Audio
from offscribe.vad.segmenter import detect
from offscribe.worker.models import Models


class FileChanged(InputError):
    code = "file_changed"
    hint = "Wait until nothing writes the file any more and add it again."


@dataclass(frozen=True, slots=True)
class Bench:
    """What a worker works with."""

    home: Home
    jobs: Jobs
    records: Records
    models: Models


def work_on(job: Job, owner: str, bench: Bench) -> Generator[Passage, None, None]:
    """Do *job*, which *owner* has leased; yield after each stored passage.

    When the iterator is exhausted the job is done. Closing it early leaves the job leased.
    Raises LeaseLost when the job was cancelled, otherwise what decoding, models and the store
    raise.
    """
    with _renewing(bench.jobs, job, owner):
        _require_unchanged(job, bench.home.root / job.audio_path)
        if job.kind == "vad":
            _detect(job, owner, bench)
        elif (twin := _twin_of(job, bench.jobs)) is not None:
            bench.jobs.take_record(job.id, owner, twin)
        else:
            yield from _transcribe(job, owner, bench)


def _transcribe(job: Job, owner: str, bench: Bench) -> Iterator[Passage]:
    vad = bench.models.vad()
    options = replace(job.options, language=job.language or job.options.language)
    with (
        bench.models.using(job.model) as recognizer,
        open_audio(bench.home.root / job.audio_path, name=job.name) as source,
    ):
        bench.jobs.describe(job.id, owner, duration=source.duration_hint)
        passage = Passage((), 0.0, options.language)
        for passage in transcribe(
            _checked(source.windows(), job, owner, bench.jobs),
            recognizer,
            vad=vad,
            passes=build_passes(options),
            options=options,
            after=job.done,
        ):
            bench.jobs.append(
                job.id,
                owner,
                passage.segments,
                done=max(passage.until, job.done),
                language=passage.language,
            )
            yield passage
        bench.records.add(
            job,
            owner,
            duration=source.duration,
            language=passage.language,
            warnings=_warnings(source),
        )


def _twin_of(job: Job, jobs: Jobs) -> str | None:
    """The record that *job* may take instead of being worked on."""
    if not job.reuses:
        return None
    return jobs.twin_of(job.sha256, model=job.model, options=job.options)


def _require_unchanged(job: Job, path: Path) -> None:
    """Raises FileChanged where a file that stayed where it is has other content by now."""
    if job.modified_ns is None or not path.exists():
        return
    status = path.stat()
    if (status.st_size, status.st_mtime_ns) != (job.size_bytes, job.modified_ns):
        raise FileChanged(f"{job.name} was changed after it was queued")


def _detect(job: Job, owner: str, bench: Bench) -> None:
    vad = bench.models.vad(job.model)
    with open_audio(bench.home.root / job.audio_path, name=job.name) as source:
        windows = _checked(source.windows(), job, owner, bench.jobs)
        spans = [asdict(span) for span in detect(windows, vad, job.options.vad)]
        bench.jobs.answer(
            job.id,
            owner,
            {"spans": spans, "duration": source.duration, "warnings": _warnings(source)},
        )


def _checked(windows: Iterable[Audio], job: Job, owner: str, jobs: Jobs) -> Iterator[Audio]:
    """Pass *windows* on as long as the lease holds, so that cancelling stops at the next one."""
    for window in windows:
        jobs.check(job.id, owner)
        yield window


def _warnings(source: AudioSource) -> tuple[str, ...]:
    warnings = []
    if source.damaged_packets:
        warnings.append(f"{source.damaged_packets} damaged packets of the file were skipped")
    if source.gaps_s >= 1:
        warnings.append(f"{source.gaps_s:.0f} s of sound are missing inside the file")
    if source.ended_early:
        warnings.append("the file breaks off before its end")
    return tuple(warnings)


@contextmanager
def _renewing(jobs: Jobs, job: Job, owner: str) -> Iterator[None]:
    """Keep the lease alive from a thread: one batch on a slow machine may outlast a lease."""
    finished = threading.Event()

    def renew() -> None:
        while not finished.wait(LEASE_S / 3):
            try:
                jobs.renew(job.id, owner)
            except LeaseLost:
                return

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()
