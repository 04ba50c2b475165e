import numpy as np
import pandas as pd
import pytest

from blsh.reporting.aggregation import (
    AGGREGATED_DTYPES,
    aggregate,
    best_bits,
    coverage,
    describe_sets,
    failures,
    mixture_means,
    rows_of_tables,
)
from blsh.reporting.scores import CELL, METRICS
from tests import naive_reporting as naive
from tests.reporting.made_up_scores import expected_cells, make_scores

ROUNDED = 5.1e-5  # means are rounded to 4 decimals


@pytest.fixture(scope="module")
def small():
    expected = expected_cells(sets=("open",), bits=(5, 50), features=("stft",), rhos=(0.1,), repeats=3)
    scores = make_scores(expected, speakers=3, utterances=2, table_bits=(50,))
    rng = np.random.default_rng(1)
    # Failures anywhere: one repeat of a mixture, and all repeats of another.
    some = rng.choice(len(scores), 12, replace=False)
    scores.loc[some, ["sdr", "status", "reason"]] = (np.nan, "nan", "sdr: silent estimate")
    whole = (scores["system"] == "lsh") & (scores["utterance"] == "open-00-00") & (scores["noise"] == "rain")
    scores.loc[whole, ["pesq", "status", "reason"]] = (np.nan, "nan", "pesq: no utterance found")
    return scores


@pytest.mark.parametrize(("by", "column"), [("all", None), ("noise", "noise"), ("speaker", "speaker")])
def test_equals_the_naive_means(small, by, column):
    table = aggregate(small, table_bits=(50,))
    table = table[table["by"] == by]
    found = naive.aggregate(small, (lambda row: row[column]) if column else lambda row: "")
    assert len(table) > 0
    for row in table.to_dict("records"):
        key = (*(row[name] for name in CELL), row["group"])
        for metric in METRICS:
            got = (row[metric], row[f"{metric}_plain"], row[f"{metric}_std"])
            np.testing.assert_allclose(got, found[key, metric], atol=ROUNDED, err_msg=f"{key} {metric}")


def test_counts(small):
    table = aggregate(small, table_bits=(50,))
    lsh = table[(table["system"] == "lsh") & (table["by"] == "all")].set_index("n_bits")
    assert lsh.loc[50, "n_mixtures"] == 18
    assert lsh.loc[50, "n_utterances"] == 6
    assert lsh.loc[50, "n_speakers"] == 3
    assert lsh.loc[50, "n_repeats"] == 3
    assert table.loc[table["by"] == "all", "sdr_nan"].sum() == small["sdr"].isna().sum()


def test_nan_is_a_failure_only_where_the_metric_was_asked_for(small):
    table = aggregate(small, table_bits=(50,))
    lsh = table[(table["system"] == "lsh") & (table["by"] == "all")].set_index("n_bits")
    assert lsh.loc[50, "pesq_nan"] == 3
    assert lsh.loc[50, "estoi_nan"] == 0
    assert lsh.loc[5, "estoi_nan"] == 0  # not asked for at L = 5
    assert np.isnan(lsh.loc[5, "estoi"])


def test_a_reason_about_si_sdr_does_not_count_for_sdr(small):
    rows = small[(small["system"] == "mixture")].copy()
    rows[["sdr", "si_sdr"]] = np.nan
    rows[["status", "reason"]] = ("nan", "si_sdr: silent reference")
    table = aggregate(rows, table_bits=())
    assert (table["si_sdr_nan"] > 0).all()
    assert (table["sdr_nan"] == 0).all()


def test_rows_per_noise_and_speaker_exist_at_the_tables_bits_only(scores):
    table = aggregate(scores, table_bits=(50,))
    detailed = table[(table["by"] != "all") & (table["system"] == "blsh")]
    assert set(detailed["n_bits"]) == {50, 300}  # the largest is always there
    assert set(table.loc[table["by"] == "all", "n_bits"]) == {0, 1, 5, 10, 25, 50, 100, 125, 150, 300}


def test_large_sets_have_no_rows_per_speaker(small, monkeypatch):
    monkeypatch.setattr("blsh.reporting.aggregation.SPEAKERS_MAX", 2)
    assert set(aggregate(small, table_bits=(50,))["by"]) == {"all", "noise"}


def test_order_and_types(scores):
    shuffled = scores.sample(frac=1, random_state=0)
    table = aggregate(shuffled, table_bits=(50,))
    pd.testing.assert_frame_equal(table, aggregate(scores, table_bits=(50,)))
    assert {name: str(dtype) for name, dtype in table.dtypes.items()} == AGGREGATED_DTYPES


def test_an_empty_run_gives_empty_tables(scores):
    none = scores.iloc[:0]
    assert len(aggregate(none, table_bits=(50,))) == 0
    assert len(mixture_means(none)) == 0
    assert len(failures(none)) == 0
    assert len(describe_sets(none)) == 0


def test_best_bits_takes_the_highest_mean_and_of_equal_ones_the_smallest(summaries):
    rows = summaries.aggregated.copy()
    chosen = (rows["by"] == "all") & (rows["set"] == "validation") & (rows["system"] == "lsh")
    rows.loc[chosen, "sdr"] = np.where(rows.loc[chosen, "n_bits"].isin((25, 100)), 9.0, 1.0)
    table = best_bits(rows)
    assert set(table.loc[(table["system"] == "lsh") & (table["metric"] == "sdr"), "n_bits"]) == {25}
    blsh = table[(table["system"] == "blsh") & (table["feature"] == "stft") & (table["metric"] == "sdr")]
    assert set(blsh["n_bits"]) == {300}
    assert set(table["system"]) == {"lsh", "lsh_fixed", "blsh"}


def test_best_bits_never_looks_at_another_set(summaries):
    rows = summaries.aggregated.copy()
    rows.loc[rows["set"] == "open", "sdr"] = 100 - rows.loc[rows["set"] == "open", "n_bits"]
    pd.testing.assert_frame_equal(best_bits(rows), summaries.best_bits)


def test_coverage_counts_cells_once_a_repeat(scores, expected):
    part = scores[~((scores["system"] == "knn") & (scores["repeat"] == 2))]
    table = coverage(expected, part)
    assert table["n_expected"].sum() == len(expected)
    assert table["n_done"].sum() == len(expected) - 3 * 2 * 2
    knn = table[table["system"] == "knn"]
    assert set(knn["n_done"]) == {2}


def test_mixture_means_average_repeats(small):
    table = mixture_means(small[rows_of_tables(small, (50,))])
    row = table[(table["system"] == "knn")].iloc[4]
    same = (small["system"] == "knn") & (small["utterance"] == row["utterance"])
    same &= small["noise"] == row["noise"]
    assert row["n_repeats"] == 3
    assert row["si_sdr"] == pytest.approx(small.loc[same, "si_sdr"].mean(), abs=1e-5)


def test_failures_are_counted_by_reason(small):
    table = failures(small)
    assert set(table["reason"]) == {"sdr: silent estimate", "pesq: no utterance found"}
    assert table["n_rows"].sum() == (small["status"] == "nan").sum()


def test_sets_are_described(scores):
    table = describe_sets(scores).set_index("set")
    assert table.loc["open", "mixtures"] == 36
    assert table.loc["open", "noises"] == 3
    assert (table["female"] + table["male"] == table["speakers"]).all()
    mixtures = scores[(scores["set"] == "open") & (scores["system"] == "mixture")]
    assert table.loc["open", "hours"] == pytest.approx(mixtures["seconds"].sum() / 3600, abs=1e-4)
