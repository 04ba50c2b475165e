"""The captions of `snakemake --report` know every table and figure that a run makes."""

from pathlib import Path
from types import SimpleNamespace

import jinja2
import pytest

from blsh.reporting.page_tables import claims_table
from blsh.reporting.result_figures import make_pictures
from blsh.reporting.result_tables import make_tables

FOLDER = Path(__file__).resolve().parents[2] / "workflow/report"


def caption(kind: str, name: str) -> str:
    template = jinja2.Template((FOLDER / f"{kind}.rst").read_text(encoding="utf-8"), undefined=jinja2.StrictUndefined)
    return template.render(snakemake=SimpleNamespace(wildcards=SimpleNamespace(name=name))).strip()


def test_every_table_is_described(full_summaries):
    names = [table.name for table in (*make_tables(full_summaries), claims_table(full_summaries))]
    first = [caption("table", name).splitlines()[0] for name in names]
    assert len(set(first)) == len(names) == 14
    # Tables by noise and by speaker are named by their set and described by their name.
    fallback = [name for name, line in zip(names, first, strict=True) if line.startswith("SDR of each group")]
    assert fallback == ["open_noises", "closed_noises", "open_speakers"]
    assert caption("table", "open_noises").startswith("SDR of each group, open noises.")


def test_every_figure_is_described(full_summaries):
    names = [picture.name for picture in make_pictures(full_summaries)]
    first = [caption("figure", name).splitlines()[0] for name in names]
    assert len(set(first)) == len(names) >= 10
    assert not set(names) & set(first), "a figure whose caption is its file's name"
    assert f"``{names[0]}.txt``" in caption("figure", names[0])


@pytest.mark.parametrize("kind", ["page", "scorecard", "workflow"])
def test_the_other_captions_need_no_name(kind):
    assert jinja2.Template((FOLDER / f"{kind}.rst").read_text(encoding="utf-8")).render().strip().endswith(".")
