"""Measure how much each noise's long-term spectrum overlaps with that of the set's speech."""

import argparse
from pathlib import Path

from blsh.cli.data_arguments import add_data_arguments, open_recordings
from blsh.cli.progress import Progress
from blsh.files.tables import write_csv
from blsh.mixtures.overlap import noise_overlaps
from blsh.mixtures.recipes import read_recipes

EXAMPLE = (
    "blsh noises --recipes open.csv --manifest speech=speech.csv noise=noise.csv \\\n"
    "    --folder speech=data/LibriSpeech noise=data/ESC-10 -o noises.csv"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add_data_arguments(parser)
    parser.add_argument("--recipes", type=Path, required=True, help="the set's recipes")
    parser.add_argument("-o", "--output", type=Path, required=True, help="table to write (CSV)")


def run(arguments: argparse.Namespace) -> None:
    """Measure and write."""
    recipes = read_recipes(arguments.recipes)
    table = noise_overlaps(recipes, open_recordings(arguments), progress=Progress("mixtures"))
    write_csv(arguments.output, table)
