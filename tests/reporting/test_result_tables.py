import dataclasses

import pandas as pd
import pytest

from blsh.reporting.labels import at
from blsh.reporting.result_tables import (
    best_bits_table,
    icassp_table1,
    make_tables,
    noise_table,
    not_above_constant,
)
from blsh.reporting.summaries import Summaries
from blsh.reporting.tables import Number, to_latex


def column(table, title):
    return [one.title for one in table.columns].index(title)


def test_icassp_table_has_all_systems_in_order(summaries):
    table = icassp_table1(summaries)
    names = list(dict.fromkeys(row[0] for row in table.rows))
    assert names == [
        "Mixture",
        "Constant mask",
        "Oracle (IBM)",
        "Oracle (IRM)",
        "KNN",
        "LSH",
        "LSH, one matrix",
        "BLSH",
    ]
    titles = [one.title for one in table.columns][-6:]
    assert titles == [f"{metric} {name} (dB)" for metric in ("SDR", "SAR", "SIR") for name in ("closed", "open")]
    assert {row[2] for row in table.rows if row[0] in ("LSH", "BLSH")} == {"150"}


def test_icassp_table_prints_the_aggregated_values(summaries):
    table = icassp_table1(summaries)
    [row] = [row for row in table.rows if row[:2] == ("BLSH", "mel")]
    own = at(summaries.aggregated, set="open", by="all", system="blsh", feature="mel", rho=0.1, n_bits=150)
    cell = row[column(table, "SIR open (dB)")]
    assert (cell.value, cell.spread) == (own["sir"].iloc[0], own["sir_std"].iloc[0])
    size = row[column(table, "Size (MB)")].value
    assert size == pytest.approx((150 * 0.1 * 640_000 / 8 + 4 * 128 * 150) / 1e6)
    assert row[column(table, "Size with masks (MB)")].value == pytest.approx(size + 51.3 * 640_000 / 8e6)


def test_another_grid_is_said_in_the_notes(summaries):
    rows = summaries.aggregated
    other = rows[(rows["n_bits"] <= 100) & (rows["rho"] != 0.1)]
    table = icassp_table1(dataclasses.replace(summaries, aggregated=other))
    # All metrics were computed at L = 50 only, the largest of the tables' L that is left.
    assert {row[2] for row in table.rows if row[0] == "BLSH"} == {"50"}
    assert any("prints L = 150; this run was scored with all metrics at L = 50" in note for note in table.notes)
    assert any("prints ρ = 0.1, which this run does not have" in note for note in table.notes)


def test_data_is_named_in_the_notes(summaries):
    notes = icassp_table1(summaries).notes
    assert "Open set: 36 mixtures of 12 utterances, 6 speakers, 3 noises." in notes
    assert any("standard deviation over 3 repeats" in note for note in notes)


def test_noise_table_ends_with_the_oracles_lead(summaries):
    table = noise_table(summaries)
    assert [one.header for one in table.columns[4:]] == ["all noises", "helicopter", "rain", "sea waves"]
    place = column(table, "SDR rain (dB)")
    oracle = next(row[place].value for row in table.rows if row[0] == "Oracle (IBM)")
    systems = [row[place].value for row in table.rows[:-1] if row[0].startswith(("KNN", "LSH", "BLSH"))]
    assert table.rows[-1][0] == "Oracle (IBM) above the best system"
    assert table.rows[-1][place].value == pytest.approx(oracle - max(systems))
    assert {row[3] for row in table.rows if row[0] == "BLSH"} == {"300"}


def test_what_does_not_beat_the_constant_mask_is_marked(summaries):
    rows = summaries.aggregated.copy()
    assert not_above_constant(summaries) == ()
    assert not any(cell.mark for row in noise_table(summaries).rows for cell in row if isinstance(cell, Number))
    lsh = (rows["system"] == "lsh") & (rows["feature"] == "mel") & (rows["rho"] == 0.01) & (rows["n_bits"] == 300)
    rows.loc[lsh, "sdr"] = -5.0
    worse = dataclasses.replace(summaries, aggregated=rows)
    assert not_above_constant(worse) == ("LSH (mel, ρ = 0.01)",)
    table = noise_table(worse)
    marked = [row[:3] for row in table.rows if all(cell.mark == "†" for cell in row[4:] if cell)]
    assert marked == [("LSH", "mel", "0.01")]
    assert any(note.startswith("† does not beat the constant mask") for note in table.notes)


def test_smaller_bits_do_not_count_for_the_constant_mask(summaries):
    rows = summaries.aggregated.copy()
    rows.loc[(rows["system"] == "lsh") & (rows["n_bits"] < 300), "sdr"] = -5.0
    assert not_above_constant(dataclasses.replace(summaries, aggregated=rows)) == ()


def test_best_bits_table_shows_the_open_set_at_validations_choice(summaries):
    table = best_bits_table(summaries)
    chosen = at(summaries.best_bits, system="blsh", feature="mel", rho=0.1, metric="sdr")["n_bits"].iloc[0]
    own = at(summaries.aggregated, set="open", by="all", system="blsh", feature="mel", rho=0.1, n_bits=chosen)
    [row] = [row for row in table.rows if row[:3] == ("BLSH", "mel", "0.1")]
    assert row[column(table, "SDR L")] == str(chosen)
    assert row[column(table, "SDR open (dB)")].value == own["sdr"].iloc[0]


def test_two_models_are_told_apart(summaries):
    rows = summaries.aggregated
    second = rows[rows["system"] == "blsh"].assign(profile="project")
    both = dataclasses.replace(summaries, aggregated=pd.concat([rows, second], ignore_index=True))
    names = {row[0] for row in icassp_table1(both).rows if row[0].startswith("BLSH")}
    assert names == {"BLSH authors2022", "BLSH project"}


def test_partial_and_empty_runs(partial_summaries):
    assert [table.name for table in make_tables(partial_summaries)] == [
        "icassp_table1",
        "open_noises",
        "best_bits",
    ]
    [row] = [row for row in icassp_table1(partial_summaries).rows if row[0] == "BLSH"]
    assert row[1] == "STFT"
    assert make_tables(Summaries()) == ()


def test_latex_of_every_table_is_ascii(summaries):
    for table in make_tables(summaries):
        assert to_latex(table).isascii(), table.name
