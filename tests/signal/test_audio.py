import io
import os
import struct
import tracemalloc

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blsh.signal import SAMPLE_RATE, AudioInfo, _containers, audio, probe, read_audio, write_wav

# One step of a 16-bit file.
STEP_PCM16 = 1 / 32768

CONTAINERS = {
    "wav": ("WAV", "PCM_16"),
    "wavex": ("WAVEX", "PCM_16"),
    "rf64": ("RF64", "PCM_16"),
    "sphere": ("NIST", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "vorbis": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
}


@pytest.fixture
def waveform(rng) -> np.ndarray:
    return (0.1 * rng.standard_normal(24_000)).astype(np.float32)


def write(path, samples, rate=SAMPLE_RATE, *, container="wav", subtype=None):
    name, usual = CONTAINERS[container]
    soundfile.write(path, samples, rate, format=name, subtype=subtype or usual)


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_is_read_whatever_its_name(tmp_path, waveform, container):
    path = tmp_path / "sound.raw"
    write(path, waveform, container=container)
    assert probe(path) == AudioInfo(SAMPLE_RATE, 1, waveform.size)
    samples = read_audio(path)
    assert samples.dtype == np.float32 and samples.shape == waveform.shape
    if container not in ("vorbis", "opus"):  # lossy
        np.testing.assert_allclose(samples, waveform, rtol=0, atol=STEP_PCM16)


@pytest.mark.parametrize("rate", [8000, 11_025, 22_050, 44_100, 48_000, 192_000])
def test_other_rates_are_resampled(tmp_path, waveform, rate):
    write(tmp_path / "x.wav", waveform, rate, subtype="FLOAT")
    samples = read_audio(tmp_path / "x.wav")
    assert samples.dtype == np.float32
    assert abs(samples.size - waveform.size * SAMPLE_RATE / rate) <= 1
    np.testing.assert_array_equal(samples, soxr.resample(waveform, rate, SAMPLE_RATE, quality="HQ"))


def test_a_tone_keeps_its_frequency_and_level(tmp_path):
    time = np.arange(44_100) / 44_100
    write(tmp_path / "x.wav", np.sin(2 * np.pi * 1000 * time).astype(np.float32), 44_100, subtype="FLOAT")
    expected = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000)
    np.testing.assert_allclose(read_audio(tmp_path / "x.wav")[500:-500], expected[500:-500], atol=1e-3)


def test_channels_are_averaged_block_by_block(tmp_path, rng, monkeypatch):
    channels = rng.standard_normal((10_000, 3)).astype(np.float32)
    write(tmp_path / "x.wav", channels, subtype="FLOAT")
    expected = channels.astype(np.float64).mean(axis=1).astype(np.float32)
    np.testing.assert_array_equal(read_audio(tmp_path / "x.wav"), expected)
    monkeypatch.setattr(audio, "_BLOCK_SAMPLES", 1000)
    np.testing.assert_array_equal(read_audio(tmp_path / "x.wav"), expected)
    assert probe(tmp_path / "x.wav").channels == 3


def test_nothing_is_clipped(tmp_path):
    loud = np.array([3.0, -7.5, 0.25], np.float32)
    write(tmp_path / "x.wav", loud, subtype="FLOAT")
    np.testing.assert_array_equal(read_audio(tmp_path / "x.wav"), loud)


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_region_is_that_part_of_the_whole(tmp_path, waveform, container):
    write(tmp_path / "x", waveform, container=container)
    whole = read_audio(tmp_path / "x")
    for start, n_samples in [(0, 1), (5000, 10_001), (23_999, 1), (12_345, None)]:
        region = read_audio(tmp_path / "x", start=start, n_samples=n_samples)
        expected = whole[start : None if n_samples is None else start + n_samples]
        np.testing.assert_array_equal(region, expected)


