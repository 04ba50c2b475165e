"""Training noises of the open air: birds, cicadas, frogs, jungle, ocean.

Each function takes a generator and returns `SECONDS` seconds of float64 sound at 16 kHz of arbitrary level.
Its docstring says what is pictured and what the spectrogram shows; `docs/embedded_corpus.md` has the
pictures.
"""

import numpy as np

from blsh.corpora.noise_shaping import (
    RATE,
    bump,
    coloured,
    instants,
    n_samples,
    place,
    resonate,
    reverberate,
    times,
    wander,
)

SECONDS = 24.0


def birds(rng: np.random.Generator) -> np.ndarray:
    """Render six birds of three kinds around a clearing, with leaves behind them.

    A syrinx is nearly a sine oscillator: thin lines that glide between 2 and 7 kHz, as warbles (four to
    nine curved syllables), trills (a falling chirp about twenty times a second) and two or three long
    whistles with a faint octave. Between phrases only the leaves' faint hiss is left. Little lies below 1.5
    kHz: an easy noise.
    """
    scene = np.zeros(n_samples(SECONDS))
    for bird in range(6):
        pitch, level = rng.uniform(2300, 4800), rng.uniform(0.25, 1.0)
        phrase = (_warble, _trill, _whistle)[bird % 3]
        for at in instants(rng, SECONDS, lambda: 1.0 + rng.exponential(1.8), first=2.5):
            place(scene, level * rng.uniform(0.6, 1.0) * phrase(rng, pitch), at)
    scene = reverberate(rng, scene, decay=0.7, level=0.25, damping=3500)
    leaves = coloured(rng, SECONDS, lambda f: bump(f, 1800, 1.6)) * (0.4 + 0.6 * wander(rng, SECONDS, 0.7))
    return scene + 0.02 * leaves


def _glide(frequency: np.ndarray, octave: float) -> np.ndarray:
    """Make a gliding tone, and its octave at the amplitude `octave` where that is below 8 kHz."""
    phase = 2 * np.pi * np.cumsum(frequency) / RATE
    envelope = np.sin(np.pi * np.arange(len(phase)) / len(phase)) ** 2
    return envelope * (np.sin(phase) + octave * (frequency < RATE / 4) * np.sin(2 * phase))


def _warble(rng: np.random.Generator, pitch: float) -> np.ndarray:
    syllables = []
    for _ in range(rng.integers(4, 10)):
        x = np.linspace(0, 1, n_samples(rng.uniform(0.06, 0.16)))
        bend = rng.uniform(-0.35, 0.35) * x + rng.uniform(0.05, 0.2) * np.sin(2 * np.pi * rng.uniform(0.5, 2.5) * x)
        syllables += [
            _glide(pitch * rng.uniform(0.85, 1.3) * (1 + bend), 0.1),
            np.zeros(n_samples(rng.uniform(0.01, 0.06))),
        ]
    return np.concatenate(syllables)


def _trill(rng: np.random.Generator, pitch: float) -> np.ndarray:
    chirp = _glide(pitch * 1.25 * np.linspace(1.2, 0.8, n_samples(0.034)), 0.05)
    count = rng.integers(14, 30)
    train = np.tile(np.append(chirp, np.zeros(n_samples(rng.uniform(0.008, 0.022)))), count)
    return train * np.linspace(0.3, 1.0, len(train))


def _whistle(rng: np.random.Generator, pitch: float) -> np.ndarray:
    notes = []
    for _ in range(rng.integers(2, 4)):
        x = np.linspace(0, 1, n_samples(rng.uniform(0.22, 0.45)))
        notes += [
            _glide(pitch * 0.75 * rng.uniform(0.9, 1.15) * (1 + rng.uniform(-0.1, 0.1) * x), 0.25),
            np.zeros(n_samples(0.07)),
        ]
    return np.concatenate(notes)


