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
import pandas as pd

from blsh.reporting.figures import Picture, picture_bytes
from blsh.reporting.labels import (
    SYSTEM_NAMES,
    at,
    feature_name,
    main_snr,
    plural,
)
from blsh.reporting.result_tables import not_above_constant
from blsh.reporting.summaries import Summaries
from blsh.reporting.tables import Cell, Column, Number, Table, text_of

__all__ = ["Example", "claims_table", "headline", "render_page"]

# The page may have 15 MB; base64 makes 4 bytes of 3. Figures and tables take less than 3 MB.
AUDIO_BYTES_MAX = 8_500_000
AUDIO_TYPES = {".wav": "audio/wav", ".flac": "audio/flac", ".ogg": "audio/ogg"}
VERDICTS = ("holds", "fails", "undecided", "not judged")
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
    template = environment.from_string(
        files("blsh.reporting").joinpath("report.html").read_text(encoding="utf-8")
    )
    players, n_left_out = _players(examples)
    return template.render(
        title=title,
        facts=summaries.facts,
        n_done=summaries.n_done,
        n_expected=summaries.n_expected,
        is_complete=summaries.is_complete,
        finish_command=finish_command,
        missing=_missing_table(summaries),
        bars=headline(summaries),
        beaten=not_above_constant(summaries),
        has_constant=len(at(summaries.aggregated, set="open", system="constant")) > 0,
        tables=tables,
        pictures=[_inlined(picture) for picture in pictures],
        has_claims=len(summaries.claims) > 0,
        verdicts={verdict: int((summaries.claims["verdict"] == verdict).sum()) for verdict in VERDICTS},
        claims=claims_table(summaries),
        noises=_noises_table(summaries),
        players=players,
        n_left_out=n_left_out,
        sets=_frame_table("sets", "Sets of mixtures", summaries.sets, {"snr_db": "SNR (dB)"}, decimals=2),
        corpora=_frame_table("corpora", "Recordings and their licences", summaries.corpora, {}, decimals=2),
        skipped=_skipped_table(summaries.skipped),
        skipped_rows=summaries.skipped.head(PATHS_SHOWN).to_dict("records"),
        n_skipped=len(summaries.skipped),
        failures=_frame_table(
            "failures", "What could not be scored", summaries.failures, {"n_rows": "scores"}
        ),
        costs=_frame_table(
            "costs", "Cost of each step", summaries.costs, {"peak_mb": "peak memory (MB)"}, decimals=1
        ),
        total_seconds=float(summaries.costs["seconds"].sum()),
        provenance=list(_flattened(provenance or {})),
    )


def headline(summaries: Summaries) -> list[dict[str, object]]:
    """Return the SDR on the open set of every system, each in the setting that is best on validation.

    Returns
    -------
    list of dict
        ``label``, ``detail`` (feature, ρ and L), ``value`` in dB and ``share``, its part of the largest value
        in percent, from the lowest to the highest value.
    """
    rows = at(summaries.aggregated, set="open", snr_db=main_snr(summaries.aggregated, "open"), by="all")
    rows = rows[rows["sdr"].notna()]
    chosen_on = at(summaries.aggregated, set="validation", by="all")
    setting = ["variant", "feature", "target", "profile", "rho", "n_bits"]
    bars: list[dict[str, object]] = []
    for system, own in rows.groupby("system", sort=True):
        known = (
            at(chosen_on, system=system)
            .dropna(subset="sdr")
            .sort_values("sdr", ascending=False, kind="stable")
        )
        for _, best in known.iterrows():
            found = at(own, **{name: best[name] for name in setting})
            if len(found):
                break
        else:  # not scored on validation: the largest setting, never the best on the open set
            found = own.sort_values(
                ["rho", "n_bits", "feature"], ascending=[False, False, False], kind="stable"
            )
        row = found.iloc[0]
        detail = [feature_name(row["feature"])] if row["feature"] else []
        detail += [f"ρ = {row['rho']:g}"] if row["rho"] else []
        detail += [f"L = {row['n_bits']}"] if row["n_bits"] else []
        bars.append(
            {"label": SYSTEM_NAMES.get(system, system), "detail": ", ".join(detail), "value": row["sdr"]}
        )
    top = max((bar["value"] for bar in bars), default=0.0)
    for bar in bars:
        bar["share"] = round(100 * max(0.0, bar["value"]) / top, 2) if top > 0 else 0.0
    return sorted(bars, key=lambda bar: (bar["value"], bar["label"]))


