"""Fit projections to the spread of the features: signs of principal components, or iterative quantisation (ITQ)."""

import argparse
from pathlib import Path

import numpy as np

from blsh.cli.numbers import CODE_LENGTH, SEED
from blsh.cli.progress import Progress
from blsh.experiment.seeds import generator
from blsh.files.arrays import load_array
from blsh.hashing.by_length import save_projections_by_length
from blsh.hashing.itq import itq, pca_sign, principal_axes
from blsh.hashing.projections import save_projections

EXAMPLE = "blsh fit --system itq --seed 2020 --feature stft --n-bits 50 300 --features stft.npy -o itq_stft.npz"
# As many frames as the 40 segments that boosting learns from.
N_FRAMES = 40_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--system", required=True, choices=("pca_sign", "itq"), help="what to fit")
    parser.add_argument("--seed", type=SEED, required=True, help="base seed of the experiment")
    parser.add_argument("--feature", required=True, help="name of the feature")
    parser.add_argument(
        "--n-bits", type=CODE_LENGTH, nargs="+", required=True, help="code lengths; itq has a model for each"
    )
    parser.add_argument("--features", type=Path, required=True, help="features of all training frames (.npy)")
    parser.add_argument("-o", "--output", type=Path, required=True, help="projections to write (.npz)")


def run(arguments: argparse.Namespace) -> None:
    """Draw some of the frames, fit, save."""
    features = load_array(arguments.features, mapped=True)
    rng = generator(arguments.seed, "fit", arguments.feature)
    rows = np.sort(rng.permutation(len(features))[:N_FRAMES])
    frames = np.ascontiguousarray(features[rows])
    principal = principal_axes(frames)
    if arguments.system == "pca_sign":
        save_projections(arguments.output, pca_sign(principal, max(arguments.n_bits)))
        return
    show = Progress(f"rotations ({arguments.feature})")
    fitted = {}
    for done, n_bits in enumerate(sorted(arguments.n_bits), start=1):
        # Each length has random numbers of its own: another one changes no model.
        rng = generator(arguments.seed, "itq", arguments.feature, n_bits)
        fitted[n_bits] = itq(frames, principal, n_bits, rng=rng)
        show(done, len(arguments.n_bits))
    save_projections_by_length(arguments.output, fitted)
