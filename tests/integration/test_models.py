"""Models of a running server: several engines, one worker after another, nothing lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.server import Server, link_models, serving

SAMPLES = Path(__file__).parents[2] / "src" / "offscribe" / "sample"
FURTHER = ("whisper-small", "vosk-small-cn", "vosk-small-en")


@pytest.fixture(scope="module")
def server(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    for model_id in FURTHER:
        if not (models / model_id / "manifest.json").is_file():
            pytest.fail(f"{model_id} is not installed: run `bash test.sh` or `models pull`")
    with serving(tmp_path_factory.mktemp("home"), models) as running:
        yield running


def offscribe(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "offscribe.cli.main", *arguments, "--home", str(server.home)],
        capture_output=True,
        text=True,
        check=False,
    )


def code_of(answer: httpx.Response) -> str:
    assert answer.status_code >= 400
    return str(answer.json()["error"]["code"])


def worker_pid(server: Server) -> int:
    pid: int = server.client.get("/api/system").json()["worker"]["pid"]
    return pid


def test_the_shelf_says_what_is_there_and_what_it_needs(server: Server) -> None:
    listed = server.client.get("/api/models").raise_for_status().json()
    rows = {row["id"]: row for row in listed["models"]}
    assert {"whisper-base", *FURTHER} <= {name for name, row in rows.items() if row["installed"]}
    assert rows["whisper-base"]["default"]
    assert (rows["vosk-small-cn"]["times"], rows["vosk-small-cn"]["languages"]) == ("word", ["zh"])
    nano = rows["fun-asr-nano-2512"]
    assert (nano["installed"], nano["times"]) == (False, "segment")
    assert nano["pull_from"] == ["github", "huggingface"]
    assert rows["fun-asr-nano-2512-hf"]["pull_from"] == ["huggingface", "modelscope"]


def test_devices_are_told_with_reasons(server: Server) -> None:
    devices = server.client.get("/api/devices").raise_for_status().json()
    for engine in ("whisper", "whisper_onnx", "vosk", "funasr_nano_onnx"):
        by_name = {report["device"]: report for report in devices[engine]}
        assert by_name["cpu"]["is_usable"]
        assert by_name["cuda"]["reason"]


def test_a_job_for_another_runtime_gets_another_worker_while_one_runs(server: Server) -> None:
    """Three models of three runtimes queue up at once; each job is done by its own."""
    before = worker_pid(server)
    wanted = ("whisper-base", "vosk-small-cn", "whisper-small", "whisper-base")
    sent = [
        server.send(SAMPLES / "zh.flac", to="/api/jobs", model=model).raise_for_status().json()
        for model in wanted
    ]
    done = [server.wait_for(job["id"]) for job in sent]
    assert [(job["state"], job["model"]) for job in done] == [("done", name) for name in wanted]
    for job in done:
        assert "会议" in "".join(segment["text"] for segment in job["segments"])
    assert worker_pid(server) != before
    assert server.client.get("/api/system").json()["loaded_model"] == "whisper-base"


def test_models_are_loaded_and_let_go_by_command(server: Server) -> None:
    run = offscribe(server, "models", "load", "vosk-small-en")
    assert run.returncode == 0, run.stderr
    assert "vosk-small-en is loaded on cpu" in " ".join(run.stderr.split())
    assert server.client.get("/api/system").json()["loaded_model"] == "vosk-small-en"
    again = server.client.post("/api/models/vosk-small-en/load", timeout=10)
    assert again.json()["model"] == "vosk-small-en"
    assert offscribe(server, "models", "clear-cache").returncode == 0
    assert offscribe(server, "models", "unload").returncode == 0
    assert server.client.get("/api/system").json()["loaded_model"] is None
    assert offscribe(server, "models", "loaded").stdout.strip() == "nothing"
    text = server.send(SAMPLES / "zh.flac").raise_for_status().json()["text"]
    assert "会议" in text


def test_loading_what_cannot_be_loaded_is_refused(server: Server) -> None:
    client = server.client
    assert code_of(client.post("/api/models/nothing/load")) == "not_found"
    assert code_of(client.post("/api/models/fun-asr-nano-2512/load")) == "model_missing"
    assert code_of(client.post("/api/models/silero-vad/load")) == "bad_option"
    assert code_of(client.get("/api/models/..%2f..%2fetc")) == "not_found"
    assert code_of(client.delete("/api/models/nothing")) == "model_missing"
    run = offscribe(server, "models", "load", "nothing")
    assert (run.returncode, "no model is called" in run.stderr) == (3, True)


def test_the_default_is_what_people_choose_and_survives_a_restart(
    models: Path, tmp_path: Path
) -> None:
    with serving(tmp_path, models) as server:
        chosen = server.client.post("/api/models/vosk-small-cn/default").raise_for_status().json()
        assert chosen["default"]
        answer = server.send(SAMPLES / "zh.flac").raise_for_status().json()
        assert answer["model"] == "vosk-small-cn"
        assert code_of(server.client.delete("/api/models/vosk-small-cn")) == "conflict"
        assert code_of(server.client.post("/api/models/silero-vad/default")) == "bad_option"
        server.kill()
        server.start()
        assert server.client.get("/api/system").json()["model"]["id"] == "vosk-small-cn"


def test_a_model_travels_over_http(models: Path, tmp_path: Path) -> None:
    with serving(tmp_path / "one", models) as one:
        archive = one.client.get("/api/models/vosk-small-en/export").raise_for_status().content
        assert code_of(one.client.get("/api/models/nothing/export")) == "model_missing"
        scratch = one.home / "temp" / "audio_chunks"
        one.wait_until(lambda: not list(scratch.iterdir()))
    home = tmp_path / "two"
    (home / "models").mkdir(parents=True)
    for model_id in ("whisper-base", "silero-vad"):
        (home / "models" / model_id).symlink_to(models / model_id)
    two = Server(home)
    try:
        two.start()

        def sent(content: bytes, **query: object) -> httpx.Response:
            parameters = {"name": "vosk.tar", **query}
            return two.client.post("/api/models/import", params=parameters, content=content)  # type: ignore[arg-type]

        assert code_of(sent(archive[: len(archive) // 2])) == "model_damaged"
        assert code_of(sent(b"", name="../../evil.tar")) == "model_damaged"
        assert code_of(sent(archive, name="vosk.exe")) == "model_unusable"
        assert code_of(sent(archive, id="../x")) == "bad_option"
        answer = sent(archive)
        assert (answer.status_code, answer.json()["id"]) == (201, "vosk-small-en")
        assert answer.json()["installed"]
        assert code_of(sent(archive)) == "conflict"
        assert sent(archive, replace=True).status_code == 201
        assert not list((home / "temp" / "audio_chunks").iterdir())
        text = two.send(SAMPLES / "en.flac", model="vosk-small-en", language="en").json()["text"]
        assert "weekly review" in text
        assert two.client.delete("/api/models/vosk-small-en").status_code == 204
        assert code_of(two.client.get("/api/models/vosk-small-en/export")) == "model_missing"
    finally:
        two.close()


def test_an_idle_model_is_let_go_and_comes_back_for_the_next_job(
    models: Path, tmp_path: Path
) -> None:
    with serving(tmp_path, models, options=["--idle-unload", "0.02"]) as server:
        server.wait_until(lambda: server.client.get("/api/system").json()["loaded_model"] is None)
        assert "会议" in server.send(SAMPLES / "zh.flac").raise_for_status().json()["text"]


def test_a_worker_that_dies_while_it_loads_is_said_at_once_and_comes_back(
    models: Path, tmp_path: Path
) -> None:
    with serving(tmp_path, models) as server, ThreadPoolExecutor() as pool:
        server.wait_until(lambda: server.system()["loaded_model"] is not None)
        os.kill(worker_pid(server), signal.SIGSTOP)
        answer = pool.submit(server.client.post, "/api/models/whisper-base/load", timeout=60)
        time.sleep(0.5)
        os.kill(worker_pid(server), signal.SIGKILL)
        assert code_of(answer.result()) == "worker_down"
        server.wait_until(lambda: server.system()["loaded_model"] == "whisper-base")
        assert server.client.post("/api/models/unload").status_code == 204
        assert server.client.post("/api/models/unload").status_code == 204


def test_a_default_model_that_is_gone_can_be_replaced(models: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    for name in ("silero-vad", "vosk-small-cn", "vosk-small-en"):
        options = ("--id", "mine") if name == "vosk-small-cn" else ()
        run = at_home(home, "models", "import", str(models / name), *options)
        assert run.returncode == 0, run.stderr
    assert at_home(home, "models", "use", "mine").returncode == 0
    shutil.rmtree(home / "models" / "mine")
    lost = at_home(home, "transcribe", str(SAMPLES / "zh.flac"))
    assert (lost.returncode, "no model is called 'mine'" in lost.stderr) == (3, True)
    assert at_home(home, "models", "list").returncode == 0
    assert at_home(home, "models", "use", "vosk-small-en").returncode == 0
    assert at_home(home, "transcribe", str(SAMPLES / "en.flac"), "--language", "en").returncode == 0


def test_a_server_that_is_told_to_end_takes_its_announcement_away(
    models: Path, tmp_path: Path
) -> None:
    with serving(tmp_path, models) as server:
        presence = tmp_path / "webui" / "server.json"
        pid = json.loads(presence.read_text("utf-8"))["pid"]
        os.kill(pid, signal.SIGTERM)
        server.wait_until(lambda: not presence.exists())


def test_commands_say_when_no_server_runs(models: Path, tmp_path: Path) -> None:
    link_models(tmp_path, models)
    server = Server(tmp_path)
    run = offscribe(server, "models", "loaded")
    assert (run.returncode, "no server runs on" in " ".join(run.stderr.split())) == (3, True)
    presence = tmp_path / "webui" / "server.json"
    presence.parent.mkdir(exist_ok=True)
    presence.write_text('{"url": "http://127.0.0.1:9"}', encoding="utf-8")
    run = offscribe(server, "models", "unload")
    assert (run.returncode, "does not answer" in " ".join(run.stderr.split())) == (3, True)


def test_bench_measures_a_model_in_a_process_of_its_own(server: Server) -> None:
    run = offscribe(server, "models", "bench", "vosk-small-cn", "--threads", "2", "--json")
    assert run.returncode == 0, run.stderr
    measured = json.loads(run.stdout)
    assert measured["audio_s"] > 50
    assert measured["speed"] == pytest.approx(measured["audio_s"] / measured["work_s"])
    assert "会议" in measured["text"]
    missing = offscribe(server, "models", "bench", "fun-asr-nano-2512")
    assert (missing.returncode, "model_missing" in missing.stderr) == (4, True)


def test_damaged_models_are_told_by_bench_without_a_traceback(models: Path, tmp_path: Path) -> None:
    home = tmp_path / "models"
    home.mkdir()
    for name in ("silero-vad", "vosk-small-cn"):
        (home / name).mkdir()
        for file in (models / name).rglob("*"):
            target = home / name / file.relative_to(models / name)
            if file.is_dir():
                target.mkdir(parents=True, exist_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                os.link(file, target)
    damaged = home / "vosk-small-cn" / "graph" / "Gr.fst"
    size = damaged.stat().st_size
    damaged.unlink()
    damaged.write_bytes(b"\0" * size)
    run = subprocess.run(
        [sys.executable, "-m", "offscribe.cli.main", "models", "bench", "vosk-small-cn"],
        env={**os.environ, "OFFSCRIBE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 4
    assert "Traceback" not in run.stderr
    assert "Vosk" in run.stderr


def at_home(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "offscribe.cli.main", *arguments, "--home", str(home)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_model_travels_on_a_stick_and_transcribes_there(models: Path, tmp_path: Path) -> None:
    stick, home = tmp_path / "stick.tar", tmp_path / "home"
    exported = at_home(models.parent, "models", "export", "vosk-small-cn", str(stick))
    assert exported.returncode == 0, exported.stderr
    for path in (str(stick), str(models / "silero-vad")):
        imported = at_home(home, "models", "import", path)
        assert imported.returncode == 0, imported.stderr
    assert at_home(home, "models", "use", "vosk-small-cn").returncode == 0
    run = at_home(home, "transcribe", str(SAMPLES / "zh.flac"), "--format", "json")
    assert run.returncode == 0, run.stderr
    answer = json.loads(run.stdout)
    assert answer["model"] == "vosk-small-cn"
    assert all(segment["words"] for segment in answer["segments"])
    refused = at_home(home, "models", "remove", "vosk-small-cn")
    assert (refused.returncode, "default model" in " ".join(refused.stderr.split())) == (3, True)
    assert at_home(home, "models", "remove", "silero-vad").returncode == 0
    assert not (home / "models" / "silero-vad").exists()


def test_what_a_stick_may_hold_is_refused_with_a_reason(models: Path, tmp_path: Path) -> None:
    home, stick = tmp_path / "home", tmp_path / "stick.tar"
    exported = at_home(models.parent, "models", "export", "silero-vad", str(stick))
    assert exported.returncode == 0, exported.stderr
    whole = stick.read_bytes()
    cut = tmp_path / "cut.tar"
    cut.write_bytes(whole[: len(whole) // 2])
    changed = tmp_path / "changed.tar"
    changed.write_bytes(whole.replace(b"onnx", b"onnX"))
    unknown = tmp_path / "unknown"
    unknown.mkdir()
    (unknown / "holiday.jpg").write_bytes(b"jpeg")
    for path, code in ((cut, "model_damaged"), (changed, "model_damaged"), (unknown, "model_un")):
        run = at_home(home, "models", "import", str(path))
        assert (run.returncode, code in run.stderr) == (4, True), run.stderr
        assert "Traceback" not in run.stderr
    assert not [path for path in (home / "models").iterdir() if path.is_dir()]


def test_listings_are_machine_readable(models: Path) -> None:
    listed = json.loads(at_home(models.parent, "models", "list", "--json").stdout)
    rows = {row["id"]: row for row in listed}
    assert rows["whisper-base"]["devices"] == ["cpu"] or "cuda" in rows["whisper-base"]["devices"]
    assert rows["fun-asr-nano-2512-hf"]["size_bytes"] > 10**9
    only = json.loads(at_home(models.parent, "models", "list", "--installed", "--json").stdout)
    assert all(row["installed"] for row in only)
    info = json.loads(at_home(models.parent, "models", "info", "vosk-small-en", "--json").stdout)
    assert (info["languages"], info["streams"], info["times"]) == (["en"], True, "word")


def test_a_folder_anywhere_is_used_where_it_lies(models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mein vosk-model-cn"
    shutil.copytree(
        models / "vosk-small-cn", folder, ignore=shutil.ignore_patterns("manifest.json")
    )
    home = tmp_path / "home"
    link_models(home, models)
    run = at_home(home, "transcribe", str(SAMPLES / "zh.flac"), "--model-path", str(folder))
    assert run.returncode == 0, run.stderr
    assert "会议" in run.stdout


def test_a_known_model_under_another_id_keeps_its_language(models: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    imported = at_home(home, "models", "import", str(models / "vosk-small-cn"), "--id", "mine")
    assert imported.returncode == 0, imported.stderr
    info = json.loads(at_home(home, "models", "info", "mine", "--json").stdout)
    assert (info["languages"], info["installed"]) == (["zh"], True)
