"""Mutated sound files: RIFF and RF64 (WAV), FLAC, Ogg (Vorbis, Opus) and NIST SPHERE.

What a decoder checks first is made right again after a mutation, FLAC's CRC-8 and CRC-16 and Ogg's CRC-32, so that
the changed field is what it meets.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import soundfile

from blsh.corpora import folder as any_folder
from blsh.signal import audio
from blsh.signal.audio import probe, read_audio
from tests.long.fuzzing.mutating import chance, choose, damaged, garbage, other_integer, truncated
from tests.long.fuzzing.target import Target

NAME = "sound.bin"
CORPUS = "CLASS"


def targets() -> list[Target]:
    readers = ("signal/sounds.py", "signal/_containers.py", "signal/_pieces.py", "signal/_tags.py")
    code = {"signal/audio.py": frozenset({"write_wav"}), **{name: frozenset() for name in readers}}
    code["signal/_tags.py"] = frozenset({"write_tags", "_utf_8"})
    makers = {"wav": _wav, "flac": _flac, "ogg": _ogg, "sphere": _sphere}
    # What looks at one container is no part of another's target.
    own = {
        "wav": {"_wave", "_is_placeholder", "_completed", "_require_no_more", "_is_chunk"},
        "flac": {"_require_one_flac", "flac_of_unknown_length"},
        "ogg": {"_ogg_links", "_ogg_pages", "_require_end"},
        "sphere": {"_sphere_end"},
    }
    found = []
    for name, make in makers.items():
        others = frozenset().union(*(functions for other, functions in own.items() if other != name))
        found.append(Target(name, _writer(make), _read, code | {"signal/_containers.py": others}))
    scanned = {"corpora/scanning.py": frozenset({"require_known"})}
    return [*found, Target("recordings", _write_corpus, _read_corpus, scanned)]


def _writer(make):
    def write(rng: np.random.Generator, folder: Path) -> str:
        if chance(rng, 0.03):
            magics = [b"RIFF\x24\0\0\0WAVEfmt ", b"RF64", b"fLaC\0\0\0\x22", b"OggS\0\x02", b"NIST_1A\n   1024\n"]
            (folder / NAME).write_bytes(garbage(rng, magics))
            return "garbage"
        if chance(rng, 0.003):
            (folder / NAME).mkdir()
            return "a folder"
        mutation, data = make(rng)
        if chance(rng, 0.1):
            mutation, data = f"{mutation} and truncation", truncated(rng, data)
        elif chance(rng, 0.05):
            mutation, data = f"{mutation} and tail", data + rng.bytes(int(rng.integers(1, 9000)))
        elif chance(rng, 0.05):
            mutation, data = f"{mutation} and another", data + make(rng)[1]
        if chance(rng, 0.03):
            tag = rng.bytes(int(rng.integers(200)))
            size = bytes([len(tag) >> 7, len(tag) & 127])
            mutation, data = f"tag and {mutation}", b"ID3\4\0\0\0\0" + size + tag + data
        (folder / NAME).write_bytes(data)
        # The region to be read is drawn here, so that it belongs to the case.
        region = [int(rng.integers(-2, 3000)), other_integer(rng, 1000, 32)] if chance(rng, 0.3) else [0, -1]
        (folder / "region").write_text(" ".join(map(str, region)))
        return mutation

    return write


def lower_limits() -> None:
    """Have files of some kB read in several blocks, and be too long: in the process of the cases, and in no test's."""
    audio.MAX_SAMPLES = 1 << 16
    audio._BLOCK_SAMPLES = 1 << 10


def _read(folder: Path) -> None:
    lower_limits()
    region = (folder / "region").read_text().split() if (folder / "region").exists() else ["0", "-1"]
    start, n_samples = int(region[0]), int(region[1])
    info = probe(folder / NAME)
    assert 0 < info.n_samples < 1 << 63 and info.channels >= 1 and 1000 <= info.sample_rate <= 1_000_000
    samples = read_audio(folder / NAME, start=start, n_samples=None if n_samples < 0 else n_samples)
    assert samples.dtype == np.float32 and samples.ndim == 1 and 0 < samples.size <= audio.MAX_SAMPLES + 1
    assert np.isfinite(samples).all()
    n_native = info.n_samples - start if n_samples < 0 else n_samples
    assert abs(samples.size - n_native * 16000 / info.sample_rate) <= 1


