from __future__ import annotations

import errno
import gzip
import io
import os
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from offscribe.errors import BadOption, DiskFull, ModelDamaged, ModelError, NotFound
from offscribe.shelf import archive as archives
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
    "con .txt",
    "end. ",
    "a?b",
    "bell\x07",
    ".",
    "x" * 300,
    "folder/" * 200 + "x",
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
    with pytest.raises(ModelError, match="is behind a password"):
        unpack_archive(path, target, max_bytes=MIB)


@pytest.mark.parametrize("name", ["m.zip", "m.tar", "m.tgz", "m.tar.bz2", "m.tar.xz"])
def test_the_same_files_give_the_same_bytes(tmp_path: Path, name: str) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "a.bin").write_bytes(b"weights")
    written = []
    for year in (2001, 2026):
        os.utime(tmp_path / "model" / "a.bin", (year * 31_556_952.0,) * 2)
        list(pack_archive(tmp_path / "model", ["a.bin"], tmp_path / name))
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]
    if name == "m.tgz":
        assert written[0][4:8] == bytes(4), "gzip's own time"


def test_the_progress_of_one_large_file_is_told_on_the_way(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "a.bin").write_bytes(bytes(3 * MIB + 1))
    for name in ("m.tar", "m.zip"):
        steps = list(pack_archive(tmp_path / "model", ["a.bin"], tmp_path / name))
        assert steps == [MIB, 2 * MIB, 3 * MIB, 3 * MIB + 1]


def test_other_tools_read_what_we_pack(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / ("长" * 60)).write_bytes(b"a name beyond the 100 bytes of old headers")
    list(pack_archive(tmp_path / "model", ["长" * 60], tmp_path / "m.tar.gz"))
    with tarfile.open(tmp_path / "m.tar.gz") as archive:
        [entry] = archive.getmembers()
        assert (entry.name, entry.mode, entry.mtime) == (f"model/{'长' * 60}", 0o644, 0)


def test_what_breaks_off_while_packing_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    for name in ("m.tar", "m.zip"):
        with pytest.raises(ModelDamaged, match=r"absent\.bin cannot be read"):
            list(pack_archive(tmp_path / "model", ["absent.bin"], tmp_path / name))
    (tmp_path / "model" / "a.bin").write_bytes(bytes(2 * MIB))
    steps = pack_archive(tmp_path / "model", ["a.bin"], tmp_path / "m.tar")
    next(steps)
    (tmp_path / "model" / "a.bin").write_bytes(bytes(MIB))
    with pytest.raises(ModelDamaged, match="became shorter"):
        list(steps)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_where_nothing_can_be_written_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "folder.zip").mkdir()
    for error, target in (
        (BadOption, tmp_path / "m.rar"),
        (BadOption, tmp_path / "folder.zip"),
        (NotFound, tmp_path / "absent" / "m.zip"),
    ):
        with pytest.raises(error, match=target.name if error is BadOption else "absent"):
            list(pack_archive(tmp_path, [], target))
    assert not is_archive(Path("m.rar"))


def test_a_drive_that_takes_no_large_files_is_named_as_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> object:
        raise OSError(errno.EFBIG, "File too large")

    monkeypatch.setattr(archives, "_pack_tar", refuse)
    with pytest.raises(DiskFull, match="larger than a file may be") as caught:
        list(pack_archive(tmp_path, [], tmp_path / "m.tar"))
    assert "FAT32" in caught.value.hint


def test_a_tar_that_ends_with_a_zip_is_a_tar(tmp_path: Path, target: Path) -> None:
    """A bundle ends with a wheel; what looks at the end of the file takes it for that wheel."""
    wheel = zipped(tmp_path / "x.whl", ("inside.py", b"code")).read_bytes()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.whl").write_bytes(wheel)
    list(pack_archive(tmp_path / "b", ["x.whl"], tmp_path / "b.tar"))
    unpack_archive(tmp_path / "b.tar", target, max_bytes=MIB)
    assert files_of(target) == {"b/x.whl": wheel}


