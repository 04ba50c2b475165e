import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blsh.corpora import READERS
from blsh.corpora.manifest import Manifest
from blsh.mixtures.recipes import CROSS_FADE, Piece
from blsh.mixtures.rendering import Recordings, join_pieces, render
from blsh.signal import read_audio
from tests import naive_mixtures as naive
from tests.corpora.making import noise, write
from tests.mixtures.making import InMemory, noise_of, recipe

FLOAT32 = 5e-7  # relative to signals of unit standard deviation, which reach a few units: two roundings to float32
SNR_DB = 1e-4  # float32 waveforms of a thousand samples


def audio_of(speech_seed: int = 1) -> InMemory:
    audio = InMemory()
    audio.add("a/b.flac", noise_of(2000, speech_seed, level=0.01) + 0.02, corpus="speech")
    audio.add("x/é, 1.ogg", noise_of(400, 2))
    audio.add("x/2.ogg", noise_of(900, 3, level=0.5) - 0.1)
    return audio


def measured_snr_db(mixture) -> float:
    return 20 * np.log10(mixture.speech.std(dtype=np.float64) / mixture.noise.std(dtype=np.float64))


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 5.0, 10.0, 7.25])
def test_equals_its_twin(snr_db):
    one = recipe(snr_db=snr_db)
    audio = audio_of()
    rendered = render(one, audio)
    for signal, expected in zip(
        (rendered.speech, rendered.noise, rendered.mixture),
        naive.render(one, audio.read, CROSS_FADE),
        strict=True,
    ):
        assert signal.dtype == np.float32 and signal.shape == (800,)
        np.testing.assert_allclose(signal, expected, rtol=0, atol=FLOAT32)


@given(st.floats(-5, 10), st.integers(0, 1000))
@settings(max_examples=30)
def test_snr_is_exact_in_every_mixture(snr_db, seed):
    rendered = render(recipe(snr_db=snr_db), audio_of(seed))
    assert measured_snr_db(rendered) == pytest.approx(snr_db, abs=SNR_DB)
    assert rendered.mixture.std(dtype=np.float64) == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(rendered.speech + rendered.noise, rendered.mixture, rtol=0, atol=2 * FLOAT32)


def test_snr_is_that_of_the_samples_that_are_mixed_and_not_of_the_recording():
    audio = audio_of()
    audio.waveforms["speech", "a/b.flac"][1000:] *= 100
    assert measured_snr_db(render(recipe(snr_db=3.0), audio)) == pytest.approx(3, abs=SNR_DB)


def test_another_snr_changes_only_the_gain():
    audio = audio_of()
    one, other = (render(recipe(snr_db=snr), audio) for snr in (0.0, 10.0))
    for a, b in ((one.speech, other.speech), (one.noise, other.noise)):
        np.testing.assert_allclose(a / a.std(), b / b.std(), rtol=0, atol=4 * FLOAT32)


def test_a_pair_stays_as_it_was_recorded():
    audio = audio_of()
    clean = audio.read(recipe().speech)
    noisy = (3 * (clean + noise_of(800, seed=9, level=0.02))).astype(np.float32)
    audio.add("noisy/b.flac", noisy, corpus="speech")
    one = recipe(snr_db=math.nan, noise="recorded", noise_pieces=(Piece("speech", "noisy/b.flac", 0, 800),))
    rendered = render(one, audio)
    scale = noisy.std(dtype=np.float64)
    np.testing.assert_allclose(rendered.mixture * scale, noisy, rtol=0, atol=scale * FLOAT32)
    np.testing.assert_allclose(rendered.speech * scale, clean, rtol=0, atol=scale * FLOAT32)
    np.testing.assert_allclose(rendered.speech + rendered.noise, rendered.mixture, rtol=0, atol=2 * FLOAT32)


@given(st.lists(st.integers(2 * CROSS_FADE, 700), min_size=1, max_size=4))
@settings(max_examples=25)
def test_joining_equals_its_twin_and_keeps_a_constant(lengths):
    audio = InMemory()
    pieces = []
    for i, n in enumerate(lengths):
        audio.add(f"{i}.ogg", noise_of(n + 5, i))
        audio.add(f"ones{i}.ogg", np.ones(n))
        pieces.append(Piece("noise", f"{i}.ogg", 5, n))
    joined = join_pieces(pieces, audio)
    assert joined.size == sum(lengths) - CROSS_FADE * (len(lengths) - 1)
    np.testing.assert_allclose(joined, naive.join_pieces(pieces, audio.read, CROSS_FADE), rtol=0, atol=1e-15)
    ones = [Piece("noise", f"ones{i}.ogg", 0, n) for i, n in enumerate(lengths)]
    np.testing.assert_allclose(join_pieces(ones, audio), 1, rtol=0, atol=1e-15)


