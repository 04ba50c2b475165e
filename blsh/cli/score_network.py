"""Score a neural network on one set: a row for every mixture.

A verb of its own, beside 'blsh score', so that an edit of a network's code scores no codes again.
"""

import argparse
from pathlib import Path

from blsh.cli.data_arguments import add_data_arguments, open_recordings
from blsh.cli.metric_arguments import add_metric_arguments, read_metrics
from blsh.cli.progress import Progress
from blsh.denoising.architectures import NETWORKS, parse_architecture
from blsh.denoising.network_estimators import network_estimator
from blsh.evaluation.scoring import score_set
from blsh.files.tables import write_parquet
from blsh.mixtures.recipes import read_recipes
from blsh.reporting.scores import check_scores

EXAMPLE = (
    "blsh score-network --system fc --variant 3x256 --model fc-3x256.safetensors --sweep-metrics sdr si_sdr \\\n"
    "    --recipes open.csv --manifest speech=speech.csv noise=noise.csv \\\n"
    "    --folder speech=data/LibriSpeech noise=data/ESC-10 -o fc-3x256.parquet"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add_data_arguments(parser)
    parser.add_argument("--system", required=True, choices=NETWORKS, help="kind of network")
    parser.add_argument("--variant", required=True, help="its sizes, such as 3x256")
    parser.add_argument("--model", type=Path, required=True, help="what 'blsh train-network' wrote (.safetensors)")
    parser.add_argument("--recipes", type=Path, required=True, help="the set's recipes")
    add_metric_arguments(parser)
    parser.add_argument("-o", "--output", type=Path, required=True, help="scores to write (Parquet)")


def run(arguments: argparse.Namespace) -> None:
    """Load the network, score the set, write the table."""
    architecture = parse_architecture(arguments.system, arguments.variant)
    absent = {"target": "", "profile": "", "rho": 0.0, "n_neighbours": 0, "repeat": 0}
    scores = score_set(
        read_recipes(arguments.recipes),
        open_recordings(arguments),
        network_estimator(arguments.model, architecture),
        columns={"system": arguments.system, "variant": arguments.variant, "feature": architecture.feature, **absent},
        n_bits=[0],
        metrics=read_metrics(arguments),
        progress=Progress("mixtures"),
    )
    write_parquet(arguments.output, check_scores(scores, arguments.output))
