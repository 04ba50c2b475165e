"""Lines of scores over the number of bits, told apart by colour, stroke and marker, with their spread as a shade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from blsh.reporting.cells import at
from blsh.reporting.figures import DARK, GREY, LIGHT, Axes
from blsh.reporting.labels import families_of, feature_name, system_name

__all__ = [
    "BLSH_LINE",
    "LSH_LINE",
    "RBF_LINES",
    "Line",
    "draw_curve",
    "draw_level",
    "draw_references",
    "ends_of",
    "share_strokes",
]

# A curve of forty points would be all markers.
MARKERS_MAX = 12


@dataclass(frozen=True)
class Line:
    """The looks of a curve; a hollow marker is filled with white."""

    colour: str
    marker: str
    stroke: Any = "-"
    filled: bool = True

    def with_stroke(self, look: tuple[Any, bool]) -> Line:
        """Return the line with another stroke and filling of its markers."""
        return replace(self, stroke=look[0], filled=look[1])


BLSH_LINE, LSH_LINE = Line(DARK, "o"), Line(LIGHT, "s")
RBF_LINES = {
    "ssm": BLSH_LINE,
    "rbf-0.9": Line("#4a90c2", "^", (0, (5, 1.5)), filled=False),
    "rbf-0.5": Line(LIGHT, "s", (0, (3, 1.5, 1, 1.5))),
    "rbf-0.1": Line("#7a3b10", "D", (0, (1, 1.2)), filled=False),
}
STROKES = (("-", True), ((0, (4, 2)), False), ((0, (1, 1.5)), False), ("-.", True))
# What is drawn as a grey level, with its label.
REFERENCES = {"mixture": "mixture", "constant": "constant mask"}


def share_strokes(shares: Sequence[float]) -> dict[float, tuple[Any, bool]]:
    """Give each ρ, the largest first, a stroke and a filling of the markers."""
    return {share: STROKES[place % len(STROKES)] for place, share in enumerate(shares)}


def draw_curve(
    axes: Axes, rows: pd.DataFrame, metric: str, line: Line, label: str, *, over: str = "n_bits", spread: bool = True
) -> None:
    """Draw a metric's mean and standard deviation over the rows of one system."""
    curve = rows[rows[metric].notna()].sort_values(over)
    places = curve[over].to_numpy()
    axes.plot(
        places,
        curve[metric],
        color=line.colour,
        linestyle=line.stroke,
        marker=line.marker,
        markerfacecolor=line.colour if line.filled else "white",
        markevery=max(1, -(-len(curve) // MARKERS_MAX)),
        label=label,
    )
    if spread and f"{metric}_std" in curve:
        half = curve[f"{metric}_std"].fillna(0.0)
        axes.fill_between(
            places, curve[metric] - half, curve[metric] + half, color=line.colour, alpha=0.18, linewidth=0
        )


def draw_level(axes: Axes, value: float, stroke: Any, colour: str, label: str) -> None:
    """Draw a system that has no L."""
    axes.axhline(value, color=colour, linewidth=1.1, linestyle=stroke, label=label)


def draw_references(axes: Axes, rows: pd.DataFrame, metric: str) -> None:
    """Draw the mixture and the constant mask as grey levels with their names."""
    # Room for the name below the lowest level.
    axes.margins(y=0.1)
    found = [(at(rows, system=system)[metric], label) for system, label in REFERENCES.items()]
    levels = sorted((float(value.iloc[0]), label) for value, label in found if len(value))
    for place, (level, label) in enumerate(levels):
        # Two are often close, so names stand outside: that of the lower one below, that of the other above.
        is_lowest = place == 0
        axes.axhline(level, color=GREY, linewidth=0.8)
        axes.annotate(
            label,
            (1, level),
            xycoords=("axes fraction", "data"),
            xytext=(-2, -3 if is_lowest else 2),
            textcoords="offset points",
            ha="right",
            va="top" if is_lowest else "bottom",
            fontsize=7.5,
            color="#555555",
        )


def ends_of(rows: pd.DataFrame, metric: str) -> str:
    """Say in words where each curve ends."""
    families = families_of(rows)
    parts = []
    for _, family in families.iterrows():
        last = at(rows, family).sort_values("n_bits").iloc[-1]
        parts.append(
            f"{system_name(family, families)}, {feature_name(family['feature'])}, ρ = {family['rho']:g}: "
            f"{last[metric]:.2f} dB at {last['n_bits']} bits"
        )
    return "; ".join(parts) + "."
