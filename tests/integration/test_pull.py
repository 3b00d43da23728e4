"""``models pull`` against local servers that speak the hubs' protocols, and break them."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from offscribe.errors import BadOption, ModelDamaged, ModelError
from offscribe.shelf import fetch
from offscribe.shelf.fetch import NoConnection
from offscribe.shelf.hubs import HUGGING_FACE
from offscribe.shelf.manifest import read_manifest
from offscribe.shelf.pull import PARTIAL, PullProgress, pull
from offscribe.types import ArchiveSource, HubSource, ModelCard, ModelFile
from tests.hubs import COMMIT, Hub, serving

WEIGHTS = bytes(range(256)) * 4096  # a mebibyte
MEMBERS = (("model.bin", "weights.bin"), ("config.json", "config.json"), ("sub/", "more/"))
HF = HubSource("huggingface", "some/model", MEMBERS)
CARD = ModelCard(
    id="tiny",
    title="Tiny",
    engine="whisper",
    kind="recognizer",
    licence="MIT",
    homepage="",
    approximate_bytes=1,
    origins=(HF, HubSource("modelscope", "some/model", MEMBERS)),
)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    files = {"model.bin": WEIGHTS, "config.json": b"{}", "sub/tokens.txt": b"a b", "README": b"x"}
    with serving(Hub(files, large={"model.bin"})) as running:
        for name in ("HF_ENDPOINT", "MODELSCOPE_ENDPOINT", "OFFSCRIBE_GITHUB_MIRROR"):
            monkeypatch.setenv(name, running.url)
        for name in ("HF_TOKEN", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(name.lower(), raising=False)
        yield running


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "LONGEST_PAUSE_S", 0.0)


def pulled(shelf: Path, card: ModelCard = CARD, way: str | None = None) -> list[PullProgress]:
    return list(pull(card, shelf, way=way))


def ranges_of(hub: Hub, path: str) -> list[str]:
    return [wanted for asked, wanted in hub.asked if asked == path]


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize("way", ["huggingface", "modelscope"])
def test_a_model_arrives_whole_with_its_hashes_and_where_it_is_from(
    tmp_path: Path, way: str
) -> None:
    steps = pulled(tmp_path, way=way)
    assert (tmp_path / "tiny" / "weights.bin").read_bytes() == WEIGHTS
    assert (tmp_path / "tiny" / "more" / "tokens.txt").read_bytes() == b"a b"
    assert not (tmp_path / "tiny" / "README").exists()
    manifest = read_manifest(tmp_path / "tiny")
    assert [file.path for file in manifest.files] == [
        "config.json",
        "more/tokens.txt",
        "weights.bin",
    ]
    assert manifest.source.startswith(f"{way} some/model at")
    assert steps[0].total_bytes == len(WEIGHTS) + 5
    assert (steps[-1].stage, list(tmp_path.glob(f"{PARTIAL}/tiny"))) == ("done", [])
    if way == "huggingface":
        assert COMMIT in manifest.source


def test_a_listing_in_pages_is_read_to_its_end(hub: Hub, tmp_path: Path) -> None:
    hub.page_size = 2
    pulled(tmp_path)
    assert (tmp_path / "tiny" / "more" / "tokens.txt").is_file()


def test_a_connection_that_breaks_goes_on_where_it_stopped(hub: Hub, tmp_path: Path) -> None:
    hub.breaks_after = [300_000, 0, 200_000]
    pulled(tmp_path)
    assert (tmp_path / "tiny" / "weights.bin").read_bytes() == WEIGHTS
    assert ranges_of(hub, "/cdn/model.bin")[0] == ""
    starts = [int(wanted[6:-1]) for wanted in ranges_of(hub, "/cdn/model.bin")[1:]]
    assert starts == sorted(starts)
    assert starts[-1] >= 400_000


def test_a_server_that_ignores_ranges_starts_over(hub: Hub, tmp_path: Path) -> None:
    hub.breaks_after, hub.ignores_ranges = [300_000], True
    pulled(tmp_path)
    assert (tmp_path / "tiny" / "weights.bin").read_bytes() == WEIGHTS


def test_a_busy_server_is_asked_again(hub: Hub, tmp_path: Path) -> None:
    hub.retry_statuses = [503, 429, 500]
    pulled(tmp_path)
    assert (tmp_path / "tiny" / "weights.bin").read_bytes() == WEIGHTS


def test_giving_up_keeps_what_came_and_the_next_pull_goes_on(hub: Hub, tmp_path: Path) -> None:
    hub.breaks_after = [300_000, *[0] * 50]
    with pytest.raises(NoConnection) as caught:
        pulled(tmp_path)
    assert "run the command again" in caught.value.hint
    assert not (tmp_path / "tiny").exists()
    hub.breaks_after, hub.asked = [], []
    pulled(tmp_path)
    assert (tmp_path / "tiny" / "weights.bin").read_bytes() == WEIGHTS
    [wanted] = ranges_of(hub, "/cdn/model.bin")
    assert int(wanted[6:-1]) > 200_000


KILLED = """
import os, signal, sys
from pathlib import Path
from offscribe.shelf.pull import pull
from tests.integration.test_pull import CARD
for step in pull(CARD, Path(sys.argv[1])):
    if step.done_bytes > 300_000:
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_download_goes_on_where_it_stopped(hub: Hub, tmp_path: Path) -> None:
    hub.files["model.bin"] = WEIGHTS * 8
    run = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert run.returncode == -signal.SIGKILL
    hub.asked = []
    pulled(tmp_path)
    assert (tmp_path / "tiny" / "weights.bin").read_bytes() == WEIGHTS * 8
    [wanted] = ranges_of(hub, "/cdn/model.bin")
    assert int(wanted[6:-1]) > 0


