r"""Short-time Fourier transform, its inverse, and the two features of a frame.

The transform is the one of the papers' experiments: a periodic Hann window `w` (`WINDOW`) of `N_FFT` samples every
`HOP_LENGTH`, frame t centred on sample 256·t, the signal reflected at both ends (not padded with zeros, as
newer librosa does):

    X[t, k] = Σ_n w[n] x[256·t + n − 512] exp(−2πi·k·n / 1024),   t = 0 … ⌊samples/256⌋,   k = 0 … 512

The inverse is weighted overlap-add: it divides Σ_t w[n − 256·t] y_t[n − 256·t] by Σ_t w²[n − 256·t], so it
undoes the transform and is the least-squares signal of a masked spectrum (Griffin and Lim 1984, eq. 6).

Conventions: rows are frames, so a spectrum is (frames, 513); waveforms are float32, spectra complex64. No
frame's numbers depend on how many others are transformed with it.
"""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np
import scipy.fft
import scipy.sparse

from blsh.files.kernels import njit
from blsh.signal.audio import SAMPLE_RATE

N_FFT = 1024
HOP_LENGTH = 256
N_BINS = N_FFT // 2 + 1
N_MELS = 128
FEATURES = ("stft", "mel")
LEAST_SAMPLES = N_FFT // 2 + 1  # of a waveform whose ends can be reflected

# Added to a row before its norm is taken, so that silence stays finite.
_NORM_OFFSET = 1e-4
_BLOCK_FRAMES = 2048
_N_HOPS = N_FFT // HOP_LENGTH
WINDOW = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)).astype(np.float32)


def n_frames(n_samples: int) -> int:
    """Return the number of frames of a waveform: one centred on each 256th sample, from sample 0 on."""
    return 1 + n_samples // HOP_LENGTH


