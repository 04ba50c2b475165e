"""A minute of fuzzing: every reader keeps its bounds; and the harness sees those that do not.

The long run is `python -m tests.long.fuzzing -o docs/fuzzing.md`.
"""

import pytest

pytest.importorskip("coverage", reason="coverage is not installed: `make test-long` installs it")

from tests.long.fuzzing import campaign, planted
from tests.long.fuzzing.campaign import Tally, run_batch, set_coverage
from tests.long.fuzzing.targets import MODULES, find
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.long

SECONDS = 0.7
# Of readers that are slow, or on a machine that is: what half of the branches take.
LEAST = 60


@pytest.mark.parametrize("name", MODULES)
def test_a_reader_keeps_its_bounds(tmp_path, name):
    tally = Tally(find(name))
    run_batch(tally, tmp_path / "batch", seed=1, count=100_000, seconds=SECONDS, least=LEAST)
    assert not tally.findings, tally.findings[0]
    assert tally.cases and tally.valid >= 0.85 * tally.cases
    set_coverage([tally], tmp_path)
    done, total, _ = tally.coverage
    assert done >= 0.5 * total, f"{done} of {total} branches"


WRONG = {
    "raises another error": "KeyError: 'x'",
    "raises an error of a library": "ValueError that is not ours",
    "names no file": "ValueError that names no file",
    "says it in two lines": "ValueError of several lines",
    "is long-winded": "ValueError of 5",
    "accepts what is wrong": "accepted, but it is wrong",
    "warns": "RuntimeWarning",
    "unpickles": "did pickle.find_class",
    "evaluates": "did compile of",
    "writes outside": "did open of",
    "makes a folder outside": "did os.mkdir of",
    "starts a program": "did subprocess.Popen",
    "allocates what the header says": "MemoryError",
}


def test_the_harness_sees_what_is_wrong(tmp_path):
    tally = Tally(find("planted"))
    run_batch(tally, tmp_path / "batch", seed=0, count=3 * len(planted.READERS), seconds=PATIENCE_S)
    assert set(planted.READERS) == {*WRONG, "nothing"}
    for name, what in WRONG.items():
        seen = [finding["what"] for finding in tally.findings if finding["mutation"] == name]
        assert len(seen) == 3 and all(text.startswith(what) for text in seen), (name, seen)
    assert len(tally.findings) == 3 * len(WRONG)


@pytest.mark.parametrize(("name", "what"), [("hangs", "hangs"), ("crashes", "ended the process with -11")])
def test_the_harness_survives(tmp_path, monkeypatch, name, what):
    monkeypatch.setattr(campaign, "CPU_SECONDS", 1.0)
    monkeypatch.setattr(campaign, "LOADING_SECONDS", 10.0)
    tally = Tally(find(f"planted: {name}"))
    run_batch(tally, tmp_path / "batch", seed=0, count=1, seconds=PATIENCE_S)
    assert len(tally.findings) == 1 and tally.findings[0]["what"].startswith(what), tally.findings
    assert tally.cases == 1


def test_cases_depend_on_seed_target_and_number_alone(tmp_path):
    from tests.long.fuzzing.worker import case_rng

    def files(folder, seed, number):
        folder.mkdir()
        find("wav").write(case_rng(seed, "wav", number), folder)
        return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    assert files(tmp_path / "a", 0, 5) == files(tmp_path / "b", 0, 5)
    assert files(tmp_path / "c", 1, 5) != files(tmp_path / "d", 0, 5) != files(tmp_path / "e", 0, 6)
