"""The smallest whole experiment, in a copy of the repository that a test may break.

Two training speakers and two noises of a second each, made here; one feature, one ρ, three systems. A run has 19 jobs
and takes some twenty seconds on two cores, nearly all of it imports.

A copy holds the package too, and `environment` puts it first: a test may edit its code, and edits in the checkout
during a long test change nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml
from safetensors.numpy import load_file

from tests.corpora.making import noise, write
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
PRESET = "micro.yaml"
RESULTS = Path("results/micro")

SPEAKERS = {"train/ann": 210, "train/bob": 110, "test/cat": 190, "tune/dan": 130}
NOISES = {"train/hiss": 0.03, "train/hum": 0.05, "test/rain": 0.04, "tune/wind": 0.05}
CONFIG = {
    "name": "micro",
    "title": "The smallest whole experiment",
    "seed": 7,
    "data": {
        "name": "micro",
        "corpora": {
            "speech": {"reader": "folder", "folder": "voices", "levels": ["split", "speaker"]},
            "noise": {"reader": "folder", "folder": "sounds", "levels": ["split", "class"]},
        },
        "speech": {
            "train": {"corpus": "speech", "splits": ["train"]},
            "validation": {"corpus": "speech", "splits": ["tune"]},
            "open": {"corpus": "speech", "splits": ["test"]},
            "seconds": 0.8,
            "per_speaker": 2,
            "held_out": 1,
        },
        "noise": {
            "train": {"corpus": "noise", "splits": ["train"]},
            "validation": {"corpus": "noise", "splits": ["tune"]},
            "open": {"corpus": "noise", "splits": ["test"]},
        },
        "sets": {
            "train": {"source": "train"},
            "closed": {"source": "closed"},
            "validation": {"source": "validation"},
            "open": {"source": "open"},
        },
    },
    "grid": {
        "systems": ["mixture", "lsh", "blsh"],
        "features": ["mel"],
        "sets": ["open"],
        "n_bits": [1, 8],
        "rho": [0.5],
        "repeats": 1,
        "n_neighbours": 5,
    },
    "training": {"switches": {"segment_frames": 100, "n_segments": 2, "min_passes": 3, "max_passes": 3}},
    "results": {"example_mixtures": 1, "ssm_bits": [8]},
}
# What a whole run leaves that says the same each time. Costs and speed hold seconds, and the report shows them.
RESULT_FILES = (
    "data/{name}/*/manifests/*",
    "data/{name}/*/mixtures/*",
    "data/{name}/*/features/*",
    "data/{name}/*/masks/*",
    "data/{name}/*/noises/*",
    "{name}/models/*",
    "{name}/scores/**/*",
    "{name}/summaries/*",
    "{name}/tables/*",
    "{name}/figures/*",
    "{name}/audio/*",
    "{name}/provenance.json",
)
TIMED = (
    "{name}/summaries/costs.csv",
    "{name}/summaries/speed.csv",
    "{name}/tables/complexity.*",
    "{name}/figures/cost.*",
    # Of networks the seconds of their training; `networks` returns the rest.
    "{name}/models/fc-*",
    "{name}/summaries/networks.csv",
)


def make_workspace(folder: Path) -> Path:
    """Copy the repository's code, compiled kernels and workflow, make the recordings and the preset."""
    for name in ("workflow", "config", "profiles", "blsh"):
        # Kernels of the same source are not compiled again: numba looks at its time, which the copy keeps.
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.pyc"))
    for name in ("Snakefile", "environment.yml"):
        shutil.copy2(ROOT / name, folder)
    for place, (name, pitch) in enumerate(SPEAKERS.items()):
        for k in range(2):
            write(folder / "data/voices" / f"{name}/{k}.wav", _voice(pitch + 15 * k, seed=2 * place + k))
    for place, (name, level) in enumerate(NOISES.items()):
        for k in range(2):
            write(folder / "data/sounds" / f"{name}/{k}.wav", noise(1.5, seed=10 + 2 * place + k, level=level))
    write_preset(folder, CONFIG)
    return folder


def write_preset(folder: Path, config: dict) -> None:
    (folder / PRESET).write_text(yaml.safe_dump(config, sort_keys=False))


def command(*more: str, cores: int | None = 2, preset: str = PRESET) -> list[str]:
    """Return the command that a person types for a run."""
    words = [sys.executable, "-m", "blsh", "run", "--configfile", preset]
    return [*words, *(["--cores", str(cores)] if cores else []), *more]


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return variables with which both `python -m blsh` and the jobs' `blsh` run the folder's copy of the package."""
    return os.environ | {"PYTHONPATH": str(folder)} | more


def run(
    folder: Path, words: Sequence[str] | None = None, *, status: int | None = 0, **variables: str
) -> subprocess.CompletedProcess:
    """Run a command in the folder, the experiment by default, and check how it ended."""
    found = subprocess.run(
        words or command(),
        cwd=folder,
        env=environment(folder, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_S,
    )
    assert status is None or found.returncode == status, found.stdout[-6000:]
    return found


def clear(folder: Path) -> None:
    """Take away what runs have made; the recordings, the code and its compiled kernels stay."""
    for name in ("results", ".snakemake"):
        shutil.rmtree(folder / name, ignore_errors=True)


def result_files(folder: Path, name: str = "micro") -> dict[str, bytes]:
    """Return the bytes of every result of an experiment by its path."""
    results = folder / "results"
    timed = {path for pattern in TIMED for path in results.glob(pattern.format(name=name))}
    return {
        str(path.relative_to(results)): path.read_bytes()
        for pattern in RESULT_FILES
        for path in results.glob(pattern.format(name=name))
        if path.is_file() and path not in timed
    }


def networks(folder: Path, name: str) -> dict[str, bytes]:
    """Return every number of an experiment's networks, and of the states that their training would go on from."""
    return {
        f"{path.name} {key}": value.tobytes()
        for path in (folder / "results" / name / "models").glob("*.safetensors")
        for key, value in load_file(path).items()
    }


def differences(found: dict[str, bytes], expected: dict[str, bytes]) -> list[str]:
    """Name what is missing, too much or not byte for byte the same."""
    return sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))


def leftovers(folder: Path) -> list[str]:
    """Name temporary files, states of unfinished training, and Snakemake's locks and marks of unfinished jobs."""
    found = [path for path in (folder / "results").rglob("*") if path.name.startswith(".") or ".state." in path.name]
    # Snakemake's own mark of a folder that is a result as a whole.
    found = [path for path in found if path.name != ".snakemake_timestamp"]
    found += [*folder.glob(".snakemake/locks/*"), *folder.glob(".snakemake/incomplete/*")]
    return sorted(str(path.relative_to(folder)) for path in found)


def _voice(pitch: float, *, seed: int, seconds: float = 1.1, rate: int = 16000) -> np.ndarray:
    """Harmonics that come and go four times a second, and a little breath."""
    times = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * pitch * (times + 0.02 * np.sin(4 * np.pi * times))
    tones = sum(np.sin(k * phase) / k for k in range(1, 15))
    return 0.1 * tones * np.sin(4 * np.pi * times) ** 2 + 0.001 * np.random.default_rng(seed).standard_normal(
        times.size
    )
