"""The result files of the smoke run, made with this checkout and with another commit, on this machine."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.long.micro import differences as differing
from tests.long.micro import result_files, run

__all__ = ["differences"]

_PRESET = "tests/workflow/tiny.yaml"
_CODE = ("Snakefile", "environment.yml", "workflow", "config", "profiles", "blsh", "tests/workflow")
# It names the commit.
_OF_COMMIT = "tiny/provenance.json"


def differences(root: Path, commit: str | None) -> list[str]:
    """Run the smoke run with both, and name the result files that are not byte for byte the same."""
    commit = commit or ("HEAD" if _git(root, "status", "--porcelain").strip() else "HEAD~1")
    folder = root / "build/golden"
    shutil.rmtree(folder, ignore_errors=True)
    here, there = folder / "here", folder / "there"
    for name in _CODE:
        copy = shutil.copytree if (root / name).is_dir() else shutil.copy2
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        copy(root / name, here / name)
    there.mkdir()
    archive = subprocess.run(["git", "-C", str(root), "archive", commit], check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", str(there)], check=True, input=archive)
    found = []
    for workspace in (there, here):
        print(f"smoke run of {workspace.name}", file=sys.stderr, flush=True)
        run(workspace, [sys.executable, "-m", "blsh", "run", "--configfile", _PRESET, "--cores", "2"])
        found.append(result_files(workspace, "tiny"))
    changed = [name for name in differing(found[1], found[0]) if name != _OF_COMMIT]
    return [f"results of tiny against {commit}:", *(f"  {name}: differs" for name in changed)] if changed else []


def _git(root: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", str(root), *words], check=True, capture_output=True, text=True).stdout
