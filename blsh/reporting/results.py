"""From summaries to everything that is shown: tables, figures, scorecard and the report.

Nothing but the folder of summaries is read (and ``provenance.json`` beside it, and the recordings of
examples), so this takes seconds, also on a copy of published results, and also for a run that is not
finished.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from blsh.files.atomic import write_text
from blsh.reporting.figures import write_picture
from blsh.reporting.page_tables import claims_table
from blsh.reporting.pages import Contents, render_page
from blsh.reporting.players import Example
from blsh.reporting.result_figures import make_pictures
from blsh.reporting.result_tables import make_tables
from blsh.reporting.scorecard import make_scorecard, scorecard_summary, write_scorecard
from blsh.reporting.summaries import read_summaries
from blsh.reporting.tables import write_table

__all__ = ["make_results"]

PAGE_BYTES_MAX = 15_000_000


def make_results(
    summaries_folder: str | Path,
    out_folder: str | Path,
    *,
    title: str,
    examples: Sequence[Example] = (),
    provenance: str | Path | None = None,
    finish_command: str = "",
) -> tuple[Path, ...]:
    """Make tables, figures, the scorecard and the report.

    Parameters
    ----------
    summaries_folder
        What `blsh.reporting.summaries.write_summaries` wrote.
    out_folder
        Gets ``tables/``, ``figures/``, ``scorecard.csv``, ``scorecard.md`` and ``report.html``.
    title
        Of the report.
    examples
        Recordings to play in the report.
    provenance
        A JSON file; by default ``provenance.json`` beside the folder of summaries, if it is there.
    finish_command
        What completes a partial run; shown where cells are missing.

    Returns
    -------
    tuple of Path
        The files written, the report last.

    Raises
    ------
    FileNotFoundError
        If there are no summaries, or a recording of an example is not there.
    ValueError
        If a file of the summaries is not what its name says, or the report would exceed 15 MB.
    """
    summaries_folder, out_folder = Path(summaries_folder), Path(out_folder)
    summaries = read_summaries(summaries_folder)
    recorded = _read_provenance(provenance, summaries_folder.parent / "provenance.json")
    tables, pictures, scorecard = make_tables(summaries), make_pictures(summaries), make_scorecard(summaries)
    page = render_page(
        summaries,
        Contents(
            title,
            tables,
            pictures,
            scorecard,
            examples=examples,
            provenance=recorded,
            finish_command=finish_command,
        ),
    )
    n_bytes = len(page.encode())
    if n_bytes > PAGE_BYTES_MAX:
        raise ValueError(f"the report has {n_bytes} bytes, more than {PAGE_BYTES_MAX} ({out_folder}); show less in it")
    paths: list[Path] = []
    (out_folder / "figures").mkdir(parents=True, exist_ok=True)
    for table in (*tables, claims_table(summaries)):
        paths += write_table(out_folder / "tables", table)
    for picture in pictures:
        paths += write_picture(out_folder / "figures", picture)
    paths += write_scorecard(out_folder, scorecard, scorecard_summary(scorecard, summaries))
    paths.append(out_folder / "report.html")
    write_text(paths[-1], page)
    return tuple(paths)


def _read_provenance(named: str | Path | None, beside: Path) -> dict[str, object]:
    path = beside if named is None else Path(named)
    if named is None and not path.is_file():
        return {}
    try:
        provenance = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not JSON ({error}); write it again or take it away") from None
    if not isinstance(provenance, dict):
        raise ValueError(f"{path}: holds no JSON object; write it again or take it away")
    return provenance
