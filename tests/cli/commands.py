"""A valid command for every verb, in a folder where all that it reads has been made."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from blsh.denoising.checkpoints import Checkpoint, save_checkpoint
from blsh.denoising.model_file import save_model
from blsh.experiment.config import load_config, portable
from blsh.experiment.grid import data_folder
from blsh.experiment.outputs import manifest_file, recipes_file
from blsh.experiment.status import note_run
from tests.cli.working import Work, blsh, run_verb, voice
from tests.corpora.making import make_librispeech, write
from tests.denoising.making import small_model
from tests.denoising.test_checkpoints import TRAINING

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Kitchen:
    """What commands are made of: a folder of work, one with models and the like, and the address of a server."""

    work: Work
    pantry: Path
    server: str

    def __getitem__(self, name: str) -> Path:
        return self.pantry / name


def stock(kitchen: Kitchen) -> None:
    """Make what is in the pantry, and a set of validation mixtures in the folder of work."""
    work, pantry = kitchen.work, kitchen.pantry
    assert blsh(work.draw(pantry, "--source validation --set validation")) == 0
    (pantry / "r.csv").rename(pantry / "validation.csv")
    save_model(pantry / "my.blsh", small_model(with_origins=True))
    with suppress(ImportError):  # where torch is not installed, networks are not on the menu
        from blsh.denoising.networks import start_network, tensors_of

        network = start_network(TRAINING.architecture, rng=np.random.default_rng(0))
        save_checkpoint(pantry / "net.safetensors", Checkpoint(TRAINING, tensors_of(network)))
    write(pantry / "noisy.wav", voice(1.2, 16000, 150, 1))
    make_librispeech(pantry / "books", n_speakers=2)
    shutil.copy(ROOT / "tests/workflow/tiny.yaml", pantry / "tiny.yaml")
    columns = "corpus,part,file,address,bytes,licence,checksum,checksum_source"
    row = f"esc,all,ESC-50.zip,{kitchen.server},0,CC,,"
    (pantry / "sources.csv").write_text(f"{columns}\n{row}\n", encoding="utf-8")
    with zipfile.ZipFile(pantry / "noise.zip", "w") as archive:
        archive.writestr("ESC-50/note.txt", "noise")
    # What a run leaves that has scored nothing yet.
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(pantry)
        prepare(kitchen)
        for verb in ("provenance", "aggregate"):
            assert run_verb(*COMMANDS[verb](kitchen, pantry / "run").split()) == 0


def prepare(kitchen: Kitchen) -> None:
    """Make what verbs look for in the folder at hand: a repository in which a run has been started."""
    Path("Snakefile").touch()
    config = load_config(kitchen["tiny.yaml"])
    log = Path(".snakemake/log/x.snakemake.log")
    log.parent.mkdir(parents=True)
    log.write_text("Job stats:\njob      count\n-----  -------\ndraw         1\ntotal        1\n\n")
    note_run(config, log)
    for corpus in config.data.corpora:
        Path(manifest_file(config, corpus)).parent.mkdir(parents=True, exist_ok=True)
        for end in (".csv", ".skipped.csv"):
            shutil.copy(kitchen.work[f"{corpus}{end}"], Path(manifest_file(config, corpus)).with_suffix(end))
    Path(recipes_file(config, "train")).parent.mkdir(parents=True)
    shutil.copy(kitchen.work["train.csv"], recipes_file(config, "train"))
    assert Path(data_folder(config)).is_dir()


def _pack(k: Kitchen, to: Path) -> str:
    work = k.work
    files = f"--features {work['features/mel.npy']} --masks {work['masks.npy']} --projections {work['model.npz']}"
    sizes = (
        f"--n-bits 9 --n-rows 50 --n-neighbours 5 --seed 1 --bands 5 60 --repeat 1 --validation {k['validation.csv']}"
    )
    return f"pack-denoiser --feature mel --recipes {work['train.csv']} {files} {sizes} {work.data} -o {to}/my.blsh"


def _train_network(k: Kitchen, to: Path) -> str:
    files = f"--validation {k['validation.csv']} --history {to}/history.csv -o {to}/net.safetensors"
    data = f"--units {k.work['units.csv']} --noise-corpus noise --snr-db 0 {k.work.data} {files}"
    sizes = "--crop-seconds 0.25 --batch-size 2 --batches-per-epoch 1 --max-epochs 1"
    return f"train-network --system fc --variant 3x8 --seed 1 {data} {sizes}"


def _train_denoiser(k: Kitchen, to: Path) -> str:
    sizes = "--n-bits 4 --n-rows 40 --mixtures 4 --seconds 0.5 --feature mel --bands 5 60"
    return f"train-denoiser --speech {k.work['speech/train']} --noise {k.work['noise']} {sizes} -o {to}/my.blsh"


def _score(k: Kitchen, to: Path) -> str:
    named = f"--system blsh --sweep-metrics si_sdr {k.work.neighbours(n_bits='4')}"
    return f"score {named} --recipes {k.work['open.csv']} {k.work.data} -o {to}/blsh.parquet"


def _score_network(k: Kitchen, to: Path) -> str:
    files = f"--model {k['net.safetensors']} --recipes {k.work['open.csv']} {k.work.data} -o {to}/net.parquet"
    return f"score-network --system fc --variant 3x8 --sweep-metrics si_sdr {files}"


def _config(k: Kitchen) -> str:
    return json.dumps(portable(load_config(k["tiny.yaml"])), separators=(",", ":")).replace(" ", "\\u0020")


COMMANDS: dict[str, Callable[[Kitchen, Path], str]] = {
    "download": lambda k, to: f"download esc --sources {k['sources.csv']} --attempts 1 --timeout 2 -o {to}/data",
    "manifest": lambda k, to: k.work.manifest(to),
    "listing": lambda k, to: f"listing --reader librispeech --folder {k['books']} -o {to}/list.csv",
    "units": lambda k, to: k.work.units(to),
    "draw": lambda k, to: k.work.draw(to),
    "frames": lambda k, to: k.work.frames(to),
    "train": lambda k, to: k.work.train(to),
    "fit": lambda k, to: k.work.fit(to, "itq"),
    "neighbours": lambda k, to: k.work.raw_neighbours(to),
    "train-network": _train_network,
    "score": _score,
    "score-network": _score_network,
    "noises": lambda k, to: k.work.noises(to),
    "ssm": lambda k, to: k.work.ssm(to),
    "examples": lambda k, to: k.work.examples(to),
    "speed": lambda k, to: k.work.speed(to, "--raw mel --codes mel=4"),
    "aggregate": lambda k, to: f"aggregate --config {_config(k)} -o {to}/summaries",
    "provenance": lambda k, to: f"provenance --config {_config(k)} -o {to}/provenance.json",
    "report": lambda k, to: f"report --from {k['run']} -o {to}/report",
    "explain": lambda k, to: f"explain {k['noisy.wav']} --model {k['my.blsh']} -o {to}/why.html",
    "export-c": lambda k, to: f"export-c {k['my.blsh']} -o {to}/device",
    "run": lambda k, to: f"run --configfile {k['tiny.yaml']}",
    "status": lambda k, to: "status results/tiny",
    "plan": lambda k, to: f"plan --configfile {k['tiny.yaml']}",
    "compare": lambda k, to: f"compare {k['run']} {k['run']}",
    "denoise": lambda k, to: f"denoise {k['noisy.wav']} --model {k['my.blsh']} -o {to}/cleaned.wav",
    "info": lambda k, to: f"info {k['my.blsh']}",
    "train-denoiser": _train_denoiser,
    "pack-denoiser": _pack,
}
