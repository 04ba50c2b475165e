"""Every kind of bad input that a person may give the verbs.

An error is one line on stderr, status 2 and no output. Lines of progress do not count.
"""

import errno
import os
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml

from blsh.corpora.manifest import read_manifest
from blsh.hashing.projections import random_projections, save_projections
from tests.cli.working import N_BITS, PROGRESS, Work, blsh, voice
from tests.corpora.making import make_bad_files, write

ROOT = Path(__file__).resolve().parents[2]


def test_bad_recordings_are_skipped_with_their_reasons(work, tmp_path, capsys):
    reasons = make_bad_files(tmp_path / "mine/eve")
    write(tmp_path / "mine/eve/good.wav", voice(0.5, 16000, 200, 0))
    assert blsh(work.manifest(tmp_path, tmp_path / "mine", "speaker")) == 0
    manifest = read_manifest(tmp_path / "s.csv")
    assert [r.path for r in manifest.recordings] == ["eve/good.wav"]
    found = {skipped.path: skipped.reason for skipped in manifest.skipped}
    assert set(found) == {f"eve/{name}" for name in reasons}
    for name, reason in reasons.items():
        assert re.search(reason, found[f"eve/{name}"]), (name, found[f"eve/{name}"])
        assert str(tmp_path) not in found[f"eve/{name}"] and "\n" not in found[f"eve/{name}"]
    written = pd.read_csv(tmp_path / "s.skipped.csv")
    assert set(written["path"]) == set(found)
    assert f"1 recordings, 0.0 min, {len(reasons)} skipped" in capsys.readouterr().out


def only_file(folder: Path, name: str) -> Path:
    """A corpus of one speaker with one of the bad files."""
    make_bad_files(folder / "all")
    (folder / "one/eve").mkdir(parents=True)
    shutil.copy(folder / "all" / name, folder / "one/eve" / name)
    return folder / "one"


