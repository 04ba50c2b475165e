from dataclasses import fields, replace
from pathlib import Path

import pytest

from blsh.hashing.profiles import PROFILES, TrainingParams
from tests.hashing.boosting_cases import SMALL

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


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_bits": 0}, "n_bits=0 is below its least value 1"),
        ({"segment_frames": 1}, "segment_frames=1 is below its least value 2"),
        ({"min_passes": 0}, "min_passes=0 is below its least value 1"),
        ({"max_passes": 2}, "max_passes=2 is below min_passes=3"),
        ({"projection_loss": "hinge"}, "projection_loss='hinge' is unknown: choose one of square, xent"),
        ({"boosting_loss": "sse"}, "boosting_loss='sse' is unknown: choose one of square, xent"),
        ({"square_gradient": "torch"}, "square_gradient='torch' is unknown: choose one of affine, autograd"),
        ({"initialisation": "zeros"}, "initialisation='zeros' is unknown: choose one of xavier, centred"),
        ({"segments": "new"}, "segments='new' is unknown: choose one of fixed, fresh"),
        ({"frame_order": "random"}, "frame_order='random' is unknown: choose one of shuffled, contiguous"),
        ({"epsilon_on": "test"}, "epsilon_on='test' is unknown: choose one of training, held-out"),
        ({"learning_rate_unit": "x"}, "learning_rate_unit='x' is unknown: choose one of absolute, relative"),
        ({"beta_scale": 2.0}, "beta_scale=2.0 is unknown: choose one of 1.0, 0.5"),
        ({"bias": "yes"}, "bias='yes' is unknown: choose one of True, False"),
        ({"learning_rate": 0.0}, "learning_rate=0.0 must be a positive number"),
        ({"learning_rate": float("nan")}, "learning_rate=nan must be a positive number"),
        ({"n_segments": 0}, "n_segments=0 must be at least 1, or None for all"),
        ({"n_segments": None}, "segments='fresh' needs n_segments: the number that each round draws"),
        ({"n_epsilon_segments": 0}, "n_epsilon_segments=0 contradicts epsilon_on='held-out'"),
        ({"epsilon_on": "training"}, "n_epsilon_segments=2 contradicts epsilon_on='training'"),
    ],
)
def test_bad_parameters(change, message):
    with pytest.raises(ValueError, match=message) as caught:
        replace(SMALL, **change)
    assert "\n" not in str(caught.value)


def test_unknown_parameter():
    with pytest.raises(TypeError, match="n_passes"):
        TrainingParams(n_passes=3)
