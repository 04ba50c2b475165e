"""The few tools that every noise generator shares: spectra, envelopes, resonances, echoes, event times.

The noises of the embedded corpus are physical sketches: something is struck, blown or turned, and a body, a
pipe or a room colours it. What differs between two noises is written in their own modules; only what would
be the same sentence everywhere is here: Gaussian noise with a given spectrum, a slowly wandering curve, a
two-pole resonance, a diffuse reverberation, and adding an event at its time. Nothing here makes a
recognisable sound by itself.

Everything is float64 with an explicit generator. All times are seconds, all frequencies hertz, at 16 kHz.
"""

from collections.abc import Callable, Iterator

import numpy as np
from scipy import signal

RATE = 16000


def n_samples(seconds: float) -> int:
    """Return the number of samples in `seconds`."""
    return round(seconds * RATE)


def times(seconds: float) -> np.ndarray:
    """Return the instants of the samples of a sound of `seconds`, shape (samples,)."""
    return np.arange(n_samples(seconds)) / RATE


def coloured(rng: np.random.Generator, seconds: float, gain: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Make stationary Gaussian noise of unit std whose magnitude spectrum follows ``gain(frequencies)``."""
    spectrum = np.fft.rfft(rng.standard_normal(n_samples(seconds)))
    frequencies = np.fft.rfftfreq(n_samples(seconds), 1 / RATE)
    spectrum *= gain(frequencies)
    spectrum[0] = 0
    noise = np.fft.irfft(spectrum, n_samples(seconds))
    return noise / noise.std()


def bump(frequencies: np.ndarray, centre: float, octaves: float) -> np.ndarray:
    """Return a Gaussian hill over log-frequency: 1 at `centre`, exp(-1/2) `octaves` away from it."""
    return np.exp(-0.5 * (np.log2(np.maximum(frequencies, 1.0) / centre) / octaves) ** 2)


def wander(rng: np.random.Generator, seconds: float, rate: float) -> np.ndarray:
    """Return a smooth random curve within [0, 1]: `rate` uniform values a second, joined by half cosines."""
    position = times(seconds) * rate
    knots = rng.uniform(size=int(position[-1]) + 2)
    left = position.astype(int)
    blend = 0.5 - 0.5 * np.cos(np.pi * (position - left))
    return knots[left] * (1 - blend) + knots[left + 1] * blend


def resonate(excitation: np.ndarray, frequency: float, bandwidth: float) -> np.ndarray:
    """Filter by a two-pole resonance at `frequency`, -3 dB wide `bandwidth`, of about unit peak gain."""
    radius = np.exp(-np.pi * bandwidth / RATE)
    angle = 2 * np.pi * frequency / RATE
    gain = (1 - radius) * np.sqrt(1 - 2 * radius * np.cos(2 * angle) + radius**2)
    return signal.lfilter([gain], [1.0, -2 * radius * np.cos(angle), radius**2], excitation)


def reverberate(rng: np.random.Generator, dry: np.ndarray, decay: float, level: float, damping: float) -> np.ndarray:
    """Add a diffuse tail: exponentially decaying noise, -60 dB after `decay` s, low-passed at `damping` Hz.

    `level` is the ratio of the tail's standard deviation to the dry sound's.
    """
    response = coloured(rng, decay, lambda f: 1 / np.sqrt(1 + (f / damping) ** 2)) * np.exp(-6.9 * times(decay) / decay)
    tail = signal.fftconvolve(dry, response)[: len(dry)]
    return dry + tail * (level * dry.std() / tail.std())


def place(scene: np.ndarray, event: np.ndarray, at: float) -> None:
    """Add `event` to `scene` in place from the instant `at` on; what reaches beyond the end is cut."""
    start = n_samples(at)
    stop = min(start + len(event), len(scene))
    if start < stop:
        scene[start:stop] += event[: stop - start]


def instants(rng: np.random.Generator, seconds: float, gap: Callable[[], float], first: float) -> Iterator[float]:
    """Give event times: one within [0, `first`), then each ``gap()`` later, up to `seconds`."""
    now = rng.uniform(0, first)
    while now < seconds:
        yield now
        now += gap()
