"""What the tests of several verbs start from."""

import shutil

import pytest

from tests.cli.working import Work, blsh


@pytest.fixture(scope="session")
def work(tmp_path_factory) -> Work:
    """A folder in which the chain has been run up to a model; tests write elsewhere."""
    work = Work(tmp_path_factory.mktemp("work"))
    to = work.folder
    assert blsh(work.manifest(to)) == 0
    (to / "s.csv").rename(to / "speech.csv")
    shutil.move(to / "s.skipped.csv", to / "speech.skipped.csv")
    assert (
        blsh(f"manifest --reader folder --corpus noise --folder {work['noise']} --levels class -o {to}/noise.csv") == 0
    )
    assert blsh(work.units(to)) == 0
    (to / "u.csv").rename(to / "units.csv")
    for name, snr_db in (("train", 0), ("open", -2.5)):
        assert blsh(work.draw(to, f"--source {name} --set {name}", snr_db)) == 0
        (to / "r.csv").rename(to / f"{name}.csv")
    assert blsh(work.frames(to)) == 0
    assert blsh(work.train(to)) == 0
    shutil.copy(to / "model.npz", to / "blsh_mel_ssm.npz")
    return work