def cicadas(rng: np.random.Generator) -> np.ndarray:
    """Render a hot afternoon's chorus: seven insects near by and countless ones behind.

    A tymbal buckles 120 to 260 times a second and every click rings for some milliseconds in the abdomen:
    bands at 3.5 to 6.8 kHz, finely striped in time, that swell and fade over seconds without ever stopping
    together. Nearly nothing below 2.5 kHz: the easiest of all.
    """
    scene = 0.5 * coloured(rng, SECONDS, lambda f: bump(f, 5000, 0.22)) * (0.6 + 0.4 * wander(rng, SECONDS, 0.4))
    for _ in range(7):
        clicks = np.zeros(n_samples(SECONDS))
        rate = rng.uniform(120, 260) * (1 + 0.06 * wander(rng, SECONDS, 1.5))
        beats = np.flatnonzero(np.diff(np.floor(np.cumsum(rate) / RATE)))
        clicks[beats] = rng.uniform(0.6, 1.0, len(beats))
        insect = resonate(clicks, rng.uniform(3500, 6800), rng.uniform(120, 300))
        swell = wander(rng, SECONDS, rng.uniform(0.3, 0.7)) ** 2
        scene += rng.uniform(0.4, 1.0) * insect / insect.std() * (0.1 + swell)
    return scene + 0.02 * coloured(rng, SECONDS, lambda f: bump(f, 700, 2.0))


def frogs(rng: np.random.Generator) -> np.ndarray:
    """Render a pond at night: three croakers, two bullfrogs, four peepers.

    Croaks are trains of 30 to 45 pulses a second that ring at about 700 and 1700 Hz, so they look like
    coarse vowels; bullfrogs are harmonics of 95 to 130 Hz under a broad low formant; peepers are short
    tones near 2.8 kHz. Bursts of 0.1 to 0.7 s with gaps that the others fill. Formants, pulses and rhythm
    all lie where speech lies: a hard noise.
    """
    scene = 0.02 * coloured(rng, SECONDS, lambda f: bump(f, 400, 1.5))
    for _ in range(3):
        formants = rng.uniform(550, 900), rng.uniform(1400, 2000)
        for at in instants(rng, SECONDS, lambda: rng.uniform(0.7, 1.9), first=1.5):
            place(scene, rng.uniform(0.5, 1.0) * _croak(rng, rng.uniform(30, 45), formants, (90, 140)), at)
    for pitch in rng.uniform(95, 130, 2):
        for at in instants(rng, SECONDS, lambda: rng.uniform(1.5, 3.5), first=3.0):
            for beat in range(rng.integers(1, 4)):
                place(scene, 0.9 * _croak(rng, pitch, (260, 620), (60, 120)), at + 0.55 * beat)
    for pitch in rng.uniform(2500, 3100, 4):
        level = rng.uniform(0.1, 0.35)
        for at in instants(rng, SECONDS, lambda: rng.uniform(0.5, 1.2), first=1.0):
            x = np.linspace(0, 1, n_samples(0.11))
            place(
                scene,
                level * np.sin(np.pi * x) ** 2 * np.sin(2 * np.pi * pitch * (x + 0.02 * x**2) * 0.11),
                at,
            )
    return reverberate(rng, scene, decay=0.5, level=0.15, damping=2500)


def _croak(
    rng: np.random.Generator, rate: float, formants: tuple[float, float], widths: tuple[float, float]
) -> np.ndarray:
    length = n_samples(rng.uniform(0.3, 0.65))
    pulses = np.zeros(length)
    beats = np.cumsum(RATE / rate * rng.normal(1, 0.02, int(length * rate / RATE) + 1)).astype(int)
    pulses[beats[beats < length]] = 1
    call = sum(resonate(pulses, f, w) for f, w in zip(formants, widths, strict=True))
    return call / np.abs(call).max() * np.sin(np.pi * np.arange(length) / length) ** 0.7


