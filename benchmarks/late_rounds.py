"""What late rounds still teach: ε of a trained model's bits, on the segments of their training and on unseen ones.

    python -m benchmarks.late_rounds --variant fixed-40 --seed 2020 --feature stft mel

For trainings of `benchmarks.segments_study` with fixed segments. Of some rounds l it tells, under the weights W that
the rounds before left:

- ε of bit l and the effective number of pairs, on segments that it was learned from and on as many others, whose W is
  made from the same codes and β;
- ε of a random bit, ``Σ W (S² - S + ½)``: a bit that does no better tells no more of W's pairs than chance.

Bits are useful beyond their training as long as ε on unseen segments stays below that of a random bit.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from benchmarks.segments_study import FOLDER, N_FRAMES, SEEDS, VARIANTS, Job, params_of, rng_of
from blsh.files.arrays import load_array
from blsh.files.atomic import atomic_path
from blsh.hashing.profiles import TrainingParams
from blsh.hashing.projections import Projections, load_projections
from blsh.hashing.segments import draw_segments, signs_of_frames
from blsh.hashing.similarity import target_ssm
from blsh.hashing.weights import papers_rule

ROUNDS = (1, 25, 50, 100, 150, 200, 250, 300)
N_SEGMENTS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variant", default="fixed-40", choices=[name for name in VARIANTS if "fixed" in name])
    parser.add_argument("--seed", type=int, default=SEEDS[0])
    parser.add_argument("--feature", nargs="+", default=["stft"], choices=("stft", "mel"))
    parser.add_argument("--frames", type=int, default=N_FRAMES, help="training frames of the study")
    arguments = parser.parse_args()
    with threadpool_limits(1, "blas"):
        tables = []
        for feature in arguments.feature:
            job = Job(arguments.variant, feature, arguments.seed, max(ROUNDS), FOLDER / f"T-{arguments.frames}")
            tables.append(measure(job, ROUNDS).assign(feature=feature))
    table = pd.concat(tables)
    print(table.round(3).to_string(index=False))
    with atomic_path(FOLDER / f"late_rounds_{arguments.variant}_{arguments.seed}.csv") as path:
        table.to_csv(path, index=False)


def measure(job: Job, rounds: tuple[int, ...]) -> pd.DataFrame:
    """Return a row for every round, and for training and unseen segments."""
    features = load_array(job.frames / f"{job.feature}.npy", mapped=True)
    projections, params = load_projections(job.file(".npz")), params_of(job)
    training = draw_segments(len(features), params, rng=rng_of(job)(0))[0]
    others = np.setdiff1d(np.arange(len(features)), training)
    unseen = np.random.default_rng(0).choice(others, (N_SEGMENTS, training.shape[1]), replace=False)
    rows = []
    for name, numbers in (("training", training[:N_SEGMENTS]), ("unseen", unseen)):
        frames = [np.ascontiguousarray(features[np.sort(chosen)]) for chosen in numbers]
        rows += [{"round": number, "segments": name, **_mean(frames, projections, number, params)} for number in rounds]
    return pd.DataFrame(rows).sort_values(["round", "segments"])


def _mean(frames: list[np.ndarray], projections: Projections, number: int, params: TrainingParams) -> dict[str, float]:
    """Average over segments what round ``number`` sees and does there."""
    values = []
    for rows in frames:
        target = target_ssm(rows, params.target)
        signs = signs_of_frames(rows, projections.prefix(number))
        codes, betas = signs[:, :-1], projections.betas[: number - 1].astype(np.float64)
        objective = papers_rule(target, codes, betas, weight_loss="square", loss="square")
        # The mean of what an agreeing and a differing bit lose is what a random bit loses, weighed already.
        values.append((objective.loss(signs[:, -1]), objective.constant, objective.effective_pairs))
    means = np.mean(values, axis=0)
    return dict(zip(("epsilon", "epsilon_of_a_random_bit", "effective_pairs"), means.tolist(), strict=True))


if __name__ == "__main__":
    main()
