"""The files of other targets, given to the verbs that read them: no input may reach an internal error."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import numpy as np

from blsh.cli.failures import INTERNAL_ERROR
from blsh.cli.main import main
from blsh.denoising.model_file import DEFAULT_MODEL
from blsh.experiment.command_line import read_command_line
from tests.long.fuzzing import array_files, configs, sounds
from tests.long.fuzzing.mutating import choose
from tests.long.fuzzing.target import Target

ROOT = Path(__file__).resolve().parents[3]
_MODEL, _CONFIG = array_files.NAME, configs.NAME
# By the name of the target: its module, and the command for its folder.
_COMMANDS = {
    **dict.fromkeys(
        ("wav", "flac", "ogg", "sphere"),
        (sounds, f"denoise {{folder}}/{sounds.NAME} -o {{folder}}/out/x.bin --bits 20 --model {DEFAULT_MODEL}"),
    ),
    "denoiser": (array_files, f"export-c {{folder}}/{_MODEL} -o {{folder}}/out/device"),
    "config": (configs, f"plan --configfile {{folder}}/{_CONFIG}"),
    "recordings": (
        sounds,
        "manifest --reader folder --corpus x --levels class --folder {folder} -o {folder}/out/x.csv",
    ),
}


def targets() -> list[Target]:
    # `plan` has Snakemake read its words. What that loads and asks of the system at its first use is no case's.
    read_command_line(["--configfile", str(ROOT / "config/demo.yaml")])
    return [Target("verbs", _write, _read)]


def _write(rng: np.random.Generator, folder: Path) -> str:
    name = choose(rng, list(_COMMANDS))
    (target,) = (target for target in _COMMANDS[name][0].targets() if target.name == name)
    mutation = target.write(rng, folder)
    (folder / "out").mkdir(exist_ok=True)
    (folder / "command").write_text(_COMMANDS[name][1])
    return mutation


def _read(folder: Path) -> None:
    sounds.lower_limits()
    words = (folder / "command").read_text().format(folder=folder).split()
    printed, said = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(said):
        status = main(words)
    lines = [line for line in said.getvalue().splitlines() if " left" not in line]
    assert status != INTERNAL_ERROR, lines
    assert status in (0, 2), (status, lines)
    assert status == 0 or (len(lines) == 1 and lines[0].isprintable()), lines
