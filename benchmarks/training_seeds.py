"""How much do learned codes differ from one seed of their training to the next, and is one still ahead of another?

    python -m benchmarks.training_seeds results/published/open_small results/open_small_seed1 …

Each folder is a run whose training had another seed, and all else alike; its ``summaries/utterances.parquet`` is read.
Prints two tables over code length: the SDR of every system that all runs have, and how far the best of them at the
longest code is above each other system, with the 95 % interval of a bootstrap over seeds, speakers and their
utterances. A system that only some runs have, and with the same scores, learns nothing (the raw features' neighbours):
it counts as the same in all.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from blsh.experiment.seeds import generator
from blsh.files.tables import read_parquet
from blsh.reporting.bootstrap import interval, mixture_weights, repeat_weights, weighted_means
from blsh.reporting.scores import MIXTURE

N_RESAMPLES = 10_000


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="results of one run")
    parser.add_argument("--set", default="open")
    parser.add_argument("--feature", default="stft", choices=("stft", "mel"))
    parser.add_argument("--rho", type=float, default=0.1)
    arguments = parser.parse_args(argv)
    place = {"set": arguments.set, "feature": arguments.feature, "rho": arguments.rho, "variant": ""}
    runs = []
    for folder in arguments.folders:
        scores = read_parquet(folder / "summaries/utterances.parquet")
        chosen = (scores[list(place)] == pd.Series(place)).all(axis=1) & scores["target"].isin(["", "ssm"])
        runs.append(scores[chosen])
    print(page(runs))


def page(runs: Sequence[pd.DataFrame]) -> str:
    """Return both tables, of the runs' scores with a row for every system, code length and mixture."""
    tables = [run.pivot_table(values="sdr", index=list(MIXTURE), columns=["system", "n_bits"]) for run in runs]
    mixtures = sorted(set.intersection(*(set(table.index) for table in tables)))
    learned = set.intersection(*(set(table.columns) for table in tables))
    fixed = {key for table in tables for key in table.columns} - learned
    lengths = sorted({n_bits for _, n_bits in learned if n_bits > 0})
    systems = sorted({system for system, n_bits in learned if n_bits > 0})

    facts = pd.DataFrame(mixtures, columns=list(MIXTURE))
    rng = generator(0, "bootstrap over seeds")
    drawn = mixture_weights(facts["speaker"].to_numpy(str), facts["utterance"].to_numpy(str), N_RESAMPLES, rng=rng)
    # The first row is the scores as they are; as in the tables of results, an utterance counts by its length.
    weights = np.vstack([np.ones(len(facts)), drawn]) * facts["seconds"].to_numpy()
    seeds = np.vstack([np.ones(len(runs)), repeat_weights(len(runs), N_RESAMPLES, rng=rng)])

    means = {}
    for key in sorted(learned | fixed):
        values = [table.loc[mixtures, key].to_numpy() for table in tables if key in table.columns]
        if key in learned:
            means[key] = weighted_means(np.stack(values), weights)
        elif all(np.array_equal(other, values[0], equal_nan=True) for other in values):
            means[key] = weighted_means(np.stack([values[0]] * len(tables)), weights)

    first = max(systems, key=lambda system: means[system, lengths[-1]][0].mean())
    rows = [[system, *(_spread(means.get((system, n_bits))) for n_bits in lengths)] for system in systems]
    differences = []
    for system in sorted({system for system, _ in means} - {first}):
        others = [means.get((system, n_bits), means.get((system, 0))) for n_bits in lengths]
        leads = [_difference(means.get((first, n)), other, seeds) for n, other in zip(lengths, others, strict=True)]
        differences.append([system, *leads])
    heads = [f"L = {n_bits}" for n_bits in lengths]
    return "\n".join(
        [
            *_table([f"mean [least, largest] of {len(runs)} seeds", *heads], rows),
            "",
            *_table([f"{first} above", *heads], differences),
        ]
    )


def _spread(means: np.ndarray | None) -> str:
    if means is None:
        return ""
    return f"{means[0].mean():.2f} [{means[0].min():.2f}, {means[0].max():.2f}]"


def _difference(one: np.ndarray | None, other: np.ndarray | None, seeds: np.ndarray) -> str:
    if one is None or other is None:
        return ""
    differences = np.sum(seeds * (one - other), axis=1) / seeds.sum(axis=1)
    low, high = interval(differences[1:])
    return f"{differences[0]:.2f} [{low:.2f}, {high:.2f}]"


def _table(heads: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows)]


if __name__ == "__main__":
    main()
