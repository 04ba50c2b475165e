"""Training noises of people: casino, computer keyboard, eating chips, machine guns, motorcycles.

Each function takes a generator and returns `SECONDS` seconds of float64 sound at 16 kHz of arbitrary level.
Its docstring says what is pictured and what the spectrogram shows; `docs/embedded_corpus.md` has the
pictures.
"""

import numpy as np
from scipy import signal

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


def casino(rng: np.random.Generator) -> np.ndarray:
    """Render a hall of slot machines with a crowd behind.

    Five machines play arpeggios of short decaying notes (pentatonic, 500 to 2100 Hz, three harmonics):
    ladders of level lines. Now and then coins fall: showers of clinks at 3 to 7 kHz. Reels tick. Beneath, a
    murmur: noise with speech's long-term spectrum in which eight slow envelopes flicker about four times a
    second. Medium: the murmur is hard, tunes are lines.
    """
    scene = np.zeros(n_samples(SECONDS))
    scale = 523.25 * 2 ** (np.array([0, 2, 4, 7, 9, 12, 14, 16, 19, 21, 24]) / 12)
    for _ in range(5):
        level, step = rng.uniform(0.15, 0.45), rng.uniform(0.09, 0.15)
        for at in instants(rng, SECONDS, lambda: rng.uniform(3.0, 6.0), first=3.0):
            walk = np.cumsum(rng.choice([-2, -1, 1, 2, 3], rng.integers(8, 18))) % len(scale)
            for beat, note in enumerate(scale[walk]):
                place(scene, level * _bell(note), at + step * beat)
    for at in instants(rng, SECONDS, lambda: rng.uniform(4.0, 8.0), first=4.0):
        for clink in np.cumsum(rng.exponential(0.07, rng.integers(10, 35))):
            place(scene, 0.35 * rng.uniform(0.3, 1.0) * _coin(rng), at + clink)
    for at in instants(rng, SECONDS, lambda: rng.uniform(3.0, 6.0), first=2.0):
        for tick in np.arange(rng.integers(12, 30)) * 0.055:
            place(scene, 0.5 * rng.standard_normal(40) * np.exp(-np.arange(40) / 8), at + tick)
    for _ in range(8):
        centre = rng.uniform(350, 900)
        voice = coloured(rng, SECONDS, lambda f, c=centre: bump(f, c, 0.7) + 0.25 * bump(f, 2.6 * c, 0.5))
        scene += 0.06 * voice * wander(rng, SECONDS, 8) ** 2
    return reverberate(rng, scene, decay=0.9, level=0.35, damping=3000)


def _bell(pitch: float) -> np.ndarray:
    t = times(0.4)
    return sum(np.sin(2 * np.pi * pitch * k * t) * np.exp(-t * (6 + 4 * k)) / k for k in (1, 2, 3))


def _coin(rng: np.random.Generator) -> np.ndarray:
    t = times(0.12)
    modes = rng.uniform(2900, 3500) * np.array([1.0, 1.52, 2.07])
    return sum(np.sin(2 * np.pi * mode * t) for mode in modes) * np.exp(-t / 0.025)


def computer_keyboard(rng: np.random.Generator) -> np.ndarray:
    """Render one person typing on a mechanical keyboard in a quiet room.

    A key is two impacts, down and 60 to 110 ms later the weaker up; each is some milliseconds of noise in
    the case's resonances at 350, 1400 and 3600 Hz, the space bar lower. Words of two to nine keys, five to
    nine keys a second, short pauses. Vertical stripes over the full band on a faint room hum: sparse in
    time, so most speech frames are nearly clean and some are covered.
    """
    room = coloured(rng, SECONDS, lambda f: 1 / (1 + (f / 150) ** 1.2))
    scene = 0.006 * room
    now = 0.2
    while now < SECONDS:
        pace = rng.uniform(0.11, 0.19)
        for _ in range(rng.integers(2, 10)):
            for delay, level in ((0, 1.0), (rng.uniform(0.06, 0.11), rng.uniform(0.25, 0.5))):
                place(scene, level * rng.uniform(0.6, 1.0) * _key(rng, 1.0), now + delay)
            now += pace * rng.uniform(0.6, 1.5)
        place(scene, 1.3 * _key(rng, 0.6), now)
        now += rng.uniform(0.15, 0.4) + (rng.uniform(0.4, 1.0) if rng.uniform() < 0.2 else 0)
    return scene


def _key(rng: np.random.Generator, size: float) -> np.ndarray:
    strike = rng.standard_normal(n_samples(0.06)) * np.exp(-times(0.06) / 0.003)
    bodies = ((350, 180, 1.2), (1400, 400, 1.0), (3600, 900, 0.9))
    sound = sum(g * resonate(strike, size * f * rng.uniform(0.9, 1.1), b) for f, b, g in bodies)
    return (sound + 0.05 * strike) / np.abs(sound).max()


def eating_chips(rng: np.random.Generator) -> np.ndarray:
    """Render someone eating crisps close to the microphone.

    Brittle cells snap one by one: a bite or chew is a cloud of clicks, each under a millisecond, with
    power-law strengths, dense at first and thinning within 0.15 to 0.3 s, heard through cheeks that boost 1
    to 3 kHz. Five to nine chews follow a bite, ever softer and duller; between bites the bag crackles above
    3 kHz. Grainy vertical blocks at the rate of syllables: a hard noise.
    """
    scene = 0.01 * coloured(rng, SECONDS, lambda f: bump(f, 300, 2))
    now = 0.1
    while now < SECONDS:
        for wetness in np.linspace(0.0, 1.0, rng.integers(6, 11)):
            place(scene, (1 - 0.6 * wetness) * _crunch(rng, wetness), now)
            now += rng.uniform(0.38, 0.62)
        length = rng.uniform(0.4, 0.9)
        snaps = rng.standard_normal(n_samples(length)) * (rng.uniform(size=n_samples(length)) < 0.01)
        bag = resonate(snaps, 5200, 2500) + 0.4 * resonate(snaps, 3400, 800)
        place(scene, 1.2 * bag * wander(rng, length, 8), now)
        now += length
    return scene


