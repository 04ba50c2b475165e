"""What a run records of itself, and what it must not."""

import getpass
import hashlib
import json
import os
import platform
import re
import shutil
import socket
import subprocess
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

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


# Which commit


def git(folder, *words):
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    settings = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "protocol.file.allow=always"]
    call = ["git", "-C", str(folder), *settings, "-c", "safe.directory=*", *words]
    return subprocess.run(call, env=variables, capture_output=True, text=True, check=True).stdout.strip()


def unpack(folder):
    """What a source archive holds, as far as it matters here."""
    for name in ("blsh/experiment/provenance.py", "Snakefile", "docs/a.md"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name, encoding="utf-8")
    (folder / ".gitignore").write_text("*.pyc\n", encoding="utf-8")
    return folder


def commit_all(folder):
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "x")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def recorded_of(monkeypatch):
    if shutil.which("git") is None:
        pytest.skip("no git on this machine")

    def recorded(folder):
        monkeypatch.setattr(module, "_CHECKOUT", folder)
        return provenance({}, {})["git"]

    return recorded


def test_only_a_repository_that_holds_the_code_counts(tmp_path, recorded_of):
    assert recorded_of(unpack(tmp_path / "outside")) == {}
    other = tmp_path / "other"
    unpack(other / "vendor/blsh-0.1.0")
    commit_all(other)  # knows the files, and is another project all the same
    assert recorded_of(other / "vendor/blsh-0.1.0") == {}
    begun = tmp_path / "begun"
    begun.mkdir()
    git(begun, "init", "--quiet")
    assert recorded_of(unpack(begun)) == {}  # no commit
    (begun / ".gitignore").write_text("*")
    commit_all(begun)
    assert recorded_of(begun) == {}  # a commit that knows none of the files


def test_clones_worktrees_and_submodules_are_checkouts(tmp_path, recorded_of):
    main = unpack(tmp_path / "main")
    commit = commit_all(main)
    git(tmp_path, "clone", "--quiet", "main", "clone")
    git(main, "worktree", "add", "--quiet", "--detach", str(tmp_path / "tree"))
    outer = tmp_path / "outer"
    outer.mkdir()
    commit_all(outer)
    git(outer, "submodule", "--quiet", "add", str(main), "inner")
    commit_all(outer)
    (tmp_path / "link").symlink_to(main)
    for folder in (main, tmp_path / "clone", tmp_path / "tree", outer / "inner", tmp_path / "link"):
        assert recorded_of(folder) == {"commit": commit, "modified": False}, folder


def test_a_hook_of_another_repository_does_not_mislead(tmp_path, recorded_of, monkeypatch):
    own, other = unpack(tmp_path / "own"), unpack(tmp_path / "other")
    commit = commit_all(own)
    (other / "more").touch()
    commit_all(other)
    for name, value in {"DIR": ".git", "WORK_TREE": "", "INDEX_FILE": ".git/index", "PREFIX": "blsh"}.items():
        monkeypatch.setenv(f"GIT_{name}", str(other / value))
        assert recorded_of(own) == {"commit": commit, "modified": False}


@pytest.mark.parametrize(
    ("path", "modified"),
    [
        ("docs/a.md", True),  # known to git
        ("Snakefile", True),
        ("blsh/new.py", True),  # unknown, and may be imported
        ("workflow/rules/new.smk", True),
        ("blsh/new.pyc", False),  # ignored
        ("notes.txt", False),
    ],
)
def test_what_counts_as_modified(tmp_path, recorded_of, path, modified):
    own = unpack(tmp_path / "own")
    commit = commit_all(own)
    (own / path).parent.mkdir(parents=True, exist_ok=True)
    (own / path).write_text("changed", encoding="utf-8")
    index = (own / ".git/index").read_bytes()
    assert recorded_of(own) == {"commit": commit, "modified": modified}
    assert (own / ".git/index").read_bytes() == index


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_checkout_of_another_user(tmp_path, recorded_of):
    own = unpack(tmp_path / "own")
    commit = commit_all(own)
    for path in (own, *own.rglob("*")):
        os.chown(path, 12345, 12345)
    assert recorded_of(own) == {"commit": commit, "modified": False}


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
