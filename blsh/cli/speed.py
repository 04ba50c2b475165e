"""Measure how long the systems take to clean a second of a recording, on one thread whatever --threads says.

Random codes stand for all codes of their length, and networks as they are before training for trained ones: they take
the same time (`blsh.denoising.cleaning_time`).
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from blsh.cli.data_arguments import add_data_arguments, open_recordings
from blsh.cli.numbers import CODE_LENGTH, COUNT, RHO, SEED, Refused
from blsh.cli.pairs import parse_pairs
from blsh.denoising import estimators
from blsh.denoising.architectures import parse_architecture
from blsh.denoising.cleaning_time import seconds_per_second
from blsh.denoising.network_estimators import untrained_estimator
from blsh.experiment.draws import draw_dictionary, draw_projections
from blsh.experiment.provenance import machine_facts
from blsh.experiment.seeds import generator
from blsh.files.arrays import load_array
from blsh.files.tables import write_csv
from blsh.mixtures.recipes import read_recipes
from blsh.mixtures.rendering import render

EXAMPLE = (
    "blsh speed --seed 2020 --raw stft mel --codes stft=300 mel=50,300 --network fc-3x256 --rho 0.1 0.01 \\\n"
    "    --n-neighbours 10 --recipes open.csv --features-from features --masks masks.npy \\\n"
    "    --manifest speech=speech.csv noise=noise.csv --folder speech=data/LibriSpeech noise=data/ESC-10 -o speed.csv"
)
# The recording is the one whose length is nearest to this.
SECONDS = 5.0
LABELS = ("system", "variant", "feature", "rho", "n_bits", "dictionary_rows")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add_data_arguments(parser)
    parser.add_argument("--seed", type=SEED, required=True, help="base seed of the experiment")
    parser.add_argument("--raw", nargs="*", default=[], metavar="FEATURE", help="features to search as they are")
    parser.add_argument("--codes", nargs="*", default=[], metavar="FEATURE=L,L", help="features to search as codes")
    parser.add_argument("--network", nargs="*", default=[], metavar="KIND-SIZES", help="networks, such as fc-3x256")
    parser.add_argument("--rho", type=RHO, nargs="+", required=True, help="fractions of frames in the dictionary")
    parser.add_argument("--n-neighbours", type=COUNT, required=True, help="neighbours whose masks are averaged")
    parser.add_argument("--recipes", type=Path, required=True, help="recipes to choose a mixture from")
    parser.add_argument("--features-from", type=Path, required=True, help="folder of FEATURE.npy")
    parser.add_argument("--masks", type=Path, required=True, help="packed masks of the training frames (.npy)")
    parser.add_argument("-o", "--output", type=Path, required=True, help="table to write (CSV)")


def run(arguments: argparse.Namespace) -> None:
    """Render a mixture, clean it with each system, write the table."""
    import numba
    import pandas as pd

    # BLAS and networks have one thread anyway; with two, processor time would be no time that anyone waits.
    numba.set_num_threads(1)
    recipes = read_recipes(arguments.recipes)
    waveforms = render(min(recipes, key=lambda recipe: abs(recipe.seconds - SECONDS)), open_recordings(arguments))
    facts = machine_facts()
    machine = str(facts.get("processor", facts["architecture"]))
    rows = [(*labels, seconds_per_second(estimate, waveforms), 1, machine) for labels, estimate in _systems(arguments)]
    write_csv(arguments.output, pd.DataFrame(rows, columns=[*LABELS, "seconds_per_second", "threads", "machine"]))


def _systems(arguments: argparse.Namespace) -> Iterator[tuple[tuple, estimators.Estimator]]:
    """Yield the values of `LABELS` and the system."""
    k, seed = arguments.n_neighbours, arguments.seed
    codes = {name: _lengths(text) for name, text in parse_pairs(arguments.codes, "--codes").items()}
    packed = load_array(arguments.masks, mapped=True)
    for feature in dict.fromkeys((*arguments.raw, *codes)):
        frames = load_array(arguments.features_from / f"{feature}.npy", mapped=True)
        for rho in arguments.rho:
            dictionary, masks = draw_dictionary(frames, packed, rho=rho, seed=seed, repeat=1)
            n_rows = len(masks)
            if feature in arguments.raw:
                yield ("knn", "", feature, rho, 0, n_rows), estimators.raw_neighbours(feature, dictionary, masks, k)
            for n_bits in codes.get(feature, ()):
                projections = draw_projections(n_bits, feature, seed=seed, matrix=1)
                search = estimators.hashed_neighbours(feature, projections, dictionary, masks, k, (n_bits,))
                yield ("codes", "", feature, rho, n_bits, n_rows), search
    for name in arguments.network:
        system, _, variant = name.partition("-")
        architecture = parse_architecture(system, variant)
        network = untrained_estimator(architecture, rng=generator(seed, "speed", name))
        yield (system, variant, architecture.feature, 0.0, 0, 0), network


def _lengths(text: str) -> tuple[int, ...]:
    try:
        return tuple(CODE_LENGTH(word) for word in text.split(","))
    except Refused as error:
        raise ValueError(f"--codes: {error}; write mel=50,300") from None