def test_a_file_that_changed_between_tries_is_fetched_anew(hub: Hub, tmp_path: Path) -> None:
    hub.breaks_after = [300_000, *[0] * 50]
    with pytest.raises(NoConnection):
        pulled(tmp_path)
    hub.files["model.bin"] = bytes(reversed(WEIGHTS))
    hub.breaks_after = []
    pulled(tmp_path)
    assert (tmp_path / "tiny" / "weights.bin").read_bytes() == bytes(reversed(WEIGHTS))


def test_files_of_two_revisions_are_never_mixed(hub: Hub, tmp_path: Path) -> None:
    """ModelScope names no commit: a file that was complete belongs to the listing it came with."""
    hub.files = {"config.json": b"{}", "model.bin": WEIGHTS, "sub/tokens.txt": b"a b"}
    hub.breaks_after = [10, 300_000, *[0] * 50]
    with pytest.raises(NoConnection):
        pulled(tmp_path, way="modelscope")
    hub.files["config.json"], hub.breaks_after = b'{"new": 1}', []
    pulled(tmp_path, way="modelscope")
    assert (tmp_path / "tiny" / "config.json").read_bytes() == b'{"new": 1}'


def lying(change: Callable[[dict[str, object]], None]) -> Callable[[Hub], None]:
    """Make the hub's listing say something else about its files."""

    def spoil(hub: Hub) -> None:
        true_entries = hub.entries

        def entries() -> list[dict[str, object]]:
            listed = true_entries()
            for entry in listed:
                change(entry)
            return listed

        hub.entries = entries  # type: ignore[method-assign]

    return spoil


def other_hash(entry: dict[str, object]) -> None:
    if "lfs" in entry:
        entry["lfs"] = {"oid": "0" * 64, "size": len(WEIGHTS)}


def other_git_hash(entry: dict[str, object]) -> None:
    if entry["path"] == "config.json":
        entry["oid"] = "0" * 40


def smaller(entry: dict[str, object]) -> None:
    if entry["path"] == "model.bin":
        entry["size"] = 1000


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lying(other_hash), "not the expected SHA-256"),
        (lying(other_git_hash), "not the expected Git hash"),
        (lying(smaller), "more than the file's size"),
    ],
    ids=["sha-256", "git hash", "size"],
)
def test_what_is_not_what_the_hub_says_is_refused(
    hub: Hub, tmp_path: Path, spoil: Callable[[Hub], None], what: str
) -> None:
    spoil(hub)
    with pytest.raises(ModelDamaged, match=what):
        pulled(tmp_path)
    assert not (tmp_path / "tiny").exists()


