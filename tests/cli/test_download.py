"""`blsh download` against a local server, good and bad."""

import fcntl
import hashlib
import io
import json
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from blsh.cli.main import main
from blsh.corpora import timit
from tests.corpora.making import noise
from tests.files.serving import serve
from tests.waiting import PATIENCE_S

NOISY = np.random.default_rng(0)


def wav(seed: int) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, noise(0.1, seed=seed), 16000, format="WAV")
    return buffer.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


BUS, PARK = (
    zipped({f"{place}/ch01.wav": wav(k), f"{place}/note.txt": NOISY.bytes(9000)})
    for k, place in enumerate(("TBUS", "NPARK"))
)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serve() as state:
        state.files = {"TBUS_16k.zip": BUS, "NPARK_16k.zip": PARK}
        yield state


@pytest.fixture
def fetch(tmp_path, server, capsys):
    """Run the verb with a table of two archives, of which nobody states the checksum of the second."""

    def run(*words: str, md5: str = hashlib.md5(BUS).hexdigest(), corpus: str = "demand", timeout=PATIENCE_S):
        base = server.address.rpartition("/")[0]
        rows = [
            f"demand,TBUS,TBUS_16k.zip,{base}/TBUS_16k.zip,{len(BUS)},CC BY-SA 3.0,md5:{md5},somebody",
            f"demand,NPARK,NPARK_16k.zip,{base}/NPARK_16k.zip,0,CC BY-SA 3.0,,",
        ]
        table = tmp_path / "sources.csv"
        table.write_text("\n".join(["corpus,part,file,address,bytes,licence,checksum,checksum_source", *rows]) + "\n")
        options = ["-o", str(tmp_path / "data"), "--sources", str(table), "--timeout", str(timeout), "--attempts", "1"]
        status = main(["download", corpus, *words, *options])
        return status, *capsys.readouterr()

    return run


def tree(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


FILES = ["NPARK/ch01.wav", "NPARK/note.txt", "TBUS/ch01.wav", "TBUS/note.txt"]
KEPT = [".downloads/NPARK_16k.zip.sha256", ".downloads/NPARK_16k.zip.unpacked", ".downloads/TBUS_16k.zip.unpacked"]


def test_fetching_reading_and_fetching_again(fetch, server, tmp_path, capsys):
    status, out, _ = fetch("--parts", "all")
    assert status == 0
    assert tree(tmp_path / "data") == sorted([*FILES, *KEPT, ".downloads/lock"])
    assert "TBUS_16k.zip: 2 files, its checksum is as stated (somebody)" in out
    recorded = hashlib.sha256(PARK).hexdigest()
    assert f"NPARK_16k.zip: 2 files, nobody states its checksum: sha256 {recorded} is recorded in" in out
    assert "licence CC BY-SA 3.0" in out
    command = next(line for line in out.splitlines() if line.startswith("next: blsh "))
    command = command.removeprefix("next: blsh ").replace("NAME.csv", str(tmp_path / "x.csv")).split()
    assert main(command) == 0
    assert "2 recordings" in capsys.readouterr().out
    asked = len(server.paths)
    status, out, _ = fetch("--parts", "all")
    assert status == 0 and out.count("there already") == 2 and len(server.paths) == asked
    (tmp_path / "data/TBUS/ch01.wav").unlink()
    assert fetch("--parts", "all")[0] == 0 and len(server.paths) == asked + 1
    assert tree(tmp_path / "data") == sorted([*FILES, *KEPT, ".downloads/lock"])


def test_parts_are_named(fetch, server, tmp_path):
    status, _, err = fetch()
    assert status == 2 and server.paths == []
    assert (
        "demand has several parts, name some with --parts, or --parts all: TBUS (0 MB), NPARK (of unknown size)" in err
    )
    assert "part 'SCAFE' is not one of demand: TBUS, NPARK" in fetch("--parts", "SCAFE")[2]
    assert fetch("--parts", "TBUS", "--keep-archives")[0] == 0
    assert tree(tmp_path / "data/TBUS") == ["ch01.wav", "note.txt"] and not (tmp_path / "data/NPARK").exists()
    assert (tmp_path / "data/.downloads/TBUS_16k.zip").read_bytes() == BUS


@pytest.mark.parametrize("manner", ["stall", "truncate"])
def test_half_a_download_is_continued_by_the_same_command(fetch, server, tmp_path, manner):
    server.manners = [manner, "503"]
    status, _, err = fetch("--parts", "TBUS", timeout=0.3 if manner == "stall" else PATIENCE_S)
    assert status == 2 and err.count("\n") == 1
    part = tmp_path / "data/.downloads/TBUS_16k.zip.part"
    kept = part.stat().st_size if part.exists() else 0
    assert f"{kept} bytes are kept in" in err and "try again to continue" in err
    # On a machine that is busy enough the limit passes before anything comes.
    assert kept == len(BUS) // 3 or (manner == "stall" and kept == 0)
    assert not (tmp_path / "data/TBUS").exists()
    server.manners = []
    assert fetch("--parts", "TBUS")[0] == 0
    assert server.ranges[-1] == (f"bytes={kept}-" if kept else None)
    assert not server.outlasted
    assert (tmp_path / "data/TBUS/note.txt").is_file()


def test_a_wrong_byte_is_fetched_again_and_a_wrong_checksum_is_an_error(fetch, server, tmp_path):
    server.manners = ["corrupt"]
    assert fetch("--parts", "TBUS")[0] == 0
    status, _, err = fetch("--parts", "all", md5="0" * 32)
    assert status == 0, err  # it is unpacked: what is stated now is not asked
    (tmp_path / "data/TBUS/note.txt").unlink()
    status, _, err = fetch("--parts", "TBUS", md5="0" * 32)
    assert status == 2 and err.count("\n") == 1
    assert "has the md5" in err and f"where {'0' * 32} is stated: remove it and fetch it again, or name a mirror" in err
    assert not list((tmp_path / "data/.downloads").glob("TBUS_16k.zip"))


def test_another_file_than_the_recorded_one_is_an_error(fetch, server, tmp_path):
    assert fetch("--parts", "NPARK")[0] == 0
    (tmp_path / "data/NPARK/note.txt").unlink()
    server.files["NPARK_16k.zip"] = zipped({"NPARK/note.txt": b"other"})
    status, _, err = fetch("--parts", "NPARK")
    assert status == 2 and "is recorded in" in err and "remove it and fetch it again" in err
    assert not (tmp_path / "data/NPARK/note.txt").exists()


def hostile_tar(name: str, kind: bytes = tarfile.REGTYPE) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc"
        archive.addfile(info, io.BytesIO())
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (zipped({"a.txt": b"a", "../out.txt": b"b"}), "holds the name '../out.txt', which leaves the folder"),
        (zipped({"/tmp/out.txt": b"b"}), "holds the name '/tmp/out.txt', which leaves the folder"),
        (zipped({"a.txt": b"a", ".downloads/TBUS_16k.zip.unpacked": b"{}"}), "a name that is not its to give"),
        (hostile_tar("link", tarfile.SYMTYPE), "holds 'link', a link or device"),
        (hostile_tar("../../x"), "which leaves the folder"),
        (b"<html>404</html>" * 99, "is damaged, or neither zip nor tar"),
    ],
    # Not the bytes: they hold the time at which they were made, and every worker must find the same names.
    ids=["parent", "absolute", "our own note", "link", "tar parent", "no archive"],
)
def test_hostile_archives(fetch, server, tmp_path, content, message):
    server.files["NPARK_16k.zip"] = content
    before = tree(tmp_path)
    status, _, err = fetch("--parts", "NPARK")
    assert status == 2 and err.count("\n") == 1 and message in err
    assert set(tree(tmp_path)) - set(before) - {"sources.csv"} == {"data/.downloads/lock"}
    server.files["NPARK_16k.zip"] = PARK
    assert fetch("--parts", "NPARK")[0] == 0


