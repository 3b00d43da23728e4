from __future__ import annotations

import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from offscribe.errors import AudioUnreadable, LeaseLost, ModelMissing, OffscribeError
from offscribe.events import Event, JobChanged, LoadModel, ModelFailed, ModelWanted, Refused
from offscribe.home import Home
from offscribe.store.database import Database
from offscribe.store.jobs import Job, Jobs, NewJob
from offscribe.store.records import Records
from offscribe.types import Audio, Hypothesis, RecognizeOptions, Samples, VadOptions
from offscribe.worker.models import ModelInUse, OtherRuntime
from offscribe.worker.work import Bench, work_on
from offscribe.worker.worker import Worker
from tests.fakes import LoudnessVad, Parrot, loud, silence

OPTIONS = RecognizeOptions(
    itn=False, vad=VadOptions(min_silence_ms=200, min_speech_ms=100, pad_ms=0)
)


class Models:
    """Hands out one recognizer, or raises what it was given."""

    def __init__(self, recognizer: Parrot | Exception) -> None:
        self._recognizer = recognizer

    @contextmanager
    def using(self, model_id: str) -> Iterator[Parrot]:
        self.load(model_id)
        assert isinstance(self._recognizer, Parrot)
        yield self._recognizer

    def load(self, _: str) -> None:
        if isinstance(self._recognizer, Exception):
            raise self._recognizer

    def vad(self, _: str = "") -> LoudnessVad:
        return LoudnessVad()


def by_level(audio: Audio) -> Hypothesis:
    return Hypothesis("零一二三四五六七八九"[round(float(audio.samples.max()) * 10)], "zh")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.prepare()
    return home


@pytest.fixture
def database(home: Home) -> Iterator[Database]:
    database = Database(home.database)
    yield database
    database.close()


Bencher = Callable[[Parrot | Exception], Bench]


@pytest.fixture
def bench(home: Home, database: Database) -> Bencher:
    def make(recognizer: Parrot | Exception) -> Bench:
        return Bench(home, Jobs(database), Records(database), Models(recognizer))  # type: ignore[arg-type]

    return make


def record(home: Home, *parts: Samples) -> str:
    """Write the parts as a WAV file in the home; return its stored path."""
    path = home.audio / "talk.wav"
    samples = np.concatenate(parts) if parts else silence(0)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes((samples * 32767).astype(np.int16).tobytes())
    return "webui/data/audio/talk.wav"


def nine_words(home: Home) -> str:
    return record(home, *[p for n in range(1, 10) for p in (loud(1, n / 10), silence(1))])


def enter(bench: Bench, audio_path: str, *, owner: str | None = "me", **changes: object) -> Job:
    fields = {
        "name": "talk.wav",
        "source": "api",
        "audio_path": audio_path,
        "size_bytes": 3,
        "model": "parrot",
        "options": OPTIONS,
        **changes,
    }
    return bench.jobs.add(NewJob(**fields), owner=owner)  # type: ignore[arg-type]


def parrot() -> Parrot:
    return Parrot(by_level, times="segment", batch_size=2)


def texts(bench: Bench, job: Job) -> list[str]:
    return [segment.text for segment in bench.jobs.segments(job.id)]


def test_a_job_ends_as_a_record_with_all_its_segments(bench: Bencher, home: Home) -> None:
    table = bench(parrot())
    job = enter(table, nine_words(home))
    list(work_on(job, "me", table))
    assert table.jobs.get(job.id).state == "done"
    assert texts(table, job) == list("一二三四五六七八九")
    assert table.records.get(job.id).text == "\n".join("一二三四五六七八九")
    assert table.records.get(job.id).duration == pytest.approx(18)


def test_every_passage_is_stored_before_the_next_begins(bench: Bencher, home: Home) -> None:
    table = bench(parrot())
    job = enter(table, nine_words(home))
    passages = work_on(job, "me", table)
    next(passages)
    assert texts(table, job) == ["一", "二"]
    assert table.records.count() == 0
    passages.close()


@pytest.mark.parametrize("n_passages", range(6))
def test_work_that_broke_off_goes_on_where_it_stopped(
    bench: Bencher, home: Home, n_passages: int
) -> None:
    table = bench(parrot())
    job = enter(table, nine_words(home), owner=None)
    first = table.jobs.lease("dead")
    assert first is not None
    passages = work_on(first, "dead", table)
    for _ in range(n_passages):
        next(passages)
    passages.close()
    table.jobs.lose("dead")
    second_parrot = parrot()
    table = bench(second_parrot)
    second = table.jobs.lease("next")
    assert second is not None
    list(work_on(second, "next", table))
    assert texts(table, job) == list("一二三四五六七八九")
    n_heard_again = sum(size for size, _ in second_parrot.asked)
    assert n_heard_again == max(9 - 2 * n_passages, 0)


