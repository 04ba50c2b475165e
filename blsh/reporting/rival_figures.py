"""Codes of different makes over their length: SDR over bits and over bytes, recall, and mask accuracy.

A figure for each feature, with the run's largest dictionary.
"""

from __future__ import annotations

import pandas as pd

from blsh.reporting.cells import at
from blsh.reporting.curves import BLSH_LINE, LSH_LINE, Line, draw_curve, draw_level, draw_references
from blsh.reporting.figures import BLACK, Axes, Picture, in_style, legend_below, new_figure
from blsh.reporting.labels import RIVALS, capitalised, describe_data, families_of, feature_name, plural, system_name
from blsh.reporting.rival_table import compared_systems
from blsh.reporting.summaries import Summaries

__all__ = ["rival_figures"]

LINES = {
    "lsh": LSH_LINE,
    "pca_sign": Line("#7a7a00", "v", (0, (1, 1.2)), filled=False),
    "itq": Line("#5b2a86", "^", (0, (4, 1.5)), filled=False),
    "projections": Line("#8c2d4f", "P", (0, (2, 1))),
    "blsh": BLSH_LINE,
    "residual": Line("#1c7a5a", "D", (0, (5, 1.5, 1, 1.5))),
}
SHARES = (("recall", "recall of raw neighbours (%)"), ("mask_accuracy", "mask accuracy (%)"))


def rival_figures(summaries: Summaries) -> tuple[Picture, ...]:
    """Draw the figure of each feature that has rivals."""
    rows = compared_systems(summaries)
    features = sorted(
        set(rows.loc[rows["system"].isin(RIVALS), "feature"]), key=lambda feature: (feature != "stft", feature)
    )
    return tuple(_figure(summaries, rows, feature) for feature in features)


@in_style
def _figure(summaries: Summaries, rows: pd.DataFrame, feature: str) -> Picture:
    own = rows[rows["feature"] == feature]
    own = own[own["rho"] == own["rho"].max()]
    own = own.merge(summaries.sizes[[*_SIZE_KEY, "size_mb"]], how="left", on=list(_SIZE_KEY))
    measures = [share for share in SHARES if own[share[0]].notna().any()]
    n_rows = 1 + bool(measures)
    figure, grid = new_figure(n_rows, 2, width=7.6, height=0.9 + 2.8 * n_rows)
    panels = [axes for row in grid for axes in row]
    families = families_of(own)
    for _, family in families.iterrows():
        curve = at(own, family)
        name = system_name(family, families)
        if family["system"] == "knn":
            draw_level(panels[0], curve["sdr"].iloc[0], "-", BLACK, name)
            panels[1].plot(curve["size_mb"], curve["sdr"], "*", color=BLACK, markersize=8)
            panels[1].annotate(
                name, (curve["size_mb"].iloc[0], curve["sdr"].iloc[0]), (0, 6), textcoords="offset points", ha="center"
            )
            continue
        line = LINES[family["system"]]
        draw_curve(panels[0], curve, "sdr", line, name)
        draw_curve(panels[1], curve, "sdr", line, name, over="size_mb")
        for axes, (metric, _) in zip(panels[2:], measures, strict=False):
            draw_curve(
                axes,
                curve.assign(**{part: 100 * curve[part] for part in (metric, f"{metric}_std")}),
                metric,
                line,
                name,
            )
    draw_references(panels[0], rows, "sdr")
    _label(panels[0], "(a)", "number of bits, L", "SDR (dB)")
    _label(panels[1], "(b)", "dictionary and projections (MB)", "SDR (dB)")
    panels[1].set_xscale("log")
    for letter, axes, (_, title) in zip("cd", panels[2:], measures, strict=False):
        _label(axes, f"({letter})", "number of bits, L", title)
    for axes in panels[2 + len(measures) :]:
        axes.axis("off")
    legend_below(figure, panels, n_columns=4)
    repeats = plural(int(own["n_repeats"].max()), "repeat")
    caption = (
        f"Codes of the same length made in different ways, on the open set (0 dB mixtures), {feature_name(feature)} "
        f"features, ρ = {own['rho'].max():g}: SDR over bits (a) and over size (b), to which each adds the same masks"
        f"{_shares_text(measures)}. Lines: mean over utterances, weighted by length; shades: standard deviation over "
        f"{repeats}. KNN searches the raw features. {capitalised(describe_data(summaries.sets, ['open']))}"
    )
    names = ", ".join(system_name(family, families) for _, family in families.iterrows())
    return Picture(f"rivals_{feature}", figure, caption, f"Line charts of {names} over the number of bits.")


_SIZE_KEY = ("system", "variant", "feature", "target", "profile", "rho", "n_bits", "n_neighbours")


def _label(axes: Axes, title: str, x_label: str, y_label: str) -> None:
    axes.set_title(title, loc="left")
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)


def _shares_text(measures: list[tuple[str, str]]) -> str:
    texts = {
        "recall": "the share of a frame's neighbours that are neighbours by the raw features too",
        "mask_accuracy": "the share of time-frequency bins in which the mask agrees with the ideal one",
    }
    parts = [f"{texts[metric]} ({letter})" for letter, (metric, _) in zip("cd", measures, strict=False)]
    return f"; {'; '.join(parts)}" if parts else ""
