"""How many segments should a round learn from? Quality on validation over training time, at T = 2.45 million frames.

    python -m benchmarks.segments_study --corpora-folder FOLDER [--variant fixed-40 …] [--seed 2020 …] [--feature mel …]

A round may learn from 20, 40, 200 or all 2,453 segments of 1000 frames. More of them cost more time and memory; here is
what they bring. The data are those of config/open_small.yaml, whose training mixtures are drawn four times, each time
with other clips and offsets of the noises, and cut at 2.45 million frames, the number of the papers. Codes are scored
on the validation set, with one dictionary of a tenth of the frames; no number of the open set is computed.

Every training is a process of its own. The row of a code length L has the seconds that the first L rounds took, by the
processor's clock and by the wall's, and the largest memory by then. Seconds by the wall mean something only on a
machine that does nothing else. All goes to results/segments_study: what is finished is not done again, and a training
that was killed continues.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from benchmarks.memory import MemoryWatch
from blsh.experiment.config import Config, load_config
from blsh.experiment.rules import Settings, corpora_flags, data_folder, draw_settings
from blsh.experiment.seeds import generator
from blsh.files.arrays import load_array
from blsh.files.atomic import atomic_path, write_text
from blsh.hashing.boosting import boost
from blsh.hashing.profiles import PROFILES, TrainingParams
from blsh.hashing.projections import save_projections
from blsh.hashing.rounds import history_table
from blsh.mixtures.recipes import read_recipes, write_recipes
from blsh.signal.spectra import n_frames

FOLDER = Path("results/segments_study")
HELD_OUT = {"segments": "fresh", "epsilon_on": "held-out", "n_epsilon_segments": 4}
VARIANTS = {
    "fixed-40": {"n_segments": 40},
    "fixed-20": {"n_segments": 20},
    "fixed-200": {"n_segments": 200},
    "fresh-20": HELD_OUT | {"n_segments": 20},
    "fresh-40": HELD_OUT | {"n_segments": 40},
    "fixed-all": {"n_segments": None},
}
SEEDS = (2020, 1, 2)
N_BITS = (25, 50, 100, 150, 200, 250, 300)
RHO, K = 0.1, 10
N_FRAMES = 2_453_960  # T of TASLP
N_DRAWS = 4


@dataclass(frozen=True)
class Job:
    """One training: its switches and where its frames lie."""

    variant: str
    feature: str
    seed: int
    n_rounds: int
    frames: Path

    def file(self, suffix: str) -> Path:
        """Return the name of one of its results."""
        return self.frames / f"{self.feature}_{self.variant}_{self.seed}_{self.n_rounds}{suffix}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora-folder", default="data", help="folder of LibriSpeech and ESC-10")
    parser.add_argument("--variant", nargs="+", default=list(VARIANTS), choices=VARIANTS)
    parser.add_argument("--seed", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--feature", nargs="+", default=["stft"], choices=("stft", "mel"))
    parser.add_argument("--rounds", type=int, default=max(N_BITS), help="rounds of a training; fewer to try it")
    parser.add_argument("--frames", type=int, default=N_FRAMES, help="training frames; fewer to try it")
    parser.add_argument("--no-scores", action="store_true", help="measure what training costs, and that alone")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    config_file = FOLDER / "config.yaml"
    values = yaml.safe_load(Path("config/open_small.yaml").read_text(encoding="utf-8"))
    write_text(config_file, yaml.safe_dump(values | {"corpora_folder": arguments.corpora_folder}))
    config = load_config(config_file)
    frames = FOLDER / f"T-{arguments.frames}"
    if missing := [path for path in (_units(config), _recipes(config)) if not path.exists()]:
        _snakemake(config_file, *missing)
    if not (frames / "masks.npy").exists():
        make_frames(config, arguments.frames, frames)
    # Processes that are started from here on read these. BLAS is on one thread, as in the workflow's jobs.
    os.environ |= {"NUMBA_NUM_THREADS": str(arguments.threads), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    for seed in arguments.seed:
        for variant in arguments.variant:
            for feature in arguments.feature:
                job = Job(variant, feature, seed, arguments.rounds, frames)
                if not job.file(".csv").exists():
                    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
                        process.submit(train, job).result()
                if not arguments.no_scores and not job.file(".parquet").exists():
                    score(job, config, arguments.threads)
                write_results(frames)


def make_frames(config: Config, n_wanted: int, folder: Path) -> None:
    """Draw the training mixtures several times and write the features and masks of the first frames."""
    recipes = []
    for number in range(N_DRAWS):
        path = folder / f"draw-{number}.csv"
        # The name of the set is one of the names that its random numbers come from.
        settings = Settings(draw_settings(config, "train") | {"set": f"train-{number}"})
        _blsh(f"draw {settings} --units {_units(config)} {corpora_flags(config)} -o {path}")
        recipes += read_recipes(path)
    lengths = np.cumsum([n_frames(recipe.speech.n_samples) for recipe in recipes])
    if lengths[-1] < n_wanted:
        raise ValueError(f"{N_DRAWS} draws have {lengths[-1]} frames, fewer than the {n_wanted} wanted: draw more")
    write_recipes(folder / "train.csv", recipes[: int(np.searchsorted(lengths, n_wanted)) + 1])
    _blsh(
        f"frames --feature stft mel --recipes {folder}/train.csv {corpora_flags(config)} --features-to {folder}"
        f" --masks {folder}/masks.npy --constant {folder}/constant.npy"
    )


def params_of(job: Job) -> TrainingParams:
    """Return the switches of a training."""
    return replace(PROFILES["project"], n_bits=job.n_rounds, **VARIANTS[job.variant])


def rng_of(job: Job) -> Callable[[int], np.random.Generator]:
    """Return what gives the generator of each of its rounds, 0 for what all share."""
    return partial(generator, job.seed, "boosting", job.feature, str(params_of(job).target))


def train(job: Job) -> None:
    """Train, and write the projections and what every round took; runs in a process of its own."""
    params = params_of(job)
    log, state = job.file(".log"), job.file(".state.npz")
    with MemoryWatch(0.05) as memory, open(log, "a", encoding="utf-8", buffering=1) as handle:
        clocks = [time.process_time(), time.perf_counter()]

        def note(number: int, *_: float) -> None:
            now = [time.process_time(), time.perf_counter()]
            spent = [b - a for a, b in zip(clocks, now, strict=True)]
            clocks[:] = now
            print(number, *spent, memory.anonymous_mb, memory.mapped_mb, memory.uss_mb, sep=",", file=handle)

        projections, rounds = boost(
            load_array(job.frames / f"{job.feature}.npy", mapped=True),
            params,
            rng_for_round=rng_of(job),
            masks=load_array(job.frames / "masks.npy", mapped=True),
            progress=note,
            state=state,
            fingerprint=repr((job, params)),
            scratch=job.frames,
        )
    save_projections(job.file(".npz"), projections)
    spent = pd.read_csv(log, names=["round", "cpu_s", "wall_s", "private_mb", "mapped_mb", "uss_mb"])
    # What a kill made undone was done again: the later line counts.
    table = history_table(rounds).merge(spent.drop_duplicates("round", keep="last"), on="round")
    with atomic_path(job.file(".csv")) as path:
        table.to_csv(path, index=False)
    for left_over in (log, state):
        left_over.unlink(missing_ok=True)


def score(job: Job, config: Config, n_threads: int) -> None:
    """Score the code lengths on validation."""
    lengths = [n_bits for n_bits in N_BITS if n_bits <= job.n_rounds]
    settings = Settings(
        system="blsh",
        seed=config.seed,
        feature=job.feature,
        target="ssm",
        profile="project",
        rho=RHO,
        n_neighbours=K,
        n_bits=lengths,
        sweep_metrics=["sdr", "si_sdr"],
        threads=n_threads,
    )
    _blsh(
        f"score {settings} --recipes {_recipes(config)} {corpora_flags(config)} --masks {job.frames}/masks.npy"
        f" --features {job.frames}/{job.feature}.npy --model {job.file('.npz')} -o {job.file('.parquet')}"
    )


def write_results(frames: Path) -> None:
    """Write the table of all trainings on these frames, and the page."""
    rows = [row for path in sorted(frames.glob("*_*_*_*.csv")) for row in _rows_of(path)]
    if not rows:  # too few rounds for any of the lengths
        return
    table = pd.DataFrame(rows).sort_values(["feature", "variant", "seed", "n_bits"])
    with atomic_path(FOLDER / f"{frames.name}.csv") as path:
        table.to_csv(path, index=False)
    write_text(FOLDER / f"{frames.name}.md", _page(table, frames.name))


def _rows_of(path: Path) -> list[dict[str, object]]:
    """Return a row for each code length of a training."""
    feature, variant, seed, n_rounds = path.stem.split("_")
    rounds = pd.read_csv(path).set_index("round")
    sdr = pd.Series(dtype=float)
    if path.with_suffix(".parquet").exists():
        scores = pd.read_parquet(path.with_suffix(".parquet")).dropna(subset="sdr")
        # As in the tables of results, an utterance counts by its length.
        weighted = scores.assign(sdr=scores["sdr"] * scores["seconds"]).groupby("n_bits")[["sdr", "seconds"]].sum()
        sdr = weighted["sdr"] / weighted["seconds"]
    return [
        {
            "feature": feature,
            "variant": variant,
            "seed": int(seed),
            "n_bits": n_bits,
            "sdr": sdr.get(n_bits, np.nan),
            "cpu_s": rounds.loc[:n_bits, "cpu_s"].sum(),
            "wall_s": rounds.loc[:n_bits, "wall_s"].sum(),
            **rounds.loc[n_bits, ["private_mb", "mapped_mb", "uss_mb", "effective_pairs", "epsilon", "beta"]],
        }
        for n_bits in N_BITS
        if n_bits <= int(n_rounds)
    ]


def _page(table: pd.DataFrame, name: str) -> str:
    """Show SDR over code length, a line for each training, and what it took."""
    lines = [f"# Segments per round, {name.removeprefix('T-')} frames", ""]
    lines += ["SDR in dB on validation. CPU minutes, memory and effective pairs are those at the last length.", ""]
    for feature, trainings in table.groupby("feature"):
        lengths = sorted(trainings["n_bits"].unique())
        heads = ["training", "seed", *(f"L = {n}" for n in lengths), "CPU min", "private MB", "effective pairs", "β"]
        lines += [f"## {feature}", "", f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
        for (variant, seed), rows in trainings.groupby(["variant", "seed"]):
            last, sdr = rows.iloc[-1], rows.set_index("n_bits")["sdr"]
            cells = [variant, f"{seed}", *("" if pd.isna(sdr.get(n)) else f"{sdr[n]:.2f}" for n in lengths)]
            cells += [f"{last['cpu_s'] / 60:.1f}", f"{last['private_mb']:.0f}"]
            cells += [f"{last['effective_pairs']:.0f}", f"{last['beta']:.3f}"]
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def _recipes(config: Config) -> Path:
    return Path(data_folder(config)) / "mixtures/validation.csv"


def _units(config: Config) -> Path:
    return Path(data_folder(config)) / "manifests/units.csv"


def _snakemake(config_file: Path, *targets: Path) -> None:
    command = [sys.executable, "-m", "snakemake", "--configfile", config_file, "--cores", "2", "--quiet", "all", "--"]
    subprocess.run([*map(str, command), *map(str, targets)], check=True)


def _blsh(flags: str) -> None:
    subprocess.run([sys.executable, "-m", "blsh", *shlex.split(flags)], check=True)


if __name__ == "__main__":
    main()
