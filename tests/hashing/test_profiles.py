from dataclasses import fields
from pathlib import Path

import pytest

from blsh.hashing.profiles import PROFILES, TrainingParams

DOCS = Path(__file__).parents[2] / "docs" / "training.md"
WORDS = {True: "yes", None: "all"}


def documented():
    """Switch → its cells for `project` and `authors2022`, from the page's table."""
    rows = [line.split("|") for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    table = {}
    for _, names, project, authors, *_ in rows:
        names = [name.strip(" `") for name in names.split(",")]
        cells = [[cell.strip() for cell in column.split(",")] for column in (project, authors)]
        table |= dict(zip(names, zip(*cells, strict=True), strict=True))
    return table


@pytest.mark.parametrize("switch", [field.name for field in fields(TrainingParams)])
def test_the_page_on_training_tells_both_profiles(switch):
    for cell, name in zip(documented()[switch], ("project", "authors2022"), strict=True):
        value = getattr(PROFILES[name], switch)
        if isinstance(value, float):
            assert float(cell) == value
        elif value is True or value is None:
            assert cell == WORDS[value]
        else:
            assert cell == str(value)


def test_profiles_cannot_be_changed():
    with pytest.raises(TypeError):
        PROFILES["project"] = TrainingParams(n_bits=1)
