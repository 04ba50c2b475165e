"""The golden record: what a change of the code's form must leave as it is (`make golden`).

    python -m tests.golden [PART ...]              compare; 1 if anything differs
    python -m tests.golden --write jobs reports    write the record anew, in a commit that says why

Its parts:

``jobs``      all jobs of every preset, and of `every_key.yaml`: files, resources, every flag; equal on any machine
``reports``   tables, figures, scorecard and page that `blsh report --from` makes of the published runs; equal with the
              same lock file
``results``   the result files of the smoke run, against those of another commit made on the same machine: `--against`,
              by default HEAD where files have changed since, else the commit before it
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from pathlib import Path

from tests.golden import reports, results
from tests.golden.jobs import Jobs, differing_jobs, jobs_of

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).parent
PARTS = ("jobs", "reports", "results")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__.split("\n", 1)[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--write", action="store_true", help="write the record of these parts anew")
    parser.add_argument("--against", metavar="COMMIT", help="what the results are compared with")
    arguments = parser.parse_args(argv)
    parts = arguments.parts or PARTS
    if unknown := sorted(set(parts) - set(PARTS)):
        parser.error(f"part {unknown[0]!r} is unknown; choose from {', '.join(PARTS)}")
    lines = []
    for part in parts:
        if part == "results":
            lines += results.differences(ROOT, arguments.against)
        else:
            lines += _compare(part, write=arguments.write)
    print("\n".join(lines) if lines else f"golden: {', '.join(parts)} are as recorded")
    return bool(lines)


def _compare(part: str, *, write: bool) -> list[str]:
    found, differing = (_jobs(), differing_jobs) if part == "jobs" else (reports.digests(ROOT), reports.differing_files)
    # Packed: the jobs are three megabytes of much the same words.
    path = FOLDER / f"{part}.json.gz"
    expected = json.loads(gzip.decompress(path.read_bytes())) if path.is_file() else {}
    lines = []
    for name in sorted(found.keys() | expected.keys()):
        changed = differing(found.get(name, {}), expected.get(name, {}))
        lines += [f"{part} of {name}:", *changed] if changed else []
    if not write:
        return lines
    path.write_bytes(gzip.compress(json.dumps(found, indent=0, ensure_ascii=False).encode(), mtime=0))
    print(f"golden: {part} written anew; what changed:", *lines, sep="\n")
    return []


def _jobs() -> dict[str, Jobs]:
    presets = [*sorted((ROOT / "config").glob("*.yaml")), ROOT / "tests/workflow/tiny.yaml", FOLDER / "every_key.yaml"]
    record = {}
    for preset in presets:
        print(f"jobs of {preset.stem}", file=sys.stderr, flush=True)
        record[preset.stem] = jobs_of(ROOT, str(preset.relative_to(ROOT)))
    return record


if __name__ == "__main__":
    sys.exit(main())
