"""What the tests of several verbs start from."""

import shutil

import pytest

from tests.cli.working import Work, blsh, listed_work


@pytest.fixture(scope="session")
def work(tmp_path_factory) -> Work:
    """A folder in which the chain has been run up to a model; tests write elsewhere."""
    work = listed_work(tmp_path_factory.mktemp("work"))
    to = work.folder
    for name, snr_db in (("train", 0), ("open", -2.5)):
        assert blsh(work.draw(to, f"--source {name} --set {name}", snr_db)) == 0
        (to / "r.csv").rename(to / f"{name}.csv")
    assert blsh(work.frames(to)) == 0
    assert blsh(work.train(to)) == 0
    shutil.copy(to / "model.npz", to / "blsh_mel_ssm.npz")
    return work
