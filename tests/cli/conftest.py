"""What the tests of several verbs start from."""

import shutil

import pytest

from tests.cli.commands import Kitchen, stock
from tests.cli.working import Work, blsh, listed_work
from tests.files.serving import serve


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


@pytest.fixture(scope="session")
def kitchen(work, tmp_path_factory):
    """What a valid command of every verb reads."""
    with serve() as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("no_proxy", "127.0.0.1")
        kitchen = Kitchen(work, tmp_path_factory.mktemp("pantry"), server.address)
        stock(kitchen)
        server.content = kitchen["noise.zip"].read_bytes()
        yield kitchen
