"""What `blsh report --from` makes of the published runs, file by file."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from blsh.files.checksums import sha256_of_file

__all__ = ["differing_files", "digests"]


def digests(root: Path) -> dict[str, dict[str, str]]:
    """Return the SHA-256 of every file that a report consists of, by published run and path."""
    record = {}
    for run in sorted(path for path in (root / "results/published").iterdir() if path.is_dir()):
        print(f"report of {run.name}", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            report = [sys.executable, "-m", "blsh", "report", "--from", str(run.relative_to(root)), "-o", folder]
            subprocess.run(report, cwd=root, check=True, stdout=subprocess.DEVNULL)
            files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
            record[run.name] = {path.relative_to(folder).as_posix(): sha256_of_file(path) for path in files}
    return record


def differing_files(found: dict[str, str], expected: dict[str, str]) -> list[str]:
    """Name the files that are missing, new, or other ones."""
    return [
        f"  {name}: {'missing' if name not in found else 'new' if name not in expected else 'differs'}"
        for name in sorted(found.keys() | expected.keys())
        if found.get(name) != expected.get(name)
    ]
