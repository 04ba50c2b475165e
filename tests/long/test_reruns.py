"""What runs again after an edit, and what does not: a dry run after each of many edits of a finished experiment.

Rules are named with what follows from them: `SCORES` and later is the aggregate, the provenance and the report too.
"""

import json
import os
import re
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.corpora.making import noise, write
from tests.long import micro

pytestmark = pytest.mark.long

RESULTS = {"aggregate", "provenance", "report"}
CONTROLS = {"score_control"}
RANDOM = {"score_neighbours"}
LEARNED = {"train", "score_codes", "ssm"}
SCORES = CONTROLS | RANDOM | {"score_codes"}
HEARD = {"examples"}
SPEED = {"speed"}
FRAMES = {"frames"} | CONTROLS | RANDOM | LEARNED | HEARD | SPEED | RESULTS
MIXTURES = {"draw", "noises"} | FRAMES
EVERYTHING = {"manifest", "units"} | MIXTURES


@dataclass(frozen=True)
class Edit:
    """A change of the folder or of the configuration, and the rules that must run again, no other."""

    name: str
    change: Callable[[Path, dict], None]
    rules: set[str]


def config(**changes: object) -> Callable[[Path, dict], None]:
    """Set keys of the configuration, named by their path with underscores doubled for dots."""

    def change(folder: Path, values: dict) -> None:
        for path, value in changes.items():
            *parts, last = path.split("__")
            place = values
            for part in parts:
                place = place.setdefault(part, {})
            place[last] = value

    return change


def code(module: str, old: str, new: str) -> Callable[[Path, dict], None]:
    """Replace a text that occurs in a module of the package."""

    def change(folder: Path, values: dict) -> None:
        path = folder / "blsh" / module
        text = path.read_text()
        assert old in text, f"{path} no longer holds {old!r}: edit the test"
        path.write_text(text.replace(old, new, 1))

    return change


def another_recording(folder: Path, values: dict) -> None:
    write(folder / "data/voices/test/cat/0.wav", noise(1.1, seed=99))


def one_more_recording(folder: Path, values: dict) -> None:
    write(folder / "data/sounds/test/rain/2.wav", noise(1.5, seed=98))


def moved_recordings(folder: Path, values: dict) -> None:
    (folder / "data").rename(folder / "elsewhere")
    values["corpora_folder"] = "elsewhere"


def lost(path: str) -> Callable[[Path, dict], None]:
    """Remove a result."""
    return lambda folder, values: (folder / micro.RESULTS / path).unlink()


EDITS = (
    Edit("nothing", lambda folder, values: None, set()),
    Edit("a key that only texts show", config(title="Another title"), RESULTS),
    Edit("the experiment's seed", config(seed=8), RANDOM | LEARNED | HEARD | SPEED | RESULTS),
    Edit("the data's seed", config(data__seed=8), {"units"} | MIXTURES),
    Edit("the training's seed", config(training__seed=8), LEARNED | HEARD | RESULTS),
    Edit("a switch of training", config(training__switches__max_passes=4), LEARNED | HEARD | RESULTS),
    Edit("a longer code", config(grid__n_bits=[1, 8, 9]), RANDOM | LEARNED | HEARD | SPEED | RESULTS),
    Edit("a code length in between", config(grid__n_bits=[1, 4, 8]), RANDOM | {"score_codes"} | RESULTS),
    Edit("the metrics", config(metrics__sweep=["sdr"]), SCORES | RESULTS),
    Edit("a system more", config(grid__systems=["mixture", "lsh", "blsh", "knn"]), RANDOM | HEARD | SPEED | RESULTS),
    Edit("a system less", config(grid__systems=["mixture", "lsh"]), HEARD | RESULTS),
    Edit("a recording's sound", another_recording, EVERYTHING),
    Edit("a recording more", one_more_recording, EVERYTHING - {"units"}),
    Edit("the place of the recordings", moved_recordings, set()),
    Edit("a lost score", lost("scores/open/mixture.parquet"), CONTROLS | RESULTS),
    Edit("a lost model", lost("models/blsh_mel_ssm.npz"), LEARNED | HEARD | RESULTS),
    Edit("a lost report", lost("report.html"), {"report"}),
    Edit("a docstring", code("hashing/boosting.py", '"""', '"""Edited. '), set()),
    Edit("a comment", code("hashing/boosting.py", "import time\n", "import time  # edited\n"), set()),
    Edit(
        "a function of the training",
        code("hashing/boosting.py", "EPSILON_FLOOR = 1e-6", "EPSILON_FLOOR = 2e-6"),
        LEARNED | HEARD | RESULTS,
    ),
    Edit(
        "a function of the metrics",
        code("evaluation/metrics.py", "import numpy as np\n", "import numpy as np\n\nEDITED = 1\n"),
        SCORES | RESULTS,
    ),
    Edit(
        "a function of the readers",
        code("corpora/folder.py", "import os\n", "import os\n\nEDITED = 1\n"),
        EVERYTHING,
    ),
    Edit(
        "a function of the report",
        code("reporting/pages.py", "import math\n", "import math\n\nEDITED = 1\n"),
        {"report"},
    ),
    Edit("a verb that no job runs", code("cli/compare.py", "import json\n", "import json\n\nEDITED = 1\n"), set()),
)
SHORT = {"nothing", "a lost score", "the experiment's seed", "a system more", "a recording's sound", "a docstring"}
IS_SHORT = os.environ.get("BLSH_LONG") == "short"
CHOSEN = [edit for edit in EDITS if not IS_SHORT or edit.name in SHORT]
in_full = pytest.mark.skipif(IS_SHORT, reason="BLSH_LONG=short runs the experiment again for one edit only")