def _write_corpus(rng: np.random.Generator, folder: Path) -> str:
    """Three files of a noise class, mostly of one kind each; what cannot be used is skipped with a reason."""
    mutations = []
    (folder / CORPUS).mkdir()
    for k in range(3):
        mutation, data = choose(rng, [_wav, _flac, _sphere, _ogg, _padded])(rng)
        data = truncated(rng, data) if chance(rng, 0.1) else data
        name = choose(rng, [f"{k}.wav", f"{k}.flac", "same.wav", f"é{k}.ogg", f"a b{k}.sph"])
        (folder / CORPUS / name).write_bytes(data)
        mutations.append(mutation)
    return mutations[0]


def _read_corpus(folder: Path) -> None:
    lower_limits()
    manifest = any_folder.read(folder, corpus="noise", levels=["class"])
    for recording in manifest.recordings:
        assert recording.noise_class == CORPUS and recording.start + recording.n_samples <= 1 << 40
        read_audio(folder / recording.path, start=recording.start, n_samples=recording.n_samples)
    for skipped in manifest.skipped:
        assert skipped.reason and skipped.reason.isprintable() and len(skipped.reason) < 1000, skipped
        assert str(folder) not in skipped.reason, skipped


# Valid files


@cache
def _sound(container: str, subtype: str, rate: int, channels: int, n_samples: int = 1500) -> bytes:
    samples = 0.1 * np.random.default_rng(n_samples).standard_normal((n_samples, channels))
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=container, subtype=subtype)
    return buffer.getvalue()


def _padded(rng: np.random.Generator) -> tuple[str, bytes]:
    """Digital silence at the ends, of which nothing or all may be left."""
    samples = np.zeros(3000, np.float32)
    start, end = sorted(int(k) for k in rng.integers(0, 3001, 2))
    samples[start:end] = choose(rng, [0.1, 2e-5, 1e-5, 1.0]) * rng.standard_normal(end - start)
    buffer = io.BytesIO()
    rate = choose(rng, [8000, 16000, 44100])
    soundfile.write(buffer, samples, rate, format="WAV", subtype=choose(rng, ["PCM_16", "FLOAT"]))
    return "padding", buffer.getvalue()


# RIFF: "RIFF", size, "WAVE", then chunks of name, size, body


