"""What an experiment was computed from and with: configuration, code, libraries, machine, data.

Nothing here changes from run to run on one machine, except where something that may change results did.
"""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from blsh import __version__
from blsh.files.checksums import sha256_of_file

__all__ = ["machine_facts", "provenance"]

LIBRARIES = (
    "llvmlite",
    "numba",
    "numpy",
    "pandas",
    "pesq",
    "pyarrow",
    "pydantic",
    "pystoi",
    "scipy",
    "snakemake",
    "soundfile",
    "soxr",
    "torch",
    "espeakng-loader",
)
# The features on which the kernels' code and the BLAS choose their paths.
CPU_FLAGS = (
    "sse4_2",
    "avx",
    "avx2",
    "fma",
    "popcnt",
    "avx512f",
    "avx512bw",
    "avx512_vpopcntdq",
    "asimd",
    "sve",
)
_CHECKOUT = Path(__file__).resolve().parents[2]
_THIS_FILE = "blsh/experiment/provenance.py"
_CODE = ("blsh", "workflow", "Snakefile")


def provenance(config: Mapping[str, Any], data_files: Mapping[str, Path]) -> dict[str, Any]:
    """Describe a run.

    Parameters
    ----------
    config
        The whole configuration as plain values; folders of this machine should be left out.
    data_files
        Name → file whose SHA-256 identifies the data: manifests and recipes.

    Returns
    -------
    dict
        JSON-ready: ``blsh``, ``git``, ``python``, ``libraries``, ``machine``, ``config``, ``data``.
    """
    return {
        "blsh": __version__,
        "git": _git(),
        "python": platform.python_version(),
        "libraries": {name: version for name in LIBRARIES if (version := _version(name))},
        "machine": machine_facts(),
        "config": dict(config),
        "data": {name: sha256_of_file(path) for name, path in sorted(data_files.items())},
    }


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _git() -> dict[str, Any]:
    """Return the commit of the running code and whether files differ from it; empty where no commit holds the code.

    A repository counts only where this checkout is its top: a source archive that was unpacked inside somebody's
    repository, or installed there, is no part of that repository's commit. Files of the package or the workflow that
    git does not know count as differences, because they may have been run.
    """
    try:
        prefix, commit, _ = _ask_git("rev-parse", "--show-prefix", "HEAD", f"HEAD:{_THIS_FILE}").split("\n", 2)
        if prefix:
            return {}
        changed = _ask_git("status", "--porcelain", "--untracked-files=no")
        changed += _ask_git("ls-files", "--others", "--exclude-standard", "--", *_CODE)
    except (OSError, subprocess.CalledProcessError):
        return {}
    return {"commit": commit, "modified": bool(changed)}


def _ask_git(*words: str) -> str:
    """Return what git says about this checkout, whatever the variables that a hook of another repository has set."""
    kept = {name: value for name, value in os.environ.items() if name[:4] != "GIT_" or name == "GIT_EXEC_PATH"}
    variables = kept | {"GIT_OPTIONAL_LOCKS": "0"}  # only look, write nothing
    # A checkout of another user (as in containers) is refused lest its settings run code; its code is running already.
    command = ["git", "-C", str(_CHECKOUT), "-c", "safe.directory=*", *words]
    done = subprocess.run(command, env=variables, capture_output=True, encoding="utf-8", errors="replace", check=True)
    return done.stdout


def machine_facts() -> dict[str, Any]:
    """Describe the machine: system, architecture, cores, and where they are known processor and its features."""
    facts: dict[str, Any] = {
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
    }
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return facts
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            facts["processor"] = value.strip()
        if key.strip() in ("flags", "Features"):
            present = set(value.split())
            facts["features"] = [flag for flag in CPU_FLAGS if flag in present]
            break
    return facts
