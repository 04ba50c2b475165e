"""The command line: help, unknown words, one-line errors, and what is not loaded."""

import subprocess
import sys

import pytest

from blsh.cli.main import VERBS, main


def test_help_lists_every_verb(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    printed = capsys.readouterr().out
    assert all(f"  {verb} " in printed for verb in VERBS)


def test_without_words_the_help_is_printed(capsys):
    with pytest.raises(SystemExit):
        main([])
    assert "verbs:" in capsys.readouterr().out


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_with_an_example(verb, capsys):
    with pytest.raises(SystemExit) as stop:
        main([verb, "--help"])
    assert stop.value.code == 0
    printed = capsys.readouterr().out
    assert f"example:\n  blsh {verb} " in printed


def test_unknown_verb_and_unknown_flag(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["denoize"])
    assert stop.value.code == 2
    assert "verb 'denoize' is unknown; choose one of download, manifest" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stop:
        main(["report", "--from", "x", "-o", "y", "--frmo"])
    assert stop.value.code == 2
    assert "unrecognized arguments: --frmo" in capsys.readouterr().err


def test_an_error_is_one_line_and_status_2(tmp_path, capsys):
    assert main(["report", "--from", str(tmp_path), "-o", str(tmp_path / "out")]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("blsh report: ")
    assert printed.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_debug_shows_the_traceback(tmp_path):
    with pytest.raises(FileNotFoundError):
        main(["report", "--from", str(tmp_path), "-o", str(tmp_path / "out"), "--debug"])


def test_no_public_module_but_the_networks_loads_torch():
    script = """
import sys
from importlib import import_module
from blsh.experiment.code import modules
for name in modules():
    if "__main__" not in name and "network" not in name:
        import_module(name)
assert "torch" not in sys.modules, "torch"
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_help_loads_no_numerics():
    script = "import sys; from blsh.cli import main; assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)
