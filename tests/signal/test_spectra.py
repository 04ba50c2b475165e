import tracemalloc

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blsh.signal import (
    FEATURES,
    HOP_LENGTH,
    N_BINS,
    N_FFT,
    N_MELS,
    SAMPLE_RATE,
    feature,
    feature_width,
    istft,
    n_frames,
    read_audio,
    spectra,
    stft,
)
from blsh.signal.spectra import mel_filters
from tests import naive_signal

# A unit-variance frame has magnitudes near sqrt(384) and sums 1024 products in float32.
STFT_FLOAT32 = 5e-5
# Two transforms and a division in float32, for waveforms of unit variance.
ROUND_TRIP_FLOAT32 = 4e-6
# Rows of norm 1; a mel band adds up to some 40 float32 products.
FEATURE_FLOAT32 = 1e-6
# Rounding of the power and of librosa's own filters, relative to the largest band.
MEL_RELATIVE = 1e-5


def noise(rng, *shape):
    return rng.standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("n_samples", [513, 700, 768, 1024, 3000])
def test_stft_is_its_definition(rng, n_samples):
    x = noise(rng, n_samples)
    spectrum = stft(x)
    assert spectrum.dtype == np.complex64 and spectrum.shape == (n_frames(n_samples), N_BINS)
    assert spectrum.flags.c_contiguous
    np.testing.assert_allclose(spectrum, naive_signal.stft(x), rtol=0, atol=STFT_FLOAT32)


@pytest.mark.parametrize("n_samples", [1024, 1279, 16_000, 80_001])
def test_stft_and_istft_are_those_of_librosa(rng, n_samples):
    x = noise(rng, n_samples)
    theirs = librosa.stft(x, n_fft=N_FFT, hop_length=HOP_LENGTH, pad_mode="reflect").T
    np.testing.assert_allclose(stft(x), theirs, rtol=0, atol=STFT_FLOAT32)
    masked = theirs * rng.random(theirs.shape, np.float32)
    expected = librosa.istft(masked.T, hop_length=HOP_LENGTH, length=n_samples)
    np.testing.assert_allclose(istft(masked, n_samples), expected, rtol=0, atol=ROUND_TRIP_FLOAT32)


def test_istft_is_its_definition(rng):
    spectrum = (noise(rng, 6, N_BINS) + 1j * noise(rng, 6, N_BINS)).astype(np.complex64)
    for n_samples in range(1280, 1536, 51):
        expected = naive_signal.istft(spectrum, n_samples)
        np.testing.assert_allclose(istft(spectrum, n_samples), expected, rtol=0, atol=ROUND_TRIP_FLOAT32)


@given(n_samples=st.integers(513, 6000), seed=st.integers(0, 99))
def test_the_inverse_has_the_length_and_the_samples(n_samples, seed):
    x = noise(np.random.default_rng(seed), n_samples)
    back = istft(stft(x), n_samples)
    assert back.shape == x.shape and back.dtype == np.float32
    np.testing.assert_allclose(back, x, rtol=0, atol=ROUND_TRIP_FLOAT32)


def test_blocks_change_no_bit(rng, monkeypatch):
    x = noise(rng, 40_000)
    whole = stft(x)
    back = istft(whole, x.size)
    monkeypatch.setattr(spectra, "_BLOCK_FRAMES", 7)
    np.testing.assert_array_equal(stft(x), whole)
    np.testing.assert_array_equal(istft(whole, x.size), back)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 9])
def test_frames_are_windowed_and_added_in_their_order(rng, n):
    frames = noise(rng, n, N_FFT)
    total = noise(rng, n + 5, HOP_LENGTH)
    expected = total.copy().ravel()
    for number, frame in enumerate(frames):
        expected[number * HOP_LENGTH :][:N_FFT] += frame * spectra.WINDOW
    spectra.add_frames(total, frames)
    np.testing.assert_array_equal(total.ravel(), expected)
    squares, expected = np.zeros((2, n + 3, HOP_LENGTH), np.float32)
    spectra.add_squares_of_windows(squares, n)
    for number in range(n):
        expected.ravel()[number * HOP_LENGTH :][:N_FFT] += spectra.WINDOW**2
    np.testing.assert_array_equal(squares, expected)


def test_a_batch_is_its_waveforms_one_by_one(rng):
    x = noise(rng, 10_000)
    masks = rng.random((2, 3, n_frames(x.size), N_BINS), np.float32)
    batch = istft(masks * stft(x), x.size)
    assert batch.shape == (2, 3, x.size) and batch.dtype == np.float32
    for row, column in np.ndindex(2, 3):
        np.testing.assert_array_equal(batch[row, column], istft(masks[row, column] * stft(x), x.size))
    assert istft(np.empty((0, n_frames(x.size), N_BINS), np.complex64), x.size).shape == (0, x.size)