@pytest.mark.parametrize("container", ["vorbis", "opus"])
@pytest.mark.parametrize("block_samples", [1 << 18, 10_000])
def test_a_region_at_the_end_of_an_ogg_stream_is_not_shifted(tmp_path, rng, monkeypatch, container, block_samples):
    # libsndfile's own seek lands some hundred samples beside, here from sample 87,736 on.
    write(tmp_path / "x", 0.1 * rng.standard_normal(100_000), container=container)
    whole = soundfile.read(tmp_path / "x", dtype="float32")[0]
    monkeypatch.setattr(audio, "_BLOCK_SAMPLES", block_samples)
    for start in range(80_000, 100_000, 1999):
        np.testing.assert_array_equal(read_audio(tmp_path / "x", start=start), whole[start:])


def test_only_the_region_is_resampled(tmp_path, waveform):
    write(tmp_path / "x.wav", waveform, 44_100, subtype="FLOAT")
    region = read_audio(tmp_path / "x.wav", start=3000, n_samples=9000)
    np.testing.assert_array_equal(region, soxr.resample(waveform[3000:12_000], 44_100, SAMPLE_RATE, quality="HQ"))


@pytest.mark.parametrize(
    ("start", "n_samples"), [(-1, None), (24_000, None), (0, 0), (0, 24_001), (23_999, 2), (0, -5)]
)
def test_a_region_outside_is_refused(tmp_path, waveform, start, n_samples):
    write(tmp_path / "x.wav", waveform)
    with pytest.raises(ValueError, match=rf"start={start}, n_samples={n_samples} is no region of the 24000 samples"):
        read_audio(tmp_path / "x.wav", start=start, n_samples=n_samples)


def test_a_silent_file_is_read(tmp_path):
    write(tmp_path / "x.wav", np.zeros(100))
    np.testing.assert_array_equal(read_audio(tmp_path / "x.wav"), np.zeros(100))


# Files that are no good: one line that names the file and the remedy


def assert_refused(path, message):
    for read in (probe, read_audio):
        with pytest.raises(ValueError, match=message) as caught:
            read(path)
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder(tmp_path):
    for read in (probe, read_audio):
        with pytest.raises(FileNotFoundError, match=r"none\.wav"):
            read(tmp_path / "none.wav")
    assert_refused(tmp_path, "is not a regular file")


@pytest.mark.parametrize("content", [b"", b"Hello, this is text.\n" * 50, b"RIFF", b"OggS", b"fLaC", b"NIST_1A\n"])
def test_what_is_no_sound(tmp_path, content):
    (tmp_path / "x.wav").write_bytes(content)
    assert_refused(tmp_path / "x.wav", "cannot be decoded|is truncated")


def test_other_containers_are_refused(tmp_path, waveform):
    soundfile.write(tmp_path / "x.wav", waveform, SAMPLE_RATE, format="AIFF", subtype="PCM_16")
    assert_refused(tmp_path / "x.wav", r"is AIFF, not one of WAV, .*: convert it to 16-bit WAV or FLAC")


@pytest.mark.parametrize("container", ["wav", "sphere", "flac"])
def test_a_file_without_samples(tmp_path, container):
    write(tmp_path / "x", np.zeros(0), container=container)
    assert_refused(tmp_path / "x", "holds no samples|holds no word on its length|cannot be decoded")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("rate", [SAMPLE_RATE, 44_100])
def test_a_file_with_what_is_no_number(tmp_path, waveform, value, rate):
    waveform[12_345] = value
    write(tmp_path / "x.wav", waveform, rate, subtype="FLOAT")
    with pytest.raises(ValueError, match=r"x\.wav holds NaN or infinite samples: convert"):
        read_audio(tmp_path / "x.wav")


def test_infinite_channels_that_cancel_each_other(tmp_path):
    write(tmp_path / "x.wav", np.array([[0.1, 0.1], [np.inf, -np.inf]]), subtype="FLOAT")
    with pytest.raises(ValueError, match="holds NaN or infinite samples"):
        read_audio(tmp_path / "x.wav")