def test_a_killed_unpacking_leaves_nothing_behind(fetch, tmp_path):
    left = tmp_path / "data/.unpacking-0123.tmp/TBUS"
    left.mkdir(parents=True)
    (left / "half.wav").write_bytes(b"half")
    assert fetch("--parts", "TBUS")[0] == 0
    assert tree(tmp_path / "data/TBUS") == ["ch01.wav", "note.txt"]
    assert not list((tmp_path / "data").glob(".unpacking*"))


@pytest.mark.parametrize("marker", ["", "[]", '{"sha256": 1, "n_files": 2, "names": ["TBUS/note.txt"]}', "[" * 9999])
def test_a_damaged_note_of_what_is_there(fetch, tmp_path, marker):
    assert fetch("--parts", "TBUS")[0] == 0
    path = tmp_path / "data/.downloads/TBUS_16k.zip.unpacked"
    assert json.loads(path.read_text())["n_files"] == 2
    path.write_text(marker)
    status, _, err = fetch("--parts", "TBUS")
    assert status == 2 and f"{path} is damaged: remove it and run this again" in err


def test_two_at_once(fetch, server, tmp_path):
    (tmp_path / "data/.downloads").mkdir(parents=True)
    with open(tmp_path / "data/.downloads/lock", "ab") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        status, _, err = fetch("--parts", "TBUS")
    assert status == 2 and f"another process fetches into {tmp_path / 'data'}: wait for it" in err
    assert server.paths == []


def test_a_mirror_in_place_of_the_address(fetch, server, tmp_path):
    base = server.address.removesuffix("/a/data.bin")
    assert fetch("--parts", "TBUS", "--mirror", f"{base}/my/mirror/")[0] == 0
    assert server.paths == ["/my/mirror/TBUS_16k.zip"]
    assert "is no http or https address" in fetch("--parts", "NPARK", "--mirror", "ftp://example.org")[2]
    server.manners = ["404"]
    assert "is not there (HTTP 404): name a mirror" in fetch("--parts", "NPARK")[2]


@pytest.mark.parametrize(("corpus", "remedy"), [("timit", timit.HOW_TO_GET), ("duan", "ask the authors of Duan")])
def test_what_nobody_may_pass_on(capsys, tmp_path, monkeypatch, corpus, remedy):
    monkeypatch.chdir(tmp_path)
    assert main(["download", corpus]) == 2
    line = capsys.readouterr().err
    assert line.startswith(f"blsh download: {corpus} is not for download: ") and remedy in line
    assert list(tmp_path.iterdir()) == []
    assert main(["download", "nobody"]) == 2
    assert "corpus 'nobody' cannot be fetched: choose one of librispeech, esc" in capsys.readouterr().err
