"""Mutated answers of a web server to `download`: status lines, headers, lengths, ranges, and bodies cut short."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from functools import cache
from pathlib import Path

import numpy as np

from blsh.files import downloads
from blsh.files.downloads import download
from tests.long.fuzzing.mutating import NUMBERS, chance, choose, damaged, garbage, other_integer, truncated
from tests.long.fuzzing.target import Target
from tests.waiting import PATIENCE_S

CONTENT = bytes(range(256)) * 8
SHA256 = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
os.environ["no_proxy"] = "127.0.0.1"


def targets() -> list[Target]:
    code = {"files/downloads.py": frozenset({"_check"})}
    return [Target("download", _write, _read, code, connects=True, subjects=("http://127.0.0.1",))]


class _Server:
    """Answers each connection with the next of some byte strings, then with the last one."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}/file.bin"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection:
                connection.settimeout(PATIENCE_S)
                try:
                    connection.recv(1 << 16)
                    answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                    connection.sendall(answer)
                except OSError:
                    continue


@cache
def _server() -> _Server:
    return _Server()


def _write(rng: np.random.Generator, folder: Path) -> str:
    out = folder / "out"
    out.mkdir()
    there = int(rng.integers(1, len(CONTENT))) if chance(rng, 0.4) else 0
    checksum = choose(rng, ["", "", SHA256, SHA256, "md5:" + "0" * 32])
    if there:
        (out / "file.bin.part").write_bytes(CONTENT[:there])
        if chance(rng, 0.6):
            (out / "file.bin.part.tag").write_bytes(choose(rng, [b'"one"', b"", b"\xff\xfe", b'"one"\r\nEvil: 1']))
    if chance(rng, 0.05):
        (out / "file.bin").write_bytes(choose(rng, [CONTENT, b"other"]))
    if chance(rng, 0.1):
        (out / "file.bin.sha256").write_bytes(choose(rng, [SHA256[7:].encode(), b"\xff" * 70, b"", b"0" * 64]))
    n_bytes = choose(rng, [0, 0, len(CONTENT), len(CONTENT) + 1])
    (folder / "what").write_text(f"{checksum or '-'} {n_bytes}")
    mutation, answer = _answer(rng, there)
    more = [_answer(rng, there)[1] for _ in range(int(rng.integers(3)))]
    _server().answers = [answer, *more, _good(0)]
    return mutation


def _good(start: int) -> bytes:
    total = len(CONTENT)
    head = f"HTTP/1.1 {'206 Partial Content' if start else '200 OK'}\r\nContent-Length: {total - start}\r\n"
    if start:
        head += f"Content-Range: bytes {start}-{total - 1}/{total}\r\n"
    return f'{head}ETag: "one"\r\nConnection: close\r\n\r\n'.encode() + CONTENT[start:]


def _answer(rng: np.random.Generator, there: int) -> tuple[str, bytes]:
    good = _good(choose(rng, [there, 0]))
    head, _, body = good.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    kind = choose(
        rng, ["status", "length", "range", "header", "header", "lines", "body", "bytes", "truncation", "garbage"]
    )
    k = int(rng.integers(len(lines)))
    if kind == "garbage":
        return kind, garbage(rng, [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 ", b"\x16\x03\x01"])
    if kind == "status":
        number = choose(
            rng, [200, 204, 206, 301, 302, 304, 307, 400, 401, 403, 404, 410, 416, 429, 500, 503, 999, 0, 100]
        )
        lines[0] = choose(
            rng, [f"HTTP/1.1 {number} x", f"HTTP/0.9 {number}", f"HTTP/9.9 {number} x", f"{number}"]
        ).encode()
        where = [
            "file:///etc/passwd",
            "ftp://example.org/x",
            "http://",
            "//",
            "",
            "javascript:1",
            "http://[::1",
            "/file.bin",
        ]
        lines.append(f"Location: {choose(rng, where)}".encode())
    elif kind == "length":
        lines[1] = f"Content-Length: {choose(rng, NUMBERS[:40])}".encode()
    elif kind == "range":
        a, b, c = (other_integer(rng, there, 64) for _ in range(3))
        form = choose(rng, ["bytes {}-{}/{}", "bytes {}-{}/*", "bytes */{2}", "octets {}-{}/{}", "bytes {}-/{}", "x"])
        lines[0] = choose(rng, [b"HTTP/1.1 206 x", b"HTTP/1.1 416 x"])
        lines = [line for line in lines if not line.startswith(b"Content-Range")]
        lines.append(
            b"Content-Range: " + form.format(choose(rng, [a, there]), b, choose(rng, [c, len(CONTENT)])).encode()
        )
    elif kind == "header":
        more = ["Transfer-Encoding: chunked", "Content-Encoding: gzip", 'ETag: W/"x"', "ETag: \x00", 'ETag: "\xff"']
        more += ["Last-Modified: x", "Content-Length: 5", "Set-Cookie: x", "Retry-After: 99999", "x" * 70_000, ": x"]
        lines.insert(choose(rng, [1, k, len(lines)]), choose(rng, more).encode("latin-1"))
        lines = [line for line in lines if chance(rng, 0.95)]
    elif kind == "lines":
        lines = choose(rng, [lines[:k], lines[k:], [*lines, lines[k]], lines * 200, lines[::-1]])
    elif kind == "body":
        body = choose(rng, [truncated(rng, body), damaged(rng, body), body + b"x" * 99, body * 40, b""])
        if chance(rng, 0.5):
            lines = [line for line in lines if not line.startswith(b"Content-Length")]
    data = b"\r\n".join(lines) + b"\r\n\r\n" + body
    if kind == "bytes":
        data = damaged(rng, data, 0, 200)
    elif kind == "truncation":
        data = truncated(rng, data)
    return f"answer {kind}", data


def _read(folder: Path) -> None:
    downloads._MOST_BYTES = 1 << 16  # so that an answer without a length can be too long
    checksum, n_bytes = (folder / "what").read_text().split()
    path = folder / "out" / "file.bin"
    steps: list[int] = []
    found = download(
        _server().address,
        path,
        checksum=checksum.replace("-", ""),
        n_bytes=int(n_bytes) or None,
        progress=lambda done, _: steps.append(done),
        timeout_s=PATIENCE_S,
        n_attempts=2,
        wait_s=0.0,
    )
    assert found.n_bytes == path.stat().st_size <= 1 << 16
    if checksum.startswith("sha256"):
        assert path.read_bytes() == CONTENT, "another file has been accepted"
    left = {file.name for file in path.parent.iterdir()} & {"file.bin.part", "file.bin.part.tag"}
    assert found.was_there or not left, f"{left} are left"
    assert {p.name for p in folder.iterdir()} == {"out", "what"}
    assert all(step <= 1 << 16 for step in steps)