def test_a_sample_beyond_float32(tmp_path):
    write(tmp_path / "x.wav", np.array([0, 1e300]), subtype="DOUBLE")
    with pytest.raises(ValueError, match="holds NaN or infinite samples"):
        read_audio(tmp_path / "x.wav")


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("kept", [0.95, 0.6, 0.2])
def test_a_truncated_file(tmp_path, waveform, container, kept):
    write(tmp_path / "x", waveform, container=container)
    content = (tmp_path / "x").read_bytes()
    (tmp_path / "x").write_bytes(content[: int(kept * len(content))])
    with pytest.raises(ValueError, match="x is truncated"):
        read_audio(tmp_path / "x")


def test_a_file_that_lacks_one_byte_of_its_last_sample(tmp_path, waveform):
    for container in ("wav", "rf64", "sphere", "vorbis"):
        write(tmp_path / "x", waveform, container=container)
        (tmp_path / "x").write_bytes((tmp_path / "x").read_bytes()[:-1])
        assert_refused(tmp_path / "x", "x is truncated, its")


def flac_with_length(content: bytes, n_samples: int) -> bytes:
    # "fLaC", a block header of 4 bytes, 10 bytes of sizes, then 28 bits of format and 36 of the length.
    fields = int.from_bytes(content[18:26], "big")
    return content[:18] + ((fields >> 36 << 36) | n_samples).to_bytes(8, "big") + content[26:]


@pytest.mark.parametrize("container", ["wav", "rf64", "flac", "sphere"])
def test_a_header_that_claims_2_to_the_31_samples(tmp_path, waveform, container):
    write(tmp_path / "x", waveform, container=container)
    content = (tmp_path / "x").read_bytes()
    n_bytes = 2 * waveform.size
    content = {
        "wav": lambda: content.replace(b"data" + n_bytes.to_bytes(4, "little"), b"data\x02\0\0\x80"),
        "rf64": lambda: content.replace(n_bytes.to_bytes(8, "little"), (1 << 32).to_bytes(8, "little")),
        "flac": lambda: flac_with_length(content, 1 << 31),
        "sphere": lambda: (
            # The padding at the header's end gives way.
            content[:1024].replace(b"count -i 24000", b"count -i 2147483648")[:1024] + content[1024:]
        ),
    }[container]()
    assert content != (tmp_path / "x").read_bytes()
    (tmp_path / "x").write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="x is truncated"):
            read_audio(tmp_path / "x")
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


# Programs that write into a pipe cannot know the length when they write the header


def encoded(samples, *, container="wav", subtype=None, **form) -> bytes:
    name, usual = CONTAINERS[container]
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, SAMPLE_RATE, format=name, subtype=subtype or usual, **form)
    return buffer.getvalue()


def chunk(name: bytes, body: bytes, order: str = "<") -> bytes:
    return name + struct.pack(f"{order}I", len(body)) + body + bytes(len(body) % 2)


def without_length(content: bytes, placeholder: int, riff: int, order: str = "<") -> bytes:
    """Put placeholders into the header of a WAV file whose `data` chunk is its last one."""
    at = content.index(b"data") + 4
    data = struct.pack(f"{order}I", placeholder)
    return content[:4] + struct.pack(f"{order}I", riff) + content[8:at] + data + content[at + 4 :]


# What ffmpeg, arecord, sox (a multiple of the block), opusdec, oggdec, others and a recorder that was killed write.
PLACEHOLDERS = {
    "ffmpeg": (0xFFFFFFFF, 0xFFFFFFFF),
    "arecord": (0x80000000, 0x80000024),
    "sox": (0x7FFFF000, 0x7FFFF024),
    "opusdec": (0x7FFFFFFF, 0x7FFFFFFF),
    "oggdec": (0x7FFFFFD3, 0x7FFFFFF7),
    "file of 32 bits": (0xFFFFFFD3, 0xFFFFFFFF),
    "RIFF of 32 bits": (0xFFFFFFDB, 0xFFFFFFFF),
    "round": (0x7FFFFF00, 0x7FFFFF24),
    "zero": (0, 0),
    "killed": (0, 36),
}


def assert_is_read(path, expected):
    assert probe(path) == AudioInfo(SAMPLE_RATE, 1, len(expected))
    np.testing.assert_array_equal(read_audio(path), expected)
    np.testing.assert_array_equal(read_audio(path, start=23_000), expected[23_000:])
    np.testing.assert_array_equal(read_audio(path, start=100, n_samples=200), expected[100:300])


