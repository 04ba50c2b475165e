"""Find the dictionary frames that the raw features of a set find: what codes are compared with in recall."""

import argparse
from pathlib import Path

import numpy as np

from blsh.cli.data_arguments import add_data_arguments, open_recordings
from blsh.cli.numbers import COUNT, INDEX, RHO, SEED
from blsh.cli.progress import Progress
from blsh.denoising.training_frames import count_frames
from blsh.experiment.draws import draw_dictionary_rows
from blsh.files.arrays import RowWriter, load_array
from blsh.hashing.search import inner_product_neighbours
from blsh.mixtures.recipes import read_recipes
from blsh.mixtures.rendering import render
from blsh.signal.spectra import feature, stft

EXAMPLE = (
    "blsh neighbours --seed 2020 --feature stft --rho 0.1 --repeat 1 --n-neighbours 10 --recipes open.csv \\\n"
    "    --features stft.npy --manifest speech=speech.csv noise=noise.csv \\\n"
    "    --folder speech=data/LibriSpeech noise=data/ESC-10 -o open_stft_rho-0.1_rep-1.npy"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add_data_arguments(parser)
    parser.add_argument("--seed", type=SEED, required=True, help="base seed of the experiment")
    parser.add_argument("--feature", required=True, help="feature that is searched")
    parser.add_argument("--rho", type=RHO, required=True, help="fraction of training frames in the dictionary")
    parser.add_argument("--repeat", type=INDEX, required=True, help="which dictionary")
    parser.add_argument("--n-neighbours", type=COUNT, required=True, help="neighbours of a frame")
    parser.add_argument("--recipes", type=Path, required=True, help="the set's recipes")
    parser.add_argument("--features", type=Path, required=True, help="features of all training frames (.npy)")
    parser.add_argument("-o", "--output", type=Path, required=True, help="rows of the dictionary to write (.npy)")


def run(arguments: argparse.Namespace) -> None:
    """Search every frame of every mixture, and write the rows found: int32 (frames of the set, K)."""
    recipes = read_recipes(arguments.recipes)
    recordings = open_recordings(arguments)
    features = load_array(arguments.features, mapped=True)
    rows = draw_dictionary_rows(len(features), rho=arguments.rho, seed=arguments.seed, repeat=arguments.repeat)
    dictionary = np.ascontiguousarray(features[rows])
    show = Progress("mixtures")
    with RowWriter(arguments.output, count_frames(recipes), arguments.n_neighbours, np.int32) as writer:
        for done, recipe in enumerate(recipes, start=1):
            queries = feature(arguments.feature, stft(render(recipe, recordings).mixture))
            found = inner_product_neighbours(queries, dictionary, arguments.n_neighbours)
            writer.append(found.indices.astype(np.int32))
            show(done, len(recipes))