@pytest.mark.parametrize(
    "names",
    [("a", "a/b"), ("a/b", "a"), ("A/x", "a/y"), ("\u00e9", "e\u0301"), ("a", "a")],
    ids=["file as folder", "folder as file", "folders", "accents", "twice"],
)
@pytest.mark.parametrize("make", [zipped, tarred], ids=["zip", "tar"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_are_in_each_others_way_are_refused(
    tmp_path: Path, target: Path, make: object, names: tuple[str, str]
) -> None:
    archive = make(tmp_path / "m.tgz", *((name, b"x") for name in names))  # type: ignore[operator]
    with pytest.raises(ModelError, match="is there twice, or differs only in case"):
        unpack_archive(archive, target, max_bytes=MIB)


def test_a_name_is_shortened_and_made_printable_before_it_is_shown(
    tmp_path: Path, target: Path
) -> None:
    archive = tarred(tmp_path / "m.tgz", ("\x1b[31m" + "x" * 200, b""))
    with pytest.raises(ModelError) as caught:
        unpack_archive(archive, target, max_bytes=MIB)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 160


def test_a_tar_cut_off_between_two_files_is_damaged(tmp_path: Path, target: Path) -> None:
    path = tmp_path / "m.tar"
    (tmp_path / "model").mkdir()
    for name in ("a", "b"):
        (tmp_path / "model" / name).write_bytes(bytes([1]) * 512)
    list(pack_archive(tmp_path / "model", ["a", "b"], path))
    path.write_bytes(path.read_bytes()[:1024])
    with pytest.raises(ModelDamaged, match="its end is missing"):
        unpack_archive(path, target, max_bytes=MIB)


def test_a_header_that_makes_no_sense_is_not_the_end(tmp_path: Path, target: Path) -> None:
    path = tmp_path / "m.tar"
    (tmp_path / "model").mkdir()
    for name in ("a", "b"):
        (tmp_path / "model" / name).write_bytes(bytes([1]) * 512)
    list(pack_archive(tmp_path / "model", ["a", "b"], path))
    content = bytearray(path.read_bytes())
    content[1024 + 150] ^= 1  # in the checksum of the second header
    path.write_bytes(content)
    with pytest.raises(ModelDamaged, match="its end is missing"):
        unpack_archive(path, target, max_bytes=MIB)


@pytest.mark.parametrize("n_bytes", [-8, -1])
def test_the_checksum_at_the_very_end_counts(tmp_path: Path, target: Path, n_bytes: int) -> None:
    path = tarred(tmp_path / "m.tgz", ("a.bin", b"1" * 512))
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(ModelDamaged, match="ended before"):
        unpack_archive(path, target, max_bytes=MIB)
    whole = bytearray(tarred(path, ("a.bin", b"1" * 512)).read_bytes())
    whole[-6] ^= 1
    path.write_bytes(whole)
    with pytest.raises(ModelDamaged, match="CRC"):
        unpack_archive(path, tmp_path, max_bytes=MIB)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_cannot_fill_the_memory(tmp_path: Path, target: Path, kind: bytes) -> None:
    entry = special("x", kind)
    entry.size = 64 * MIB
    before = tarfile.TarInfo("before")
    before.size = 512
    with gzip.open(tmp_path / "m.tgz", "wb", compresslevel=1) as archive:
        archive.write(before.tobuf() + b"x" * 512)
        archive.write(entry.tobuf(tarfile.USTAR_FORMAT))
        archive.write(bytes(64 * MIB))
    tracemalloc.start()
    try:
        with pytest.raises(ModelDamaged, match="header is larger"):
            unpack_archive(tmp_path / "m.tgz", target, max_bytes=1000 * MIB)
        assert tracemalloc.get_traced_memory()[1] < 8 * MIB
    finally:
        tracemalloc.stop()


def test_what_follows_the_end_of_a_tar_is_not_read_for_ever(tmp_path: Path, target: Path) -> None:
    with gzip.open(tmp_path / "m.tgz", "wb", compresslevel=1) as archive:
        entry = tarfile.TarInfo("empty")
        archive.write(entry.tobuf() + bytes(1024) + b"x" * 2 * MIB)
    with pytest.raises(ModelDamaged, match="goes on after its end"):
        unpack_archive(tmp_path / "m.tgz", target, max_bytes=MIB)


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
@pytest.mark.parametrize("size_bytes", [-1024, -512, -1])
def test_a_header_that_points_backwards_is_damage(
    tmp_path: Path, target: Path, kind: bytes, size_bytes: int
) -> None:
    """Read as it says, the same header would come again and again."""
    first, second = tarfile.TarInfo("first"), special("second", kind)
    second.size = size_bytes
    (tmp_path / "m.tar").write_bytes(
        first.tobuf(tarfile.GNU_FORMAT) + second.tobuf(tarfile.GNU_FORMAT) + bytes(1024)
    )
    with pytest.raises(ModelDamaged, match="is broken"):
        unpack_archive(tmp_path / "m.tar", target, max_bytes=MIB)


def test_a_name_is_judged_as_it_is_written(tmp_path: Path, target: Path) -> None:
    """The zip library cuts a name at a zero byte."""
    path = zipped(tmp_path / "m.zip", ("good.bin_evil", b"x"))
    path.write_bytes(path.read_bytes().replace(b"good.bin_evil", b"good.bin\0evil"))
    with pytest.raises(ModelError, match="lies outside"):
        unpack_archive(path, target, max_bytes=MIB)


def test_a_sparse_file_is_refused(tmp_path: Path, target: Path) -> None:
    """GNU tar -S; its size says nothing about what the archive holds."""
    entry = special("holes.bin", tarfile.GNUTYPE_SPARSE)
    header = bytearray(entry.tobuf(tarfile.GNU_FORMAT))
    header[483:495] = b"77777777777\0"  # the size with holes
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    (tmp_path / "m.tar").write_bytes(header + bytes(1024))
    with pytest.raises(ModelError, match="is sparse"):
        unpack_archive(tmp_path / "m.tar", target, max_bytes=MIB)


def test_permissions_do_not_come_along(tmp_path: Path, target: Path) -> None:
    entry = tarfile.TarInfo("run")
    entry.mode = 0o6777
    unpack_archive(tarred(tmp_path / "m.tgz", entry), target, max_bytes=MIB)
    assert (target / "run").stat().st_mode & 0o7111 == 0


def test_an_archive_that_is_not_there_is_not_damaged(tmp_path: Path, target: Path) -> None:
    with pytest.raises(NotFound):
        unpack_archive(tmp_path / "m.zip", target, max_bytes=MIB)


def test_a_zip_with_a_name_that_is_no_text_is_damaged(tmp_path: Path, target: Path) -> None:
    path = zipped(tmp_path / "m.zip", ("模.bin", b"x"))
    path.write_bytes(path.read_bytes().replace("模".encode(), b"\xff\xff\xff"))
    with pytest.raises(ModelDamaged, match="broken"):
        unpack_archive(path, target, max_bytes=MIB)
