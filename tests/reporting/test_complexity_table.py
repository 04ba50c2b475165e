import dataclasses

import pandas as pd
import pytest

from blsh.reporting.complexity_table import complexity_table
from blsh.reporting.tables import Absent

T = 640_000


def column(table, title):
    return [one.title for one in table.columns].index(title)


def rows_of(table, *label):
    return [row for row in table.rows if row[: len(label)] == label]


def test_operations_of_codes_and_raw_features(full_summaries):
    table = complexity_table(full_summaries)
    macs, bits, additions = (
        column(table, f"for a second of audio {name} (10⁶)") for name in ("MACs", "bit operations", "additions")
    )
    [blsh] = rows_of(table, "BLSH", "mel", "0.01", "50")
    assert blsh[bits].value == pytest.approx(63 * 50 * 0.01 * T / 1e6)
    assert blsh[macs].value == pytest.approx(63 * 128 * 50 / 1e6)
    assert blsh[additions].value == pytest.approx(63 * 513 * 10 / 1e6)
    [knn] = rows_of(table, "KNN", "STFT", "0.1")
    assert knn[macs].value == pytest.approx(63 * 513 * 0.1 * T / 1e6)
    assert knn[bits] is None


def test_learned_numbers_are_the_papers(full_summaries):
    table = complexity_table(full_summaries)
    learned = {row[0]: row[4].value for row in table.rows if row[4] is not None and row[1] in ("mel", "STFT", "")}
    [row] = rows_of(table, "BLSH", "mel", "0.1", "50")
    assert row[4].value == 6400
    assert learned["FC 2×32"] == 34_561
    assert learned["Conv-TasNet"] == 4_984_497
    assert rows_of(table, "LSH", "STFT", "0.1")[0][4] is None


def test_a_network_that_is_not_trained_has_operations_and_no_score(full_summaries):
    table = complexity_table(full_summaries)
    [row] = rows_of(table, "BiLSTM 2×64")
    assert row[column(table, "for a second of audio MACs (10⁶)")].value == pytest.approx(28.94, abs=0.01)
    assert row[-1].value == pytest.approx(8.1, abs=0.4)
    [untrained] = rows_of(table, "BiLSTM 2×32")
    assert untrained[-1] == Absent("not trained")


def test_measured_times_stand_beside(full_summaries):
    rows = [
        ("codes", "", "mel", 0.01, 50, 6400, 0.0021, 1, "one CPU"),
        ("bilstm", "2x64", "stft", 0.0, 0, 0, 0.003, 1, "one CPU"),
        ("knn", "", "stft", 0.1, 0, 64_000, 0.5, 1, "one CPU"),
    ]
    columns = ["system", "variant", "feature", "rho", "n_bits", "dictionary_rows", "seconds_per_second", "threads"]
    speed = pd.DataFrame(rows, columns=[*columns, "machine"])
    table = complexity_table(dataclasses.replace(full_summaries, speed=speed))
    place = column(table, "for a second of audio measured (ms)")
    assert rows_of(table, "BLSH", "mel", "0.01")[0][place].value == pytest.approx(2.1)
    assert rows_of(table, "KNN", "STFT", "0.1")[0][place].value == pytest.approx(500)
    assert rows_of(table, "BiLSTM 2×64")[0][place].value == pytest.approx(3)
    assert any(note.startswith("Measured on one CPU, 1 thread: ") for note in table.notes)
    assert "Times were not measured in this run." in complexity_table(full_summaries).notes


def test_without_t_there_is_nothing_to_count(full_summaries):
    assert complexity_table(dataclasses.replace(full_summaries, facts={})).rows == ()
