"""A download and an unpacking that are killed in the middle leave nothing under a final name and can be done again."""

import functools
import hashlib
import http.server
import os
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from blsh.files.fail_points import VARIABLE
from tests.long import micro
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.long

CONTENTS = np.random.default_rng(0).bytes(3_000_000)
FETCH = "from pathlib import Path; from blsh.files.downloads import download; download({address!r}, Path('it.zip'))"
UNPACK = "from pathlib import Path; from blsh.files.unpacking import unpack; unpack(Path('it.zip'), Path('inside'))"


@pytest.fixture
def address(tmp_path) -> Iterator[str]:
    """Address of an archive of three files on a server of this machine."""
    (tmp_path / "server").mkdir()
    with zipfile.ZipFile(tmp_path / "server/it.zip", "w") as archive:
        for number in range(3):
            archive.writestr(f"{number}.bin", CONTENTS[number:])
    handler = functools.partial(_Quiet, directory=tmp_path / "server")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/it.zip"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def run(program: str, folder: Path, armed: str = "") -> int:
    """Run a program that dies at a fail point, or not; return how it ended."""
    points = folder / "points"
    points.mkdir(exist_ok=True)
    for path in points.iterdir():
        path.unlink()
    (points / "armed").write_text(armed or "none 1 SIGKILL")
    variables = micro.environment(micro.ROOT, **{VARIABLE: str(points)})
    return subprocess.run([sys.executable, "-c", program], cwd=folder, env=variables, timeout=PATIENCE_S).returncode


@pytest.mark.parametrize("number", [1, 4])
def test_a_killed_download_is_done_again(address, tmp_path, number):
    program = FETCH.format(address=address)
    assert run(program, tmp_path, f"download.block {number} SIGKILL") == -signal.SIGKILL
    assert not (tmp_path / "it.zip").exists()
    assert run(program, tmp_path) == 0
    digests = [hashlib.sha256((tmp_path / name).read_bytes()).digest() for name in ("it.zip", "server/it.zip")]
    assert digests[0] == digests[1]
    assert not [name for name in os.listdir(tmp_path) if ".part" in name]


@pytest.mark.parametrize("number", [1, 3])
def test_a_killed_unpacking_is_done_again(address, tmp_path, number):
    assert run(FETCH.format(address=address), tmp_path) == 0
    assert run(UNPACK, tmp_path, f"unpack.member {number} SIGKILL") == -signal.SIGKILL
    assert not list((tmp_path / "inside").glob("*.bin"))
    assert run(UNPACK, tmp_path) == 0
    for place in range(3):
        assert (tmp_path / f"inside/{place}.bin").read_bytes() == CONTENTS[place:]