def stft(x: np.ndarray) -> np.ndarray:
    """Transform a waveform.

    Parameters
    ----------
    x : np.ndarray, float32, shape (samples,)
        More than 512 samples, or its ends cannot be reflected.

    Returns
    -------
    np.ndarray, complex64, shape (frames, 513)

    Raises
    ------
    ValueError
        If `x` is not one waveform of more than 512 samples.
    """
    if x.ndim != 1 or x.size < LEAST_SAMPLES:
        raise ValueError(
            f"x.shape={x.shape} must be (samples,) with more than {N_FFT // 2} samples, "
            "which reflected edges need: leave the signal out or give a longer one"
        )
    return frame_spectra(np.pad(x.astype(np.float32, copy=False), N_FFT // 2, mode="reflect"))


def istft(spectrum: np.ndarray, n_samples: int) -> np.ndarray:
    """Return the waveforms of spectra, of exactly the length that was transformed.

    Parameters
    ----------
    spectrum : np.ndarray, complex64, shape (..., frames, 513)
        One spectrum, or many of one length: a mixture's under several masks. They are inverted one after
        the other, so beside the result this takes the memory of one block of one of them.
    n_samples : int > 0
        Length of the waveforms; `n_frames(n_samples)` must be the number of frames.

    Returns
    -------
    np.ndarray, float32, shape (..., n_samples)

    Raises
    ------
    ValueError
        If the shape is not (..., n_frames(n_samples), 513).
    """
    expected = (n_frames(n_samples), N_BINS)
    if n_samples < 1 or spectrum.shape[-2:] != expected:
        raise ValueError(
            f"spectrum.shape={spectrum.shape} must be (..., {expected[0]}, {N_BINS}) for n_samples={n_samples}"
        )
    batch = spectrum.reshape(-1, *expected)
    waveforms = np.empty((len(batch), n_samples), np.float32)
    kept = slice(N_FFT // 2, N_FFT // 2 + n_samples)
    squares = _squares_of_windows(expected[0])
    for waveform, frames in zip(waveforms, batch, strict=True):
        total = np.zeros_like(squares)
        for start in range(0, len(frames), _BLOCK_FRAMES):
            add_frames(total[start:], frame_waveforms(frames[start : start + _BLOCK_FRAMES]))
        # No division by 0: a kept sample lies under the middle half of some window, where w² >= 1/4.
        np.divide(total.ravel()[kept], squares.ravel()[kept], out=waveform)
    return waveforms.reshape(*spectrum.shape[:-2], n_samples)


def frame_spectra(samples: np.ndarray) -> np.ndarray:
    """Transform every whole frame of samples as they come, without edges: frame t is ``samples[256·t : 256·t + 1024]``.

    Parameters
    ----------
    samples : np.ndarray, float32, shape (samples,)
        At least 1024 of them.

    Returns
    -------
    np.ndarray, complex64, shape (1 + (samples - 1024) // 256, 513)
    """
    frames = np.lib.stride_tricks.sliding_window_view(samples, N_FFT)[::HOP_LENGTH]
    spectrum = np.empty((len(frames), N_BINS), np.complex64)
    for start in range(0, len(frames), _BLOCK_FRAMES):
        block = slice(start, start + _BLOCK_FRAMES)
        spectrum[block] = scipy.fft.rfft(frames[block] * WINDOW, axis=-1, overwrite_x=True)
    return spectrum


def frame_waveforms(spectrum: np.ndarray) -> np.ndarray:
    """Return the waveforms of frames (frames, 513), to be windowed, overlapped and added: float32 (frames, 1024)."""
    return scipy.fft.irfft(spectrum, N_FFT, axis=-1)


def add_frames(total: np.ndarray, frames: np.ndarray) -> None:
    """Window overlapping frames, float32 (any, 1024), and add them to a signal that begins with the first of them.

    `total` is laid out as rows of one hop each, at least three more than there are frames.
    """
    _add_windowed(total, np.ascontiguousarray(frames), WINDOW)


def add_squares_of_windows(total: np.ndarray, n: int) -> None:
    """Add the squared windows of n frames, by which the frames' sum is divided, to a signal laid out likewise."""
    # In the order in which the frames are added.
    for i, piece in reversed(list(enumerate((WINDOW**2).reshape(_N_HOPS, HOP_LENGTH)))):
        total[i : i + n] += piece


@lru_cache(maxsize=1)
def _squares_of_windows(n: int) -> np.ndarray:
    """Return them for n frames and nothing else, (n + 3, 256): a mixture has many estimates of its length."""
    squares = np.zeros((n + _N_HOPS - 1, HOP_LENGTH), np.float32)
    add_squares_of_windows(squares, n)
    return squares


@njit()
def _add_windowed(total, frames, window):
    n_hops, hop = window.size // total.shape[1], total.shape[1]
    for row in range(frames.shape[0] + n_hops - 1):
        # The row takes piece i of frame row − i. Last pieces first: each sample's terms are added in the order of
        # the frames, however these are cut into blocks.
        for i in range(min(row, n_hops - 1), max(row - frames.shape[0], -1), -1):
            # Views, whose indices numba knows not to be negative: then the loop is vectorised.
            added, piece, weights = total[row], frames[row - i, i * hop :], window[i * hop :]
            for j in range(hop):
                added[j] += piece[j] * weights[j]


def feature(name: str, spectrum: np.ndarray) -> np.ndarray:
    """Describe each frame by one row of about unit length.

    Parameters
    ----------
    name : {"stft", "mel"}
        `stft`: magnitudes |X|. `mel`: 128 mel bands (Slaney's scale and normalisation, 0 to 8000 Hz) of the
        power |X|².
    spectrum : np.ndarray, complex64, shape (frames, 513)

    Returns
    -------
    np.ndarray, float32, shape (frames, feature_width(name))
        Each row divided by ‖row + 1e-4‖₂. The norm is close to 1 for loud frames and 0 for silence; the
        inner product of two rows can exceed 1 by float32 rounding.

    Raises
    ------
    ValueError
        If the name is none of `FEATURES` or the shape is not (frames, 513).
    """
    feature_width(name)
    if spectrum.ndim != 2 or spectrum.shape[1] != N_BINS:
        raise ValueError(f"spectrum.shape={spectrum.shape} must be (frames, {N_BINS})")
    rows = np.abs(np.ascontiguousarray(spectrum))
    if name == "mel":
        # A sparse product sums each element by itself and in bin order, which BLAS does not promise.
        rows = np.ascontiguousarray((mel_filters() @ np.square(rows).T).T)
    norms = np.sqrt(np.square(rows + np.float32(_NORM_OFFSET), dtype=np.float64).sum(axis=1, keepdims=True))
    return (rows / norms).astype(np.float32)


def feature_width(name: str) -> int:
    """Return the number of values that describe a frame: 513 for `stft`, 128 for `mel`.

    Raises
    ------
    ValueError
        If the name is none of `FEATURES`.
    """
    widths = dict(zip(FEATURES, (N_BINS, N_MELS), strict=True))
    if name not in widths:
        raise ValueError(f"feature {name!r} is none of {', '.join(FEATURES)}")
    return widths[name]


@cache
def mel_filters() -> scipy.sparse.csr_array:
    """Triangles between 130 corners that are equally spaced in mel from 0 to 8000 Hz, each of area 1 over the Hz.

    They are librosa's default filters (a test compares), without the second that importing librosa takes in each job.
    """
    corners = _hz_of_mel(np.linspace(0.0, _mel_of_hz(SAMPLE_RATE / 2), N_MELS + 2))
    bins = np.arange(N_BINS) * SAMPLE_RATE / N_FFT
    low, centre, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    triangles = np.maximum(0, np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)))
    return scipy.sparse.csr_array((triangles * 2 / (high - low)).astype(np.float32))


# Slaney's mel scale (Auditory Toolbox): linear up to 1000 Hz, which is 15 mel, then 27 steps for each factor of 6.4.
_LINEAR_HZ, _LINEAR_MEL, _LOG_STEP = 1000.0, 15.0, np.log(6.4) / 27


def _mel_of_hz(hz: float) -> float:
    return _LINEAR_MEL + np.log(hz / _LINEAR_HZ) / _LOG_STEP


def _hz_of_mel(mel: np.ndarray) -> np.ndarray:
    linear = mel * _LINEAR_HZ / _LINEAR_MEL
    return np.where(mel < _LINEAR_MEL, linear, _LINEAR_HZ * np.exp((mel - _LINEAR_MEL) * _LOG_STEP))
