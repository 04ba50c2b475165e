"""TASLP 2022, Fig. 6: the weights β of the boosting rounds."""

from __future__ import annotations

import pandas as pd

from blsh.reporting.curves import RBF_LINES, Line
from blsh.reporting.figures import BLACK, GREY, Picture, in_style, legend_below, new_figure
from blsh.reporting.labels import feature_name, target_name
from blsh.reporting.summaries import Summaries

__all__ = ["taslp_fig6"]

# The paper has STFT, mel and the RBF kernels; what else a run trained is drawn where it has nothing of these.
PAPERS_TARGETS = tuple(RBF_LINES)
MEL_LINE = Line(GREY, "v", (0, (8, 2)))
LINES = {("stft", target): line for target, line in RBF_LINES.items()} | {("mel", "ssm"): MEL_LINE}
OTHER_LINE = Line(BLACK, "P", "-.")


@in_style
def taslp_fig6(summaries: Summaries) -> Picture | None:
    """Draw β over the rounds, one line for each model."""
    training = summaries.training[summaries.training["beta"].notna()]
    of_papers = training["target"].isin(PAPERS_TARGETS)
    training = training[of_papers] if of_papers.any() else training
    if len(training) == 0:
        return None
    models = list(training.groupby(["feature", "target", "profile"], sort=True))
    models.sort(key=lambda item: (item[0][0] != "stft", PAPERS_TARGETS.index(item[0][1]) if of_papers.any() else 0))
    n_profiles = training["profile"].nunique()
    figure, [[axes]] = new_figure(1, 1, width=4.8, height=3.8)
    for place, ((feature, target, profile), rows) in enumerate(models):
        line = LINES.get((feature, target), OTHER_LINE)
        name = feature_name(feature) if target == "ssm" else f"{feature_name(feature)}, {target_name(target)}"
        beta = rows.pivot_table(index="round", columns="seed", values="beta")
        every = max(1, len(beta) // 8)
        axes.plot(
            beta.index,
            beta.mean(axis=1),
            color=line.colour,
            linestyle=line.stroke,
            marker=line.marker,
            markerfacecolor=line.colour if line.filled else "white",
            markersize=5.5,
            linewidth=1.1,
            markevery=(place * every // len(models), every),
            label=f"{name} {profile}" if n_profiles > 1 else name,
        )
        if beta.shape[1] > 1:
            low, high = beta.min(axis=1), beta.max(axis=1)
            axes.fill_between(beta.index, low, high, color=line.colour, alpha=0.2, linewidth=0)
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.set_xlabel("boosting round, l")
    axes.set_ylabel("weight of the round, β")
    axes.set_xlim(left=0)
    # Where β falls and where it stays, no corner of the panel is free for certain.
    legend_below(figure, [axes], n_columns=3)
    n_seeds = int(training.groupby(["feature", "target", "profile"])["seed"].nunique().max())
    lines = f"mean over {n_seeds} trainings; shades: smallest and largest" if n_seeds > 1 else "one training each"
    profiles = ", ".join(sorted(set(training["profile"])))
    caption = (
        f"Weights β of the boosting rounds (profile {profiles}). Lines: {lines}. "
        "Learned from the training frames only; no test speaker is involved."
    )
    return Picture("taslp_fig6", figure, caption, f"Line chart of β over the boosting rounds. {_ends(models)}.")


def _ends(models: list[tuple[tuple[str, str, str], pd.DataFrame]]) -> str:
    parts = []
    for (feature, target, _), rows in models:
        beta = rows.sort_values("round")["beta"]
        parts.append(f"{feature_name(feature)}, {target_name(target)}: from {beta.iloc[0]:.2f} to {beta.iloc[-1]:.2f}")
    return "; ".join(parts)
