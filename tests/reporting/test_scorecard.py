import csv
import dataclasses
import math

import pandas as pd
import pytest

from blsh.files.tables import read_csv
from blsh.reporting.cells import at
from blsh.reporting.scorecard import (
    PAPERS_FRAMES,
    SCORECARD_DTYPES,
    data_of_papers,
    make_scorecard,
    scorecard_summary,
    scorecard_table,
    write_scorecard,
)
from blsh.reporting.summaries import Summaries


def of_readers(summaries, *readers, n_frames=PAPERS_FRAMES, **changes):
    rows = [(reader, "train", 10, 5, 1.0, "x", reader, "") for reader in readers]
    columns = ["corpus", "split", "recordings", "speakers", "hours", "licence", "reader", "attribution"]
    facts = dict(summaries.facts) | {"Training frames T": n_frames}
    return dataclasses.replace(summaries, corpora=pd.DataFrame(rows, columns=columns), facts=facts, **changes)


def verdicts(scorecard, **cell):
    return set(at(scorecard, **cell)["verdict"])


@pytest.fixture(scope="module")
def context(full_summaries):
    return make_scorecard(full_summaries)


def test_on_other_data_scores_are_context(context, full_summaries):
    scores = context[context["column"] == "sdr"]
    assert set(scores["verdict"]) <= {"context", "not trained", "not in this run"}
    text = scorecard_summary(context, full_summaries)
    assert text.startswith("Scores are context and not judged here: the data is not named, not TIMIT")
    assert "Of 267 printed numbers: " in text


def test_every_printed_number_has_a_row_in_the_papers_order(context):
    assert len(context) == 267
    assert list(context.columns) == list(SCORECARD_DTYPES)
    assert list(dict.fromkeys(context["source"])) == ["I20", "T22", "W"]


def test_ours_is_the_runs_own_mean(context, full_summaries):
    [row] = at(
        context, table="Table II", system="blsh", feature="mel", rho=0.01, snr_db=5.0, column="estoi"
    ).itertuples()
    own = at(full_summaries.aggregated, set="open_p5", by="all", system="blsh", feature="mel", rho=0.01, n_bits=50)
    assert row.ours == pytest.approx(100 * own["estoi"].iloc[0])
    assert row.difference == pytest.approx(row.ours - 82.18)
    [row] = at(context, table="Table III", system="mixture", column="sdr").itertuples()
    assert row.ours == pytest.approx(0.0, abs=0.1)


def test_sizes_and_counts_agree_to_the_printed_digit_on_any_data():
    scorecard = make_scorecard(Summaries())
    others = scorecard[~scorecard["column"].isin(["sdr", "si_sdr", "sir", "sar", "pesq", "estoi"])]
    judged = others[others["verdict"] != "known slip"]
    assert len(judged) == 34
    assert set(judged["verdict"]) == {"agrees"}


def test_known_slips_are_shown_beside_what_is_right(context):
    slips = context[context["verdict"] == "known slip"]
    ours = {row.printed: row.ours for row in slips.itertuples()}
    assert ours[16.79] == pytest.approx(12.56, abs=0.005)
    assert ours[1.53] == pytest.approx(9.20, abs=0.005)
    assert ours[13.7e6] == pytest.approx(28.94e6, abs=5e3)


def test_on_the_papers_data_scores_are_judged(full_summaries):
    rows = full_summaries.aggregated.copy()
    near = {("knn", "stft", 0.1): 9.77 + 0.49, ("lsh", "stft", 0.1): 8.97 - 0.51}
    for (system, feature, rho), sdr in near.items():
        own = (rows["set"] == "open") & (rows["system"] == system) & (rows["feature"] == feature) & (rows["rho"] == rho)
        rows.loc[own & (rows["by"] == "all") & (rows["variant"] == ""), "sdr"] = sdr
    run = of_readers(full_summaries, "timit", "duan", "demand", aggregated=rows)
    assert data_of_papers(run) == ""
    scorecard = make_scorecard(run)
    table_i = {"table": "Table I", "column": "sdr", "feature": "stft", "rho": 0.1}
    assert verdicts(scorecard, system="knn", **table_i) == {"agrees"}
    assert verdicts(scorecard, system="lsh", **table_i) == {"differs"}
    assert verdicts(scorecard, system="conv_tasnet", column="sdr") == {"not trained"}
    assert verdicts(scorecard, system="fc", variant="3x64", column="sdr") == {"not in this run"}
    assert scorecard_summary(scorecard, run).startswith("The data is the papers'.")


@pytest.mark.parametrize(
    ("readers", "n_frames", "reason"),
    [
        (("librispeech", "esc"), PAPERS_FRAMES, "the data is esc, librispeech, not TIMIT"),
        (("timit", "duan", "demand"), 100_000, "T = 100,000 training frames are not the papers' 2,453,960"),
        ((), PAPERS_FRAMES, "the data is not named"),
    ],
)
def test_why_data_is_not_the_papers(summaries, readers, n_frames, reason):
    assert data_of_papers(of_readers(summaries, *readers, n_frames=n_frames)).startswith(reason)


def test_158_speakers_are_still_the_papers_data(summaries):
    """So many speakers there are if each region gives ten women and ten men as far as it has them."""
    assert data_of_papers(of_readers(summaries, "timit", "duan", "demand", n_frames=PAPERS_FRAMES * 158 // 160)) == ""


def test_both_files_hold_every_number(context, full_summaries, tmp_path):
    paths = write_scorecard(tmp_path, context, scorecard_summary(context, full_summaries))
    assert [path.name for path in paths] == ["scorecard.csv", "scorecard.md"]
    read = read_csv(paths[0], SCORECARD_DTYPES)
    pd.testing.assert_frame_equal(read, context)
    assert paths[1].read_text().count("\n| T22 Table I |") == 141
    with paths[0].open() as handle:
        assert all(math.isfinite(float(row["printed"])) for row in csv.DictReader(handle))


def test_the_table_reads_like_the_papers(context):
    rows = scorecard_table(context).rows
    assert ("T22 Table I", "BLSH, STFT, ρ = 0.1, L = 300", "open, 0 dB", "SI-SDR (dB)") in {row[:4] for row in rows}
    assert ("T22 Table I", "FC 3×1024", "", "size (MB)") in {row[:4] for row in rows}
    assert ("T22 Table II", "Mixture", "open, −5 dB", "SDR (dB)") in {row[:4] for row in rows}
