"""Compare two experiments: the configuration keys that differ, and the difference of every table cell.

The interval beside a difference is 95 % of a bootstrap over speakers and utterances, paired where both runs scored
the same mixtures.
"""

import argparse
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from blsh.reporting.comparison import compare
from blsh.reporting.scores import METRICS
from blsh.reporting.summaries import Summaries, read_summaries, run_folder

EXAMPLE = "blsh compare results/demo results/mine --metric sdr"
# Columns that one run does not vary, with a neutral value: two runs that differ in them still have the same cells.
NEUTRAL = {"profile": "", "n_neighbours": 0}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("first", type=Path, help="folder of results")
    parser.add_argument("second", type=Path, help="folder of results")
    parser.add_argument(
        "--metric", nargs="+", choices=METRICS, default=["sdr"], help="metrics to compare (default: sdr)"
    )


def run(arguments: argparse.Namespace) -> None:
    """Print both lists."""
    folders = (run_folder(arguments.first), run_folder(arguments.second))
    first, second = (_comparable(read_summaries(folder / "summaries")) for folder in folders)
    configs = [_config(folder / "provenance.json") for folder in folders]
    print(f"configuration keys that differ ({arguments.first} | {arguments.second}):")
    differing = [key for key in sorted({*configs[0], *configs[1]}) if configs[0].get(key) != configs[1].get(key)]
    for key in differing:
        print(f"  {key}: {configs[0].get(key, '(none)')} | {configs[1].get(key, '(none)')}")
    if not differing:
        print("  none")
    table = compare(first, second, metrics=arguments.metric, rng=np.random.default_rng(0))
    if table.empty:
        print("no cell is in both; compare runs with a common set, system, feature, rho and code length")
        return
    columns = [
        "set",
        "system",
        "variant",
        "feature",
        "target",
        "rho",
        "n_bits",
        "metric",
        "a",
        "b",
        "difference",
        "low",
        "high",
    ]
    print("cells of the tables (difference = second - first, with its 95 % interval):")
    print(table[[*columns, "paired", "n_mixtures"]].to_string(index=False, float_format=lambda value: f"{value:.3f}"))


def _comparable(summaries: Summaries) -> Summaries:
    rows = summaries.utterances
    for column, neutral in NEUTRAL.items():
        if len(set(rows[column]) - {neutral}) <= 1:
            rows = rows.assign(**{column: neutral})
    return replace(summaries, utterances=rows)


def _config(path: Path) -> dict[str, object]:
    """Return the configuration as dotted keys; empty where it is not recorded."""
    if not path.is_file():
        return {}
    flat: dict[str, object] = {}

    def walk(value: object, key: str) -> None:
        if isinstance(value, Mapping) and value:
            for name, part in value.items():
                walk(part, f"{key}.{name}" if key else name)
        else:
            flat[key] = value

    walk(json.loads(path.read_text(encoding="utf-8")).get("config", {}), "")
    return flat