def test_what_cannot_be_scaled_is_an_error():
    audio = audio_of()
    audio.waveforms["speech", "a/b.flac"][:] = 0.5
    with pytest.raises(ValueError, match=r"'19-198-0000@0' and 'dog' in set 'train': the speech is constant"):
        render(recipe(), audio)
    audio = audio_of()
    for path in ("x/é, 1.ogg", "x/2.ogg"):
        audio.waveforms["noise", path][:] = 0
    with pytest.raises(ValueError, match="the noise is constant"):
        render(recipe(), audio)
    audio = audio_of()
    audio.waveforms["noise", "x/2.ogg"] = -audio.waveforms["speech", "a/b.flac"]
    with pytest.raises(ValueError, match="cancel each other"):
        render(recipe(noise_pieces=(Piece("noise", "x/2.ogg", 10, 800),)), audio)


@pytest.fixture
def folders(tmp_path):
    """A noise clip at 44.1 kHz with padding, and speech."""
    padded = np.concatenate([np.zeros(4410), noise(0.5, rate=44100), np.zeros(4410)])
    write(tmp_path / "noise" / "dog" / "1.wav", padded, 44100)
    for k in range(4):
        write(tmp_path / "speech" / "anna" / f"{k}.wav", noise(0.25, seed=k))
    return {name: tmp_path / name for name in ("speech", "noise")}


def manifests_of(folders) -> list[Manifest]:
    return [
        READERS["folder"](folders["speech"], corpus="speech", levels=["speaker"]),
        READERS["folder"](folders["noise"], corpus="noise", levels=["class"]),
    ]


def test_recordings_are_their_usable_regions_at_16_khz(folders):
    recordings = Recordings(manifests_of(folders), folders)
    waveform = recordings.waveform("noise", "dog/1.wav")
    assert waveform.shape == (8000,)
    expected = read_audio(folders["noise"] / "dog/1.wav", start=4410, n_samples=22050)
    np.testing.assert_array_equal(waveform, expected)
    np.testing.assert_array_equal(recordings.read(Piece("noise", "dog/1.wav", 100, 50)), expected[100:150])
    with pytest.raises(ValueError, match="read-only"):
        waveform[0] = 1


def test_recordings_keep_no_more_than_their_limit(folders):
    recordings = Recordings(manifests_of(folders), folders, max_bytes=2 * 4000 * 4 + 1)
    first = recordings.waveform("speech", "anna/0.wav")
    second = recordings.waveform("speech", "anna/1.wav")
    assert recordings.waveform("speech", "anna/0.wav") is first
    recordings.waveform("speech", "anna/2.wav")  # the least recently used, anna/1, goes
    assert recordings.waveform("speech", "anna/0.wav") is first
    again = recordings.waveform("speech", "anna/1.wav")
    assert again is not second
    np.testing.assert_array_equal(again, second)


def test_a_recording_beyond_the_limit_is_read_each_time(folders):
    recordings = Recordings(manifests_of(folders), folders, max_bytes=100)
    first, second = (recordings.waveform("speech", "anna/0.wav") for _ in range(2))
    assert first is not second
    np.testing.assert_array_equal(first, second)


def test_unknown_recordings_are_errors(folders):
    recordings = Recordings(manifests_of(folders), folders)
    with pytest.raises(ValueError, match=r"corpus 'music' is unknown: there are noise, speech \(x\.wav\)"):
        recordings.read(Piece("music", "x.wav", 0, 10))
    with pytest.raises(ValueError, match=r"x\.wav is not in the manifest of corpus 'speech': make the recipes again"):
        recordings.read(Piece("speech", "x.wav", 0, 10))
    with pytest.raises(ValueError, match=r"piece \[3990, 4001\) exceeds the 4000 samples of anna/0\.wav"):
        recordings.read(Piece("speech", "anna/0.wav", 3990, 11))
    (folders["speech"] / "anna/3.wav").unlink()
    with pytest.raises(FileNotFoundError, match=r"anna/3\.wav"):
        recordings.waveform("speech", "anna/3.wav")


def test_recordings_need_a_folder_and_come_once(folders):
    manifests = manifests_of(folders)
    with pytest.raises(ValueError, match=r"corpus 'noise' has no folder: there are speech"):
        Recordings(manifests, {"speech": folders["speech"]})
    with pytest.raises(ValueError, match=r"anna/0\.wav of corpus 'speech' is in two manifests"):
        Recordings([manifests[0], *manifests], folders)


def test_a_file_that_became_shorter_is_an_error(folders):
    manifests = manifests_of(folders)
    write(folders["speech"] / "anna/0.wav", noise(0.1))
    with pytest.raises(ValueError, match=r"anna/0\.wav"):
        Recordings(manifests, folders).waveform("speech", "anna/0.wav")
