import fcntl
import hashlib
import socket
import threading

import numpy as np
import pytest

from blsh.files.downloads import download
from tests.files.serving import serve
from tests.waiting import PATIENCE_S

CONTENT = np.random.default_rng(0).bytes(300_000)
SHA256 = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
MD5 = "md5:" + hashlib.md5(CONTENT).hexdigest()
QUICK = {"timeout_s": PATIENCE_S, "wait_s": 0.01, "n_attempts": 3}


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serve() as state:
        state.content = CONTENT
        yield state


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("checksum", [SHA256, MD5])
def test_a_good_server(server, tmp_path, checksum):
    steps = []
    path = tmp_path / "deep" / "data.bin"
    found = download(
        server.address,
        path,
        checksum=checksum,
        n_bytes=len(CONTENT),
        progress=lambda *step: steps.append(step),
        **QUICK,
    )
    assert path.read_bytes() == CONTENT and names(path.parent) == ["data.bin"]
    assert (found.checked, found.was_there, found.n_bytes) == ("stated", False, len(CONTENT))
    assert "sha256:" + found.sha256 == SHA256
    assert steps[-1] == (len(CONTENT), len(CONTENT)) and steps == sorted(steps)
    again = download(server.address, path, checksum=checksum, **QUICK)
    assert again.was_there and len(server.ranges) == 1


@pytest.mark.parametrize("checksum", [SHA256, ""])
def test_what_has_arrived_is_continued(server, tmp_path, checksum):
    server.manners = ["truncate", "503", "truncate"]
    download(server.address, tmp_path / "data.bin", checksum=checksum, **QUICK)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    first = len(CONTENT) // 3
    second = first + (len(CONTENT) - first) // 3
    assert server.ranges == [None, f"bytes={first}-", f"bytes={first}-", f"bytes={second}-"]


@pytest.mark.parametrize("checksum", [SHA256, ""])
def test_a_server_that_stalls_is_left_and_asked_for_the_rest(server, tmp_path, checksum):
    server.manners, came = ["stall", "503", "stall"], [0]
    # On a busy machine the limit may pass at any moment, so there may be more attempts than stalls.
    patient = QUICK | {"timeout_s": 0.3, "n_attempts": 100}
    steps = {"checksum": checksum, "progress": lambda there, total: came.append(there)}
    download(server.address, tmp_path / "data.bin", **steps, **patient)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert server.manners == [] and not server.outlasted
    starts = [int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0 for asked in server.ranges]
    assert len(starts) >= 4 and set(starts) <= set(came)


def test_a_later_call_continues(server, tmp_path):
    server.manners = ["truncate", *["500"] * 3]
    with pytest.raises(ConnectionError, match=r"failed 3 times in a row \(HTTP 500\), 100000 bytes are kept in .*part"):
        download(server.address, tmp_path / "data.bin", checksum=SHA256, **QUICK)
    assert names(tmp_path) == ["data.bin.part", "data.bin.part.tag"]
    download(server.address, tmp_path / "data.bin", checksum=SHA256, **QUICK)
    assert server.ranges[-1] == "bytes=100000-" and names(tmp_path) == ["data.bin"]


def test_a_whole_part_is_not_fetched_again(server, tmp_path):
    (tmp_path / "data.bin.part").write_bytes(CONTENT)
    download(server.address, tmp_path / "data.bin", checksum=SHA256, **QUICK)
    assert server.ranges == [f"bytes={len(CONTENT)}-"] and names(tmp_path) == ["data.bin"]


def test_a_part_of_unknown_origin_is_not_continued_without_a_checksum(server, tmp_path):
    (tmp_path / "data.bin.part").write_bytes(b"something else")
    download(server.address, tmp_path / "data.bin", **QUICK)
    assert server.ranges == [None] and (tmp_path / "data.bin").read_bytes() == CONTENT


def test_a_file_that_changed_on_the_server_starts_again(server, tmp_path):
    server.manners = ["truncate", *["500"] * 3]
    with pytest.raises(ConnectionError):
        download(server.address, tmp_path / "data.bin", **QUICK)
    server.etag, server.content = '"two"', CONTENT[::-1]
    download(server.address, tmp_path / "data.bin", **QUICK)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("manner", ["no-ranges", "no-length"])
def test_servers_without_ranges_or_lengths(server, tmp_path, manner):
    server.manners = ["truncate", manner] if manner == "no-ranges" else [manner]
    download(server.address, tmp_path / "data.bin", checksum=SHA256, **QUICK)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_one_wrong_byte_is_fetched_again_and_two_are_an_error(server, tmp_path):
    server.manners = ["corrupt"]
    download(server.address, tmp_path / "good.bin", checksum=SHA256, **QUICK)
    assert (tmp_path / "good.bin").read_bytes() == CONTENT and server.ranges == [None, None]
    server.manners = ["corrupt", "corrupt"]
    with pytest.raises(ValueError, match=r"bad\.bin has the sha256 [0-9a-f]{64} where [0-9a-f]{64} is stated: remove"):
        download(server.address, tmp_path / "bad.bin", checksum=SHA256, **QUICK)
    assert names(tmp_path) == ["good.bin"]


