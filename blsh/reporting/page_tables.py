"""What the report shows besides the tables of results: an overview, verdicts, noises, what is missing, whom to name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from importlib.resources import as_file, files

import pandas as pd

from blsh.files.tables import read_csv
from blsh.reporting.cells import at, main_snr, plain
from blsh.reporting.labels import NETWORKS, SYSTEM_NAMES, feature_name, network_name, noise_name, plural
from blsh.reporting.summaries import Summaries
from blsh.reporting.tables import Cell, Column, Number, Table, text_of
from blsh.reporting.training_status import not_trained, untrained_networks

__all__ = [
    "VERDICTS",
    "attributions",
    "claims_table",
    "frame_table",
    "headline",
    "missing_table",
    "noises_table",
    "skipped_table",
    "untrained_table",
]

VERDICTS = ("holds", "fails", "undecided", "not judged")


def headline(summaries: Summaries) -> list[dict[str, object]]:
    """Return the SDR on the open set of every system, each in the setting that is best on validation.

    Returns
    -------
    list of dict
        ``label``, ``detail`` (feature, ρ and L), ``value`` in dB and ``share``, its part of the largest value
        in percent, from the lowest to the highest value.
    """
    rows = at(summaries.aggregated, set="open", snr_db=main_snr(summaries.aggregated, "open"), by="all")
    rows = plain(rows[rows["sdr"].notna()], rivals=True)
    chosen_on = at(summaries.aggregated, set="validation", by="all")
    setting = ["variant", "feature", "target", "profile", "rho", "n_bits"]
    bars: list[dict[str, object]] = []
    # A network's layers are what it is, not a setting of it.
    kinds = rows["system"].where(~rows["system"].isin(NETWORKS), rows["system"] + " " + rows["variant"])
    for _, own in rows.groupby(kinds, sort=True):
        system = own["system"].iloc[0]
        known = at(chosen_on, system=system).dropna(subset="sdr").sort_values("sdr", ascending=False, kind="stable")
        for _, best in known.iterrows():
            found = at(own, **{name: best[name] for name in setting})
            if len(found):
                break
        else:  # not scored on validation: the largest setting, never the best on the open set
            found = own.sort_values(["rho", "n_bits", "feature"], ascending=[False, False, False], kind="stable")
        row = found.iloc[0]
        detail = [feature_name(row["feature"])] if row["feature"] else []
        detail += [f"ρ = {row['rho']:g}"] if row["rho"] else []
        detail += [f"L = {row['n_bits']}"] if row["n_bits"] else []
        name = network_name(system, row["variant"]) if system in NETWORKS else SYSTEM_NAMES.get(system, system)
        bars.append({"label": name, "detail": ", ".join(detail), "value": row["sdr"]})
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
    return ", ".join(noise_name(noise).replace(":", " ").replace("-", "−") for noise in noises.split(" "))


def noises_table(summaries: Summaries) -> Table:
    """Join each noise's overlap with speech and the SDR of the oracle and the constant mask on it."""
    rows = at(summaries.aggregated, by="noise")
    known = pd.concat([summaries.noises[["set", "noise"]], rows.rename(columns={"group": "noise"})[["set", "noise"]]])
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
                noise_name(noise),
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
    notes = ("Overlap: how much of its long-term spectrum a noise shares with the speech of the set, 0 to 1.",)
    return Table("noises", "How hard each noise is", columns, tuple(body), notes)


def missing_table(summaries: Summaries) -> Table:
    """Count what of the expected cells is not scored, by set, system and reason."""
    short = summaries.coverage[summaries.coverage["n_done"] < summaries.coverage["n_expected"]]
    counts = short.groupby(["set", "system", "reason"], sort=True)[["n_done", "n_expected"]].sum().reset_index()
    names = {"n_done": "scored", "n_expected": "of", "reason": "why"}
    return frame_table("missing", "What is missing", counts, names)


def skipped_table(skipped: pd.DataFrame) -> Table:
    """Count skipped recordings by corpus and kind of reason."""
    # The text before the first colon or bracket is the kind of reason, what follows is about the one file.
    kinds = skipped["reason"].str.split(r"[:(]", n=1, regex=True).str[0].str.strip()
    counts = skipped.assign(reason=kinds).groupby(["corpus", "reason"], sort=True).size().reset_index(name="recordings")
    return frame_table("skipped", "Recordings that were skipped", counts, {})


def untrained_table(summaries: Summaries) -> Table:
    """List the networks whose training did not end by its stop rule."""
    body = []
    for network in untrained_networks(summaries.coverage, summaries.networks):
        own = at(summaries.networks, system=network[0], variant=network[1])
        ended = f"it reached its limit of {own['stopped_by'].iloc[0]}" if len(own) else "it was not begun"
        body.append((network_name(*network), not_trained(summaries.networks, network), ended))
    columns = (Column("Network"), Column("Trained"), Column("Why it ended"))
    return Table("untrained", "Networks that are not trained", columns, tuple(body))


def attributions(summaries: Summaries, provenance: Mapping[str, object]) -> list[str]:
    """Name those who made the recordings: as the corpora state it, else by what is known of their readers."""
    stated = sorted(set(summaries.corpora["attribution"]) - {""})
    readers = set(summaries.corpora["reader"]) - {""}
    if not readers:  # a run of an older version; its configuration has them too
        config = provenance.get("config", {})
        corpora = config.get("data", {}).get("corpora", {}) if isinstance(config, Mapping) else {}
        readers = {str(corpus["reader"]) for corpus in corpora.values()}
    with as_file(files("blsh.reporting") / "attributions.csv") as path:
        known = read_csv(path, {"reader": "str", "attribution": "str"})
    return [*known.loc[known["reader"].isin(readers), "attribution"], *stated]


def frame_table(name: str, caption: str, frame: pd.DataFrame, names: Mapping[str, str], *, decimals: int = 0) -> Table:
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
