"""Files that a configuration names are read before any work."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from blsh.cli.main import main

PLAIN = Path(__file__).with_name("plain.yaml")


@pytest.fixture
def values(tmp_path, monkeypatch) -> dict:
    monkeypatch.chdir(tmp_path)
    Path("Snakefile").touch()
    return yaml.safe_load(PLAIN.read_text())


def refused(values: dict, capsys, verb: str) -> str:
    """Return the line with which a verb refuses; nothing was made."""
    Path("mine.yaml").write_text(yaml.safe_dump(values))
    before = sorted(Path.cwd().rglob("*"))
    assert main([verb, "--configfile", "mine.yaml"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert sorted(Path.cwd().rglob("*")) == before
    return line


@pytest.mark.parametrize("verb", ["run", "plan"])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "data.corpora.noise.listing: the listing list.csv is neither in "),
        ("id,path\na,b\n", "list.csv"),
        ("id,layout,path,sha256\na,esc-10,a.ogg,123\n", "row 1 of list.csv: sha256='123' is not 64 lower-case"),
    ],
)
def test_a_listing(values, capsys, verb, text, message):
    values["data"]["corpora"]["noise"] = {"reader": "folder", "folder": "x", "levels": ["split", "class"]}
    values["data"]["corpora"]["noise"]["listing"] = "list.csv"
    if text is not None:
        Path("list.csv").write_text(text)
    line = refused(values, capsys, verb)
    assert line.startswith(f"blsh {verb}: ") and message in line


@pytest.mark.parametrize("verb", ["run", "plan"])
@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (None, "my.npz: no such file of projections; correct the path"),
        ((3, 100), "my.npz: P of shape (3, 100) has 100 columns, not 513 (stft), 128 (mel)"),
        (
            (3, 128),
            "projections 'mine' (my.npz) are for the feature 'mel', which is not in grid.features (stft); add it",
        ),
    ],
)
def test_projections(values, capsys, verb, shape, message):
    values["grid"] |= {"systems": ["projections"], "features": ["stft"]}
    values["projections"] = {"mine": "my.npz"}
    if shape is not None:
        np.savez("my.npz", P=np.ones(shape), b=np.zeros(shape[0]))
    line = refused(values, capsys, verb)
    assert line.startswith(f"blsh {verb}: ") and message in line
