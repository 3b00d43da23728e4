"""Worker and server die at random moments; nothing may be lost, doubled or different.

CI runs a short form; ``bash test.sh soak`` the long one, set by OFFSCRIBE_SOAK_FILES and
OFFSCRIBE_SOAK_KILLS. OFFSCRIBE_SOAK_SEED repeats a run.
"""

from __future__ import annotations

import os
import random
import signal
import time
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server import Server, serving

N_FILES = int(os.environ.get("OFFSCRIBE_SOAK_FILES", "10"))
N_KILLS = int(os.environ.get("OFFSCRIBE_SOAK_KILLS", "6"))
SEED = int(os.environ.get("OFFSCRIBE_SOAK_SEED", str(random.randrange(10**6))))
MAX_WORKERS_LOST = 3


@pytest.mark.timeout(4 * 3600)
def test_every_file_has_one_record_equal_to_that_of_an_undisturbed_run(
    shared: Path, tmp_path: Path, models: Path
) -> None:
    recordings = sorted((shared / "audio" / "aishell").glob("*.flac"))
    paths = list(islice(cycle(recordings), N_FILES))
    print(f"seed {SEED}: {N_FILES} recordings, {N_KILLS} kills")
    with serving(tmp_path / "calm", models) as calm:
        expected = _rows(calm, _submitted(calm, paths))
    with serving(tmp_path / "chaos", models) as server:
        batch = _submitted(server, paths)
        n_kills = _disturb(server, batch, random.Random(SEED))
        rows = _rows(server, batch)
        total = server.client.get("/api/records").json()["total"]
    print(f"{n_kills} kills while it ran")
    assert n_kills == N_KILLS
    assert [row["state"] for row in rows] == ["done"] * N_FILES, f"seed {SEED}"
    for row, calm_row in zip(rows, expected, strict=True):
        assert row["filename"] == calm_row["filename"]
        assert row["segments"] == calm_row["segments"], f"seed {SEED}, {row['filename']}"
    assert len({row["record_id"] for row in rows}) == total == N_FILES


def _submitted(server: Server, paths: list[Path]) -> str:
    sent = [("audios", (path.name, path.read_bytes())) for path in paths]
    answer = server.client.post(
        "/api/batch_transcribe", files=sent, data={"wait": "false", "duplicates": "again"}
    )
    batch_id: str = answer.raise_for_status().json()["id"]
    return batch_id


def _disturb(server: Server, batch: str, chance: random.Random) -> int:
    """Kill N_KILLS times, spread over the run; return how often something was there to kill. No
    recording is made to lose so many workers that it has to fail."""
    lost: dict[str, int] = {}
    n_kills = 0
    for number in range(N_KILLS):
        _wait_until_done(server, batch, N_FILES * number // (N_KILLS + 1))
        time.sleep(chance.uniform(0, 1.5))
        pid = server.system()["worker"]["pid"]
        running = [
            job["id"]
            for job in server.client.get("/api/jobs", params={"limit": 500}).json()["jobs"]
            if job["state"] == "running"
        ]
        is_safe = all(lost.get(job_id, 0) < MAX_WORKERS_LOST - 2 for job_id in running)
        if pid is not None and is_safe and chance.random() < 0.5:
            os.kill(pid, signal.SIGKILL)
            for job_id in running:
                lost[job_id] = lost.get(job_id, 0) + 1
        else:
            server.kill()
            server.start()
        n_kills += 1
    return n_kills


def _wait_until_done(server: Server, batch: str, n_files: int) -> None:
    def is_so() -> bool:
        n_done: int = _batch(server, batch)["counts"]["done"]
        return n_done >= n_files

    server.wait_until(is_so, until_s=300)


def _batch(server: Server, batch: str) -> dict[str, Any]:
    answer: dict[str, Any] = server.client.get(f"/api/batches/{batch}").raise_for_status().json()
    return answer


def _rows(server: Server, batch: str) -> list[dict[str, Any]]:
    """What the batch gave once it is finished."""
    server.wait_until(lambda: bool(_batch(server, batch)["finished"]), until_s=600)
    results: httpx.Response = server.client.get(
        f"/api/batches/{batch}/results", params={"format": "json"}
    )
    rows: list[dict[str, Any]] = results.raise_for_status().json()
    return rows
