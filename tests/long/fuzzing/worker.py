"""Run cases of one target in a process of its own: `python -m tests.long.fuzzing.worker JSON`.

The number of the case at hand stands in the file `at`, so whoever started this process knows which one killed it or
hangs. At the end the findings, the counts and the executed branches are written to `result.json` and `data.coverage`.
"""

from __future__ import annotations

import faulthandler
import json
import re
import shutil
import struct
import sys
import time
import traceback
import warnings
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import coverage
import numpy as np

PACKAGE = Path(__file__).resolve().parents[3] / "blsh"
WARM_UPS = 20
_LINE_MAX = 1000
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_OURS = (ValueError, TypeError)


def main(task: dict) -> None:
    """Run cases `first`, `first + 1`, … until `count` are done or `seconds` are over."""
    faulthandler.enable()
    folder = Path(task["folder"])
    measure = coverage.Coverage(
        data_file=str(folder / "data.coverage"),
        branch=True,
        include=[str(PACKAGE / module) for module in task["modules"]] or ["none"],
        config_file=False,
    )
    warnings.simplefilter("ignore")
    measure.start()
    from tests.long.fuzzing import guards
    from tests.long.fuzzing.targets import find

    target = find(task["target"])
    guard = guards.Guard(connects=target.connects)
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", ResourceWarning)  # raised where nobody can catch it
    result = {"cases": 0, "valid": 0, "refused": 0, "findings": [], "mutations": Counter()}
    at = open(folder / "at", "r+b", buffering=0)
    case_folder = folder / "case"
    # What is imported late, compiled kernels and libraries' threads are loaded by the first cases, until one of them is
    # read to its end; limits are set behind them.
    for warm_up in range(WARM_UPS):
        _, refused, _ = _run(target, guard, case_folder, case_rng(task["seed"], target.name, warm_up))
        if not refused:
            break
    guards.limit_memory()
    start_bytes, deadline = guards.peak_bytes(), time.monotonic() + task["seconds"]
    number = task["first"]
    while result["cases"] < task["count"] and (time.monotonic() < deadline or result["cases"] < task["least"]):
        at.seek(0)
        at.write(struct.pack("<q", number))
        mutation, refused, finding = _run(target, guard, case_folder, case_rng(task["seed"], target.name, number))
        result["cases"] += 1
        result["valid"] += not mutation.startswith("garbage")
        result["refused"] += refused
        result["mutations"][mutation.split(":")[0]] += 1
        if finding:
            result["findings"].append({"number": number, "mutation": mutation, "what": finding})
        number += 1
    result["growth_bytes"] = guards.peak_bytes() - start_bytes
    measure.stop()
    warnings.simplefilter("ignore")  # a target that executed nothing of its modules
    measure.save()
    data = measure.get_data()
    result["arcs"] = {str(Path(f).relative_to(PACKAGE)): data.arcs(f) for f in data.measured_files()}
    (folder / "result.json").write_text(json.dumps(result))


def case_rng(seed: int, target: str, number: int) -> np.random.Generator:
    """Return the generator from which everything of one case is drawn."""
    return np.random.default_rng([seed, zlib.crc32(target.encode()), number])


def _run(target, guard, folder: Path, rng: np.random.Generator) -> tuple[str, bool, str]:
    """Return the mutation, whether it was refused, and what was wrong with the reader, or ''."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    mutation = target.write(rng, folder)
    guard.seen.clear()
    guard.watched = folder
    refused, finding = False, ""
    try:
        target.read(folder)
    except Exception as error:  # the whole point: anything may come
        refused = True
        finding = complaint(error, (str(folder), *target.subjects))
    finally:
        guard.watched = None
    if guard.seen:
        finding = f"did {'; '.join(guard.seen[:3])} {finding}"
    return mutation, refused, finding


def complaint(error: Exception, subjects: Sequence[str]) -> str:
    """Say why an exception is not a clear line of ours about one of the subjects, or ''."""
    text = " ".join(str(error).splitlines())[:300]
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    name = type(error).__name__
    if isinstance(error, AssertionError):
        return f"accepted, but {text} ({where})"
    if not (type(error) in _OURS or isinstance(error, OSError)):
        return f"{name}: {text} ({where})"
    if not Path(frames[-1].filename).is_relative_to(PACKAGE):
        return f"{name} that is not ours: {text} ({where})"
    line = str(error)
    if _UNPRINTABLE.search(line):
        return f"{name} of several lines or with control characters: {line[:300]!r} ({where})"
    if len(line) > _LINE_MAX:
        return f"{name} of {len(line)} characters: {text} ({where})"
    if not any(subject in line for subject in subjects):
        return f"{name} that names no file: {text} ({where})"
    return ""


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
