"""With the cable pulled: everything runs in a network namespace that has only loopback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
SAMPLE = CHECKOUT / "src" / "offscribe" / "sample" / "zh.flac"

SESSION = """
import json, socket, sys
from pathlib import Path
from tests.server import serving

home, models, sample = map(Path, sys.argv[1:])
try:
    socket.create_connection(("192.0.2.1", 80), 2)
except OSError:
    pass
else:
    raise SystemExit("this namespace has a network")
with serving(home, models) as server:
    page = server.client.get("/").raise_for_status()
    docs = server.client.get("/docs").raise_for_status()
    answer = server.send(sample).raise_for_status().json()
    found = server.client.get("/api/search", params={"q": "会议"}).json()["total"]
    print(json.dumps({"text": answer["text"], "found": found, "system": server.system()}))
"""


def without_network(*command: str) -> subprocess.CompletedProcess[str]:
    """Run *command* where only loopback exists. Needs util-linux and iproute2, not root."""
    assert shutil.which("unshare"), "install util-linux: this test is the offline promise"
    assert shutil.which("ip"), "install iproute2: this test is the offline promise"
    namespace = (
        ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
    )
    script = 'ip link set lo up && exec "$@"'
    return subprocess.run(
        [*namespace, "sh", "-c", script, "sh", *command],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_server_page_recognition_and_search_work_without_a_network(
    models: Path, tmp_path: Path
) -> None:
    run = without_network(
        sys.executable, "-c", SESSION, str(tmp_path / "home"), str(models), str(SAMPLE)
    )
    assert run.returncode == 0, run.stderr
    answer = json.loads(run.stdout)
    assert "会议" in answer["text"]
    assert answer["found"] == 1
    assert answer["system"]["outbound"] == {"attempts": 0, "last": None}


def test_the_command_line_works_without_a_network(models: Path, tmp_path: Path) -> None:
    (tmp_path / "models").symlink_to(models.resolve())
    command = [sys.executable, "-m", "offscribe.cli.main", "transcribe", str(SAMPLE)]
    run = without_network(*command, "--format", "json", "--home", str(tmp_path))
    assert run.returncode == 0, run.stderr
    assert "会议" in json.loads(run.stdout)["text"]


@pytest.mark.parametrize("library", ["faster_whisper", "huggingface_hub", "wetext", "opencc"])
def test_importing_a_library_reaches_for_nothing(library: str) -> None:
    script = (
        f"from offscribe import guard; g = guard.install(); import {library}; print(g.attempts)"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (run.stdout.strip(), run.returncode) == ("0", 0), run.stderr