@pytest.mark.parametrize("program", PLACEHOLDERS)
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_wav_file_from_a_pipe(tmp_path, waveform, program, order):
    content = encoded(waveform, endian="LITTLE" if order == "<" else "BIG")
    expected = soundfile.read(io.BytesIO(content), dtype="float32")[0]
    content = content[:36] + chunk(b"LIST", b"INFOISFT\x04\0\0\0Lavf", order) + content[36:]
    (tmp_path / "x").write_bytes(without_length(content, *PLACEHOLDERS[program], order))
    assert_is_read(tmp_path / "x", expected)


@pytest.mark.parametrize("program", PLACEHOLDERS)
def test_a_wav_file_from_a_pipe_that_was_cut_within_a_block(tmp_path, waveform, program):
    (tmp_path / "x").write_bytes(without_length(encoded(waveform), *PLACEHOLDERS[program])[:-1])
    assert_refused(tmp_path / "x", "x is truncated, its header leaves the length open, and 47999 bytes .* blocks of 2")


def test_blocks_of_three_bytes_from_a_pipe(tmp_path, waveform):
    samples = np.stack([waveform] * 3, axis=1).ravel()[:23_999]
    content = encoded(samples, subtype="PCM_24")
    expected = soundfile.read(io.BytesIO(content), dtype="float32")[0]
    assert len(content) % 2 == 0  # with the byte after an odd number of them
    (tmp_path / "x").write_bytes(without_length(content, 0x7FFFF000 // 3 * 3, 0))
    assert_is_read(tmp_path / "x", expected)


def test_a_code_of_blocks_from_a_pipe(tmp_path, waveform):
    content = encoded(waveform, subtype="IMA_ADPCM")
    expected = soundfile.read(io.BytesIO(content), dtype="float32")[0]
    (tmp_path / "x").write_bytes(without_length(content, 0xFFFFFFFF, 0xFFFFFFFF))
    assert_is_read(tmp_path / "x", expected)


def test_rf64_from_a_pipe(tmp_path, waveform):
    content = encoded(waveform, container="rf64", subtype="FLOAT")
    at = content.index(b"ds64") + 8
    (tmp_path / "x").write_bytes(content[:at] + bytes(24) + content[at + 24 :])
    assert_is_read(tmp_path / "x", waveform)


def test_more_than_4_gib_from_a_pipe(tmp_path):
    samples = np.arange(-8000, 8000, dtype="<i2")
    n_bytes = 5 << 30
    with open(tmp_path / "x", "wb") as file:  # it takes no room: what is not written is a hole
        file.write(without_length(encoded(np.zeros(1)), 0xFFFFFFFF, 0xFFFFFFFF)[:44])
        file.seek(n_bytes - samples.nbytes, os.SEEK_CUR)
        file.write(samples.tobytes())
    assert probe(tmp_path / "x").n_samples == n_bytes // 2
    np.testing.assert_array_equal(read_audio(tmp_path / "x", start=n_bytes // 2 - 16_000) * 32768, samples)


def test_a_placeholder_less_a_header_of_another_length(tmp_path, waveform):
    content = encoded(waveform, container="wavex")
    n_before = len(content) - 2 * waveform.size
    assert n_before > 44
    expected = soundfile.read(io.BytesIO(content), dtype="float32")[0]
    for placeholder in (0x7FFFFFFF - n_before, 0xFFFFFFFF - n_before + 8):
        (tmp_path / "x").write_bytes(without_length(content, placeholder, 0xFFFFFFFF))
        assert_is_read(tmp_path / "x", expected)


@pytest.mark.parametrize("size", [0x7FFF8000, 0x7FFFFFD0, 0x80000002, 0xFFFF8000, 0xFFFFFF00])
def test_a_part_of_a_recording_of_2_or_4_gib(tmp_path, waveform, size):
    """Recorders begin a new file near these sizes, so most of them are no placeholders."""
    (tmp_path / "x").write_bytes(without_length(encoded(waveform), size, size + 36 & 0xFFFFFFFF))
    assert_refused(tmp_path / "x", f"x is truncated, its header promises {size + 44} bytes, the file has 48044")


def test_a_wav_file_from_a_pipe_without_samples(tmp_path, waveform):
    for program in PLACEHOLDERS.values():
        (tmp_path / "x").write_bytes(without_length(encoded(waveform), *program)[:44])
        assert_refused(tmp_path / "x", "x holds no samples")
    (tmp_path / "x").write_bytes(encoded(waveform)[:44])
    assert_refused(tmp_path / "x", "x is truncated, its header promises 48044 bytes, the file has 44")
    # No placeholder: an empty recording that something is said of.
    content = encoded(np.zeros(0)) + chunk(b"LIST", b"INFOINAM\x04\0\0\0none")
    (tmp_path / "x").write_bytes(content[:4] + struct.pack("<I", len(content) - 8) + content[8:])
    assert_refused(tmp_path / "x", "x holds no samples")


def test_a_flac_stream_of_unknown_length(tmp_path, waveform):
    content = encoded(waveform, container="flac")
    expected = soundfile.read(io.BytesIO(content), dtype="float32")[0]
    content = flac_with_length(content, 0)
    (tmp_path / "x").write_bytes(content)
    assert_is_read(tmp_path / "x", expected)
    (tmp_path / "x").write_bytes(content[:-3000])
    assert_refused(tmp_path / "x", "x is truncated or damaged")


# Files that hold more than one header says: all of it is read, or nothing


@pytest.mark.parametrize("container", ["vorbis", "opus"])
def test_a_chain_of_ogg_streams_is_one_recording(tmp_path, waveform, container):
    links = [encoded(samples, container=container) for samples in (waveform, waveform[:9000] / 2, waveform[::-1])]
    parts = [soundfile.read(io.BytesIO(link), dtype="float32")[0] for link in links]
    (tmp_path / "x").write_bytes(b"".join(links))
    whole = np.concatenate(parts)
    assert len(whole) == probe(tmp_path / "x").n_samples == 57_000
    np.testing.assert_array_equal(np.concatenate(list(audio.read_blocks(tmp_path / "x")))[:, 0], whole)
    for region in (slice(0, 24_000), slice(23_000, 25_000), slice(20_000, 40_000), slice(33_000, 57_000)):
        read = read_audio(tmp_path / "x", start=region.start, n_samples=region.stop - region.start)
        np.testing.assert_array_equal(read, whole[region])
    (tmp_path / "x").write_bytes(b"".join([links[0], links[1][:-500], links[2]]))
    assert_refused(tmp_path / "x", "x is truncated, its last page does not end the stream")


def test_a_chain_of_different_streams(tmp_path, waveform):
    links = [encoded(waveform, container="vorbis"), encoded(np.stack([waveform] * 2, axis=1), container="vorbis")]
    (tmp_path / "x").write_bytes(b"".join(links))
    assert_refused(
        tmp_path / "x", "VORBIS of 1 channels at 16000 Hz and VORBIS of 2 channels at 16000 Hz: make a file of each"
    )


def test_ogg_streams_beside_each_other(tmp_path, waveform):
    """As of a video with two languages: all first pages come first."""
    first, second = (encoded(samples, container="opus") for samples in (waveform, waveform[::-1]))
    head = first.index(b"OggS", 4)
    (tmp_path / "x").write_bytes(first[:head] + second + first[head:])
    assert_refused(tmp_path / "x", "x holds several streams of sound beside each other: take out one")


def two_in_one(waveform) -> dict[str, tuple[bytes, str]]:
    wav, flac = (encoded(waveform, container=container) for container in ("wav", "flac"))
    data = chunk(b"data", wav[44:])
    return {
        "wav twice": (wav + wav, "holds a second recording, from byte 48044 on"),
        "wav and rf64": (wav + encoded(waveform, container="rf64"), "holds a second recording"),
        "data twice": (wav + data, "holds a second data chunk, from byte 48044 on"),
        "data later": (wav + chunk(b"LIST", b"INFO") + data, "holds a second data chunk, from byte 48056 on"),
        "rifx": (encoded(waveform, endian="BIG") + chunk(b"data", wav[44:], ">"), "holds a second data chunk"),
        "sound like a chunk": (
            wav + b"ab12\xff\xff\xff\x7f" + wav[44:],
            "48008 bytes after its sound that are no chunk",
        ),
        "chunks, sound like a chunk": (
            wav + chunk(b"LIST", b"INFO") + b"ab12" + struct.pack("<I", 2 * 24_000 + 1) + wav[44:],
            "48008 bytes after its sound",
        ),
        "wav twice, second cut": (wav + wav[:1000], "holds a second recording, from byte 48044 on"),
        "data twice, second cut": (wav + data[:1000], "holds a second data chunk, from byte 48044 on"),
        "a large chunk that was cut": (
            wav + chunk(b"bext", bytes(range(256)) * 40)[:-500],
            "9748 bytes after its sound",
        ),
        "data too short": (wav[:40] + struct.pack("<I", 24_000) + wav[44:], "24000 bytes after its sound"),
        "flac twice": (flac + flac, "holds a second recording"),
        "flac of unknown length twice": (flac_with_length(flac, 0) + flac, "holds a second recording"),
        "flac too short": (flac_with_length(flac, 12_000), "holds more than the 12000 samples of its header"),
        "behind a tag": (b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + wav + wav, "from byte 48064 on"),
    }


@pytest.mark.parametrize("first", ["wav", "flac", "vorbis", "sphere"])
@pytest.mark.parametrize("second", ["wav", "flac", "vorbis", "sphere"])
def test_two_files_of_any_containers_in_one(tmp_path, waveform, first, second):
    both = [encoded(waveform, container=container) for container in (first, second)]
    path = tmp_path / "both.bin"
    path.write_bytes(b"".join(both))
    if first == second == "vorbis":
        assert probe(path).n_samples == len(read_audio(path)) == 2 * len(waveform)
        return
    with pytest.raises(ValueError, match=f"holds a second recording, from byte {len(both[0])} on, which would be lost"):
        probe(path)


def test_what_follows_an_ogg_stream_and_is_none_may_be_sound(tmp_path, waveform, rng):
    path = tmp_path / "more.ogg"
    whole = encoded(waveform, container="vorbis")
    for more in (rng.bytes(3000), bytes(9000), b"TAG" + bytes(125)):
        path.write_bytes(whole + more)
        assert probe(path).n_samples == len(read_audio(path)) == len(waveform)
    path.write_bytes(whole + rng.bytes(9000))
    with pytest.raises(ValueError, match="holds 9000 bytes after its sound that are no page, and would be lost"):
        probe(path)


@pytest.mark.parametrize("kind", two_in_one(np.zeros(1)))
def test_two_recordings_in_one_file(tmp_path, waveform, kind):
    content, message = two_in_one(waveform)[kind]
    (tmp_path / "x").write_bytes(content)
    assert_refused(tmp_path / "x", message)


def test_a_second_recording_is_found_wherever_it_begins(tmp_path, rng, monkeypatch):
    flac = encoded(0.1 * rng.standard_normal(3000), container="flac")
    for block in (64, 100, len(flac) - 1, len(flac), len(flac) + 3):
        monkeypatch.setattr(_containers, "_SEARCHED", (block, block))
        (tmp_path / "x").write_bytes(flac + flac)
        assert_refused(tmp_path / "x", f"holds a second recording, from byte {len(flac)} on")


def harmless(waveform, rng) -> dict[str, tuple[str, bytes, bytes]]:
    """Container, and what stands before and behind."""
    id3 = b"ID3\x04\0\0\0\0\x01\x00" + bytes(128)
    return {
        "chunks": ("wav", b"", chunk(b"LIST", b"INFOINAM\x05\0\0\0title\0") + chunk(b"id3 ", rng.bytes(9001))),
        "a short chunk that was cut": ("wav", b"", chunk(b"bext", rng.bytes(4001))[:-500]),
        "a chunk without its last byte": ("wav", b"", chunk(b"bext", rng.bytes(9001))[:-1]),
        "zeros": ("wav", b"", bytes(100_000)),
        "the rest of a block": ("wav", b"", rng.bytes(4096)),
        "a tag of a player": ("wav", b"", b"TAG" + bytes(125)),
        "a large tag": ("wav", b"", b"APETAGEX" + rng.bytes(100_000)),
        "a tag before RF64": ("rf64", id3, b""),
        "tags before WAV": ("wav", id3 + id3, b""),
        "a tag before FLAC": ("flac", id3, b""),
        "a tag behind FLAC": ("flac", b"", b"TAG" + bytes(125)),
        "a tag behind Ogg": ("vorbis", b"", b"TAG" + rng.bytes(100_000)),
    }


@pytest.mark.parametrize("kind", harmless(np.zeros(1), np.random.default_rng(0)))
def test_what_is_no_sound_is_not_read_as_sound(tmp_path, waveform, rng, kind):
    container, before, behind = harmless(waveform, rng)[kind]
    content = encoded(waveform, container=container)
    expected = soundfile.read(io.BytesIO(content), dtype="float32")[0]
    (tmp_path / "x").write_bytes(before + content + behind)
    assert_is_read(tmp_path / "x", expected)


def test_a_chunk_after_an_odd_number_of_bytes(tmp_path, waveform):
    padded = encoded(waveform[:23_999], subtype="PCM_U8")
    for content in (padded, padded[:-1]):  # some programs leave out the byte that makes the number even
        (tmp_path / "x").write_bytes(content + chunk(b"LIST", b"INFO" + bytes(9000)))
        assert probe(tmp_path / "x").n_samples == 23_999
        (tmp_path / "x").write_bytes(content + chunk(b"LIST", b"INFO") + chunk(b"data", bytes(10)))
        assert_refused(tmp_path / "x", "holds a second data chunk")


def test_a_sphere_file_is_read_to_its_end(tmp_path, waveform):
    """As by ffmpeg, whatever its header counts."""
    content = encoded(waveform, container="sphere").replace(b"count -i 24000", b"count -i 12000")
    (tmp_path / "x").write_bytes(content)
    assert probe(tmp_path / "x").n_samples == 24_000


def test_a_truncated_file_behind_a_tag_or_of_the_other_byte_order(tmp_path, waveform):
    id3 = b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)
    for content in (
        id3 + encoded(waveform),
        id3 + encoded(waveform, container="sphere"),
        encoded(waveform, endian="BIG"),
    ):
        (tmp_path / "x").write_bytes(content[:-10_000])
        assert_refused(tmp_path / "x", "x is truncated, its header promises")


def test_mpeg_in_a_wav_file(tmp_path):
    """libsndfile decodes less of it than it promises, so it could only be called truncated."""
    form = struct.pack("<HHIIHHHHIHHH", 0x55, 1, 16_000, 4000, 1, 0, 12, 1, 2, 144, 1, 1393)
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros(16_000), 16_000, format="MP3", subtype="MPEG_LAYER_III")
    body = chunk(b"fmt ", form) + chunk(b"fact", bytes(4)) + chunk(b"data", buffer.getvalue())
    (tmp_path / "x").write_bytes(b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body)
    assert_refused(tmp_path / "x", "x is WAV that holds MPEG_LAYER_III: convert it to 16-bit WAV or FLAC")


def test_a_file_that_decodes_to_more_than_memory_should_hold(tmp_path, waveform, monkeypatch):
    monkeypatch.setattr(audio, "MAX_SAMPLES", 20_000)
    monkeypatch.setattr(audio, "_BLOCK_SAMPLES", 5000)
    write(tmp_path / "x.flac", waveform, container="flac")
    with pytest.raises(ValueError, match=r"x\.flac is longer than 20000 samples: cut it, or read it region by region"):
        read_audio(tmp_path / "x.flac")
    assert read_audio(tmp_path / "x.flac", n_samples=20_000).size == 20_000
    write(tmp_path / "x.flac", waveform[:12_000], 8000, container="flac")
    with pytest.raises(ValueError, match="is longer than 20000 samples"):
        read_audio(tmp_path / "x.flac")


@pytest.mark.parametrize("rate", [1, 999, 1_000_001])
def test_a_rate_that_is_none(tmp_path, waveform, rate):
    write(tmp_path / "x.wav", waveform, rate)
    assert_refused(tmp_path / "x.wav", rf"sample_rate={rate} Hz of .* lies outside")


def test_a_region_too_short_to_resample(tmp_path, waveform):
    write(tmp_path / "x.wav", waveform, 192_000)
    with pytest.raises(ValueError, match=r"1 samples at 192000 Hz give none at 16000 Hz .*: take a longer region"):
        read_audio(tmp_path / "x.wav", n_samples=1)


@pytest.mark.parametrize("container", CONTAINERS)
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_mutated_file_is_read_or_refused(tmp_path, waveform, container, data):
    path = tmp_path / "x"
    write(path, waveform, container=container)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, min(300, len(content) - 1)))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
    try:
        samples = read_audio(path)
    except ValueError as error:
        assert str(path) in str(error) and "\n" not in str(error)
    else:
        assert samples.size and np.isfinite(samples).all()


