from __future__ import annotations

import pytest

from offscribe.errors import AudioUnreadable, Conflict, LeaseLost, NotFound
from offscribe.store.batches import Batch, Batches
from offscribe.store.database import Database
from offscribe.store.jobs import BATCH_PRIORITY, Job, Jobs, NewJob
from offscribe.store.records import Records
from offscribe.types import RecognizeOptions, Segment
from tests.fakes import Clock


@pytest.fixture
def jobs(database: Database) -> Jobs:
    return Jobs(database)


@pytest.fixture
def batches(database: Database) -> Batches:
    return Batches(database)


def new(name: str, *, size_bytes: int = 100, sha256: str | None = None) -> NewJob:
    return NewJob(
        name=name,
        source="api",
        audio_path=f"webui/data/audio/{name}",
        size_bytes=size_bytes,
        model="parrot",
        options=RecognizeOptions(),
        priority=BATCH_PRIORITY,
        sha256=sha256,
        reuses=True,
    )


def three(batches: Batches) -> Batch:
    return batches.add("night", "api", [(name, new(name)) for name in "abc"])


def leased(jobs: Jobs) -> str:
    job = jobs.lease("me")
    assert job is not None
    jobs.give_back("me")
    jobs.pause(job.id)
    return job.id


def twin(jobs: Jobs, job_id: str) -> str | None:
    job = jobs.get(job_id)
    return jobs.twin_of(job.sha256, model=job.model, options=job.options)


def done(jobs: Jobs, database: Database, job: Job, text: str = "好") -> None:
    jobs.append(job.id, "me", (Segment(text, 0, 1, text),), done=10, language="zh")
    Records(database).add(job, "me", duration=10, language="zh")


def test_a_batch_counts_its_jobs_by_state(jobs: Jobs, batches: Batches, database: Database) -> None:
    batch = three(batches)
    first = jobs.lease("me")
    assert first is not None
    done(jobs, database, first)
    second = jobs.lease("me")
    assert second is not None
    jobs.fail(second.id, "me", AudioUnreadable("x"))
    jobs.pause("c")
    batch = batches.get(batch.id)
    assert {state: n for state, n in batch.counts.items() if n} == {
        "done": 1,
        "failed": 1,
        "paused": 1,
    }
    assert (batch.n_jobs, batch.is_finished) == (3, False)
    jobs.cancel("c")
    assert batches.get(batch.id).is_finished


def test_time_left_follows_from_the_pace_and_the_bytes_of_unknown_files(
    jobs: Jobs, batches: Batches, database: Database, clock: Clock
) -> None:
    batch = three(batches)
    assert batches.get(batch.id).left is None
    job = jobs.lease("me")
    assert job is not None
    jobs.describe(job.id, "me", duration=10)
    clock.at += 5
    done(jobs, database, job)
    # 10 s of audio in 100 bytes took 5 s; 200 bytes are left
    assert batches.get(batch.id).left == pytest.approx(10.0)


def test_a_single_recording_goes_before_a_batch_that_came_earlier(
    jobs: Jobs, batches: Batches
) -> None:
    three(batches)
    running = jobs.lease("other")
    assert running is not None
    assert not jobs.is_overtaken(running)
    single = jobs.add(NewJob("x.wav", "page", "x", 1, "parrot", RecognizeOptions()))
    assert jobs.is_overtaken(running)
    assert leased(jobs) == single.id
    assert not jobs.is_overtaken(running)


def test_what_waits_can_be_put_into_another_order(jobs: Jobs, batches: Batches) -> None:
    three(batches)
    jobs.put_first(["c"])
    jobs.put_first(["b", "c"])
    assert [leased(jobs) for _ in "abc"] == ["b", "c", "a"]


def test_a_higher_priority_goes_first(jobs: Jobs, batches: Batches) -> None:
    three(batches)
    jobs.prioritise("b", 5)
    assert leased(jobs) == "b"


def test_a_paused_job_is_leased_by_nobody_until_it_is_resumed(jobs: Jobs, batches: Batches) -> None:
    three(batches)
    jobs.pause("a", "b", "c")
    assert jobs.lease("me") is None
    assert jobs.get("a").state == "paused"
    jobs.resume("b")
    assert leased(jobs) == "b"


