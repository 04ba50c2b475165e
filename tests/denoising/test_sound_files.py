"""Files through the denoiser: what they are, say and hold comes out again, or one line says what cannot."""

import io
import os
import struct

import numpy as np
import pytest
import soundfile

from blsh.denoising import sound_files
from blsh.denoising.denoiser import denoise
from blsh.denoising.sound_files import denoise_file
from blsh.signal.sounds import open_sound
from tests.denoising.making import RATE, small_model, sound

MODEL = small_model()


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def wav_of(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def ima_adpcm(rng: np.random.Generator, block: int, n_blocks: int) -> bytes:
    """A file of blocks that are as long as ffmpeg makes them, which libsndfile does not."""
    samples = 2 * (block - 4) + 1
    form = struct.pack("<HHIIHHHH", 17, 1, RATE, RATE * block // samples, block, 4, 2, samples)
    codes = rng.integers(0, 256, (n_blocks, block), dtype=np.uint8)
    codes[:, :4] = [0, 1, 40, 0]  # a sample of 256, the step's index
    return wav_of(
        chunk(b"fmt ", form), chunk(b"fact", struct.pack("<I", samples * n_blocks)), chunk(b"data", bytes(codes))
    )


def ms_adpcm(rng: np.random.Generator, block: int, n_blocks: int) -> bytes:
    samples = 2 * (block - 7) + 2
    pairs = struct.pack("<14h", 256, 0, 512, -256, 0, 0, 192, 64, 240, 0, 460, -208, 392, -232)
    form = struct.pack("<HHIIHHHHH", 2, 1, RATE, RATE * block // samples, block, 4, 32, samples, 7) + pairs
    codes = rng.integers(0, 256, (n_blocks, block), dtype=np.uint8)
    codes[:, :7] = [0, 16, 0, 1, 0, 1, 0]  # the first pair, a step of 16, two samples of 1
    return wav_of(
        chunk(b"fmt ", form), chunk(b"fact", struct.pack("<I", samples * n_blocks)), chunk(b"data", bytes(codes))
    )


@pytest.mark.parametrize("make", [ima_adpcm, ms_adpcm])
def test_adpcm_of_other_blocks_than_are_written(tmp_path, rng, make):
    (tmp_path / "x.wav").write_bytes(make(rng, 2048, 2))
    samples, _ = soundfile.read(tmp_path / "x.wav", dtype="float32")
    denoise_file(tmp_path / "x.wav", tmp_path / "y.wav", MODEL)
    with soundfile.SoundFile(tmp_path / "y.wav") as file:
        cleaned = file.read(dtype="float32")
        assert (file.format, file.samplerate, file.channels) == ("WAV", RATE, 1)
        assert file.subtype == f"{make.__name__.split('_')[0].upper()}_ADPCM"
    expected = denoise(samples, MODEL)
    error = cleaned[: len(samples)] - expected
    assert error.std() < 0.3 * expected.std()  # noise of full scale is hard on ADPCM
    rest = cleaned[len(samples) :]
    assert len(rest) < 2041 and np.abs(rest[100:]).max() < 1e-3  # silence, once the coder has come down to it


@pytest.mark.parametrize(
    ("form", "subtype", "text"),
    [
        ("WAV", None, "Käse".encode("latin-1")),
        ("WAV", None, "Käse".encode()),
        ("WAV", None, bytes(range(128, 256))),
        ("RF64", None, "Smørrebrød ✓".encode()),
        ("FLAC", None, "Käse ✓".encode()),
        ("OGG", "VORBIS", "Käse ✓".encode()),
        ("OGG", "OPUS", "Käse ✓".encode()),
    ],
)
def test_tags_keep_their_bytes(tmp_path, form, subtype, text):
    placeholder = "x" * len(text)
    with soundfile.SoundFile(tmp_path / "x", "w", RATE, 1, subtype, format=form) as file:
        if form in ("WAV", "RF64"):
            file.title, file.artist = placeholder, placeholder
        else:
            file.title, file.artist = text.decode(), text.decode()
        file.write(sound(5000))
    content = (tmp_path / "x").read_bytes()
    (tmp_path / "x").write_bytes(content.replace(placeholder.encode(), text))
    denoise_file(tmp_path / "x", tmp_path / "y", MODEL)
    with open_sound(tmp_path / "y") as cleaned:
        assert cleaned.tags == {"title": text, "artist": text}
    assert text in (tmp_path / "y").read_bytes()


@pytest.mark.parametrize("where", [36, None])
def test_tags_of_a_list_before_or_after_the_sound(tmp_path, where):
    buffer = io.BytesIO()
    soundfile.write(buffer, sound(5000), RATE, format="WAV", subtype="PCM_16")
    content, text = buffer.getvalue(), "Grüße".encode("latin-1")
    info = chunk(b"LIST", b"INFO" + chunk(b"INAM", text + b"\0") + chunk(b"ICMT", text + b"\0"))
    at = where or len(content)
    content = content[:at] + info + content[at:]
    (tmp_path / "x").write_bytes(content[:4] + struct.pack("<I", len(content) - 8) + content[8:])
    denoise_file(tmp_path / "x", tmp_path / "y", MODEL)
    with open_sound(tmp_path / "y") as cleaned:
        assert cleaned.tags == {"title": text, "comment": text}


def test_latin_1_in_flac_becomes_the_utf_8_that_flac_demands(tmp_path):
    with soundfile.SoundFile(tmp_path / "x", "w", RATE, 1, format="FLAC") as file:
        file.title = "Grxxe"
        file.write(sound(5000))
    content = (tmp_path / "x").read_bytes()
    (tmp_path / "x").write_bytes(content.replace(b"Grxxe", "Grüße".encode("latin-1")))
    denoise_file(tmp_path / "x", tmp_path / "y", MODEL)
    with open_sound(tmp_path / "y") as cleaned:
        assert cleaned.tags == {"title": "Grüße".encode()}


def test_a_chain_of_ogg_streams_becomes_one_stream(tmp_path):
    samples = [sound(9000, 1), sound(12_000, 2)]
    for k, part in enumerate(samples):
        soundfile.write(tmp_path / f"{k}.ogg", part, RATE)
    (tmp_path / "x.ogg").write_bytes(b"".join((tmp_path / f"{k}.ogg").read_bytes() for k in range(2)))
    denoise_file(tmp_path / "x.ogg", tmp_path / "y.ogg", MODEL)
    whole = np.concatenate([soundfile.read(tmp_path / f"{k}.ogg", dtype="float32")[0] for k in range(2)])
    cleaned, _ = soundfile.read(tmp_path / "y.ogg", dtype="float32")
    assert cleaned.shape == whole.shape
    assert np.corrcoef(cleaned, denoise(whole, MODEL))[0, 1] > 0.9  # lossy


def test_channels_have_the_same_limit_as_in_a_stream(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "x.wav", np.tile(sound(600)[:, None], 65), RATE)
    monkeypatch.setattr(sound_files, "read_blocks", None)  # before any work
    with pytest.raises(ValueError, match=r"x\.wav: channels=65 must lie in 1…64"):
        denoise_file(tmp_path / "x.wav", tmp_path / "y.wav", MODEL)


@pytest.mark.parametrize(
    ("subtype", "container", "channels", "rate"), [("IMA_ADPCM", "WAV", 3, 8000), ("OPUS", "OGG", 1, 44_100)]
)
def test_a_form_that_cannot_be_written_is_told_before_any_work(
    subtype, container, channels, rate, tmp_path, monkeypatch
):
    """No program here can make such a file, so the header says it of another one."""
    soundfile.write(tmp_path / "x", sound(5000), RATE, format="WAV")
    form = {"samplerate": rate, "channels": channels, "format": container, "subtype": subtype, "endian": "FILE"}

    def take(self):
        self.form = form

    monkeypatch.setattr("blsh.signal.sounds.Sound._require_readable", take)
    monkeypatch.setattr(sound_files, "read_blocks", None)
    told = f"x: {container} {subtype} of {channels} channels at {rate} Hz is read, but cannot be written .*: convert it"
    with pytest.raises(ValueError, match=told):
        denoise_file(tmp_path / "x", tmp_path / "y", MODEL)
    assert os.listdir(tmp_path) == ["x"]


def test_what_is_not_the_disks_fault_is_not_called_that(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "x.wav", sound(5000), RATE)

    def fail(self, samples):
        raise soundfile.LibsndfileError(7, "")

    monkeypatch.setattr(soundfile.SoundFile, "write", fail)
    with pytest.raises(OSError, match=r"y\.wav cannot be written \(.*\): convert the input to 16-bit WAV") as caught:
        denoise_file(tmp_path / "x.wav", tmp_path / "y.wav", MODEL)
    assert "room" not in str(caught.value)
    assert os.listdir(tmp_path) == ["x.wav"]


@pytest.mark.parametrize("strength", [0, 1])
@pytest.mark.parametrize("how", ["replaced", "written to"])
def test_an_input_that_changes_between_its_readings(tmp_path, monkeypatch, strength, how):
    path, other = tmp_path / "x.wav", tmp_path / "other.wav"
    soundfile.write(path, sound(5000), RATE)
    soundfile.write(other, sound(9000), 8000)
    read = sound_files.read_blocks

    def change_and_read(source):
        yield from read(source)
        if other.exists():
            if how == "written to":
                path.write_bytes(other.read_bytes())
                other.unlink()
            else:
                other.replace(path)

    monkeypatch.setattr(sound_files, "read_blocks", change_and_read)
    with pytest.raises(ValueError, match=r"^\S*x\.wav changed while it was read: run again when it is whole$"):
        denoise_file(path, tmp_path / "y.wav", MODEL, strength=strength)
    assert os.listdir(tmp_path) == ["x.wav"]
