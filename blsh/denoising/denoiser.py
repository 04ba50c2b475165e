"""The denoiser: 16 kHz samples in, the same number of cleaned samples out, at once or as they come.

A stream has one level for all its samples: they are divided by it before the transform, as a training mixture is
by its own standard deviation, and multiplied by it afterwards. Frames are centred and edges reflected as in
``blsh.signal.spectra``, so the output of a stream is that of `denoise` on the whole with the same level, to the
last bit, however the samples are cut into pieces.

**Latency.** A sample lies under four frames. The last of them begins at most 511 samples before it and ends at
most 1023 after it, so sample n leaves when sample n + 1023 has come (64 ms) at the latest.

**Channels** share one mask, made from the root mean square of their magnitudes: so the stereo image stays where it
is, and channels of opposite phase do not cancel as they would in their mean.

Memory does not grow with the stream: 768 samples of unfinished output and less than 1024 of input are kept.
"""

from __future__ import annotations

import numpy as np

from blsh.denoising.model_estimator import model_estimator
from blsh.denoising.model_file import DenoiserModel
from blsh.signal.spectra import (
    HOP_LENGTH,
    N_FFT,
    add_frames,
    add_squares_of_windows,
    frame_spectra,
    frame_waveforms,
)

__all__ = ["CHANNELS", "LATENCY", "Denoiser", "checked_samples", "denoise", "level_of"]

LATENCY = N_FFT - 1
"""Samples at 16 kHz after which a sample's cleaned value is there."""

CHANNELS = range(1, 65)
"""Numbers of channels that are cleaned together; an array of more is one of (channels, n)."""

_EDGE = N_FFT // 2
_CARRIED = N_FFT // HOP_LENGTH - 1  # hops that later frames still add to
_BLOCK_FRAMES = 256


