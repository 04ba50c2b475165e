import numpy as np
import pytest

from blsh.reporting.cells import at
from blsh.reporting.rival_figures import rival_figures
from blsh.reporting.rival_table import rival_table


def column(table, title):
    return [one.title for one in table.columns].index(title)


@pytest.fixture(scope="module")
def table(full_summaries):
    return rival_table(full_summaries)


def test_every_code_at_every_length_that_was_asked_for(table):
    lengths = {}
    for row in table.rows:
        lengths.setdefault((row[0], row[1], row[2]), []).append(row[3])
    assert lengths["ITQ", "STFT", "0.1"] == ["25", "50", "150", "300"]
    assert lengths["BLSH", "STFT", "0.1"] == ["50", "150", "300"]
    assert lengths["KNN", "STFT", "0.1"] == [""]


def test_values_are_the_aggregated_ones(full_summaries, table):
    [row] = [row for row in table.rows if row[:4] == ("ITQ", "STFT", "0.1", "150")]
    own = at(full_summaries.aggregated, set="open", by="all", system="itq", n_bits=150)
    assert row[column(table, "SDR (dB)")].value == own["sdr"].iloc[0]
    assert row[column(table, "recall (%)")].value == pytest.approx(100 * own["recall"].iloc[0])
    assert row[column(table, "mask accuracy (%)")].value == pytest.approx(100 * own["mask_accuracy"].iloc[0])
    low, high = row[column(table, "SDR with interval (dB)")].interval
    assert low < own["sdr"].iloc[0] < high


def test_the_lead_over_blsh_is_paired(table):
    [row] = [row for row in table.rows if row[:4] == ("Residual boosting", "STFT", "0.1", "50")]
    [blsh] = [row for row in table.rows if row[:4] == ("BLSH", "STFT", "0.1", "50")]
    place = column(table, "SDR (dB)")
    lead = row[column(table, "SDR above BLSH (dB)")]
    assert lead.value == pytest.approx(row[place].value - blsh[place].value, abs=1e-3)
    assert blsh[column(table, "SDR above BLSH (dB)")] is None
    [alone] = [row for row in table.rows if row[:4] == ("ITQ", "STFT", "0.1", "25")]
    assert alone[column(table, "SDR above BLSH (dB)")] is None


def test_knn_has_no_recall(table):
    [row] = [row for row in table.rows if row[:3] == ("KNN", "STFT", "0.1")]
    assert row[column(table, "recall (%)")] is None


def test_figure_has_a_panel_for_each_measure(full_summaries):
    [picture] = rival_figures(full_summaries)
    assert picture.name == "rivals_stft"
    bits, size, recall, accuracy = picture.figure.axes
    assert size.get_xscale() == "log"
    labels = {line.get_label() for line in bits.get_lines() if not line.get_label().startswith("_")}
    assert labels == {"KNN", "LSH", "PCA signs", "ITQ", "Given projections", "BLSH", "Residual boosting"}
    itq = next(line for line in recall.get_lines() if line.get_label() == "ITQ")
    np.testing.assert_array_equal(itq.get_xdata(), (25, 50, 150, 300))
    own = at(full_summaries.aggregated, set="open", by="all", system="itq").sort_values("n_bits")
    np.testing.assert_allclose(itq.get_ydata(), 100 * own["recall"])
    assert accuracy.get_ylabel() == "mask accuracy (%)"
    for part in ("STFT features", "ρ = 0.1", "2 repeats", "4 speakers", "size (b)", "(c)", "(d)"):
        assert part in picture.caption


def test_lines_of_rivals_differ_without_colour(full_summaries):
    [picture] = rival_figures(full_summaries)
    lines = [line for line in picture.figure.axes[3].get_lines() if not line.get_label().startswith("_")]
    assert len({line.get_marker() for line in lines}) == len(lines) == 6


def test_no_rivals_no_table_and_no_figure(summaries):
    assert rival_table(summaries).rows == ()
    assert rival_figures(summaries) == ()
