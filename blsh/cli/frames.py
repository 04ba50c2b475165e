"""Write the training frames: features, packed ideal binary masks, and the mean mask, in one streaming pass."""

import argparse
from pathlib import Path

from blsh.cli.data_arguments import add_data_arguments, open_recordings
from blsh.cli.progress import Progress
from blsh.denoising.mask_estimation import mean_mask
from blsh.denoising.training_frames import write_training_frames
from blsh.files.arrays import load_array, save_array
from blsh.mixtures.recipes import read_recipes
from blsh.signal.spectra import FEATURES

EXAMPLE = (
    "blsh frames --feature stft mel --recipes train.csv --features-to features --masks masks.npy \\\n"
    "    --constant mean.npy --manifest speech=speech.csv noise=noise.csv \\\n"
    "    --folder speech=data/LibriSpeech noise=data/ESC-10"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add_data_arguments(parser)
    parser.add_argument("--feature", nargs="+", required=True, choices=FEATURES, help="features to write")
    parser.add_argument("--recipes", type=Path, required=True, help="recipes of the training set")
    parser.add_argument("--features-to", type=Path, required=True, help="folder for FEATURE.npy")
    parser.add_argument("--masks", type=Path, required=True, help="packed masks to write (.npy)")
    parser.add_argument("--constant", type=Path, required=True, help="mean mask to write (.npy)")


def outputs(arguments: argparse.Namespace) -> dict[str, list[Path]]:
    """Return the files that will be written."""
    features = [arguments.features_to / f"{name}.npy" for name in arguments.feature]
    return {"features_to": features, "masks": [arguments.masks], "constant": [arguments.constant]}


def run(arguments: argparse.Namespace) -> None:
    """Write the frames and print their number."""
    n_frames = write_training_frames(
        read_recipes(arguments.recipes),
        open_recordings(arguments),
        features={name: arguments.features_to / f"{name}.npy" for name in arguments.feature},
        masks=arguments.masks,
        progress=Progress("mixtures"),
    )
    save_array(arguments.constant, mean_mask(load_array(arguments.masks, mapped=True)))
    print(f"{n_frames} frames")
