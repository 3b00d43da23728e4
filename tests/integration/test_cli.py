"""The command line as a person types it."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.server import link_models

SAMPLES = Path(__file__).parents[2] / "src" / "offscribe" / "sample"
ZH, EN = str(SAMPLES / "zh.flac"), str(SAMPLES / "en.flac")


@pytest.fixture
def home(tmp_path: Path, models: Path) -> Path:
    link_models(tmp_path / "home", models)
    return tmp_path / "home"


def offscribe(
    *arguments: str, home: Path, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "offscribe.cli.main", *arguments],
        env={**os.environ, "OFFSCRIBE_HOME": str(home), "LC_ALL": "C"},
        cwd=cwd,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def test_text_goes_to_standard_output_and_nothing_else_does(home: Path) -> None:
    run = offscribe("transcribe", EN, "--language", "en", home=home)
    assert run.returncode == 0, run.stderr
    assert "works without any network" in run.stdout
    assert "real time" not in run.stdout
    assert "real time" in run.stderr


def test_json_on_standard_output_is_clean(home: Path) -> None:
    one = json.loads(offscribe("transcribe", ZH, "--format", "json", home=home).stdout)
    assert one["segments"][0]["words"]
    two = offscribe("transcribe", ZH, EN, "--format", "json", home=home)
    assert [entry["name"] for entry in json.loads(two.stdout)] == ["zh.flac", "en.flac"]


def test_files_are_written_for_every_format_and_names_do_not_collide(
    home: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    twin = tmp_path / "other" / "zh.wav"
    twin.write_bytes(Path(ZH).read_bytes())
    formats = "txt,srt,vtt,json,csv,md"
    out = tmp_path / "out"
    run = offscribe("transcribe", ZH, str(twin), "--format", formats, "-o", str(out), home=home)
    assert run.returncode == 0, run.stderr
    names = {path.name for path in out.iterdir()}
    assert names == {f"zh{twin}.{f}" for twin in ("", " (2)") for f in formats.split(",")}
    assert "-->" in (out / "zh.srt").read_text("utf-8")
    rows = list(csv.DictReader(io.StringIO((out / "zh.csv").read_text("utf-8-sig"))))
    assert len(rows) > 1


def test_what_was_transcribed_is_in_the_history(home: Path) -> None:
    offscribe("transcribe", ZH, home=home)
    [listed] = json.loads(offscribe("history", "list", "--json", home=home).stdout)
    found = json.loads(offscribe("history", "search", "会议", "--json", home=home).stdout)
    assert [hit["id"] for hit in found["results"]] == [listed["id"]]
    assert "会议" in offscribe("history", "show", listed["id"], home=home).stdout
    exported = offscribe("history", "export", listed["id"], "--format", "srt", home=home).stdout
    assert exported.startswith("1\n00:00:")
    assert offscribe("history", "delete", listed["id"], home=home).returncode == 0
    assert offscribe("history", "show", listed["id"], home=home).returncode == 3
    assert offscribe("history", "restore", listed["id"], home=home).returncode == 0
    assert offscribe("history", "show", listed["id"], home=home).returncode == 0


def test_hotwords_are_read_from_a_file_or_a_list(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "terms.txt"
    file.write_text("# 术语\n离线转写\n示例录音\n", "utf-8")
    for hotwords in (str(file), "离线转写,示例录音"):
        text = offscribe("transcribe", ZH, "--hotwords", hotwords, home=home).stdout
        assert "离线转写" in text
        assert "示例录音" in text


def test_script_and_written_form_are_as_asked(home: Path) -> None:
    text = offscribe("transcribe", ZH, "--script", "traditional", home=home).stdout
    assert "會議" in text
    assert "会议" not in text


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["transcribe", "/no/such/file"], 3, "not_found"),
        (["transcribe", "/"], 3, "folder"),
        (["transcribe", "/dev/null"], 3, "bad_input"),
        (["transcribe", ZH, "--language", "klingon"], 3, "unknown_language"),
        (["transcribe", ZH, "--format", "exe"], 3, "bad_option"),
        (["transcribe", ZH, "--format", "srt,txt"], 3, "--output-dir"),
        (["transcribe", ZH, "--model", "nothing"], 3, "not_found"),
        (["transcribe", ZH, "--model-path", "/no/such"], 4, "model_missing"),
        (["transcribe", ZH, "--device", "mps"], 4, "device_unusable"),
        (["transcribe", ZH, "-o", "/dev/null/x"], 5, "no_permission"),
        (["transcribe"], 2, "Missing argument"),
        (["history", "show", "nothing"], 3, "not_found"),
        (["history", "export", "nothing"], 3, "not_found"),
        (["serve", "--host", "0.0.0.0"], 3, "--no-auth"),
        (["no-such-command"], 2, "No such command"),
    ],
)
def test_what_cannot_be_done_says_why_with_its_exit_code(
    home: Path, arguments: list[str], code: int, says: str
) -> None:
    run = offscribe(*arguments, home=home)
    assert run.returncode == code, run.stderr
    assert says in run.stderr
    assert "Traceback" not in run.stderr
    assert run.stdout == ""


def test_one_bad_recording_does_not_stop_the_others(home: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.mp3"
    bad.write_text("这不是录音", "utf-8")
    run = offscribe("transcribe", str(bad), EN, "--language", "en", home=home)
    assert run.returncode == 1
    assert "audio_unreadable" in run.stderr
    assert "weekly review" in run.stdout.lower()


def test_a_missing_model_says_how_to_get_it(tmp_path: Path) -> None:
    run = offscribe("transcribe", ZH, home=tmp_path)
    assert run.returncode == 4
    assert "offscribe models pull" in run.stderr


def test_a_model_folder_anywhere_can_be_used(home: Path, models: Path, tmp_path: Path) -> None:
    bare = tmp_path / "my-whisper"
    bare.mkdir()
    for file in ("model.bin", "config.json", "tokenizer.json", "vocabulary.json"):
        (bare / file).symlink_to((models / "whisper-base" / file).resolve())
    run = offscribe("transcribe", ZH, "--model-path", str(bare), "--format", "json", home=home)
    assert run.returncode == 0, run.stderr
    assert "会议" in json.loads(run.stdout)["text"]


def test_the_doctor_finds_everything_in_order(home: Path) -> None:
    run = offscribe("doctor", "--json", "--port", "1", home=home)
    assert run.returncode == 0, run.stdout
    checks = {check["name"]: check for check in json.loads(run.stdout)}
    assert checks["device"]["detail"].startswith("cpu: ")
    assert "SHA-256" in checks["model whisper-base"]["detail"]


def test_the_doctor_finds_a_damaged_model(home: Path, models: Path) -> None:
    (home / "models").unlink()
    for model in models.iterdir():
        if not model.name.startswith("."):
            (home / "models" / model.name).mkdir(parents=True)
            for file in model.iterdir():
                (home / "models" / model.name / file.name).symlink_to(file.resolve())
    graph = home / "models" / "silero-vad" / "silero_vad_16k_sequence.onnx"
    content = bytearray(graph.read_bytes())
    content[1000] ^= 1
    graph.unlink()
    graph.write_bytes(content)
    run = offscribe("doctor", "--json", "--port", "1", home=home)
    assert run.returncode == 1
    failed = [check["name"] for check in json.loads(run.stdout) if not check["is_ok"]]
    assert failed == ["model silero-vad"]


def test_ctrl_c_ends_with_130_and_the_job_is_not_left_running(home: Path, shared: Path) -> None:
    long = shared / "audio" / "long" / "two_speakers_10min.flac"
    process = subprocess.Popen(
        [sys.executable, "-m", "offscribe.cli.main", "transcribe", str(long)],
        env={**os.environ, "OFFSCRIBE_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    time.sleep(4)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in complaint
    assert json.loads(offscribe("history", "list", "--json", home=home).stdout) == []


def test_the_version_is_told(home: Path) -> None:
    assert offscribe("--version", home=home).stdout.startswith("offscribe ")


def test_a_folder_becomes_subtitles_beside_its_recordings_and_only_once(
    home: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "talks"
    (folder / "deep").mkdir(parents=True)
    sample = Path(__file__).resolve().parents[2] / "src" / "offscribe" / "sample" / "en.flac"
    (folder / "deep" / "en.flac").write_bytes(sample.read_bytes())
    (folder / "broken.mp3").write_bytes(b"no sound" * 99)
    command = ["transcribe", str(folder), "--recursive", "--next-to-source", "--skip-done"]
    options = ["--format", "srt", "--language", "en"]
    first = offscribe(*command, *options, home=home)
    assert first.returncode == 1, first.stderr  # one of two
    subtitles = folder / "deep" / "en.srt"
    text = subtitles.read_text("utf-8")
    assert "-->" in text
    subtitles.unlink()
    second = offscribe(*command, *options, "--name", "{name}.{lang}.{ext}", home=home)
    assert "done before" in second.stderr
    assert (folder / "deep" / "en.en.srt").read_text("utf-8") == text
    assert sorted(path.name for path in folder.iterdir()) == ["broken.mp3", "deep"]
