import dataclasses

import pandas as pd
import pytest

from blsh.reporting.cells import at
from blsh.reporting.icassp_table import icassp_table1
from blsh.reporting.summaries import Summaries
from blsh.reporting.table_cells import network_notes
from blsh.reporting.tables import Absent, to_csv
from blsh.reporting.taslp_tables import taslp_table1, taslp_table2, taslp_table3


def column(table, title):
    return [one.title for one in table.columns].index(title)


def rows_of(table, *label, skip=0):
    return [row for row in table.rows if row[skip : skip + len(label)] == label]


# --- ICASSP 2020 ---------------------------------------------------------------------------------------------------


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
    assert {row[3] for row in table.rows if row[0] in ("LSH", "BLSH")} == {"150"}
    assert {row[2] for row in table.rows if row[0] == "BLSH"} == {"0.1"}


def test_icassp_table_prints_the_aggregated_values(summaries):
    table = icassp_table1(summaries)
    [row] = rows_of(table, "BLSH", "mel")
    own = at(summaries.aggregated, set="open", by="all", system="blsh", feature="mel", rho=0.1, n_bits=150)
    cell = row[column(table, "SIR open (dB)")]
    assert (cell.value, cell.spread) == (own["sir"].iloc[0], own["sir_std"].iloc[0])
    size = row[column(table, "Size as in the paper (MB)")].value
    assert size == pytest.approx((150 * 0.1 * 640_000 / 8 + 4 * 128 * 150) / 1e6)
    assert row[column(table, "Size with masks (MB)")].value == pytest.approx(size + 51.3 * 640_000 / 8e6)


def test_another_grid_is_said_in_the_notes(summaries):
    rows = summaries.aggregated
    other = rows[(rows["n_bits"] <= 100) & (rows["rho"] != 0.1)]
    table = icassp_table1(dataclasses.replace(summaries, aggregated=other))
    # All metrics were computed at L = 50 only, the largest of the tables' L that is left.
    assert {row[3] for row in table.rows if row[0] == "BLSH"} == {"50"}
    assert any("prints L = 150; this run was scored with all metrics at L = 50" in note for note in table.notes)
    assert any("prints ρ = 0.1, which this run does not have" in note for note in table.notes)


def test_data_is_named_in_the_notes(summaries):
    notes = icassp_table1(summaries).notes
    assert "Open set: 36 mixtures of 12 utterances, 6 speakers, 3 noises." in notes
    assert any("standard deviation over 3 repeats" in note for note in notes)


def test_two_models_are_told_apart(summaries):
    rows = summaries.aggregated
    second = rows[rows["system"] == "blsh"].assign(profile="project")
    both = dataclasses.replace(summaries, aggregated=pd.concat([rows, second], ignore_index=True))
    names = {row[0] for row in icassp_table1(both).rows if row[0].startswith("BLSH")}
    assert names == {"BLSH authors2022", "BLSH project"}


def test_icassp_table_has_the_papers_two_networks_only(full_summaries):
    table = icassp_table1(full_summaries)
    networks = [row for row in table.rows if row[0].startswith(("FC", "BiLSTM", "Conv"))]
    assert [row[0] for row in networks] == ["BiLSTM 2×1024"]
    assert networks[0][-6:] == (Absent("not trained"),) * 6
    assert "Not trained to the stop rule: BiLSTM 2×1024 (12 epochs, 3.4 h)." in table.notes


# --- TASLP 2022 ----------------------------------------------------------------------------------------------------


def test_table1_is_in_the_papers_order(full_summaries):
    labels = [row[:4] for row in taslp_table1(full_summaries).rows]
    of_papers = [label for label in labels if label[0] in ("KNN", "LSH", "BLSH")]
    bits = {"KNN": ("", ""), "LSH": ("300", "300"), "BLSH": ("300", "50")}
    assert of_papers == [
        (system, feature, rho, bits[system][place])
        for system in ("KNN", "LSH", "BLSH")
        for rho in ("0.1", "0.01")
        for place, feature in enumerate(("STFT", "mel"))
    ]
    networks = [label[0] for label in labels[labels.index(of_papers[-1]) + 1 :]]
    assert networks == ["FC 3×256", "FC 2×64", "FC 2×32", "BiLSTM 2×1024", "BiLSTM 2×64", "BiLSTM 2×32", "Conv-TasNet"]


