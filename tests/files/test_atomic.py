import errno
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from blsh.files import atomic_path, require_free_space, save_array, save_stamped, write_json, write_text
from blsh.files.atomic import remove_abandoned, remove_unfinished
from tests.waiting import PATIENCE_S


def test_a_block_that_succeeds_leaves_the_file_alone_in_a_folder_that_is_made(tmp_path):
    path = tmp_path / "deep" / "er" / "table.csv"
    with atomic_path(path) as temporary:
        assert temporary.parent == path.parent
        assert temporary.suffix == ".csv" and temporary.name.startswith(".")
        temporary.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert os.listdir(path.parent) == ["table.csv"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "x.txt"
    path.write_text("old")
    with pytest.raises(error), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["x.txt"]


def test_a_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").write_text("")
    write_text(tmp_path / "atomic", "")
    assert stat.S_IMODE((tmp_path / "atomic").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_a_name_of_the_greatest_length_can_be_written(tmp_path):
    name = "é" * 125 + ".json"
    write_json(tmp_path / name, {})
    assert os.listdir(tmp_path) == [name]


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ValueError, match="is a folder, not a file"), atomic_path(tmp_path):
        pass


def test_a_link_stays_and_its_file_is_replaced(tmp_path):
    real, link = tmp_path / "deep/real.txt", tmp_path / "link.txt"
    real.parent.mkdir()
    link.symlink_to("middle")
    (tmp_path / "middle").symlink_to("deep/real.txt")
    for text in ("made", "replaced"):  # of a link to nothing, and of one to a file
        with atomic_path(link) as temporary:
            assert temporary.parent == real.parent
            temporary.write_text(text)
        assert link.is_symlink() and real.read_text() == text
    assert os.listdir(real.parent) == ["real.txt"]


def test_a_link_that_leads_nowhere_is_refused(tmp_path):
    (tmp_path / "x.txt").symlink_to("not/mounted/x.txt")
    with pytest.raises(ValueError, match=r"x\.txt is a link to .*not/mounted/x\.txt, whose folder does not exist"):
        write_text(tmp_path / "x.txt", "")
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(OSError, match="levels of symbolic links"):
        write_text(tmp_path / "circle", "")
    assert sorted(os.listdir(tmp_path)) == ["circle", "x.txt"]


def test_a_write_protected_file_is_not_replaced(tmp_path):
    """Not by root either, whom the system lets write."""
    path = tmp_path / "x.txt"
    path.write_text("old")
    path.chmod(0o444)
    with pytest.raises(ValueError, match=r"x\.txt is write-protected"):
        write_text(path, "new")
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["x.txt"]


def test_a_pipe_is_written_through_when_all_is_whole(tmp_path):
    path = tmp_path / "pipe.txt"
    os.mkfifo(path)
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit(path.read_bytes)
        write_text(path, "x" * 100_000)
        assert read.result() == b"x" * 100_000
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:  # nobody reads, and nothing is waited for
        temporary.write_text("half")
        raise RuntimeError
    assert stat.S_ISFIFO(path.stat().st_mode) and os.listdir(tmp_path) == ["pipe.txt"]


def test_a_terminal_is_written_through(tmp_path):
    ours, theirs = os.openpty()
    try:
        (tmp_path / "link").symlink_to(os.ttyname(theirs))
        write_text(tmp_path / "link", "a line")
        assert os.read(ours, 100) == b"a line"
        assert stat.S_ISCHR(os.stat(tmp_path / "link").st_mode)
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make devices")
@pytest.mark.parametrize(("kind", "device"), [(stat.S_IFCHR, os.makedev(1, 3)), (stat.S_IFBLK, os.makedev(1, 0))])
def test_a_device_stays_a_device(tmp_path, kind, device):
    try:
        os.mknod(tmp_path / "node", kind | 0o600, device)
    except PermissionError:
        pytest.skip("no devices may be made here")
    if kind == stat.S_IFCHR:
        write_text(tmp_path / "node", "into nothing")
    else:
        with pytest.raises(ValueError, match="is a socket or a disk"):
            write_text(tmp_path / "node", "never")
    assert stat.S_IFMT((tmp_path / "node").stat().st_mode) == kind and os.listdir(tmp_path) == ["node"]


def test_a_socket_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's name must be short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s")
        with pytest.raises(ValueError, match="is a socket or a disk"):
            write_text(tmp_path / "s", "")


def test_an_open_file_is_continued_where_it_is(tmp_path):
    """What `> file` made of standard output: neither cut to nothing nor written from its beginning."""
    code = "import sys; from blsh.files import write_text; write_text(sys.argv[1], 'blsh\\n')"
    for name in ("/dev/stdout", "/dev/fd/1"):
        command = 'echo before; "$@"; echo after'
        with open(tmp_path / "all.txt", "wb") as handle:
            words = ["sh", "-c", command, "sh", sys.executable, "-c", code, name]
            subprocess.run(words, stdout=handle, check=True, timeout=PATIENCE_S)
        assert (tmp_path / "all.txt").read_text() == "before\nblsh\nafter\n"


def test_the_space_of_a_pipe_is_not_asked_for(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=0))
    require_free_space(tmp_path / "pipe", 1, "a sound")