def test_a_cancelled_job_stops_at_the_next_passage(bench: Bencher, home: Home) -> None:
    table = bench(parrot())
    job = enter(table, nine_words(home))
    passages = work_on(job, "me", table)
    next(passages)
    table.jobs.cancel(job.id)
    with pytest.raises(LeaseLost):
        list(passages)
    assert texts(table, job) == ["一", "二"]
    assert table.records.count() == 0


def test_silence_ends_as_an_empty_record(bench: Bencher, home: Home) -> None:
    table = bench(parrot())
    job = enter(table, record(home, silence(5)))
    list(work_on(job, "me", table))
    assert table.records.get(job.id).text == ""


def test_detection_answers_spans_and_makes_no_record(bench: Bencher, home: Home) -> None:
    table = bench(ModelMissing("not needed"))
    path = record(home, silence(1), loud(2), silence(1))
    job = enter(table, path, kind="vad")
    list(work_on(job, "me", table))
    result = table.jobs.get(job.id).result
    assert isinstance(result, dict)
    assert result["duration"] == 4
    [span] = result["spans"]
    assert (span["start"], span["end"]) == (pytest.approx(1), pytest.approx(3))
    assert table.records.count() == 0


def run_worker(bench: Bench) -> list[Event]:
    """Let a worker do one job, as its loop does; return what it said."""
    said: list[Event] = []
    worker = Worker("me", bench, said.append)

    def say(event: Event) -> None:
        said.append(event)
        if len(said) > 1 and not bench.jobs.is_any_running():
            worker.stop()

    worker = Worker("me", bench, say)
    worker.work()
    return said


def failure_of(bench: Bench, job: Job) -> str:
    failed = bench.jobs.get(job.id)
    assert failed.state == "failed"
    assert failed.error is not None
    return failed.error.code


def test_a_worker_does_its_job_and_says_so(bench: Bencher, home: Home) -> None:
    table = bench(parrot())
    job = enter(table, nine_words(home), owner=None)
    said = run_worker(table)
    assert table.jobs.get(job.id).state == "done"
    assert set(said) == {JobChanged(job.id)}


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (ModelMissing("it is not here"), "model_missing"),
        (MemoryError(), "out_of_memory"),
        (ZeroDivisionError(), "internal"),
    ],
)
def test_whatever_goes_wrong_fails_the_job_with_a_reason(
    bench: Bencher, home: Home, fault: Exception, code: str
) -> None:
    table = bench(fault)
    job = enter(table, nine_words(home), owner=None)
    run_worker(table)
    assert failure_of(table, job) == code


def test_a_file_that_vanished_fails_its_job(bench: Bencher) -> None:
    table = bench(parrot())
    job = enter(table, "webui/data/audio/gone.wav", owner=None)
    run_worker(table)
    assert failure_of(table, job) == "not_found"


def test_a_worker_that_is_told_to_stop_gives_its_job_back(bench: Bencher, home: Home) -> None:
    table = bench(parrot())
    job = enter(table, nine_words(home), owner=None)
    worker = Worker("me", table, lambda _: worker.stop())
    worker.work()
    given_back = table.jobs.get(job.id)
    assert (given_back.state, given_back.workers_lost) == ("waiting", 0)
    assert texts(table, job) == ["一", "二"]


def test_loading_ahead_tells_the_reason_where_it_fails(bench: Bencher) -> None:
    said: list[Event] = []
    Worker("me", bench(parrot()), said.append).preload("parrot")
    Worker("me", bench(ModelMissing("it is not here", hint="get it")), said.append).preload("x")
    assert said == [ModelFailed("x", "model_missing", "it is not here", "get it")]


def test_a_worker_makes_way_for_a_model_of_another_runtime_and_the_job_waits(
    bench: Bencher, home: Home
) -> None:
    table = bench(OtherRuntime("vosk", "kaldi"))
    job = enter(table, nine_words(home), owner=None, model="vosk")
    said: list[Event] = []
    Worker("me", table, said.append).work()
    assert ModelWanted("vosk") in said
    waiting = table.jobs.get(job.id)
    assert (waiting.state, waiting.workers_lost, waiting.lease_owner) == ("waiting", 0, None)


def test_a_command_that_cannot_be_obeyed_is_refused_by_its_ticket(bench: Bencher) -> None:
    said: list[Event] = []
    worker = Worker("me", bench(ModelInUse("parrot is in use", hint="wait")), said.append)
    worker.obey(LoadModel("t1", "other"))
    assert said == [Refused("t1", "model_in_use", "parrot is in use", "wait")]


def test_errors_are_told_in_the_persons_own_file_name(bench: Bencher, home: Home) -> None:
    table = bench(parrot())
    (home.audio / "x.wav").write_bytes(b"no sound")
    job = enter(table, "webui/data/audio/x.wav", name="周会.wav")
    with pytest.raises(AudioUnreadable, match=r"周会\.wav") as caught:
        list(work_on(job, "me", table))
    assert isinstance(caught.value, OffscribeError)
