"""Measure blsh side by side with its peers: `make bench`, or `python -m benchmarks.run [NAME …]`.

Each benchmark is a process of its own, so that the thread pools of one peer do not disturb another, and within it both
sides run turn and turn about (``benchmarks.measuring``). The environment sets the number of threads (2) for numba,
OpenMP (faiss, torch) and BLAS before anything is imported; where a benchmark uses fewer, or tries both, it says so.

Writes benchmarks.csv, benchmarks.md and, with `curves`, benchmarks.png to the results folder: what was asked for, in
place of what was there.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

NAMES = ("search", "sweep", "training_round", "bss_scores", "denoising", "knn", "network", "curves", "scaling")
_THREAD_VARIABLES = (
    "NUMBA_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
_CPU_FEATURES = (
    "sse4_2",
    "popcnt",
    "avx2",
    "fma",
    "avx512f",
    "avx512bw",
    "avx512_bitalg",
    "avx512_vpopcntdq",
    "asimd",
    "sve",
)
_LIBRARIES = ("numpy", "numba", "torch", "faiss-cpu", "fast_bss_eval", "mir_eval")
_COLUMNS_OF_PAGE = {
    "work": "work",
    "peer": "peer",
    "ours_ms": "ours, ms",
    "peer_ms": "peer, ms",
    "ratio": "ratio",
    "goal_ratio": "goal of the ratio",
    "gwords_per_s": "10⁹ words/s",
    "share_of_limit": "share of the limit",
    "goal_share_of_limit": "goal of the share",
    "ours_peak_mb": "ours, peak MB",
    "peer_peak_mb": "peer, peak MB",
    "goal_peak_mb": "goal of the peak",
    "goal_met": "goal met",
    "note": "note",
}


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; default: all")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder to write to")
    parser.add_argument("--small", action="store_true", help="tiny sizes, to try the benchmarks; figures mean nothing")
    arguments = parser.parse_args(argv)
    names = arguments.names or list(NAMES)
    if unknown := [name for name in names if name not in NAMES]:
        parser.error(f"{unknown[0]} is no benchmark: choose of {', '.join(NAMES)}")
    if not 1 <= arguments.threads <= (os.cpu_count() or 1):
        parser.error(f"--threads {arguments.threads} must lie in 1…{os.cpu_count()}, this machine's processors")

    machine = describe_machine(arguments.threads)
    print(machine, flush=True)
    rows = []
    for name in names:
        new = _run_one(name, arguments.threads, arguments.small)
        for row in new:
            print(_line(row), flush=True)
        rows += new
        write_results(pd.DataFrame(rows), machine, arguments.results, small=arguments.small)


def describe_machine(n_threads: int) -> str:
    """Name the processor, its features that matter here, the number of threads and the libraries' versions."""
    model, features = platform.processor() or platform.machine(), ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        pairs = [line.split(":", 1) for line in cpuinfo.read_text(encoding="utf-8").splitlines() if ":" in line]
        facts = {key.strip(): value.strip() for key, value in reversed(pairs)}
        model = facts.get("model name", model)
        flags = (facts.get("flags") or facts.get("Features") or "").split()
        features = ", ".join(flag for flag in _CPU_FEATURES if flag in flags)
    versions = ", ".join(f"{library} {_version(library)}" for library in _LIBRARIES)
    used = f"{n_threads} of {os.cpu_count()} processors used"
    return f"CPU: {model}; features: {features or 'unknown'}; {used}; {versions}"


def write_results(table: pd.DataFrame, machine: str, folder: Path, *, small: bool) -> None:
    """Write the table as CSV and as a page, and the picture of the curves if they were measured."""
    from blsh.files.atomic import atomic_path, write_text

    with atomic_path(folder / "benchmarks.csv") as path:
        table.assign(machine=machine).to_csv(path, index=False, lineterminator="\n")
    with_picture = (table["benchmark"] == "curves").any()
    write_text(folder / "benchmarks.md", _page(table, machine, small=small, with_picture=with_picture))
    if with_picture:
        from benchmarks.curves import draw

        draw(table, folder / "benchmarks.png")


def _version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _run_one(name: str, n_threads: int, small: bool) -> list[dict]:
    environment = os.environ | dict.fromkeys(_THREAD_VARIABLES, str(n_threads))
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "rows.json"
        command = [sys.executable, "-m", "benchmarks.one", name, str(output), *(["--small"] if small else [])]
        subprocess.run(command, check=True, env=environment, cwd=Path(__file__).parents[1])
        return json.loads(output.read_text(encoding="utf-8"))


def _line(row: dict) -> str:
    cells = {key: _cell(value) for key, value in row.items()}
    parts = [f"{row['work']}:"]
    if cells["ours_ms"]:
        parts.append(f"{cells['ours_ms']} ms")
    if cells["peer_ms"]:
        parts.append(f"against {cells['peer_ms']} ms of {row['peer']}, ratio {cells['ratio']}")
    if cells["goal_ratio"]:
        parts.append(f"(goal {cells['goal_ratio']})")
    if cells["gwords_per_s"]:
        parts.append(f"{cells['gwords_per_s']} Gwords/s")
    if cells["share_of_limit"]:
        parts.append(f"= {cells['share_of_limit']} of the limit")
    if cells["ours_peak_mb"]:
        parts.append(f"peak {cells['ours_peak_mb']} MB")
    if row["goal_met"]:
        parts.append(f"goal met: {row['goal_met']}")
    if row["note"]:
        parts.append(f"[{row['note']}]")
    return " ".join(parts)


def _page(table: pd.DataFrame, machine: str, *, small: bool, with_picture: bool) -> str:
    lines = ["# Benchmarks", "", machine, ""]
    if small:
        lines += ["**Tiny sizes, to try the benchmarks: these figures mean nothing.**", ""]
    lines += [
        "Medians of interleaved runs; ratio = the peer's time over ours. Peak: growth of the process's memory during a"
        " call, where not said otherwise. The limit is the rate of exclusive or and population count in cache.",
        "",
    ]
    for benchmark, rows in table.groupby("benchmark", sort=False):
        used = [name for name in _COLUMNS_OF_PAGE if any(_cell(value) for value in rows[name])]
        sizes = [name for name in ("n_frames", "n_bits", "n_queries") if rows[name].any()]
        used[1:1] = sizes
        heads = [_COLUMNS_OF_PAGE.get(name, name) for name in used]
        lines += [f"## {benchmark}", "", f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
        lines += [f"| {' | '.join(_cell(row[name]) for name in used)} |" for row in rows.to_dict("records")]
        lines.append("")
    if with_picture:
        lines += ["![Cost of the search over N, L and queries](benchmarks.png)", ""]
    return "\n".join(lines)


def _cell(value: object) -> str:
    """Three significant digits; what does not apply is empty."""
    if isinstance(value, float):
        if pd.isna(value):
            return ""
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) and value else str(value or "")


if __name__ == "__main__":
    main()
