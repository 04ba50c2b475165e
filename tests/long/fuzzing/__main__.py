"""Fuzz every reader: `python -m tests.long.fuzzing --quiet-minutes 10 -o docs/fuzzing.md`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.long.fuzzing.campaign import run_campaign
from tests.long.fuzzing.tables_of_results import markdown
from tests.long.fuzzing.targets import MODULES, find


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.long.fuzzing", description=__doc__)
    parser.add_argument("targets", nargs="*", help=f"what to fuzz (default: all of {', '.join(MODULES)})")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quiet-minutes", type=float, default=10.0, help="stop after so long without a new branch")
    parser.add_argument("--max-minutes", type=float, default=float("inf"))
    parser.add_argument("--batch-seconds", type=float, default=10.0)
    parser.add_argument("-o", "--output", type=Path, help="where to write the table (Markdown)")
    arguments = parser.parse_args()
    tallies = run_campaign(
        [find(name) for name in arguments.targets or MODULES],
        seed=arguments.seed,
        quiet_seconds=60 * arguments.quiet_minutes,
        batch_seconds=arguments.batch_seconds,
        max_seconds=60 * arguments.max_minutes,
        say=lambda line: print(line, flush=True),
    )
    text = markdown(tallies, seed=arguments.seed)
    print(text)
    for tally in tallies:
        for mutation, count in sorted(tally.mutations.items()):
            print(f"{tally.target.name}: {mutation} {count}")
        for finding in tally.findings[:30]:
            print(f"FINDING {tally.target.name} {finding['number']} ({finding['mutation']}): {finding['what']}")
        for missing in tally.coverage[2]:
            print(f"not reached by {tally.target.name}: {missing}")
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")
    return any(tally.findings for tally in tallies)


if __name__ == "__main__":
    sys.exit(main())