@pytest.mark.usefixtures("hub")
def test_pinned_files_must_be_what_the_card_says(tmp_path: Path) -> None:
    pinned = replace(CARD, files=(ModelFile("weights.bin", len(WEIGHTS), "0" * 64),))
    with pytest.raises(ModelDamaged, match=r"weights\.bin is not what Tiny consists of"):
        pulled(tmp_path, pinned)


def test_a_path_out_of_the_folder_is_refused(hub: Hub, tmp_path: Path) -> None:
    hub.files["sub/../../../evil"] = b"x"
    with pytest.raises(ModelDamaged, match="outside the model's folder"):
        pulled(tmp_path)


@pytest.mark.parametrize(("status", "hint"), [(401, "HF_TOKEN"), (403, "licence"), (404, "--from")])
def test_a_refusal_says_what_to_do(hub: Hub, tmp_path: Path, status: int, hint: str) -> None:
    hub.status = status
    with pytest.raises(ModelError) as caught:
        pulled(tmp_path)
    assert hint in caught.value.hint


def test_a_login_page_is_noticed(hub: Hub, tmp_path: Path) -> None:
    hub.captive = True
    with pytest.raises(ModelError) as caught:
        pulled(tmp_path)
    assert "sign in" in caught.value.hint


def test_a_file_that_the_hub_lacks_is_named(hub: Hub, tmp_path: Path) -> None:
    del hub.files["config.json"]
    with pytest.raises(ModelDamaged, match=r"came without config\.json"):
        pulled(tmp_path)


def test_the_token_goes_to_the_hub_alone(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    pulled(tmp_path)
    assert all(header == "Bearer hf_secret" for _, header in hub.authorised)
    hub.authorised = []
    pulled(tmp_path, way="modelscope")
    assert all(header == "" for _, header in hub.authorised)


def test_nobody_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(NoConnection, match=r"127\.0\.0\.1 cannot be reached"):
        pulled(tmp_path)


def test_without_a_mirror_the_hubs_own_address_is_asked() -> None:
    assert HUGGING_FACE.startswith("https://")


def release(*entries: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:bz2") as archive:
        for name, content in entries:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


ARCHIVE = ArchiveSource(
    "some/project", "models", "tiny.tar.bz2", (("model.bin", "model.bin"), ("sub/", "sub/"))
)
RELEASED = replace(CARD, origins=(ARCHIVE,))


def test_a_release_archive_is_unpacked_and_only_its_members_are_taken(
    hub: Hub, tmp_path: Path
) -> None:
    hub.files["tiny.tar.bz2"] = release(
        ("tiny/model.bin", WEIGHTS), ("tiny/sub/a.txt", b"a"), ("tiny/test.wav", b"x")
    )
    hub.breaks_after = [1000]
    pulled(tmp_path, RELEASED)
    manifest = read_manifest(tmp_path / "tiny")
    assert [file.path for file in manifest.files] == ["model.bin", "sub/a.txt"]
    assert manifest.source == "github some/project models/tiny.tar.bz2"


def test_a_release_archive_that_is_cut_off_or_hostile_is_refused(hub: Hub, tmp_path: Path) -> None:
    whole = release(("tiny/model.bin", WEIGHTS), ("tiny/sub/a", b"a"))
    for content in (whole[: len(whole) // 2], release(("../evil", b"x"))):
        hub.files["tiny.tar.bz2"] = content
        with pytest.raises(ModelError):
            pulled(tmp_path, RELEASED)
        assert not (tmp_path / "tiny").exists()
    assert not (tmp_path / "evil").exists()
    hub.files["tiny.tar.bz2"] = whole
    pulled(tmp_path, RELEASED)
    assert (tmp_path / "tiny" / "model.bin").read_bytes() == WEIGHTS


def test_a_place_that_the_card_does_not_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadOption) as caught:
        pulled(tmp_path, way="github")
    assert "huggingface, modelscope" in caught.value.hint
