"""Figures are the same whatever the user's settings of matplotlib say."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest

from benchmarks import curves
from benchmarks.measuring import Row
from blsh.reporting.curve_figures import icassp_fig3
from blsh.reporting.figures import picture_bytes
from blsh.reporting.matrix_figures import icassp_fig2
from tests.reporting.small_picture import digests, small_picture

ROOT = Path(__file__).resolve().parents[2]
MAKERS = {"in_style", "in_plain_style"}
SETTINGS = """\
text.usetex: True
lines.linewidth: 9
axes.prop_cycle: cycler(color=["ff0000"])
figure.facecolor: black
savefig.dpi: 31
font.family: No Such Font
svg.fonttype: none
axes.formatter.use_locale: True
lines.linewidth: three
this line has no colon
no.such.key: 1
"""


def other_settings():
    """Another value for every setting that is a number or a switch, and for the colours."""
    changed = mpl.rcParamsDefault.copy()
    for key, value in mpl.rcParamsDefault.items():
        others = {bool: lambda v: not v, int: lambda v: v + 1, float: lambda v: 1.5 * v + 0.1, str: lambda _: "red"}
        if type(value) in others and key != "backend":
            try:
                changed[key] = others[type(value)](value)
            except ValueError:
                pass  # neither a colour nor without limits
    return {key: value for key, value in changed.items() if key != "backend"}


def drawn(summaries, folder):
    works = ("cost over N", "cost over L", "cost over queries")
    sizes = {"n_frames": 10, "n_bits": 20, "n_queries": 30}
    rows = pd.DataFrame([vars(Row("curves", work, "", ours_ms=2.0, peer_ms=3.0, **sizes)) for work in works])
    curves.draw(rows, folder / "curves.png")
    pictures = [icassp_fig2(summaries), icassp_fig3(summaries), small_picture()]
    return [picture_bytes(picture, "svg") for picture in pictures], (folder / "curves.png").read_bytes()


def test_settings_that_are_in_force_change_no_figure(summaries, tmp_path):
    expected = drawn(summaries, tmp_path)
    settings = other_settings()
    assert settings["text.usetex"] and settings["text.color"] == "red"
    assert sum(settings[key] != mpl.rcParamsDefault[key] for key in settings) > 150
    with mpl.rc_context(settings):
        assert drawn(summaries, tmp_path) == expected
        assert mpl.rcParams["text.usetex"]


def in_a_process_of_its_own(words, folder, **variables):
    variables = os.environ | {"PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(folder / "config")} | variables
    return subprocess.run([sys.executable, *words], cwd=folder, env=variables, capture_output=True, text=True)


@pytest.mark.parametrize("place", ["matplotlibrc", "elsewhere/matplotlibrc"])
def test_files_of_settings_change_no_figure(tmp_path, place):
    styles = tmp_path / "config/matplotlib/stylelib"
    styles.mkdir(parents=True)
    (styles / "default.mplstyle").write_bytes(b"\xff")
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text(SETTINGS, encoding="utf-8")
    words = ["-m", "tests.reporting.small_picture"]
    done = in_a_process_of_its_own(words, tmp_path, MATPLOTLIBRC=str(tmp_path / "elsewhere"), MPLBACKEND="tkagg")
    assert done.stdout.split() == digests(), done.stderr
    look = "import blsh.reporting.figures, matplotlib; print(matplotlib.rcParams['text.usetex'])"
    read = in_a_process_of_its_own(["-c", look], tmp_path, MATPLOTLIBRC=str(tmp_path / "elsewhere"))
    assert (read.stdout, read.stderr) == ("True\n", "")  # the file was read, and nothing is said of its bad lines


@pytest.mark.parametrize(("contents", "backend"), [(b"lines.linewidth: \xff", ""), (b"", "Qt4Agg")])
def test_settings_that_stop_matplotlib_are_one_line(tmp_path, contents, backend):
    (tmp_path / "matplotlibrc").write_bytes(contents)
    done = in_a_process_of_its_own(["-c", "import blsh.reporting.figures"], tmp_path, MPLBACKEND=backend)
    said = done.stderr.splitlines()[-1]
    assert done.returncode and said.startswith("ValueError: matplotlib does not start with your settings (")
    assert said.endswith(f"MPLBACKEND='{backend}' or the file matplotlibrc" if backend else "the file matplotlibrc")


def test_a_home_that_cannot_be_written_is_no_matter(tmp_path):
    (tmp_path / "file").touch()
    hidden = {"MPLCONFIGDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"}
    variables = {name: value for name, value in os.environ.items() if name not in hidden}
    words = [sys.executable, "-c", "import blsh.reporting.figures"]
    told = subprocess.run(words, cwd=ROOT, env=variables | {"HOME": f"{tmp_path}/file/none"}, capture_output=True)
    assert (told.returncode, told.stderr) == (0, b"")


def sources():
    return [path for folder in ("blsh", "benchmarks", "docs", "workflow") for path in (ROOT / folder).rglob("*.py")]


def test_every_figure_is_made_in_one_place_and_in_a_style():
    home = ROOT / "blsh/reporting/figures.py"
    n_drawing = 0
    for path in set(sources()) - {home}:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            names = [alias.name for alias in getattr(node, "names", []) if isinstance(alias, ast.alias)]
            named = [node.module or ""] if isinstance(node, ast.ImportFrom) else names
            assert not any(name.split(".")[0] == "matplotlib" for name in named), f"{path} imports matplotlib"
            if isinstance(node, ast.FunctionDef):
                called = {call.func.id for call in ast.walk(node) if isinstance(getattr(call, "func", None), ast.Name)}
                if "new_figure" in called:
                    n_drawing += 1
                    styles = {name.id for name in node.decorator_list if isinstance(name, ast.Name)}
                    assert styles & MAKERS, f"{path}: {node.name} draws in no style"
    assert n_drawing > 10
