"""Score one system on one set: a row for every mixture and code length."""

import argparse
from pathlib import Path

from blsh.cli.data_arguments import add_data_arguments, open_recordings
from blsh.cli.metric_arguments import add_metric_arguments, read_metrics
from blsh.cli.numbers import CODE_LENGTH, CONTEXT, COUNT, INDEX, RHO, SEED
from blsh.cli.progress import Progress
from blsh.denoising import estimators
from blsh.denoising.training_frames import stack_training_frames
from blsh.evaluation.scoring import score_set
from blsh.experiment.draws import draw_dictionary, draw_projections
from blsh.files.allocation import keep_freed_memory
from blsh.files.arrays import load_array
from blsh.files.tables import write_parquet
from blsh.hashing.brought import read_brought_projections
from blsh.hashing.by_length import load_projections_by_length
from blsh.hashing.projections import Projections, load_projections
from blsh.mixtures.recipes import read_recipes
from blsh.reporting.scores import check_scores
from blsh.signal.spectra import FEATURES, feature_width

EXAMPLE = (
    "blsh score --system lsh --seed 2020 --feature stft --rho 0.1 --repeat 1 --n-neighbours 10 --n-bits 50 300 \\\n"
    "    --sweep-metrics sdr si_sdr --recipes open.csv --features stft.npy --masks masks.npy \\\n"
    "    --manifest speech=speech.csv noise=noise.csv --folder speech=data/LibriSpeech noise=data/ESC-10 -o lsh.parquet"
)
RANDOM = ("lsh", "lsh_fixed")
LEARNED = ("blsh", "residual", "pca_sign", "itq", "projections")
SYSTEMS = ("mixture", "constant", "ibm", "irm", "knn", *RANDOM, *LEARNED)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add_data_arguments(parser)
    parser.add_argument("--system", required=True, choices=SYSTEMS, help="what estimates the masks")
    parser.add_argument("--recipes", type=Path, required=True, help="the set's recipes")
    parser.add_argument("--constant", type=Path, help="mean mask (.npy), for the system 'constant'")
    parser.add_argument("--seed", type=SEED, help="base seed of the experiment")
    parser.add_argument("--variant", default="", help="name of what is special about the system, for the table")
    parser.add_argument("--feature", default="", help="feature that is searched or hashed")
    parser.add_argument("--target", default="", help="target of the learned projections")
    parser.add_argument("--profile", default="", help="profile of the learned projections")
    parser.add_argument("--rho", type=RHO, default=0.0, help="fraction of training frames in the dictionary")
    parser.add_argument("--repeat", type=INDEX, default=0, help="which dictionary, and for lsh which matrix")
    parser.add_argument("--n-neighbours", type=COUNT, default=0, help="neighbours whose masks are averaged")
    parser.add_argument(
        "--n-bits", type=CODE_LENGTH, nargs="+", default=[0], help="code lengths, all prefixes of one code"
    )
    parser.add_argument("--features", type=Path, help="features of all training frames (.npy)")
    parser.add_argument("--masks", type=Path, help="their packed masks (.npy)")
    parser.add_argument("--model", type=Path, help="learned, fitted or brought projections (.npz)")
    parser.add_argument("--weighted", action="store_true", help="search by the similarity in which bits count by β")
    parser.add_argument("--context", type=CONTEXT, default=1, metavar="N", help="stack N frames to a feature (odd)")
    parser.add_argument("--training-recipes", type=Path, help="recipes of the training frames, for --context")
    parser.add_argument("--matrix-per-length", action="store_true", help="draw a matrix for each code length (lsh)")
    parser.add_argument("--raw-neighbours", type=Path, help="what the raw features find (.npy), for recall and knn")
    add_metric_arguments(parser)
    parser.add_argument("-o", "--output", type=Path, required=True, help="scores to write (Parquet)")


def run(arguments: argparse.Namespace) -> None:
    """Make the estimator, score the set, write the table."""
    keep_freed_memory()
    columns = {
        "system": arguments.system,
        "variant": arguments.variant,
        "feature": arguments.feature,
        "target": arguments.target,
        "profile": arguments.profile,
        "rho": arguments.rho,
        "n_neighbours": arguments.n_neighbours,
        "repeat": arguments.repeat,
    }
    scores = score_set(
        read_recipes(arguments.recipes),
        open_recordings(arguments),
        _estimator(arguments),
        columns=columns,
        n_bits=arguments.n_bits,
        metrics=read_metrics(arguments),
        raw_neighbours=arguments.raw_neighbours and load_array(arguments.raw_neighbours, mapped=True),
        progress=Progress("mixtures"),
    )
    write_parquet(arguments.output, check_scores(scores, arguments.output))


def _estimator(arguments: argparse.Namespace) -> estimators.Estimator:
    controls = {
        "mixture": estimators.unmasked,
        "ibm": estimators.ideal_binary,
        "irm": estimators.ideal_ratio,
    }
    if arguments.system in controls:
        return controls[arguments.system]
    if arguments.system == "constant":
        return estimators.constant(load_array(_given(arguments, "constant")))
    features = load_array(_given(arguments, "features"), mapped=True)
    if arguments.context > 1:
        recipes = read_recipes(_given(arguments, "training_recipes"))
        features = stack_training_frames(features, recipes, arguments.context)
    dictionary, masks = draw_dictionary(
        features,
        load_array(_given(arguments, "masks"), mapped=True),
        rho=arguments.rho,
        seed=_given(arguments, "seed"),
        repeat=arguments.repeat,
    )
    searched = (dictionary, masks, arguments.n_neighbours)
    if arguments.system == "knn":
        return estimators.raw_neighbours(arguments.feature, *searched)
    if arguments.system == "itq" or arguments.matrix_per_length:
        by_length = _projections_by_length(arguments)
        return estimators.neighbours_by_length(arguments.feature, by_length, *searched, arguments.n_bits)
    projections = _projections(arguments)
    if arguments.weighted:
        return estimators.weighted_hashed_neighbours(arguments.feature, projections, *searched, arguments.n_bits)
    return estimators.hashed_neighbours(
        arguments.feature, projections, *searched, arguments.n_bits, context=arguments.context
    )


def _projections(arguments: argparse.Namespace) -> Projections:
    if arguments.system in RANDOM:
        matrix = arguments.repeat if arguments.system == "lsh" else "fixed"
        return draw_projections(max(arguments.n_bits), arguments.feature, seed=arguments.seed, matrix=matrix)
    if arguments.system != "projections":
        return load_projections(_given(arguments, "model"))
    widths = {name: feature_width(name) for name in FEATURES}
    feature, projections = read_brought_projections(_given(arguments, "model"), widths)
    if feature != arguments.feature:
        raise ValueError(f"{arguments.model} is for the feature {feature!r}, not {arguments.feature!r}; correct one")
    return projections


def _projections_by_length(arguments: argparse.Namespace) -> dict[int, Projections]:
    if arguments.system == "itq":
        return load_projections_by_length(_given(arguments, "model"))
    return {
        n_bits: draw_projections(
            n_bits, arguments.feature, seed=arguments.seed, matrix=f"{arguments.repeat} of {n_bits} bits"
        )
        for n_bits in arguments.n_bits
    }


def _given(arguments: argparse.Namespace, name: str):
    value = getattr(arguments, name)
    if value is None:
        raise ValueError(f"system {arguments.system!r} needs --{name.replace('_', '-')}; add it")
    return value
