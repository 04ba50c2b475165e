"""How the work grows: with processors, shards, dictionary, repeats and training frames.

docs/scaling.md says what follows; `curves` has the cost of a search over N, L and queries. Where a row has a peer, it
is the same work of ours in one piece or on one thread, and the ratio is the speed-up. The page's figure is drawn from
the results of both:

    python -m benchmarks.run curves scaling
    python -m benchmarks.scaling results/benchmarks.csv docs/images/scaling.png

processors
    A search, a sweep of the papers' grid, the encoding of frames and a boosting round, on one thread and on all; first
    arithmetic in registers alone, whose speed-up is what the machine has to give: 2 on two cores, little more than 1
    where two processors are the two threads of one core.
shards
    The neighbours of 1, 4, 16 and 64 consecutive parts of a dictionary, merged, against those of the whole.
dictionary
    A search of 64 queries in up to ten million codes.
repeat
    What every further dictionary of an experiment costs before its first search: codes and index.
training
    `boost` on more and more frames: the first round, before which all frames are looked at, and a later one. Features
    have the width of `mel`.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numba
import numpy as np
import pandas as pd

from benchmarks.curves import finish_panel
from benchmarks.inputs import draw_codes, draw_features
from benchmarks.measuring import Contender, Row, compare, compare_rows
from benchmarks.sweep import GRID
from blsh.hashing.boosting import boost, boost_round
from blsh.hashing.codes import Codes
from blsh.hashing.initialisation import draw_start
from blsh.hashing.merging import merge_neighbours
from blsh.hashing.profiles import PROFILES
from blsh.hashing.projections import encode, random_projections
from blsh.hashing.search import hamming_index, hamming_neighbours, hamming_sweep
from blsh.hashing.segments import Segment
from blsh.hashing.similarity import ssm
from blsh.reporting.figures import in_plain_style, new_figure
from blsh.signal.spectra import N_BINS, N_MELS

NAME = "scaling"
N_BITS, K = 300, 10
N_SHARDS = (1, 4, 16, 64)
SHARDED = "top-{} of {} shards, merged"
LARGE = "top-{} in a large dictionary"
FIRST_ROUND, LATER_ROUND = "training: the first round, with preparations", "training: a later round"


def run(small: bool) -> list[Row]:
    rows = [*_over_processors(small), *_over_shards(small)]
    for n_frames in (1000, 2000) if small else (625_000, 2_500_000, 10_000_000):
        rows.append(_dictionary(n_frames, 1 if small else 3))
    rows.append(_repeat(small))
    sizes = (300, 600) if small else (50_000, 200_000, 800_000)
    list(_training(sizes[0], small))  # loads what is compiled
    return rows + [row for n_frames in sizes for row in _training(n_frames, small)]


@in_plain_style
def draw(results: pd.DataFrame, path: Path) -> None:
    """Draw milliseconds over what grows, one panel each."""
    points = results.set_index("work")
    figure, (above, below) = new_figure(2, 3, width=10, height=6)
    for panel, (column, work, label) in zip(
        above,
        (
            ("n_frames", "cost over N", "dictionary frames N"),
            ("n_bits", "cost over L", "bits L"),
            ("n_queries", "cost over queries", "queries"),
        ),
        strict=True,
    ):
        panel.loglog(points.loc[work, column], points.loc[work, "ours_ms"], "o-", color="black")
        panel.set(xlabel=label, title=work.replace("cost", "a search"))
    large = points.loc[LARGE.format(K)]
    below[0].loglog(large["n_frames"], large["ours_ms"] / large["n_queries"], "o-", color="black")
    below[0].set(xlabel="dictionary frames N", title="one query, large dictionaries")
    merged = points.loc[[SHARDED.format(K, n_shards) for n_shards in N_SHARDS]]
    below[1].loglog(N_SHARDS, merged["ours_ms"], "o-", color="black", label="shards, merged")
    below[1].loglog(N_SHARDS, merged["peer_ms"], "s--", color="0.5", mfc="white", label="in one piece")
    below[1].set(xlabel="shards", title="a search in shards, on one machine")
    for work, label, style, color in (
        (FIRST_ROUND, "first round", "s--", "0.5"),
        (LATER_ROUND, "later round", "o-", "black"),
    ):
        rounds = points.loc[work]
        below[2].loglog(rounds["n_frames"], rounds["ours_ms"], style, color=color, label=label)
    below[2].set(xlabel="training frames T", title="training, mel, 40 segments")
    for panel in (*above, *below):
        finish_panel(panel)
        if panel.get_legend_handles_labels()[0]:
            panel.legend(frameon=False)
    for panel in (above[0], below[0]):
        panel.set_ylabel("milliseconds")
    figure.savefig(path, dpi=120)


def _over_processors(small: bool) -> Iterator[Row]:
    rng = np.random.default_rng(0)
    n_frames, n_queries, n_encoded, n_segments = (2000, 16, 300, 2) if small else (245_396, 1024, 20_000, 40)
    repeats = 1 if small else 5
    yield _speed_up("arithmetic in registers", lambda: _multiply_and_add(1000 if small else 5_000_000), repeats)
    dictionary, queries = draw_codes("random", (n_frames, n_queries), N_BITS, rng)
    index, swept = hamming_index(dictionary), hamming_index(dictionary, GRID)
    sizes = {"n_frames": n_frames, "n_bits": N_BITS, "n_queries": n_queries}
    yield _speed_up(f"top-{K}", lambda: hamming_neighbours(queries, index, K), repeats, **sizes)
    sweep = f"top-{K} at {len(GRID)} code lengths"
    yield _speed_up(sweep, lambda: hamming_sweep(queries, swept, K, GRID), repeats, **sizes)
    frames, projections = draw_features(n_encoded, N_BINS, rng), random_projections(N_BITS, N_BINS, rng=rng)
    codes = "codes of frames"
    yield _speed_up(codes, lambda: encode(frames, projections), repeats, n_frames=n_encoded, n_bits=N_BITS)
    for done in (0, 5) if small else (0, 150, 299):
        call = _round(n_segments, 60 if small else 1000, done, rng)
        yield _speed_up(f"round {done + 1} of training on {n_segments} segments", call, repeats, n_bits=done + 1)


def _speed_up(work: str, call: Callable[[], object], repeats: int, **columns) -> Row:
    """Compare a work on all threads with the same on one."""
    n_threads = numba.get_num_threads()

    def on_one_thread():
        numba.set_num_threads(1)
        try:
            call()
        finally:
            numba.set_num_threads(n_threads)

    call()
    ours, one = Contender("ours", call, blas_threads=1), Contender("one thread", on_one_thread, blas_threads=1)
    return compare_rows(NAME, f"{work}, {n_threads} threads", ours, [(one, math.nan)], repeats, **columns)[0]


def _over_shards(small: bool) -> Iterator[Row]:
    n_frames, n_queries = (2000, 16) if small else (245_396, 1024)
    dictionary, queries = draw_codes("random", (n_frames, n_queries), N_BITS, np.random.default_rng(0))
    for n_shards in N_SHARDS:
        yield from _shards(dictionary, queries, n_shards, 1 if small else 5)


def _shards(dictionary: Codes, queries: Codes, n_shards: int, repeats: int) -> list[Row]:
    """Compare the search of all shards, one after another, with that of the whole; and time the merge alone."""
    parts = np.array_split(dictionary.words, n_shards)
    indices, lengths = [hamming_index(Codes(part, N_BITS)) for part in parts], [len(part) for part in parts]
    whole = hamming_index(dictionary)

    def search():
        return [hamming_neighbours(queries, index, K) for index in indices]

    found = search()
    expected = hamming_neighbours(queries, whole, K)
    np.testing.assert_array_equal(merge_neighbours(found, lengths, K).indices, expected.indices)
    ours = Contender("ours", lambda: merge_neighbours(search(), lengths, K))
    in_one_piece = Contender("in one piece", lambda: hamming_neighbours(queries, whole, K))
    columns = {"n_frames": len(dictionary), "n_bits": N_BITS, "n_queries": len(queries)}
    merge = compare([Contender("ours", lambda: merge_neighbours(found, lengths, K))], repeats)["ours"]
    return [
        *compare_rows(NAME, SHARDED.format(K, n_shards), ours, [(in_one_piece, math.nan)], repeats, **columns),
        Row(NAME, f"merge of {n_shards} shards' neighbours", "", ours_ms=1e3 * merge.seconds, **columns),
    ]


def _dictionary(n_frames: int, repeats: int) -> Row:
    dictionary, queries = draw_codes("random", (n_frames, 64), N_BITS, np.random.default_rng(0))
    index = hamming_index(dictionary)
    hamming_neighbours(queries, index, K)
    timing = compare([Contender("ours", lambda: hamming_neighbours(queries, index, K))], repeats)["ours"]
    return Row(
        NAME,
        LARGE.format(K),
        "",
        ours_ms=1e3 * timing.seconds,
        gwords_per_s=n_frames * len(queries) * dictionary.words.shape[1] / timing.seconds / 1e9,
        ours_peak_mb=timing.peak_mb,
        n_frames=n_frames,
        n_bits=N_BITS,
        n_queries=len(queries),
        note=f"codes {dictionary.words.nbytes / 1e6:.0f} MB, index {index.blocks.nbytes / 1e6:.0f} MB",
    )


def _repeat(small: bool) -> Row:
    n_frames, repeats = (2000, 1) if small else (49_079, 3)  # a fiftieth of the papers' frames; the cost is linear
    rng = np.random.default_rng(0)
    frames, projections = draw_features(n_frames, N_BINS, rng), random_projections(N_BITS, N_BINS, rng=rng)
    hamming_index(encode(frames, projections))
    timing = compare([Contender("ours", lambda: hamming_index(encode(frames, projections)))], repeats)["ours"]
    return Row(
        NAME,
        "one more dictionary: codes and index",
        "",
        ours_ms=1e3 * timing.seconds,
        ours_peak_mb=timing.peak_mb,
        n_frames=n_frames,
        n_bits=N_BITS,
    )


def _training(n_frames: int, small: bool) -> Iterator[Row]:
    params = replace(PROFILES["project"], n_bits=12)
    if small:
        params = replace(params, n_bits=3, segment_frames=30, n_segments=3)
    features = draw_features(n_frames, N_MELS, np.random.default_rng(0))
    clock = [time.perf_counter()]
    boost(
        features,
        params,
        rng_for_round=lambda number: np.random.default_rng([0, number]),
        on_round=lambda _: clock.append(time.perf_counter()),
    )
    first, *others = np.diff(clock)
    for work, seconds in ((FIRST_ROUND, float(first)), (LATER_ROUND, float(np.median(others)))):
        yield Row(NAME, work, "", ours_ms=1e3 * seconds, n_frames=n_frames, note=f"{params.n_segments} segments")


@numba.njit(parallel=True)
def _multiply_and_add(n: int) -> np.ndarray:
    """Do n times eight independent multiplications and additions in each of four parts."""
    results = np.empty((4, 8))
    for part in numba.prange(4):
        a, b, c, d, e, f, g, h = 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7
        for _ in range(n):
            a, b, c, d = a * 0.999 + 1e-3, b * 0.999 + 1e-3, c * 0.999 + 1e-3, d * 0.999 + 1e-3
            e, f, g, h = e * 0.999 + 1e-3, f * 0.999 + 1e-3, g * 0.999 + 1e-3, h * 0.999 + 1e-3
        results[part] = (a, b, c, d, e, f, g, h)
    return results


def _round(n_segments: int, n: int, n_rounds: int, rng: np.random.Generator) -> Callable[[], object]:
    """Make a round of the profile `project`, after others whose codes and target SSMs are kept."""
    params = replace(PROFILES["project"], segment_frames=n)
    frames = draw_features(n_segments * n, N_BINS, rng).reshape(n_segments, n, N_BINS)
    codes = rng.choice(np.array([-1, 1], np.int8), (n_segments, n, n_rounds))
    segments = [Segment(rows, signs, ssm(rows)) for rows, signs in zip(frames, codes, strict=True)]
    start, matrices = draw_start(list(frames), params, rng=rng), np.empty((n_segments, n, n), np.float32)
    betas = np.linspace(0.5, 0.1, n_rounds)
    return lambda: boost_round(segments, betas, start, params, matrices=matrices, n_threads=numba.get_num_threads())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=draw.__doc__)
    parser.add_argument("results", type=Path, help="benchmarks.csv with the rows of curves and scaling")
    parser.add_argument("picture", type=Path)
    arguments = parser.parse_args()
    draw(pd.read_csv(arguments.results), arguments.picture)
