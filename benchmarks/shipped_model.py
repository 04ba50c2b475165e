"""Make the model that comes with the package, and measure it: the command behind docs/model_card.md.

    .venv/bin/python -m benchmarks.shipped_model --corpora-folder FOLDER --cores 2

The data is that of config/open_small.yaml, with its split into training, validation and open set, without the noise
clips whose licence is neither CC0 nor CC BY. The projections are those of residual boosting. `CHOICE` was made on the
validation set (benchmarks/model_bytes.py); with --open the open set is scored as well, once the choice is made: the
model at several SNRs beside the full one, which has 300 bits, a tenth of all frames and whole masks.

Results go to results/shipped_model, the model to blsh/models/default.blsh (or -o). A second call continues.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import yaml

from blsh import __version__
from blsh.corpora.manifest import read_manifest
from blsh.denoising.dictionary import draw_rows
from blsh.denoising.mask_codebook import BANDS
from blsh.denoising.mask_store import MaskStore
from blsh.denoising.model_file import DEFAULT_MODEL, DenoiserModel, load_model
from blsh.evaluation.model_quality import score_models
from blsh.experiment.config import load_config
from blsh.experiment.grid import data_folder
from blsh.experiment.rules import model_files
from blsh.experiment.seeds import generator
from blsh.files.arrays import load_array
from blsh.files.atomic import write_json, write_text
from blsh.files.tables import write_csv
from blsh.hashing.projections import encode, load_projections
from blsh.mixtures.recipes import read_recipes
from blsh.mixtures.rendering import Recordings

SEED = 2020
FEATURE = "stft"
CHOICE = {"n_bits": 150, "n_rows": 52_500, "bands": BANDS}
FULL = {"n_bits": 300, "rho": 0.1}
SNRS_DB = (-5.0, 0.0, 5.0, 10.0, 20.0)
FOLDER = Path("results/shipped_model")
_CLIP = re.compile(
    r"\*\*\[(?P<clip>[\w-]+)\.ogg\].*?clip derived from \[(?P<title>.*?)\]\((?P<address>[^)]*)\)"
    r" by \*(?P<author>.*?)\* \(\[(?P<licence>[^]]*)\]"
)
_OPEN_LICENCES = {"CC0": "CC0 1.0", "CC-BY": "CC BY 3.0"}


class Made(NamedTuple):
    """What the workflow has computed for the model."""

    data: Path
    projections: Path
    folders: dict[str, Path]

    def recordings(self) -> Recordings:
        """Open the recordings of both corpora."""
        return Recordings([read_manifest(self.data / f"manifests/{name}.csv") for name in self.folders], self.folders)


def main() -> None:
    """Make, and measure on the open set if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--open", action="store_true", help="score the open set too")
    parser.add_argument("-o", "--output", type=Path, default=DEFAULT_MODEL, help="model to write")
    arguments = parser.parse_args()
    made = compute(arguments.corpora_folder, arguments.cores)
    pack(made, arguments.output)
    if arguments.open:
        models = {"shipped": load_model(arguments.output), "full": full_model(made)}
        scores = score_open(made, models)
        write_csv(FOLDER / "open.csv", scores)
        print(scores.round(2).to_string(index=False))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where the recordings are and how much of the machine to use."""
    parser.add_argument("--corpora-folder", default="data", help="folder of LibriSpeech and ESC-10 (default data)")
    parser.add_argument("--cores", default="2")


def compute(corpora_folder: str, cores: str) -> Made:
    """Let the workflow compute training frames, projections and the recipes of the sets."""
    config = yaml.safe_load(Path("config/open_small.yaml").read_text(encoding="utf-8"))
    esc = Path(corpora_folder, config["data"]["corpora"]["noise"]["folder"])
    listing = Path(config["data"]["corpora"]["noise"]["listing"])
    credits = read_credits(esc / "ATTRIBUTION.md")
    rows = listing.read_text(encoding="utf-8").splitlines()
    usable = [rows[0], *(row for row in rows[1:] if row.split(",")[0] in credits)]
    write_text(FOLDER / "noise.csv", "\n".join(usable) + "\n")
    config |= {"name": "shipped_model", "corpora_folder": corpora_folder, "seed": SEED}
    config["data"]["name"] = "shipped_model"
    config["data"]["corpora"]["noise"]["listing"] = str(FOLDER / "noise.csv")
    config["grid"] = {"systems": ["residual"], "features": [FEATURE], "rho": [0.1], "n_bits": [FULL["n_bits"]]}
    config["grid"]["repeats"] = 1
    config.pop("results", None)
    path = FOLDER / "config.yaml"
    write_text(path, yaml.safe_dump(config))
    loaded = load_config(path, {})
    data = Path(data_folder(loaded))
    (projections,) = model_files(loaded)
    targets = [projections, *(str(data / f"mixtures/{name}.csv") for name in ("validation", "open"))]
    command = [sys.executable, "-m", "snakemake", "--configfile", str(path), "--cores", cores, "--quiet", "all", "--"]
    subprocess.run([*command, *targets], check=True)
    clips = {Path(p.path).stem for recipe in read_recipes(data / "mixtures/train.csv") for p in recipe.noise_pieces}
    write_json(FOLDER / "sources.json", _sources([credits[clip] for clip in sorted(clips)]))
    folders = {name: Path(corpora_folder, corpus["folder"]) for name, corpus in config["data"]["corpora"].items()}
    return Made(data, Path(projections), folders)


def read_credits(path: Path) -> dict[str, str]:
    """Read a line of credit for each ESC-10 clip that is CC0 or CC BY, by the clip's name."""
    credits = {}
    for found in _CLIP.finditer(path.read_text(encoding="utf-8")):
        if licence := _OPEN_LICENCES.get(found["licence"]):
            credits[found["clip"]] = (
                f"{found['clip']}: {found['title']} by {found['author']}, {licence}, {found['address']}"
            )
    return credits