@pytest.fixture(scope="module")
def finished(reference, tmp_path_factory) -> Path:
    """The finished experiment, in a folder of its own."""
    folder = tmp_path_factory.mktemp("reruns") / "work"
    shutil.copytree(reference.folder, folder, ignore=shutil.ignore_patterns("snapshots"))
    return folder


@pytest.fixture
def edited(finished, tmp_path) -> Path:
    """A copy that a test may edit. Times are kept, because they are part of a recording's fingerprint."""
    folder = tmp_path / "work"
    shutil.copytree(finished, folder)
    return folder


def rules_to_run(folder: Path) -> set[str]:
    words = [sys.executable, "-m", "snakemake", "--configfile", micro.PRESET, "--dry-run"]
    printed = micro.run(folder, words).stdout
    table = re.search(r"Job stats:\n(.*?)\n\n", printed, re.DOTALL)
    if table is None:
        assert "Nothing to be done" in printed
        return set()
    return set(re.findall(r"^(\w+) +\d+$", table[1], re.MULTILINE)) - {"default", "all", "total"}


@pytest.mark.parametrize("edit", CHOSEN, ids=lambda edit: edit.name)
def test_an_edit_reruns_exactly_what_depends_on_it(edited, edit):
    values = deepcopy(micro.CONFIG)
    edit.change(edited, values)
    micro.write_preset(edited, values)
    assert rules_to_run(edited) == edit.rules


def jobs_done(printed: str) -> Counter[str]:
    return Counter(re.findall(r"^Finished jobid: \d+ \(Rule: (\w+)\)$", printed, re.MULTILINE))


def test_recordings_that_were_copied_again_cost_manifests_and_recipes_only(edited):
    before = micro.result_files(edited)
    for path in (edited / "data").rglob("*.wav"):
        os.utime(path)
    assert rules_to_run(edited) == EVERYTHING
    printed = micro.run(edited).stdout
    assert jobs_done(printed) == {"manifest": 2, "units": 1, "draw": 4}
    assert not micro.differences(micro.result_files(edited), before)
    assert rules_to_run(edited) == set()


@in_full
def test_recipes_that_other_code_draws_the_same_cost_themselves_only(edited):
    code("cli/draw.py", "import argparse\n", "import argparse\n\nEDITED = 1\n")(edited, {})
    assert rules_to_run(edited) == MIXTURES
    assert jobs_done(micro.run(edited).stdout) == {"draw": 4}
    assert rules_to_run(edited) == set()


@in_full
def test_a_recording_with_another_sound_costs_all_that_it_is_part_of(edited):
    another_recording(edited, {})
    assert jobs_done(micro.run(edited).stdout).keys() - {"default"} == EVERYTHING
    assert rules_to_run(edited) == set()


def test_a_system_more_leaves_all_other_scores_as_they_are(edited):
    scores = edited / micro.RESULTS / "scores"
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in scores.rglob("*.parquet")}
    values = deepcopy(micro.CONFIG)
    values["grid"]["systems"] = [*values["grid"]["systems"], "knn"]
    micro.write_preset(edited, values)
    micro.run(edited)
    after = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in scores.rglob("*.parquet")}
    assert {path: after[path] for path in before} == before
    assert [path.name for path in after.keys() - before.keys()] == ["knn_mel_rho-0.5_rep-1.parquet"]
    assert "knn" in (edited / micro.RESULTS / "summaries/aggregated.csv").read_text()
    assert rules_to_run(edited) == set()
    config = json.loads((edited / micro.RESULTS / "provenance.json").read_text())["config"]
    assert config["grid"]["systems"][-1] == "knn"
