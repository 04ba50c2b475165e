"""A system without scores keeps its row: NA in every cell, and below the table the reason."""

import dataclasses

import pytest

from blsh.reporting.aggregation import coverage
from blsh.reporting.icassp_table import icassp_table1
from blsh.reporting.page_tables import missing_table
from blsh.reporting.tables import Absent, Number, to_csv, to_markdown
from blsh.reporting.taslp_tables import taslp_table1, taslp_table2

REASON = "blsh train: 3 segments need 300 frames, but there are 204"


@pytest.fixture
def failed(partial_summaries):
    """The run in which mel-BLSH has no scores, with the reason that its job gave."""
    cells = partial_summaries.coverage
    reasons = [REASON if done == 0 else "" for done in cells["n_done"]]
    return dataclasses.replace(partial_summaries, coverage=cells.assign(reason=reasons))


def row_of(table, name, feature):
    [row] = [row for row in table.rows if name in row and feature in row and str(row[2]) in ("0.1", "mel", "STFT")]
    return row


def test_a_system_without_scores_is_na_in_the_table_of_icassp(failed):
    table = icassp_table1(failed)
    row = row_of(table, "BLSH", "mel")
    assert row[-6:] == (Absent("NA"),) * 6
    assert all(isinstance(cell, Number) for cell in row_of(table, "BLSH", "STFT")[-6:])
    assert f"NA: BLSH mel (closed), BLSH mel (open): {REASON}." in table.notes
    assert "| BLSH | mel | 0.1 |" in to_markdown(table) and "| NA | NA |" in to_markdown(table)
    assert "BLSH,mel,0.1,,,,NA,,NA,,NA,,NA,,NA,,NA,\n" in to_csv(table)


def test_a_system_without_scores_is_na_in_the_tables_of_taslp(failed):
    table = taslp_table1(failed)
    rows = [row for row in table.rows if row[:2] == ("BLSH", "mel")]
    assert {row[2] for row in rows} == {row[2] for row in table.rows if row[:2] == ("BLSH", "STFT")}
    assert all(row[-4:] == (Absent("NA"),) * 4 for row in rows)
    assert f"NA: BLSH mel (open): {REASON}." in table.notes
    for row in taslp_table2(failed).rows:
        assert (Absent("NA") in row) == (row[1:3] == ("BLSH", "mel"))


def test_a_job_that_has_not_begun_is_said_to_be_still_to_run(partial_summaries):
    assert "NA: BLSH mel (closed), BLSH mel (open): not run yet." in icassp_table1(partial_summaries).notes


def test_a_whole_run_has_nothing_that_is_na(summaries):
    for make in (icassp_table1, taslp_table1):
        table = make(summaries)
        assert not [cell for row in table.rows for cell in row if isinstance(cell, Absent)]
        assert not [note for note in table.notes if note.startswith("NA")]


def test_one_set_without_scores_is_na_there_alone(summaries):
    lost = (summaries.aggregated["system"] == "knn") & (summaries.aggregated["set"] == "open")
    cells = summaries.coverage
    gone = (cells["system"] == "knn") & (cells["set"] == "open")
    counts = cells.assign(n_done=cells["n_done"].where(~gone, 0))
    table = icassp_table1(dataclasses.replace(summaries, aggregated=summaries.aggregated[~lost], coverage=counts))
    row = row_of(table, "KNN", "mel")
    assert [isinstance(cell, Absent) for cell in row[-6:]] == [False, True] * 3


def test_the_page_says_why_cells_are_missing(failed):
    table = missing_table(failed)
    assert [column.header for column in table.columns] == ["set", "system", "why", "scored", "of"]
    assert {row[2] for row in table.rows} == {REASON}


def test_reasons_are_counted_with_the_cells_that_are_not_done(expected, scores):
    missing = (expected["system"] == "blsh") & (expected["feature"] == "mel")
    given = expected.assign(reason=["b" if repeat == 2 else "a" for repeat in expected["repeat"]])
    part = scores[~((scores["system"] == "blsh") & (scores["feature"] == "mel"))]
    table = coverage(given, part)
    is_missing = (table["system"] == "blsh") & (table["feature"] == "mel")
    assert missing.any() and set(table.loc[is_missing, "reason"]) == {"a; b"}
    assert set(table.loc[~is_missing, "reason"]) == {""}
    assert set(coverage(expected, part)["reason"]) == {""}
