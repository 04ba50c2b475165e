"""All verbs: nothing that is read is written, nothing is written twice, and nothing is replaced unasked."""

import argparse
import os
import re
import shutil
from importlib import import_module
from pathlib import Path

import pytest

from blsh.cli import main as cli
from blsh.cli.outputs import outputs_of
from tests.cli.working import run_verb

CONTENTS = b"a recording that cannot be made again"
WRITTEN = re.compile(r"\bto write\b|\bfolder (for|of the summaries)\b|\bwhere to\b")
# Into these, frames of the training go for a while, and archives that are held to their checksums.
OTHERWISE = {("train-denoiser", "scratch"), ("download", "output")}
FOLDERS = [("report", "output"), ("aggregate", "output"), ("export-c", "output"), ("frames", "features_to")]


class Verb:
    """A verb and its parser, and commands that are right in all but what is given."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.module = import_module(f"blsh.cli.{name.replace('-', '_')}")
        self.parser = cli._verb_parser(name, self.module)
        self.actions = {action.dest: action for action in self.parser._actions}

    @property
    def outputs(self) -> list[str]:
        """The arguments whose help says that they are written."""
        said = [name for name, a in self.actions.items() if not a.choices and WRITTEN.search(a.help or "")]
        return [name for name in said if (self.name, name) not in OTHERWISE]

    @property
    def inputs(self) -> list[str]:
        """The arguments that name a file or a folder which is read."""
        return [
            name
            for name, action in self.actions.items()
            if name not in self.outputs
            and (action.type is Path or name == "inputs" or re.search("=(CSV|FOLDER)", str(action.metavar)))
        ]

    def takes_pairs(self, name: str) -> bool:
        return "=" in str(self.actions[name].metavar)

    def words(self, given: dict[str, object], spare: Path) -> list[str]:
        """These values, and something for every other argument that is needed."""
        needed = {name for name, action in self.actions.items() if action.required or not action.option_strings}
        needed |= {g._group_actions[0].dest for g in self.parser._mutually_exclusive_groups if g.required}
        places, flags = [], []
        for name, action in self.actions.items():
            if name in given or name in needed:
                words = [*action.option_strings[:1], str(given.get(name, self._some(action, spare)))]
                (flags if action.option_strings else places).extend(words)
        return [*places, *flags, *(["--overwrite"] if "overwrite" in self.actions else [])]

    def _some(self, action: argparse.Action, spare: Path) -> object:
        if action.choices:
            return next(iter(action.choices))
        return spare / action.dest if action.type in (None, Path) else 1


VERBS = {name: verb for name in cli.VERBS if (verb := Verb(name)).outputs}
OUTPUTS = [(name, output) for name, verb in VERBS.items() for output in verb.outputs]


def refused(capsys, verb: str, *words: object) -> str:
    """Run a verb that must refuse: its line."""
    assert run_verb(verb, *words) == 2
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1 and printed.out == ""
    return printed.err


def test_the_walk_sees_the_verbs():
    assert len(VERBS) >= 20 and len(OUTPUTS) > len(VERBS)
    assert set(cli.VERBS) - set(VERBS) == {"download", "run", "status", "plan", "compare", "info"}
    assert all(verb.inputs for name, verb in VERBS.items() if name not in ("aggregate", "provenance"))


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_tells_all_that_it_writes(name, tmp_path):
    """An argument that is written and not told fails here."""
    verb = VERBS[name]
    given = {output: tmp_path / f"{output}.wav" for output in verb.outputs}
    told = outputs_of(verb.module, verb.parser.parse_args(verb.words(given, tmp_path)))
    for output, path in given.items():
        assert any(path in (one, *one.parents) for one in told[output])


@pytest.mark.parametrize("step", ["manifest", "frames", "train", "examples"])
def test_what_a_step_has_told_is_all_that_it_writes(step, work, tmp_path):
    words = getattr(work, step)(tmp_path).split()
    verb = VERBS[words[0]]
    before = set(tmp_path.rglob("*"))
    assert run_verb(*words) == 0
    appeared = {path for path in set(tmp_path.rglob("*")) - before if path.is_file()}
    told = outputs_of(verb.module, verb.parser.parse_args(words[1:]))  # examples look at what is there
    assert appeared == {path for paths in told.values() for path in paths}


@pytest.mark.parametrize(("name", "output"), [pair for pair in OUTPUTS if pair not in FOLDERS])
def test_an_output_never_replaces_an_input(name, output, tmp_path, capsys):
    """The input itself, links to it and other spellings; it was named, or lies in a folder that was."""
    verb = VERBS[name]
    victim, spare = tmp_path / "in/x.npy", tmp_path / "spare"
    victim.parent.mkdir()
    victim.write_bytes(CONTENTS)
    soft, hard = tmp_path / "soft.npy", tmp_path / "hard.npy"
    soft.symlink_to(victim)
    os.link(victim, hard)
    for target in (victim, soft, hard, tmp_path / "in/../in/x.npy"):
        for source in (victim, *([] if name == "denoise" else [victim.parent])):
            for read in verb.inputs:
                value = f"speech={source}" if verb.takes_pairs(read) else source
                line = refused(capsys, name, *verb.words({read: value, output: target}, spare))
                assert "is an input" in line and "give another output" in line, (read, source, target)
    assert victim.read_bytes() == CONTENTS and soft.is_symlink() and not spare.exists()


def test_a_file_in_a_folder_of_outputs_is_no_input_either(tmp_path, capsys):
    frames, export = VERBS["frames"], VERBS["export-c"]
    for verb, read, file in ((frames, "recipes", "stft.npy"), (export, "model", "denoise.c")):
        victim = tmp_path / file
        victim.write_bytes(CONTENTS)
        words = verb.words({read: victim, verb.outputs[0]: tmp_path}, tmp_path / "spare")
        assert f"{victim} is an input" in refused(capsys, verb.name, *words)
        assert victim.read_bytes() == CONTENTS


def test_the_sounds_beside_a_list_of_examples_are_no_recordings(tmp_path, capsys):
    recording = tmp_path / "noise/1_clean.wav"
    recording.parent.mkdir()
    recording.write_bytes(CONTENTS)
    given = {"folder": f"noise={recording.parent}", "output": recording.parent / "examples.json"}
    line = refused(capsys, "examples", *VERBS["examples"].words(given, tmp_path / "spare"))
    assert f"{recording} is an input (1_clean.wav in noise={recording.parent})" in line


def test_a_table_that_is_named_below_a_folder_is_an_input(tmp_path, capsys):
    (tmp_path / "list.csv").write_bytes(CONTENTS)
    words = f"--reader folder --corpus c --table list.csv --folder {tmp_path} -o {tmp_path}/list.csv".split()
    assert "is an input (list.csv)" in refused(capsys, "manifest", *words)
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta/esc50.csv").write_bytes(CONTENTS)
    words = f"--reader esc --corpus c --folder {tmp_path} -o {tmp_path}/meta/esc50.csv".split()
    assert "is an input (meta/esc50.csv in" in refused(capsys, "manifest", *words)
    assert {path.read_bytes() for path in tmp_path.rglob("*.csv")} == {CONTENTS}


def test_what_a_step_made_in_a_folder_of_recordings_is_made_again(work, tmp_path):
    shutil.copytree(work["speech"], tmp_path / "speech")
    command = work.manifest(tmp_path / "speech", tmp_path / "speech").split()
    assert run_verb(*command) == 0
    first = (tmp_path / "speech/s.csv").stat().st_ino
    assert run_verb(*command) == 0
    assert (tmp_path / "speech/s.csv").stat().st_ino != first


def test_two_outputs_of_one_name(tmp_path, capsys):
    given = {"output": tmp_path / "x.csv", "history": tmp_path / "y/../x.csv"}
    assert "is the name of two outputs" in refused(capsys, "train", *VERBS["train"].words(given, tmp_path / "spare"))


@pytest.mark.parametrize(("name", "output"), [pair for pair in OUTPUTS if pair not in FOLDERS])
def test_a_place_where_nothing_can_be_written_is_found_before_any_work(name, output, tmp_path, capsys):
    spare = tmp_path / "spare"  # all inputs are missing, which is found later
    folder, file, locked = tmp_path / "folder", tmp_path / "file", tmp_path / "locked.wav"
    folder.mkdir()
    file.write_bytes(CONTENTS)
    locked.write_bytes(CONTENTS)
    locked.chmod(0o444)
    for target, message in {folder: "is a folder", file / "x.wav": "is a file, so", locked: "write-protected"}.items():
        if (name, target) == ("denoise", folder):
            continue  # a folder is where its files go
        assert message in refused(capsys, name, *VERBS[name].words({output: target}, spare))
    assert locked.read_bytes() == file.read_bytes() == CONTENTS and not spare.exists()


REFUSING = [name for name, verb in VERBS.items() if "overwrite" in verb.actions]


def test_the_verbs_of_single_outputs_refuse():
    assert REFUSING == ["explain", "export-c", "denoise", "train-denoiser", "pack-denoiser"]


@pytest.mark.parametrize("name", REFUSING)
def test_nothing_is_replaced_unasked(name, tmp_path, capsys):
    file = tmp_path / ("denoise.c" if name == "export-c" else "x.wav")
    file.write_bytes(CONTENTS)
    output = tmp_path if name == "export-c" else file
    words = VERBS[name].words({"output": output}, tmp_path / "spare")
    assert f"{file} exists: give another output, or --overwrite" in refused(capsys, name, *words[:-1])
    # Asked to replace it, the verb goes on to what it reads, which is not there.
    assert "exists" not in refused(capsys, name, *words)
    assert file.read_bytes() == CONTENTS and [path.name for path in tmp_path.iterdir()] == [file.name]


def test_a_pipe_is_nothing_to_replace(tmp_path, capsys):
    os.mkfifo(tmp_path / "x.wav")
    words = VERBS["explain"].words({"output": tmp_path / "x.wav"}, tmp_path / "spare")[:-1]
    assert "exists" not in refused(capsys, "explain", *words)
