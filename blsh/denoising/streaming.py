"""Streams of any sample rate: resampled to 16 kHz, cleaned, and resampled back, as they come.

A model knows 16 kHz, so what a recording holds above 8 kHz cannot be cleaned: it is filtered as if no neighbour had
it in its mask, by ``max(floor, 1 − strength)``. At full strength it is left out; at strength 0 nothing is changed, and
samples come out as they went in. soxr (quality HQ) resamples both ways and keeps the signal in time; it adds a latency
of its own, which depends on the rate. As many samples come out as went in: the two resamplings round the length, so the
end is cut, or filled up with zeros that last less than two samples of the lower rate.

With g the gain above 8 kHz, what lies there is x − up(down(x)) of the samples x. Resampling is linear, so it is added
as ``up(cleaned − g · down(x)) + g · x``, without resampling anything twice.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import soxr

from blsh.denoising.denoiser import CHANNELS, Denoiser, checked_samples
from blsh.denoising.model_file import DenoiserModel
from blsh.signal.audio import SAMPLE_RATE
from blsh.signal.sounds import RATES

__all__ = ["AnyRateDenoiser", "level_of_stream", "require_stream"]


class AnyRateDenoiser:
    """Clean a stream of any sample rate piece by piece.

    Parameters
    ----------
    model : DenoiserModel
    sample_rate : int
        Rate of what comes in and of what goes out, in Hz, one of `RATES`.
    channels : int
        Their number, one of `CHANNELS`.
    **settings
        Those of ``Denoiser``: level, n_bits, strength, floor.

    Raises
    ------
    ValueError
        When rate, channels or a setting is out of range.
    """

    def __init__(self, model: DenoiserModel, sample_rate: int, channels: int, **settings: float | None) -> None:
        require_stream(sample_rate, channels)
        self._channels = channels
        self._denoiser = Denoiser(model, **settings)
        strength, floor = settings.get("strength", 1.0), settings.get("floor", 0.0)
        if strength == 0:
            sample_rate = SAMPLE_RATE  # nothing is resampled
        self._down = _Resampler(sample_rate, SAMPLE_RATE, channels)
        self._up = _Resampler(SAMPLE_RATE, sample_rate, channels)
        self._gain_above = np.float32(max(floor, 1 - strength) if sample_rate > SAMPLE_RATE else 0)
        self._resampled, self._whole = _Delay(channels), _Delay(channels)
        self._n_in = self._n_out = 0

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Take the next samples, float32 or float64 (n, channels), and return what is ready, float32 (m, channels).

        Raises
        ------
        TypeError
            When samples are no floating-point numbers.
        ValueError
            When samples are not finite or have another number of channels.
        """
        samples = checked_samples(samples)
        if samples.shape[1:] != (self._channels,):
            raise ValueError(f"samples of shape {samples.shape} must be (n, {self._channels}), a column a channel")
        self._n_in += len(samples)
        resampled = self._down.push(samples)
        ready = self._up.push(self._without_above(self._denoiser.push(resampled), resampled))
        self._n_out += len(ready)
        return self._with_above(ready, samples)

    def flush(self) -> np.ndarray:
        """End the stream and return the rest, float32 (m, channels); what is pushed afterwards has no meaning.

        Raises
        ------
        ValueError
            When there were too few samples to be transformed.
        """
        resampled = self._down.flush()
        last = np.concatenate([self._denoiser.push(resampled), self._denoiser.flush()])
        last = self._without_above(last, resampled)
        rest = np.concatenate([self._up.push(last), self._up.flush()])
        n_missing = self._n_in - self._n_out
        filling = np.zeros((max(n_missing - len(rest), 0), rest.shape[1]), np.float32)
        return self._with_above(np.concatenate([rest[:n_missing], filling]), rest[:0])

    def _without_above(self, cleaned: np.ndarray, resampled: np.ndarray) -> np.ndarray:
        """Take away of cleaned samples what `_with_above` will add below 8 kHz."""
        if not self._gain_above:
            return cleaned
        return cleaned - self._gain_above * self._resampled.push(resampled, len(cleaned))

    def _with_above(self, ready: np.ndarray, samples: np.ndarray) -> np.ndarray:
        if not self._gain_above:
            return ready
        return ready + self._gain_above * self._whole.push(samples, len(ready))


def require_stream(sample_rate: int, channels: int) -> None:
    """Raise ValueError unless a stream of this rate and number of channels can be cleaned."""
    for name, value, allowed in (("sample_rate", sample_rate, RATES), ("channels", channels, CHANNELS)):
        if value not in allowed:
            raise ValueError(f"{name}={value} must lie in {allowed[0]}…{allowed[-1]}")


def level_of_stream(blocks: Iterable[np.ndarray], sample_rate: int) -> float:
    """Return what ``level_of`` says of a whole recording at 16 kHz, from its blocks (n, channels) at any rate.

    Means and squares of blocks are merged so that nothing cancels [1]_.

    Raises
    ------
    ValueError
        When it is constant, such as digital silence, or holds nothing, or samples are not finite.

    References
    ----------
    .. [1] T. Chan, G. Golub and R. LeVeque, "Algorithms for computing the sample variance", The American
       Statistician 37, 1983, eq. (2.1).
    """
    n, mean, squares = 0, 0.0, 0.0
    for block in _resampled(blocks, sample_rate):
        if not np.isfinite(block).all():
            raise ValueError("samples hold NaN or infinite values: repair the recording, or leave it out")
        if not len(block):
            continue
        m, difference = len(block), block.mean(axis=0, dtype=np.float64) - mean
        squares = squares + block.var(axis=0, dtype=np.float64) * m + difference**2 * (n * m / (n + m))
        mean = mean + difference * (m / (n + m))
        n += m
    level = float(np.sqrt(np.mean(squares) / n)) if n else 0.0
    if not np.float32(level) > 0:
        raise ValueError("the signal is silent or constant: leave it out, or give a level")
    return level


class _Delay:
    """Samples that wait until those that they go with have been cleaned."""

    def __init__(self, channels: int) -> None:
        self._waiting = np.zeros((0, channels), np.float32)

    def push(self, samples: np.ndarray, n: int) -> np.ndarray:
        """Take the next samples and return the first n that wait."""
        waiting = np.concatenate([self._waiting, samples])
        self._waiting = waiting[n:].copy()  # a view would keep the whole
        return waiting[:n]


class _Resampler:
    """One direction; nothing is done where the rates are equal."""

    def __init__(self, from_rate: int, to_rate: int, channels: int) -> None:
        self._none = np.zeros((0, channels), np.float32)
        self._stream = None if from_rate == to_rate else soxr.ResampleStream(from_rate, to_rate, channels)

    def push(self, samples: np.ndarray) -> np.ndarray:
        return samples if self._stream is None or not len(samples) else self._stream.resample_chunk(samples)

    def flush(self) -> np.ndarray:
        return self._none if self._stream is None else self._stream.resample_chunk(self._none, last=True)


def _resampled(blocks: Iterable[np.ndarray], sample_rate: int) -> Iterable[np.ndarray]:
    resampler = None
    for block in blocks:
        resampler = resampler or _Resampler(sample_rate, SAMPLE_RATE, block.shape[1])
        yield resampler.push(block)
    if resampler is not None:
        yield resampler.flush()
