"""Mutated archives: zip, and tar without compression or with gzip, bzip2 or xz.

The header's sum of a tar member is made right after a mutation, so that the changed field is met.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from functools import cache
from pathlib import Path

import numpy as np

from blsh.files.unpacking import unpack
from tests.long.fuzzing.mutating import HOSTILE_NAMES, chance, choose, damaged, garbage, other_integer, truncated
from tests.long.fuzzing.target import Target
from tests.long.fuzzing.zips import Member, make_zip, mutate_structure

NAME = "archive.bin"
FILES = {"data/a.txt": b"first", "data/deep/b.bin": bytes(range(256)) * 4, "c": b"", "é.txt": b"text\n" * 40}
MAX_BYTES, MAX_MEMBERS = 20_000, 12
_MAGICS = [b"PK\3\4", b"PK\5\6" + bytes(18), b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0", b"data/a.txt"]


def targets() -> list[Target]:
    code = {"files/unpacking.py": frozenset()}
    return [Target("zip", _writer(_zip), _read, code), Target("tar", _writer(_tar), _read, code)]


def _writer(make):
    def write(rng: np.random.Generator, folder: Path) -> str:
        out = folder / "out"
        if chance(rng, 0.5):
            (out / "data").mkdir(parents=True)
            (out / "mine.txt").write_text("mine")
            if chance(rng, 0.1):
                (out / choose(rng, ["c", "data/a.txt"])).mkdir()
            elif chance(rng, 0.1):
                (out / "data").rmdir()
                (folder / "elsewhere").mkdir()
                (out / "data").symlink_to(choose(rng, [folder / "elsewhere", out / "nowhere", Path("/tmp")]))
            elif chance(rng, 0.1):
                (out / "c").symlink_to(folder / "victim")
        (folder / "victim").write_text("victim")
        path = folder / NAME
        if chance(rng, 0.03):
            path.write_bytes(garbage(rng, _MAGICS))
            return "garbage"
        if chance(rng, 0.003):
            path.mkdir()
            return "a folder"
        mutation, data = make(rng)
        if chance(rng, 0.08):
            mutation, data = f"{mutation} and truncation", truncated(rng, data)
        path.write_bytes(data)
        return mutation

    return write


def _read(folder: Path) -> None:
    out = folder / "out"
    before = {path: path.is_dir() and not path.is_symlink() for path in out.rglob("*")} if out.exists() else {}
    steps: list[tuple[int, int]] = []
    try:
        names = unpack(
            folder / NAME, out, max_bytes=MAX_BYTES, max_members=MAX_MEMBERS, progress=lambda *step: steps.append(step)
        )
    except (ValueError, OSError):
        left = {path for path in out.rglob("*") if path not in before} if out.exists() else set()
        assert not left, f"it left {sorted(left)[:3]}"
        raise
    finally:
        assert (folder / "victim").read_text() == "victim", "it wrote through a link"
        elsewhere = folder / "elsewhere"
        assert not elsewhere.exists() or not list(elsewhere.iterdir()), "it wrote outside"
    assert len(names) == len(set(names)) <= MAX_MEMBERS
    n_bytes = 0
    for name in names:
        place = out / name
        assert place.is_file() and not place.is_symlink() and place.resolve().is_relative_to(out.resolve()), name
        assert not place.stat().st_mode & 0o7111, name
        n_bytes += place.stat().st_size
    assert n_bytes <= MAX_BYTES
    assert not list(out.glob(".unpacking-*"))
    assert all(0 <= done for done, _ in steps)


def _zip(rng: np.random.Generator) -> tuple[str, bytes]:
    members = [Member(name.encode(), data, is_deflated=chance(rng, 0.6)) for name, data in FILES.items()]
    if chance(rng, 0.5):
        members.insert(0, Member(b"data/", b"", central={"external": 0o40755 << 16 | 16}))
    kind = choose(rng, ["structure", "structure", "structure", "name", "kind", "bomb", "contents", "bytes"])
    member = choose(rng, members)
    if kind == "structure":
        return "zip structure", mutate_structure(rng, members)
    if kind == "name":
        name = choose(rng, [*HOSTILE_NAMES, choose(rng, list(FILES)), "data", "data/a.txt/x", "c/"])
        member.name = name.encode("utf-8", "surrogatepass")
        if chance(rng, 0.3):
            member.local_name = choose(rng, HOSTILE_NAMES).encode("utf-8", "surrogatepass")
        if chance(rng, 0.1):
            member.name, member.local_name = b"\xff\xfe.txt", None
    elif kind == "kind":
        mode = choose(rng, [0o120777, 0o20644, 0o60644, 0o10644, 0o140644, 0o40755, 0o104755, 0o100777, 0])
        member.central["external"] = mode << 16 | choose(rng, [0, 16])
        member.central["made_by"] = choose(rng, [0x314, 0x014, 0xA14])
    elif kind == "bomb":
        member.data, member.is_deflated = bytes(choose(rng, [MAX_BYTES, MAX_BYTES + 1, 30_000_000])), True
        size = choose(rng, [None, 10, 100, MAX_BYTES])
        if size is not None:
            member.local["size"] = member.central["size"] = size
        if chance(rng, 0.3):
            members += [Member(f"m{k}".encode(), b"x") for k in range(int(rng.integers(30)))]
    data = make_zip(members)
    if kind == "contents":
        place = data.find(b"PK\3\4", 1)
        data = damaged(rng, data, 30, max(place, 40))
    return f"zip {kind}", damaged(rng, data) if kind == "bytes" else data


# Offset and width of a tar header's fields.
_TAR = {
    "name": (0, 100),
    "mode": (100, 8),
    "uid": (108, 8),
    "size": (124, 12),
    "mtime": (136, 12),
    "type": (156, 1),
    "link": (157, 100),
    "magic": (257, 8),
    "major": (329, 8),
    "prefix": (345, 155),
}
_FORMATS = (tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT, tarfile.GNU_FORMAT)
_TYPES = b"0123456789\0xgLKSXVM"


@cache
def _valid_tar(form: int, has_folder: bool) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        if has_folder:
            folder = tarfile.TarInfo("data")
            folder.type, folder.mode = tarfile.DIRTYPE, 0o700
            archive.addfile(folder)
        for name, data in {**FILES, "l" * 80 + "/" + "n" * 90: b"long name"}.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o6777
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue().rstrip(b"\0").ljust(512 * 24, b"\0")


def _tar(rng: np.random.Generator) -> tuple[str, bytes]:
    data = bytearray(_valid_tar(choose(rng, _FORMATS), chance(rng, 0.5)))
    headers = [at for at in range(0, len(data), 512) if data[at + 257 : at + 262] == b"ustar"]
    at = choose(rng, headers)
    kind = choose(rng, ["field", "field", "field", "name", "type", "extended", "blocks", "bytes", "compressed"])
    if kind == "field":
        first, width = _TAR[choose(rng, list(_TAR))]
        data[at + first : at + first + width] = _other_field(rng, bytes(data[at + first : at + first + width]))
    elif kind == "name":
        name = choose(rng, [*HOSTILE_NAMES, *FILES, "data"]).encode("utf-8", "surrogatepass")
        data[at : at + 100] = name[:100].ljust(100, b"\0")
    elif kind == "type":
        data[at + 156] = choose(rng, _TYPES)
        if chance(rng, 0.5):
            data[at + 157 : at + 257] = choose(rng, HOSTILE_NAMES).encode()[:100].ljust(100, b"\0")
    elif kind == "extended":
        data[at:at] = _extended_header(rng)
        headers = [at]
    elif kind == "blocks":
        other = choose(rng, headers)
        options = [data[:at] + data[other:], data[:at] + data[at : at + 1024] + data[at:], data[:at], data[at:]]
        options += [data * 2, data[:at] + bytes(512) + data[at:], data[:at] + bytes(1024) + data[at:]]
        data = choose(rng, options)
    if kind in ("field", "name", "type", "extended") and chance(rng, 0.95):
        _set_sum(data, at)
    made = bytes(data)
    if kind == "bytes":
        made = damaged(rng, made)
    compress = choose(rng, [bytes, bytes, gzip.compress, bz2.compress, lzma.compress])
    made = compress(made)
    if kind == "compressed":
        options = [damaged(rng, made, 0, 40), damaged(rng, made), truncated(rng, made), made + made, made + b"x"]
        made = choose(rng, options)
    return f"tar {kind}", made


def _other_field(rng: np.random.Generator, old: bytes) -> bytes:
    width = len(old)
    number = other_integer(rng, 5, 3 * max(width - 1, 1))
    large = other_integer(rng, 5, 8 * max(width - 1, 1)) if width > 1 else 0
    options = [
        f"{number:0{width - 1}o}".encode() + b"\0",
        b"\x80" + large.to_bytes(max(width - 1, 1), "big"),
        b"\xff" * width,
        bytes(width),
        b"-1".ljust(width),
        b" " * width,
        rng.bytes(width),
        b"9" * width,
        choose(rng, HOSTILE_NAMES).encode("utf-8", "surrogatepass"),
    ]
    return choose(rng, options)[:width].ljust(width, b"\0")


def _extended_header(rng: np.random.Generator) -> bytes:
    """A PAX or GNU record that renames or resizes what follows it."""
    name = choose(rng, [*HOSTILE_NAMES, "data/a.txt"])
    key = choose(rng, ["path", "path", "size", "linkpath", "GNU.sparse.map", "GNU.sparse.size", "GNU.sparse.major"])
    key = choose(rng, [key, "GNU.sparse.name", "hdrcharset", "mtime", "uid", "x" * 50])
    value = choose(rng, [name, str(other_integer(rng, 5, 64)), "-1", "1e9", "nan", "0,5,9,1", "", "BINARY"])
    record = f" {key}={value}\n".encode("utf-8", "surrogatepass")
    length = len(record) + len(str(len(record) + 2))
    length = choose(rng, [length] * 8 + [0, 1, length + 1, length - 1, 10**9, 10**30])
    body = str(length).encode() + record
    kind = choose(rng, b"xxxgLKS")
    if kind in b"LK":
        body = name.encode("utf-8", "surrogatepass") + b"\0"
    info = tarfile.TarInfo("././@PaxHeader")
    info.type, info.size = bytes([kind]), choose(rng, [len(body)] * 8 + [0, 1 << 33, 1 << 22, len(body) + 600])
    return info.tobuf(tarfile.GNU_FORMAT)[:512] + body.ljust(-(-len(body) // 512) * 512, b"\0")


def _set_sum(data: bytearray, at: int) -> None:
    header = data[at : at + 512]
    header[148:156] = b" " * 8
    data[at + 148 : at + 156] = f"{sum(header):06o}\0 ".encode()
