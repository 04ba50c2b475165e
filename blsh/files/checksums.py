"""Checksums of files and of plain values: SHA-256, written as 64 hexadecimal digits."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path


def sha256_of_file(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes, read in blocks.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def digest_of(obj: object) -> str:
    """Return the SHA-256 of `obj` as canonical JSON: equal values have equal digests, on every machine."""
    return hashlib.sha256(canonical_json(obj).encode("utf-8")).hexdigest()


def canonical_json(obj: object) -> str:
    """Write `obj` as the one JSON text of its value: sorted keys, no spaces, ASCII, shortest floats.

    Raises
    ------
    TypeError, ValueError
        If it holds something that JSON cannot say: another type, NaN, an infinite number.
    """
    return json.dumps(obj, sort_keys=True, separators=(",", ":"), allow_nan=False)
