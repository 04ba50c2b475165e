import dataclasses
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import blsh.reporting
from blsh.corpora import READERS
from blsh.files.atomic import write_json, write_text
from blsh.reporting.page_tables import attributions, claims_table, headline
from blsh.reporting.pages import Contents, render_page
from blsh.reporting.result_tables import make_tables
from blsh.reporting.results import make_results
from blsh.reporting.scorecard import make_scorecard
from blsh.reporting.summaries import Summaries, write_summaries
from blsh.reporting.training_figures import taslp_fig6

PACKAGE = Path(blsh.reporting.__file__).parent


class Reader(HTMLParser):
    """Collects texts and references, and fails on tags that do not close."""

    VOID = ("meta", "link", "img", "br", "input", "hr")

    def __init__(self):
        super().__init__()
        self.texts, self.references, self.open, self.tags = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        self.references += [value for name, value in attrs if name in ("src", "href", "srcset", "data")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.texts.append(data.strip())

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.texts))


def read(page):
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def parts(summaries):
    """The tables and the scorecard, which take long to make."""
    return make_tables(summaries), make_scorecard(summaries)


@pytest.fixture
def render(summaries, parts):
    """Render a page of the made-up run, with other contents where they are given."""

    def rendered(run=summaries, **changes):
        tables, scorecard = parts
        contents = {"title": "T", "tables": tables, "pictures": (), "scorecard": scorecard}
        return render_page(run, Contents(**(contents | changes)))

    return rendered


def test_the_page_refers_to_nothing_outside(render, summaries, example):
    page = render(examples=[example], pictures=[taslp_fig6(summaries)])
    references = read(page).references
    assert len(references) > 15
    assert all(reference.startswith(("data:", "#")) for reference in references)
    assert "http" not in page
    assert "@import" not in page
    assert "url(" not in page
    anchors = {reference[1:] for reference in references if reference.startswith("#")}
    assert anchors <= set(re.findall(r'id="([^"]+)"', page))


def test_a_whole_run(render):
    text = read(render(title="One run")).text
    for part in (
        "One run",
        "All 1020 cells are scored",
        "Preset made up",
        "every system is above the constant mask",
        "Separation of the closed and the open set",
        "SDR on each noise of the open set",
        "How hard each noise is",
        "2 recordings were skipped",
        "not audio 2",
        "Every score could be computed",
        "CC BY 4.0",
        "There is no provenance.json",
        "1.0 minutes of job time",
        "Of 267 printed numbers",
        "which is under the MIT licence",
    ):
        assert part in text, part
    assert "not finished" not in text


def test_a_partial_run_says_what_finishes_it(render, partial_summaries):
    text = read(render(partial_summaries, tables=(), finish_command="blsh run --config x")).text
    assert "This run is not finished: 858 of 1020 cells are scored" in text
    assert "To finish it: blsh run --config x" in text
    assert "pesq: no utterance found" in text
    assert "ill-conditioned" in text


def test_an_empty_run_is_a_page_too():
    nothing = Summaries()
    page = render_page(nothing, Contents("Nothing yet", (), (), make_scorecard(nothing)))
    text = read(page).text
    assert "The open set is not scored yet" in text
    assert "Claims" not in text


def test_text_from_files_is_escaped(render, summaries):
    skipped = pd.DataFrame([("c", "<script>alert(1)</script>.wav", "a & b")], columns=["corpus", "path", "reason"])
    strange = dataclasses.replace(summaries, skipped=skipped, facts={"<b>": "</dl>"})
    page = render(strange, tables=(), title='"><i>', provenance={"k": "<img src=x>"})
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    read(page)


def test_networks_that_are_not_trained_are_told_with_the_reason(render, full_summaries):
    text = read(render(full_summaries, tables=())).text
    assert "BiLSTM 2×1024 12 epochs, 3.4 h it reached its limit of time" in text
    assert "FC 2×32 0 epochs it was not begun" in text
    labels = [bar["label"] for bar in headline(full_summaries)]
    assert {"FC 3×256", "FC 2×64", "BiLSTM 2×64", "Residual boosting"} <= set(labels)
    assert len(labels) == len(set(labels))


def test_rows_can_be_chosen_by_their_verdict(render, summaries):
    page = render(tables=())
    assert page.count('data-verdict="not judged"') == int((summaries.claims["verdict"] == "not judged").sum())
    assert '<option value="context">context (' in page
    assert page.count('data-verdict="agrees"') == 34


def test_makers_of_recordings_are_named(summaries):
    corpora = summaries.corpora.assign(reader="demand", attribution="Somebody made it.")
    named = attributions(dataclasses.replace(summaries, corpora=corpora), {})
    assert [name.split(":")[0] for name in named] == ["DEMAND", "Somebody made it."]
    config = {"config": {"data": {"corpora": {"speech": {"reader": "librispeech"}, "noise": {"reader": "esc"}}}}}
    assert [name.split(":")[0] for name in attributions(summaries, config)] == ["LibriSpeech", "ESC"]
    assert attributions(summaries, {}) == []