def claims_table(summaries: Summaries) -> Table:
    """Make the table of claims and verdicts, those that could be judged first."""
    columns = (
        "Verdict",
        "Claim",
        "Source",
        "Statistic",
        "Threshold",
        "95 % interval of the margin",
        "Why, and on what",
    )
    several = summaries.claims[["target", "profile"]].drop_duplicates()
    several = len(several[several["profile"] != ""]) > 1
    order = summaries.claims["verdict"].map({verdict: place for place, verdict in enumerate(VERDICTS)})
    body: list[tuple[Cell, ...]] = []
    for _, row in summaries.claims.loc[order.sort_values(kind="stable").index].iterrows():
        model = f" [{row['target']}, {row['profile']}]" if several and row["profile"] else ""
        ends = [text_of(Number(row[end], decimals=3)) for end in ("low", "high")]
        judged = [row["reason"]] if row["reason"] else []
        judged += [plural(row["n_speakers"], "speaker")] if row["n_speakers"] else []
        judged += [plural(row["n_repeats"], "repeat")] if row["n_repeats"] else []
        judged += [plural(row["n_seeds"], "training")] if row["n_seeds"] else []
        judged += [_signs_text(row["noises"])] if row["noises"] else []
        judged += [row["statistic"].partition(", ")[2].replace("_", "-")] if ", " in row["statistic"] else []
        judged += [row["note"]] if row["note"] else []
        body.append(
            (
                row["verdict"],
                row["statement"] + model,
                row["source"],
                Number(row["value"], decimals=3),
                row["threshold"],
                "–" if math.isnan(row["low"]) else f"{ends[0]} … {ends[1]}",
                "; ".join(judged),
            )
        )
    return Table("claims", "Claims of the papers", tuple(Column(name) for name in columns), tuple(body))


def _signs_text(noises: str) -> str:
    """Print ``rain:+ sea_waves:-`` as ``rain +, sea waves −``."""
    return ", ".join(
        noise.replace("_", " ").replace(":", " ").replace("-", "−") for noise in noises.split(" ")
    )


def _noises_table(summaries: Summaries) -> Table:
    """Join each noise's overlap with speech and the SDR of the oracle and the constant mask on it."""
    rows = at(summaries.aggregated, by="noise")
    known = pd.concat(
        [summaries.noises[["set", "noise"]], rows.rename(columns={"group": "noise"})[["set", "noise"]]]
    )
    body: list[tuple[Cell, ...]] = []
    for set_name, noise in sorted(set(known.itertuples(index=False, name=None))):
        overlap = at(summaries.noises, set=set_name, noise=noise)["overlap"]
        own = at(rows, set=set_name, group=noise, snr_db=main_snr(rows, set_name))
        values = []
        for system in ("ibm", "constant"):
            found = at(own, system=system)["sdr"]
            values.append(Number(float(found.iloc[0])) if len(found) else None)
        body.append(
            (
                set_name,
                noise.replace("_", " "),
                Number(float(overlap.iloc[0])) if len(overlap) else None,
                *values,
            )
        )
    columns = (
        Column("Set"),
        Column("Noise"),
        Column("Overlap with speech"),
        Column("Oracle (IBM)", unit="SDR, dB"),
        Column("Constant mask", unit="SDR, dB"),
    )
    notes = (
        "Overlap: how much of its long-term spectrum a noise shares with the speech of the set, 0 to 1.",
    )
    return Table("noises", "How hard each noise is", columns, tuple(body), notes)


def _missing_table(summaries: Summaries) -> Table:
    short = summaries.coverage[summaries.coverage["n_done"] < summaries.coverage["n_expected"]]
    counts = short.groupby(["set", "system"], sort=True)[["n_done", "n_expected"]].sum().reset_index()
    names = {"n_done": "scored", "n_expected": "of"}
    return _frame_table("missing", "What is missing", counts, names)


def _skipped_table(skipped: pd.DataFrame) -> Table:
    # The text before the first colon or bracket is the kind of reason, what follows is about the one file.
    kinds = skipped["reason"].str.split(r"[:(]", n=1, regex=True).str[0].str.strip()
    counts = (
        skipped.assign(reason=kinds)
        .groupby(["corpus", "reason"], sort=True)
        .size()
        .reset_index(name="recordings")
    )
    return _frame_table("skipped", "Recordings that were skipped", counts, {})


def _frame_table(
    name: str, caption: str, frame: pd.DataFrame, names: Mapping[str, str], *, decimals: int = 0
) -> Table:
    """Show a frame as it is, with its columns' names in words."""
    columns = tuple(Column(names.get(column, column.replace("_", " "))) for column in frame.columns)
    body = []
    for row in frame.itertuples(index=False, name=None):
        cells: list[Cell] = []
        for value in row:
            if isinstance(value, str):
                cells.append(value)
            else:
                cells.append(Number(float(value), decimals=decimals if isinstance(value, float) else 0))
        body.append(tuple(cells))
    return Table(name, caption, columns, tuple(body))


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
                raise FileNotFoundError(
                    f"{path}: the recording of an example is not there; leave the example out"
                )
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
    elif isinstance(value, (list, tuple)) and any(
        isinstance(entry, (Mapping, list, tuple)) for entry in value
    ):
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
