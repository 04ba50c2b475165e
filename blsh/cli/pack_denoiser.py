"""Make a denoiser's model from what an experiment has computed: its training frames and learned projections.

The dictionary is the head of the same permutation of frames that the experiment's repeat draws from, so a model's
rows lie among those of a scored dictionary that is larger.
"""

import argparse
from pathlib import Path

from blsh.cli.data_arguments import add_data_arguments, open_recordings, read_manifests
from blsh.cli.model_arguments import add_model_arguments, bands_of, check_model_arguments, read_sources, score_and_save
from blsh.cli.numbers import INDEX
from blsh.denoising.dictionary import draw_rows
from blsh.denoising.model_making import make_model, typical_level
from blsh.experiment.seeds import generator
from blsh.files.arrays import load_array
from blsh.hashing.projections import load_projections
from blsh.mixtures.recipes import read_recipes
from blsh.signal.spectra import FEATURES

EXAMPLE = (
    "blsh pack-denoiser --recipes train.csv --feature stft --features stft.npy --masks masks.npy \\\n"
    "    --projections blsh_stft_ssm.npz --validation validation.csv --manifest speech=speech.csv noise=noise.csv \\\n"
    "    --folder speech=data/LibriSpeech noise=data/ESC-10 -o my.blsh"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add_data_arguments(parser)
    parser.add_argument("--recipes", type=Path, required=True, help="recipes of the training mixtures")
    parser.add_argument("--feature", choices=FEATURES, required=True, help="what the features are")
    parser.add_argument("--features", type=Path, required=True, help="features of all training frames (.npy)")
    parser.add_argument("--masks", type=Path, required=True, help="their packed masks (.npy)")
    parser.add_argument("--projections", type=Path, required=True, help="learned projections (.npz)")
    parser.add_argument("--validation", type=Path, required=True, help="recipes of the mixtures to measure on")
    parser.add_argument("--repeat", type=INDEX, default=1, help="whose permutation of the frames (default 1)")
    add_model_arguments(parser)


def run(arguments: argparse.Namespace) -> None:
    """Draw the rows, pack, measure."""
    features, masks = load_array(arguments.features, mapped=True), load_array(arguments.masks, mapped=True)
    check_model_arguments(arguments, len(features))
    recipes, validation = read_recipes(arguments.recipes), read_recipes(arguments.validation)
    audio = open_recordings(arguments)
    pieces = {(piece.corpus, piece.path) for recipe in recipes for piece in (recipe.speech, *recipe.noise_pieces)}
    recordings = [r for own in read_manifests(arguments).values() for r in own if (r.corpus, r.path) in pieces]
    if not 1 <= arguments.n_rows <= len(features):
        raise ValueError(f"--n-rows {arguments.n_rows} must lie in 1…{len(features)}, the training frames")
    rng = generator(arguments.seed, "dictionary", arguments.repeat)
    model = make_model(
        load_projections(arguments.projections).prefix(arguments.n_bits),
        features,
        masks,
        draw_rows(len(features), arguments.n_rows / len(features), rng=rng),
        feature=arguments.feature,
        n_neighbours=arguments.n_neighbours,
        bands=bands_of(arguments),
        level=typical_level(recipes, audio),
        recipes=recipes,
        recordings=recordings,
        sources=read_sources(arguments.sources, recordings),
        settings={
            "projections": arguments.projections.stem,
            "seed": arguments.seed,
            "snr_db": sorted({recipe.snr_db for recipe in recipes}),
            "mixtures": len(recipes),
            "frames": len(features),
        },
        rng=generator(arguments.seed, "mask patterns"),
    )
    score_and_save(model, validation, audio, arguments.output)
