"""A zip file written field by field, so that each can be another than it should be."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from tests.long.fuzzing.mutating import chance, choose, other_integer

_LOCAL = "<4sHHHHHIIIHH"
_CENTRAL = "<4sHHHHHHIIIHHHHHII"
_END = "<4sHHHHIIH"
# Widths in bits of the fields behind the signature.
_LOCAL_FIELDS = {"version": 16, "flags": 16, "method": 16, "time": 16, "date": 16, "crc": 32, "packed": 32, "size": 32}
_LOCAL_FIELDS |= {"name_size": 16, "extra_size": 16}
_CENTRAL_FIELDS = {"made_by": 16, **_LOCAL_FIELDS, "comment_size": 16, "disk": 16, "internal": 16}
_CENTRAL_FIELDS |= {"external": 32, "offset": 32}
_END_FIELDS = {"disk": 16, "first_disk": 16, "here": 16, "count": 16, "size": 32, "offset": 32, "comment_size": 16}

_ACTIONS = ["local", "central", "both", "both", "end", "extra", "order", "hidden", "comment", "method"]


@dataclass
class Member:
    """A member; what is not given of its headers is right."""

    name: bytes
    data: bytes
    is_deflated: bool = False
    local: dict[str, int] = field(default_factory=dict)
    central: dict[str, int] = field(default_factory=dict)
    local_name: bytes | None = None
    extra: bytes = b""
    is_listed: bool = True
    is_there: bool = True


def make_zip(members: Sequence[Member], end: dict[str, int] | None = None, comment: bytes = b"") -> bytes:
    """Write the members, their directory and the record at the end, `end` replacing some of its fields."""
    body, directory, count = b"", b"", 0
    for member in members:
        packed = _deflate(member.data) if member.is_deflated else member.data
        right = {
            "version": 20,
            "flags": 0x800 if not member.name.isascii() else 0,
            "method": 8 if member.is_deflated else 0,
            "time": 0,
            "date": 33,
            "crc": zlib.crc32(member.data),
            "packed": len(packed),
            "size": len(member.data),
            "extra_size": len(member.extra),
        }
        local_name = member.name if member.local_name is None else member.local_name
        if member.is_listed:
            listed = {**right, "made_by": 0x314, "name_size": len(member.name), "comment_size": 0, "disk": 0}
            listed |= {"internal": 0, "external": 0o100644 << 16, "offset": len(body)} | member.central
            directory += struct.pack(_CENTRAL, b"PK\1\2", *(listed[name] for name in _CENTRAL_FIELDS))
            directory += member.name + member.extra
            count += 1
        if member.is_there:
            here = {**right, "name_size": len(local_name)} | member.local
            body += struct.pack(_LOCAL, b"PK\3\4", *(here[name] for name in _LOCAL_FIELDS))
            body += local_name + member.extra + packed
    last = {"disk": 0, "first_disk": 0, "here": count, "count": count, "size": len(directory), "offset": len(body)}
    last |= {"comment_size": len(comment)} | (end or {})
    return body + directory + struct.pack(_END, b"PK\5\6", *(last[name] for name in _END_FIELDS)) + comment


def mutate_structure(rng: np.random.Generator, members: list[Member]) -> bytes:
    """Write the members with one to three fields of the zip's own changed."""
    end: dict[str, int] = {}
    comment = b""
    for _ in range(int(rng.integers(1, 4))):
        member = choose(rng, members)
        action = choose(rng, _ACTIONS)
        if action in ("local", "central", "both"):
            fields = _LOCAL_FIELDS if action != "central" else _CENTRAL_FIELDS
            name = choose(rng, list(fields))
            value = other_integer(rng, choose(rng, [len(member.data), 0, 8]), fields[name])
            for where in [member.local] * (action != "central") + [member.central] * (action != "local"):
                where[name] = value
        elif action == "end":
            name = choose(rng, list(_END_FIELDS))
            end[name] = other_integer(rng, len(members), _END_FIELDS[name])
        elif action == "extra":
            sizes = struct.pack("<QQQ", *(other_integer(rng, len(member.data), 64) for _ in range(3)))
            kind, body = choose(rng, [1, 1, 0x7075, 0x9901, 0]), choose(rng, [sizes, sizes[:8], b"", rng.bytes(9)])
            member.extra = struct.pack("<HH", kind, choose(rng, [len(body), len(body) + 1, 0xFFFF])) + body
            if chance(rng, 0.7):
                for where in (member.local, member.central):
                    where |= {"size": 0xFFFFFFFF, "packed": 0xFFFFFFFF}
        elif action == "order":
            members.insert(int(rng.integers(len(members) + 1)), choose(rng, members))
        elif action == "hidden":
            member.is_listed, member.is_there = choose(rng, [(True, False), (False, True)])
        elif action == "comment":
            comment = choose(rng, [b"hello", b"PK\5\6" + bytes(18), rng.bytes(50), b"x" * 65535])
        else:
            method = choose(rng, [1, 6, 9, 12, 14, 93, 95, 97, 98, 99])
            member.local["method"] = member.central["method"] = method
    data = make_zip(members, end, comment)
    return choose(rng, [data] * 18 + [rng.bytes(int(rng.integers(1, 99))) + data, data + rng.bytes(30)])


@cache
def _deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()
