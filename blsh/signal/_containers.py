"""What a sound file's container promises, against what the file holds.

libsndfile trusts the file's size over its header, so a recording cut short by a broken download reads as a
shorter recording. That would change an experiment's numbers without a word. Three containers need a look of
our own: RIFF and RF64 (WAV) and NIST SPHERE state the length of their sound, and an Ogg stream ends with a
page that says so. FLAC states its length too, and libsndfile passes that number on, so `read_audio` sees it
by decoding.
"""

from __future__ import annotations

import re
import struct
from typing import BinaryIO

_OGG_PAGE_MAX = 65307
_SPHERE_HEADER_MAX = 1 << 16


def truncation(handle: BinaryIO, n_bytes: int) -> str:
    """Say what a sound file of `n_bytes` lacks, or "" if nothing, as far as its container tells."""
    magic = handle.read(16)
    if magic[:4] in (b"RIFF", b"RF64") and magic[8:12] == b"WAVE":
        promised = _wave_end(handle)
    elif magic[:8] == b"NIST_1A\n":
        promised = _sphere_end(handle)
    elif magic[:4] == b"OggS":
        return _ogg_truncation(handle, n_bytes)
    else:
        return ""
    return f"its header promises {promised} bytes, the file has {n_bytes}" if promised > n_bytes else ""


def _wave_end(handle: BinaryIO) -> int:
    """Byte at which the `data` chunk ends; 0 without one."""
    start, long_size = 12, 0
    while True:
        handle.seek(start)
        header = handle.read(8)
        if len(header) < 8:
            return 0
        name, size = header[:4], int.from_bytes(header[4:], "little")
        if name == b"ds64":  # RF64: riffSize, dataSize, sampleCount of 64 bits each (EBU Tech 3306)
            body = handle.read(16)
            long_size = struct.unpack("<QQ", body)[1] if len(body) == 16 else 0
        if name == b"data":
            return start + 8 + (long_size if long_size and size == 0xFFFFFFFF else size)
        start += 8 + size + size % 2  # chunks begin on even bytes


def _sphere_end(handle: BinaryIO) -> int:
    """Byte at which the samples end, from the lines `name -type value` of the header; 0 without them."""
    handle.seek(0)
    header = handle.read(_SPHERE_HEADER_MAX)
    size = re.match(rb"NIST_1A\n *([0-9]{1,6})\n", header)
    fields = dict(re.findall(rb"^(\w+) -i ([0-9]{1,18})", header[: int(size[1])], re.MULTILINE)) if size else {}
    try:
        n_samples, width = int(fields[b"sample_count"]), int(fields[b"sample_n_bytes"])
        return int(size[1]) + n_samples * width * int(fields.get(b"channel_count", 1))
    except KeyError:
        return 0


def _ogg_truncation(handle: BinaryIO, n_bytes: int) -> str:
    """Look at the last page: magic (4 bytes), version, flags, 20 more, segment count, segment lengths."""
    handle.seek(max(0, n_bytes - _OGG_PAGE_MAX))
    tail = handle.read(_OGG_PAGE_MAX)
    page = tail[tail.rfind(b"OggS") :]
    is_last = len(page) >= 27 and page[5] & 4
    if is_last and len(page) >= 27 + page[26] + sum(page[27 : 27 + page[26]]):
        return ""
    return "its last page does not end the stream"
