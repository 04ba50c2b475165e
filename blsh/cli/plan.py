"""Print the jobs, the disk and the time that an experiment takes, before it runs or half-way.

It takes the arguments of `blsh run`.
"""

import argparse
import os

from blsh.experiment.command_line import ARGUMENTS, read_command_line
from blsh.experiment.inputs import require_inputs
from blsh.experiment.plan import plan

EXAMPLE = "blsh plan --configfile config/open_small.yaml"
PASSES_ARGUMENTS_ON = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments, which Snakemake's parser reads."""
    parser.add_argument_group("experiment and machine", ARGUMENTS)


def run(arguments: argparse.Namespace) -> None:
    """Print a line per rule and the totals."""
    given = read_command_line(arguments.more)
    require_inputs(given.config)
    cores = given.options.cores or os.cpu_count() or 1
    estimate = plan(given.config)
    print(f"{'rule':<18}{'jobs':>6}{'done':>6}{'core minutes left':>20}")
    for step in estimate.steps:
        print(f"{step.rule:<18}{step.jobs:>6}{step.done:>6}{step.seconds / 60:>20.1f}")
    minutes = estimate.wall_seconds(cores) / 60
    print(f"scores to compute: {estimate.scores:,}")
    print(f"disk for features and masks: {estimate.disk_bytes / 1e9:.2f} GB")
    print(f"time left on {cores} cores: about {minutes:.0f} min")
    if estimate.assumed:
        print(f"assumed, not drawn yet: number and length of the mixtures of {', '.join(estimate.assumed)}")
