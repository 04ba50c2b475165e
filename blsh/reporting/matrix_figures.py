"""Pictures of self-similarity: how much each frame is like each other one, for the codes and for their target.

`icassp_fig2`
    Codes of growing L, and the target (ICASSP 2020, Fig. 2), for both features.
`taslp_fig2`
    The same for STFT at L = 10, 50 and 300 (TASLP 2022, Fig. 2).
`taslp_fig5`
    Targets above, what all bits make of them below, for STFT, mel and two RBF kernels (TASLP 2022, Fig. 5). Each
    bit counts with its β, and the sum is divided by Σβ, without which it would not lie in [0, 1]; no text says so.
`article_ssm`
    1, 5 and 100 bits beside the target, and the weights of the pairs (the authors' web article).

Each returns a `Picture`, or None where the run has nothing to draw.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from blsh.reporting.figures import Picture, in_style, new_figure
from blsh.reporting.labels import feature_name, plural, target_name
from blsh.reporting.matrices import (
    ARTICLE_BITS,
    FIG5_MODELS,
    ICASSP_BITS,
    PAIR_WEIGHTS,
    TASLP_BITS,
    TRUTH,
    WEIGHTED,
    bits_of,
    matrices_of,
    models_of_matrices,
    pair_weights_of,
)
from blsh.reporting.summaries import Summaries

__all__ = ["article_ssm", "icassp_fig2", "taslp_fig2", "taslp_fig5"]

Panel = tuple[str, np.ndarray | None]


def icassp_fig2(summaries: Summaries) -> Picture | None:
    """Draw the codes of each feature, a row of panels for each model, the target last."""
    models = models_of_matrices(summaries.ssm)
    models = {key: own for key, own in models.items() if key[1] == "ssm"} or models
    bits = bits_of(list(models.values()), ICASSP_BITS)
    if not bits:
        return None
    grid = [
        [(f"{feature_name(key[0])}, {title}", own.get(kind)) for title, kind in _kinds(bits)]
        for key, own in sorted(models.items(), key=lambda item: (item[0][0] != "stft", item[0]))
    ]
    caption = (
        f"Self-similarity matrices of {_n_frames(grid)} frames that were not trained on: share of equal bits of their "
        f"BLSH codes for growing L, and the target that the codes learn (truth). {_GREYS}"
    )
    return _picture("icassp_fig2", grid, caption)


def taslp_fig2(summaries: Summaries) -> Picture | None:
    """Draw the STFT codes at the paper's L, the target last."""
    own = matrices_of(summaries.ssm, *FIG5_MODELS[0])
    bits = bits_of([own], TASLP_BITS)
    if not bits:
        return None
    grid = [[(title, own.get(kind)) for title, kind in _kinds(bits)]]
    caption = (
        f"Self-similarity matrices of {_n_frames(grid)} frames that were not trained on: share of equal bits of their "
        f"BLSH codes on STFT features, and the target (truth). {_GREYS}"
    )
    return _picture("taslp_fig2", grid, caption)


def taslp_fig5(summaries: Summaries) -> Picture | None:
    """Draw targets above and the β-weighted sum of all bits below, a column for each model."""
    found = [(key, matrices_of(summaries.ssm, *key)) for key in FIG5_MODELS]
    found = [(key, own) for key, own in found if WEIGHTED in own]
    if not found:
        return None
    names = [feature_name(feature) if target == "ssm" else target_name(target) for (feature, target), _ in found]
    grid = [
        [(f"{name}, target", own.get(TRUTH)) for name, (_, own) in zip(names, found, strict=True)],
        [(f"{name}, codes", own.get(WEIGHTED)) for name, (_, own) in zip(names, found, strict=True)],
    ]
    caption = (
        f"Targets of the training (upper row) and what the codes make of them (lower row) for {_n_frames(grid)} frames "
        "that were not trained on: the sum of the binary self-similarities of all bits, each weighted with its β, "
        f"divided by the sum of β. {_GREYS}"
    )
    return _picture("taslp_fig5", grid, caption)


def article_ssm(summaries: Summaries) -> Picture | None:
    """Draw the web article's pictures: few and many bits beside the target, and the weights of the pairs."""
    own = matrices_of(summaries.ssm, *FIG5_MODELS[0])
    bits = bits_of([own], ARTICLE_BITS)
    weights = pair_weights_of(own)
    if 1 not in bits and not weights:
        return None
    panels: list[Panel] = [("truth", own.get(TRUTH))]
    panels += [(f"{plural(n_bits, 'bit')}", own[f"bits_{n_bits}"]) for n_bits in bits]
    panels += [(f"pair weights, {plural(int(kind.removeprefix(PAIR_WEIGHTS)), 'bit')}", own[kind]) for kind in weights]
    caption = (
        f"What the web article shows, for {_n_frames([panels])} frames that were not trained on and STFT features: the "
        "target; the share of equal bits after a few and after many rounds; and the weights with which the next round "
        f"sees each pair, relative to the largest. {_GREYS}"
    )
    return _picture("article_ssm", [panels], caption)


_GREYS = "Black is 0, white is 1. One training each."


def _kinds(bits: Sequence[int]) -> list[tuple[str, str]]:
    return [*((f"L = {n_bits}", f"bits_{n_bits}") for n_bits in bits), ("truth", TRUTH)]


def _n_frames(grid: Sequence[Sequence[Panel]]) -> int:
    return max(len(matrix) for row in grid for _, matrix in row if matrix is not None)


@in_style
def _picture(name: str, grid: Sequence[Sequence[Panel]], caption: str) -> Picture:
    """Draw a grid of matrices (title, matrix) with one scale of grey."""
    n_columns = len(grid[0])
    figure, panels = new_figure(
        len(grid), n_columns, width=0.8 + 1.9 * n_columns, height=0.5 + 1.95 * len(grid), sharex=True, sharey=True
    )
    image = None
    for row, drawn in zip(panels, grid, strict=True):
        for axes, (title, matrix) in zip(row, drawn, strict=True):
            axes.grid(False)
            if matrix is None:
                axes.axis("off")
                continue
            size = len(matrix)
            extent = (0, size, size, 0)
            image = axes.imshow(matrix / 255, cmap="gray", vmin=0, vmax=1, interpolation="nearest", extent=extent)
            axes.set_title(title)
            axes.set_xticks([0, size])
            axes.set_yticks([0, size])
        row[0].set_ylabel("frame")
    for axes in panels[-1]:
        axes.set_xlabel("frame")
    bar = figure.colorbar(image, ax=[axes for row in panels for axes in row], shrink=0.8, aspect=30, pad=0.02)
    bar.set_label("similarity")
    bar.outline.set_visible(False)
    titles = ", ".join(title for row in grid for title, matrix in row if matrix is not None)
    return Picture(name, figure, caption, f"Grey matrices of the similarity of frames: {titles}.")
