import dataclasses

import numpy as np
import pytest

from blsh.reporting.comparison import COMPARISON_DTYPES, compare
from blsh.reporting.scores import METRICS


def compared(a, b, **changes):
    return compare(a, b, n_resamples=300, rng=np.random.default_rng(0), **changes)


def shifted(summaries, shift, system="blsh", **changes):
    rows = summaries.utterances.copy()
    rows.loc[rows["system"] == system, "sdr"] += np.float32(shift)
    return dataclasses.replace(summaries, utterances=rows.assign(**changes))


def test_a_run_equals_itself(summaries):
    table = compared(summaries, summaries)
    assert {name: str(dtype) for name, dtype in table.dtypes.items()} == COMPARISON_DTYPES
    assert (table[["difference", "low", "high"]] == 0).all().all()
    assert table["paired"].all()
    assert set(table["metric"]) == set(METRICS)
    assert set(table.loc[table["system"] == "blsh", "n_bits"]) == {50, 150, 300}


def test_paired_differences_are_sharp(summaries):
    table = compared(summaries, shifted(summaries, 0.25), metrics=("sdr",))
    moved = table["system"] == "blsh"
    np.testing.assert_allclose(table.loc[moved, ["difference", "low", "high"]], 0.25, atol=1e-4)
    assert (table.loc[~moved, "difference"] == 0).all()


def test_other_mixtures_are_compared_unpaired(summaries):
    other = shifted(summaries, 0.25, utterance="other-" + summaries.utterances["utterance"])
    table = compared(summaries, other, metrics=("sdr",))
    assert not table["paired"].any()
    moved = table[(table["system"] == "blsh") & (table["set"] == "open")]
    np.testing.assert_allclose(moved["difference"], 0.25, atol=1e-4)
    assert (moved["high"] - moved["low"] > 0.3).all()
    assert ((moved["low"] < 0) & (moved["high"] > 0)).all()


def test_values_are_the_aggregated_means(summaries):
    table = compared(summaries, summaries, metrics=("sdr",))
    row = table[(table["set"] == "open") & (table["system"] == "lsh") & (table["n_bits"] == 300)].iloc[0]
    rows = summaries.aggregated
    own = rows[(rows["set"] == "open") & (rows["system"] == "lsh") & (rows["n_bits"] == 300)]
    own = own[(own["by"] == "all") & (own["feature"] == row["feature"]) & (own["rho"] == row["rho"])]
    assert row["a"] == pytest.approx(own["sdr"].iloc[0], abs=2e-4)


def test_only_shared_cells_and_metrics_are_compared(summaries, partial_summaries):
    table = compared(summaries, partial_summaries)
    assert "mel" not in set(table.loc[table["system"] == "blsh", "feature"])
    none = dataclasses.replace(summaries, utterances=summaries.utterances.iloc[:0])
    assert len(compared(summaries, none)) == 0


def test_a_single_speaker_has_no_interval(summaries):
    rows = summaries.utterances
    one = dataclasses.replace(summaries, utterances=rows[rows["speaker"] == "open-00"])
    table = compared(one, one, metrics=("sdr",))
    assert (table["n_speakers"] == 1).all()
    assert table["low"].isna().all()
