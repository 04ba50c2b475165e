"""The report: one page that a person opens first, and that needs nothing else.

Figures, audio, style and script are all inside the file, so it can be mailed, and opened without a network.
What has been left out for size, could not be computed, or is still missing is said on the page. Its template is in
``page/``.
"""

from __future__ import annotations

import base64
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import jinja2
import pandas as pd
from markupsafe import Markup

from blsh.reporting.cells import at
from blsh.reporting.figures import Picture, picture_bytes
from blsh.reporting.group_tables import not_above_constant
from blsh.reporting.page_tables import (
    VERDICTS,
    attributions,
    claims_table,
    frame_table,
    headline,
    missing_table,
    noises_table,
    skipped_table,
    untrained_table,
)
from blsh.reporting.players import Example, make_players
from blsh.reporting.scorecard import scorecard_summary, scorecard_table
from blsh.reporting.summaries import Summaries
from blsh.reporting.tables import Absent, Cell, Number, Table, is_number, text_of

__all__ = ["Contents", "render_page"]

# A page with thousands of paths helps nobody; the CSV has them all.
PATHS_SHOWN = 40
OPEN_TABLES = ("icassp_table1", "taslp_table1")
# Narrower figures are not drawn over the whole width, or their letters would be huge.
FULL_WIDTH_INCHES = 6.0
COST = "cost"


@dataclass(frozen=True)
class Contents:
    """What a page shows besides the summaries.

    Attributes
    ----------
    title
        Of the page.
    tables, pictures
        To show, in this order.
    scorecard
        See `blsh.reporting.scorecard`.
    examples
        Recordings to play.
    provenance
        Versions, seeds, configuration: any nesting of mappings, lists and plain values.
    finish_command
        What completes a partial run.
    """

    title: str
    tables: Sequence[Table]
    pictures: Sequence[Picture]
    scorecard: pd.DataFrame
    examples: Sequence[Example] = ()
    provenance: Mapping[str, object] = field(default_factory=dict)
    finish_command: str = ""


def render_page(summaries: Summaries, contents: Contents) -> str:
    """Render the report of a run, whole or partial.

    Returns
    -------
    str
        HTML without any reference to another file.

    Raises
    ------
    FileNotFoundError, ValueError
        If a recording of an example is not there, or is no sound file.
    """
    players, n_left_out = make_players(contents.examples)
    claims = summaries.claims["verdict"]
    pictures = {picture.name: _inlined(picture) for picture in contents.pictures}
    return _template().render(
        title=contents.title,
        facts=summaries.facts,
        n_done=summaries.n_done,
        n_expected=summaries.n_expected,
        is_complete=summaries.is_complete,
        finish_command=contents.finish_command,
        missing=missing_table(summaries),
        bars=headline(summaries),
        beaten=not_above_constant(summaries),
        has_constant=len(at(summaries.aggregated, set="open", system="constant")) > 0,
        tables=contents.tables,
        open_tables=OPEN_TABLES,
        cost_picture=pictures.pop(COST, None),
        pictures=list(pictures.values()),
        verdicts={verdict: int((claims == verdict).sum()) for verdict in VERDICTS},
        claims=claims_table(summaries),
        scorecard=scorecard_table(contents.scorecard),
        scorecard_text=scorecard_summary(contents.scorecard, summaries),
        scorecard_verdicts=Counter(contents.scorecard["verdict"]),
        noises=noises_table(summaries),
        players=players,
        n_left_out=n_left_out,
        sets=frame_table("sets", "Sets of mixtures", summaries.sets, {"snr_db": "SNR (dB)"}, decimals=2),
        corpora=_corpora_table(summaries),
        skipped=skipped_table(summaries.skipped),
        skipped_rows=summaries.skipped.head(PATHS_SHOWN).to_dict("records"),
        n_skipped=len(summaries.skipped),
        untrained=untrained_table(summaries),
        failures=frame_table("failures", "What could not be scored", summaries.failures, {"n_rows": "scores"}),
        costs=frame_table("costs", "Cost of each step", summaries.costs, {"peak_mb": "peak memory (MB)"}, decimals=1),
        total_seconds=float(summaries.costs["seconds"].sum()),
        provenance=list(_flattened(contents.provenance)),
        attributions=attributions(summaries, contents.provenance),
    )


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("blsh.reporting", "page"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "classes": _classes,
        "is_numeric": _is_numeric,
        "sort_value": _sort_value,
        "text_of": text_of,
        "verdict_of": _verdict_of,
    }
    return environment.get_template("report.html")


def _inlined(picture: Picture) -> dict[str, object]:
    data = base64.b64encode(picture_bytes(picture, "svg")).decode()
    return {
        "name": picture.name,
        "source": f"data:image/svg+xml;base64,{data}",
        "caption": picture.caption,
        "alt": picture.alt,
        "is_narrow": picture.figure.get_figwidth() < FULL_WIDTH_INCHES,
    }


def _corpora_table(summaries: Summaries) -> Table:
    corpora = summaries.corpora.drop(columns="attribution")
    # Older runs did not record the reader.
    corpora = corpora if (corpora["reader"] != "").any() else corpora.drop(columns="reader")
    return frame_table("corpora", "Recordings and their licences", corpora, {}, decimals=2)


def _flattened(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield (name, text) for every plain value in a nesting, the names joined by dots."""
    if isinstance(value, Mapping):
        for key in value:
            yield from _flattened(value[key], f"{name}.{key}" if name else str(key))
    elif isinstance(value, (list, tuple)) and any(isinstance(entry, (Mapping, list, tuple)) for entry in value):
        for place, entry in enumerate(value):
            yield from _flattened(entry, f"{name}.{place}")
    elif isinstance(value, (list, tuple)):
        yield name, ", ".join(map(str, value))
    else:
        yield name, str(value)


def _is_numeric(table: Table, place: int) -> bool:
    """Say whether a column holds numbers alone, but for empty cells."""
    return all(is_number(row[place]) or row[place] == "" for row in table.rows)


def _classes(cell: Cell) -> str:
    names = ["n"] if is_number(cell) else []
    names += ["absent"] if isinstance(cell, Absent) else []
    return Markup(f' class="{" ".join(names)}"') if names else ""


def _sort_value(cell: Cell) -> str:
    """Return what the page's script sorts by; empty for what has no value."""
    if isinstance(cell, Number):
        return "" if math.isnan(cell.value) else repr(float(cell.value))
    return cell if isinstance(cell, str) else ""


def _verdict_of(row: Sequence[Cell], table: Table) -> str:
    return str(row[[column.header for column in table.columns].index("Verdict")])