# Writing


def test_a_written_file_is_16_bit_pcm_and_comes_back(tmp_path, waveform):
    write_wav(tmp_path / "x.wav", waveform)
    info = soundfile.info(tmp_path / "x.wav")
    assert (info.format, info.subtype, info.samplerate, info.channels) == ("WAV", "PCM_16", SAMPLE_RATE, 1)
    np.testing.assert_allclose(read_audio(tmp_path / "x.wav"), waveform, rtol=0, atol=STEP_PCM16 / 2)


def test_every_16_bit_value_survives_reading_and_writing(tmp_path):
    values = np.arange(-32768, 32768, dtype=np.int16)
    soundfile.write(tmp_path / "a.wav", values, 22_050, subtype="PCM_16")
    samples, rate = soundfile.read(tmp_path / "a.wav", dtype="float32")
    write_wav(tmp_path / "b.wav", samples, rate)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_full_scale_can_be_written(tmp_path):
    write_wav(tmp_path / "x.wav", np.array([1.0, -1.0, 0.0]))
    np.testing.assert_array_equal(read_audio(tmp_path / "x.wav"), np.float32([32767 / 32768, -1, 0]))


@pytest.mark.parametrize("peak", [1.0001, -3.0, np.nan, np.inf])
def test_what_would_clip_is_refused(tmp_path, peak):
    with pytest.raises(ValueError, match=rf"peak={abs(peak):.6g} exceeds 1, .*x\.wav can hold: divide the waveform"):
        write_wav(tmp_path / "x.wav", np.array([0, peak, 0.5]))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros((2, 3)), np.array(0.5)])
