"""What each step of a run cost: time of all its jobs, and the largest private memory of one."""

from __future__ import annotations

from blsh.reporting.figures import DARK, Picture, in_style, new_figure
from blsh.reporting.labels import plural
from blsh.reporting.summaries import Summaries

__all__ = ["cost_figure"]


@in_style
def cost_figure(summaries: Summaries) -> Picture | None:
    """Draw bars of time and memory, the costliest step first."""
    costs = summaries.costs
    if len(costs) == 0:
        return None
    figure, [panels] = new_figure(1, 2, width=7.2, height=0.8 + 0.28 * len(costs), sharey=True)
    names = [f"{row.rule} ({plural(row.jobs, 'job')})" for row in costs.itertuples()]
    measures = (
        (costs["seconds"] / 60, "minutes, all jobs", "{:.1f}"),
        (costs["peak_mb"], "peak private memory of a job (MB)", "{:.0f}"),
    )
    for axes, (values, title, form) in zip(panels, measures, strict=True):
        bars = axes.barh(names, values.fillna(0.0), color=DARK, height=0.65)
        axes.bar_label(
            bars, ["" if value != value else form.format(value) for value in values], padding=3, fontsize=7.5
        )
        axes.set_xlabel(title)
        axes.grid(axis="y", visible=False)
        axes.margins(x=0.18)
    panels[0].invert_yaxis()
    caption = (
        "Time of all jobs of a step, and the largest private memory that one of them had. Page cache is the system's "
        "and not counted; no bar: the jobs ended before a sample was taken."
    )
    top = costs.iloc[0]
    return Picture(
        "cost", figure, caption, f"Bar charts; most time went to {top['rule']}, {top['seconds'] / 60:.1f} minutes."
    )
