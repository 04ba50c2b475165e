"""Made-up scores of a whole run, with a known truth behind them, for tests and for looking at pages.

A score is a curve of the system (dB over L) plus effects of the speaker, utterance and noise that all systems
share, plus an effect of the repeat (the dictionary that was drawn) and a little noise of its own.

`expected_cells` is a run of the main systems; `every_kind_of_cell` has whatever a run can have besides: networks,
other targets, variants, switches, rival codes, other SNRs and VoiceBank-DEMAND.
"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from blsh.reporting.scores import CELL, DTYPES, check_scores

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
    "voicebank": ("",),
}
SETS = ("closed", "validation", "open")
SNRS = {"open_m5": -5.0, "open_p5": 5.0, "open_p10": 10.0}
NETWORKS = {
    **{
        ("fc", f"{layers}x{units}"): 5.0 + layers / 2 + units / 1000
        for layers in (3, 2)
        for units in (1024, 256, 64, 32)
    },
    **{("bilstm", f"2x{units}"): 8.0 + units / 1000 for units in (1024, 256, 64, 32)},
    ("conv_tasnet", "3x8"): 12.0,
}
TRAINED = (("fc", "3x256"), ("fc", "2x64"), ("bilstm", "2x64"))
RBF = ("rbf-0.9", "rbf-0.5", "rbf-0.1")
CONTROLS = {"mixture": 0.05, "constant": 1.9, "ibm": 16.5, "irm": 17.4}


RIVAL_GAINS = {"pca_sign": 0.1, "itq": 0.3, "residual": 1.0, "projections": -0.2}
VARIANT_GAINS = {"weighted": 0.15, "context5": 0.4, "switch-beta_scale": -0.25, "switch-matrices": -0.05}
TARGET_GAINS = {"rbf-0.9": -0.2, "rbf-0.5": -0.4, "rbf-0.1": -1.5, "mix-0.5": 0.3}


def curve(system: str, feature: str, rho: float, n_bits: int) -> float:
    """The truth: mean SDR in dB on the open set."""
    loss = 0.45 if rho < 0.05 else 0.0
    if system == "knn":
        return (4.24 if feature == "stft" else 4.35) - (0.52 if rho < 0.05 else 0.0)
    if system == "blsh":
        if feature == "stft":
            return 0.6 + 4.1 * (1 - np.exp(-((n_bits / 70) ** 0.65))) - 0.7 * loss
        return 1.0 + 3.3 * (1 - np.exp(-((n_bits / 18) ** 0.9))) - 0.7 * loss
    if system in RIVAL_GAINS:
        return curve("lsh", feature, rho, n_bits) + RIVAL_GAINS[system]
    top = 3.9 if feature == "stft" else 4.1
    return -0.4 + top * (1 - np.exp(-((n_bits / 40) ** 0.55))) - loss


def mixtures(set_name: str, rng: np.random.Generator, *, speakers: int, utterances: int) -> pd.DataFrame:
    rows = []
    # Sets at other SNRs have the utterances of the open set.
    source = set_name.partition("_")[0]
    for speaker in range(speakers):
        voice = rng.normal(0, 0.4)
        for utterance in range(utterances):
            words, seconds = rng.normal(0, 0.3), float(rng.integers(30, 120)) / 10
            for place, noise in enumerate(NOISES[source]):
                rows.append(
                    {
                        "set": set_name,
                        "snr_db": SNRS.get(set_name, 0.0),
                        "utterance": f"{source}-{speaker:02d}-{utterance:02d}",
                        "speaker": f"{source}-{speaker:02d}",
                        "gender": "FM"[speaker % 2],
                        "noise": noise,
                        "seconds": seconds,
                        "effect": voice + words + 1.2 * (place - 1) + rng.normal(0, 0.2),
                    }
                )
    return pd.DataFrame(rows)


def expected_cells(*, sets=SETS, bits=BITS, features=FEATURES, rhos=RHO, repeats=3, profiles=("authors2022",)):
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
    return pd.DataFrame(rows, columns=[*CELL, "repeat"])


def every_kind_of_cell(*, repeats=2) -> pd.DataFrame:
    """A run with everything that is shown, at few code lengths."""
    bits = (1, 10, 50, 150, 300)
    frames = [expected_cells(sets=("closed", "validation", "open"), bits=bits, repeats=repeats)]
    tabled = expected_cells(sets=("open",), bits=(50, 300), repeats=repeats)
    tabled = tabled[tabled["system"] != "lsh_fixed"]
    frames += [tabled.assign(set=name, snr_db=snr) for name, snr in SNRS.items()]
    frames += [tabled.assign(set="voicebank", snr_db=np.nan)]
    grid = frames[0]
    blsh = grid[(grid["system"] == "blsh") & (grid["feature"] == "stft")]
    frames += [blsh[blsh["set"] != "closed"].assign(target=target) for target in (*RBF, "mix-0.5")]
    at_table = blsh[(blsh["n_bits"] == 300) & (blsh["rho"] == 0.1) & (blsh["set"] != "closed")]
    frames += [at_table.assign(variant=variant) for variant in ("weighted", "context5", "switch-beta_scale")]
    lsh = at_table.assign(system="lsh", target="", profile="")
    frames += [lsh.assign(variant="switch-matrices")]
    frames += [
        lsh.drop(columns="n_bits")
        .merge(pd.Series((25, 50, 150, 300), name="n_bits"), how="cross")
        .assign(system=system)
        for system in RIVAL_GAINS
    ]
    alone = grid[(grid["system"] == "mixture") & (grid["set"] != "validation")]
    frames += [
        alone.assign(system=system, variant=variant, feature="stft" if system != "conv_tasnet" else "")
        for system, variant in NETWORKS
        if (system, variant) in TRAINED or system == "conv_tasnet"
    ]
    return pd.concat(frames, ignore_index=True)[[*CELL, "repeat"]]


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
    expected = expected.reset_index(drop=True)
    rng = np.random.default_rng(seed)
    sets = {
        name: mixtures(name, rng, speakers=speakers, utterances=utterances) for name in sorted(set(expected["set"]))
    }
    spreads = {"lsh": 0.15, "lsh_fixed": 0.06, "blsh": 0.05, "knn": 0.05} | (repeat_spread or {})
    parts, sdrs = [], []
    for cell in expected.itertuples(index=False):
        table = sets[cell.set]
        drawn = np.random.default_rng([seed, cell.repeat, int(1000 * cell.rho), *cell.system.encode()])
        draw = 0.0
        if cell.system in CONTROLS:
            level = CONTROLS[cell.system]
        elif (cell.system, cell.variant) in NETWORKS:
            level = NETWORKS[cell.system, cell.variant]
        else:
            level = curve(cell.system, cell.feature, cell.rho, cell.n_bits)
            level += VARIANT_GAINS.get(cell.variant, 0.0) + TARGET_GAINS.get(cell.target, 0.0)
            draw = drawn.normal(0, spreads.get(cell.system, 0.05) * (2 if cell.rho < 0.05 else 1))
        shift = 0.0 if cell.system == "mixture" else {"closed": 1.1, "validation": 0.2}.get(cell.set, 0.0)
        shift += np.nan_to_num(cell.snr_db)
        share = 0.03 if cell.system == "mixture" else 1.0
        names = f"{cell.system}{cell.set}{cell.variant}{cell.target.removeprefix('ssm')}"
        own = np.random.default_rng([seed, 7, cell.n_bits, cell.repeat, *names.encode()])
        sdrs.append(level + shift + draw + share * (table["effect"].to_numpy() + own.normal(0, 0.1, len(table))))
        parts.append(table)
    cells = expected.drop(columns=["set", "snr_db"])
    cells = cells.loc[np.repeat(expected.index, [len(part) for part in parts])].reset_index(drop=True)
    table = pd.concat([pd.concat(parts, ignore_index=True), cells], axis=1)
    sdr = np.concatenate(sdrs)
    scores = table.assign(
        sdr=sdr,
        sir=sdr + 7.5,
        sar=sdr + 1.6,
        si_sdr=sdr - 1.0,
        pesq=1.4 + 0.05 * sdr,
        estoi=0.7 + 0.01 * sdr,
        delta_sdr=sdr - CONTROLS["mixture"] - table["snr_db"].fillna(0.0),
        recall=np.where(table["n_bits"] > 0, 0.1 + 0.001 * table["n_bits"], np.nan),
        mask_accuracy=0.7 + 0.01 * sdr,
        status="ok",
        reason="",
    )[list(DTYPES)]
    swept = (scores["n_bits"] > 0) & ~scores["n_bits"].isin(table_bits)
    for metric in ("sir", "sar", "pesq", "estoi", "recall", "mask_accuracy"):
        scores.loc[swept, metric] = np.nan
    return check_scores(scores, "made up")


def make_training(
    *, profiles=("authors2022",), seeds=1, rounds=300, features=FEATURES, targets=("ssm",)
) -> pd.DataFrame:
    rows = []
    for feature, target, profile, seed in itertools.product(features, targets, profiles, range(seeds)):
        rng = np.random.default_rng(seed)
        for round_ in range(1, rounds + 1):
            if target == "rbf-0.1":
                beta = 2.5 * np.exp(-round_ / 12)
            elif feature == "stft":
                beta = 1.02 - 0.0024 * round_
            else:
                beta = 0.3 + 0.9 * np.exp(-round_ / 9)
            beta += rng.normal(0, 0.01)
            epsilon = 1 / (1 + np.exp(beta))
            rows.append((feature, target, profile, seed, round_, beta, epsilon, 4e5 / round_, 8))
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


def make_networks() -> pd.DataFrame:
    """Trainings of which three ended by their stop rule, two did not, and the others never began."""
    rows = [(system, variant, 35_000, 140, 5000.0, "stop rule", "cpu", "") for system, variant in TRAINED]
    rows += [("bilstm", "2x1024", 38_840_833, 12, 12_240.0, "time", "cpu", "")]
    rows += [("conv_tasnet", "3x8", 4_984_497, 1, 840.0, "epochs", "cpu", "this run's own data")]
    columns = ["system", "variant", "parameters", "epochs", "seconds", "stopped_by", "device", "data"]
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


def make_every_ssm(*, size=250) -> dict[str, np.ndarray]:
    """The matrices of all figures."""
    matrices = make_ssm(bits=(1, 5, 10, 50, 100, 150, 300), size=size)
    for feature in FEATURES:
        matrices[f"{feature}/ssm/authors2022/weighted"] = matrices[f"{feature}/ssm/authors2022/bits_300"]
    truth = matrices["stft/ssm/authors2022/truth"] / 255
    for target in RBF:
        narrow = np.exp((truth - 1) / float(target.removeprefix("rbf-")))
        matrices[f"stft/{target}/authors2022/truth"] = np.round(255 * narrow).astype(np.uint8)
        matrices[f"stft/{target}/authors2022/weighted"] = np.round(255 * narrow**0.5).astype(np.uint8)
    matrices["stft/ssm/authors2022/pair_weights_5"] = np.round(255 * (1 - truth)).astype(np.uint8)
    return matrices
