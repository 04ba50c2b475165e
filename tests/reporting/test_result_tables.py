import dataclasses
import shutil
from pathlib import Path

import pandas as pd
import pytest

from blsh.reporting.best_bits_table import best_bits_table
from blsh.reporting.cells import at
from blsh.reporting.result_tables import make_tables
from blsh.reporting.summaries import Summaries, read_summaries
from blsh.reporting.tables import to_csv, to_latex, to_markdown

ALL = [
    "icassp_table1",
    "taslp_table1",
    "taslp_table2",
    "taslp_table3",
    "best_bits",
    "targets",
    "variants",
    "switches",
    "rivals",
    "complexity",
    "open_noises",
    "closed_noises",
    "open_speakers",
]


def column(table, title):
    return [one.title for one in table.columns].index(title)


@pytest.fixture(scope="module")
def tables(full_summaries):
    return make_tables(full_summaries)


def test_a_run_with_everything_has_every_table(tables):
    assert [table.name for table in tables] == ALL


def test_every_table_carries_the_controls(tables):
    for table in tables:
        if table.name == "open_speakers":
            shown = {one.header for one in table.columns}
        else:
            shown = {cell for row in table.rows for cell in row if isinstance(cell, str)}
        assert {"Mixture", "Constant mask", "Oracle (IBM)", "Oracle (IRM)"} <= shown, table.name


def test_every_table_has_a_caption_and_notes_without_gaps(tables):
    for table in tables:
        assert table.caption[0].isupper(), table.name
        assert table.notes, table.name
        assert all(note and "nan" not in note for note in table.notes), table.name


def test_latex_of_every_table_is_ascii(tables):
    for table in tables:
        assert to_latex(table).isascii(), table.name


def test_every_form_has_every_row(tables):
    for table in tables:
        assert len(to_csv(table).splitlines()) == 1 + len(table.rows), table.name
        assert to_markdown(table).count("\n| ") == 2 + len(table.rows), table.name


def test_a_run_of_the_main_systems(summaries, partial_summaries):
    names = [
        "icassp_table1",
        "taslp_table1",
        "best_bits",
        "complexity",
        "open_noises",
        "closed_noises",
        "open_speakers",
    ]
    assert [table.name for table in make_tables(summaries)] == names
    assert [table.name for table in make_tables(partial_summaries)] == names
    assert make_tables(Summaries()) == ()


def test_best_bits_table_shows_the_open_set_at_validations_choice(summaries):
    table = best_bits_table(summaries)
    chosen = at(summaries.best_bits, system="blsh", feature="mel", rho=0.1, metric="sdr")["n_bits"].iloc[0]
    own = at(summaries.aggregated, set="open", by="all", system="blsh", feature="mel", rho=0.1, n_bits=chosen)
    [row] = [row for row in table.rows if row[:3] == ("BLSH", "mel", "0.1")]
    assert row[column(table, "SDR L")] == str(chosen)
    assert row[column(table, "SDR open (dB)")].value == own["sdr"].iloc[0]


def test_best_bits_are_never_chosen_on_the_open_set(summaries):
    rows = summaries.aggregated.copy()
    rows.loc[(rows["set"] == "open") & (rows["n_bits"] == 5), ["sdr", "si_sdr"]] = 50.0
    before, after = (best_bits_table(one) for one in (summaries, dataclasses.replace(summaries, aggregated=rows)))
    lengths = [column(before, f"{metric} L") for metric in ("SDR", "SI-SDR")]
    assert [[row[place] for place in lengths] for row in before.rows] == [
        [row[place] for place in lengths] for row in after.rows
    ]


def test_the_published_run_gives_its_tables(published):
    summaries = read_summaries(published / "summaries")
    tables = {table.name: table for table in make_tables(summaries)}
    assert {"icassp_table1", "taslp_table1", "best_bits", "rivals", "complexity"} <= tables.keys()
    assert {"Residual boosting", "ITQ", "PCA signs", "BLSH"} <= {row[0] for row in tables["rivals"].rows}


def test_a_run_published_before_rivals_and_networks_had_columns_gives_its_tables(published, tmp_path):
    folder = Path(shutil.copytree(published / "summaries", tmp_path / "summaries"))
    for name in ("networks.csv", "speed.csv", "exports.csv"):
        (folder / name).unlink()
    rows = pd.read_csv(folder / "aggregated.csv", dtype=str, keep_default_na=False)
    newer = [name for name in rows.columns if name.startswith(("recall", "mask_accuracy"))]
    rows.drop(columns=newer).to_csv(folder / "aggregated.csv", index=False)
    summaries = read_summaries(folder)
    names = [table.name for table in make_tables(summaries)]
    assert newer and names[:3] == ["icassp_table1", "taslp_table1", "best_bits"]
    assert summaries.aggregated["recall"].isna().all()
    assert len(summaries.networks) == 0
