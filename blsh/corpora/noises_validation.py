"""Validation noises: a kitchen and a vacuum cleaner.

Settings are chosen on these and on nothing else; they are neither trained on nor tested on, and share no
generator with the other noises; what is common is `noise_shaping`. Each function returns `SECONDS` seconds
of float64 sound at 16 kHz.
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


def kitchen(rng: np.random.Generator) -> np.ndarray:
    """Render a kitchen: onions are chopped beside a hissing pan; lids and pots clatter.

    The knife comes down four to six times a second in runs of five to fifteen: a wooden knock at 280 and
    850 Hz with the blade's tick. The pan sizzles: noise from 2 kHz up that crackles and drops when stirred.
    Pots and lids ring in three to six inharmonic modes between 450 and 5000 Hz for up to a second. Stripes,
    a bright upper bank and fading level lines: medium.
    """
    crackle = rng.standard_normal(n_samples(SECONDS)) * rng.pareto(2.5, n_samples(SECONDS))
    crackle = np.clip(crackle, -15, 15)
    sizzle = resonate(crackle, 5200, 2600) + 0.5 * resonate(crackle, 2600, 1200)
    scene = 0.13 * sizzle / sizzle.std() * (0.3 + 0.7 * wander(rng, SECONDS, 0.8))
    scene += 0.05 * coloured(rng, SECONDS, lambda f: bump(f, 500, 1.3))  # the extractor hood
    for at in instants(rng, SECONDS, lambda: rng.uniform(2.5, 4.5), first=1.0):
        pace = rng.uniform(0.16, 0.25)
        for cut in range(rng.integers(5, 16)):
            knock = rng.standard_normal(n_samples(0.1)) * np.exp(-times(0.1) / 0.004)
            board = resonate(knock, 280, 70) + 0.7 * resonate(knock, 850, 160) + 0.04 * knock
            place(scene, 1.1 * rng.uniform(0.5, 1.0) * board / np.abs(board).max(), at + pace * cut)
    for at in instants(rng, SECONDS, lambda: rng.exponential(1.6), first=1.5):
        t = times(1.2)
        modes = rng.uniform(450, 1400) * np.cumsum(np.append(1.0, rng.uniform(0.35, 0.9, rng.integers(2, 6))))
        ring = sum(np.sin(2 * np.pi * m * t) * np.exp(-t * rng.uniform(4, 14)) for m in modes if m < 5000)
        place(scene, rng.uniform(0.06, 0.28) * ring, at)
    return reverberate(rng, scene, decay=0.5, level=0.3, damping=3500)


def vacuum_cleaner(rng: np.random.Generator) -> np.ndarray:
    """Render a vacuum cleaner pushed over carpet and floor boards.

    The motor turns 390 to 440 times a second, slower when the nozzle sticks: its line, the brushes' double
    and the fan's sevenfold waver together. Suction is broad noise with a pipe resonance that moves between
    500 and 900 Hz with each stroke of about 1.3 s; on boards it is brighter, and grains rattle up the pipe.
    A full, nearly steady spectrum with wavy lines: broad cover over all of speech.
    """
    t = times(SECONDS)
    stroke = 0.5 + 0.5 * np.sin(2 * np.pi * np.cumsum(0.6 + 0.35 * wander(rng, SECONDS, 0.8)) / RATE)
    boards = np.interp(t, [8, 8.3, 15, 15.3], [0, 1, 1, 0])
    phase = 2 * np.pi * np.cumsum(440 - 50 * stroke * (1 - 0.6 * boards) + 6 * wander(rng, SECONDS, 4)) / RATE
    motor = np.sin(phase) + 0.5 * np.sin(2 * phase) + 0.25 * np.sin(3 * phase) + 0.35 * np.sin(7 * phase)
    low, high, bright = (
        coloured(rng, SECONDS, lambda f, c=c, o=o: bump(f, c, o) + 0.12 * bump(f, 1500, 2.0))
        for c, o in ((500, 0.35), (900, 0.35), (3200, 0.9))
    )
    suction = low * (1 - stroke) + high * stroke + (0.25 + 0.35 * boards) * bright
    scene = 0.3 * motor + suction * (0.8 + 0.2 * stroke)
    for at in instants(rng, SECONDS, lambda: rng.exponential(0.25), first=0.3):
        for grain in np.cumsum(rng.exponential(0.012, rng.integers(2, 9))):
            tick = rng.standard_normal(60) * np.exp(-np.arange(60) / 10)
            place(scene, (0.3 + boards[n_samples(at)]) * rng.uniform(0.3, 1.2) * tick, at + grain)
    return scene
