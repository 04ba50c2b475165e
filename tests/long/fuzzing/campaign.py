"""Many cases of many targets, each batch in a process that may hang, crash or eat memory.

A batch whose current case has taken `CPU_SECONDS` of the processor, or `WALL_SECONDS`, is killed and that case is a
finding; so is a case at which the process dies. The next batch goes on behind it.
"""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import coverage
import psutil

from tests.long.fuzzing.target import Target
from tests.long.fuzzing.worker import PACKAGE

ROOT = PACKAGE.parent
CPU_SECONDS = 5.0
WALL_SECONDS = 120.0
# So long a process may take to import all and to run a first case, which is then run again.
LOADING_SECONDS = 180.0
_POLL_SECONDS = 0.05
_LOADING = -1


@dataclass
class Tally:
    """What is known of one target so far."""

    target: Target
    cases: int = 0
    valid: int = 0
    refused: int = 0
    seconds: float = 0.0
    growth_bytes: int = 0
    mutations: Counter = field(default_factory=Counter)
    findings: list[dict] = field(default_factory=list)
    arcs: set = field(default_factory=set)
    data: list[Path] = field(default_factory=list)
    coverage: tuple[int, int, list[str]] = (0, 0, [])

    @property
    def next_number(self) -> int:
        return self.cases


def run_batch(tally: Tally, folder: Path, *, seed: int, count: int, seconds: float, least: int = 0) -> bool:
    """Run the target's next cases, `least` of them whatever the time; return whether a branch was new."""
    folder.mkdir(parents=True)
    started = time.monotonic()
    task = {
        "target": tally.target.name,
        "modules": sorted(tally.target.code),
        "seed": seed,
        "first": tally.next_number,
        "count": count,
        "seconds": seconds,
        "least": least,
        "folder": str(folder),
    }
    (folder / "at").write_bytes(struct.pack("<q", _LOADING))
    with open(folder / "log", "wb") as log:
        command = [sys.executable, "-m", "tests.long.fuzzing.worker", json.dumps(task)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        hung = _watch(process, folder / "at")
    tally.seconds += time.monotonic() - started
    if hung or process.returncode:
        number = max(_current(folder / "at"), tally.next_number)
        what = "hangs" if hung else f"ended the process with {process.returncode}{_last_words(folder / 'log')}"
        tally.findings.append({"number": number, "mutation": "?", "what": what})
        done = number + 1 - tally.next_number
        tally.cases += done
        tally.mutations["lost with their process"] += done
        shutil.rmtree(folder)
        return False
    result = json.loads((folder / "result.json").read_text())
    for name in ("cases", "valid", "refused"):
        setattr(tally, name, getattr(tally, name) + result[name])
    tally.growth_bytes = max(tally.growth_bytes, result["growth_bytes"])
    tally.mutations.update(result["mutations"])
    tally.findings += result["findings"]
    arcs = {(file, *arc) for file, pairs in result["arcs"].items() for arc in pairs}
    is_new = not arcs <= tally.arcs
    tally.arcs |= arcs
    if is_new:
        tally.data.append(folder / "data.coverage")
    shutil.rmtree(folder / "case", ignore_errors=True)
    return is_new


def _watch(process: subprocess.Popen, at: Path) -> bool:
    """Wait for the process to end; kill it, and return True, if one case takes too long."""
    number, cpu, since = _LOADING - 1, 0.0, time.monotonic()
    while process.poll() is None:
        time.sleep(_POLL_SECONDS)
        now = _current(at)
        try:
            running = psutil.Process(process.pid)
            used, is_stopped = sum(running.cpu_times()[:2]), running.status() == psutil.STATUS_STOPPED
        except psutil.Error:
            continue
        if now != number or is_stopped:  # a process that somebody has halted is not hanging
            number, cpu, since = now, used, time.monotonic()
        elif (
            used - cpu > (CPU_SECONDS if number != _LOADING else LOADING_SECONDS)
            or time.monotonic() - since > WALL_SECONDS
        ):
            process.kill()
            process.wait()
            return True
    return False


def _last_words(log: Path) -> str:
    """Return where a process died, as faulthandler (most recent call first) or a traceback (last) says."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines()]
    frames = [line for line in lines if line.startswith("File ")]
    is_traceback = any(line.startswith("Traceback") for line in lines)
    return "".join(f"; {line[:200]}" for line in [*frames[-1 if is_traceback else 0 :][:1], *lines[-1:]])


def _current(at: Path) -> int:
    content = at.read_bytes()
    return struct.unpack("<q", content)[0] if len(content) == 8 else _LOADING


def set_coverage(tallies: Sequence[Tally], scratch: Path) -> None:
    """Count the executed branches, all branches and the missing ones of the functions that read.

    A branch counts for every target whose module it is in, whichever target executed it.
    """
    data = [str(path) for tally in tallies for path in tally.data]
    modules = sorted({module for tally in tallies for module in tally.target.code})
    if not data:
        return
    measure = coverage.Coverage(data_file=str(scratch / "combined.coverage"), branch=True, config_file=False)
    measure.combine(data, keep=True)
    measure.json_report(outfile=str(scratch / "report.json"), include=[str(PACKAGE / module) for module in modules])
    files = json.loads((scratch / "report.json").read_text())["files"]
    functions = {str((ROOT / file).resolve().relative_to(PACKAGE)): parts["functions"] for file, parts in files.items()}
    for tally in tallies:
        done, total, missing = 0, 0, []
        for module, left_out in tally.target.code.items():
            for name, function in functions.get(module, {}).items():
                if name and name not in left_out:
                    done += function["summary"]["covered_branches"]
                    total += function["summary"]["num_branches"]
                    missing += [f"{module}:{name} {a}->{b}" for a, b in function["missing_branches"]]
        tally.coverage = (done, total, missing)


def run_campaign(
    targets: Sequence[Target],
    *,
    seed: int,
    quiet_seconds: float,
    batch_seconds: float,
    max_seconds: float = float("inf"),
    say: Callable[[str], None] = print,
) -> list[Tally]:
    """Go round all targets until `quiet_seconds` of fuzzing have brought no new branch, or `max_seconds` are over."""
    tallies = [Tally(target) for target in targets]
    with tempfile.TemporaryDirectory(dir=_fast_folder()) as scratch:
        started = newest = time.monotonic()
        batch = 0
        while time.monotonic() - newest < quiet_seconds and time.monotonic() - started < max_seconds:
            tally = tallies[batch % len(tallies)]
            is_new = run_batch(tally, Path(scratch, f"{batch:06d}"), seed=seed, count=1 << 40, seconds=batch_seconds)
            newest = time.monotonic() if is_new else newest
            batch += 1
            say(
                f"{time.monotonic() - started:7.0f} s {tally.target.name:<14}{tally.cases:>9} cases "
                f"{len(tally.arcs):>5} arcs {len(tally.findings):>3} findings, nothing new for "
                f"{time.monotonic() - newest:.0f} s"
            )
        set_coverage(tallies, Path(scratch))
    return tallies


def _fast_folder() -> str | None:
    """Memory, where there is some: a hundred thousand small files wear out no disk."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