def test_a_block_that_writes_nothing_is_an_error(tmp_path):
    with (
        pytest.raises(ValueError, match=r"nothing was written for .*x\.txt"),
        atomic_path(tmp_path / "x.txt"),
    ):
        pass


def test_json_has_one_form(tmp_path):
    write_json(tmp_path / "x.json", {"b": 1, "a": ["ρ", 0.1]})
    assert (tmp_path / "x.json").read_bytes() == '{\n  "a": [\n    "ρ",\n    0.1\n  ],\n  "b": 1\n}\n'.encode()
    assert json.loads((tmp_path / "x.json").read_text()) == {"a": ["ρ", 0.1], "b": 1}


@pytest.mark.parametrize(("value", "error"), [(float("nan"), ValueError), (np.float32(1), TypeError)])
def test_what_json_cannot_say_is_an_error_that_names_the_file(tmp_path, value, error):
    with pytest.raises(error, match=r"x\.json cannot be written as JSON"):
        write_json(tmp_path / "x.json", {"a": value})
    assert os.listdir(tmp_path) == []


def test_free_space_is_that_of_the_nearest_folder_that_exists(tmp_path, monkeypatch):
    asked = []

    def disk_usage(folder):
        asked.append(Path(folder))
        return SimpleNamespace(free=100)

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)
    require_free_space(tmp_path / "not" / "yet", 100, "features")
    assert asked == [tmp_path]
    with pytest.raises(OSError, match="features needs 101 bytes and 100 are free in") as caught:
        require_free_space(tmp_path / "not" / "yet", 101, "features")
    assert caught.value.errno == errno.ENOSPC
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("save", [save_array, lambda path, array: save_stamped(path, "k", 1, {}, {"a": array})])
def test_arrays_look_at_the_free_space_before_they_write(tmp_path, monkeypatch, save):
    array = np.zeros(1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=8000))
    with pytest.raises(OSError, match=r"x\.npz needs \d+ bytes and 8000 are free"):
        save(tmp_path / "x.npz", array)
    assert os.listdir(tmp_path) == []


def test_a_write_that_the_system_stops_leaves_no_partial_file(tmp_path):
    resource = pytest.importorskip("resource", reason="no limit on file sizes on this system")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            save_array(tmp_path / "x.npy", np.zeros(10_000))
        with pytest.raises(OSError, match="File too large"):
            save_stamped(tmp_path / "x.npz", "k", 1, {}, {"a": np.zeros(10_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert os.listdir(tmp_path) == []


def test_a_disk_that_fills_up_leaves_no_partial_file(tmp_path, monkeypatch):
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)]
    if os.geteuid() or not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk to fill")
    try:
        # The look at the free space passes, and another program fills the disk after it.
        monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=1 << 40))
        with pytest.raises(OSError, match="No space left") as caught:
            save_array(small / "x.npy", np.zeros(100_000))
        assert caught.value.errno == errno.ENOSPC
        with pytest.raises(OSError, match="No space left"):
            save_stamped(small / "x.npz", "k", 1, {}, {"a": np.zeros(100_000)})
        assert os.listdir(small) == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_process_that_ends_without_a_word_removes_what_it_has_begun(tmp_path):
    with pytest.raises(ValueError, match="nothing was written"), atomic_path(tmp_path / "a.txt") as temporary:
        temporary.touch()
        remove_unfinished()
        assert not list(tmp_path.iterdir())


def test_what_killed_processes_left_is_removed_and_what_others_write_is_not(tmp_path):
    long = "x" * 100
    targets = [tmp_path / name for name in ("a.wav", "sub/a.wav", "b [1].flac", f"{long}.wav")]
    (tmp_path / "sub").mkdir()
    killed = [
        f".a-{'0' * 8}.tmp.wav",
        "sub/.a-0123abcd.tmp.wav",
        ".b [1]-00000000.tmp.flac",
        f".{'x' * 40}-00000000.tmp.wav",
    ]
    others = [".a-0000000g.tmp.wav", ".a-00000000.tmp.flac", ".c-00000000.tmp.wav", "a-00000000.tmp.wav", "a.wav"]
    for name in (*killed, *others, ".a-fffffff0.tmp.wav"):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    os.utime(tmp_path / ".a-fffffff0.tmp.wav")  # another process writes it now
    remove_abandoned(targets)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {*others, ".a-fffffff0.tmp.wav"}
    remove_abandoned([tmp_path / "no folder/a.wav"])
