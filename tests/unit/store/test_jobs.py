from __future__ import annotations

import pytest

from offscribe.errors import AudioUnreadable, LeaseLost, NotFound
from offscribe.store.database import Database
from offscribe.store.jobs import LEASE_S, Jobs, NewJob
from offscribe.store.records import Records
from offscribe.types import RecognizeOptions, Segment, VadOptions, Word
from tests.fakes import Clock

SEGMENTS = (
    Segment("一百二十", 0.5, 1.5, "120", (Word("一百", 0.5, 1.0), Word("二十", 1.0, 1.5))),
    Segment("好", 2.0, 2.5, "好"),
)


@pytest.fixture
def jobs(database: Database) -> Jobs:
    return Jobs(database)


def new_job(name: str = "talk.wav", **changes: object) -> NewJob:
    fields = {
        "name": name,
        "source": "api",
        "audio_path": "webui/data/audio/x.wav",
        "size_bytes": 3,
        "model": "parrot",
        "options": RecognizeOptions(),
    }
    return NewJob(**{**fields, **changes})  # type: ignore[arg-type]


def test_options_come_back_as_they_were_given(jobs: Jobs) -> None:
    options = RecognizeOptions(
        language="auto", hotwords=("阿里", "a b"), vad=VadOptions(max_segment_ms=5000)
    )
    assert jobs.get(jobs.add(new_job(options=options)).id).options == options


def test_jobs_are_leased_in_order_of_arrival_and_each_once(jobs: Jobs) -> None:
    first, second = jobs.add(new_job("1")), jobs.add(new_job("2"))
    leased = [jobs.lease("a"), jobs.lease("b"), jobs.lease("c")]
    assert [job.id if job else None for job in leased] == [first.id, second.id, None]


def test_a_job_added_with_an_owner_is_given_to_nobody_else(jobs: Jobs) -> None:
    job = jobs.add(new_job(), owner="me")
    assert job.state == "running"
    assert jobs.lease("another") is None


def test_segments_and_progress_are_stored_together(jobs: Jobs) -> None:
    job = jobs.add(new_job(), owner="me")
    jobs.append(job.id, "me", SEGMENTS[:1], done=1.5, language="zh")
    jobs.append(job.id, "me", SEGMENTS[1:], done=2.5, language="zh")
    assert tuple(jobs.segments(job.id)) == SEGMENTS
    assert tuple(jobs.segments(job.id, after=1)) == SEGMENTS[1:]
    assert jobs.get(job.id).done == 2.5


def test_whoever_lost_the_lease_cannot_write(jobs: Jobs, database: Database) -> None:
    job = jobs.add(new_job(), owner="me")
    jobs.cancel(job.id)
    with pytest.raises(LeaseLost):
        jobs.append(job.id, "me", SEGMENTS, done=1, language="zh")
    with pytest.raises(LeaseLost):
        jobs.renew(job.id, "me")
    with pytest.raises(LeaseLost):
        jobs.check(job.id, "me")
    with pytest.raises(LeaseLost):
        Records(database).add(job, "me", duration=1, language="zh")
    assert jobs.segments(job.id) == []
    assert Records(database).count() == 0


def test_an_expired_lease_goes_to_the_next_worker_with_what_was_done(
    jobs: Jobs, clock: Clock
) -> None:
    job = jobs.add(new_job(), owner="dead")
    jobs.append(job.id, "dead", SEGMENTS[:1], done=1.5, language="zh")
    clock.at += LEASE_S - 1
    assert jobs.lease("next") is None
    clock.at += 2
    taken = jobs.lease("next")
    assert taken is not None
    assert (taken.id, taken.done, taken.language, taken.workers_lost) == (job.id, 1.5, "zh", 1)
    with pytest.raises(LeaseLost):
        jobs.append(job.id, "dead", SEGMENTS[1:], done=2.5, language="zh")


def test_a_renewed_lease_does_not_expire(jobs: Jobs, clock: Clock) -> None:
    job = jobs.add(new_job(), owner="me")
    clock.at += LEASE_S - 1
    jobs.renew(job.id, "me")
    clock.at += LEASE_S - 1
    assert jobs.lease("next") is None


def test_a_job_that_killed_three_workers_fails_and_the_next_one_goes_on(jobs: Jobs) -> None:
    poison, healthy = jobs.add(new_job("poison")), jobs.add(new_job("healthy"))
    for owner in ("a", "b", "c"):
        taken = jobs.lease(owner)
        assert taken is not None
        assert taken.id == poison.id
        jobs.lose(owner)
    failed = jobs.get(poison.id)
    assert failed.state == "failed"
    assert failed.error is not None
    assert failed.error.code == "worker_lost"
    taken = jobs.lease("d")
    assert taken is not None
    assert taken.id == healthy.id


def test_a_clean_stop_is_not_a_lost_worker(jobs: Jobs) -> None:
    job = jobs.add(new_job(), owner="a")
    jobs.give_back("a")
    assert (jobs.get(job.id).state, jobs.get(job.id).workers_lost) == ("waiting", 0)


def test_a_failed_job_says_why_and_keeps_its_segments(jobs: Jobs) -> None:
    job = jobs.add(new_job(), owner="me")
    jobs.append(job.id, "me", SEGMENTS[:1], done=1.5, language="zh")
    jobs.fail(job.id, "me", AudioUnreadable("x is not audio"))
    failed = jobs.get(job.id)
    assert failed.state == "failed"
    assert failed.error is not None
    assert (failed.error.code, failed.error.message) == ("audio_unreadable", "x is not audio")
    assert failed.error.hint
    assert len(jobs.segments(job.id)) == 1


def test_a_finished_job_cannot_be_cancelled(jobs: Jobs, database: Database) -> None:
    job = jobs.add(new_job(), owner="me")
    Records(database).add(job, "me", duration=3, language="zh")
    jobs.cancel(job.id)
    assert jobs.get(job.id).state == "done"


def test_speed_counts_only_this_run(jobs: Jobs, clock: Clock) -> None:
    job = jobs.add(new_job(), owner="a")
    jobs.append(job.id, "a", (), done=100, language="zh")
    jobs.give_back("a")
    clock.at += 1000
    jobs.lease("b")
    assert jobs.get(job.id).speed(clock.at) is None
    clock.at += 2
    jobs.append(job.id, "b", (), done=150, language="zh")
    assert jobs.get(job.id).speed(clock.at) == pytest.approx(25.0)


def test_an_unknown_job_is_not_found(jobs: Jobs) -> None:
    with pytest.raises(NotFound):
        jobs.get("nothing")
