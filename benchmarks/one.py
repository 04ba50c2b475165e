"""Run one benchmark in this process and write its rows as JSON; `benchmarks.run` starts one process for each."""

from __future__ import annotations

import argparse
import importlib
import json
from dataclasses import asdict
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("output", type=Path)
    parser.add_argument("--small", action="store_true")
    arguments = parser.parse_args()
    rows = importlib.import_module(f"benchmarks.{arguments.name}").run(arguments.small)
    table = [asdict(row) | {"goal_met": row.goal_met} for row in rows]
    arguments.output.write_text(json.dumps(table), encoding="utf-8")


if __name__ == "__main__":
    main()
