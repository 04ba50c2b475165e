import dataclasses

import pytest

from blsh.reporting.cells import at
from blsh.reporting.group_tables import noise_table, not_above_constant, speaker_table
from blsh.reporting.tables import Number


def column(table, title):
    return [one.title for one in table.columns].index(title)


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


def test_noise_table_has_rivals_and_trained_networks_but_no_variants(full_summaries):
    names = {row[0] for row in noise_table(full_summaries).rows}
    assert {"ITQ", "Residual boosting", "FC 3×256"} <= names
    assert "Conv-TasNet" not in names
    assert not any("weighted" in name or "beta" in name for name in names)


def test_a_set_of_one_noise_has_no_noise_table(full_summaries):
    assert noise_table(full_summaries, "voicebank").rows == ()


def test_speaker_table_has_a_row_for_each_speaker(summaries):
    table = speaker_table(summaries)
    assert [row[0] for row in table.rows] == [f"open-{number:02d}" for number in range(6)]
    assert [row[1] for row in table.rows] == ["F", "M"] * 3
    assert {row[2] for row in table.rows} == {"6"}
    place = column(table, "SDR BLSH, STFT (dB)")
    own = at(summaries.aggregated, set="open", by="speaker", system="blsh", feature="stft", rho=0.1, n_bits=300)
    values = dict(zip(own["group"], own["sdr"], strict=True))
    assert {row[0]: row[place].value for row in table.rows} == values