class Denoiser:
    """Clean a stream piece by piece.

    Parameters
    ----------
    model : DenoiserModel
    level : float, optional
        Standard deviation of the stream, full scale being 1; by default the model's, of a typical training
        mixture.
    n_bits, strength, floor
        See ``model_estimator``.

    Raises
    ------
    ValueError
        When a setting is out of range.

    Examples
    --------
    >>> stream = Denoiser(load_model())  # doctest: +SKIP
    >>> for piece in microphone:  # doctest: +SKIP
    ...     loudspeaker.write(stream.push(piece))
    >>> loudspeaker.write(stream.flush())  # doctest: +SKIP
    """

    def __init__(
        self,
        model: DenoiserModel,
        *,
        level: float | None = None,
        n_bits: int | None = None,
        strength: float = 1.0,
        floor: float = 0.0,
    ) -> None:
        level = model.level if level is None else level
        with np.errstate(over="ignore"):
            self._level = np.float32(level)
        if not 0 < self._level < np.inf:
            raise ValueError(f"level={level} must be a positive number of single precision")
        self._estimator = model_estimator(model, n_bits=n_bits, strength=strength, floor=floor)
        self._is_untouched = strength == 0  # not even by the rounding of a transform
        self._begin()

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Take the next samples and return what is ready.

        Parameters
        ----------
        samples : ndarray of float32 or float64, shape (n,) or (n, channels)
            At 16 kHz; any number, of as many channels as before.

        Returns
        -------
        ndarray of float32, shape (m,) or (m, channels)
            The next cleaned samples: all but the last `LATENCY` at least.

        Raises
        ------
        TypeError
            When samples are no floating-point numbers.
        ValueError
            When they have another shape than before, or are not finite.
        """
        samples = checked_samples(samples)
        if self._shape not in (None, samples.shape[1:]):
            raise ValueError(
                f"samples of shape {samples.shape} do not continue those before, of shape {('n', *self._shape)}"
            )
        if self._shape is None:
            self._start(samples.shape[1:])
        if self._is_untouched:
            return samples.copy()
        self._n_in += len(samples)
        scaled = samples.T.reshape(self._n_channels, -1) / self._level
        self._pending = np.concatenate([self._pending, scaled], axis=1)
        if self._is_first and self._n_in > _EDGE:
            self._pending = np.concatenate([self._pending[:, _EDGE:0:-1], self._pending], axis=1)
            self._is_first = False
        return self._leave([] if self._is_first else self._clean_frames())

    def flush(self) -> np.ndarray:
        """End the stream and return the rest: in all, as many samples came out as went in.

        The next `push` begins another stream.

        Raises
        ------
        ValueError
            When there were samples, but no more than 512, which reflected edges need; not at strength 0.
        """
        if self._shape is None:
            return np.zeros(0, np.float32)
        n_in = self._n_in
        if 0 < n_in <= _EDGE:
            self._begin()
            raise ValueError(f"the signal has {n_in} samples at 16 kHz: it must have more than {_EDGE}")
        ready = []
        if n_in:
            reflected = self._pending[:, -2 : -2 - _EDGE : -1]
            self._pending = np.concatenate([self._pending, reflected], axis=1)
            ready = self._clean_frames()
            total, squares = self._total.reshape(self._n_channels, -1), self._squares.reshape(-1)
            rest = n_in - self._n_out - sum(block.shape[1] for block in ready)
            ready.append(total[:, :rest] / squares[:rest])
        cleaned = self._leave(ready)
        self._begin()
        return cleaned

    def _begin(self) -> None:
        self._shape: tuple[int, ...] | None = None
        self._n_in = self._n_out = 0

    def _start(self, shape: tuple[int, ...]) -> None:
        self._shape = shape
        self._n_channels = shape[0] if shape else 1
        self._is_first = True
        self._pending = np.zeros((self._n_channels, 0), np.float32)
        self._total = np.zeros((self._n_channels, _CARRIED, HOP_LENGTH), np.float32)
        self._squares = np.zeros((_CARRIED, HOP_LENGTH), np.float32)
        self._edge_hops = _EDGE // HOP_LENGTH  # of the left reflection, which no one hears

    def _clean_frames(self) -> list[np.ndarray]:
        """Take all whole frames and return the finished samples, arrays of shape (channels, any)."""
        ready = []
        while (n_samples := self._pending.shape[1]) >= N_FFT:
            n = min(1 + (n_samples - N_FFT) // HOP_LENGTH, _BLOCK_FRAMES)
            spectra = np.stack([frame_spectra(x) for x in self._pending[:, : N_FFT + (n - 1) * HOP_LENGTH]])
            spectra *= self._estimator.masks(_magnitudes(spectra))
            total = _carry(self._total, n)
            for signal, spectrum in zip(total, spectra, strict=True):
                add_frames(signal, frame_waveforms(spectrum))
            squares = _carry(self._squares[np.newaxis], n)[0]
            add_squares_of_windows(squares, n)
            self._total, self._squares = total[:, n:], squares[n:]
            heard = slice(min(n, self._edge_hops), n)
            self._edge_hops -= heard.start
            ready.append((total[:, heard] / squares[heard]).reshape(self._n_channels, -1))
            self._pending = self._pending[:, n * HOP_LENGTH :]
        self._pending = self._pending.copy()  # a view would keep the whole
        return ready

    def _leave(self, ready: list[np.ndarray]) -> np.ndarray:
        """Join, scale and shape what leaves."""
        cleaned = np.concatenate([np.zeros((self._n_channels, 0), np.float32), *ready], axis=1)
        cleaned *= self._level
        self._n_out += cleaned.shape[1]
        return np.ascontiguousarray(cleaned.T).reshape(-1, *self._shape)


def denoise(
    samples: np.ndarray,
    model: DenoiserModel,
    *,
    level: float | None = None,
    n_bits: int | None = None,
    strength: float = 1.0,
    floor: float = 0.0,
) -> np.ndarray:
    """Clean a recording.

    Parameters
    ----------
    samples : ndarray of float32 or float64, shape (n,) or (n, channels)
        At 16 kHz; more than 512. At strength 0 they are returned as they are.
    model : DenoiserModel
    level : float, optional
        What to divide by before and multiply with afterwards; by default the recording's own `level_of`.
    n_bits, strength, floor
        See ``model_estimator``.

    Returns
    -------
    ndarray of float32, of the shape of `samples`

    Raises
    ------
    TypeError, ValueError
        When samples or settings are invalid, or the recording is constant and has no level of its own.
    """
    samples = checked_samples(samples)
    level = level_of(samples) if level is None and strength != 0 else level
    stream = Denoiser(model, level=level, n_bits=n_bits, strength=strength, floor=floor)
    return np.concatenate([stream.push(samples), stream.flush()])


def level_of(samples: np.ndarray) -> float:
    """Return the standard deviation of a recording, of several channels the root mean square of theirs.

    Raises
    ------
    ValueError
        When it is constant, such as digital silence, or of another shape than (n,) or (n, channels).
    """
    _require_shape(samples)
    level = float(np.sqrt(samples.var(axis=0, dtype=np.float64).mean())) if samples.size else 0.0
    if not np.float32(level) > 0:
        raise ValueError(f"the signal of {len(samples)} samples is silent or constant: leave it out, or give a level")
    return level


def checked_samples(samples: np.ndarray) -> np.ndarray:
    """Return samples (n,) or (n, channels) as float32.

    Raises
    ------
    TypeError
        When samples are no floating-point numbers.
    ValueError
        When they have another shape, or are not finite.
    """
    samples = np.asarray(samples)
    if samples.dtype not in (np.float32, np.float64):
        raise TypeError(f"samples.dtype={samples.dtype} must be float32 or float64, full scale being 1")
    _require_shape(samples)
    with np.errstate(over="ignore"):
        samples = samples.astype(np.float32, copy=False)
    if not np.isfinite(samples).all():
        raise ValueError("samples hold NaN or infinite values: repair the recording, or leave it out")
    return samples


def _require_shape(samples: np.ndarray) -> None:
    if samples.ndim not in (1, 2) or (samples.ndim == 2 and samples.shape[1] not in CHANNELS):
        raise ValueError(
            f"samples of shape {samples.shape} must be (n,) or (n, channels) of {CHANNELS[0]}…{CHANNELS[-1]} channels: "
            "an array of (channels, n) is turned by samples.T"
        )


def _magnitudes(spectra: np.ndarray) -> np.ndarray:
    """Return what the shared mask of spectra (channels, frames, 513) is estimated from; of one channel, itself."""
    if len(spectra) == 1:
        return spectra[0]
    return np.sqrt(np.mean(np.square(np.abs(spectra)), axis=0))


def _carry(unfinished: np.ndarray, n_hops: int) -> np.ndarray:
    """Make room for `n_hops` frames after (channels, 3, 256) of unfinished hops."""
    total = np.zeros((len(unfinished), n_hops + _CARRIED, HOP_LENGTH), np.float32)
    total[:, :_CARRIED] = unfinished
    return total
