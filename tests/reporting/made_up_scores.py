"""Made-up scores of a whole run, with a known truth behind them, for tests and for looking at pages.

A score is a curve of the system (dB over L) plus effects of the speaker, utterance and noise that all systems
share, plus an effect of the repeat (the dictionary that was drawn) and a little noise of its own.
"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from blsh.reporting.scores import DTYPES, check_scores

BITS = (1, 5, 10, 25, 50, 100, 125, 150, 300)
FEATURES = ("stft", "mel")
RHO = (0.1, 0.01)
TABLE_BITS = (50, 150, 300)
FEATURE_WIDTHS = {"stft": 513, "mel": 128}
SWEEP = ("sdr", "si_sdr", "delta_sdr")

NOISES = {
    "closed": ("dog", "baby", "clock", "sneeze", "chainsaw", "rooster"),
    "validation": ("fire_crackling", "dog"),
    "open": ("rain", "sea_waves", "helicopter"),
}
CONTROLS = {"mixture": 0.05, "constant": 1.9, "ibm": 16.5, "irm": 17.4}


def curve(system: str, feature: str, rho: float, n_bits: int) -> float:
    """The truth: mean SDR in dB on the open set."""
    loss = 0.45 if rho < 0.05 else 0.0
    if system == "knn":
        return (4.24 if feature == "stft" else 4.35) - (0.52 if rho < 0.05 else 0.0)
    if system == "blsh":
        if feature == "stft":
            return 0.6 + 4.1 * (1 - np.exp(-((n_bits / 70) ** 0.65))) - 0.7 * loss
        return 1.0 + 3.3 * (1 - np.exp(-((n_bits / 18) ** 0.9))) - 0.7 * loss
    top = 3.9 if feature == "stft" else 4.1
    return -0.4 + top * (1 - np.exp(-((n_bits / 40) ** 0.55))) - loss


def mixtures(set_name: str, rng: np.random.Generator, *, speakers: int, utterances: int) -> pd.DataFrame:
    rows = []
    for speaker in range(speakers):
        voice = rng.normal(0, 0.4)
        for utterance in range(utterances):
            words, seconds = rng.normal(0, 0.3), float(rng.integers(30, 120)) / 10
            for place, noise in enumerate(NOISES[set_name]):
                rows.append(
                    {
                        "set": set_name,
                        "snr_db": 0.0,
                        "utterance": f"{set_name}-{speaker:02d}-{utterance:02d}",
                        "speaker": f"{set_name}-{speaker:02d}",
                        "gender": "FM"[speaker % 2],
                        "noise": noise,
                        "seconds": seconds,
                        "effect": voice + words + 1.2 * (place - 1) + rng.normal(0, 0.2),
                    }
                )
    return pd.DataFrame(rows)


def expected_cells(*, sets=tuple(NOISES), bits=BITS, features=FEATURES, rhos=RHO, repeats=3, profiles=("authors2022",)):
    """The grid of cells and repeats that a run is to score."""
    rows = []

    def add(set_name, system, feature="", profile="", rho=0.0, n_bits=0, repeat=0):
        target = "ssm" if system == "blsh" else ""
        n_neighbours = 10 if rho else 0
        rows.append((set_name, 0.0, system, "", feature, target, profile, rho, n_bits, n_neighbours, repeat))

    for set_name in sets:
        for system in CONTROLS:
            add(set_name, system)
        for feature, rho, repeat in itertools.product(features, rhos, range(repeats)):
            add(set_name, "knn", feature, "", rho, 0, repeat)
            for n_bits in bits:
                add(set_name, "lsh", feature, "", rho, n_bits, repeat)
                add(set_name, "lsh_fixed", feature, "", rho, n_bits, repeat)
                for profile in profiles:
                    add(set_name, "blsh", feature, profile, rho, n_bits, repeat)
    columns = (
        "set",
        "snr_db",
        "system",
        "variant",
        "feature",
        "target",
        "profile",
        "rho",
        "n_bits",
        "n_neighbours",
    )
    return pd.DataFrame(rows, columns=[*columns, "repeat"])


def make_scores(
    expected: pd.DataFrame,
    *,
    seed: int = 0,
    speakers: int = 6,
    utterances: int = 2,
    table_bits: tuple[int, ...] = TABLE_BITS,
    curve=curve,
    repeat_spread: dict[str, float] | None = None,
) -> pd.DataFrame:
    """Score every expected cell on made-up mixtures."""
    rng = np.random.default_rng(seed)
    sets = {
        name: mixtures(name, rng, speakers=speakers, utterances=utterances) for name in sorted(set(expected["set"]))
    }
    spreads = {"lsh": 0.15, "lsh_fixed": 0.06, "blsh": 0.05, "knn": 0.05} | (repeat_spread or {})
    frames = []
    for cell in expected.itertuples(index=False):
        table = sets[cell.set]
        drawn = np.random.default_rng([seed, cell.repeat, int(1000 * cell.rho), *cell.system.encode()])
        if cell.system in CONTROLS:
            level = CONTROLS[cell.system]
            draw = 0.0
        else:
            level = curve(cell.system, cell.feature, cell.rho, cell.n_bits)
            draw = drawn.normal(0, spreads[cell.system] * (2 if cell.rho < 0.05 else 1))
        shift = 0.0 if cell.system == "mixture" else {"closed": 1.1, "validation": 0.2, "open": 0.0}[cell.set]
        share = 0.03 if cell.system == "mixture" else 1.0
        own = np.random.default_rng([seed, 7, cell.n_bits, cell.repeat, *cell.system.encode(), *cell.set.encode()])
        sdr = level + shift + draw + share * (table["effect"].to_numpy() + own.normal(0, 0.1, len(table)))
        frames.append(
            table.drop(columns=["effect"]).assign(
                **{name: getattr(cell, name) for name in expected.columns if name not in ("set", "snr_db")},
                sdr=sdr,
                sir=sdr + 7.5,
                sar=sdr + 1.6,
                si_sdr=sdr - 1.0,
                pesq=1.4 + 0.05 * sdr,
                estoi=0.7 + 0.01 * sdr,
                delta_sdr=sdr,
                status="ok",
                reason="",
            )
        )
    scores = pd.concat(frames, ignore_index=True)[list(DTYPES)]
    swept = (scores["n_bits"] > 0) & ~scores["n_bits"].isin(table_bits)
    for metric in ("sir", "sar", "pesq", "estoi"):
        scores.loc[swept, metric] = np.nan
    return check_scores(scores, "made up")


def make_training(*, profiles=("authors2022",), seeds=1, rounds=300, features=FEATURES) -> pd.DataFrame:
    rows = []
    for feature, profile, seed in itertools.product(features, profiles, range(seeds)):
        rng = np.random.default_rng(seed)
        for round_ in range(1, rounds + 1):
            if feature == "stft":
                beta = 1.02 - 0.0024 * round_
            else:
                beta = 0.3 + 0.9 * np.exp(-round_ / 9)
            beta += rng.normal(0, 0.01)
            epsilon = 1 / (1 + np.exp(beta))
            rows.append((feature, "ssm", profile, seed, round_, beta, epsilon, 4e5 / round_, 8))
    columns = [
        "feature",
        "target",
        "profile",
        "seed",
        "round",
        "beta",
        "epsilon",
        "effective_pairs",
        "passes",
    ]
    return pd.DataFrame(rows, columns=columns)


def make_ssm(*, features=FEATURES, bits=(10, 50, 300), size=250) -> dict[str, np.ndarray]:
    """Matrices of made-up frames that wander slowly, so that they have blocks like speech."""
    matrices = {}
    for place, feature in enumerate(features):
        rng = np.random.default_rng(place)
        states = rng.gamma(0.5, size=(12, 40))[np.repeat(rng.integers(0, 12, size // 5), 5)]
        frames = states + rng.gamma(0.4, size=states.shape) * 0.5
        frames /= np.linalg.norm(frames, axis=1, keepdims=True)
        matrices[f"{feature}/ssm/authors2022/truth"] = np.round(255 * np.clip(frames @ frames.T, 0, 1)).astype(np.uint8)
        for n_bits in bits:
            signs = np.sign((frames - frames.mean(axis=0)) @ rng.normal(size=(40, n_bits)) + 1e-9)
            similar = (signs @ signs.T / n_bits + 1) / 2
            matrices[f"{feature}/ssm/authors2022/bits_{n_bits}"] = np.round(255 * similar).astype(np.uint8)
    return matrices
