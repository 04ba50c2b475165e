import dataclasses

import numpy as np
import pandas as pd
import pytest

from blsh.files.arrays import load_stamped, save_stamped
from blsh.files.atomic import write_text
from blsh.reporting.summaries import SCHEMAS, Summaries, read_summaries, run_folder, write_summaries
from tests.reporting.conftest import summarised


def test_what_is_written_is_read(summaries, tmp_path):
    paths = write_summaries(tmp_path, summaries)
    assert {path.name for path in paths} == {path.name for path in tmp_path.iterdir()}
    read = read_summaries(tmp_path)
    for name in SCHEMAS:
        pd.testing.assert_frame_equal(getattr(read, name), getattr(summaries, name))
    assert list(read.facts.items()) == list(summaries.facts.items())
    assert set(read.ssm) == set(summaries.ssm)
    for name, matrix in summaries.ssm.items():
        np.testing.assert_array_equal(read.ssm[name], matrix)


def test_same_bytes_from_shuffled_scores(scores, expected, tmp_path):
    shuffled = scores.sample(frac=1, random_state=3)
    order = expected.sample(frac=1, random_state=4)
    for folder, rows, cells in (("a", scores, expected), ("b", shuffled, order)):
        write_summaries(tmp_path / folder, summarised(rows, cells))
    for path in sorted((tmp_path / "a").iterdir()):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_a_partial_run_counts_its_cells(partial_summaries, summaries):
    assert summaries.is_complete
    assert not partial_summaries.is_complete
    assert partial_summaries.n_expected == summaries.n_expected
    assert partial_summaries.n_done == summaries.n_done - 3 * 9 * 2 * 3
    judged = partial_summaries.claims.set_index("id")
    assert judged.loc["mel-blsh-saturates-at-50-0.1", "reason"].endswith("is not scored yet")
    assert judged.loc["blsh-above-lsh-stft-0.1", "verdict"] == "holds"


def test_nothing_scored_yet(scores, expected, tmp_path):
    nothing = summarised(scores.iloc[:0], expected, tables={"training": None}, ssm={})
    assert nothing.n_done == 0
    assert set(nothing.claims["verdict"]) == {"not judged"}
    write_summaries(tmp_path, nothing)
    assert read_summaries(tmp_path).n_expected == nothing.n_expected


def test_missing_files_are_empty_tables(summaries, tmp_path):
    write_summaries(tmp_path, summaries)
    for path in tmp_path.iterdir():
        if path.name != "aggregated.csv":
            path.unlink()
    read = read_summaries(tmp_path)
    assert len(read.aggregated) > 0
    assert len(read.claims) == len(read.utterances) == 0
    assert read.is_complete  # nothing is known to be missing


def test_a_run_may_be_named_by_its_folder_or_by_its_summaries(summaries, tmp_path):
    write_summaries(tmp_path / "run/summaries", summaries)
    for named in ("run", "run/summaries", "run/../run/summaries/"):
        assert run_folder(tmp_path / named).resolve() == tmp_path / "run"
    for named in (".", "run/tables"):
        with pytest.raises(FileNotFoundError, match=r"holds no summaries/aggregated\.csv: name the folder of a run"):
            run_folder(tmp_path / named)


def test_a_folder_without_summaries_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no aggregated\.csv; name the folder summaries/"):
        read_summaries(tmp_path)


def test_a_column_that_is_missing_is_named(summaries):
    with pytest.raises(ValueError, match=r"column 'overlap' is missing \(summaries: noises\)"):
        dataclasses.replace(summaries, noises=summaries.noises.drop(columns="overlap"))


def test_a_matrix_of_another_type_is_an_error():
    with pytest.raises(ValueError, match=r"ssm 'stft/truth' is float64 of 2 axes; store a uint8 matrix"):
        Summaries(ssm={"stft/truth": np.zeros((2, 2))})


def test_facts_that_are_no_pairs_are_an_error(summaries, tmp_path):
    write_summaries(tmp_path, summaries)
    write_text(tmp_path / "facts.json", '{"a": 1}')
    with pytest.raises(ValueError, match=r"facts\.json: not a list of pairs"):
        read_summaries(tmp_path)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("ssm.npz", {"names": ["a", "b"]}, r"ssm\.npz does not name its \d+ matrices"),
        ("ssm.npz", {"names": 5}, r"ssm\.npz does not name its"),
        ("ssm.npz", {}, r"ssm\.npz does not name its"),
        ("facts.json", "[" * 9999, r"facts\.json: not a list of pairs"),
        ("facts.json", '[["a", [1]]]', r"facts\.json: not a list of pairs"),
        ("claims.csv", "\xff", r"claims\.csv is not the table that is needed"),
        ("aggregated.csv", '"', r"aggregated\.csv is not the table that is needed"),
    ],
)
def test_files_that_are_not_what_their_names_say(summaries, tmp_path, name, change, message):
    write_summaries(tmp_path, summaries)
    if name == "ssm.npz":
        _, matrices = load_stamped(tmp_path / name, "ssm", 1)
        save_stamped(tmp_path / name, "ssm", 1, change, matrices)
    else:
        (tmp_path / name).write_bytes(change.encode("latin-1"))
    with pytest.raises(ValueError, match=message) as caught:
        read_summaries(tmp_path)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 700