def _crunch(rng: np.random.Generator, wetness: float) -> np.ndarray:
    length = rng.uniform(0.16, 0.3)
    t = times(length)
    snaps = (rng.uniform(size=len(t)) < 0.12 * np.exp(-3.5 * t / length)) * rng.pareto(2.2, len(t))
    snaps = np.minimum(snaps, 5) * rng.choice([-1, 1], len(t))
    cheeks = (
        resonate(snaps, 1500 - 500 * wetness, 1100) + 0.6 * resonate(snaps, 2900, 900) + 0.2 * (1 - wetness) * snaps
    )
    jaw = resonate(snaps, 240, 120)
    sound = (cheeks + 1.5 * jaw) * np.minimum(t / 0.01, 1)
    return sound / (6 * sound.std())


def machine_guns(rng: np.random.Generator) -> np.ndarray:
    """Render two guns that exchange bursts in a valley.

    A shot is a crack of one millisecond and a blast of noise that dies within 40 ms, tilted towards 200 to
    800 Hz, over a boom of 85 Hz; hillsides answer it four times, later and duller. The near gun fires 11,
    the far one 8 times a second, three to twelve shots a burst. Regular full-band stripes with smeared low
    tails; loud, with pauses that hold only echoes: easy in the pauses, hopeless in the stripes.
    """
    scene = np.zeros(n_samples(SECONDS))
    guns = ((11.2, 1.0, 1.0), (8.3, 0.5, 0.35))  # shots per second, level, brightness
    for rate, level, brightness in guns:
        for at in instants(rng, SECONDS, lambda: rng.uniform(1.2, 3.0), first=1.0):
            for k in range(rng.integers(3, 13)):
                place(scene, level * _shot(rng, brightness), at + k / rate + rng.normal(0, 0.002))
    echoes = np.zeros(len(scene))
    for delay, loss in ((0.11, 0.3), (0.24, 0.22), (0.43, 0.15), (0.71, 0.1)):
        dull = signal.lfilter([0.18], [1, -0.82], scene)
        echoes[n_samples(delay) :] += 2 * loss * dull[: -n_samples(delay)]
    outdoors = coloured(rng, SECONDS, lambda f: 1 / (1 + f / 200))
    return reverberate(rng, scene + echoes, decay=1.5, level=0.2, damping=600) + 0.01 * outdoors


def _shot(rng: np.random.Generator, brightness: float) -> np.ndarray:
    t = times(0.25)
    hiss = rng.standard_normal(len(t)) * np.exp(-t / 0.012)
    blast = resonate(hiss, 300, 250) + 0.7 * resonate(hiss, 750, 500) + 0.25 * brightness * hiss
    crack = np.where(t < 0.001, 1 - 2 * t / 0.001, 0)
    return 2 * blast + brightness * crack + 0.35 * np.sin(2 * np.pi * 85 * t) * np.exp(-t / 0.06)


def motorcycles(rng: np.random.Generator) -> np.ndarray:
    """Render two motorcycles, a V-twin and a four-cylinder, that accelerate, change gear and pass by.

    Each combustion is a pulse into the exhaust's resonances at 110 to 2200 Hz, with a puff of noise. Engine
    speed climbs for two to four seconds, drops at a gear change, climbs again: fans of parallel harmonics
    from 30 Hz to 4 kHz that sweep upwards and fall back, in two layers of different spacing. Harmonic,
    moving and loudest below 2 kHz: a hard noise.
    """
    scene = 0.03 * coloured(rng, SECONDS, lambda f: 1 / (1 + f / 400))
    engines = (
        ((0.0, 0.41), 1500, 5200, ((110, 60), (260, 120), (780, 300), (1900, 700)), 0.6),
        ((0.0, 0.25, 0.5, 0.75), 3000, 9000, ((240, 100), (620, 200), (1350, 400), (2200, 800)), 0.5),
    )
    for firings, low, high, pipes, level in engines:
        cycles = np.cumsum(_engine_speed(rng, low, high) / 120) / RATE  # a four-stroke's cycle is two turns
        pulses = np.zeros(n_samples(SECONDS))
        for offset in firings:
            beats = np.flatnonzero(np.diff(np.floor(cycles - offset)))
            pulses[beats] += rng.uniform(0.8, 1.1) * rng.normal(1, 0.05, len(beats))
        puff = signal.lfilter([1], [1, -0.985], pulses) * rng.standard_normal(len(pulses))
        source = pulses + 0.04 * puff
        exhaust = sum(resonate(source, f, b) / (k + 1) ** 0.3 for k, (f, b) in enumerate(pipes))
        passing = 0.25 + wander(rng, SECONDS, 0.3) ** 1.5
        scene += level * passing * exhaust / exhaust.std()
    return scene


def _engine_speed(rng: np.random.Generator, low: float, high: float) -> np.ndarray:
    """Return revolutions per minute over time: climbs that end in a gear change or in idling down."""
    corners, values, now, rpm = [0.0], [low * 1.2], 0.0, low * 1.2
    while now < SECONDS:
        climb = rng.uniform(1.6, 3.6)
        top = rng.uniform(0.65, 1.0) * high
        drop = max(low, top * rng.uniform(0.45, 0.72))
        corners += [now + climb, now + climb + 0.35]
        values += [max(top, rpm), drop]
        now, rpm = now + climb + 0.35, drop
    return np.interp(times(SECONDS), corners, values)
