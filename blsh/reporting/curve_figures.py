"""Scores over the number of bits.

`icassp_fig3`
    SDR on the open set: LSH against BLSH, ρ = 0.1 and 0.01 in one panel (ICASSP 2020, Fig. 3).
`taslp_fig3`
    ΔSDR, a panel for each feature and ρ, with raw-feature KNN as a line (TASLP 2022, Fig. 3 a–d).
`taslp_fig4`
    ΔSDR of BLSH by the target of its training, a panel for each ρ (TASLP 2022, Fig. 4 a, b).

Each returns a `Picture`, or None where the run has nothing to draw.
"""

from __future__ import annotations

import pandas as pd

from blsh.reporting.cells import at, main_snr, plain
from blsh.reporting.curves import (
    BLSH_LINE,
    LSH_LINE,
    RBF_LINES,
    draw_curve,
    draw_level,
    draw_references,
    ends_of,
    share_strokes,
)
from blsh.reporting.figures import BLACK, Axes, Picture, in_style, legend_below, new_figure
from blsh.reporting.labels import capitalised, describe_data, families_of, feature_name, plural, target_name
from blsh.reporting.summaries import Summaries

__all__ = ["icassp_fig3", "taslp_fig3", "taslp_fig4"]

SET = "open"
LINES = {"lsh": LSH_LINE, "blsh": BLSH_LINE}
NAMES = {"lsh": "LSH", "blsh": "BLSH"}


@in_style
def icassp_fig3(summaries: Summaries) -> Picture | None:
    """Draw SDR over L, one panel for each feature."""
    rows = _open_rows(summaries)
    coded = _coded(plain(rows))
    if len(coded) == 0:
        return None
    features, shares = _axes_of(coded)
    figure, [panels] = new_figure(1, len(features), width=0.9 + 3.6 * len(features), height=3.9, sharey=True)
    for axes, feature in zip(panels, features, strict=True):
        for _, family in families_of(coded[coded["feature"] == feature]).iterrows():
            line = LINES[family["system"]].with_stroke(share_strokes(shares)[family["rho"]])
            curve = at(coded, family)
            draw_curve(axes, curve, "sdr", line, f"{_name(family, coded)}, ρ = {family['rho']:g}")
        for _, knn in at(rows, system="knn", feature=feature).sort_values("rho", ascending=False).iterrows():
            stroke = ((0, (8, 2)), (0, (1, 1.2)), "-.", ":")[shares.index(knn["rho"]) % 4]
            draw_level(axes, knn["sdr"], stroke, BLACK, f"KNN, ρ = {knn['rho']:g}")
        draw_references(axes, rows, "sdr")
        _label(axes, f"{feature_name(feature)} features", coded)
    panels[0].set_ylabel("SDR (dB)")
    legend_below(figure, panels, n_columns=3)
    caption = (
        f"SDR over the number of bits on the {SET} set (0 dB mixtures), for dictionaries of {_shares_text(shares)} of "
        f"the training frames. {_spread_text(coded)} Horizontal lines: nearest neighbours of the raw features, the "
        f"constant mask and the unprocessed mixture. {_data_text(summaries)}"
    )
    alt = f"Line chart of SDR over the number of bits. {ends_of(coded, 'sdr')}"
    return Picture("icassp_fig3", figure, caption, alt)


@in_style
def taslp_fig3(summaries: Summaries) -> Picture | None:
    """Draw ΔSDR over L in the paper's four panels: STFT and mel, 10 % and 1 % of the frames."""
    rows = _open_rows(summaries)
    coded = _coded(plain(rows))
    if len(coded) == 0:
        return None
    features, shares = _axes_of(coded)
    figure, grid = new_figure(
        len(shares),
        len(features),
        width=0.9 + 3.3 * len(features),
        height=0.9 + 2.7 * len(shares),
        sharex=True,
        sharey=True,
    )
    panels = [axes for row in grid for axes in row]
    places = [(share, feature) for share in shares for feature in features]
    for letter, axes, (share, feature) in zip("abcdefgh", panels, places, strict=False):
        own = coded[(coded["feature"] == feature) & (coded["rho"] == share)]
        for _, family in families_of(own).iterrows():
            draw_curve(axes, at(own, family), "delta_sdr", LINES[family["system"]], _name(family, coded))
        for _, knn in at(rows, system="knn", feature=feature, rho=share).iterrows():
            draw_level(axes, knn["delta_sdr"], "-", BLACK, "KNN")
        draw_references(axes, rows, "delta_sdr")
        _label(axes, f"({letter}) {feature_name(feature)}, ρ = {share:g}", coded)
    for row in grid:
        row[0].set_ylabel("ΔSDR (dB)")
    for axes in panels[: -len(features)]:
        axes.set_xlabel("")
    legend_below(figure, panels, n_columns=4)
    caption = (
        f"Improvement of SDR over the mixture against the number of bits on the {SET} set (0 dB mixtures), for both "
        f"features and for dictionaries of {_shares_text(shares)} of the training frames. {_spread_text(coded)} KNN "
        "searches the raw features and has no bits; the constant mask and the mixture are grey. "
        f"{_data_text(summaries)}"
    )
    alt = f"Line charts of the improvement of SDR over the number of bits. {ends_of(coded, 'delta_sdr')}"
    return Picture("taslp_fig3", figure, caption, alt)


