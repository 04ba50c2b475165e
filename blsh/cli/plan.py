"""Print the jobs, the disk and the time that an experiment takes, before it runs or half-way."""

import argparse
import os
from pathlib import Path

from blsh.cli.numbers import COUNT
from blsh.experiment.config import load_config
from blsh.experiment.inputs import require_inputs
from blsh.experiment.plan import plan

EXAMPLE = "blsh plan --configfile config/open_small.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--configfile", type=Path, default=Path("config/demo.yaml"), help="the preset (default: demo)")
    parser.add_argument("--cores", type=COUNT, default=os.cpu_count() or 1, help="cores to plan for (default: all)")


def run(arguments: argparse.Namespace) -> None:
    """Print a line per rule and the totals."""
    config = load_config(arguments.configfile)
    require_inputs(config)
    estimate = plan(config)
    print(f"{'rule':<18}{'jobs':>6}{'done':>6}{'core minutes left':>20}")
    for step in estimate.steps:
        print(f"{step.rule:<18}{step.jobs:>6}{step.done:>6}{step.seconds / 60:>20.1f}")
    minutes = estimate.wall_seconds(arguments.cores) / 60
    print(f"scores to compute: {estimate.scores:,}")
    print(f"disk for features and masks: {estimate.disk_bytes / 1e9:.2f} GB")
    print(f"time left on {arguments.cores} cores: about {minutes:.0f} min")
    if estimate.assumed:
        print(f"assumed, not drawn yet: number and length of the mixtures of {', '.join(estimate.assumed)}")