def test_a_batch_takes_the_memory_of_one(rng):
    n_samples = 160_000
    batch = np.ones((20, n_frames(n_samples), N_BINS), np.complex64)
    tracemalloc.start()
    try:
        istft(batch, n_samples)
        extra = tracemalloc.get_traced_memory()[1] - 20 * n_samples * 4
    finally:
        tracemalloc.stop()
    # Samples of one waveform four times over (its frames), windowed and not, and the sums.
    assert extra < 12 * n_samples * 4


@pytest.mark.parametrize("x", [np.zeros(512, np.float32), np.zeros(0, np.float32), np.zeros((2, 1000), np.float32)])
def test_what_has_no_reflected_edges_is_refused(x):
    with pytest.raises(ValueError, match=r"x\.shape=.* must be \(samples,\) with more than 512 samples"):
        stft(x)


@pytest.mark.parametrize("shape", [(4, 512), (3, 513), (513,), (2, 4, 514)])
def test_istft_refuses_another_shape(shape):
    with pytest.raises(ValueError, match=r"spectrum\.shape=.* must be \(\.\.\., 4, 513\) for n_samples=1000"):
        istft(np.zeros(shape, np.complex64), 1000)


@pytest.mark.parametrize("name", FEATURES)
def test_features_are_their_definition(rng, name):
    gains = np.array([1e-6, 1e-3, 1, 30])[:, None]
    spectrum = (gains * (noise(rng, 4, N_BINS) + 1j * noise(rng, 4, N_BINS))).astype(np.complex64)
    rows = feature(name, spectrum)
    assert rows.dtype == np.float32 and rows.shape == (4, feature_width(name)) and rows.flags.c_contiguous
    np.testing.assert_allclose(rows, naive_signal.feature(name, spectrum), rtol=0, atol=FEATURE_FLOAT32)


def test_mel_filters_are_those_of_librosa():
    theirs = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=N_FFT, n_mels=N_MELS)
    # One unit in the last place of float32 at the largest weight, 0.043: librosa rounds the triangles earlier.
    np.testing.assert_allclose(mel_filters().toarray(), theirs, rtol=0, atol=3.8e-9)


def test_mel_bands_are_those_of_librosa(rng):
    x = noise(rng, 16_000)
    theirs = librosa.feature.melspectrogram(
        y=x, sr=SAMPLE_RATE, n_fft=N_FFT, hop_length=HOP_LENGTH, pad_mode="reflect", n_mels=N_MELS
    ).T
    rows = feature("mel", stft(x))
    norms = np.linalg.norm(theirs + 1e-4, axis=1, keepdims=True)
    np.testing.assert_allclose(rows * norms, theirs, rtol=0, atol=MEL_RELATIVE * theirs.max())


@pytest.mark.parametrize("name", FEATURES)
def test_a_row_does_not_depend_on_its_neighbours(rng, name):
    spectrum = stft(noise(rng, 30_000))
    whole = feature(name, spectrum)
    for start, stop in [(0, 1), (5, 6), (17, 20), (3, 70)]:
        np.testing.assert_array_equal(feature(name, spectrum[start:stop]), whole[start:stop])
    np.testing.assert_array_equal(feature(name, spectrum[::3]), whole[::3])
    np.testing.assert_array_equal(feature(name, np.asfortranarray(spectrum)), whole)


@pytest.mark.parametrize("name", FEATURES)
def test_silence_has_a_feature(name):
    np.testing.assert_array_equal(feature(name, np.zeros((2, N_BINS), np.complex64)), 0)


def test_loud_rows_have_norm_one(rng):
    rows = feature("stft", stft(noise(rng, 16_000)))
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)  # the offset is 1e-5 of a magnitude


def test_an_unknown_feature_or_shape_is_refused():
    with pytest.raises(ValueError, match="feature 'mfcc' is none of stft, mel"):
        feature("mfcc", np.zeros((1, N_BINS), np.complex64))
    with pytest.raises(ValueError, match=r"spectrum\.shape=\(513,\) must be \(frames, 513\)"):
        feature("stft", np.zeros(N_BINS, np.complex64))
    assert [feature_width(name) for name in FEATURES] == [513, 128]


def test_real_speech_is_transformed_and_back(corpora_folder):
    paths = sorted(corpora_folder.glob("LibriSpeech/test-other/*/*/*.flac"))[:5]
    assert paths, "no LibriSpeech recordings in BLSH_TEST_CORPORA"
    for path in paths:
        x = read_audio(path)
        theirs = librosa.stft(x, n_fft=N_FFT, hop_length=HOP_LENGTH, pad_mode="reflect").T
        np.testing.assert_allclose(stft(x), theirs, rtol=0, atol=STFT_FLOAT32)
        np.testing.assert_allclose(istft(theirs, x.size), x, rtol=0, atol=ROUND_TRIP_FLOAT32)
