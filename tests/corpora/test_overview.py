import re

import pytest

from blsh.cli.main import main
from blsh.corpora.overview import overview
from tests.corpora.making import make_librispeech, noise, recording, write
from tests.corpora.test_timit import make_timit


def test_speakers_and_classes_of_each_split():
    rows = [
        recording("a/1.wav", speaker="1", gender="F", split="train", seconds=1.0),
        recording("a/2.wav", speaker="1", gender="F", split="train"),
        recording("b/1.wav", speaker="2", gender="M", split="train"),
        recording("c/1.wav", speaker="3", gender="", split="test", n_samples=16000 * 3600, seconds=3600.0),
        *(
            recording(f"n/{k}.wav", speaker="", gender="", noise_class=f"class {k % 13:02d}", split="")
            for k in range(14)
        ),
    ]
    assert overview(rows) == (
        "14 recordings of 13 classes (class 00 2, "
        + ", ".join(f"class {k:02d} 1" for k in range(1, 12))
        + ", …), 0.00 h",
        "test: 1 recordings of 1 speakers (1 of unknown gender), 1.00 h",
        "train: 3 recordings of 2 speakers (1 F, 1 M), 0.00 h",
    )
    assert overview([]) == ()


def manifest(reader: str, folder, *words: str) -> int:
    return main(
        ["manifest", "--reader", reader, "--corpus", "x", "--folder", str(folder), "-o", f"{folder}.csv", *words]
    )


def test_the_verb_says_what_it_found(tmp_path, capsys):
    make_librispeech(tmp_path / "speech")
    assert manifest("librispeech", tmp_path / "speech") == 0
    assert "train-clean-100: 8 recordings of 4 speakers (2 F, 2 M), 0.00 h" in capsys.readouterr().out
    for place in ("TBUS", "NPARK"):
        write(tmp_path / "demand" / place / "ch01.wav", noise(0.5))
    assert manifest("demand", tmp_path / "demand") == 0
    assert "2 recordings of 2 classes (NPARK 1, TBUS 1), 0.00 h" in capsys.readouterr().out


def test_the_verb_states_the_rules_of_speakers_of_timit(tmp_path, capsys):
    make_timit(tmp_path / "timit", sentences=["SX1"], lower=True)
    assert manifest("timit", tmp_path / "timit") == 0
    out = capsys.readouterr().out
    assert "train: 8 recordings of 8 speakers (4 F, 4 M), 0.00 h" in out
    assert "train, by dialect region: DR1 1 F 0 M, DR2 0 F 1 M, DR3 1 F 0 M" in out
    assert (
        "rule of the authors' code: 8 of 160 training speakers (10 F and 10 M of each of 8 regions): DR1 has 1 F" in out
    )
    assert "rule of the authors' code: 0 test speakers (min(F, M) x 2 of each region: DR1 0" in out
    assert manifest("timit", tmp_path / "timit", "--splits", "test") == 0
    assert "training speakers" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("reader", "make", "message"),
    [
        (
            "timit",
            lambda folder: (make_timit(folder) / "TEST/DR3").rename(folder / "x"),
            "TEST lacks the dialect regions DR3",
        ),
        (
            "timit",
            lambda folder: (make_timit(folder) / "train").mkdir(),
            "holds both TRAIN and train: keep one of them",
        ),
        ("timit", lambda folder: folder.mkdir(), "is empty: TIMIT is sold by the LDC as LDC93S1"),
        (
            "duan",
            lambda folder: write(folder / "birds.wav", noise(0.1)),
            "lacks the noises casino, .*: ask the authors",
        ),
        ("duan", lambda folder: None, "of Duan's noises does not exist: ask the authors"),
    ],
)
def test_a_folder_that_is_not_the_corpus_is_one_line(tmp_path, capsys, reader, make, message):
    make(tmp_path / "corpus")
    assert manifest(reader, tmp_path / "corpus") == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1 and re.search(message, line)
    assert not (tmp_path / "corpus.csv").exists()
