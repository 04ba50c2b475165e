"""Score one system on one set: a row for every mixture and code length."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from blsh.cli.data_arguments import add_data_arguments, open_recordings
from blsh.cli.pairs import parse_pairs
from blsh.cli.progress import Progress
from blsh.denoising import estimators
from blsh.evaluation.scoring import METRICS, Metrics, score_set
from blsh.experiment.draws import draw_dictionary, draw_projections
from blsh.files.arrays import load_array
from blsh.files.tables import write_parquet
from blsh.hashing.projections import Projections, load_projections
from blsh.mixtures.recipes import read_recipes
from blsh.reporting.scores import check_scores

EXAMPLE = (
    "blsh score --system lsh --seed 2020 --feature stft --rho 0.1 --repeat 1 --n-neighbours 10 --n-bits 50 300 \\\n"
    "    --sweep-metrics sdr si_sdr --recipes open.csv --features stft.npy --masks masks.npy \\\n"
    "    --manifest speech=speech.csv noise=noise.csv --folder speech=data/LibriSpeech noise=data/ESC-10 -o lsh.parquet"
)
SYSTEMS = ("mixture", "constant", "ibm", "irm", "knn", "lsh", "lsh_fixed", "blsh")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add_data_arguments(parser)
    parser.add_argument("--system", required=True, choices=SYSTEMS, help="what estimates the masks")
    parser.add_argument("--recipes", type=Path, required=True, help="the set's recipes")
    parser.add_argument("--constant", type=Path, help="mean mask (.npy), for the system 'constant'")
    parser.add_argument("--seed", type=int, help="base seed of the experiment")
    parser.add_argument("--feature", default="", help="feature that is searched or hashed")
    parser.add_argument("--target", default="", help="target of the learned projections")
    parser.add_argument("--profile", default="", help="profile of the learned projections")
    parser.add_argument("--rho", type=float, default=0.0, help="fraction of training frames in the dictionary")
    parser.add_argument("--repeat", type=int, default=0, help="which dictionary, and for lsh which matrix")
    parser.add_argument("--n-neighbours", type=int, default=0, help="neighbours whose masks are averaged")
    parser.add_argument("--n-bits", type=int, nargs="+", default=[0], help="code lengths, all prefixes of one code")
    parser.add_argument("--features", type=Path, help="features of all training frames (.npy)")
    parser.add_argument("--masks", type=Path, help="their packed masks (.npy)")
    parser.add_argument("--model", type=Path, help="learned projections (.npz)")
    parser.add_argument(
        "--sweep-metrics", nargs="+", choices=METRICS, required=True, help="metrics of every code length"
    )
    parser.add_argument(
        "--metrics-at",
        nargs="*",
        default=[],
        metavar="BITS=METRIC,…",
        help="further metrics at some code lengths, such as 300=pesq,estoi; 0 for systems without codes",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="scores to write (Parquet)")


def run(arguments: argparse.Namespace) -> None:
    """Make the estimator, score the set, write the table."""
    columns = {
        "system": arguments.system,
        "variant": "",
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
        metrics=Metrics(tuple(arguments.sweep_metrics), _metrics_at(arguments.metrics_at)),
        progress=Progress("mixtures"),
    )
    write_parquet(arguments.output, check_scores(scores, arguments.output))


def _metrics_at(words: Sequence[str]) -> dict[int, tuple[str, ...]]:
    pairs = parse_pairs(words, "--metrics-at")
    if not all(bits.isdecimal() for bits in pairs):
        raise ValueError(f"--metrics-at {' '.join(words)}: a code length is no whole number; write 300=pesq")
    return {int(bits): tuple(names.split(",")) for bits, names in pairs.items()}


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
    dictionary, masks = draw_dictionary(
        _given(arguments, "features"),
        _given(arguments, "masks"),
        rho=arguments.rho,
        seed=_given(arguments, "seed"),
        repeat=arguments.repeat,
    )
    if arguments.system == "knn":
        return estimators.raw_neighbours(arguments.feature, dictionary, masks, arguments.n_neighbours)
    return estimators.hashed_neighbours(
        arguments.feature,
        _projections(arguments),
        dictionary,
        masks,
        arguments.n_neighbours,
        arguments.n_bits,
    )


def _projections(arguments: argparse.Namespace) -> Projections:
    if arguments.system == "blsh":
        return load_projections(_given(arguments, "model"))
    matrix = arguments.repeat if arguments.system == "lsh" else "fixed"
    return draw_projections(max(arguments.n_bits), arguments.feature, seed=arguments.seed, matrix=matrix)


def _given(arguments: argparse.Namespace, name: str):
    value = getattr(arguments, name)
    if value is None:
        raise ValueError(f"system {arguments.system!r} needs --{name}; add it")
    return value
