import os
import tracemalloc

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blsh.signal import SAMPLE_RATE, AudioInfo, audio, probe, read_audio, write_wav

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
        "wav": lambda: content.replace(b"data" + n_bytes.to_bytes(4, "little"), b"data\xff\xff\xff\xff"),
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


def test_a_flac_stream_of_unknown_length(tmp_path, waveform):
    write(tmp_path / "x", waveform, container="flac")
    (tmp_path / "x").write_bytes(flac_with_length((tmp_path / "x").read_bytes(), 0))
    assert_refused(tmp_path / "x", "holds no word on its length")


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
@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