def pack(made: Made, output: Path) -> None:
    """Pack the chosen model; the verb measures it on the validation set."""
    words = {
        "--recipes": [made.data / "mixtures/train.csv"],
        "--validation": [made.data / "mixtures/validation.csv"],
        "--feature": [FEATURE],
        "--features": [made.data / f"features/{FEATURE}.npy"],
        "--masks": [made.data / "masks/train.npy"],
        "--projections": [made.projections],
        "--manifest": [f"{name}={made.data}/manifests/{name}.csv" for name in made.folders],
        "--folder": [f"{name}={folder}" for name, folder in made.folders.items()],
        "--seed": [SEED],
        "--n-bits": [CHOICE["n_bits"]],
        "--n-rows": [CHOICE["n_rows"]],
        "--bands": CHOICE["bands"],
        "--sources": [FOLDER / "sources.json"],
        "-o": [output],
    }
    command = [sys.executable, "-m", "blsh", "pack-denoiser", "--overwrite"]
    subprocess.run([*command, *(str(word) for flag, values in words.items() for word in (flag, *values))], check=True)


def full_model(made: Made) -> DenoiserModel:
    """Return the model that an experiment scores at its longest code and largest dictionary."""
    features = load_array(made.data / f"features/{FEATURE}.npy", mapped=True)
    rows = draw_rows(len(features), FULL["rho"], rng=generator(SEED, "dictionary", 1))
    projections = load_projections(made.projections).prefix(FULL["n_bits"])
    return DenoiserModel(
        projections=projections,
        codes=encode(features[rows], projections),
        masks=MaskStore(load_array(made.data / "masks/train.npy", mapped=True)[rows]),
        feature=FEATURE,
        n_neighbours=10,
        level=1.0,
        fingerprint="",
        sources=(),
        scores=(),
        settings={},
        code_version=__version__,
    )


def score_open(made: Made, models: dict[str, DenoiserModel]) -> pd.DataFrame:
    """Score models on the open set's mixtures at every SNR: a row per SNR and noise."""
    recipes = read_recipes(made.data / "mixtures/open.csv")
    at_every_snr = [replace(recipe, snr_db=snr_db) for snr_db in SNRS_DB for recipe in recipes]
    constant = load_array(made.data / "masks/constant.npy")
    scores = score_models(list(models.values()), at_every_snr, made.recordings(), constant=constant)
    columns: dict[str, list] = {}
    for name, own in zip(models, scores, strict=True):
        columns |= {column: [getattr(score, column) for score in own] for column in ("snr_db", "noise", "mixtures")}
        columns |= {"mixture": [score.sdr_mixture for score in own], "constant": [score.sdr_constant for score in own]}
        columns[name] = [score.sdr for score in own]
    return pd.DataFrame(columns)


def _sources(clips: list[str]) -> list[dict[str, object]]:
    paper = "V. Panayotov, G. Chen, D. Povey and S. Khudanpur: LibriSpeech, ICASSP 2015"
    return [
        {
            "name": "LibriSpeech ASR corpus",
            "licence": "CC BY 4.0",
            "address": "https://www.openslr.org/12",
            "attributions": ["(c) 2014 by Vassil Panayotov", paper],
        },
        {
            "name": "ESC-10",
            "licence": "CC BY 3.0",
            "address": "https://github.com/karolpiczak/ESC-10",
            "attributions": ["K. J. Piczak: ESC, Dataset for Environmental Sound Classification, ACM 2015", *clips],
        },
    ]


if __name__ == "__main__":
    main()
