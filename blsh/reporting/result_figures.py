"""The figures of a run, made from its summaries.

`icassp_fig2`
    Self-similarity matrices of the codes for growing L, and the truth (ICASSP 2020, Fig. 2).
`icassp_fig3`
    SDR over L on the open set: LSH against BLSH, with raw-feature KNN as lines (ICASSP 2020, Fig. 3).
`taslp_fig6`
    The weights β over the rounds of boosting (TASLP 2022, Fig. 6).

Each returns a `Picture`, or None where the run has nothing to draw.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from blsh.reporting.figures import BLACK, DARK, GREY, LIGHT, Picture, in_style, legend_below, new_figure
from blsh.reporting.labels import at, describe_data, families_of, feature_name, main_snr, plural, system_name
from blsh.reporting.summaries import Summaries

__all__ = ["icassp_fig2", "icassp_fig3", "make_pictures", "taslp_fig6"]

# By falling ρ: the stroke, and whether the markers are filled.
SHARES = (("-", True), ((0, (4, 2)), False), ((0, (1, 1.5)), False), ("-.", True))
MARKERS = {"lsh": ("s",), "blsh": ("o", "^", "D", "v", "P", "X")}
COLOURS = {"lsh": (LIGHT,), "blsh": (DARK, "#4a90c2", "#5b2a86", "#2a7f62", "#7a7a00", "#8c2d4f")}
# Their labels, one below and one above its line: the two lines are often close.
REFERENCES = {"mixture": ("mixture", "top", -3), "constant": ("constant mask", "bottom", 2)}


def make_pictures(summaries: Summaries) -> tuple[Picture, ...]:
    """Make every figure that the run has numbers for."""
    made = (icassp_fig3(summaries), taslp_fig6(summaries), icassp_fig2(summaries))
    return tuple(picture for picture in made if picture is not None)


@in_style
def icassp_fig3(summaries: Summaries, *, set_name: str = "open") -> Picture | None:
    """Draw SDR over L, one panel for each feature."""
    rows = at(summaries.aggregated, set=set_name, by="all", snr_db=main_snr(summaries.aggregated, set_name))
    coded = rows[rows["system"].isin(MARKERS) & (rows["n_bits"] > 0) & rows["sdr"].notna()]
    families = families_of(coded)
    if len(families) == 0:
        return None
    features = sorted(set(families["feature"]), key=lambda feature: (feature != "stft", feature))
    shares = sorted(set(rows.loc[rows["rho"] > 0, "rho"]), reverse=True)
    figure, [panels] = new_figure(1, len(features), width=0.9 + 3.6 * len(features), height=3.9, sharey=True)
    for axes, feature in zip(panels, features, strict=True):
        _draw_curves(axes, coded, families[families["feature"] == feature], families, shares)
        _draw_knn(axes, at(rows, system="knn", feature=feature), shares, largest=int(coded["n_bits"].max()))
        _draw_references(axes, rows)
        axes.set_title(feature_name(feature) + " features")
        axes.set_xlabel("number of bits, L")
        axes.set_xlim(left=-0.02 * float(coded["n_bits"].max()))
    panels[0].set_ylabel("SDR (dB)")
    legend_below(figure, panels, n_columns=3)
    n_repeats = int(coded["n_repeats"].max())
    data = describe_data(summaries.sets, [set_name])
    caption = (
        f"SDR over the number of bits on the {set_name} set (0 dB mixtures), for dictionaries of "
        f"{_shares_text(shares)} of the training frames. Lines: mean over utterances, weighted by length; "
        f"shades: standard deviation over {plural(n_repeats, 'repeat')}; horizontal lines: nearest "
        f"neighbours of the raw features, the constant mask and the unprocessed mixture. {_sentence(data)}"
    )
    return Picture(
        "icassp_fig3", figure, caption, f"Line chart of SDR over the number of bits. {_ends(coded, families)}"
    )


@in_style
def taslp_fig6(summaries: Summaries) -> Picture | None:
    """Draw β over the rounds, one line for each model."""
    training = summaries.training[summaries.training["beta"].notna()]
    if len(training) == 0:
        return None
    models = list(training.groupby(["feature", "target", "profile"], sort=True))
    models.sort(key=lambda item: (item[0][0] != "stft", item[0]))
    several = {name: training[name].nunique() > 1 for name in ("target", "profile")}
    figure, [[axes]] = new_figure(1, 1, width=4.6, height=3.4)
    palette = ((DARK, "o"), (LIGHT, "s"), (BLACK, "^"), (GREY, "D"))
    for place, (key, rows) in enumerate(models):
        colour, marker = palette[place % len(palette)]
        beta = rows.pivot_table(index="round", columns="seed", values="beta")
        names = [feature_name(key[0]), *(key[1 + i] for i, name in enumerate(several) if several[name])]
        every = max(1, len(beta) // 8)
        axes.plot(
            beta.index,
            beta.mean(axis=1),
            color=colour,
            marker=marker,
            markersize=5.5,
            linewidth=1.1,
            markevery=(place * every // 4, every),
            label=" ".join(names),
        )
        if beta.shape[1] > 1:
            axes.fill_between(beta.index, beta.min(axis=1), beta.max(axis=1), color=colour, alpha=0.2, linewidth=0)
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.set_xlabel("boosting round, l")
    axes.set_ylabel("weight of the round, β")
    axes.set_xlim(left=0)
    axes.legend()
    n_seeds = int(training.groupby(["feature", "target", "profile"])["seed"].nunique().max())
    chosen = ", ".join(sorted({f"target {key[1]}, profile {key[2]}" for key, _ in models}))
    lines = f"mean over {n_seeds} trainings; shades: smallest and largest" if n_seeds > 1 else "one training each"
    caption = (
        f"Weights β of the boosting rounds ({chosen}). Lines: {lines}. "
        "Learned from the training frames only; no test speaker is involved."
    )
    ends = "; ".join(
        f"{feature_name(key[0])}: from {rows.sort_values('round')['beta'].iloc[0]:.2f} "
        f"to {rows.sort_values('round')['beta'].iloc[-1]:.2f}"
        for key, rows in models
    )
    return Picture("taslp_fig6", figure, caption, f"Line chart of β over the boosting rounds. {ends}.")


@in_style
def icassp_fig2(summaries: Summaries) -> Picture | None:
    """Draw the similarity of frames as the codes see it, a row of panels for each model, the truth last."""
    models: dict[str, dict[int, np.ndarray]] = {}
    for name, matrix in summaries.ssm.items():
        model, _, kind = name.rpartition("/")
        # The truth comes last: it stands for an unlimited number of bits.
        models.setdefault(model, {})[int(kind.removeprefix("bits_")) if kind != "truth" else 1 << 30] = matrix
    if not models:
        return None
    order = sorted(models, key=lambda model: (not model.startswith("stft"), model))
    kinds = sorted({kind for panels in models.values() for kind in panels})
    figure, panels = new_figure(
        len(order),
        len(kinds),
        width=0.8 + 1.9 * len(kinds),
        height=0.5 + 1.95 * len(order),
        sharex=True,
        sharey=True,
    )
    image = None
    for row, model in zip(panels, order, strict=True):
        feature = feature_name(model.partition("/")[0])
        for axes, kind in zip(row, kinds, strict=True):
            axes.grid(False)
            matrix = models[model].get(kind)
            if matrix is None:
                axes.axis("off")
                continue
            size = len(matrix)
            image = axes.imshow(
                matrix / 255, cmap="gray", vmin=0, vmax=1, interpolation="nearest", extent=(0, size, size, 0)
            )
            axes.set_title(f"{feature}, truth" if kind == 1 << 30 else f"{feature}, L = {kind}")
            axes.set_xticks([0, size])
            axes.set_yticks([0, size])
        row[0].set_ylabel("frame")
    for axes in panels[-1]:
        axes.set_xlabel("frame")
    bar = figure.colorbar(image, ax=[axes for row in panels for axes in row], shrink=0.8, aspect=30, pad=0.02)
    bar.set_label("similarity")
    bar.outline.set_visible(False)
    size = len(next(iter(models[order[0]].values())))
    caption = (
        f"Self-similarity matrices of {size} training frames: share of equal bits of their BLSH codes for "
        "growing L, and the target that the codes learn (truth). Black is 0, white is 1. One training a row."
    )
    alt = f"{plural(len(order), 'row')} of grey matrices that come to resemble the last one as L grows."
    return Picture("icassp_fig2", figure, caption, alt)


def _draw_curves(
    axes: Axes, coded: pd.DataFrame, families: pd.DataFrame, everyone: pd.DataFrame, shares: list[float]
) -> None:
    variants: dict[str, list[str]] = {system: [] for system in MARKERS}
    for _, family in families.iterrows():
        curve = at(coded, family).sort_values("n_bits")
        system, name = family["system"], system_name(family, everyone)
        if name not in variants[system]:
            variants[system].append(name)
        place = variants[system].index(name) % len(MARKERS[system])
        colour, marker = COLOURS[system][place], MARKERS[system][place]
        stroke, filled = SHARES[shares.index(family["rho"]) % len(SHARES)]
        axes.plot(
            curve["n_bits"],
            curve["sdr"],
            color=colour,
            linestyle=stroke,
            marker=marker,
            markerfacecolor=colour if filled else "white",
            label=f"{name}, ρ = {family['rho']:g}",
        )
        spread = curve["sdr_std"].fillna(0.0)
        axes.fill_between(
            curve["n_bits"],
            curve["sdr"] - spread,
            curve["sdr"] + spread,
            color=colour,
            alpha=0.18,
            linewidth=0,
        )


def _draw_knn(axes: Axes, rows: pd.DataFrame, shares: list[float], *, largest: int) -> None:
    for _, row in rows.sort_values("rho", ascending=False).iterrows():
        stroke = ((0, (8, 2)), (0, (1, 1.2)), "-.", ":")[shares.index(row["rho"]) % 4]
        axes.plot(
            [0, largest],
            [row["sdr"]] * 2,
            color=BLACK,
            linewidth=1.1,
            linestyle=stroke,
            label=f"KNN, ρ = {row['rho']:g}",
        )


def _draw_references(axes: Axes, rows: pd.DataFrame) -> None:
    for system, (label, side, offset) in REFERENCES.items():
        value = at(rows, system=system)["sdr"]
        if len(value):
            axes.axhline(value.iloc[0], color=GREY, linewidth=0.8)
            axes.annotate(
                label,
                (1, value.iloc[0]),
                xycoords=("axes fraction", "data"),
                xytext=(-2, offset),
                textcoords="offset points",
                ha="right",
                va=side,
                fontsize=7.5,
                color="#555555",
            )


def _shares_text(shares: list[float]) -> str:
    return " and ".join(f"{100 * share:g} %" for share in shares)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _ends(coded: pd.DataFrame, families: pd.DataFrame) -> str:
    """Say in words where each curve ends."""
    parts = []
    for _, family in families.iterrows():
        last = at(coded, family).sort_values("n_bits").iloc[-1]
        parts.append(
            f"{system_name(family, families)}, {feature_name(family['feature'])}, ρ = {family['rho']:g}: "
            f"{last['sdr']:.2f} dB at {last['n_bits']} bits"
        )
    return "; ".join(parts) + "."
