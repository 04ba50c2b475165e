"""What a sound file's container promises, against what the file holds.

libsndfile reads the first run of sound that it meets and trusts the file's size over its header. So a recording cut
short by a broken download reads as a shorter one, and of two recordings in one file the second vanishes. Either would
change an experiment's numbers without a word. Here it is found out what a file holds, before anything is decoded:

- RIFF, RIFX and RF64 (WAV) and NIST SPHERE state the length of their sound, and an Ogg stream ends with a page that
  says so. FLAC states its length too, which `blsh.signal.audio` compares by decoding.
- A program that writes WAV into a pipe cannot know the length when it writes the header. It puts one of a few
  well-known values there, and the sound goes on to the end of the file.
- Ogg streams one after another are a chain, which is one recording. Any other two files in one, two `data` chunks, and
  Ogg streams beside each other are refused: no program reads all of them.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import BinaryIO

from blsh.signal._pieces import Pieces

_BYTE_ORDERS = {b"RIFF": "little", b"RF64": "little", b"RIFX": "big"}
_NO_SIZE = 0xFFFFFFFF
_CHUNK_NAME = re.compile(rb"[A-Za-z0-9_][A-Za-z0-9_ ]{3}")
_TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN")
_DISK_BLOCK = 4096
_OGG_PAGE = re.compile(rb"OggS\0")
_OGG_SOUND = re.compile(rb"\x01vorbis|OpusHead|\x7fFLAC|Speex   ")
_BEGINNING = re.compile(
    rb"(?:RIFF|RIFX|RF64)....WAVE|NIST_1A\n|fLaC[\0\x80]\0\0\x22|OggS\0[\0-\7]", re.DOTALL
)  # of a sound file
_SPHERE_HEADER_MAX = 1 << 16
_SEARCHED = (1 << 12, 1 << 20)  # bytes at first, where a match is likely, and later


def streams_of(handle: BinaryIO, n_bytes: int) -> list[Pieces]:
    """Return what libsndfile is to read, one stream after another.

    Raises
    ------
    ValueError
        If a file of `n_bytes` lacks some of its sound, or holds more than libsndfile would read, as far as its
        container tells. The caller puts the file's name before the message.
    """
    start = 0
    while (tag := _read(handle, start, 10))[:3] == b"ID3" and len(tag) == 10:
        start += 10 + sum((byte & 127) << 7 * k for k, byte in enumerate(reversed(tag[6:])))
    magic = _read(handle, start, 12)
    whole: list[bytes | range] = [range(start, n_bytes)]
    if magic[:4] in _BYTE_ORDERS and magic[8:] == b"WAVE":
        whole = _wave(handle, start, n_bytes)
    elif magic[:8] == b"NIST_1A\n":
        end = _sphere_end(handle, start)
        _require(end, n_bytes)
        if end:
            _require_no_beginning(handle, end)
    elif magic[:4] == b"fLaC":
        _require_one_flac(handle, start, n_bytes)
    elif magic[:4] == b"OggS":
        links = [*_ogg_links(handle, start, n_bytes), n_bytes]
        return [Pieces(handle, [range(*link)]) for link in pairwise(links)]
    return [Pieces(handle, whole)]


def flac_of_unknown_length(stream: Pieces) -> Pieces:
    """Return a FLAC stream without the length in its header: 36 bits, after 18 bytes and 28 bits of other things."""
    stream.seek(18)
    fields = int.from_bytes(stream.read(8), "big")
    return stream.replaced(18, (fields >> 36 << 36).to_bytes(8, "big"))


def _read(handle: BinaryIO, position: int, n_bytes: int) -> bytes:
    handle.seek(position)
    return handle.read(n_bytes)


def _find(handle: BinaryIO, pattern: re.Pattern[bytes], position: int) -> int | None:
    """Position of the first match of less than 16 bytes."""
    size, largest = _SEARCHED
    while block := _read(handle, position, size):
        if match := pattern.search(block):
            return position + match.start()
        position += max(len(block) - 15, 1)
        size = min(4 * size, largest)
    return None


def _require(promised: int, n_bytes: int) -> None:
    if promised > n_bytes:
        raise _truncated(f"its header promises {promised} bytes, the file has {n_bytes}")


def _truncated(reason: str) -> ValueError:
    return ValueError(f"is truncated, {reason}: get the whole file, or leave it out")


def _two_in_one(what: str, position: int) -> ValueError:
    return ValueError(f"holds a second {what}, from byte {position} on, which would be lost: make two files of it")


def _require_no_beginning(handle: BinaryIO, position: int) -> None:
    """Raise if another sound file begins here."""
    if _BEGINNING.match(_read(handle, position, 16)):
        raise _two_in_one("recording", position)


def _require_no_sound(handle: BinaryIO, position: int, end: int, kind: str) -> None:
    """Raise where what is left may be sound: more than fills up a block of a disk, and no tag of a player or zeros."""
    _require_no_beginning(handle, position)
    if end - position <= _DISK_BLOCK or _read(handle, position, 12).startswith(_TAGS):
        return
    found = _find(handle, re.compile(rb"[^\0]"), position)
    if found is not None and found < end:
        raise ValueError(
            f"holds {end - position} bytes after its sound that are no {kind}, and would be lost if they are sound: "
            "cut them off, or read on to the end with sox --ignore-length"
        )


# RIFF: "RIFF", size, "WAVE", then chunks of name, size and body, which begin on even bytes


def _wave(handle: BinaryIO, start: int, n_bytes: int) -> list[bytes | range]:
    """Look for the `data` chunk, and give the header its length where that was left open."""
    head = _read(handle, start, 12)
    order = _BYTE_ORDERS[head[:4]]
    position, block, long_size, ds64 = start + 12, 1, 0, range(0)
    while True:
        header = _read(handle, position, 8)
        if len(header) < 8:
            return [range(start, n_bytes)]  # without sound: libsndfile says what is missing
        name, size, body = header[:4], int.from_bytes(header[4:], order), position + 8
        if name == b"data":
            break
        if name == b"fmt ":
            block = int.from_bytes(_read(handle, body + 12, 2), order) or 1
        elif name == b"ds64":  # RF64: riffSize, dataSize, sampleCount of 64 bits each (EBU Tech 3306)
            ds64 = range(position, body + size + size % 2)
            fields = _read(handle, body, 16)
            long_size = struct.unpack("<QQ", fields)[1] if len(fields) == 16 else 0
        position = body + size + size % 2
    held = n_bytes - body
    if size == _NO_SIZE and long_size:
        size = long_size
    elif (
        size == _NO_SIZE
        or (size > held and _is_placeholder(size, body - start, block))
        # Where the RIFF has its right size, it is an empty recording before other chunks.
        or (size == 0 and start + 8 + int.from_bytes(head[4:8], order) != n_bytes)
    ):
        return _completed(handle, start, position, n_bytes, block, ds64)
    _require(body + size, n_bytes)
    _require_no_more(handle, body + size, size % 2, n_bytes, order)
    return [range(start, n_bytes)]


def _is_placeholder(size: int, n_before: int, block: int) -> bool:
    """Whether programs write `size` for sound of unknown length behind a header of `n_before` bytes.

    The sound, the RIFF or the file has the largest signed or unsigned size, or the sound has one of three round ones.
    The shortest header has 44 bytes, which some programs subtract from any. Other sizes near these are no placeholders:
    recorders that begin a new file at 2 or 4 GiB come as close, and a part of such a file must not pass for the whole.
    """
    less = (0, 44 - 8, 44, n_before - 8, n_before)
    largest = {limit - n for limit in (0x7FFFFFFF, 0xFFFFFFFF) for n in less}
    return size in largest | {0x80000000, 0x7FFFFF00, 0x7FFFF000 // block * block}


def _completed(
    handle: BinaryIO, start: int, position: int, n_bytes: int, block: int, ds64: range
) -> list[bytes | range]:
    """Fill in the length of a WAV file whose `data` chunk, at `position`, goes on to the end."""
    magic, body = _read(handle, start, 4), position + 8
    held = n_bytes - body
    # After an odd number of bytes comes one more, so that the length is even.
    if held % block == 1 and held % 2 == 0 and _read(handle, n_bytes - 1, 1) == b"\0":
        held -= 1
    if held % block:
        raise _truncated(f"its header leaves the length open, and {held} bytes of sound are no blocks of {block}")
    sound = range(body, body + held)
    before = [range(start + 12, position)]
    if ds64:
        before = [range(start + 12, ds64.start), range(ds64.stop, position)]
    size = 4 + sum(map(len, before)) + 8 + held
    if magic != b"RF64" and size <= _NO_SIZE:
        order = _BYTE_ORDERS[magic]
        head = magic + size.to_bytes(4, order) + b"WAVE"
        return [head, *before, b"data" + held.to_bytes(4, order), sound]
    if magic == b"RIFX":
        raise ValueError("holds more than 4 GiB, and RIFX cannot say that: convert it to RF64 or FLAC")
    sizes = struct.pack("<4sIQQQI", b"ds64", 28, size + 36, held, held // block, 0)
    return [b"RF64\xff\xff\xff\xffWAVE" + sizes, *before, b"data\xff\xff\xff\xff", sound]


def _require_no_more(handle: BinaryIO, position: int, padding: int, n_bytes: int, order: str) -> None:
    """Raise where sound may follow the `data` chunk, which ends at `position`; other chunks are no sound."""
    if not _is_chunk(handle, position) or _is_chunk(handle, position + padding):  # some programs do not pad
        position += padding
    while _is_chunk(handle, position):
        _require_no_beginning(handle, position)  # which looks like a chunk
        header = _read(handle, position, 8)
        size = int.from_bytes(header[4:], order)
        if header[:4] == b"data" and size:
            raise _two_in_one("data chunk", position)
        if position + 8 + size > n_bytes:
            break  # sound whose first bytes look like a name
        position += 8 + size + size % 2
    _require_no_sound(handle, position, n_bytes, "chunk")


def _is_chunk(handle: BinaryIO, position: int) -> bool:
    return _CHUNK_NAME.match(header := _read(handle, position, 8)) is not None and len(header) == 8


# NIST SPHERE: lines `name -type value`, then the samples


def _sphere_end(handle: BinaryIO, start: int) -> int:
    """Byte at which the samples end; 0 where the header does not say."""
    header = _read(handle, start, _SPHERE_HEADER_MAX)
    size = re.match(rb"NIST_1A\n *([0-9]{1,6})\n", header)
    fields = dict(re.findall(rb"^(\w+) -i ([0-9]{1,18})", header[: int(size[1])], re.MULTILINE)) if size else {}
    try:
        n_samples, width = int(fields[b"sample_count"]), int(fields[b"sample_n_bytes"])
        return start + int(size[1]) + n_samples * width * int(fields.get(b"channel_count", 1))
    except KeyError:
        return 0


# FLAC: "fLaC", metadata blocks, frames


def _require_one_flac(handle: BinaryIO, start: int, n_bytes: int) -> None:
    second = _find(handle, _BEGINNING, start + 4)
    if second is not None:
        raise _two_in_one("recording", second)


# Ogg: pages of magic (4 bytes), version, flags, 20 more, segment count, segment lengths, segments


def _ogg_links(handle: BinaryIO, start: int, n_bytes: int) -> list[int]:
    """Positions at which the streams of a chain begin."""
    links: list[int] = []
    n_sounds, begins, ends = 0, False, False
    for position, flags, is_whole, body in _ogg_pages(handle, start, n_bytes):
        if not links or (flags & 2 and (ends or not begins)):
            _require_end(ends or not links)
            links.append(position)
            n_sounds = 0
        begins, ends = bool(flags & 2), bool(flags & 4) and is_whole
        n_sounds += begins and bool(_OGG_SOUND.match(body))
        if n_sounds > 1:
            raise ValueError("holds several streams of sound beside each other: take out one of them")
    _require_end(ends)
    return links


def _require_end(ends: bool) -> None:
    if not ends:
        raise _truncated("its last page does not end the stream")


def _ogg_pages(handle: BinaryIO, position: int | None, n_bytes: int) -> Iterator[tuple[int, int, bool, bytes]]:
    """Yield position, flags, whether it is whole, and the first bytes of the body of each page; skip what is none."""
    while position is not None and len(header := _read(handle, position, 27 + 255 + 8)) >= 27:
        end = position + 27 + header[26] + sum(header[27 : 27 + header[26]])
        following = end
        if end < n_bytes and not _OGG_PAGE.match(_read(handle, end, 5)):
            following = _find(handle, _OGG_PAGE, position + 1)
        is_whole = end <= n_bytes and (following is None or following >= end)
        if _OGG_PAGE.match(header):
            yield position, header[5], is_whole, header[27 + header[26] :]
        if end < (next_one := n_bytes if following is None else following):
            _require_no_sound(handle, end, next_one, "page")
        position = following
