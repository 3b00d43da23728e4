"""Batches on a real server with the starter model."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.server import Server, serving

SAMPLE = Path(__file__).resolve().parents[2] / "src" / "offscribe" / "sample"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("recordings")
    for name in ("zh.flac", "en.flac"):
        (root / name).write_bytes((SAMPLE / name).read_bytes())
    (root / "broken.mp3").write_bytes(b"this is no sound" * 99)
    (root / "notes.txt").write_text("no recording")
    (root / "away.flac").symlink_to("/etc/passwd")
    (root / "inside").mkdir()
    (root / "inside" / "again.flac").write_bytes((SAMPLE / "zh.flac").read_bytes())
    os.mkfifo(root / "pipe.wav")
    return root


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, models: Path, root: Path) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("batches") / "home"
    with serving(home, models, options=["--root", str(root)]) as server:
        yield server


def files(*names: str) -> list[tuple[str, tuple[str, bytes]]]:
    return [("audios", (name, (SAMPLE / name).read_bytes())) for name in names]


def wait_for_batch(server: Server, batch_id: str) -> dict[str, Any]:
    def batch() -> dict[str, Any]:
        answer: dict[str, Any] = server.client.get(f"/api/batches/{batch_id}").json()
        return answer

    server.wait_until(lambda: batch()["finished"], until_s=120)
    return batch()


def error_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_answers_come_in_the_order_sent_and_one_bad_file_harms_no_other(server: Server) -> None:
    sent = [
        *files("zh.flac"),
        ("audios", ("empty.wav", b"")),
        ("audios", ("noise.mp3", b"no sound" * 999)),
        *files("en.flac", "zh.flac"),
    ]
    answer = server.client.post("/api/batch_transcribe", files=sent, data={"language": "auto"})
    items = answer.raise_for_status().json()
    assert [item["filename"] for item in items] == [
        *("zh.flac", "empty.wav", "noise.mp3", "en.flac", "zh.flac")
    ]
    codes = [item["error"] and item["error"]["code"] for item in items]
    assert codes == [None, "audio_empty", "audio_unreadable", None, None]
    assert all(item["error"]["hint"] for item in items[1:3])
    assert "语音" in items[0]["text"]
    assert items[3]["language"] == "en"
    assert items[0]["segments"][0]["words"]
    assert items[4]["record_id"] == items[0]["record_id"]  # the same file is not heard twice
    assert items[4]["text"] == items[0]["text"]


def test_the_same_file_can_be_transcribed_again(server: Server) -> None:
    fields = {"duplicates": "again", "language": "zh"}
    items = server.client.post(
        "/api/batch_transcribe", files=files("zh.flac", "zh.flac"), data=fields
    ).json()
    assert items[0]["record_id"] != items[1]["record_id"]


def test_without_waiting_the_ids_come_at_once_and_results_as_one_file(server: Server) -> None:
    sent = [*files("zh.flac", "en.flac"), ("audios", ("=bad.wav", b"x"))]
    answer = server.client.post(
        "/api/batch_transcribe", files=sent, data={"wait": "false", "name": "../晚上"}
    )
    assert answer.status_code == 202
    batch = answer.json()
    assert batch["name"] == "晚上"
    assert len({job["id"] for job in batch["jobs"]}) == 3
    url = f"/api/batches/{batch['id']}"
    assert wait_for_batch(server, batch["id"])["counts"]["failed"] == 1
    results = server.client.get(
        f"{url}/results", params={"files": "srt,txt", "template": "{index}-{name}.{lang}.{ext}"}
    )
    with zipfile.ZipFile(io.BytesIO(results.content)) as archive:
        assert sorted(archive.namelist()) == [
            *("0001-zh.zh.srt", "0001-zh.zh.txt", "0002-en.zh.srt", "0002-en.zh.txt"),
            "report.csv",
        ]
        assert "语音" in archive.read("0001-zh.zh.txt").decode()
        assert "'=bad.wav,failed," in archive.read("report.csv").decode("utf-8-sig")
    rows = server.client.get(f"{url}/results", params={"format": "json"}).json()
    assert [row["state"] for row in rows] == ["done", "done", "failed"]
    assert rows[0]["segments"]
    assert list((server.home / "temp" / "audio_chunks").iterdir()) == []
    bad = server.client.get(f"{url}/results", params={"template": "{0.__class__}.{ext}"})
    assert error_of(bad) == (400, "bad_option")


def test_a_folder_gives_its_recordings_and_nothing_outside_it(server: Server, root: Path) -> None:
    wishes = {"paths": [str(root / "*.flac"), str(root / "inside")], "recursive": True}
    outside = server.client.post("/api/batches", json=wishes)
    assert error_of(outside) == (400, "outside_roots")  # away.flac is a link to it
    (root / "away.flac").unlink()
    answer = server.client.post("/api/batches", json=wishes)
    assert answer.status_code == 202
    batch = wait_for_batch(server, answer.json()["id"])
    assert [job["name"] for job in batch["jobs"]] == ["en.flac", "zh.flac", "again.flac"]
    assert batch["counts"]["done"] == 3
    assert (root / "zh.flac").is_file()


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ([], (404, "not_found")),
        ([""], (400, "bad_input")),
        (["/etc/passwd"], (400, "outside_roots")),
        (["/proc/**/*"], (400, "outside_roots")),
        (["{root}/../x.wav"], (400, "outside_roots")),
        (["{root}/absent.wav"], (404, "not_found")),
        (["{root}/pipe.wav"], (400, "bad_input")),
        (["{root}/inside/*.mp3"], (404, "not_found")),
        (["x\0y"], (400, "bad_input")),
    ],
)
def test_places_that_are_no_recording_are_refused(
    server: Server, root: Path, paths: list[str], expected: tuple[int, str]
) -> None:
    named = [path.replace("{root}", str(root)) for path in paths]
    assert error_of(server.client.post("/api/batches", json={"paths": named})) == expected


def test_forms_without_or_with_too_many_recordings_are_refused(server: Server) -> None:
    none = server.client.post("/api/batch_transcribe", files={"name": (None, "x")})
    assert error_of(none) == (400, "audio_missing")
    text = server.client.post("/api/batch_transcribe", files={"audios": (None, "x")})
    assert error_of(text) == (400, "audio_missing")
    many = [("audios", ("a.wav", b"x"))] * 10_001
    assert error_of(server.client.post("/api/batch_transcribe", files=many)) == (413, "too_large")
    assert list((server.home / "temp" / "audio_chunks").iterdir()) == []


def test_a_job_pauses_goes_on_and_is_tried_again(server: Server) -> None:
    answer = server.client.post(
        "/api/batch_transcribe",
        files=files("zh.flac", "en.flac"),
        data={"wait": "false", "duplicates": "again"},
    )
    batch = answer.json()
    first, second = (job["id"] for job in batch["jobs"])
    url = f"/api/batches/{batch['id']}"
    assert server.client.post(f"{url}/pause").json()["counts"]["paused"] == 2
    assert server.client.post(f"/api/jobs/{second}/cancel").json()["state"] == "cancelled"
    assert server.client.post(f"/api/jobs/{first}/resume").json()["state"] in ("waiting", "running")
    assert server.wait_for(first)["state"] == "done"
    assert server.client.post(f"/api/jobs/{second}/retry").json()["state"] == "waiting"
    assert server.wait_for(second)["state"] == "done"
    assert server.client.post(f"/api/jobs/{first}/retry").json()["state"] == "done"
    assert error_of(server.client.post(f"{url}/explode")) == (404, "not_found")
    assert error_of(server.client.post("/api/jobs/nothing/pause")) == (404, "not_found")
    begun = server.client.patch(f"/api/jobs/{first}", json={"language": "en"})
    assert error_of(begun) == (409, "job_begun")


def test_a_file_that_changes_while_it_waits_is_told(server: Server, root: Path) -> None:
    path = root / "growing.flac"
    path.write_bytes((SAMPLE / "en.flac").read_bytes())
    other = server.client.post(
        "/api/batch_transcribe",
        files=files("zh.flac"),
        data={"wait": "false", "duplicates": "again"},
    ).json()
    wishes = {"paths": [str(path)], "duplicates": "again"}
    batch = server.client.post("/api/batches", json=wishes).json()
    path.write_bytes(b"something else")
    wait_for_batch(server, other["id"])
    [job] = wait_for_batch(server, batch["id"])["jobs"]
    assert job["error"]["code"] == "file_changed"
    path.unlink()


def test_progress_is_told_from_the_present_state_on(server: Server) -> None:
    url = server.url.replace("http", "ws")
    with connect(f"{url}/ws/progress") as socket:
        state = json.loads(socket.recv(10))
        assert (state["type"], state["is_complete"]) == ("state", True)
        batch = server.client.post(
            "/api/batch_transcribe", files=files("en.flac"), data={"duplicates": "again"}
        )
        ids, states = [], []
        while "done" not in states:
            message = json.loads(socket.recv(30))
            if message["type"] == "job":
                ids.append(message["id"])
                states.append(message["job"]["state"])
    assert ids == sorted(set(ids))
    assert ids[0] > state["id"]
    assert batch.json()[0]["job_id"] == message["job"]["id"]
    with connect(f"{url}/ws/progress?after={ids[0]}") as again:
        missed = json.loads(again.recv(10))
    assert (missed["type"], missed["job"]["state"]) == ("job", "done")


def test_server_sent_events_say_the_same(server: Server) -> None:
    with server.client.stream("GET", "/api/events", headers={"Last-Event-ID": "0"}) as answer:
        lines = answer.iter_lines()
        first = [next(lines) for _ in range(3)]
    assert first[0].startswith("id: ")
    assert first[1] == "event: job"
    assert json.loads(first[2].removeprefix("data: "))["type"] == "job"
    assert error_of(server.client.get("/api/events?batch=nothing")) == (404, "not_found")


def test_a_foreign_page_gets_no_socket(server: Server) -> None:
    url = server.url.replace("http", "ws")
    with pytest.raises(InvalidStatus) as refused:
        connect(f"{url}/ws/progress", additional_headers={"Origin": "https://evil.example"})
    assert refused.value.response.status_code == 403
