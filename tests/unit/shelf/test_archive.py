from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from offscribe.errors import BadOption, ModelDamaged, ModelError
from offscribe.shelf.archive import archive_stem, is_archive, pack_archive, unpack_archive

MIB = 1 << 20


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def zipped(path: Path, *entries: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return path


def tarred(path: Path, *entries: tuple[str, bytes] | tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                archive.addfile(entry)
                continue
            info = tarfile.TarInfo(entry[0])
            info.size = len(entry[1])
            archive.addfile(info, io.BytesIO(entry[1]))
    return path


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("name", ["m.zip", "m.tar", "m.tar.gz", "m.tgz", "m.tar.bz2", "m.tar.xz"])
def test_what_is_packed_comes_out_again(tmp_path: Path, target: Path, name: str) -> None:
    model = tmp_path / "模型"
    (model / "sub").mkdir(parents=True)
    (model / "weights.bin").write_bytes(b"\x00" * 5000)
    (model / "sub" / "tokens.txt").write_text("你好", "utf-8")
    steps = list(pack_archive(model, ["weights.bin", "sub/tokens.txt"], tmp_path / name))
    assert steps == [5000, 5006]
    unpack_archive(tmp_path / name, target, max_bytes=MIB)
    assert files_of(target) == {
        "模型/weights.bin": b"\x00" * 5000,
        "模型/sub/tokens.txt": "你好".encode(),
    }
    assert archive_stem(tmp_path / name) == "m"


HOSTILE = [
    "../evil",
    "/evil",
    "a/../../evil",
    "..\\evil",
    "C:evil",
    "con",
    "a/NUL.txt",
    "end. ",
    ".",
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("make", [zipped, tarred], ids=["zip", "tar"])
def test_paths_outside_and_names_of_devices_are_refused(
    tmp_path: Path, target: Path, make: object, name: str
) -> None:
    archive = make(tmp_path / "m.tar.gz", ("good.bin", b"good"), (name, b"evil"))  # type: ignore[operator]
    with pytest.raises((ModelError, ModelDamaged), match="refused"):
        unpack_archive(archive, target, max_bytes=MIB)
    assert not (tmp_path / "evil").exists()
    assert set(files_of(target)) <= {"good.bin"}


@pytest.mark.parametrize(
    "entry",
    [
        special("link", tarfile.SYMTYPE, "/etc/passwd"),
        special("link", tarfile.LNKTYPE, "../../etc/passwd"),
        special("device", tarfile.CHRTYPE),
        special("pipe", tarfile.FIFOTYPE),
    ],
    ids=["symlink", "hard link", "device", "pipe"],
)
def test_links_and_devices_are_refused(
    tmp_path: Path, target: Path, entry: tarfile.TarInfo
) -> None:
    with pytest.raises(ModelError, match="link or a device"):
        unpack_archive(tarred(tmp_path / "m.tgz", entry), target, max_bytes=MIB)
    assert files_of(target) == {}


def test_a_link_in_a_zip_is_refused(tmp_path: Path, target: Path) -> None:
    entry = zipfile.ZipInfo("link")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(ModelError, match="link or a device"):
        unpack_archive(tmp_path / "m.zip", target, max_bytes=MIB)


@pytest.mark.parametrize("make", [zipped, tarred], ids=["zip", "tar"])
def test_a_bomb_is_stopped_while_it_unfolds(tmp_path: Path, target: Path, make: object) -> None:
    bomb = make(tmp_path / "m.tar.gz", ("zeros.bin", bytes(50 * MIB)))  # type: ignore[operator]
    assert bomb.stat().st_size < MIB
    with pytest.raises(ModelError, match="larger than it may be"):
        unpack_archive(bomb, target, max_bytes=2 * MIB)
    assert sum(map(len, files_of(target).values())) <= 2 * MIB


def test_too_many_files_are_refused(tmp_path: Path, target: Path) -> None:
    archive = zipped(tmp_path / "m.zip", *((f"f{number}", b"") for number in range(20)))
    with pytest.raises(ModelError, match="too many files"):
        unpack_archive(archive, target, max_bytes=MIB, max_files=10)


def test_names_that_one_file_system_takes_for_one_are_refused(tmp_path: Path, target: Path) -> None:
    archive = tarred(tmp_path / "m.tgz", ("Model.bin", b"1"), ("model.BIN", b"2"))
    with pytest.raises(ModelError, match="differs only in case"):
        unpack_archive(archive, target, max_bytes=MIB)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("make", [zipped, tarred], ids=["zip", "tar"])
def test_an_archive_that_was_cut_off_is_damaged(
    tmp_path: Path, target: Path, make: object, share: float
) -> None:
    whole = make(tmp_path / "m.tar.gz", ("weights.bin", bytes(range(256)) * 4000))  # type: ignore[operator]
    content = whole.read_bytes()
    whole.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelDamaged, match="broken or not complete"):
        unpack_archive(whole, target, max_bytes=64 * MIB)


def test_an_archive_behind_a_password_is_refused(tmp_path: Path, target: Path) -> None:
    path = zipped(tmp_path / "m.zip", ("a.bin", b"secret"))
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1  # general purpose flag: encrypted
    path.write_bytes(content)
    with pytest.raises(ModelError, match="cannot be unpacked"):
        unpack_archive(path, target, max_bytes=MIB)


def test_what_breaks_off_while_packing_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    with pytest.raises(FileNotFoundError):
        list(pack_archive(tmp_path / "model", ["absent.bin"], tmp_path / "m.tar"))
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    with pytest.raises(BadOption, match=r"m\.rar"):
        list(pack_archive(tmp_path / "model", [], tmp_path / "m.rar"))
    assert not is_archive(Path("m.rar"))
