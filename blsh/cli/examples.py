"""Write the sounds that the report plays: clean, noisy, and cleaned by each system, with one gain per utterance."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from blsh.cli.data_arguments import add_data_arguments, open_recordings
from blsh.cli.numbers import CODE_LENGTH, COUNT, INDEX, RHO, SEED
from blsh.denoising import estimators
from blsh.evaluation.bss_eval import bss_eval, factor_references
from blsh.experiment.draws import draw_dictionary, draw_projections
from blsh.files.arrays import load_array
from blsh.files.atomic import write_json
from blsh.hashing.projections import load_projections
from blsh.mixtures.recipes import Recipe, read_recipes
from blsh.mixtures.rendering import render
from blsh.signal.audio import write_wav
from blsh.signal.spectra import istft

EXAMPLE = (
    "blsh examples --seed 2020 --system knn lsh blsh --feature stft --target ssm --rho 0.1 --n-neighbours 10 \\\n"
    "    --n-bits 150 --mixtures 3 --recipes open.csv --features-from features --masks masks.npy \\\n"
    "    --constant mean.npy --model blsh_stft_ssm.npz --manifest speech=speech.csv noise=noise.csv \\\n"
    "    --folder speech=data/LibriSpeech noise=data/ESC-10 -o audio/examples.json"
)

CODES = {"lsh": "LSH", "blsh": "BLSH", "residual": "Residual boosting"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add_data_arguments(parser)
    parser.add_argument("--seed", type=SEED, required=True, help="base seed of the experiment")
    parser.add_argument("--system", nargs="*", default=[], help="systems to hear (default: none)")
    parser.add_argument("--feature", required=True, help="feature that is searched or hashed")
    parser.add_argument("--target", required=True, help="target of the learned projections")
    parser.add_argument("--rho", type=RHO, required=True, help="fraction of training frames in the dictionary")
    parser.add_argument("--n-neighbours", type=COUNT, required=True, help="neighbours whose masks are averaged")
    parser.add_argument("--n-bits", type=CODE_LENGTH, required=True, help="code length")
    parser.add_argument(
        "--mixtures", type=INDEX, required=True, help="how many mixtures, each noise once before any twice"
    )
    parser.add_argument("--recipes", type=Path, required=True, help="recipes to choose from")
    parser.add_argument("--features-from", type=Path, required=True, help="folder of FEATURE.npy")
    parser.add_argument("--masks", type=Path, required=True, help="packed masks of the training frames (.npy)")
    parser.add_argument("--constant", type=Path, required=True, help="mean mask (.npy)")
    parser.add_argument(
        "--model", nargs="*", default=[], type=Path, help="blsh_FEATURE_TARGET.npz, residual_FEATURE.npz"
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, help="list of the sounds to write (JSON), beside them"
    )


def outputs(arguments: argparse.Namespace) -> dict[str, list[Path]]:
    """Return the files that will be written."""
    folder, words = arguments.output.parent, {"clean", "mixture", *arguments.system}
    sounds = [path for path in folder.glob("*_*.wav") if path.stem.partition("_")[2] in words]
    return {"output": [arguments.output, *sounds]}


def run(arguments: argparse.Namespace) -> None:
    """Render, clean, scale, write."""
    systems = _systems(arguments)
    recordings = open_recordings(arguments)
    examples = []
    for number, recipe in enumerate(choose(read_recipes(arguments.recipes), arguments.mixtures), start=1):
        scene = estimators.Scene(render(recipe, recordings))
        factors = factor_references(scene.waveforms.speech, None, interference=False)
        sounds = {f"{number}_clean.wav": scene.waveforms.speech, f"{number}_mixture.wav": scene.waveforms.mixture}
        clean, mixture = sounds
        heard = []
        for label, estimator in systems.items():
            estimate = istft(estimator(scene)[0] * scene.spectrum, len(scene.waveforms.mixture))
            name = f"{number}_{label.split()[0].lower()}.wav"
            sounds[name] = estimate
            sdr = float(bss_eval(estimate[np.newaxis], factors).sdr[0])
            heard.append({"label": f"{label}, SDR {sdr:.1f} dB", "path": name})
        title = f"{recipe.speaker} in {recipe.noise.replace('_', ' ')}, {recipe.snr_db:g} dB"
        examples.append({"title": title, "clean": clean, "mixture": mixture, "systems": heard})
        # One gain for the utterance, so that its sounds can be compared; at full scale nothing is clipped.
        peak = max(float(np.abs(sound).max()) for sound in sounds.values())
        for name, sound in sounds.items():
            write_wav(arguments.output.parent / name, sound * np.float32(0.99 / peak))
    write_json(arguments.output, examples)


def choose(recipes: Sequence[Recipe], n_mixtures: int) -> list[Recipe]:
    """Choose mixtures so that every noise comes once before any comes twice, new speakers first, short ones first."""
    chosen: list[Recipe] = []
    while len(chosen) < min(n_mixtures, len(recipes)):
        noises, speakers = [r.noise for r in chosen], [r.speaker for r in chosen]
        rest = (recipe for recipe in recipes if recipe not in chosen)
        chosen.append(min(rest, key=lambda r: (noises.count(r.noise), speakers.count(r.speaker), r.seconds)))
    return chosen


def _systems(arguments: argparse.Namespace) -> dict[str, estimators.Estimator]:
    """Return the estimators by their labels, in the order asked for."""
    feature, k, bits = arguments.feature, arguments.n_neighbours, (arguments.n_bits,)
    dictionary, masks = draw_dictionary(
        load_array(arguments.features_from / f"{feature}.npy", mapped=True),
        load_array(arguments.masks, mapped=True),
        rho=arguments.rho,
        seed=arguments.seed,
        repeat=1,
    )
    made = {}
    for system in arguments.system:
        if system == "constant":
            made["Constant mask"] = estimators.constant(load_array(arguments.constant))
        elif system == "ibm":
            made["IBM (oracle)"] = estimators.ideal_binary
        elif system == "knn":
            made[f"KNN ({feature})"] = estimators.raw_neighbours(feature, dictionary, masks, k)
        elif system in CODES:
            if system == "lsh":
                projections = draw_projections(arguments.n_bits, feature, seed=arguments.seed, matrix=1)
            else:
                projections = load_projections(_model(arguments, system))
            label = f"{CODES[system]} ({feature}, {arguments.n_bits} bits)"
            made[label] = estimators.hashed_neighbours(feature, projections, dictionary, masks, k, bits)
        else:
            raise ValueError(f"system={system!r} is not one to hear; choose constant, ibm, knn, lsh, blsh or residual")
    return made


def _model(arguments: argparse.Namespace, system: str) -> Path:
    name = "_".join([system, arguments.feature, *([arguments.target] if system == "blsh" else [])]) + ".npz"
    for path in arguments.model:
        if path.name == name:
            return path
    raise ValueError(f"system {system!r} needs the model {name}; give it to --model")
