import dataclasses

import numpy as np
import pytest

from blsh.reporting.cells import at
from blsh.reporting.change_tables import switch_table, target_table, variant_table
from blsh.reporting.summaries import Summaries
from blsh.reporting.tables import to_csv
from tests.reporting.made_up_scores import TARGET_GAINS, VARIANT_GAINS


def column(table, title):
    return [one.title for one in table.columns].index(title)


def test_the_price_of_a_switch_is_the_paired_difference_to_the_default(full_summaries):
    table = switch_table(full_summaries)
    [row] = [row for row in table.rows if row[0] == "beta_scale: 1.0"]
    assert row[1:5] == ("BLSH", "STFT", "0.1", "300")
    setting = {"set": "open", "system": "blsh", "feature": "stft", "target": "ssm", "rho": 0.1, "n_bits": 300}
    changed, plain = (
        at(full_summaries.utterances, variant=variant, **setting).set_index("utterance")
        for variant in ("switch-beta_scale", "")
    )
    keys = ["noise"]
    difference = changed.set_index(keys, append=True)["sdr"] - plain.set_index(keys, append=True)["sdr"]
    expected = np.average(difference, weights=plain.set_index(keys, append=True)["seconds"])
    cell = row[column(table, "open change (dB)")]
    assert cell.value == pytest.approx(expected, abs=1e-5)
    assert cell.value == pytest.approx(VARIANT_GAINS["switch-beta_scale"], abs=0.1)
    assert cell.interval[0] < cell.value < cell.interval[1]


def test_every_change_stands_below_what_it_was_changed_from(full_summaries):
    texts = [row[:2] for row in switch_table(full_summaries).rows[4:]]
    assert texts == [
        ("(unchanged)", "LSH"),
        ("matrices: one for every L", "LSH"),
        ("(unchanged)", "BLSH"),
        ("beta_scale: 1.0", "BLSH"),
    ]
    table = variant_table(full_summaries)
    assert [row[0] for row in table.rows] == ["", "", "", "", "(unchanged)", "5 stacked frames", "β-weighted"]
    assert table.rows[4][column(table, "open change (dB)")] is None


def test_targets_are_compared_with_the_ssm(full_summaries):
    table = target_table(full_summaries)
    rows = [row for row in table.rows if row[3:5] == ("0.1", "300")]
    assert [row[0] for row in rows] == [
        "(unchanged)",
        "mix with masks, w = 0.5",
        *(f"RBF, σ² = 0.{n}" for n in (1, 5, 9)),
    ]
    changes = {row[0]: row[column(table, "validation change (dB)")] for row in rows}
    assert changes["RBF, σ² = 0.1"].value == pytest.approx(TARGET_GAINS["rbf-0.1"], abs=0.1)


def test_intervals_are_the_same_each_time(full_summaries):
    assert to_csv(variant_table(full_summaries)) == to_csv(variant_table(full_summaries))


def test_a_change_without_its_default_has_a_score_and_no_price(full_summaries):
    rows = full_summaries.utterances
    gone = ~((rows["system"] == "blsh") & (rows["variant"] == "") & (rows["n_bits"] == 300))
    table = variant_table(dataclasses.replace(full_summaries, utterances=rows[gone]))
    [row] = [row for row in table.rows if row[0] == "β-weighted"]
    assert row[column(table, "open SDR (dB)")].value == pytest.approx(4.8, abs=0.3)
    assert row[column(table, "open change (dB)")] is None


def test_no_changes_no_tables(summaries):
    for make in (switch_table, variant_table, target_table):
        assert make(summaries).rows == ()
        assert make(Summaries()).rows == ()
