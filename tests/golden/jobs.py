"""The jobs of a preset as Snakemake sees them, each as a list of facts: rule, files, resources, and every flag.

A dry run with `--forceall` tells them without any recording, the same on any machine.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

__all__ = ["Jobs", "differing_jobs", "jobs_of"]

Jobs = dict[str, list[str]]

_BLOCK = re.compile(r"^rule (?P<rule>\w+):\n(?P<fields>(?:    .*\n)+)Shell command: (?P<command>.*)$", re.MULTILINE)
_LISTS = ("input", "output", "log", "benchmark")
# Of the resources those that the rules name; the others follow from them, or are of the machine.
_RESOURCES = ("mem_mb", "runtime", "gpu")
# More than any rule asks for: Snakemake gives a job no more threads than a run has cores.
_CORES = "64"


def jobs_of(root: Path, preset: str) -> Jobs:
    """Return the facts of each job by its first output.

    Raises
    ------
    ValueError
        If the dry run fails, with the end of what it said.
    """
    command = [sys.executable, "-m", "snakemake", "--configfile", preset, "--cores", _CORES]
    dry = subprocess.run(
        [*command, "--dry-run", "--forceall", "--printshellcmds"], cwd=root, capture_output=True, text=True
    )
    if dry.returncode:
        raise ValueError(f"{preset}: the dry run failed: {(dry.stdout + dry.stderr)[-2000:]}")
    jobs: Jobs = {}
    for block in _BLOCK.finditer(dry.stdout + dry.stderr):
        fields = dict(line.strip().split(": ", 1) for line in block["fields"].splitlines() if ": " in line)
        if "output" not in fields:  # the target of a whole run
            continue
        jobs[fields["output"].split(", ")[0]] = _facts(block["rule"], fields, block["command"])
    return dict(sorted(jobs.items()))


def differing_jobs(found: Jobs, expected: Jobs) -> list[str]:
    """Say what differs: jobs that are missing or new, and the facts of each other one that does."""
    lines = [f"- {output}: no such job any more" for output in sorted(expected.keys() - found.keys())]
    lines += [f"+ {output}: a new job" for output in sorted(found.keys() - expected.keys())]
    for output in sorted(found.keys() & expected.keys()):
        gone, new = set(expected[output]) - set(found[output]), set(found[output]) - set(expected[output])
        if gone or new:
            lines.append(f"  {output}:")
            lines += [f"    - {fact}" for fact in sorted(gone)] + [f"    + {fact}" for fact in sorted(new)]
    return lines


def _facts(rule: str, fields: dict[str, str], command: str) -> list[str]:
    facts = [f"rule: {rule}"]
    facts += [f"{name}: {file}" for name in _LISTS if name in fields for file in fields[name].split(", ")]
    resources = dict(part.split("=", 1) for part in fields["resources"].split(", "))
    facts += [f"{name}: {fields[name]}" for name in ("threads", "priority") if name in fields]
    facts += [f"{name}: {resources[name]}" for name in _RESOURCES if name in resources]
    words = shlex.split(command)
    verb = next((place for place, word in enumerate(words) if word.startswith("--")), len(words))
    groups = [words[:verb]]
    for word in words[verb:]:
        if word.startswith("-") and not re.match(r"-\.?[0-9]", word):
            groups.append([])
        groups[-1].append(word)
    for group in groups:
        # The whole configuration, key by key.
        facts += _keys(group[0], json.loads(group[1])) if group[0] == "--config" else [shlex.join(group)]
    return facts


def _keys(name: str, value: object) -> list[str]:
    if isinstance(value, dict) and value:
        return [fact for key, part in value.items() for fact in _keys(f"{name}.{key}", part)]
    return [f"{name} {json.dumps(value)}"]