def test_pausing_takes_the_lease_and_keeps_the_segments(jobs: Jobs, batches: Batches) -> None:
    three(batches)
    job = jobs.lease("me")
    assert job is not None
    jobs.append(job.id, "me", (Segment("好", 0, 1, "好"),), done=1, language="zh")
    jobs.pause(job.id)
    with pytest.raises(LeaseLost):
        jobs.append(job.id, "me", (), done=2, language="zh")
    assert (jobs.get(job.id).state, jobs.get(job.id).done) == ("paused", 1)


def test_retrying_keeps_the_segments_and_forgets_the_failure(jobs: Jobs, batches: Batches) -> None:
    three(batches)
    for _ in range(3):
        jobs.lease("me")
        jobs.append("a", "me", (Segment("好", 0, 1, "好"),), done=1, language="zh")
        jobs.lose("me")
    failed = jobs.get("a")
    assert failed.error is not None
    assert failed.error.code == "worker_lost"
    jobs.retry("a", "b")
    again = jobs.get("a")
    assert (again.state, again.error, again.workers_lost) == ("waiting", None, 0)
    assert len(jobs.segments("a")) == 3
    assert jobs.get("b").state == "waiting"


def test_what_an_earlier_server_held_goes_on_at_once_and_is_not_held_against_it(
    jobs: Jobs, batches: Batches
) -> None:
    three(batches)
    jobs.lease("worker-1")
    jobs.lease("cli-1")
    jobs.recover()
    assert (jobs.get("a").state, jobs.get("a").workers_lost) == ("waiting", 0)
    assert jobs.get("b").state == "running"


def test_settings_change_until_the_job_has_begun(jobs: Jobs, batches: Batches) -> None:
    three(batches)
    changed = jobs.change("b", model="other", options=RecognizeOptions(language="en"))
    assert (changed.model, changed.options.language) == ("other", "en")
    jobs.lease("me")
    with pytest.raises(Conflict):
        jobs.change("a", model="other", options=RecognizeOptions())
    with pytest.raises(NotFound):
        jobs.change("nothing", model="other", options=RecognizeOptions())


def test_an_equal_recording_finds_its_twin_only_with_equal_settings(
    jobs: Jobs, batches: Batches, database: Database
) -> None:
    batches.add("x", "api", [("a", new("a", sha256="1")), ("b", new("b", sha256="1"))])
    batches.add("y", "api", [("c", new("c", sha256="1")), ("d", new("d", sha256="2"))])
    jobs.change("c", model="other", options=RecognizeOptions())
    first = jobs.lease("me")
    assert first is not None
    assert twin(jobs, "b") is None
    done(jobs, database, first)
    assert twin(jobs, "b") == "a"
    assert twin(jobs, "c") is None
    assert twin(jobs, "d") is None
    jobs.lease("me")
    jobs.take_record("b", "me", "a")
    taken = jobs.get("b")
    assert (taken.state, taken.record_id, taken.done, taken.speed(0)) == ("done", "a", 10, None)
    Records(database).delete("a")
    assert twin(jobs, "b") is None


def test_every_change_that_people_see_has_a_greater_version(jobs: Jobs, batches: Batches) -> None:
    three(batches)
    read = jobs.version()
    assert jobs.changed_since(read) == []
    jobs.pause("b")
    jobs.lease("me")
    jobs.renew("a", "me")
    changes = jobs.changed_since(read)
    assert [(job.id, job.state) for job in changes] == [("b", "paused"), ("a", "running")]
    assert changes[0].version < changes[1].version == jobs.version()
    jobs.resume("b")
    assert [job.id for job in jobs.changed_since(changes[0].version)] == ["a", "b"]
    assert jobs.changed_since(0, batch_id="nothing") == []


def test_versions_are_never_used_twice(jobs: Jobs, batches: Batches) -> None:
    three(batches)
    job = jobs.add(NewJob("x.wav", "api", "x", 1, "silero-vad", RecognizeOptions(), kind="vad"))
    before = jobs.version()
    jobs.remove(job.id)
    jobs.pause("a")
    assert jobs.get("a").version > before