def empty(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


def women_only(work: Work, folder: Path) -> Work:
    """The same work with a manifest in which nobody is a man."""
    shutil.copytree(work.folder, folder / "women")
    women = Work.__new__(Work)
    women.folder = folder / "women"
    table = pd.read_csv(women["speech.csv"], dtype=str, keep_default_na=False)
    table["gender"] = "F"
    table.to_csv(women["speech.csv"], index=False)
    return women


def preset(folder: Path, key: str, value: object) -> str:
    """A command that reads the demo with one key changed."""
    values = part = yaml.safe_load((ROOT / "config/demo.yaml").read_text())
    *path, last = key.split(".")
    for name in path:
        part = part.setdefault(name, {})
    part[last] = value
    (folder / "mine.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    return f"plan --configfile {folder}/mine.yaml"


def cut(path: Path, to: Path) -> Path:
    """The first half of a file."""
    to.mkdir(exist_ok=True)
    (to / path.name).write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return to / path.name


def fitted(work: Work, to: Path) -> bool:
    return blsh(work.fit(to, "itq")) == 0 and bool((to / "itq_mel.npz").rename(to / "brought.npz"))


def brought(to: Path, width: int) -> bool:
    np.savez(to / "brought.npz", P=np.ones((N_BITS, width)), b=np.zeros(N_BITS))
    return True


def at_model(work: Work, to: Path) -> tuple[str, str]:
    return str(work["model.npz"]), f"{to}/brought.npz"


# Name of the case: the command, given (work, folder of inputs, folder of outputs), and the line.
BAD_INPUT = {
    "missing folder": (
        lambda w, i, o: w.manifest(o, i / "none"),
        r"corpus folder .*/none does not exist: name the folder that holds the recordings",
    ),
    "empty folder": (
        lambda w, i, o: w.manifest(o, empty(i)),
        r"corpus folder .*/empty is empty: put the recordings there, or name another folder",
    ),
    "folder of another layout": (
        lambda w, i, o: f"manifest --reader esc --corpus n --folder {w['noise']} -o {o}/n.csv",
        r"noise.*(meta|ESC)",
    ),
    "missing listing": (
        lambda w, i, o: w.manifest(o) + f" --listing {i}/none.csv",
        r"/none.csv does not exist; correct the path",
    ),
    **{
        f"only {name}": (
            lambda w, i, o, name=name: w.manifest(o, only_file(i, name), "speaker"),
            rf"no usable recording in .*/one: 1 files cannot be used, first eve/{name}: .*({rule})",
        )
        for name, rule in {
            "text.wav": "decoded|truncated|not one of",
            "short.wav": "truncated",
            "nothing.wav": "decoded|no samples|truncated",
            "no_samples.wav": "no samples",
            "zeros.wav": "silent: its standard deviation",
            "nan.wav": "NaN",
            "infinite.wav": "infinite",
        }.items()
    },
    "unknown reader": (
        lambda w, i, o: f"manifest --reader timid --corpus s --folder {i} -o {o}/s.csv",
        r"--reader: invalid choice: 'timid' \(choose from .*'esc', 'folder'",
    ),
    "unknown level": (lambda w, i, o: w.manifest(o, levels="person"), r"level 'person' is unknown: choose from split"),
    "unknown corpus of speech": (
        lambda w, i, o: w.units(o).replace("--train speech", "--train talk"),
        r"--train 'talk' is not a corpus of --manifest \(speech, noise\); name one of these",
    ),
    "unknown split": (
        lambda w, i, o: w.units(o, "--validation speech tune dev"),
        r"--validation: corpus 'speech' has no split dev \(it has: test, train, tune\)",
    ),
    "one split for two purposes": (
        lambda w, i, o: w.units(o, "--validation speech test"),
        r"speaker 'carla' is in validation and in open; select disjoint splits",
    ),
    "no speaker of one gender": (
        lambda w, i, o: women_only(w, i).units(o, "--validation-speakers 1"),
        r"no male speaker among 2: add some or set balance_gender to false",
    ),
    "too few speakers to set aside": (
        lambda w, i, o: w.units(o, "--validation-speakers 2"),
        r"n=2 speakers cannot be set aside from 2",
    ),
    "a missing manifest": (
        lambda w, i, o: w.units(o).replace("noise.csv", "none.csv"),
        r"/none.csv does not exist; correct the path, or run the step that makes it",
    ),
    "a manifest cut short": (
        lambda w, i, o: w.units(o).replace(str(w["noise.csv"]), str(cut(w["noise.csv"], i))),
        r"/noise.csv",
    ),
    "unknown corpus of noise": (
        lambda w, i, o: w.draw(o).replace("--noise-corpus noise", "--noise-corpus moise"),
        r"--noise-corpus 'moise' is not in --manifest \(speech, noise\); name one of these",
    ),
    "unknown class of noise": (
        lambda w, i, o: w.draw(o) + " --noise-classes hum hiccup",
        r"corpus 'noise' has no noise_class 'hiccup' \(it has: hiss, hum\)",
    ),
    "no mixtures": (
        lambda w, i, o: w.draw(o) + " --mixtures 0",
        r"argument --mixtures: '0' must be a whole number in 1…",
    ),
    "infinite level": (lambda w, i, o: w.draw(o, snr_db="inf"), r"argument --snr-db: 'inf' must be a finite number"),
    "speech as noise": (
        lambda w, i, o: w.draw(o).replace("--noise-corpus noise", "--noise-corpus speech"),
        r"of corpus 'speech' has no class: it is no noise recording",
    ),
    "unknown feature to write": (
        lambda w, i, o: w.frames(o, "stft cqt"),
        r"--feature: invalid choice: 'cqt' \(choose from '?stft'?, '?mel'?\)",
    ),
    "recordings that have gone": (
        lambda w, i, o: w.frames(o).replace(f"--folder speech={w['speech']}", f"--folder speech={i}"),
        r"\.wav",
    ),
    "unknown profile": (lambda w, i, o: w.train(o, profile="best"), r"--profile: invalid choice: 'best'"),
    "unknown switch": (lambda w, i, o: w.train(o, switches="passes=3"), r"'passes'"),
    "too few frames": (
        lambda w, i, o: w.train(o, switches="segment_frames=300"),
        r"lower (it|n_segments or segment_frames)",
    ),
    "features that are no array": (
        lambda w, i, o: w.train(o).replace(str(w["features/mel.npy"]), str(w["speech.csv"])),
        r"speech.csv cannot be loaded: .*make the file again",
    ),
    "rho of 0": (
        lambda w, i, o: w.score(o, "knn", w.neighbours(rho=0)),
        r"argument --rho: '0' must be a finite number above 0 and at most 1",
    ),
    "rho above 1": (
        lambda w, i, o: w.score(o, "lsh", w.neighbours(rho=1.5)),
        r"argument --rho: '1.5' must be a finite number above 0",
    ),
    "rho of less than a frame": (
        lambda w, i, o: w.score(o, "lsh", w.neighbours(rho=1e-4)),
        r"rho=0.0001 of \d+ frames leaves an empty dictionary",
    ),
    "L beyond the trained bits": (
        lambda w, i, o: w.score(o, "blsh", w.neighbours(n_bits="4 13")),
        r"n_bits=13 exceeds the 12 trained bits; train more or ask for less",
    ),
    "L beyond the trained bits in a figure": (
        lambda w, i, o: w.ssm(o, "4 13"),
        r"n_bits=13 exceeds the 12 trained bits of .*/model.npz; ask for less",
    ),
    "L of 0": (
        lambda w, i, o: w.score(o, "lsh", w.neighbours(n_bits="0")),
        r"argument --n-bits: '0' must be a whole number in 1…65535",
    ),
    "K beyond the dictionary": (
        lambda w, i, o: w.score(o, "knn", w.neighbours(k=5000)),
        r"k=5000 exceeds the dictionary's \d+ frames: ask for fewer, or give a larger rho",
    ),
    "K beyond the dictionary of codes": (
        lambda w, i, o: w.score(o, "lsh", w.neighbours(k=5000)),
        r"k=5000 exceeds the dictionary's \d+ frames",
    ),
    "K of 0": (
        lambda w, i, o: w.score(o, "blsh", w.neighbours(k=0)),
        r"argument --n-neighbours: '0' must be a whole number in 1…",
    ),
    "unknown feature": (
        lambda w, i, o: w.score(o, "lsh", w.neighbours(feature="cqt")),
        r"feature 'cqt' is none of stft, mel",
    ),
    "another feature's dictionary": (
        lambda w, i, o: w.score(o, "lsh", w.neighbours(feature="stft")),
        r"features of width 128 do not fit projections of width 513",
    ),
    "unknown system": (lambda w, i, o: w.score(o, "magic"), r"--system: invalid choice: 'magic'"),
    "a system that is not heard": (
        lambda w, i, o: w.examples(o, "knn magic"),
        r"system='magic' is not one to hear; choose constant, ibm, knn, lsh, blsh or residual",
    ),
    "examples without the model": (
        lambda w, i, o: w.examples(o).replace("blsh_mel_ssm.npz", "model.npz"),
        r"system 'blsh' needs the model blsh_mel_ssm.npz; give it to --model",
    ),
    "unknown target": (
        lambda w, i, o: w.train(o).replace("--target ssm", "--target rbf-0"),
        r"the target rbf needs sigma2 > 0, not 0.0",
    ),
    "target of another rule": (
        lambda w, i, o: w.train(o).replace("--target ssm", "--target centred-0.5"),
        r"target centred-0.5 is of residual boosting; add --system residual",
    ),
    "training without a profile": (
        lambda w, i, o: w.train(o).replace("--profile project", ""),
        r"system 'blsh' needs --profile here; add it",
    ),
    "stacked frames without recipes": (
        lambda w, i, o: w.train(o, "--context 3"),
        r"system 'blsh' needs --recipes here; add it",
    ),
    "an even number of stacked frames": (
        lambda w, i, o: w.train(o, f"--context 2 --recipes {w['train.csv']}"),
        r"context=2 must be 1, 3, 5, …: a frame and as many before it as after it",
    ),
    "recipes of other frames": (
        lambda w, i, o: w.train(o, f"--context 3 --recipes {w['open.csv']}"),
        r"the recipes have \d+ frames and the features \d+: give the recipes that the features were written from",
    ),
    "more fitted bits than features": (
        lambda w, i, o: w.fit(o, "itq", "4 129"),
        r"n_bits=129 must lie in 1…\d+, the directions that the frames have: ask for fewer",
    ),
    "length that was not fitted": (
        lambda w, i, o: fitted(w, i) and w.score(o, "itq", w.neighbours(n_bits="5")).replace(*at_model(w, i)),
        r"n_bits=5 has no projections; they were fitted for 4, 12 bits: fit them again",
    ),
    "a model of one length where several are needed": (
        lambda w, i, o: w.score(o, "itq", w.neighbours()),
        r"/model.npz holds kind 'projections' where 'projections by length' is needed",
    ),
    "brought projections of another feature": (
        lambda w, i, o: brought(i, 513) and w.score(o, "projections", w.neighbours()).replace(*at_model(w, i)),
        r"/brought.npz is for the feature 'stft', not 'mel'; correct one",
    ),
    "brought projections of no feature": (
        lambda w, i, o: brought(i, 100) and w.score(o, "projections", w.neighbours()).replace(*at_model(w, i)),
        r"/brought.npz: P of shape \(12, 100\) has 100 columns, not 513 \(stft\), 128 \(mel\)",
    ),
    "brought file that is none": (
        lambda w, i, o: w.score(o, "projections", w.neighbours()).replace(str(w["model.npz"]), str(w["speech.csv"])),
        r"/speech.csv is no .npz of numbers",
    ),
    "weights of codes that have none": (
        lambda w, i, o: w.score(o, "lsh", w.neighbours() + " --weighted"),
        r"these projections have no weights β: the weighted search is for those learned by boosting",
    ),
    "recall without the truth": (
        lambda w, i, o: w.score(o, "lsh", w.neighbours() + " --metrics-at 4=recall"),
        r"recall needs the neighbours of the raw features: give them, or leave it out",
    ),
    "recall of other mixtures": (
        lambda w, i, o: (
            blsh(w.raw_neighbours(i, recipes="train.csv")) == 0
            and w.score(o, "lsh", f"{w.neighbours()} --metrics-at 4=recall --raw-neighbours {i}/neighbours.npy")
        ),
        r"raw neighbours of \d+ frames do not fit the mixtures' \d+: find them for the same recipes",
    ),
    "unknown metric": (lambda w, i, o: w.score(o, "ibm", "--metrics-at 0=loudness"), r"metric='loudness' is unknown"),
    "metrics at no number": (
        lambda w, i, o: w.score(o, "ibm", "--metrics-at all=pesq"),
        r"--metrics-at all=pesq: a code length is no whole number",
    ),
    "system without its input": (lambda w, i, o: w.score(o, "constant"), r"system 'constant' needs --constant; add it"),
    "a model cut short": (
        lambda w, i, o: w.score(o, "blsh", w.neighbours()).replace(str(w["model.npz"]), str(cut(w["model.npz"], i))),
        r"/model.npz is no projections file of blsh: .*make or fetch it again",
    ),
    "recipes that are another table": (
        lambda w, i, o: w.score(o, "ibm", recipes="units.csv"),
        r"units.csv is not the table that is needed: column 'set'",
    ),
    "folder of an unknown corpus": (
        lambda w, i, o: w.noises(o).replace(f"noise={w['noise']}", f"moise={w['noise']}"),
        r"corpus 'noise' has no folder: there are moise, speech",
    ),
    "code lengths that are no numbers": (
        lambda w, i, o: w.speed(o, "--codes mel=all"),
        r"--codes: 'all' must be a whole number in 1…65535; write mel=50,300",
    ),
    "a network of an unknown kind": (lambda w, i, o: w.speed(o, "--network gru-2x64"), r"gru"),
    "a pair without =": (
        lambda w, i, o: w.noises(o).replace(f"noise={w['noise']}", "noise"),
        r"--folder 'noise' is not NAME=VALUE with a new name",
    ),
    "unknown key": (lambda w, i, o: preset(i, "gird", {}), r"mine.yaml: unknown key gird; config/README.md lists"),
    "rho of 0 in a preset": (
        lambda w, i, o: preset(i, "grid.rho", [0.0]),
        r"mine.yaml: grid.rho.0=0.0: .* than or equal to 0.000001",
    ),
    "rho above 1 in a preset": (lambda w, i, o: preset(i, "grid.rho", [1.5]), r"mine.yaml: grid.rho.0=1.5: "),
    "L beyond the trained bits in a preset": (
        lambda w, i, o: preset(i, "training.n_bits", 20),
        r"grid.n_bits=150 exceeds training.n_bits=20; raise the latter",
    ),
    "unknown feature in a preset": (lambda w, i, o: preset(i, "grid.features", ["cqt"]), r"grid.features.0='cqt'"),
    "unknown corpus in a preset": (
        lambda w, i, o: preset(i, "data.noise.open.corpus", "moise"),
        r"corpus='moise' is not in data.corpora \(speech, noise\); name one of these",
    ),
    "a switch of another type in a preset": (
        lambda w, i, o: preset(i, "training.switches", {"learning_rate": "1e-4"}),
        r"mine.yaml: training.*a switch is of the wrong type .*write 1.0e-4",
    ),
    "no preset": (lambda w, i, o: f"plan --configfile {i}/none.yaml", r"/none.yaml: no such configuration file"),
    "a preset that is no YAML": (
        lambda w, i, o: f"plan --configfile {w['model.npz']}",
        r"/model.npz: not a YAML file",
    ),
}


def error_line(verb: str, printed: str) -> str:
    """Return the only line on stderr that is no progress."""
    lines = [line for line in printed.splitlines() if not PROGRESS.fullmatch(line)]
    assert len(lines) == 1, printed
    assert lines[0].startswith(f"blsh {verb}: ")
    return lines[0]


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_one_line_and_no_output(work, tmp_path, capsys, case):
    command, line = BAD_INPUT[case]
    inputs, outputs = tmp_path / "in", tmp_path / "out"
    inputs.mkdir()
    words = command(work, inputs, outputs)
    capsys.readouterr()
    assert blsh(words) == 2
    assert re.search(line, error_line(words.split()[0], capsys.readouterr().err))
    assert [path for path in outputs.rglob("*") if path.is_file()] == []


WRITING = {
    "manifest": lambda w, o: w.manifest(o),
    "units": lambda w, o: w.units(o),
    "draw": lambda w, o: w.draw(o),
    "frames": lambda w, o: w.frames(o),
    "train": lambda w, o: w.train(o),
    "fit": lambda w, o: w.fit(o, "itq"),
    "neighbours": lambda w, o: w.raw_neighbours(o),
    "score": lambda w, o: w.score(o, "blsh", w.neighbours()),
    "ssm": lambda w, o: w.ssm(o),
    "noises": lambda w, o: w.noises(o),
    "speed": lambda w, o: w.speed(o),
    "examples": lambda w, o: w.examples(o),
}


@pytest.mark.parametrize("verb", WRITING)
def test_a_disk_that_is_full_when_writing(work, tmp_path, capsys, monkeypatch, verb):
    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert blsh(WRITING[verb](work, tmp_path)) == 2
    line = error_line(verb, capsys.readouterr().err)
    assert re.search(rf"No space left on device \({tmp_path}/\S+\)", line)
    assert "free some space and run the same command again" in line
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("verb", ["frames", "train", "fit", "neighbours", "ssm"])
def test_a_disk_that_is_too_small_from_the_start(work, tmp_path, capsys, monkeypatch, verb):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
    assert blsh(WRITING[verb](work, tmp_path)) == 2
    line = error_line(verb, capsys.readouterr().err)
    assert re.search(rf"\.np[yz]\b.* needs \d+ bytes and 100 are free in {tmp_path}\S*: make room", line)
    assert [path for path in tmp_path.rglob("*.np?")] == []


def test_output_that_fails_leaves_the_old_file(work, tmp_path, monkeypatch):
    assert blsh(work.noises(tmp_path)) == 0
    before = (tmp_path / "noises.csv").read_bytes()
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, "Input/output error")))
    assert blsh(work.noises(tmp_path)) == 2
    assert (tmp_path / "noises.csv").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["noises.csv"]


def test_a_model_of_another_width_is_named(work, tmp_path, capsys, rng):
    save_projections(tmp_path / "stft.npz", random_projections(N_BITS, 513, rng=rng))
    words = work.score(tmp_path, "blsh", work.neighbours()).replace(str(work["model.npz"]), f"{tmp_path}/stft.npz")
    assert blsh(words) == 2
    line = error_line("score", capsys.readouterr().err)
    assert "features of width 128 do not fit projections of width 513" in line
