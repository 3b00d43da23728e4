"""The server as a client meets it: a real process, a real model, real and hostile input."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.server import Server, serving

SAMPLES = Path(__file__).parents[2] / "src" / "offscribe" / "sample"


@pytest.fixture(scope="module")
def server(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("home"), models) as running:
        yield running


def error_of(answer: httpx.Response) -> dict[str, str]:
    """The error of an answer that must be one, in the documented shape."""
    assert answer.status_code >= 400
    error: dict[str, str] = answer.json()["error"]
    assert error["message"]
    assert error["request_id"] == answer.headers["x-request-id"]
    assert "Traceback" not in answer.text
    return error


def test_a_recording_becomes_text_with_times_and_a_record(server: Server) -> None:
    answer = server.send(SAMPLES / "zh.flac").raise_for_status().json()
    assert "会议" in answer["text"]
    assert (answer["language"], answer["model"]) == ("zh", "whisper-base")
    starts = [segment["start"] for segment in answer["segments"]]
    assert starts == sorted(starts)
    assert all(0 <= s["start"] < s["end"] <= answer["duration"] for s in answer["segments"])
    assert all(segment["words"] for segment in answer["segments"])
    record = server.client.get(f"/api/records/{answer['record_id']}").raise_for_status().json()
    assert record["segments"] == answer["segments"]


@pytest.mark.parametrize(
    ("wanted", "begins"),
    [("srt", "1\n00:00:"), ("vtt", "WEBVTT"), ("md", "# "), ("csv", "\ufeff")],
)
def test_other_formats_are_answered_as_files(server: Server, wanted: str, begins: str) -> None:
    answer = server.send(SAMPLES / "en.flac", language="en", format=wanted).raise_for_status()
    assert answer.text.startswith(begins) or answer.text.replace("\r\n", "\n").startswith(begins)


def test_a_job_can_be_followed_and_its_text_searched_exported_deleted(server: Server) -> None:
    client = server.client
    sent = server.send(SAMPLES / "zh.flac", to="/api/jobs")
    assert sent.status_code == 202
    job = server.wait_for(sent.json()["id"])
    assert job["state"] == "done"
    assert job["n_segments"] == len(job["segments"]) > 0
    assert job["done"] == pytest.approx(job["duration"])
    [hit, *_] = client.get("/api/search", params={"q": "会议"}).json()["results"]
    assert "会议" in "".join(piece["text"] for piece in hit["snippet"] if piece["hit"])
    record_id = job["record_id"]
    exported = client.get(f"/api/records/{record_id}/export", params={"format": "json"})
    assert len(json.loads(exported.text)["segments"]) == job["n_segments"]
    assert "attachment" in exported.headers["content-disposition"]
    audio = client.get(f"/api/records/{record_id}/audio", headers={"range": "bytes=0-3"})
    assert (audio.status_code, audio.content) == (206, b"fLaC")
    assert client.delete(f"/api/records/{record_id}").status_code == 200
    assert error_of(client.get(f"/api/records/{record_id}"))["code"] == "not_found"
    assert client.post(f"/api/records/{record_id}/restore").status_code == 200
    assert client.get(f"/api/records/{record_id}").status_code == 200


def test_speech_detection_answers_segments(server: Server) -> None:
    for model in ("silero-vad", "fsmn-vad"):
        fields = {"model": model, "max_segment_ms": "2000"}
        answer = server.send(SAMPLES / "zh.flac", to="/api/vad", **fields).raise_for_status().json()
        assert len(answer["segments"]) > 2
        for segment in answer["segments"]:
            assert segment["duration"] == pytest.approx(segment["end"] - segment["start"])
            assert segment["duration"] <= 2.0 + 1e-6


def test_silence_gives_an_empty_transcript(server: Server, tmp_path: Path) -> None:
    answer = server.send(wav(tmp_path / "silence.wav", seconds=8)).raise_for_status().json()
    assert (answer["text"], answer["segments"]) == ("", [])
    assert answer["duration"] == pytest.approx(8)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.wav", b"", "audio_empty"),
        ("text.mp3", "这只是文字。".encode() * 500, "audio_unreadable"),
        ("page.wav", b"<html><script>alert(1)</script></html>", "audio_unreadable"),
        ("noise.bin", os.urandom(3_000_000), "audio_unreadable"),
        ("head.flac", b"fLaC", "audio_unreadable"),
    ],
)
def test_what_is_no_recording_is_refused_with_a_hint(
    server: Server, tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    answer = server.send(path)
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (400, code)
    assert error["hint"]


def test_a_recording_without_samples_is_called_empty(server: Server, tmp_path: Path) -> None:
    assert error_of(server.send(wav(tmp_path / "none.wav", seconds=0)))["code"] == "audio_empty"


def test_a_truncated_recording_is_transcribed_as_far_as_it_goes(
    server: Server, tmp_path: Path
) -> None:
    path = tmp_path / "half.flac"
    content = (SAMPLES / "zh.flac").read_bytes()
    path.write_bytes(content[: len(content) // 2])
    answer = server.send(path).raise_for_status().json()
    assert answer["text"]
    assert answer["warnings"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"language": "klingon"}, "unknown_language"),
        ({"itn": "perhaps"}, "bad_option"),
        ({"script": "runes"}, "bad_option"),
        ({"format": "exe"}, "bad_option"),
        ({"model": "nothing"}, "not_found"),
        ({"model": "silero-vad"}, "bad_option"),
        ({"hotwords": "长" * 65}, "bad_option"),
        ({"hotwords": "x" * 1_100_000}, "too_large"),
    ],
)
def test_wishes_that_cannot_be_met_are_refused(
    server: Server, fields: dict[str, str], code: str
) -> None:
    assert error_of(server.send(SAMPLES / "en.flac", **fields))["code"] == code


def test_forms_without_a_recording_are_refused(server: Server) -> None:
    client = server.client
    cases = [
        (client.post("/api/transcribe"), "bad_form"),
        (client.post("/api/transcribe", json={"audio": "x"}), "bad_form"),
        (client.post("/api/transcribe", files={"file": ("a.wav", b"x")}), "audio_missing"),
        (client.post("/api/transcribe", data={"audio": "x"}, files={"x": b""}), "audio_missing"),
        (
            client.post(
                "/api/transcribe",
                content=b"--b\r\nbroken",
                headers={"content-type": "multipart/form-data; boundary=b"},
            ),
            "bad_form",
        ),
    ]
    assert [error_of(answer)["code"] for answer, _ in cases] == [code for _, code in cases]


@pytest.mark.parametrize(
    "name",
    ["../../escape.flac", "表情😀.flac", "<script>.flac", "a\u202eb.flac", "x" * 300 + ".flac"],
)
def test_a_hostile_file_name_is_only_a_name(server: Server, name: str) -> None:
    content = (SAMPLES / "en.flac").read_bytes()
    answer = server.client.post(
        "/api/transcribe", files={"audio": (name, content)}, data={"language": "en"}
    )
    record_id = answer.raise_for_status().json()["record_id"]
    record = server.client.get(f"/api/records/{record_id}").json()
    assert "/" not in record["name"]
    assert "\u202e" not in record["name"]
    exported = server.client.get(f"/api/records/{record_id}/export", params={"format": "srt"})
    assert exported.status_code == 200
    folder = server.home / "webui" / "data" / "audio"
    assert (folder / f"{record_id}.flac").is_file()


def test_nothing_is_left_in_the_scratch_folder(server: Server) -> None:
    server.send(SAMPLES / "en.flac", language="nothing")
    assert list((server.home / "temp" / "audio_chunks").iterdir()) == []


def test_requests_of_other_web_sites_are_refused(server: Server) -> None:
    for headers in (
        {"host": "evil.example"},
        {"host": "0.0.0.0"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ):
        answer = server.client.get("/api/records", headers=headers)
        assert (answer.status_code, error_of(answer)["code"]) == (403, "foreign_request")
    own = server.client.get("/api/records", headers={"origin": server.url})
    assert own.status_code == 200


def test_every_answer_carries_the_security_headers(server: Server) -> None:
    for path in ("/", "/healthz", "/api/nothing", "/docs", "/static/lib/preact.js"):
        headers = server.client.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_unknown_addresses_and_methods_answer_in_the_same_shape(server: Server) -> None:
    assert error_of(server.client.get("/api/nothing"))["code"] == "not_found"
    assert error_of(server.client.put("/healthz"))["code"] == "method_not_allowed"
    assert error_of(server.client.get("/api/jobs", params={"limit": "x"}))["code"] == "bad_option"
    assert error_of(server.client.get("/static/../../app.py")) is not None


def test_requests_at_once_are_all_answered(server: Server) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = list(
            pool.map(
                lambda _: server.send(SAMPLES / "en.flac", language="en").status_code, range(6)
            )
        )
    assert answers == [200] * 6


def test_a_cancelled_job_stops_and_leaves_no_record(server: Server, shared: Path) -> None:
    long = shared / "audio" / "long" / "two_speakers_10min.flac"
    job_id = server.send(long, to="/api/jobs").json()["id"]
    server.wait_for(job_id, "running")
    assert server.client.post(f"/api/jobs/{job_id}/cancel").json()["state"] == "cancelled"
    assert error_of(server.client.get(f"/api/records/{job_id}"))["code"] == "not_found"
    # The queue goes on.
    assert server.send(SAMPLES / "en.flac", language="en").status_code == 200


def test_the_page_its_files_and_the_api_description_are_served(server: Server) -> None:
    for path in ("/", "/history", "/records/x", "/docs"):
        assert "text/html" in server.client.get(path).headers["content-type"]
    paths = server.client.get("/openapi.json").json()["paths"]
    assert "/api/transcribe" in paths


def test_nothing_tried_to_reach_another_machine(server: Server) -> None:
    assert server.system()["outbound"] == {"attempts": 0, "last": None}


def segments_of(server: Server, record_id: str) -> list[dict[str, object]]:
    answer = server.client.get(f"/api/records/{record_id}").raise_for_status()
    segments: list[dict[str, object]] = answer.json()["segments"]
    return segments


def test_a_killed_worker_costs_nothing(models: Path, shared: Path, tmp_path: Path) -> None:
    long = shared / "audio" / "long" / "two_speakers_10min.flac"
    with serving(tmp_path / "home", models) as server:
        undisturbed = server.send(long).raise_for_status().json()["segments"]
        job_id = server.send(long, to="/api/jobs").json()["id"]
        answered = []
        finished = threading.Event()

        def ask() -> None:
            while not finished.wait(0.05):
                answered.append(httpx.get(f"{server.url}/healthz", timeout=5).status_code)

        asking = threading.Thread(target=ask)
        asking.start()
        killed = 0
        n_seen = 0
        while (job := server.job(job_id))["state"] in ("waiting", "running"):
            pid = server.system()["worker"]["pid"]
            if killed < 2 and pid is not None and job["n_segments"] > n_seen:
                n_seen = job["n_segments"]
                os.kill(pid, signal.SIGKILL)
                killed += 1
            time.sleep(0.05)
        finished.set()
        asking.join()
        assert (killed, job["state"]) == (2, "done")
        assert set(answered) == {200}
        assert segments_of(server, job_id) == undisturbed


def test_a_power_cut_costs_nothing(models: Path, shared: Path, tmp_path: Path) -> None:
    long = shared / "audio" / "long" / "two_speakers_10min.flac"
    with serving(tmp_path / "home", models) as server:
        job_id = server.send(long, to="/api/jobs").json()["id"]
        while server.job(job_id)["n_segments"] == 0:
            time.sleep(0.05)
        before = server.job(job_id)["segments"]
        server.kill()
        server.start()
        job = server.wait_for(job_id, until_s=240)
        assert job["state"] == "done"
        assert job["segments"][: len(before)] == before
        assert [segment["index"] for segment in job["segments"]] == list(range(job["n_segments"]))
        starts = [segment["start"] for segment in job["segments"]]
        assert starts == sorted(starts)
        assert job["done"] == pytest.approx(603, abs=1)


def test_ctrl_c_stops_the_server_and_gives_the_job_back(
    models: Path, shared: Path, tmp_path: Path
) -> None:
    long = shared / "audio" / "long" / "two_speakers_10min.flac"
    with serving(tmp_path / "home", models) as server:
        job_id = server.send(long, to="/api/jobs").json()["id"]
        server.wait_for(job_id, "running")
        assert server.stop() == 0
        server.start()
        assert server.wait_for(job_id)["state"] == "done"


def wav(path: Path, *, seconds: float) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(2 * round(16_000 * seconds)))
    return path
