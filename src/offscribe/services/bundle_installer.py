"""Install Offscribe from an unpacked bundle, without a network: python3 install.py FOLDER

This file is copied into every bundle as install.py and runs before Offscribe is there, so it uses
the standard library alone and works on Python 3.9, to be able to say that it is too old.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

MANIFEST = "BUNDLE.json"


class CannotInstall(Exception):
    """What is wrong, for people."""


def fingerprint() -> dict[str, str]:
    """What wheels depend on: Python's minor version, operating system and processor."""
    return {
        "python": "{}.{}".format(*sys.version_info[:2]),
        "system": platform.system(),
        "machine": platform.machine(),
    }


def check(bundle: Path) -> dict[str, object]:
    """Hold every file of *bundle* against its manifest, and this machine too; return the
    manifest. Raises CannotInstall."""
    try:
        manifest = json.loads((bundle / MANIFEST).read_text(encoding="utf-8"))
        made_for = dict(manifest["made_for"])
        files = {str(file["path"]): file["sha256"] for file in manifest["files"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CannotInstall(f"{bundle} is no bundle of Offscribe: {error}") from error
    here = fingerprint()
    if different := [
        f"{key} {made_for.get(key)}, not {here[key]}"
        for key in here
        if made_for.get(key) != here[key]
    ]:
        raise CannotInstall(
            f"the bundle is made for {'; '.join(different)}. "
            "Make one on a machine of the same kind, or run install.py with that Python."
        )
    listed = {MANIFEST, *files}
    there = {path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file()}
    if unlisted := sorted(there - listed):
        raise CannotInstall(f"{unlisted[0]} does not belong to the bundle")
    for name, sha256 in files.items():
        path = bundle / name
        if not path.is_file() or _sha256(path) != sha256:
            raise CannotInstall(f"{name} is missing or was changed; copy the bundle again")
    return dict(manifest)


def install(bundle: Path, home: Path) -> None:
    """Install the checked *bundle* into *home*: environment, models, launcher. Raises
    CannotInstall; an environment that was there is then kept."""
    manifest = check(bundle)
    home.mkdir(parents=True, exist_ok=True)
    environment, before = home / ".venv", home / ".venv-before"
    shutil.rmtree(before, ignore_errors=True)
    if environment.exists():
        environment.rename(before)
    try:
        _run(sys.executable, "-m", "venv", str(environment))
        wheels = sorted(str(path) for path in (bundle / "wheels").glob("*.whl"))
        pip = (str(_python(environment)), "-m", "pip", "install", "--quiet", "--no-index")
        _run(*pip, "--no-deps", *wheels)
    except BaseException:
        shutil.rmtree(environment, ignore_errors=True)
        if before.exists():
            before.rename(environment)
        raise
    shutil.rmtree(before, ignore_errors=True)
    for model in sorted((bundle / "models").iterdir()):
        place = home / "models" / model.name
        arriving = place.with_name(f".pull-{model.name}")  # a name that the shelf clears away
        shutil.rmtree(arriving, ignore_errors=True)
        shutil.copytree(model, arriving)
        shutil.rmtree(place, ignore_errors=True)
        arriving.rename(place)
    _write_launcher(home)
    print(f"Offscribe {manifest['version']} is installed. Start it: {_launcher(home)}")


def _write_launcher(home: Path) -> None:
    if os.name == "nt":
        text = (
            "@echo off\r\nset OFFSCRIBE_HOME=%~dp0.\r\n"
            'if "%~1"=="" ("%~dp0.venv\\Scripts\\offscribe.exe" serve) else '
            '("%~dp0.venv\\Scripts\\offscribe.exe" %*)\r\n'
        )
    else:
        text = (
            "#!/bin/sh\n# Serve the page, or run any command of offscribe.\n"
            'OFFSCRIBE_HOME="$(cd "$(dirname "$0")" && pwd)"\nexport OFFSCRIBE_HOME\n'
            '[ $# -gt 0 ] || set -- serve\nexec "$OFFSCRIBE_HOME/.venv/bin/offscribe" "$@"\n'
        )
    launcher = _launcher(home)
    launcher.write_text(text, encoding="utf-8", newline="")
    launcher.chmod(0o755)


def _launcher(home: Path) -> Path:
    return home / ("start.cmd" if os.name == "nt" else "start.sh")


def _python(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _run(*command: str) -> None:
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        last = [line for line in (run.stderr + run.stdout).splitlines() if line.strip()][-3:]
        raise CannotInstall(f"{' '.join(command[:5])} failed: {' | '.join(last)}")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    try:
        install(Path(__file__).resolve().parent, Path(sys.argv[1]).resolve())
    except (CannotInstall, OSError) as error:  # a full disk, a folder that may not be written
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
