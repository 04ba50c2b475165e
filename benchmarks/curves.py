"""Cost of the Hamming search over the dictionary's frames N, the code length L and the number of queries.

One of the three varies at a time. The peer is faiss in its fastest setting for each point; without it ours is measured
alone. `draw` makes the picture from the table of results.
"""

from __future__ import annotations

import math
from pathlib import Path

import numba
import numpy as np
import pandas as pd

from benchmarks.hamming_peers import best_faiss_search
from benchmarks.inputs import draw_codes
from benchmarks.measuring import Contender, Row, compare, compare_rows
from benchmarks.peers import module_is_missing
from blsh.hashing.search import hamming_index, hamming_neighbours
from blsh.reporting.figures import Axes, NullFormatter, in_plain_style, new_figure

NAME = "curves"
K = 10
N_FRAMES, N_BITS, N_QUERIES = 245_396, 300, 1024
_PANELS = {
    "n_frames": ("cost over N", "dictionary frames N"),
    "n_bits": ("cost over L", "bits L"),
    "n_queries": ("cost over queries", "queries"),
}
_PEER = "faiss IndexBinaryFlat"


def run(small: bool) -> list[Row]:
    standard = {"n_frames": N_FRAMES, "n_bits": N_BITS, "n_queries": N_QUERIES}
    varied = {
        "n_frames": (15_625, 31_250, 62_500, 125_000, 250_000, 500_000, 1_000_000),
        "n_bits": (10, 25, 50, 64, 100, 150, 200, 300, 400, 512),
        "n_queries": (1, 4, 16, 64, 256, 1024, 4096),
    }
    repeats = 5
    if small:
        standard, repeats = {"n_frames": 1000, "n_bits": 64, "n_queries": 16}, 1
        varied = {"n_frames": (500, 1000), "n_bits": (20, 64), "n_queries": (1, 16)}
    return [
        _measure(_PANELS[name][0], standard | {name: value}, repeats)
        for name, values in varied.items()
        for value in values
    ]


@in_plain_style
def draw(results: pd.DataFrame, path: Path) -> None:
    """Draw milliseconds over N, L and queries, both axes logarithmic, one panel each."""
    points = results[results["benchmark"] == NAME]
    figure, [axes] = new_figure(1, 3, width=10, height=3.4)
    for panel, (name, (work, label)) in zip(axes, _PANELS.items(), strict=True):
        chosen = points[points["work"] == work].sort_values(name)
        panel.loglog(chosen[name], chosen["ours_ms"], "o-", color="black", label="blsh")
        if chosen["peer_ms"].notna().any():
            panel.loglog(chosen[name], chosen["peer_ms"], "s--", color="0.5", mfc="white", label=_PEER)
        fixed = [f"{chosen[key].iloc[0]:,} {key[2:]}" for key in _PANELS if key != name]
        panel.set(xlabel=label, title=", ".join(fixed))
        finish_panel(panel)
    axes[0].set_ylabel("milliseconds")
    axes[0].legend(frameon=False)
    figure.savefig(path, dpi=150)


def finish_panel(panel: Axes) -> None:
    """Let the upright axis span whole powers of ten, and label no other numbers on either logarithmic axis."""
    low, high = (math.log10(limit) for limit in panel.dataLim.intervaly)
    panel.set_ylim(10 ** math.floor(low), 10 ** math.ceil(high))
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_minor_formatter(NullFormatter())
    panel.grid(True, which="major", color="0.85", linewidth=0.6)
    panel.title.set_fontsize("medium")


def _measure(work: str, sizes: dict[str, int], repeats: int) -> Row:
    dictionary, queries = draw_codes(
        "random", (sizes["n_frames"], sizes["n_queries"]), sizes["n_bits"], np.random.default_rng(0)
    )
    index = hamming_index(dictionary)
    found = hamming_neighbours(queries, index, K)
    ours = Contender("ours", lambda: hamming_neighbours(queries, index, K))
    if module_is_missing("faiss"):
        seconds = compare([ours], repeats)["ours"].seconds
        return Row(NAME, work, _PEER, ours_ms=1e3 * seconds, repeats=repeats, note="peer not installed", **sizes)
    theirs, form = best_faiss_search(queries, dictionary, K, numba.get_num_threads())
    np.testing.assert_array_equal(found.scores, theirs())
    return compare_rows(NAME, work, ours, [(Contender(_PEER, theirs), math.nan)], repeats, note=form, **sizes)[0]