def test_the_first_download_records_its_checksum(server, tmp_path):
    path = tmp_path / "data.bin"
    assert download(server.address, path, **QUICK).checked == "first"
    assert (tmp_path / "data.bin.sha256").read_text() == f"{SHA256.removeprefix('sha256:')}  data.bin\n"
    assert download(server.address, path, **QUICK).checked == "recorded"
    path.unlink()
    server.content = CONTENT[:-1] + b"x"
    with pytest.raises(ValueError, match=r"where .* is recorded"):
        download(server.address, path, **QUICK)
    assert names(tmp_path) == ["data.bin.sha256"]


def test_a_file_that_is_there_and_wrong_is_an_error(server, tmp_path):
    (tmp_path / "data.bin").write_bytes(b"x" * len(CONTENT))
    with pytest.raises(ValueError, match="is stated: remove it"):
        download(server.address, tmp_path / "data.bin", checksum=MD5, **QUICK)
    assert server.ranges == []


def test_another_length_is_an_error(server, tmp_path):
    with pytest.raises(ValueError, match="has 300000 bytes where 5 are expected"):
        download(server.address, tmp_path / "data.bin", n_bytes=5, **QUICK)
    assert names(tmp_path) == []


def test_what_is_not_there_or_refused(server, tmp_path):
    server.manners = ["404", "403", *["redirect-to file:///etc/hostname"] * 3]
    with pytest.raises(FileNotFoundError, match=r"is not there \(HTTP 404\): name a mirror"):
        download(server.address, tmp_path / "data.bin", **QUICK)
    with pytest.raises(ValueError, match=r"is refused \(HTTP 403\)"):
        download(server.address, tmp_path / "data.bin", **QUICK)
    with pytest.raises((ValueError, ConnectionError), match=r"refused|failed 3 times"):
        download(server.address, tmp_path / "data.bin", **QUICK)
    assert names(tmp_path) == []


def test_two_at_once(server, tmp_path):
    with open(tmp_path / "data.bin.part", "ab") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(ValueError, match=r"data\.bin\.part is being written by another process: wait for it"):
            download(server.address, tmp_path / "data.bin", **QUICK)
    assert server.ranges == []


def test_a_mirror(server, tmp_path):
    mirror = server.address.removesuffix("/a/data.bin") + "/mirror/"
    download("https://example.org/x/y.bin", tmp_path / "my data.bin", checksum=SHA256, mirror=mirror, **QUICK)
    assert server.paths == ["/mirror/my%20data.bin"]


def test_nobody_listens(tmp_path):
    with pytest.raises(ConnectionError, match="failed 3 times in a row"):
        download("http://127.0.0.1:9/x", tmp_path / "x", **QUICK)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"address": "file:///etc/passwd"}, "no http or https address"),
        ({"address": "http:///x"}, "no http or https address"),
        ({"mirror": "ftp://example.org"}, "no http or https address"),
        ({"checksum": "sha1:00"}, "is not sha256: or md5:"),
        ({"checksum": "md5:" + "0" * 31}, "is not sha256: or md5:"),
        ({"n_bytes": 0}, "n_bytes=0 must be at least 1"),
        ({"timeout_s": 0}, "timeout_s=0"),
        ({"n_attempts": 0}, "n_attempts=0"),
    ],
)
def test_invalid_arguments(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        download(**({"address": "http://127.0.0.1:9/x", "path": tmp_path / "x"} | changes))
    assert names(tmp_path) == []


# Found by fuzzing


def test_a_redirection_to_what_is_no_address(server, tmp_path):
    server.manners = ["redirect-to http://[::1"] * 3
    with pytest.raises(
        ConnectionError, match=r"the server redirects to no address, Invalid IPv6 URL\), 0 bytes are kept"
    ):
        download(server.address, tmp_path / "data.bin", **QUICK)
    assert names(tmp_path) == []


@pytest.mark.parametrize("tag", [b"\xff\xfe", b'"one"\r\nEvil: 1', b""])
def test_a_damaged_validator_is_none(server, tmp_path, tag):
    (tmp_path / "data.bin.part").write_bytes(CONTENT[:1000])
    (tmp_path / "data.bin.part.tag").write_bytes(tag)
    download(server.address, tmp_path / "data.bin", **QUICK)
    assert server.ranges == [None] and (tmp_path / "data.bin").read_bytes() == CONTENT


def test_a_damaged_record_of_a_checksum(server, tmp_path):
    (tmp_path / "data.bin.sha256").write_bytes(b"\xff" * 70)
    with pytest.raises(ValueError, match=r"is recorded in .*data\.bin\.sha256: remove it"):
        download(server.address, tmp_path / "data.bin", **QUICK)


def test_what_a_server_says_is_not_shown_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            for _ in range(3):
                with listener.accept()[0] as connection:
                    connection.recv(9999)
                    connection.sendall(b"\x1b[2J\x07" + b"x" * 3000 + b"\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        with pytest.raises(ConnectionError) as caught:
            download(f"http://127.0.0.1:{listener.getsockname()[1]}/x", tmp_path / "x", **QUICK)
        thread.join()
    assert str(caught.value).isprintable() and len(str(caught.value)) < 600
