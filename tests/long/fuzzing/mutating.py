"""Mutations that need no format: other integers, hostile texts, cut and damaged bytes.

All draw from the case's own generator and from nothing else, so a case is known by (seed, target, number).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")

HOSTILE_NAMES = (
    "../out.txt",
    "a/../../out.txt",
    "/tmp/out.txt",
    "a\\..\\out.txt",
    "C:/out.txt",
    "a//b",
    "a/./b",
    "",
    ".",
    "..",
    "/",
    "a/",
    "a\nb",
    "a\0b",
    "\x1b[2J",
    "\u202egpj.exe",
    "x" * 300,
    "/".join("d" * 300),
    "~/.profile",
    "$(touch out.txt)",
    "-rf",
    "con",
    "é\u0301",
)
HOSTILE_TEXTS = (
    *HOSTILE_NAMES,
    "NA",
    "nan",
    "None",
    "null",
    "True",
    "1.5",
    "=1+1",
    "{{ 7 * 7 }}",
    "%s%n",
    "<script>",
    "\x85\u2028",
    "\ufeff",
    "\ufffe",
    "F,M",
    '"',
    "'",
    "y" * 5000,
)
# What parsers of numbers take, and what they should not.
NUMBERS = (
    *"0 -0 1 -1 2147483647 2147483648 4294967296 9223372036854775807 9223372036854775808 -9223372036854775809".split(),
    *"18446744073709551616 1e5 1e400 -1e400 nan NaN inf -inf 0x10 1_000 +1 1.0 1.5 .5 5. ٣ 1e-320 1d0 1,5 --1".split(),
    *("", " ", " 1", "1 ", "1\x00", "9" * 400, "9" * 5000, "0." + "3" * 5000),
)


def choose(rng: np.random.Generator, items: Sequence[T]) -> T:
    return items[int(rng.integers(len(items)))]


def chance(rng: np.random.Generator, probability: float) -> bool:
    return bool(rng.random() < probability)


def other_integer(rng: np.random.Generator, value: int, n_bits: int) -> int:
    """An unsigned integer of `n_bits`: an end of its range, a neighbour, one bit changed, or any."""
    top = (1 << n_bits) - 1
    options = [
        *(0, 1, top, top >> 1, (top >> 1) + 1, top - 1),
        *(value - 1, value + 1, 2 * value, value // 2, value + (1 << n_bits >> 1)),
        value ^ (1 << int(rng.integers(n_bits))),
        int.from_bytes(rng.bytes(8), "little"),
        int(rng.integers(256)),
    ]
    return choose(rng, options) & top


def truncated(rng: np.random.Generator, data: bytes) -> bytes:
    """Lose the end: anything, or the last few bytes, or all but the first few."""
    kept = choose(rng, [int(rng.integers(len(data) + 1)), len(data) - int(rng.integers(1, 9)), int(rng.integers(64))])
    return data[: max(kept, 0)]


def damaged(rng: np.random.Generator, data: bytes, first: int = 0, end: int | None = None) -> bytes:
    """Change, lose or repeat a few bytes between `first` and `end`."""
    changed = bytearray(data)
    end = len(data) if end is None else min(end, len(data))
    if end <= first:
        return data
    for _ in range(int(rng.integers(1, 5))):
        place = int(rng.integers(first, end))
        action = int(rng.integers(6))
        if action <= 2 and place < len(changed):
            changed[place] ^= 1 << int(rng.integers(8)) if action else int(rng.integers(1, 256))
        elif action == 3:
            size = choose(rng, [1, 2, 4, 8, 16])
            changed[place : place + size] = choose(rng, [bytes(size), b"\xff" * size, rng.bytes(size)])
        elif action == 4:
            del changed[place : place + int(rng.integers(1, 65))]
        else:
            changed[place:place] = changed[place : place + int(rng.integers(1, 65))]
    return bytes(changed)


def other_json(rng: np.random.Generator, text: str) -> str:
    """A JSON text with one value changed, or deep, long or broken."""
    if chance(rng, 0.3):
        depth = choose(rng, [10, 900, 100_000])
        broken = ["[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth, "[", "", "[]", "[[]]", "null", "{}"]
        return choose(rng, [*broken, "[" + "9" * 5000 + "]", text[:-1], text + " ", text + text, "NaN", '"\\ud800"'])
    try:
        value = [json.loads(text)]
    except (ValueError, RecursionError):  # it was changed before
        return text[::-1]
    for _ in range(choose(rng, [1, 1, 1, 2, 4])):
        change_node(rng, value)
    return json.dumps(value[0] if value else None, ensure_ascii=chance(rng, 0.5))


def change_node(rng: np.random.Generator, tree: dict | list) -> None:
    """Change, double or remove one value somewhere in nested objects and lists."""
    nodes: list[tuple[dict | list, object]] = []
    unseen: list[dict | list] = [tree]
    while unseen:
        parent = unseen.pop()
        keys = list(parent) if isinstance(parent, dict) else range(len(parent))
        nodes += [(parent, key) for key in keys]
        unseen += [parent[key] for key in keys if isinstance(parent[key], dict | list)]
    if not nodes:
        return
    parent, key = nodes[int(rng.integers(len(nodes)))]
    action = int(rng.integers(10))
    if action == 0:
        del parent[key]
    elif action == 1 and isinstance(parent, list):
        parent.insert(key, parent[key])
    elif action == 1:
        parent[choose(rng, HOSTILE_TEXTS)] = parent[key]
    elif action == 2 and isinstance(parent, dict):
        other = choose(rng, list(parent))
        parent[key], parent[other] = parent[other], parent[key]
    else:
        parent[key] = other_value(rng, parent[key])


def other_value(rng: np.random.Generator, value: object) -> object:
    """A value of another type, or another one of the same type."""
    if isinstance(value, bool) or value is None or chance(rng, 0.3):
        empty = choose(rng, [None, True, False, {}, [], "", [[]], {"a": 1}, [value], {"a": value}])
        return choose(rng, [empty, str(value), 0, 1, -1, 1.5, choose(rng, HOSTILE_TEXTS)])
    if isinstance(value, int | float):
        numbers = [0, 1, -1, 2, 3, 160, 1 << 31, 1 << 63, 1 << 64, 10**400]
        numbers += [0.5, 1e400, -1e400, float("nan"), -0.0, 1e-320]
        near = [value + 1, value - 1, -value, float(value), value * 2] if abs(value) < 1e300 else [0]
        return choose(rng, [choose(rng, numbers), choose(rng, near)])
    if isinstance(value, str):
        return choose(rng, [choose(rng, HOSTILE_TEXTS), value.upper(), value + "x", value[:-1], f" {value}"])
    return choose(rng, [{}, [], [value], value])


def garbage(rng: np.random.Generator, magics: Sequence[bytes]) -> bytes:
    """No valid file at all: noise, or noise behind a format's first bytes."""
    start = choose(rng, [b"", *magics])
    return start + choose(rng, [rng.bytes(int(rng.integers(2000))), bytes(int(rng.integers(200))), b"text\n" * 50])