# Offset and width: format tag, channels, rate, bytes a second, bytes a frame, bits, and the extension's fields.
_FMT = [(0, 2), (2, 2), (4, 4), (8, 4), (12, 2), (14, 2), (16, 2), (18, 2), (20, 4), (24, 2)]
_FORMAT_TAGS = [1, 2, 3, 6, 7, 17, 49, 80, 85, 0xFFFE]
_PLACEHOLDERS = [0xFFFFFFFF, 0x80000000, 0x7FFFF000, 0x7FFFF000 // 3 * 3, 0]
_CHUNK_NAMES = [b"data", b"fmt ", b"fact", b"LIST", b"cue ", b"smpl", b"bext", b"ds64", b"PEAK", bytes(4)]


def _wav(rng: np.random.Generator) -> tuple[str, bytes]:
    container = choose(rng, ["WAV", "WAV", "WAVEX", "RF64"])
    subtype = choose(rng, ["PCM_16", "PCM_16", "PCM_24", "PCM_U8", "FLOAT", "DOUBLE"])
    subtype = choose(rng, [subtype, "ULAW", "IMA_ADPCM", "MS_ADPCM"]) if container == "WAV" else subtype
    channels = 1 if "ADPCM" in subtype else choose(rng, [1, 1, 2, 5])
    data = _sound(container, subtype, choose(rng, [8000, 16000, 44100]), channels)
    riff_size, chunks = struct.unpack("<I", data[4:8])[0], _chunks(data)
    sizes = {}
    kinds = ["fmt", "fmt", "size", "size", "pipe", "chunks", "samples", "ds64", "bytes", "other container"]
    kind = choose(rng, kinds)
    if kind == "other container":
        name = choose(rng, ["AIFF", "AU", "CAF", "W64", "VOC", "SVX", "MAT4", "RAW"])
        return f"wav {kind}", _sound(name, "PCM_16" if name != "RAW" else "PCM_U8", 16000, 1)
    if kind == "fmt":
        k = next(k for k, (name, _) in enumerate(chunks) if name == b"fmt ")
        offset, width = choose(rng, _FMT)
        body = chunks[k][1].ljust(offset + width, b"\0")
        value = other_integer(rng, int.from_bytes(body[offset : offset + width], "little"), 8 * width)
        if chance(rng, 0.4):
            value = choose(rng, _FORMAT_TAGS)
        chunks[k] = (b"fmt ", body[:offset] + (value % 256**width).to_bytes(width, "little") + body[offset + width :])
    elif kind == "size":
        k = int(rng.integers(-1, len(chunks)))
        if k < 0:
            riff_size = other_integer(rng, riff_size, 32)
        else:
            sizes[k] = other_integer(rng, len(chunks[k][1]), 32)
    elif kind == "pipe":
        k = next(k for k, (name, _) in enumerate(chunks) if name == b"data")
        sizes[k] = choose(rng, _PLACEHOLDERS)
        riff_size = choose(rng, [*_PLACEHOLDERS, 36, riff_size])
        chunks = chunks[: choose(rng, [k + 1, len(chunks)])]
    elif kind == "chunks":
        k = int(rng.integers(len(chunks)))
        name = choose(
            rng, [b"data", b"fmt ", b"fact", b"LIST", b"cue ", b"smpl", b"bext", b"ds64", b"PEAK", b"\0\0\0\0"]
        )
        new = (name, rng.bytes(int(rng.integers(70))))
        action = choose(rng, ["insert", "insert", "double", "drop", "swap"])
        if action == "insert":
            chunks.insert(k, new)
            if chance(rng, 0.3):
                sizes[k] = other_integer(rng, len(new[1]), 32)
        elif action == "double":
            chunks.insert(k, chunks[k])
        elif action == "drop":
            del chunks[k]
        else:
            chunks[0], chunks[k] = chunks[k], chunks[0]
    elif kind == "samples":
        k = next(k for k, (name, _) in enumerate(chunks) if name == b"data")
        chunks[k] = (b"data", damaged(rng, chunks[k][1]))
    elif kind == "ds64":
        body = struct.pack("<QQQI", *(other_integer(rng, 3000, 64) for _ in range(3)), 0)
        chunks = [(b"ds64", body[: choose(rng, [28, 28, 28, 24, 8])]), *(c for c in chunks if c[0] != b"ds64")]
        sizes[next((k for k, c in enumerate(chunks) if c[0] == b"data"), 0)] = choose(rng, [0xFFFFFFFF, 3000, 0])
        data = b"RF64" + data[4:]
    body = b"".join(
        name + struct.pack("<I", sizes.get(k, len(content))) + content + bytes(len(content) % 2)
        for k, (name, content) in enumerate(chunks)
    )
    data = data[:4] + struct.pack("<I", riff_size) + b"WAVE" + body
    return f"wav {kind}", damaged(rng, data, 0, 60) if kind == "bytes" else data


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, place = [], 12
    while place + 8 <= len(data):
        name, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        size = len(data) - place - 8 if size == 0xFFFFFFFF else size
        found.append((name, data[place + 8 : place + 8 + size]))
        place += 8 + size + size % 2
    return found


# FLAC: "fLaC", metadata blocks of (last, type, size, body), then frames with CRC-8 and CRC-16

# Bits of STREAMINFO: offset from its start, and width.
_STREAMINFO = {
    "smallest block": (0, 16),
    "largest block": (16, 16),
    "smallest frame": (32, 24),
    "largest frame": (56, 24),
    "rate": (80, 20),
    "channels": (100, 3),
    "bits": (103, 5),
    "samples": (108, 36),
    "md5": (144, 128),
}


_FLAC_KINDS = ["streaminfo", "streaminfo", "blocks", "sizes", "frame header", "frame", "frame", "frames", "bytes"]


def _flac(rng: np.random.Generator) -> tuple[str, bytes]:
    subtype, channels = choose(rng, ["PCM_16", "PCM_24", "PCM_S8"]), choose(rng, [1, 2])
    # 4096 samples are a frame.
    data = _sound("FLAC", subtype, choose(rng, [8000, 16000, 44100]), channels, choose(rng, [500, 500, 500, 9000]))
    blocks, place, is_last = [], 4, False
    while not is_last:
        is_last, size = data[place] >> 7, int.from_bytes(data[place + 1 : place + 4], "big")
        blocks.append((data[place] & 127, data[place + 4 : place + 4 + size], size))
        place += 4 + size
    frames = list(_flac_frames(data[place:]))
    kind = choose(rng, _FLAC_KINDS)
    k = int(rng.integers(len(frames)))
    if kind == "streaminfo":
        first, width = _STREAMINFO[choose(rng, list(_STREAMINFO))]
        bits = int.from_bytes(blocks[0][1], "big")
        shift = 8 * 34 - first - width
        value = other_integer(rng, bits >> shift & (1 << width) - 1, width)
        bits = bits & ~(((1 << width) - 1) << shift) | value << shift
        blocks[0] = (0, bits.to_bytes(34, "big"), 34)
    elif kind == "blocks":
        j = int(rng.integers(len(blocks) + 1))
        content = choose(rng, [rng.bytes(int(rng.integers(60))), struct.pack("<II", 4, other_integer(rng, 1, 32)), b""])
        new = (choose(rng, [0, 1, 2, 3, 4, 5, 6, 126, 127]), content, len(content))
        blocks = choose(rng, [[*blocks[:j], new, *blocks[j:]], blocks[:j], blocks[j:], blocks[::-1]])
    elif kind == "sizes":
        j = int(rng.integers(len(blocks)))
        blocks[j] = (*blocks[j][:2], other_integer(rng, blocks[j][2], 24))
    elif kind in ("frame header", "frame"):
        frame, size = frames[k]
        head, body = frame[:size], frame[size + 1 : -2]
        if kind == "frame":
            body = damaged(rng, body)
        else:
            head = damaged(rng, head, 2, len(head))
        frame = head + bytes([_crc(head, 8, 0x07)]) + body
        frames[k] = (frame + _crc(frame, 16, 0x8005).to_bytes(2, "big"), size)
    elif kind == "frames":
        j = int(rng.integers(len(frames)))
        frames = choose(rng, [[*frames, frames[k]], frames[:k], frames[k:], frames[:0], frames[j:] + frames[:j]])
    made = b"fLaC"
    for j, (number, content, size) in enumerate(blocks):
        made += bytes([number | 128 * (j == len(blocks) - 1)]) + size.to_bytes(3, "big") + content
    made += b"".join(frame for frame, _ in frames)
    return f"flac {kind}", damaged(rng, made) if kind == "bytes" else made


@cache
def _flac_frames(data: bytes) -> list[tuple[bytes, int]]:
    """Split into frames and the sizes of their headers without CRC-8, by which a header is known."""
    starts = []
    for match in re.finditer(rb"\xff[\xf8\xf9]", data):
        at = match.start()
        size = 4 + max(1, 8 - (data[at + 4] ^ 0xFF).bit_length())
        size += {6: 1, 7: 2}.get(data[at + 2] >> 4, 0) + {12: 1, 13: 2, 14: 2}.get(data[at + 2] & 15, 0)
        if at + size < len(data) and _crc(data[at : at + size], 8, 0x07) == data[at + size]:
            starts.append((at, size))
    ends = [start for start, _ in starts[1:]] + [len(data)]
    return [(data[start:end], size) for (start, size), end in zip(starts, ends, strict=True)]


def _crc(data: bytes, width: int, polynomial: int) -> int:
    table = _crc_table(width, polynomial)
    mask, value = (1 << width) - 1, 0
    for byte in data:
        value = (value << 8 & mask) ^ table[(value >> width - 8) ^ byte]
    return value


@cache
def _crc_table(width: int, polynomial: int) -> list[int]:
    mask, table = (1 << width) - 1, []
    for byte in range(256):
        value = byte << width - 8
        for _ in range(8):
            value = (value << 1 ^ polynomial if value >> width - 1 else value << 1) & mask
        table.append(value)
    return table


# Ogg: pages of "OggS", version, flags, granule, serial, sequence, CRC-32, segment table, body

# Offset and width: version, flags, granule, serial number, sequence number, length of the segment table.
_PAGE = [(4, 1), (5, 1), (6, 8), (14, 4), (18, 4), (26, 1)]
# Offset and width of the fields in the first packets of Vorbis and Opus.
_VORBIS = [(7, 4), (11, 1), (12, 4), (16, 4), (20, 4), (24, 4), (28, 1), (29, 1)]
_OPUS = [(8, 1), (9, 1), (10, 2), (12, 4), (16, 2), (18, 1)]
_OGG_KINDS = ["page", "page", "first packet", "first packet", "packets", "packets", "pages", "bytes", "chain"]
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _ogg(rng: np.random.Generator) -> tuple[str, bytes]:
    subtype = choose(rng, ["VORBIS", "OPUS"])
    rate, channels = 16000 if subtype == "OPUS" else choose(rng, [8000, 16000, 44100]), choose(rng, [1, 2])
    pages = _pages(_sound("OGG", subtype, rate, channels, choose(rng, [1500, 30000])))
    kind = choose(
        rng, ["page", "page", "first packet", "first packet", "packets", "packets", "pages", "bytes", "chain"]
    )
    k = int(rng.integers(len(pages)))
    if kind == "page":
        offset, width = choose(rng, _PAGE)
        page = pages[k]
        value = other_integer(rng, int.from_bytes(page[offset : offset + width], "little"), 8 * width)
        pages[k] = page[:offset] + value.to_bytes(width, "little") + page[offset + width :]
    elif kind == "first packet":
        page = pages[0]
        offset, width = choose(rng, _OPUS if subtype == "OPUS" else _VORBIS)
        offset += 27 + page[26]
        value = other_integer(rng, int.from_bytes(page[offset : offset + width], "little"), 8 * width)
        pages[0] = page[:offset] + value.to_bytes(width, "little") + page[offset + width :]
    elif kind == "packets":
        k = choose(rng, [k, min(1, len(pages) - 1)])
        page = pages[k]
        pages[k] = page[:27] + damaged(rng, page[27:], choose(rng, [0, page[26]]))
    elif kind == "pages":
        j = int(rng.integers(len(pages)))
        options = [[*pages[:k], pages[j], *pages[k:]], pages[:k], pages[k:], pages[: k + 1] + pages[j:], pages[::-1]]
        pages = choose(rng, options)
    elif kind == "chain":
        other = choose(rng, [("VORBIS", 48000, 2), ("OPUS", 16000, 1), ("VORBIS", 8000, 1)])
        pages = pages + _pages(_sound("OGG", *other, 1500))
    data = b"".join(_with_crc(page) for page in pages)
    return f"ogg {kind}", damaged(rng, data) if kind == "bytes" else data


def _pages(data: bytes) -> list[bytes]:
    return [b"OggS" + part for part in data.split(b"OggS")[1:]]


def _with_crc(page: bytes) -> bytes:
    """Set the CRC-32 of 0x04C11DB7 without reflection: zlib's of reversed bytes, itself reversed."""
    bare = page[:22] + bytes(4) + page[26:]
    reflected = zlib.crc32(bare.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return page[:22] + int(f"{reflected:032b}"[::-1], 2).to_bytes(4, "little") + page[26:]


# NIST SPHERE: "NIST_1A", size of the header, lines "name -type value", "end_head", padding, samples


_SPHERE_VALUES = (
    *"0 1 2 3 4 8 16 -1 2147483647 2147483648 4294967296 99999999999999999999 16000.0 01 10 1234 pcm ulaw".split(),
    *("pcm,embedded-shorten-v2.00", "", "x" * 300, "1" * 900),
)


def _sphere(rng: np.random.Generator) -> tuple[str, bytes]:
    data = _sound(
        "NIST", choose(rng, ["PCM_16", "PCM_16", "PCM_24", "ULAW"]), choose(rng, [8000, 16000]), choose(rng, [1, 2])
    )
    lines = data[:1024].split(b"end_head")[0].decode("latin-1").split("\n")[:-1]
    samples, head_size = data[1024:], 1024
    kind = choose(rng, ["value", "value", "value", "type", "lines", "head size", "samples", "bytes"])
    k = int(rng.integers(2, len(lines)))
    name, form, *value = lines[k].split(" ", 2)
    if kind == "value":
        words = "0 1 2 3 4 8 16 -1 2147483647 2147483648 4294967296 99999999999999999999 16000.0 01 10 1234 pcm"
        words = [
            *words.split(),
            "pcm,embedded-shorten-v2.00",
            "ulaw",
            "",
            "x" * 300,
            "1" * 900,
            str(rng.integers(5000)),
        ]
        lines[k] = f"{name} {form} {choose(rng, words)}"
    elif kind == "type":
        lines[k] = " ".join([name, choose(rng, ["-i", "-r", "-s3", "-s99", "-s999999", "-s-1", "-x", ""]), *value])
    elif kind == "lines":
        j = int(rng.integers(2, len(lines)))
        options = [[*lines, lines[k]], lines[:k] + lines[k + 1 :], lines[:k], [*lines, "speaker_id -s5 FCJF0"]]
        options += [[*lines[:2], lines[j], *lines[2:]], [*lines, "channel_count -i 40000"], [*lines, "x" * 2000]]
        lines = choose(rng, options)
    elif kind == "head size":
        head_size = choose(rng, [0, 7, 16, 512, 1023, 1025, 2048, 9999, 99999, 999999, -5])
        lines[1] = choose(rng, [f"{head_size:7d}", f"{head_size}", "   1024", "1e3"])
        head_size = choose(rng, [1024, 1024, max(0, min(head_size, 5000))])
    elif kind == "samples":
        samples = damaged(rng, samples)
    head = "\n".join(lines).encode("latin-1") + choose(rng, [b"\nend_head\n"] * 9 + [b""])
    data = head.ljust(head_size)[: max(head_size, len(head) if kind == "lines" else 0)] + samples
    return f"sphere {kind}", damaged(rng, data, 0, 300) if kind == "bytes" else data
