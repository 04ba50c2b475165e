"""What every reader does with one file, through the reader of plain folders."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
import soxr
from hypothesis import given
from hypothesis import strategies as st

from blsh.corpora import folder
from blsh.corpora.manifest import Skipped, read_manifest, write_manifest
from blsh.corpora.scanning import DIGITAL_SILENCE
from blsh.files import sha256_of_file
from tests.corpora.making import make_bad_files, noise, write


def test_one_bad_file_does_not_sink_a_corpus(tmp_path):
    reasons = make_bad_files(tmp_path / "anna")
    write(tmp_path / "anna" / "good.wav", noise(1.0))
    found = folder.read(tmp_path, corpus="mine", levels=["speaker"])
    assert [r.path for r in found.recordings] == ["anna/good.wav"]
    assert {s.path for s in found.skipped} == {f"anna/{name}" for name in reasons}
    for skipped in found.skipped:
        assert re.search(reasons[skipped.path.removeprefix("anna/")], skipped.reason), skipped
        assert "\n" not in skipped.reason and str(tmp_path) not in skipped.reason


def test_the_manifest_has_the_lengths_of_what_is_in_the_files(tmp_path):
    """Of a chain of Ogg streams, and of sound from a pipe, whose header does not say it."""
    anna = tmp_path / "anna"
    for name, seconds in (("a.ogg", 1.0), ("b.ogg", 0.5), ("c.wav", 1.0), ("d.wav", 0.7)):
        write(anna / name, noise(seconds))
    (anna / "chain.ogg").write_bytes((anna / "a.ogg").read_bytes() + (anna / "b.ogg").read_bytes())
    (anna / "twice.wav").write_bytes((anna / "c.wav").read_bytes() * 2)
    data = bytearray((anna / "d.wav").read_bytes())
    data[4:8] = data[40:44] = bytes(4)
    (anna / "d.wav").write_bytes(data)
    found = folder.read(tmp_path, corpus="mine", levels=["speaker"])
    lengths = {recording.path: recording.n_samples for recording in found.recordings}
    assert lengths == {
        "anna/a.ogg": 16_000,
        "anna/b.ogg": 8_000,
        "anna/c.wav": 16_000,
        "anna/chain.ogg": 24_000,
        "anna/d.wav": 11_200,
    }
    assert [(skipped.path, "second recording" in skipped.reason) for skipped in found.skipped] == [
        ("anna/twice.wav", True)
    ]


def test_reasons_do_not_name_the_machines_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a" / "anna" / "good.wav", noise(0.5))
    (tmp_path / "a" / "anna" / "bad.wav").write_text("x")
    (skipped,) = folder.read(Path("a"), corpus="mine", levels=["speaker"]).skipped
    assert skipped.reason.startswith("anna/bad.wav ")


def test_the_table_of_skipped_files_survives_writing(tmp_path):
    make_bad_files(tmp_path / "corpus" / "anna")
    write(tmp_path / "corpus" / "anna" / "good.wav", noise(1.0))
    found = folder.read(tmp_path / "corpus", corpus="mine", levels=["speaker"])
    write_manifest(tmp_path / "mine.csv", found)
    assert read_manifest(tmp_path / "mine.csv") == found


def test_nothing_usable_is_an_error_with_the_first_reason(tmp_path):
    make_bad_files(tmp_path / "anna")
    with pytest.raises(ValueError, match=r"'mine' has no usable recording in .*: 11 files cannot be used, first anna/"):
        folder.read(tmp_path, corpus="mine", levels=["speaker"])


def test_missing_and_empty_folders_are_errors(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere does not exist: name the folder"):
        folder.read(tmp_path / "nowhere", corpus="mine", levels=["speaker"])
    with pytest.raises(FileNotFoundError, match=r"is empty: put the recordings there"):
        folder.read(tmp_path, corpus="mine", levels=["speaker"])
    (tmp_path / "README").write_text("nothing to hear\n")
    with pytest.raises(ValueError, match=r"has no usable recording in .*: no file of its layout was found"):
        folder.read(tmp_path, corpus="mine", levels=["speaker"])


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
def test_rate_and_channels_are_recorded(tmp_path, rate, channels):
    samples = np.repeat(noise(0.5, rate=rate)[:, None], channels, axis=1)
    path = write(tmp_path / "anna" / "x.wav", samples, rate)
    (found,) = folder.read(tmp_path, corpus="mine", levels=["speaker"]).recordings
    assert (found.sample_rate, found.channels, found.start, found.n_samples) == (rate, channels, 0, rate // 2)
    assert found.seconds == 0.5
    assert found.sha256 == sha256_of_file(path)
    assert found.n_samples_16k == 8000


def test_channels_that_cancel_each_other_are_silent(tmp_path):
    x = noise(0.5)
    write(tmp_path / "anna" / "good.wav", x)
    write(tmp_path / "anna" / "cancel.wav", np.stack([x, -x], axis=1))
    found = folder.read(tmp_path, corpus="mine", levels=["speaker"])
    assert found.skipped[0].path == "anna/cancel.wav" and found.skipped[0].reason.startswith("silent")


def padded(level: float) -> np.ndarray:
    """0.25 s of padding, 0.5 s of sound with a silent middle, 0.5 s of padding, at 44.1 kHz."""
    rng = np.random.default_rng(1)
    sound = 0.2 * rng.standard_normal(22050).clip(-4, 4)
    sound[[0, -1]] = 0.1
    sound[8000:12000] = 0
    hiss = level * rng.uniform(-1, 1, 11025 + 22050 + 22050)
    hiss[11025:33075] += sound
    return hiss


@pytest.mark.parametrize("level", [0.0, 0.99 * DIGITAL_SILENCE])
def test_padding_of_a_noise_is_left_out_and_its_inner_silence_is_not(tmp_path, level):
    write(tmp_path / "bark" / "x.wav", padded(level), 44100, "FLOAT")
    (found,) = folder.read(tmp_path, corpus="mine", levels=["class"]).recordings
    assert (found.start, found.n_samples, found.seconds) == (11025, 22050, 0.5)


def test_speech_keeps_its_edges(tmp_path):
    write(tmp_path / "anna" / "x.wav", padded(0.0), 44100, "FLOAT")
    (found,) = folder.read(tmp_path, corpus="mine", levels=["speaker"]).recordings
    assert (found.start, found.n_samples) == (0, 55125)


def test_quiet_sound_at_the_edges_of_a_noise_stays(tmp_path):
    write(tmp_path / "bark" / "x.wav", padded(2 * DIGITAL_SILENCE), 44100, "FLOAT")
    (found,) = folder.read(tmp_path, corpus="mine", levels=["class"]).recordings
    assert found.n_samples > 55000


def test_names_that_cannot_be_written_are_skipped(tmp_path):
    write(tmp_path / "anna" / "good.wav", noise(0.5))
    try:
        os.rename(write(tmp_path / "anna" / "x.wav", noise(0.5)), os.fsencode(tmp_path / "anna") + b"/bad\xff.wav")
    except OSError:
        pytest.skip("this file system takes no names that are not text")
    found = folder.read(tmp_path, corpus="mine", levels=["speaker"])
    assert [r.path for r in found.recordings] == ["anna/good.wav"]
    assert found.skipped[0].path == "anna/bad\\udcff.wav"
    write_manifest(tmp_path / "m.csv", found)
    assert read_manifest(tmp_path / "m.csv") == found


def test_names_that_would_move_the_cursor_are_shown_written_out(tmp_path):
    write(tmp_path / "anna" / "good.wav", noise(0.5))
    write(tmp_path / "anna" / "\x1b[2J.wav", noise(0.5))
    (skipped,) = folder.read(tmp_path, corpus="mine", levels=["speaker"]).skipped
    assert skipped.path == "anna/\\x1b[2J.wav" and skipped.reason.isprintable()
    (tmp_path / "anna" / "good.wav").unlink()
    with pytest.raises(ValueError, match=r"first anna/\\x1b\[2J\.wav: path=") as caught:
        folder.read(tmp_path, corpus="mine", levels=["speaker"])
    assert str(caught.value).isprintable()


def test_a_noise_that_libsndfile_cannot_seek_in(tmp_path):
    write(tmp_path / "rain" / "x.wav", noise(0.5))
    samples = np.rint(noise(0.5, seed=1) * 32767).astype("<i2")
    head = f"NIST_1A\n   1024\nchannel_count -i 1\nsample_count -i {samples.size}\nsample_rate -i 16000\n"
    head += "sample_n_bytes -i 2\nsample_byte_format -s2 01\nsample_coding -s26 pcm,embedded-shorten-v2.00\nend_head\n"
    (tmp_path / "rain" / "y.wav").write_bytes(head.encode().ljust(1024) + samples.tobytes())
    found = folder.read(tmp_path, corpus="mine", levels=["class"])
    assert [r.path for r in found.recordings if r.path == "rain/x.wav"]
    assert all(skipped.path == "rain/y.wav" for skipped in found.skipped)


def test_of_two_files_with_one_name_the_first_counts(tmp_path):
    for suffix in ("flac", "wav"):
        write(tmp_path / "anna" / f"x.{suffix}", noise(0.5))
    found = folder.read(tmp_path, corpus="mine", levels=["speaker"])
    assert [r.path for r in found.recordings] == ["anna/x.flac"]
    assert found.skipped == (Skipped("anna/x.wav", "its name 'anna/x' is taken by anna/x.flac"),)


def test_progress_counts_every_file(tmp_path):
    for k in range(3):
        write(tmp_path / "anna" / f"{k}.wav", noise(0.2))
    (tmp_path / "anna" / "bad.wav").write_text("x")
    calls = []
    folder.read(tmp_path, corpus="mine", levels=["speaker"], progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]


@given(st.integers(8000, 96000), st.integers(100, 3000))
def test_the_resampler_gives_at_least_the_length_of_the_manifest(rate, n_samples):
    resampled = soxr.resample(np.zeros(n_samples, np.float32), rate, 16000, quality="HQ").size
    assert resampled - n_samples * 16000 // rate in (0, 1)
