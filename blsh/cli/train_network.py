"""Train a neural network to compare with. One that was killed, or that a limit ended, goes on where it stopped."""

import argparse
import math
from dataclasses import asdict, astuple
from functools import partial
from pathlib import Path

import pandas as pd

from blsh.cli.data_arguments import add_data_arguments, open_recordings, read_manifests
from blsh.cli.noise_arguments import add_noise_arguments, select_noise
from blsh.cli.numbers import COUNT, SEED, SNR_DB, Real
from blsh.cli.pairs import parse_pairs
from blsh.cli.progress import Progress
from blsh.denoising.architectures import NETWORKS, parse_architecture
from blsh.denoising.checkpoints import save_checkpoint
from blsh.denoising.crops import Crops
from blsh.denoising.network_params import LOSSES, NetworkParams
from blsh.experiment.code import code_of
from blsh.experiment.seeds import generator
from blsh.files.checksums import digest_of, sha256_of_file
from blsh.files.tables import write_csv
from blsh.mixtures.recipes import read_recipes
from blsh.mixtures.rendering import render
from blsh.mixtures.unit_table import read_units

EXAMPLE = (
    "blsh train-network --system fc --variant 3x256 --seed 2020 --units units.csv --noise-corpus noise --snr-db 0 \\\n"
    "    --validation validation.csv --manifest speech=speech.csv noise=noise.csv \\\n"
    "    --folder speech=data/LibriSpeech noise=data/ESC-10 --history history.csv -o fc_3x256.safetensors"
)
# All training speech and noise is kept decoded if it fits: batches take from it at random.
MEMORY_OF_RECORDINGS = 8 << 30


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    usual = {name: field.default for name, field in NetworkParams.__dataclass_fields__.items()}
    add_data_arguments(parser)
    parser.add_argument("--system", required=True, choices=NETWORKS, help="kind of network")
    parser.add_argument(
        "--variant", required=True, help="its sizes, such as 3x256: layers x units, or repeats x blocks"
    )
    parser.add_argument("--seed", type=SEED, required=True, help="base seed of the experiment")
    parser.add_argument(
        "--units", type=Path, required=True, help="table that 'blsh units' wrote; its train units speak"
    )
    add_noise_arguments(parser)
    parser.add_argument(
        "--snr-db", type=SNR_DB, nargs="+", required=True, help="signal-to-noise ratio of the crops in dB, or its range"
    )
    parser.add_argument("--validation", type=Path, required=True, help="recipes that the stop rule listens to")
    parser.add_argument(
        "--loss", choices=LOSSES, default=usual["loss"], help="what is made small (default %(default)s)"
    )
    parser.add_argument(
        "--crop-seconds", type=Real(above=0), default=1.0, help="length of a crop (default %(default)s)"
    )
    for name, kind, words in (
        ("batch_size", COUNT, "crops in a batch"),
        ("batches_per_epoch", COUNT, "batches between two looks at the validation set"),
        ("learning_rate", Real(above=0), "of Adam"),
        ("patience", COUNT, "epochs without progress after which training stops"),
        ("least_gain", Real(0), "how much lower a loss is progress"),
    ):
        flag = "--" + name.replace("_", "-")
        parser.add_argument(flag, type=kind, default=usual[name], help=f"{words} (default %(default)s)")
    parser.add_argument("--max-epochs", type=COUNT, default=500, help="limit on epochs (default %(default)s)")
    parser.add_argument("--max-minutes", type=Real(above=0), default=math.inf, help="limit on time, over all sittings")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where to train (default %(default)s)")
    parser.add_argument("--history", type=Path, required=True, help="table of the epochs to write (CSV)")
    parser.add_argument("-o", "--output", type=Path, required=True, help="checkpoint to write (.safetensors)")


def outputs(arguments: argparse.Namespace) -> dict[str, list[Path]]:
    """Return the files that will be written."""
    return {"output": [arguments.output], "history": [arguments.history]}


def run(arguments: argparse.Namespace) -> None:
    """Train, save the checkpoint and the history; the state stays, so that another limit trains nothing again."""
    params = _params(arguments)
    from blsh.denoising.network_training import find_device, train_network

    device = find_device(arguments.device)
    axes = ("network", arguments.system, arguments.variant)
    audio = open_recordings(arguments, max_bytes=MEMORY_OF_RECORDINGS)
    crops = Crops(
        read_units(arguments.units)["train"],
        tuple(select_noise(arguments, read_manifests(arguments))),
        audio,
        snr_db=_range(arguments.snr_db),
        rng_for=partial(generator, arguments.seed, "network"),
        seconds=arguments.crop_seconds,
    )
    validation = [render(recipe, audio) for recipe in read_recipes(arguments.validation)]
    state = arguments.output.with_suffix(".state.safetensors")
    fingerprint = digest_of(
        [
            arguments.seed,
            axes,
            repr(params),
            arguments.device,
            arguments.threads,
            [arguments.snr_db, arguments.crop_seconds],
            [astuple(recording) for recording in crops.noise],
            sha256_of_file(arguments.units),
            sha256_of_file(arguments.validation),
            [sha256_of_file(path) for path in parse_pairs(arguments.manifest, "--manifest").values()],
            code_of("blsh.cli.train_network"),
        ]
    )
    print(f"{params}, {len(crops.units)} units of speech, {len(crops.noise)} recordings of noise", flush=True)
    checkpoint, epochs = train_network(
        params,
        crops.batch,
        validation,
        seed=arguments.seed,
        rng=generator(arguments.seed, *axes, "start"),
        device=device,
        max_epochs=arguments.max_epochs,
        max_seconds=60 * arguments.max_minutes,
        n_threads=arguments.threads,
        progress=Progress(f"batch ({params.architecture})"),
        state=state,
        fingerprint=fingerprint,
    )
    training = checkpoint.training
    print(
        f"{training.epochs} epochs in {training.seconds / 60:.1f} min, ended by {training.stopped_by}; "
        f"best epoch {training.best_epoch}: validation SI-SDR {training.validation_si_sdr:.2f} dB"
    )
    write_csv(arguments.history, pd.DataFrame([asdict(epoch) for epoch in epochs]))
    save_checkpoint(arguments.output, checkpoint)


def _params(arguments: argparse.Namespace) -> NetworkParams:
    names = ("loss", "batch_size", "batches_per_epoch", "learning_rate", "patience", "least_gain")
    architecture = parse_architecture(arguments.system, arguments.variant)
    return NetworkParams(architecture, **{name: getattr(arguments, name) for name in names})


def _range(snr_db: list[float]) -> tuple[float, float]:
    if len(snr_db) > 2:
        raise ValueError(
            f"--snr-db {' '.join(map(str, snr_db))} is no range: give one number, or the least and largest"
        )
    return snr_db[0], snr_db[-1]
