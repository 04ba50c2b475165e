"""The arguments of verbs that score: which metrics, of which code lengths."""

import argparse

from blsh.cli.pairs import parse_pairs
from blsh.evaluation.scoring import METRICS, Metrics

__all__ = ["add_metric_arguments", "read_metrics"]


def add_metric_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--sweep-metrics`` and ``--metrics-at``."""
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


def read_metrics(arguments: argparse.Namespace) -> Metrics:
    """Return the metrics that the arguments ask for.

    Raises
    ------
    ValueError
        If a code length is no whole number, or a metric is unknown.
    """
    pairs = parse_pairs(arguments.metrics_at, "--metrics-at")
    if not all(bits.isdecimal() for bits in pairs):
        words = " ".join(arguments.metrics_at)
        raise ValueError(f"--metrics-at {words}: a code length is no whole number; write 300=pesq")
    return Metrics(
        tuple(arguments.sweep_metrics), {int(bits): tuple(names.split(",")) for bits, names in pairs.items()}
    )
