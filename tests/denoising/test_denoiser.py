"""The denoiser against its slow twin, and streams against the whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blsh.denoising.denoiser import LATENCY, Denoiser, denoise, level_of
from blsh.denoising.model_estimator import model_estimator
from blsh.denoising.streaming import AnyRateDenoiser
from blsh.signal.spectra import stft
from tests import naive_denoising as naive
from tests.denoising.making import RATE, small_model, sound

MODEL = small_model()


@pytest.mark.parametrize("n_samples", [513, 767, 768, 1024, 5000, 5120])
@pytest.mark.parametrize("options", [{}, {"level": 0.3}, {"strength": 0.6, "floor": 0.5}])
def test_the_slow_twin_gives_the_same(n_samples, options):
    samples = sound(n_samples)
    cleaned = denoise(samples, MODEL, **options)
    assert cleaned.shape == samples.shape and cleaned.dtype == np.float32
    np.testing.assert_allclose(cleaned, naive.denoise(samples, MODEL, **options), atol=1e-7)


@pytest.mark.parametrize(
    "kind", [{"feature_name": "mel"}, {"n_masks": 7, "bands": (9, 56)}, {"n_bits": 130, "n_neighbours": 3}]
)
def test_every_kind_of_model_equals_the_twin(kind):
    model = small_model(**kind)
    samples = sound(9000, seed=2)
    np.testing.assert_allclose(denoise(samples, model), naive.denoise(samples, model), atol=1e-7)


def test_a_prefix_of_the_bits_is_the_smaller_model():
    samples = sound(4000)
    np.testing.assert_array_equal(denoise(samples, MODEL, n_bits=17), denoise(samples, MODEL.prefix(17)))
    assert np.abs(denoise(samples, MODEL, n_bits=17) - denoise(samples, MODEL)).max() > 1e-3


def test_floor_1_leaves_the_recording_as_it_is():
    samples = sound(5000)
    np.testing.assert_allclose(denoise(samples, MODEL, floor=1.0), samples, atol=1e-6)


@pytest.mark.parametrize("n_samples", [0, 1, 512, 5000])
@pytest.mark.parametrize("channels", [None, 2])
def test_strength_0_gives_the_samples_back(n_samples, channels):
    samples = sound(n_samples, channels=channels)
    untouched = denoise(samples, MODEL, strength=0.0)
    np.testing.assert_array_equal(untouched, samples)
    assert untouched is not samples and untouched.dtype == np.float32
    for rate in (8000, 16_000, 48_000):
        stream = AnyRateDenoiser(MODEL, rate, channels or 1, strength=0)
        pieces = np.array_split(samples.reshape(n_samples, channels or 1), 3)
        ready = [*(stream.push(piece) for piece in pieces), stream.flush()]
        np.testing.assert_array_equal(np.concatenate(ready).ravel(), samples.ravel())
    with pytest.raises(ValueError, match="NaN"):
        denoise(np.full(9, np.nan), MODEL, strength=0.0)


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000, 192_000])
def test_the_band_above_8_khz_fades_in_as_strength_falls(rate):
    """However the stream is cut, the output is linear in the strength between the ends of its range."""
    samples = sound(30_000, channels=2) + 0.05 * np.random.default_rng(1).standard_normal((30_000, 2)).astype(
        np.float32
    )

    def cleaned(strength, n_pieces=1):
        stream = AnyRateDenoiser(MODEL, rate, 2, strength=strength)
        return np.concatenate([*(stream.push(piece) for piece in np.array_split(samples, n_pieces)), stream.flush()])

    half = cleaned(0.5)
    assert half.shape == samples.shape
    np.testing.assert_allclose(half, (cleaned(1) + samples) / 2, atol=1e-5)
    np.testing.assert_allclose(cleaned(0.5, 37), half, atol=1e-5)


def test_masks_lie_between_the_floor_and_one():
    masks = model_estimator(MODEL, strength=0.5, floor=0.6).masks(stft(sound(5000)))
    assert masks.min() == np.float32(0.6) and masks.max() <= 1


@settings(max_examples=25)
@given(
    n_samples=st.integers(513, 6000),
    cuts=st.lists(st.integers(0, 6000), max_size=12),
    channels=st.sampled_from([None, 1, 2]),
)
def test_a_stream_equals_the_whole_however_it_is_cut(n_samples, cuts, channels):
    samples = sound(n_samples, channels=channels)
    stream = Denoiser(MODEL, level=0.07)
    pieces = np.split(samples, sorted(min(cut, n_samples) for cut in cuts))
    cleaned = np.concatenate([*(stream.push(piece) for piece in pieces), stream.flush()])
    np.testing.assert_array_equal(cleaned, denoise(samples, MODEL, level=0.07))


def test_every_sample_leaves_after_the_stated_latency():
    samples = sound(4000)
    whole = denoise(samples, MODEL, level=MODEL.level)
    stream, ready = Denoiser(MODEL), []
    late = 0
    for n_in in range(1, len(samples) + 1):
        ready += stream.push(samples[n_in - 1 : n_in]).tolist()
        late = max(late, n_in - len(ready))
    assert late == LATENCY == 1023
    np.testing.assert_array_equal(np.array(ready, np.float32), whole[: len(ready)])
    assert LATENCY / RATE <= 0.064


def test_a_stream_uses_the_models_level_and_can_be_used_again():
    samples = sound(3000)
    stream = Denoiser(MODEL)
    first = np.concatenate([stream.push(samples), stream.flush()])
    np.testing.assert_array_equal(first, denoise(samples, MODEL, level=MODEL.level))
    np.testing.assert_array_equal(np.concatenate([stream.push(samples), stream.flush()]), first)
    assert stream.flush().shape == (0,)


def test_one_channel_is_a_waveform_and_equal_channels_are_its_copies():
    samples = sound(4000)
    alone = denoise(samples, MODEL)
    np.testing.assert_array_equal(denoise(samples[:, None], MODEL)[:, 0], alone)
    for sign in (1, -1):  # a mean of the channels would be silent
        stereo = denoise(np.stack([samples, sign * samples], axis=1), MODEL)
        np.testing.assert_allclose(stereo, np.stack([alone, sign * alone], axis=1), atol=2e-3)
        np.testing.assert_array_equal(stereo[:, 0], sign * stereo[:, 1])


def test_the_level_is_the_pooled_standard_deviation():
    samples = np.stack([np.tile([1.0, -1.0], 50), 5 + np.tile([7.0, -7.0], 50)], axis=1)
    assert level_of(samples) == pytest.approx(5)  # sqrt((1 + 49) / 2)
    quiet = sound(4000) * np.float32(1e-6)
    np.testing.assert_allclose(denoise(quiet, MODEL) * 1e6, denoise(quiet * np.float32(1e6), MODEL), atol=1e-6)


def test_silence_in_a_stream_stays_silence():
    assert not denoise(np.zeros(3000, np.float32), MODEL, level=0.1).any()


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros(0, np.float32), "0 samples is silent"),
        (np.zeros(5000, np.float32), "silent or constant"),
        (np.full(5000, 0.25), "silent or constant"),
        (sound(512), "512 samples"),
        (np.array([0.0, np.nan] * 600), "NaN"),
        (np.array([0.0, 1e300] * 600), "NaN or infinite"),
        (np.zeros((600, 0), np.float32), "shape"),
        (np.zeros((2, 2, 2), np.float32), "shape"),
    ],
)
def test_bad_samples_are_named(samples, message):
    with pytest.raises(ValueError, match=message):
        denoise(samples, MODEL)


def test_bad_settings_are_named():
    for options, message in (
        ({"strength": 1.1}, "strength=1.1"),
        ({"floor": -0.1}, "floor=-0.1"),
        ({"n_bits": 41}, "n_bits=41 must lie in 1…40"),
        ({"n_bits": 0}, "n_bits=0"),
        ({"level": 0.0}, "level=0.0"),
        ({"level": np.inf}, "level=inf"),
        ({"level": np.nan}, "level=nan"),
        ({"level": 1e300}, r"level=1e\+300 must be a positive number of single precision"),
        ({"level": 1e-300}, "level=1e-300"),
    ):
        with pytest.raises(ValueError, match=message):
            Denoiser(MODEL, **options)
    with pytest.raises(TypeError, match="int16"):
        Denoiser(MODEL).push(np.zeros(9, np.int16))


def test_a_stream_keeps_its_number_of_channels():
    stream = Denoiser(MODEL)
    stream.push(sound(2000, channels=2))
    with pytest.raises(ValueError, match="continue"):
        stream.push(sound(2000))


def test_a_stream_that_ends_too_soon_says_so_and_can_begin_again():
    stream = Denoiser(MODEL)
    stream.push(sound(100))
    with pytest.raises(ValueError, match="100 samples"):
        stream.flush()
    assert len(stream.push(sound(2000))) + len(stream.flush()) == 2000


@pytest.mark.parametrize("shape", [(1, 5000), (2, 5000), (65, 65), (5000, 65)])
def test_arrays_of_channels_and_samples_are_named(shape):
    samples = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    for clean in (lambda x: denoise(x, MODEL), Denoiser(MODEL).push, level_of):
        with pytest.raises(ValueError, match=r"\(n, channels\) of 1…64 channels: .* turned by samples\.T") as caught:
            clean(samples)
        assert str(shape) in str(caught.value)


def test_as_many_channels_as_are_allowed():
    samples = sound(600, channels=64)
    assert denoise(samples, MODEL).shape == (600, 64)
