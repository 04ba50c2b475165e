"""The house: which room imports which, and what a fingerprint of code reacts to."""

import shutil
from pathlib import Path

import pytest

from blsh.experiment import code


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def test_rooms_import_only_from_rooms_above():
    order = {room: place for place, room in enumerate(code.ROOMS)}
    wrong = [
        f"{module} -> {imported}"
        for module in code.modules()
        for imported in code.imports_of(module)
        if room_of(module) in order and room_of(imported) in order and order[room_of(imported)] > order[room_of(module)]
    ]
    assert wrong == []


def test_every_folder_of_the_package_is_a_room():
    folders = {path.parent.name for path in code.PACKAGE.glob("*/*.py")}
    assert folders == set(code.ROOMS)


def test_no_room_below_experiment_sees_the_config():
    below = set(code.ROOMS[: code.ROOMS.index("experiment")])
    readers = {m for m in code.modules() if room_of(m) in below and "blsh.experiment.config" in code.code_of(m)}
    assert readers == set()


@pytest.mark.parametrize("verb", ["manifest", "units", "draw", "frames", "train", "score", "ssm", "examples"])
def test_computing_verbs_do_not_see_the_config(verb):
    assert "blsh.experiment.config" not in code.code_of(f"blsh.cli.{verb}")


def test_closure_follows_imports_inside_functions_and_of_others():
    closure = code.code_of("blsh.cli.score")
    assert "blsh.hashing.search" in closure
    assert "blsh.files.atomic" in closure
    assert "blsh.hashing.boosting" not in closure


def test_unknown_module_is_an_error():
    with pytest.raises(ValueError, match=r"module='blsh.nothing' is not part of the package"):
        code.code_of("blsh.nothing")


@pytest.fixture
def copied_package(tmp_path: Path, monkeypatch):
    """A copy of the package that a test may edit, with the walker's caches emptied around it."""
    shutil.copytree(code.PACKAGE, tmp_path / "blsh", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code, "PACKAGE", tmp_path / "blsh")
    empty_caches()
    yield tmp_path / "blsh"
    empty_caches()


def empty_caches():
    for cached in (code.modules, code.imports_of, code.code_of, code._tree, code._fingerprint):
        cached.cache_clear()


def edited(package: Path, old: str, new: str) -> dict[str, str]:
    path = package / "signal" / "masks.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    empty_caches()
    return code.code_of("blsh.cli.score")


def test_a_comment_or_docstring_changes_no_fingerprint(copied_package):
    before = code.code_of("blsh.cli.score")
    assert edited(copied_package, '"""', '"""Edited. ') == before
    assert edited(copied_package, "import numpy as np", "import numpy as np  # why not") == before


def test_an_edited_statement_changes_its_modules_fingerprint_alone(copied_package):
    before = code.code_of("blsh.cli.score")
    after = edited(copied_package, "import numpy as np", "import numpy as np\n\nEDITED = 1")
    assert {name for name in before if before[name] != after[name]} == {"blsh.signal.masks"}