def test_every_reader_has_somebody_to_name():
    known = {line.partition(",")[0] for line in (PACKAGE / "attributions.csv").read_text().splitlines()[1:]}
    # What is in somebody's own folder only they know.
    assert known == set(READERS) - {"folder"}


def test_provenance_is_flattened(render):
    provenance = {"config": {"bits": [1, 2], "sets": [{"name": "open"}]}, "version": 3}
    text = read(render(tables=(), provenance=provenance)).text
    for part in ("config.bits 1, 2", "config.sets.0.name open", "version 3"):
        assert part in text


def test_headline_takes_settings_from_validation(summaries):
    rows = summaries.aggregated.copy()
    best = (rows["set"] == "validation") & (rows["by"] == "all") & (rows["system"] == "lsh")
    best &= (rows["feature"] == "stft") & (rows["rho"] == 0.01) & (rows["n_bits"] == 10)
    rows.loc[best, "sdr"] = 50.0
    bars = {bar["label"]: bar for bar in headline(dataclasses.replace(summaries, aggregated=rows))}
    assert bars["LSH"]["detail"] == "STFT, ρ = 0.01, L = 10"
    assert bars["Oracle (IRM)"]["share"] == 100
    assert bars["Mixture"]["detail"] == ""


def test_headline_without_validation_is_not_chosen_on_the_open_set(summaries):
    rows = summaries.aggregated[summaries.aggregated["set"] == "open"].copy()
    rows.loc[(rows["system"] == "lsh") & (rows["n_bits"] == 5), "sdr"] = 50.0
    bars = {bar["label"]: bar for bar in headline(dataclasses.replace(summaries, aggregated=rows))}
    assert bars["LSH"]["detail"] == "STFT, ρ = 0.1, L = 300"


def test_claims_table_puts_verdicts_first(summaries):
    table = claims_table(summaries)
    verdicts = [row[0] for row in table.rows]
    order = ["holds", "fails", "undecided", "not judged"]
    assert verdicts == sorted(verdicts, key=order.index)
    assert len(verdicts) == len(summaries.claims)
    [row] = [row for row in table.rows if row[1] == "BLSH scores above LSH at every number of bits (STFT, ρ = 0.1)"]
    assert "6 speakers; 3 repeats; helicopter +, rain +, sea waves +" in row[-1]


def test_results_are_made_from_the_summaries_alone(partial_summaries, tmp_path):
    write_summaries(tmp_path / "run" / "summaries", partial_summaries)
    write_json(tmp_path / "run" / "provenance.json", {"code": "abc123"})
    paths = make_results(tmp_path / "run" / "summaries", tmp_path / "out", title="T", finish_command="make x")
    names = {str(path.relative_to(tmp_path / "out")) for path in paths}
    for name in (
        "tables/icassp_table1.tex",
        "figures/icassp_fig3.pdf",
        "figures/taslp_fig6.txt",
        "figures/cost.svg",
        "scorecard.csv",
        "scorecard.md",
        "report.html",
    ):
        assert name in names
    assert names == {str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*") if p.is_file()}
    page = (tmp_path / "out" / "report.html").read_text()
    assert "abc123" in page
    assert page.count("data:image/svg+xml;base64,") == len([name for name in names if name.endswith(".svg")])


def test_results_have_the_same_bytes_twice(summaries, tmp_path):
    write_summaries(tmp_path / "summaries", dataclasses.replace(summaries, ssm={}))
    first = make_results(tmp_path / "summaries", tmp_path / "a", title="T")
    second = make_results(tmp_path / "summaries", tmp_path / "b", title="T")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_a_report_that_is_too_large_is_not_written(summaries, tmp_path, monkeypatch):
    monkeypatch.setattr("blsh.reporting.results.PAGE_BYTES_MAX", 1000)
    write_summaries(tmp_path / "summaries", dataclasses.replace(summaries, ssm={}))
    with pytest.raises(ValueError, match=r"the report has \d+ bytes, more than 1000"):
        make_results(tmp_path / "summaries", tmp_path / "out", title="T")
    assert not (tmp_path / "out").exists()


def test_provenance_that_is_not_json_is_named(summaries, tmp_path):
    write_summaries(tmp_path / "summaries", summaries)
    write_text(tmp_path / "provenance.json", "{")
    with pytest.raises(ValueError, match=r"provenance\.json: not JSON"):
        make_results(tmp_path / "summaries", tmp_path / "out", title="T")


def test_no_number_on_the_page_is_a_bare_nan(render, partial_summaries):
    text = read(render(partial_summaries, tables=make_tables(partial_summaries))).text
    assert not re.search(r"\b(nan|None|inf)\b", text.replace("(nan)", "").replace(" nan pesq", ""))
    assert np.isfinite(partial_summaries.claims["value"]).any()


def test_the_published_run_is_shown(published, tmp_path):
    paths = make_results(published / "summaries", tmp_path, title="open_small")
    page = paths[-1].read_text()
    assert "LibriSpeech: V. Panayotov" in page
    assert "All 1020 cells" in read(page).text or "cells are scored" in read(page).text
