"""No value of any argument of any verb ends in a traceback, and what is refused leaves no file behind.

Two values of each argument and all kinds for each verb; the whole menu is a long test.
"""

import contextlib
import io
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from blsh.cli.main import VERBS
from tests.cli import menu
from tests.cli.commands import COMMANDS, Kitchen, prepare
from tests.cli.working import PROGRESS, run_verb


class WorkBegun(BaseException):
    """Raised in the place of long work: all checks are passed."""


# What comes after a verb's checks of numbers, which would take as long as the numbers say.
WORK = {
    "download": ["fetch"],
    "train": ["boost"],
    "train-denoiser": ["boost"],
    "train-network": ["blsh.denoising.network_training.train_network"],
    "fit": ["itq"],
}


def run(kitchen: Kitchen, case: menu.Case, to: Path) -> str:
    """Run a case; return what is wrong with how it ended."""
    folders = (kitchen.work.folder, kitchen.pantry, to)
    before, printed, out = menu.contents(*folders), io.StringIO(), io.StringIO()
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stderr(printed))
        stack.enter_context(contextlib.redirect_stdout(out))
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        if case.is_number:
            for name in WORK.get(case.verb, ()):
                patch.setattr(name if "." in name else f"blsh.cli.{case.verb.replace('-', '_')}.{name}", begin)
        refused = stack.enter_context(menu.not_to_be_opened(case.closed)) if case.closed else []
        try:
            status = run_verb(*case.words)
        except WorkBegun:
            status = 0
        except Exception as error:
            return f"raised {error!r}"
    lines = [line for line in printed.getvalue().splitlines() if not PROGRESS.fullmatch(line)]
    if status == 0:
        return "succeeded" if case.is_refused or refused else ""
    if status != 2:
        return f"status {status}: {lines}"
    if len(lines) != 1 or not lines[0].startswith(f"blsh {case.verb}: ") or not lines[0].isprintable():
        return f"said {lines}"
    changed = menu.contents(*folders)
    differing = [str(path) for path in {*before, *changed} if before.get(path) != changed.get(path)]
    return f"left {differing} behind, said {lines}" if differing else ""


def begin(*_, **__):
    raise WorkBegun


def wrong(kitchen: Kitchen, tmp_path: Path, verb: str, choose) -> list[str]:
    """Run some of a verb's cases; return those that ended wrongly."""
    found = []
    scraps = tmp_path / "scraps"
    scraps.mkdir()
    words = COMMANDS[verb](kitchen, Path("out")).split()
    cases = list(menu.cases_of(verb, words, scraps))
    assert {case.argument for case in cases} and len({str(case) for case in cases}) == len(cases)
    for number, case in enumerate(choose(cases)):
        to = tmp_path / str(number)
        to.mkdir()
        os.chdir(to)
        prepare(kitchen)
        if complaint := run(kitchen, case, to):
            found.append(f"{case}: {complaint}")
    return found


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch, request):
    """A folder to be in, and no Snakemake."""
    if "network" in request.node.name:
        pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("blsh.cli.run.subprocess", SimpleNamespace(run=lambda *_, **__: SimpleNamespace(returncode=0)))


@pytest.mark.parametrize("verb", VERBS)
def test_the_valid_command_is_valid(kitchen, verb):
    prepare(kitchen)
    assert run_verb(*COMMANDS[verb](kitchen, Path("out")).split()) == 0


@pytest.mark.parametrize("verb", VERBS)
def test_a_wrong_value_is_one_line_and_changes_nothing(kitchen, tmp_path, verb):
    found = wrong(kitchen, tmp_path, verb, menu.spread)
    assert not found, "\n".join(found)


@pytest.mark.long
@pytest.mark.parametrize("verb", VERBS)
def test_every_wrong_value_is_one_line_and_changes_nothing(kitchen, tmp_path, verb):
    found = wrong(kitchen, tmp_path, verb, list)
    assert not found, "\n".join(found)
