"""Open-set noises of places and machines: cafeteria, metro, station hall, traffic, washing machine.

They are used in tests only. Each is another physical picture than the training noises and shares no
generator with them; what is common is `noise_shaping`. Each function returns `SECONDS` seconds of float64
sound at 16 kHz.
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

# First three formants of eight vowels, hertz, rounded from textbook averages.
_VOWELS = (
    (300, 2250, 3000),
    (400, 1950, 2550),
    (550, 1800, 2500),
    (700, 1150, 2450),
    (580, 900, 2400),
    (450, 1050, 2250),
    (330, 900, 2250),
    (500, 1400, 1700),
)


def cafeteria(rng: np.random.Generator) -> np.ndarray:
    """Render fourteen people who talk at once among plates and cutlery.

    The talkers are a source-filter sketch of this module's own, not the speech engine: glottal pulses of 85
    to 260 Hz through three formants of random vowels, a syllable every 0.15 to 0.3 s, hissed consonants
    between, pauses for listening. Together: blurred formant blocks and harmonics up to 4 kHz; above it
    clinks, vertical strokes with a few ringing lines. It is speech-like by design: the hardest noise.
    """
    scene = 0.003 * coloured(rng, SECONDS, lambda f: bump(f, 400, 1.5))
    for talker in range(14):
        pitch = rng.uniform(85, 140) if talker % 2 else rng.uniform(160, 260)
        _talk(rng, scene, pitch, size=1.0 if talker % 2 else 1.16, level=rng.uniform(0.3, 1.0))
    for at in instants(rng, SECONDS, lambda: rng.exponential(0.4), first=0.4):
        modes = rng.uniform(900, 3200) * np.array([1.0, 1.71, 2.43])
        t = times(0.25)
        ring = sum(np.sin(2 * np.pi * m * t) * np.exp(-t * rng.uniform(15, 60)) for m in modes if m < 7600)
        place(scene, rng.uniform(0.05, 0.3) * ring, at)
    return reverberate(rng, scene, decay=0.8, level=0.5, damping=2500)


def _talk(rng: np.random.Generator, scene: np.ndarray, pitch: float, size: float, level: float) -> None:
    now = rng.uniform(0, 3)
    while now < SECONDS:
        for syllable in range(rng.integers(6, 18)):
            length = rng.uniform(0.12, 0.26)
            t = times(length)
            tune = pitch * (1.12 - 0.015 * syllable) * (1 + rng.uniform(-0.12, 0.12) * t / length)
            buzz = np.diff(np.floor(np.cumsum(tune) / RATE), prepend=0.0)
            flow = signal.lfilter([1], [1, -0.8], buzz)  # glottis and lips together: -6 dB per octave
            sound = sum(
                resonate(flow, f * size, w) * g
                for f, w, g in zip(_VOWELS[rng.integers(8)], (80, 110, 160), (1.0, 0.8, 0.6), strict=True)
            )
            place(scene, level * sound / max(np.abs(sound).max(), 1e-9) * np.sin(np.pi * t / length) ** 0.6, now)
            if rng.uniform() < 0.45:
                hiss = resonate(rng.standard_normal(n_samples(0.07)), rng.uniform(2500, 6000), 1500)
                place(scene, level * 0.25 * hiss * np.hanning(len(hiss)), now + length - 0.02)
            now += length + rng.uniform(0.01, 0.08)
        now += rng.uniform(0.3, 2.5)


def metro(rng: np.random.Generator) -> np.ndarray:
    """Render the inside of an underground train: it starts, runs, takes a curve and brakes.

    Rolling noise grows with the square of the speed; wheel pairs knock on rail joints 15 m apart, faster
    and faster; the motors' whine is a fan of lines proportional to speed, preceded at the start by the
    inverter's three fixed steps; in the curve a flange squeals at 2.6 kHz and its octave. The spectrogram
    is an arch of lines over a broad low bank with vertical knocks: low part hard, lines easy.
    """
    t = times(SECONDS)
    speed = 17 * np.interp(t, [0, 1.5, 9, 16, 22.5, 24], [0, 0, 1, 1, 0.05, 0]) + 0.3  # metres per second
    rolling = coloured(rng, SECONDS, lambda f: 1 / (1 + (f / 180) ** 1.3) + 0.25 * bump(f, 900, 0.7))
    scene = 0.7 * rolling * (speed / 17) ** 1.6 * (0.8 + 0.4 * wander(rng, SECONDS, 6))
    scene += 0.12 * coloured(rng, SECONDS, lambda f: bump(f, 500, 1.8))  # the air conditioning
    distance = np.cumsum(speed) / RATE
    thump = resonate(rng.standard_normal(n_samples(0.12)) * np.exp(-times(0.12) / 0.008), 160, 120)
    thump += 0.5 * resonate(rng.standard_normal(len(thump)) * np.exp(-times(0.12) / 0.004), 1100, 700)
    thump /= np.abs(thump).max()
    for axle in (0.0, 2.2, 11.5, 13.7):
        for beat in np.flatnonzero(np.diff(np.floor((distance + axle) / 15))):
            place(scene, 6.0 * rng.uniform(0.6, 1.0) * min(speed[beat] / 8, 1.2) * thump, beat / RATE)
    load = np.interp(t, [0, 1.4, 1.6, 9, 9.3, 15.8, 16.2, 22.4, 22.6], [0, 0, 1, 0.8, 0.25, 0.25, 0.7, 0.7, 0])
    for ratio, level in ((31, 0.25), (62, 0.2), (93, 0.12), (155, 0.1)):
        scene += level * load * np.sin(2 * np.pi * np.cumsum(ratio * speed) / RATE)
    steps = np.select([t < 1.5, t < 2.3, t < 3.1, t < 4.2], [0, 520, 700, 930], 0)
    scene += 0.15 * (steps > 0) * sum(np.sin(2 * np.pi * k * np.cumsum(steps) / RATE) / k for k in (1, 3, 5))
    curve = np.interp(t, [10.5, 11.2, 13.5, 14], [0, 1, 1, 0]) * wander(rng, SECONDS, 5)
    waver = 2600 * (1 + 0.01 * wander(rng, SECONDS, 12))
    squeal = np.sin(2 * np.pi * np.cumsum(waver) / RATE) + 0.4 * np.sin(4 * np.pi * np.cumsum(waver) / RATE)
    return scene + 0.3 * curve * squeal


def station_hall(rng: np.random.Generator) -> np.ndarray:
    """Render a large hall: steps, trolleys, a gong, an idling diesel, a braking train, and long echoes.

    Steps are pairs of click and thump, 1.6 to 2.1 a second for each of seven walkers; suitcase wheels
    rattle over tile joints 12 to 20 times a second for some seconds; the gong is three falling notes of
    bell partials; brakes squeal near 1.9 kHz with overtones. Two seconds of echo smear everything into
    clouds with soft right edges: medium.
    """
    dry = 0.03 * coloured(rng, SECONDS, lambda f: bump(f, 450, 1.6))
    for _ in range(7):
        stride, weight, enters = rng.uniform(0.48, 0.62), rng.uniform(0.3, 1.0), rng.uniform(-6, 16)
        for step in range(int(rng.uniform(10, 24))):
            at = enters + step * stride * rng.uniform(0.98, 1.02)
            if at > 0:
                place(dry, weight * np.sin(np.pi * (step + 1) / 25) * _footstep(rng), at)
    for start in (2.5, 10.5, 17.0):
        length = rng.uniform(3.0, 5.0)
        t = times(length)
        rattle = np.diff(np.floor(np.cumsum(rng.uniform(12, 20) * (1 + 0.1 * np.sin(2 * t))) / RATE), prepend=0.0)
        wheels = resonate(rattle + 0.02 * rng.standard_normal(len(t)), 1100, 600) + 0.6 * resonate(rattle, 2700, 900)
        place(dry, 0.12 * wheels / wheels.std() * np.sin(np.pi * t / length), start)
    for beat, pitch in enumerate((783.99, 659.26, 523.25)):
        t = times(2.0)
        partials = ((1.0, 1.0, 1.6), (2.0, 0.35, 2.6), (2.76, 0.2, 4.0), (5.4, 0.08, 7.0))
        gong = sum(g * np.sin(2 * np.pi * pitch * r * t) * np.exp(-d * t) for r, g, d in partials)
        place(dry, 0.45 * gong, 6.0 + 0.7 * beat)
        place(dry, 0.3 * gong, 19.0 + 0.7 * beat)
    t = times(SECONDS)
    knock = np.diff(np.floor(np.cumsum(23 + 0.6 * wander(rng, SECONDS, 1)) / RATE), prepend=0.0)
    diesel = resonate(knock, 70, 40) + 0.5 * resonate(knock, 210, 80) + 0.2 * resonate(knock, 900, 500)
    dry += 0.06 * diesel / diesel.std() * np.interp(t, [0, 8, 13, 24], [1.0, 0.9, 0.3, 0.8])
    brake = np.interp(t, [12.0, 12.6, 15.0, 15.4], [0, 1, 0.7, 0])
    tones = sum(np.sin(2 * np.pi * np.cumsum(1900 * k - 25 * t) / RATE) / k for k in (1.0, 1.49, 2.0, 3.02))
    dry += 0.13 * brake * tones * (0.5 + 0.5 * wander(rng, SECONDS, 14))
    return reverberate(rng, dry, decay=2.2, level=0.9, damping=1500)


def _footstep(rng: np.random.Generator) -> np.ndarray:
    heel = rng.standard_normal(n_samples(0.1)) * np.exp(-times(0.1) / 0.005)
    sound = resonate(heel, rng.uniform(110, 170), 60) * 2 + resonate(heel, rng.uniform(1500, 2600), 900)
    return sound / np.abs(sound).max()


def traffic(rng: np.random.Generator) -> np.ndarray:
    """Render the kerb of a wet street: cars and lorries pass every two seconds, a horn sounds twice.

    Tyres hiss broadly around 1 kHz; the level follows 1/distance, and the path reflected by the road combs
    the spectrum with notches that sweep down and up again as the car passes; engines add low lines that
    fall by the Doppler shift. Broad hills in time with curved dark stripes, over a constant rumble: medium,
    with horns (420 and 530 Hz with harmonics) on the vowels.
    """
    t = times(SECONDS)
    scene = 0.12 * coloured(rng, SECONDS, lambda f: 1 / (1 + (f / 150) ** 1.1))
    for at in instants(rng, SECONDS, lambda: rng.uniform(1.2, 3.2), first=1.0):
        lorry = rng.uniform() < 0.25
        velocity, aside = rng.uniform(9, 16) * rng.choice([-1, 1]), rng.uniform(3.5, 8)
        along = velocity * (t - at)
        distance = np.hypot(along, aside)
        tyres = coloured(rng, SECONDS, lambda f: bump(f, 950, 1.1) + 0.15 * bump(f, 4000, 0.8))
        lag = 2 * 0.3 * 1.2 / distance / 343  # seconds the reflected path is longer: source and ear at 0.3 and 1.2 m
        reflected = np.interp(t - lag, t, tyres)
        scene += 1.0 * (tyres + 0.7 * reflected) * aside / distance**1.5
        shift = 1 / (1 + velocity * along / distance / 343)
        fundamental = rng.uniform(28, 45) if lorry else rng.uniform(55, 95)
        phase = 2 * np.pi * np.cumsum(fundamental * shift) / RATE
        engine = sum(np.sin(k * phase + rng.uniform(0, 6)) / k**0.7 for k in range(1, 14))
        scene += (1.6 if lorry else 0.5) * engine / distance
    for at, length in ((7.3, 0.9), (16.1, 0.35)):
        x = times(length)
        horn = sum(np.sin(2 * np.pi * p * k * x) / k**0.8 for p in (420, 530) for k in range(1, 9))
        place(scene, 0.16 * horn * np.minimum(1, np.minimum(x, length - x) / 0.02), at)
    return scene


def washing_machine(rng: np.random.Generator) -> np.ndarray:
    """Render a washing machine: it washes both ways round, then spins up.

    Washing: a motor hum (100 Hz and harmonics) for six seconds, a pause, the other direction; laundry falls
    with a wet thump at every turn of the drum (0.85 a second) and water sloshes in the 300 to 1500 Hz band.
    From second 14 the drum spins up to 14 turns a second: lines that climb, a whine up to 3 kHz, and the
    housing rattles. Steady lines and a slow beat, then a rising comb: easy at first, medium at the end.
    """
    t = times(SECONDS)
    scene = 0.03 * coloured(rng, SECONDS, lambda f: bump(f, 300, 2.0))
    washing = np.interp(t, [0, 0.2, 6, 6.3, 7.5, 7.8, 13, 13.3], [0, 1, 1, 0, 0, 1, 1, 0])
    scene += washing * sum(a * np.sin(2 * np.pi * f * t + rng.uniform(0, 6)) for f, a in _HUM)
    slosh = coloured(rng, SECONDS, lambda f: bump(f, 650, 0.8) + 0.2 * bump(f, 2600, 0.8))
    scene += 0.22 * slosh * (0.2 + washing * (0.5 + 0.5 * np.sin(2 * np.pi * 0.85 * t)) ** 3)
    for at in np.arange(0.6, 13.0, 1 / 0.85) + rng.normal(0, 0.03, 15)[: len(np.arange(0.6, 13.0, 1 / 0.85))]:
        wet = rng.standard_normal(n_samples(0.25)) * np.exp(-times(0.25) / 0.03)
        fall = 1.5 * resonate(wet, 95, 50) + 0.5 * resonate(wet, 420, 300)
        place(scene, washing[n_samples(at)] * 0.9 * fall / np.abs(fall).max(), at)
    for at in instants(rng, 13.0, lambda: rng.exponential(0.9), first=1.0):  # buttons on the glass
        tap = np.zeros(n_samples(0.03))
        tap[0] = 1
        place(scene, 4 * washing[n_samples(at)] * resonate(tap, rng.uniform(2200, 4800), 250), at)
    turns = np.interp(t, [14, 20, 24], [0.0, 14.0, 14.0])
    spin = turns / 14
    for order, level in ((1, 0.25), (2, 0.2), (4, 0.12), (13, 0.2), (26, 0.12), (108, 0.12), (216, 0.06)):
        scene += level * spin * np.sin(2 * np.pi * np.cumsum(order * turns) / RATE)
    shake = np.maximum(np.sin(2 * np.pi * np.cumsum(turns) / RATE), 0) ** 4
    rattle = coloured(rng, SECONDS, lambda f: bump(f, 1300, 0.9) + 0.4 * bump(f, 3500, 0.6))
    return scene + 0.5 * spin**2 * rattle * (0.25 + shake)


_HUM = ((50, 0.05), (100, 0.25), (200, 0.12), (300, 0.1), (400, 0.05), (600, 0.04), (1200, 0.02))
