from __future__ import annotations

from collections.abc import Callable

import pytest

from offscribe.errors import NotFound
from offscribe.store.database import Database
from offscribe.store.jobs import Jobs, NewJob
from offscribe.store.records import Record, Records
from offscribe.types import RecognizeOptions, Segment
from tests.fakes import Clock

Remember = Callable[..., Record]


@pytest.fixture
def records(database: Database) -> Records:
    return Records(database)


@pytest.fixture
def remember(database: Database, records: Records) -> Remember:
    jobs = Jobs(database)

    def add(*texts: str, name: str = "talk.wav", audio_path: str = "a.wav") -> Record:
        new = NewJob(name, "api", audio_path, 3, "parrot", RecognizeOptions())
        job = jobs.add(new, owner="me")
        segments = tuple(
            Segment(text, index, index + 1, text.replace("一百二十", "120"))
            for index, text in enumerate(texts)
        )
        jobs.append(job.id, "me", segments, done=len(texts), language="zh")
        return records.add(job, "me", duration=len(texts), language="zh", warnings=("w",))

    return add


def found(records: Records, query: str) -> list[str]:
    return [record.text for record in records.search(query)[0]]


def test_nothing_of_an_unfinished_job_is_in_the_history(
    database: Database, records: Records
) -> None:
    jobs = Jobs(database)
    new = NewJob("a", "api", "a.wav", 3, "parrot", RecognizeOptions())
    job = jobs.add(new, owner="me")
    jobs.append(job.id, "me", (Segment("会议", 0, 1, "会议"),), done=1, language="zh")
    assert records.count() == 0
    assert found(records, "会议") == []


def test_a_record_keeps_what_the_job_made(records: Records, remember: Remember) -> None:
    record = records.get(remember("你好", "一百二十人").id)
    assert (record.text, record.itn_text) == ("你好\n一百二十人", "你好\n120人")
    assert (record.duration, record.language, record.warnings) == (2, "zh", ("w",))


@pytest.mark.parametrize(
    "query", ["议", "会议", "会议室", "三号会议室", "會議", "会议 预算", "120"]
)
def test_chinese_of_every_length_and_both_forms_are_found(
    records: Records, remember: Remember, query: str
) -> None:
    remember("在三号会议室讨论预算", "一百二十万")
    remember("别的事情")
    assert len(found(records, query)) == 1


@pytest.mark.parametrize("query", ["议会", "会 室议", "13", "", "  ", '"', "*", "AND", "NOT 会议"])
def test_what_was_not_said_is_not_found(records: Records, remember: Remember, query: str) -> None:
    remember("在三号会议室讨论预算", "一百二十万")
    assert found(records, query) == []


def test_a_phrase_across_two_segments_is_found(records: Records, remember: Remember) -> None:
    remember("今天开会", "议题是预算")
    assert len(found(records, "开会议题")) == 1


def test_records_are_found_by_name(records: Records, remember: Remember) -> None:
    remember("甲", name="周会记录.mp3")
    assert found(records, "周会") == ["甲"]


def test_newest_first_in_pages(records: Records, remember: Remember, clock: Clock) -> None:
    for text in ("一", "二", "三"):
        remember(text)
        clock.at += 1
    assert [record.text for record in records.newest(limit=2)] == ["三", "二"]
    assert [record.text for record in records.newest(limit=2, offset=2)] == ["一"]
    assert records.count() == 3


def test_a_deleted_record_is_gone_until_it_is_restored(
    records: Records, remember: Remember
) -> None:
    record = remember("会议")
    records.delete(record.id)
    with pytest.raises(NotFound):
        records.get(record.id)
    with pytest.raises(NotFound):
        records.delete(record.id)
    assert (records.count(), found(records, "会议")) == (0, [])
    records.restore(record.id)
    assert (records.count(), found(records, "会议")) == (1, ["会议"])


def test_purging_takes_only_what_was_long_in_the_trash(
    records: Records, remember: Remember, clock: Clock
) -> None:
    old, kept = remember("会议甲", audio_path="old.wav"), remember("会议乙", audio_path="new.wav")
    records.delete(old.id)
    clock.at += 100
    records.delete(kept.id)
    assert records.purge(deleted_before=clock.at - 50) == ["old.wav"]
    with pytest.raises(NotFound):
        records.restore(old.id)
    records.restore(kept.id)
    assert found(records, "会议") == ["会议乙"]


def test_a_recording_that_another_record_uses_is_not_given_up(
    records: Records, remember: Remember, clock: Clock
) -> None:
    first, _ = remember("甲"), remember("乙")
    records.delete(first.id)
    assert records.purge(deleted_before=clock.at + 1) == []


def test_the_index_holds_no_trace_of_a_purged_record(
    database: Database, records: Records, remember: Remember, clock: Clock
) -> None:
    record = remember("机密")
    records.delete(record.id)
    records.purge(deleted_before=clock.at + 1)
    database.read("INSERT INTO records_index (records_index) VALUES ('integrity-check')")
    query = "SELECT COUNT(*) AS n FROM records_index WHERE records_index MATCH '\"机 密\"'"
    assert database.read(query)[0]["n"] == 0