def test_only_a_waveform_is_written(tmp_path, samples):
    with pytest.raises(ValueError, match=r"samples\.shape=\(.*\) must be \(samples,\)"):
        write_wav(tmp_path / "x.wav", samples)


# Real recordings


def assert_end_is_whole(path, info):
    blocks = np.concatenate(list(audio.read_blocks(path)))
    assert len(blocks) == info.n_samples
    start = info.n_samples - info.n_samples // 20
    expected = blocks[start:].astype(np.float64).mean(axis=1).astype(np.float32)
    if info.sample_rate != SAMPLE_RATE:
        expected = soxr.resample(expected, info.sample_rate, SAMPLE_RATE, quality="HQ")
    np.testing.assert_array_equal(read_audio(path, start=start), expected)


def test_real_recordings_are_whole(corpora_folder):
    paths = sorted(path for suffix in ("flac", "ogg", "wav") for path in corpora_folder.rglob(f"*.{suffix}"))
    assert paths, "no recordings in BLSH_TEST_CORPORA"
    for path in paths[::10]:
        info = probe(path)
        samples = read_audio(path)
        assert_end_is_whole(path, info)
        assert abs(samples.size - info.n_samples * SAMPLE_RATE / info.sample_rate) <= 1
        assert 0 < np.abs(samples).max() < 1.5
