"""Streams of any rate: what they take, and what they refuse before any work."""

import numpy as np
import pytest

from blsh.denoising.streaming import AnyRateDenoiser
from tests.denoising.making import small_model, sound

MODEL = small_model()


@pytest.mark.parametrize("rate", [1_000, 8_000, 16_000, 44_100])
def test_as_many_samples_come_out_as_went_in(rate):
    samples = sound(rate, channels=2)
    stream = AnyRateDenoiser(MODEL, rate, 2)
    pieces = [stream.push(piece) for piece in np.array_split(samples.astype(np.float64), 7)]
    cleaned = np.concatenate([*pieces, stream.flush()])
    assert cleaned.shape == samples.shape and cleaned.dtype == np.float32


@pytest.mark.parametrize(
    ("rate", "channels", "message"),
    [
        (1, 1, "sample_rate=1 must lie in 1000…1000000"),
        (999, 1, "sample_rate=999"),
        (1_000_001, 1, "sample_rate=1000001"),
        (0, 1, "sample_rate=0"),
        (-16_000, 1, "sample_rate=-16000"),
        (float("nan"), 1, "sample_rate=nan"),
        (16_000, 0, "channels=0 must lie in 1…64"),
        (16_000, 65, "channels=65 must lie in 1…64"),
    ],
)
def test_rates_and_channels_have_limits(rate, channels, message):
    with pytest.raises(ValueError, match=message):
        AnyRateDenoiser(MODEL, rate, channels)


@pytest.mark.parametrize("rate", [16_000, 8_000])
@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros((2, 5000)), r"\(2, 5000\) must be \(n,\) or \(n, channels\)"),
        (np.zeros((5000, 1)), r"\(5000, 1\) must be \(n, 2\)"),
        (np.zeros(5000), r"\(5000,\) must be \(n, 2\)"),
        (np.full((5000, 2), np.nan), "NaN"),
    ],
)
def test_bad_samples_are_named(rate, samples, message):
    with pytest.raises(ValueError, match=message):
        AnyRateDenoiser(MODEL, rate, 2).push(samples)


def test_integers_are_named():
    with pytest.raises(TypeError, match="int16"):
        AnyRateDenoiser(MODEL, 8_000, 1).push(np.zeros((9, 1), np.int16))