@in_style
def taslp_fig4(summaries: Summaries) -> Picture | None:
    """Draw ΔSDR over L of BLSH on STFT features for the target SSM and for RBF kernels."""
    rows = _open_rows(summaries)
    coded = _coded(rows[(rows["system"] == "blsh") & (rows["variant"] == "") & (rows["feature"] == "stft")])
    targets = [target for target in RBF_LINES if target in set(coded["target"])]
    if not any(target.startswith("rbf") for target in targets):
        return None
    coded = coded[coded["target"].isin(targets)]
    _, shares = _axes_of(coded)
    figure, [panels] = new_figure(1, len(shares), width=0.9 + 3.6 * len(shares), height=3.6, sharey=True)
    for letter, axes, share in zip("abcd", panels, shares, strict=False):
        for target in targets:
            for _, family in families_of(at(coded, target=target, rho=share)).iterrows():
                draw_curve(axes, at(coded, family), "delta_sdr", RBF_LINES[target], target_name(target))
        draw_references(axes, rows, "delta_sdr")
        _label(axes, f"({letter}) ρ = {share:g}", coded)
    panels[0].set_ylabel("ΔSDR (dB)")
    legend_below(figure, panels, n_columns=4)
    caption = (
        f"Improvement of SDR over the mixture on the {SET} set (0 dB mixtures) for BLSH on STFT features, by the "
        "target of its training: the self-similarity of the features (SSM) or RBF kernels of width σ². "
        f"{_spread_text(coded)} {_data_text(summaries)}"
    )
    alt = f"Line charts of the improvement of SDR over the number of bits. {ends_of(coded, 'delta_sdr')}"
    return Picture("taslp_fig4", figure, caption, alt)


def _open_rows(summaries: Summaries) -> pd.DataFrame:
    return at(summaries.aggregated, set=SET, by="all", snr_db=main_snr(summaries.aggregated, SET))


def _coded(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["system"].isin(LINES) & (rows["n_bits"] > 0) & rows["sdr"].notna()]


def _axes_of(coded: pd.DataFrame) -> tuple[list[str], list[float]]:
    """Return the features, STFT first, and the shares ρ, the largest first."""
    features = sorted(set(coded["feature"]), key=lambda feature: (feature != "stft", feature))
    return features, sorted(set(coded["rho"]), reverse=True)


def _name(family: pd.Series, coded: pd.DataFrame) -> str:
    """Name a curve, with the profile only where the run has several."""
    profiles = set(coded["profile"]) - {""}
    return NAMES[family["system"]] + (f" {family['profile']}" if family["profile"] and len(profiles) > 1 else "")


def _label(axes: Axes, title: str, coded: pd.DataFrame) -> None:
    axes.set_title(title)
    axes.set_xlabel("number of bits, L")
    axes.set_xlim(left=-0.02 * float(coded["n_bits"].max()))


def _shares_text(shares: list[float]) -> str:
    return " and ".join(f"{100 * share:g} %" for share in shares)


def _spread_text(coded: pd.DataFrame) -> str:
    n_repeats = plural(int(coded["n_repeats"].max()), "repeat")
    return f"Lines: mean over utterances, weighted by length; shades: standard deviation over {n_repeats}."


def _data_text(summaries: Summaries) -> str:
    return capitalised(describe_data(summaries.sets, [SET]))
