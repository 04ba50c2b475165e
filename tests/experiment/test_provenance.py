"""What a run records of itself, and what it must not."""

import getpass
import hashlib
import json
import os
import platform
import re
import socket
import subprocess
from importlib import metadata
from pathlib import Path

import numpy as np

import blsh
from blsh.cli.main import main
from blsh.experiment import provenance as module
from blsh.experiment.config import load_config
from blsh.experiment.grid import data_folder
from blsh.experiment.provenance import provenance

ROOT = Path(__file__).resolve().parents[2]


def test_what_is_recorded(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"abc")
    (tmp_path / "b.csv").write_bytes(b"")
    found = provenance({"seed": 1}, {"mixtures b": tmp_path / "b.csv", "manifest a": tmp_path / "a.csv"})
    assert set(found) == {"blsh", "git", "python", "libraries", "machine", "config", "data"}
    assert found["blsh"] == blsh.__version__
    assert found["python"] == platform.python_version()
    assert found["config"] == {"seed": 1}
    assert found["data"] == {
        "manifest a": hashlib.sha256(b"abc").hexdigest(),
        "mixtures b": hashlib.sha256(b"").hexdigest(),
    }
    assert found["libraries"]["numpy"] == np.__version__
    assert found["libraries"]["snakemake"] == metadata.version("snakemake")
    assert found["machine"]["cores"] == os.cpu_count()
    assert found["machine"]["architecture"] == platform.machine()
    assert json.loads(json.dumps(found)) == found


def test_libraries_that_are_not_installed_are_left_out(monkeypatch):
    monkeypatch.setattr(module, "LIBRARIES", ("numpy", "no-such-library"))
    assert set(provenance({}, {})["libraries"]) == {"numpy"}


def test_nothing_changes_from_run_to_run():
    assert provenance({}, {}) == provenance({}, {})


def test_the_commit_is_recorded_where_there_is_one(monkeypatch, tmp_path):
    git = provenance({}, {})["git"]
    if (ROOT / ".git").exists():
        assert re.fullmatch("[0-9a-f]{40}", git["commit"])
        assert isinstance(git["modified"], bool)

    def none(*_, **__):
        raise FileNotFoundError("git")

    monkeypatch.setattr(subprocess, "run", none)
    assert provenance({}, {})["git"] == {}


def test_the_verb_records_the_data_but_nothing_of_this_machine(monkeypatch, tmp_path):
    config = load_config(ROOT / "tests/workflow/tiny.yaml", {"corpora_folder": str(tmp_path / "private")})
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / data_folder(config)
    for name in ("manifests/speech.csv", "mixtures/open.csv"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(name)
    status = main(["provenance", "--config", config.model_dump_json(), "-o", str(tmp_path / "provenance.json")])
    assert status == 0
    text = (tmp_path / "provenance.json").read_text()
    found = json.loads(text)
    assert found["data"] == {
        "manifest speech": hashlib.sha256(b"manifests/speech.csv").hexdigest(),
        "mixtures open": hashlib.sha256(b"mixtures/open.csv").hexdigest(),
    }
    assert found["config"] == config.model_dump(mode="json", exclude={"corpora_folder"})
    names = [socket.gethostname(), getpass.getuser()]
    for secret in (str(tmp_path), str(ROOT), "private", *(rf"\b{re.escape(name)}\b" for name in names)):
        assert not re.search(secret, text), secret
    # No path at all: preset tiny names no file.
    assert "/" not in json.dumps({name: part for name, part in found.items() if name != "machine"})
