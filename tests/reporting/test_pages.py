import dataclasses
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from blsh.files.atomic import write_json, write_text
from blsh.reporting import pages
from blsh.reporting.page_tables import claims_table, headline
from blsh.reporting.pages import Example, render_page
from blsh.reporting.result_tables import make_tables
from blsh.reporting.results import make_results
from blsh.reporting.summaries import Summaries, write_summaries


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


@pytest.fixture
def example(tmp_path):
    for name in ("clean.wav", "mixture.flac", "blsh.ogg"):
        (tmp_path / name).write_bytes(name.encode() * 10)
    return Example(
        "Rain, one speaker",
        tmp_path / "clean.wav",
        tmp_path / "mixture.flac",
        {"BLSH": tmp_path / "blsh.ogg"},
    )


def test_the_page_refers_to_nothing_outside(summaries, example):
    page = render_page(summaries, make_tables(summaries), (), title="T", examples=[example])
    references = read(page).references
    assert len(references) > 10
    assert all(reference.startswith(("data:", "#")) for reference in references)
    assert "http" not in page
    assert "@import" not in page
    anchors = {reference[1:] for reference in references if reference.startswith("#")}
    assert anchors <= set(re.findall(r'id="([^"]+)"', page))


def test_a_whole_run(summaries):
    text = read(render_page(summaries, make_tables(summaries), (), title="One run")).text
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
    ):
        assert part in text, part
    assert "not finished" not in text


def test_a_partial_run_says_what_finishes_it(partial_summaries):
    page = render_page(
        partial_summaries, make_tables(partial_summaries), (), title="T", finish_command="blsh run --config x"
    )
    text = read(page).text
    assert "This run is not finished: 858 of 1020 cells are scored" in text
    assert "To finish it: blsh run --config x" in text
    assert "pesq: no utterance found" in text
    assert "ill-conditioned" in text


def test_an_empty_run_is_a_page_too():
    text = read(render_page(Summaries(), (), (), title="Nothing yet")).text
    assert "The open set is not scored yet" in text
    assert "Claims" not in text


def test_text_from_files_is_escaped(summaries):
    skipped = pd.DataFrame([("c", "<script>alert(1)</script>.wav", "a & b")], columns=["corpus", "path", "reason"])
    strange = dataclasses.replace(summaries, skipped=skipped, facts={"<b>": "</dl>"})
    page = render_page(strange, (), (), title='"><i>', provenance={"k": "<img src=x>"})
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    read(page)


def test_audio_is_inside_in_order(summaries, example):
    page = render_page(summaries, (), (), title="T", examples=[example])
    sources = re.findall(r'<audio[^>]* src="data:(audio/\w+);base64,', page)
    assert sources == ["audio/flac", "audio/ogg", "audio/wav"]
    assert page.index("Mixture<audio") < page.index("BLSH<audio") < page.index("Clean speech<audio")


def test_examples_beyond_the_budget_are_counted(summaries, example, monkeypatch):
    monkeypatch.setattr(pages, "AUDIO_BYTES_MAX", 400)
    page = render_page(summaries, (), (), title="T", examples=[example, example, example])
    assert page.count("<audio") == 3
    assert "2 further examples are left out" in read(page).text


def test_an_example_that_is_not_there_is_named(summaries, example):
    example.clean.unlink()
    with pytest.raises(FileNotFoundError, match=r"clean\.wav: the recording of an example is not there"):
        render_page(summaries, (), (), title="T", examples=[example])


def test_an_example_that_no_browser_plays_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"a\.mp3: a page plays \.wav, \.flac, \.ogg; convert it"):
        Example("x", tmp_path / "a.wav", tmp_path / "a.mp3", {})


def test_provenance_is_flattened(summaries):
    provenance = {"config": {"bits": [1, 2], "sets": [{"name": "open"}]}, "version": 3}
    text = read(render_page(summaries, (), (), title="T", provenance=provenance)).text
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
        "report.html",
    ):
        assert name in names
    assert names == {str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*") if p.is_file()}
    page = (tmp_path / "out" / "report.html").read_text()
    assert "abc123" in page
    assert page.count("data:image/svg+xml;base64,") == 3


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


def test_no_number_on_the_page_is_a_bare_nan(partial_summaries):
    text = read(render_page(partial_summaries, make_tables(partial_summaries), (), title="T")).text
    assert not re.search(r"\b(nan|None|inf)\b", text.replace("(nan)", "").replace(" nan pesq", ""))
    assert np.isfinite(partial_summaries.claims["value"]).any()
