import numpy as np
import pandas as pd
import pytest

from blsh.files.tables import write_parquet
from blsh.reporting.scores import DTYPES, KEY, METRICS, check_scores, read_scores


def test_reading_many_files_sorts_by_the_key(scores, tmp_path):
    shuffled = scores.iloc[:600].sample(frac=1, random_state=0)
    write_parquet(tmp_path / "b.parquet", shuffled.iloc[:250])
    write_parquet(tmp_path / "a.parquet", shuffled.iloc[250:])
    read = read_scores(tmp_path.glob("*.parquet"))
    pd.testing.assert_frame_equal(read, scores.iloc[:600].sort_values(list(KEY), ignore_index=True))
    assert list(read.columns) == list(DTYPES)


def test_no_files_give_an_empty_table():
    empty = read_scores([])
    assert len(empty) == 0
    assert list(empty.columns) == list(DTYPES)
    assert empty["n_bits"].dtype == np.int64


def test_a_row_in_two_files_is_an_error(scores, tmp_path):
    for name in ("a", "b"):
        write_parquet(tmp_path / f"{name}.parquet", scores.iloc[:5])
    with pytest.raises(ValueError, match=r"a\.parquet and .*b\.parquet hold the same row .*blsh.*remove one"):
        read_scores(tmp_path.glob("*.parquet"))


def test_a_wrong_value_names_the_file(scores, tmp_path):
    write_parquet(tmp_path / "a.parquet", scores.iloc[:5])
    write_parquet(tmp_path / "b.parquet", scores.iloc[5:10].assign(status="odd"))
    with pytest.raises(ValueError, match=r"status='odd' is none of .* \(.*b\.parquet\)"):
        read_scores(tmp_path.glob("*.parquet"))
    write_parquet(tmp_path / "b.parquet", pd.concat([scores.iloc[5:10]] * 2))
    with pytest.raises(ValueError, match=r"two rows have the key set=closed, system=.* \(.*b\.parquet\)"):
        read_scores(tmp_path.glob("*.parquet"))


def test_a_missing_column_names_column_and_file(scores, tmp_path):
    write_parquet(tmp_path / "a.parquet", scores.iloc[:5].drop(columns="noise"))
    with pytest.raises(ValueError, match=r"column 'noise' is missing \(.*a\.parquet\)"):
        read_scores([tmp_path / "a.parquet"])


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("seconds", 0.0, r"seconds=0\.0 is not above 0 \(here\)"),
        ("status", "bad", r"status='bad' is none of ok, ill-conditioned, nan"),
        ("status", "nan", r"1 rows have the status 'nan' and no reason"),
        ("sdr", np.inf, r"a metric is infinite \(here\)"),
    ],
)
def test_bad_values_are_errors(scores, column, value, message):
    rows = scores.iloc[:3].copy()
    rows.loc[rows.index[1], column] = value
    with pytest.raises(ValueError, match=message):
        check_scores(rows, "here")


def test_a_type_that_does_not_fit_is_an_error(scores):
    rows = scores.iloc[:3].astype({"n_bits": "str"}).assign(n_bits=["1", "x", "3"])
    with pytest.raises(ValueError, match=r"a column is not of its type \(here\)"):
        check_scores(rows, "here")


def test_metrics_are_the_right_end_of_the_columns():
    assert tuple(DTYPES) == (*KEY, *METRICS, "status", "reason")
