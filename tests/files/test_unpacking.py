import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile

import pytest

from blsh.files.unpacking import unpack

FILES = {"data/a.txt": b"first", "data/deep/b.bin": bytes(range(256)) * 9, "c": b""}


def make_zip(path, entries=None):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (FILES if entries is None else entries).items():
            archive.writestr(name, data)
    return path


def tar_bytes(members=None):
    """Members are (TarInfo, data) or taken from FILES."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for info, data in members if members is not None else [(tarfile.TarInfo(n), d) for n, d in FILES.items()]:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def info(name, kind=tarfile.REGTYPE, link=""):
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made


def tree(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir())


def check_whole(archive, folder):
    assert unpack(archive, folder) == tuple(sorted(FILES))
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    assert tree(folder) == sorted(FILES)


def test_zip(tmp_path):
    check_whole(make_zip(tmp_path / "x.zip"), tmp_path / "out")


@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_tar(tmp_path, compress):
    (tmp_path / "x").write_bytes(compress(tar_bytes()))
    check_whole(tmp_path / "x", tmp_path / "out")


def test_what_is_in_the_folder_stays_and_modes_are_ignored(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.txt").write_text("mine")
    (tmp_path / "data" / "a.txt").write_text("old")
    member = info("./data/a.txt")
    member.mode = 0o6777
    folder = info("data", tarfile.DIRTYPE)
    folder.mode = 0
    (tmp_path / "x.tar").write_bytes(tar_bytes([(folder, b""), (member, b"new")]))
    assert unpack(tmp_path / "x.tar", tmp_path) == ("data/a.txt",)
    assert (tmp_path / "data" / "mine.txt").read_text() == "mine"
    assert (tmp_path / "data" / "a.txt").read_text() == "new"
    assert not (tmp_path / "data" / "a.txt").stat().st_mode & (stat.S_IXUSR | stat.S_ISUID)


def test_progress(tmp_path):
    steps = []
    unpack(make_zip(tmp_path / "x.zip"), tmp_path / "out", progress=lambda *step: steps.append(step))
    total = sum(map(len, FILES.values()))
    assert steps[-1] == (total, total) and len(steps) == 3


BAD_NAMES = ["../out.txt", "a/../../out.txt", "/tmp/out.txt", "a\\..\\out.txt", "C:/out.txt", "a//b", "a\nb"]


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_names_that_leave_the_folder(tmp_path, name, kind):
    archive = tmp_path / f"x.{kind}"
    if kind == "zip":
        make_zip(archive, {"good.txt": b"good", name: b"bad"})
    else:
        archive.write_bytes(tar_bytes([(info("good.txt"), b"good"), (info(name), b"bad")]))
    with pytest.raises(ValueError, match="leaves the folder: it is not unpacked"):
        unpack(archive, tmp_path / "out")
    assert tree(tmp_path) == [archive.name]
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_tar(tmp_path, kind):
    (tmp_path / "x.tar").write_bytes(tar_bytes([(info("good"), b"good"), (info("bad", kind, "/etc"), b"")]))
    with pytest.raises(ValueError, match="holds 'bad', a link or device"):
        unpack(tmp_path / "x.tar", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_links_in_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        link = zipfile.ZipInfo("bad")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc")
    with pytest.raises(ValueError, match="holds 'bad', a link or device"):
        unpack(tmp_path / "x.zip", tmp_path / "out")


def test_a_link_in_the_folder_itself_is_not_followed_outside(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "data").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match="behind a link that leaves"):
        unpack(make_zip(tmp_path / "x.zip"), tmp_path / "out")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_bounds(tmp_path):
    archive = make_zip(tmp_path / "x.zip", {"zeros": bytes(5_000_000)})
    assert archive.stat().st_size < 10_000
    with pytest.raises(ValueError, match=r"more than \d+ members or 1000000 bytes"):
        unpack(archive, tmp_path / "out", max_bytes=1_000_000)
    with pytest.raises(ValueError, match="more than 2 members"):
        unpack(make_zip(tmp_path / "y.zip"), tmp_path / "out", max_members=2)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_size_that_lies(tmp_path):
    archive = make_zip(tmp_path / "x.zip", {"zeros": bytes(5_000)})
    data = archive.read_bytes()
    claimed = data.replace((5_000).to_bytes(4, "little"), (50).to_bytes(4, "little"))
    assert claimed != data
    archive.write_bytes(claimed)
    with pytest.raises(ValueError, match="is damaged"):
        unpack(archive, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_header_that_asks_for_much_memory(tmp_path):
    header = tarfile.TarInfo("././@PaxHeader")
    header.type, header.size = tarfile.XHDTYPE, 1 << 33
    (tmp_path / "x.tar").write_bytes(header.tobuf(tarfile.GNU_FORMAT) + bytes(2048))
    with pytest.raises(ValueError, match="is damaged"):
        unpack(tmp_path / "x.tar", tmp_path / "out")


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_half_an_archive(tmp_path, kind):
    big = {f"f{k}": bytes((j * j * (k + 3)) % 251 for j in range(3000)) for k in range(4)}
    if kind == "zip":
        whole = make_zip(tmp_path / "whole.zip", big).read_bytes()
    else:
        whole = tar_bytes([(info(n), d) for n, d in big.items()])
        compress = {"tar.gz": gzip.compress, "tar.bz2": bz2.compress, "tar.xz": lzma.compress}
        whole = compress.get(kind, bytes)(whole)
    (tmp_path / "x").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="fetch it again"):
        unpack(tmp_path / "x", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"this is no archive\n" * 99, b"BZh9" + bytes(99), b"\x1f\x8b" + bytes(99)])
def test_no_archive(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ValueError, match=r"archive .*x (is damaged|holds no file)"):
        unpack(tmp_path / "x", tmp_path / "out")
    with pytest.raises(FileNotFoundError, match="does not exist: fetch it first"):
        unpack(tmp_path / "y", tmp_path / "out")


def test_one_name_twice(tmp_path):
    (tmp_path / "x.tar").write_bytes(tar_bytes([(info("a"), b"1"), (info("a"), b"2")]))
    with pytest.raises(ValueError, match="holds 'a' twice"):
        unpack(tmp_path / "x.tar", tmp_path / "out")
    (tmp_path / "y.tar").write_bytes(tar_bytes([(info("a"), b"1"), (info("a/b"), b"2")]))
    with pytest.raises(ValueError, match="holds 'a/b' twice, as file or folder"):
        unpack(tmp_path / "y.tar", tmp_path / "out")


def test_an_encrypted_zip(tmp_path):
    archive = make_zip(tmp_path / "x.zip", {"a": b"secret"})
    data = bytearray(archive.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(data)
    with pytest.raises(ValueError, match="is encrypted: unpack it by hand"):
        unpack(archive, tmp_path / "out")


# Found by fuzzing


def changed_zip(path, find, replace):
    """A zip of which the first place that holds `find` holds `replace`."""
    data = make_zip(path).read_bytes()
    place = data.index(find)
    path.write_bytes(data[:place] + replace + data[place + len(replace) :])
    return path


def assert_one_line(archive, folder, message):
    with pytest.raises(ValueError, match=message) as caught:
        unpack(archive, folder)
    line = str(caught.value)
    assert str(archive) in line and "\n" not in line and len(line) < 600
    assert not list(folder.rglob("*"))


def test_a_directory_that_begins_before_the_file(tmp_path):
    data = make_zip(tmp_path / "x.zip").read_bytes()
    end = data.index(b"PK\5\6")
    (tmp_path / "x.zip").write_bytes(data[: end + 16] + (1 << 30).to_bytes(4, "little") + data[end + 20 :])
    assert_one_line(tmp_path / "x.zip", tmp_path / "out", "is damaged")


def test_a_zip_member_without_a_name(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("a"), "1")
    data = (tmp_path / "x.zip").read_bytes()
    place = data.index(b"PK\1\2")
    (tmp_path / "x.zip").write_bytes(data[: place + 28] + bytes(2) + data[place + 30 :].replace(b"a", b"", 1))
    assert_one_line(tmp_path / "x.zip", tmp_path / "out", "is damaged|holds no file|leaves the folder")


def test_a_local_name_that_goes_on_for_kilobytes(tmp_path):
    assert_one_line(
        changed_zip(tmp_path / "x.zip", b"PK\3\4", b"PK\3\4" + bytes(22) + b"\xff\x0f"), tmp_path / "out", "damaged"
    )


@pytest.mark.parametrize("length", [10**30, 10**9, 0])
def test_an_extended_header_of_no_length(tmp_path, length):
    body = f"{length} path=x\n".encode()
    header = tarfile.TarInfo("././@PaxHeader")
    header.type, header.size = tarfile.XHDTYPE, len(body)
    (tmp_path / "x.tar").write_bytes(header.tobuf(tarfile.GNU_FORMAT) + body.ljust(512, b"\0") + tar_bytes())
    try:
        assert_one_line(tmp_path / "x.tar", tmp_path / "out", "is damaged|leaves the folder")
    except AssertionError:
        assert length == 10**9 and (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["GNU.sparse.size=nan\n", "GNU.sparse.realsize=BINARY\n"])
@pytest.mark.parametrize("before", [[], [(info("first"), b"1")]])
def test_an_extended_header_of_numbers_that_are_none(tmp_path, text, before):
    body = f"{len(text) + 3} {text}".encode()
    header = tarfile.TarInfo("././@PaxHeader")
    header.type, header.size = tarfile.XHDTYPE, len(body)
    start = tar_bytes(before)[: 1024 * len(before)]
    extended = header.tobuf(tarfile.GNU_FORMAT) + body.ljust(512, b"\0")
    (tmp_path / "x.tar").write_bytes(start + extended + tar_bytes())
    assert_one_line(
        tmp_path / "x.tar", tmp_path / "out", "is damaged, or neither zip nor tar .*invalid literal for int"
    )


def test_a_name_of_bytes_that_are_no_text(tmp_path):
    data = bytearray(tar_bytes([(info("a" * 99), b"1")]))
    data[:99] = b"\xff" * 99
    data[148:156] = b" " * 8
    data[148:156] = f"{sum(data[:512]):06o}\0 ".encode()
    (tmp_path / "x.tar").write_bytes(data)
    assert_one_line(tmp_path / "x.tar", tmp_path / "out", "leaves the folder")


@pytest.mark.parametrize("kind", ["file", "broken link"])
def test_something_in_the_place_of_a_folder(tmp_path, kind):
    (tmp_path / "out").mkdir()
    if kind == "file":
        (tmp_path / "out" / "data").write_text("mine")
    else:
        (tmp_path / "out" / "data").symlink_to(tmp_path / "out" / "nowhere")
    with pytest.raises(ValueError, match=r"out/data is no folder, and one in .*x\.zip: move it away"):
        unpack(make_zip(tmp_path / "x.zip"), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["data"]


def test_a_name_that_is_too_long_for_the_disk(tmp_path):
    (tmp_path / "x.tar").write_bytes(tar_bytes([(info("y" * 300), b"1")]))
    assert_one_line(tmp_path / "x.tar", tmp_path / "out", "holds a name of 300 characters .*, too long for this disk")


def test_reserved_names(tmp_path):
    archive = make_zip(tmp_path / "x.zip", {"a.txt": b"1", ".notes/b.txt": b"2"})
    with pytest.raises(ValueError, match=r"holds '\.notes/b\.txt', a name that is not its to give"):
        unpack(archive, tmp_path / "out", reserved=[".notes"])
    assert not list((tmp_path / "out").iterdir())
    assert unpack(archive, tmp_path / "out", reserved=["b.txt"]) == (".notes/b.txt", "a.txt")
