"""One file that brings Offscribe to a machine without a network: wheels, models, installer."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import offscribe
from offscribe import __version__
from offscribe.engines.registry import find_engine
from offscribe.errors import BadOption, ModelError, ResourceError
from offscribe.services import bundle_installer
from offscribe.services.bundle_installer import MANIFEST, CannotInstall, fingerprint
from offscribe.shelf.archive import check_target, pack_archive, room_for, unpack_archive
from offscribe.shelf.manifest import MANIFEST as MODEL_MANIFEST
from offscribe.shelf.manifest import read_manifest, sha256_of
from offscribe.shelf.shelf import Shelf
from offscribe.shelf.storage import storing
from offscribe.types import ModelCard
from offscribe.vad.registry import DEFAULT_VAD

FOLDER = "offscribe-bundle"
STARTER_EXTRAS = frozenset({"starter", "onnx"})
ENGINE_EXTRAS = STARTER_EXTRAS | {"vosk", "whisper-cpp"}
"""The extras that requirements/starter.txt and engines.txt hold; see requirements/update.sh."""
LAUNCHERS = {
    "install.sh": """#!/bin/sh
# Install Offscribe from this folder, without a network: sh install.sh /path/to/offscribe
set -eu
[ $# -eq 1 ] || { echo "usage: sh install.sh FOLDER" >&2; exit 2; }
python="${OFFSCRIBE_PYTHON:-python@PYTHON@}"
command -v "$python" >/dev/null || python=python3
command -v "$python" >/dev/null || {
  echo "error: Python @PYTHON@ was not found; name it in OFFSCRIBE_PYTHON" >&2
  exit 1
}
exec "$python" "$(dirname "$0")/install.py" "$1"
""",
    "install.ps1": """# Install Offscribe from this folder, without a network:
# powershell -ExecutionPolicy Bypass -File install.ps1 C:\\path\\to\\offscribe
param([Parameter(Mandatory = $true)][string]$Folder)
$ErrorActionPreference = "Stop"
$install = Join-Path $PSScriptRoot "install.py"
if ($env:OFFSCRIBE_PYTHON) { & $env:OFFSCRIBE_PYTHON $install $Folder }
else { & py "-@PYTHON@" $install $Folder }
exit $LASTEXITCODE
""",
}
"""What people start on the other machine, by file name."""


class NoCheckout(ResourceError):
    code = "no_checkout"
    hint = "Clone the project and run its own offscribe command there."


@dataclass(frozen=True, slots=True)
class BundleProgress:
    stage: Literal["wheels", "models", "packing", "done"]
    detail: str = ""


def create_bundle(
    target: Path, shelf: Shelf, model_ids: Sequence[str], *, with_engines: bool = False
) -> Iterator[BundleProgress]:
    """Write a bundle for machines like this one (Python, system, processor) to *target*; yield the
    progress. The detector comes along. *with_engines*: also the engines that `start.sh` leaves
    out. Uses the package index.

    Raises NoCheckout without the project's own folder, ModelMissing, ModelDamaged, ModelError
    where pip fails, BadOption for the name of *target* or a model whose engine would not come
    along, NotFound, DiskFull.
    """
    check_target(target)
    checkout = _checkout()
    wanted = list(dict.fromkeys([*model_ids, DEFAULT_VAD]))
    for model_id in wanted:
        _check_engine(shelf.card(model_id), ENGINE_EXTRAS if with_engines else STARTER_EXTRAS)
        shelf.verify(model_id)
    with storing(str(target)), tempfile.TemporaryDirectory(dir=target.resolve().parent) as scratch:
        bundle = Path(scratch) / FOLDER
        bundle.mkdir()
        yield BundleProgress("wheels", "the packages")
        _collect_wheels(checkout, bundle / "wheels", "engines" if with_engines else "starter")
        for model_id in wanted:
            yield BundleProgress("models", model_id)
            _copy_model(shelf.folder_of(model_id), bundle / "models" / model_id)
        _write_installer(bundle)
        files = _write_manifest(bundle)
        for done in pack_archive(bundle, files, target):
            yield BundleProgress("packing", f"{done / 1e6:.0f} MB")
    yield BundleProgress("done")


def install_bundle(archive: Path, home: Path) -> None:
    """Unpack and install the bundle *archive* into *home*. Every byte is checked before any of it
    runs. Raises ModelError, ModelDamaged, DiskFull."""
    with storing(str(home)):
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home) as scratch:
            content = Path(scratch)
            unpack_archive(archive, content, max_bytes=room_for(content), max_files=100_000)
            try:
                bundle_installer.install(content / FOLDER, home)
            except CannotInstall as error:
                raise ModelError(str(error)) from error


def _checkout() -> Path:
    """The folder of the project, which alone can be made a package of."""
    checkout = Path(offscribe.__file__).resolve().parents[2]
    if not (checkout / "requirements" / "starter.txt").is_file():
        raise NoCheckout("Offscribe was not installed from a folder of its own")
    return checkout


def _check_engine(card: ModelCard, extras: frozenset[str]) -> None:
    if card.kind == "vad":
        return
    spec = find_engine(card.engine)
    if spec.extra not in extras:
        raise BadOption(
            f"{card.id} needs {spec.title}, which the bundle would not have",
            hint="Say --engines."
            if spec.extra in ENGINE_EXTRAS
            else "A bundle cannot bring it: it is not among the hashed requirements.",
        )


def _collect_wheels(checkout: Path, folder: Path, requirements: str) -> None:
    """What the hashed requirements name, and Offscribe itself."""
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    pip += ["--wheel-dir", str(folder)]
    hashed = str(checkout / "requirements" / f"{requirements}.txt")
    _run([*pip, "--no-deps", "--require-hashes", "--requirement", hashed])
    _run([*pip, "--no-deps", "--no-build-isolation", str(checkout)])


def _run(command: list[str]) -> None:
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        last = [line for line in run.stderr.splitlines() if line.strip()][-4:]
        raise ModelError(
            f"pip could not collect the packages: {' | '.join(last)}",
            hint="Check the network connection and the settings of pip.",
        )


def _copy_model(folder: Path, place: Path) -> None:
    for path in (MODEL_MANIFEST, *(file.path for file in read_manifest(folder).files)):
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / path, place / path)


def _write_installer(bundle: Path) -> None:
    source = Path(bundle_installer.__file__).read_text(encoding="utf-8")
    (bundle / "install.py").write_text(source, encoding="utf-8")
    for name, text in LAUNCHERS.items():
        launcher = text.replace("@PYTHON@", fingerprint()["python"])
        (bundle / name).write_text(launcher, encoding="utf-8", newline="")


def _write_manifest(bundle: Path) -> list[str]:
    """Write the manifest; return the paths of all files, it first."""
    paths = sorted(path for path in bundle.rglob("*") if path.is_file())
    files = [
        {"path": path.relative_to(bundle).as_posix(), "sha256": sha256_of(path)} for path in paths
    ]
    manifest = {"version": __version__, "made_for": fingerprint(), "files": files}
    (bundle / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    return [MANIFEST, *(str(file["path"]) for file in files)]