def jungle(rng: np.random.Generator) -> np.ndarray:
    """Render rain forest at dawn: insects, hooting apes, roars, dripping leaves.

    Three steady insect bands between 3 and 6 kHz, flickering 12 to 40 times a second; hoots, a tone with
    four harmonics that rises from about 450 to 1000 Hz; roars, noise under formants at 350 and 900 Hz that
    throbs 25 times a second; drips, short clicks that ring near 1.8 kHz. The upper half is easy, hoots and
    roars lie on the vowels.
    """
    scene = 0.05 * coloured(rng, SECONDS, lambda f: bump(f, 900, 1.8))
    instant = times(SECONDS)
    for centre in (3150, 4350, 5600):
        flicker = 0.5 + 0.5 * np.sin(2 * np.pi * rng.uniform(12, 40) * instant)
        band = coloured(rng, SECONDS, lambda f, c=centre: bump(f, c, 0.03))
        scene += 0.14 * band * flicker * (0.3 + 0.7 * wander(rng, SECONDS, 0.5))
    for at in instants(rng, SECONDS, lambda: rng.uniform(2.0, 4.5), first=2.0):
        base = rng.uniform(380, 520)
        for hoot in range(rng.integers(2, 6)):
            x = np.linspace(0, 1, n_samples(rng.uniform(0.28, 0.5)))
            phase = 2 * np.pi * np.cumsum(base * (1 + 0.12 * hoot) * (1 + 0.9 * x**2)) / RATE
            tone = sum(np.sin(k * phase) / k**1.5 for k in range(1, 5))
            place(scene, 0.45 * np.sin(np.pi * x) * tone, at + 0.42 * hoot)
    for at in instants(rng, SECONDS, lambda: rng.uniform(4.0, 7.0), first=4.0):
        length = rng.uniform(1.4, 2.6)
        breath = coloured(
            rng, length, lambda f: bump(f, 350, 0.5) + 0.5 * bump(f, 900, 0.3) + 0.08 * bump(f, 2400, 0.5)
        )
        throb = 0.6 + 0.4 * np.sin(2 * np.pi * 25 * times(length))
        place(scene, 0.4 * breath * throb * np.sin(np.pi * times(length) / length), at)
    for at in instants(rng, SECONDS, lambda: rng.exponential(0.35), first=0.3):
        drip = np.zeros(n_samples(0.05))
        drip[0] = 1
        place(scene, rng.uniform(1, 6) * resonate(drip, rng.uniform(1300, 2600), 60), at)
    return reverberate(rng, scene, decay=1.2, level=0.3, damping=1800)


def ocean(rng: np.random.Generator) -> np.ndarray:
    """Render surf on a sandy beach, a wave every four to seven seconds.

    Broad noise in three layers per wave: a low roll while it rises, the crash over all frequencies, the
    foam's hiss that outlives it. So the spectrogram breathes: dark between waves, tilted down at first,
    bright to 7 kHz after the break, never quite silent. Speech lies under it during a wave and is bare
    between: medium.
    """
    instant = times(SECONDS)
    layers = (  # centre and width of the band, seconds before its peak, decay after it, level
        (140, 1.0, 1.3, 1.0, 1.0),
        (800, 1.0, 0.35, 0.9, 0.8),
        (3200, 0.9, 0.25, 1.8, 0.35),
    )
    breaks = list(instants(rng, SECONDS + 4, lambda: rng.uniform(4.0, 7.0), first=3.0))
    strengths = rng.uniform(0.5, 1.0, len(breaks))
    scene = 0.06 * coloured(rng, SECONDS, lambda f: 1 / (1 + f / 300))
    for centre, octaves, rise, decay, level in layers:
        swell = np.full(len(instant), 0.08)
        for at, strength in zip(breaks, strengths, strict=True):
            age = instant - at - (0.4 if centre > 2000 else 0)
            swell += strength * np.where(
                age < 0, np.exp(np.minimum(age, 0) / rise), np.exp(-np.maximum(age, 0) / decay)
            )
        churn = 0.75 + 0.5 * wander(rng, SECONDS, 9)
        scene += level * swell * churn * coloured(rng, SECONDS, lambda f, c=centre, o=octaves: bump(f, c, o))
    return scene