def test_table1_prints_percent_and_both_parts_of_a_size(full_summaries):
    table = taslp_table1(full_summaries)
    [row] = rows_of(table, "BLSH", "mel", "0.01")
    own = at(full_summaries.aggregated, set="open", by="all", system="blsh", feature="mel", rho=0.01, n_bits=50)
    own = own[own["target"] == "ssm"]
    assert row[column(table, "ESTOI (%)")].value == pytest.approx(100 * own["estoi"].iloc[0])
    assert row[column(table, "PESQ")].value == own["pesq"].iloc[0]
    parts = [row[column(table, f"Size {part} (MB)")].value for part in ("dictionary", "projections")]
    assert parts == pytest.approx([50 * 0.01 * 640_000 / 8e6, 4 * 128 * 50 / 1e6])
    assert row[column(table, "Size as in the paper (MB)")].value == pytest.approx(sum(parts))


def test_table1_sizes_networks_as_the_paper_does_and_leaves_scores_of_untrained_ones_out(full_summaries):
    table = taslp_table1(full_summaries)
    scores = [column(table, title) for title in ("SDR (dB)", "SI-SDR (dB)", "PESQ", "ESTOI (%)")]
    [trained], [untrained], [never] = (rows_of(table, name) for name in ("FC 3×256", "Conv-TasNet", "FC 2×32"))
    assert trained[scores[0]].value == pytest.approx(6.8, abs=0.3)
    assert untrained[column(table, "Size as in the paper (MB)")].value == pytest.approx(19.94, abs=0.005)
    for row in (untrained, never):
        assert [row[place] for place in scores] == [Absent("not trained")] * 4
    note = next(note for note in table.notes if note.startswith("Not trained"))
    assert "Conv-TasNet (1 epoch, 14 min)" in note
    assert "FC 2×32 (0 epochs)" in note
    assert "not trained" in to_csv(table)


def test_conv_tasnets_data_is_named_once_it_is_trained(full_summaries):
    families = pd.DataFrame([("conv_tasnet", "3x8"), ("fc", "3x256")], columns=["system", "variant"])
    assert network_notes(full_summaries, families) == ["Not trained to the stop rule: Conv-TasNet (1 epoch, 14 min)."]
    networks = full_summaries.networks.assign(stopped_by="stop rule")
    trained = dataclasses.replace(full_summaries, networks=networks)
    assert network_notes(trained, families) == [
        "Conv-TasNet was trained on this run's own data, the paper's on LibriSpeech and MUSAN."
    ]
    assert network_notes(trained, families[1:]) == []


def test_exported_sizes_are_a_column_where_there_are_any(full_summaries):
    assert "Size as exported (MB)" not in [one.title for one in taslp_table1(full_summaries).columns]
    rows = [("blsh", "", "mel", "ssm", "authors2022", 0.01, 50, 1_750_000)]
    columns = ["system", "variant", "feature", "target", "profile", "rho", "n_bits", "file_bytes"]
    table = taslp_table1(dataclasses.replace(full_summaries, exports=pd.DataFrame(rows, columns=columns)))
    place = column(table, "Size as exported (MB)")
    shown = {row[:3]: row[place].value for row in table.rows if row[place] is not None}
    assert shown == {("BLSH", "mel", "0.01"): 1.75}


def test_another_l_is_said(summaries):
    rows = summaries.aggregated
    table = taslp_table1(dataclasses.replace(summaries, aggregated=rows[rows["n_bits"] <= 150]))
    assert {row[3] for row in table.rows if row[:2] == ("BLSH", "STFT")} == {"150"}
    assert any("prints L = 300 for LSH on STFT, this run has 150" in note for note in table.notes)


def test_table2_has_three_snrs_with_their_controls(full_summaries):
    table = taslp_table2(full_summaries)
    assert list(dict.fromkeys(row[0] for row in table.rows)) == ["−5", "5", "10"]
    for snr in ("−5", "5", "10"):
        names = [row[1] for row in table.rows if row[0] == snr]
        assert names == [
            "Mixture",
            "Constant mask",
            "Oracle (IBM)",
            "Oracle (IRM)",
            *["KNN"] * 4,
            *["LSH"] * 4,
            *["BLSH"] * 4,
        ]
    [row] = rows_of(table, "−5", "Mixture")
    assert row[column(table, "SDR (dB)")].value == pytest.approx(-4.95, abs=0.1)
    assert len(table.rules) == 2


def test_table3_says_how_few_mixtures_it_has(full_summaries):
    table = taslp_table3(full_summaries)
    assert table.columns[0].header == "System"
    assert [row[0] for row in table.rows].count("BLSH") == 4
    assert "Voicebank set: 3 mixtures of 3 utterances, 2 speakers, 1 noise." in table.notes


def test_runs_without_these_sets_have_no_such_tables(summaries):
    assert taslp_table2(summaries).rows == ()
    assert taslp_table3(summaries).rows == ()
    assert taslp_table1(Summaries()).rows == ()
