"""The report: one page that a person opens first, and that needs nothing else.

Figures, audio, style and script are all inside the file, so it can be mailed, and opened without a network.
What has been left out for size, could not be computed, or is still missing is said on the page.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import jinja2

from blsh.reporting.figures import Picture, picture_bytes
from blsh.reporting.labels import at
from blsh.reporting.page_tables import (
    VERDICTS,
    claims_table,
    frame_table,
    headline,
    missing_table,
    noises_table,
    skipped_table,
)
from blsh.reporting.result_tables import not_above_constant
from blsh.reporting.summaries import Summaries
from blsh.reporting.tables import Cell, Number, Table, text_of

__all__ = ["Example", "render_page"]

# The page may have 15 MB; base64 makes 4 bytes of 3. Figures and tables take less than 3 MB.
AUDIO_BYTES_MAX = 8_500_000
AUDIO_TYPES = {".wav": "audio/wav", ".flac": "audio/flac", ".ogg": "audio/ogg"}
# A page with thousands of paths helps nobody; the CSV has them all.
PATHS_SHOWN = 40


@dataclass(frozen=True)
class Example:
    """Recordings of one mixture to listen to: the clean speech, the mixture, and what systems made of it.

    ``systems`` maps a label to a WAV, FLAC or OGG file.
    """

    title: str
    clean: Path
    mixture: Path
    systems: Mapping[str, Path]

    def __post_init__(self) -> None:
        for path in (self.clean, self.mixture, *self.systems.values()):
            if Path(path).suffix not in AUDIO_TYPES:
                raise ValueError(f"{path}: a page plays {', '.join(AUDIO_TYPES)}; convert it")

    @property
    def tracks(self) -> tuple[tuple[str, Path], ...]:
        """Label and file of everything to play, the mixture first."""
        return (
            ("Mixture", Path(self.mixture)),
            *((label, Path(path)) for label, path in self.systems.items()),
            ("Clean speech", Path(self.clean)),
        )


def render_page(
    summaries: Summaries,
    tables: Sequence[Table],
    pictures: Sequence[Picture],
    *,
    title: str,
    examples: Sequence[Example] = (),
    provenance: Mapping[str, object] | None = None,
    finish_command: str = "",
) -> str:
    """Render the report.

    Parameters
    ----------
    summaries
        Of a run, whole or partial.
    tables, pictures
        To show, in this order.
    title
        Of the page.
    examples
        Played as long as all of them together stay below 8.5 MB; the others are counted.
    provenance
        Versions, seeds, configuration: any nesting of mappings, lists and plain values.
    finish_command
        What completes a partial run.

    Returns
    -------
    str
        HTML without any reference to another file.

    Raises
    ------
    FileNotFoundError
        If a recording of an example is not there.
    """
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["text_of"] = text_of
    environment.filters["sort_value"] = _sort_value
    environment.filters["is_number"] = _is_number
    template = environment.from_string(files("blsh.reporting").joinpath("report.html").read_text(encoding="utf-8"))
    players, n_left_out = _players(examples)
    return template.render(
        title=title,
        facts=summaries.facts,
        n_done=summaries.n_done,
        n_expected=summaries.n_expected,
        is_complete=summaries.is_complete,
        finish_command=finish_command,
        missing=missing_table(summaries),
        bars=headline(summaries),
        beaten=not_above_constant(summaries),
        has_constant=len(at(summaries.aggregated, set="open", system="constant")) > 0,
        tables=tables,
        pictures=[_inlined(picture) for picture in pictures],
        has_claims=len(summaries.claims) > 0,
        verdicts={verdict: int((summaries.claims["verdict"] == verdict).sum()) for verdict in VERDICTS},
        claims=claims_table(summaries),
        noises=noises_table(summaries),
        players=players,
        n_left_out=n_left_out,
        sets=frame_table("sets", "Sets of mixtures", summaries.sets, {"snr_db": "SNR (dB)"}, decimals=2),
        corpora=frame_table("corpora", "Recordings and their licences", summaries.corpora, {}, decimals=2),
        skipped=skipped_table(summaries.skipped),
        skipped_rows=summaries.skipped.head(PATHS_SHOWN).to_dict("records"),
        n_skipped=len(summaries.skipped),
        failures=frame_table("failures", "What could not be scored", summaries.failures, {"n_rows": "scores"}),
        costs=frame_table("costs", "Cost of each step", summaries.costs, {"peak_mb": "peak memory (MB)"}, decimals=1),
        total_seconds=float(summaries.costs["seconds"].sum()),
        provenance=list(_flattened(provenance or {})),
    )


def _inlined(picture: Picture) -> dict[str, str]:
    data = base64.b64encode(picture_bytes(picture, "svg")).decode()
    return {
        "name": picture.name,
        "source": f"data:image/svg+xml;base64,{data}",
        "caption": picture.caption,
        "alt": picture.alt,
    }


def _players(examples: Sequence[Example]) -> tuple[list[dict[str, object]], int]:
    """Read the recordings into the page, whole examples at a time, as far as there is room."""
    players: list[dict[str, object]] = []
    room = AUDIO_BYTES_MAX
    for example in examples:
        contents = []
        for label, path in example.tracks:
            if not path.is_file():
                raise FileNotFoundError(f"{path}: the recording of an example is not there; leave the example out")
            contents.append((label, path.suffix, path.read_bytes()))
        room -= sum(len(content) for _, _, content in contents)
        if room < 0:
            break
        tracks = [
            {
                "label": label,
                "source": f"data:{AUDIO_TYPES[suffix]};base64,{base64.b64encode(content).decode()}",
            }
            for label, suffix, content in contents
        ]
        players.append({"title": example.title, "tracks": tracks})
    return players, len(examples) - len(players)


def _flattened(value: object, name: str = ""):
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


def _is_number(cell: Cell) -> bool:
    return cell is None or isinstance(cell, Number) or cell.replace(".", "", 1).isdigit()


def _sort_value(cell: Cell) -> str:
    """Return what the page's script sorts by; empty for what has no value."""
    if isinstance(cell, Number):
        return "" if math.isnan(cell.value) else repr(float(cell.value))
    return cell or ""
