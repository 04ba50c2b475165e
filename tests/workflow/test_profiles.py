"""The profiles: what they name is there, and the one for SLURM asks the cluster how jobs are looked up."""

import re
from pathlib import Path

import pytest
import yaml
from snakemake.profiles import ProfileConfigFileParser

ROOT = Path(__file__).resolve().parents[2]
PROFILES = sorted((ROOT / "profiles").glob("*/profile.yaml"))


def rules() -> set[str]:
    texts = [path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk")]
    return {name for text in texts for name in re.findall(r"^rule (\w+):", text, re.MULTILINE)}


def of(name: str) -> dict:
    """Read a profile as Snakemake does."""
    with open(ROOT / "profiles" / name / "profile.yaml") as stream:
        return dict(ProfileConfigFileParser().parse(stream))


def scontrol_that_prints(folder: Path, text: str) -> str:
    program = folder / "scontrol"
    program.write_text(f"#!/bin/sh\necho '{text}'\n")
    program.chmod(0o755)
    return str(folder)


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.parent.name)
def test_rules_that_a_profile_names_are_rules_of_the_workflow(path):
    values = yaml.safe_load(path.read_text())
    named = {*values.get("groups", {}), *values.get("set-resources", {})}
    assert named - rules() == set()
    assert set(values.get("group-components", {})) <= set(values.get("groups", {}).values())


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.parent.name)
def test_every_line_of_a_profile_is_explained(path):
    """A key has a comment above it, or stands below one that has, without a line between."""
    explained = False
    for line in path.read_text().splitlines():
        explained = bool(line) and (explained or line.startswith("#"))
        assert explained or not line or line.startswith("#"), line


@pytest.mark.parametrize(
    ("accounting", "command"), [("accounting_storage/slurmdbd", "sacct"), ("accounting_storage/none", "squeue")]
)
def test_jobs_are_looked_up_where_the_cluster_keeps_them(tmp_path, monkeypatch, accounting, command):
    path = scontrol_that_prints(tmp_path, f"AccountingStorageType   = {accounting}")
    monkeypatch.setenv("PATH", path, prepend=":")
    assert of("slurm")["slurm-status-command"] == command


def test_without_a_cluster_the_profile_can_be_read(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    profile = of("slurm")
    assert profile["slurm-status-command"] == "squeue"
    assert profile["executor"] == "slurm"
    assert not any(name.startswith("__") for name in profile)


def test_resources_grow_with_every_attempt():
    text = "\n".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    blocks = re.findall(r"^    resources:\n((?:        .*\n)+)", text, re.MULTILINE)
    assert len(blocks) == len(rules())
    for block in blocks:
        assert re.search(r"mem_mb=blsh_rules\.growing\(", block) and re.search(r"runtime=blsh_rules\.growing\(", block)
