"""Open-set noises of weather and water: rain on a tent, a river, wind.

They are used in tests only. Each is another physical picture than the training noises and shares no
generator with them; what is common is `noise_shaping`. Each function returns `SECONDS` seconds of float64
sound at 16 kHz.
"""

import numpy as np
from scipy import signal

from blsh.corpora.noise_shaping import RATE, bump, coloured, n_samples, resonate, times, wander

SECONDS = 24.0


def rain_on_tent(rng: np.random.Generator) -> np.ndarray:
    """Render rain that drums on stretched canvas above the listener.

    Forty to two hundred drops a second, as the shower comes and goes, each a tick and a thud: the canvas
    rings for some 20 ms in modes between 180 and 1100 Hz that depend on the panel it hits. Heavy drips from
    a branch fall once or twice a second. Dense fine stripes with a low, drum-like body over the rain's
    steady hiss from outside. Broad and busy within speech's band: hard.
    """
    shower = 40 + 160 * wander(rng, SECONDS, 0.35)
    scene = 0.05 * coloured(rng, SECONDS, lambda f: bump(f, 3500, 1.0)) * np.sqrt(shower / 100)
    for panel in range(8):
        falls = rng.uniform(size=len(shower)) < shower / 8 / RATE
        if panel < 2:  # these lie under the branch
            falls[rng.integers(0, len(falls), int(0.8 * SECONDS))] = True
        weight = rng.lognormal(0, 0.6, len(falls)) * (1.6 if panel < 2 else 1.0)
        scene += signal.fftconvolve(falls * weight, _thud(rng))[: len(scene)]
    return scene


def _thud(rng: np.random.Generator) -> np.ndarray:
    """Make one drop on one panel: membrane modes (ratios of a round drum's) and a tick."""
    t = times(0.12)
    base = rng.uniform(180, 360)
    modes = sum(
        np.sin(2 * np.pi * base * ratio * t + rng.uniform(0, 6)) * np.exp(-t * (45 + 30 * ratio)) / ratio**0.5
        for ratio in (1.0, 1.593, 2.136, 2.295, 2.917)
    )
    tick = rng.standard_normal(len(t)) * np.exp(-t / 0.0015)
    return modes * np.minimum(t / 0.001, 1) + 0.7 * tick


def river(rng: np.random.Generator) -> np.ndarray:
    """Render a brook over stones.

    Falling water traps air, and a bubble of radius r sings at 3.26/r Hz (r in metres), its pitch rising a
    little as it nears the surface: thousands of damped chirps of 5 to 40 ms between 350 and 4500 Hz, in
    gushes, on a low rush. The spectrogram is a dense field of short bright dots and dashes, thickest from
    500 to 2500 Hz, that never pauses. It fills the gaps of speech as well as the vowels: hard.
    """
    rush = coloured(rng, SECONDS, lambda f: bump(f, 350, 1.3) + 0.1 * bump(f, 2500, 1.2))
    scene = 0.5 * rush * (0.7 + 0.3 * wander(rng, SECONDS, 2))
    gush = wander(rng, SECONDS, 3.0) + 0.3
    for pitch in np.geomspace(350, 4500, 28) * rng.uniform(0.96, 1.04, 28):
        t = times(min(0.06, 60 / pitch))
        bubble = np.exp(-t * pitch / 9) * np.sin(2 * np.pi * pitch * t * (1 + 2.0 * t))
        per_second = 30 * np.exp(-0.5 * (np.log2(pitch / 1100) / 1.2) ** 2)
        born = rng.uniform(size=len(scene)) < per_second * gush / RATE
        scene += (
            signal.fftconvolve(born * rng.exponential(1.0, len(scene)), bubble)[: len(scene)] * (1000 / pitch) ** 0.5
        )
    return scene


def wind(rng: np.random.Generator) -> np.ndarray:
    """Render gusts around a house and through a fence.

    Turbulence is strongest at the lowest frequencies and its spectrum reaches higher the faster it blows:
    noise whose cut-off follows the gust. Wires and slits whistle at a pitch proportional to the speed
    (Strouhal: f = 0.2 v/d): two wavering bands between 400 and 1800 Hz. A loose tarpaulin flaps eleven
    times a second in strong gusts. Slow, mostly below 500 Hz, with soft curved whistles above: easy but for
    those.
    """
    speed = 0.25 + 0.5 * wander(rng, SECONDS, 0.35) + 0.25 * wander(rng, SECONDS, 1.7)
    scene = np.zeros(n_samples(SECONDS))
    for octave, cutoff in enumerate((90, 200, 450, 1000, 2200)):
        body = coloured(rng, SECONDS, lambda f, c=cutoff: bump(f, c, 0.6))
        scene += body * speed ** (1.5 + 1.1 * octave) * 0.55**octave
    for diameter, level in ((0.0016, 0.16), (0.0034, 0.22)):
        pitch = 0.2 * (14 * speed) / diameter
        breath = signal.lfilter([0.01], [1, -0.99], rng.standard_normal(len(scene)))
        jitter = signal.lfilter([0.002], [1, -0.998], rng.standard_normal(len(scene)))
        tone = np.sin(2 * np.pi * np.cumsum(pitch * (1 + 0.9 * jitter)) / RATE)
        scene += level * tone * speed**3 * (1 + 4 * breath)
    flaps = np.zeros(len(scene))
    beats = np.flatnonzero(np.diff(np.floor(np.cumsum(7 + 6 * speed) / RATE)))
    flaps[beats] = np.maximum(speed[beats] - 0.55, 0) * rng.uniform(0.4, 1.0, len(beats))
    cloth = rng.standard_normal(n_samples(0.05)) * np.exp(-times(0.05) / 0.01)
    return scene + 6 * resonate(signal.fftconvolve(flaps, cloth)[: len(scene)], 700, 900)
