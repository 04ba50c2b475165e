"""Draw a set of mixtures: for each, which speech, which pieces of noise, at which signal-to-noise ratio.

A set of pairs (``--pairs-corpus``) draws nothing: its mixtures were recorded.
"""

import argparse
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from blsh.cli.data_arguments import add_data_arguments, open_recordings, read_manifests
from blsh.cli.noise_arguments import add_noise_arguments, corpus_of, select_noise
from blsh.cli.numbers import COUNT, SEED, SNR_DB
from blsh.corpora.manifest import Recording
from blsh.experiment.seeds import generator
from blsh.mixtures.drawing import draw_recipes
from blsh.mixtures.pairs import pair_recipes
from blsh.mixtures.recipes import Recipe, write_recipes
from blsh.mixtures.unit_table import SOURCES, read_units

EXAMPLE = (
    "blsh draw --set open --seed 2020 --source open --units units.csv --noise-corpus noise --snr-db 0 \\\n"
    "    --manifest speech=speech.csv noise=noise.csv --folder speech=data/LibriSpeech noise=data/ESC-10 -o open.csv"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add_data_arguments(parser)
    parser.add_argument("--set", required=True, help="name of the set")
    parser.add_argument("--seed", type=SEED, required=True, help="base seed of the experiment")
    origin = parser.add_mutually_exclusive_group(required=True)
    origin.add_argument("--source", choices=SOURCES, help="whose speech it is")
    origin.add_argument("--pairs-corpus", help="corpus of clean and noisy recordings, in place of all that follows")
    parser.add_argument("--units", type=Path, help="table that 'blsh units' wrote")
    add_noise_arguments(parser)
    parser.add_argument("--snr-db", type=SNR_DB, nargs="+", help="signal-to-noise ratios in dB")
    parser.add_argument("--drawn-as", help="set whose speech and noise are repeated (default: none, --set)")
    parser.add_argument("--mixtures", type=COUNT, help="at most so many mixtures, balanced (default: all)")
    parser.add_argument("--noises-per-utterance", type=COUNT, help="so many classes for each utterance (default: all)")
    parser.add_argument("-o", "--output", required=True, type=Path, help="recipes to write (CSV)")


def run(arguments: argparse.Namespace) -> None:
    """Draw the recipes, print their extent, write them."""
    manifests = read_manifests(arguments)
    if arguments.pairs_corpus:
        recipes = pair_recipes(corpus_of(manifests, arguments.pairs_corpus, "--pairs-corpus"), set_name=arguments.set)
    else:
        recipes = _drawn(arguments, manifests)
    hours = sum(recipe.seconds for recipe in recipes) / 3600
    speakers = {recipe.speaker for recipe in recipes}
    classes = {recipe.noise for recipe in recipes}
    print(f"{len(recipes)} mixtures, {hours:.2f} h, {len(speakers)} speakers, {len(classes)} noise classes")
    write_recipes(arguments.output, recipes)


def _drawn(arguments: argparse.Namespace, manifests: Mapping[str, tuple[Recording, ...]]) -> tuple[Recipe, ...]:
    for name in ("units", "noise_corpus", "snr_db"):
        if not getattr(arguments, name):
            raise ValueError(f"--source {arguments.source} needs --{name.replace('_', '-')}; add it")
    noise = select_noise(arguments, manifests)
    return draw_recipes(
        read_units(arguments.units)[arguments.source],
        noise,
        set_name=arguments.set,
        drawn_as=arguments.drawn_as or arguments.set,
        snrs_db=arguments.snr_db,
        n_mixtures=arguments.mixtures,
        noises_per_utterance=arguments.noises_per_utterance,
        audio=open_recordings(arguments),
        rng_for=partial(generator, arguments.seed),
    )
