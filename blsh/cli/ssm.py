"""Compute the self-similarity matrices of the figures: the target's, and those of learned codes of growing length.

Besides them come the similarity in which all bits count by their β, and the weights that boosting would have for the
pairs of frames after so many rounds, divided by the largest. The frames are the first ones of a set that is not trained
on, so they are as unknown to the codes as in use.
"""

import argparse
from pathlib import Path

import numpy as np

from blsh.cli.data_arguments import add_data_arguments, open_recordings
from blsh.cli.numbers import CODE_LENGTH
from blsh.files.arrays import save_stamped
from blsh.hashing.codes import unpack_bits
from blsh.hashing.projections import encode, load_projections
from blsh.hashing.similarity import binary_ssm, parse_target, target_ssm
from blsh.hashing.weights import pair_weights
from blsh.mixtures.recipes import read_recipes
from blsh.mixtures.rendering import render
from blsh.signal.masks import ideal_binary_mask, pack_masks
from blsh.signal.spectra import feature, stft

EXAMPLE = (
    "blsh ssm --feature stft --target ssm --n-bits 10 50 300 --model model.npz --recipes validation.csv \\\n"
    "    --manifest speech=speech.csv noise=noise.csv --folder speech=data/LibriSpeech noise=data/ESC-10 -o ssm.npz"
)
KIND, VERSION = "ssm of one model", 1
# Four seconds: a matrix of this size still shows single frames on a page.
N_FRAMES = 250


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add_data_arguments(parser)
    parser.add_argument("--feature", required=True, help="feature of the model")
    parser.add_argument("--target", required=True, help="target of the model")
    parser.add_argument("--n-bits", type=CODE_LENGTH, nargs="+", required=True, help="code lengths")
    parser.add_argument("--boosting-loss", default="square", choices=("square", "xent"), help="loss of the weights")
    parser.add_argument("--model", type=Path, required=True, help="learned projections (.npz)")
    parser.add_argument("--recipes", type=Path, required=True, help="recipes whose first frames are taken")
    parser.add_argument("-o", "--output", type=Path, required=True, help="matrices to write (.npz)")


def run(arguments: argparse.Namespace) -> None:
    """Compute the matrices and write them as bytes, 0 to 255 for 0 to 1."""
    recordings = open_recordings(arguments)
    features, masks = [], []
    for recipe in read_recipes(arguments.recipes):
        scene = render(recipe, recordings)
        features.append(feature(arguments.feature, stft(scene.mixture)))
        masks.append(ideal_binary_mask(stft(scene.speech), stft(scene.noise)))
        if sum(map(len, features)) >= N_FRAMES:
            break
    rows = np.concatenate(features)[:N_FRAMES]
    packed = pack_masks(np.concatenate(masks)[:N_FRAMES])
    projections = load_projections(arguments.model)
    if max(arguments.n_bits) > projections.n_bits:
        raise ValueError(
            f"n_bits={max(arguments.n_bits)} exceeds the {projections.n_bits} trained bits of {arguments.model}; "
            "ask for less"
        )
    signs = 2 * unpack_bits(encode(rows, projections)).astype(np.int8) - 1
    target, betas = target_ssm(rows, parse_target(arguments.target), masks=packed), projections.betas
    matrices = {"truth": target} | {f"bits_{n_bits}": binary_ssm(signs[:, :n_bits]) for n_bits in arguments.n_bits}
    if betas is not None:
        for n_bits in arguments.n_bits:
            weights = pair_weights(target, signs[:, :n_bits], betas[:n_bits], loss=arguments.boosting_loss)
            matrices[f"pair_weights_{n_bits}"] = weights / weights.max()
        # Boosted by cross-entropy, β is negative, and then there is no weighted mean.
        if betas.sum() > 0:
            matrices["weighted"] = binary_ssm(signs, betas)
    save_stamped(
        arguments.output,
        KIND,
        VERSION,
        {"feature": arguments.feature, "target": arguments.target},
        {name: np.round(255 * np.clip(matrix, 0, 1)).astype(np.uint8) for name, matrix in matrices.items()},
    )
