"""The golden record is one of all keys, and sees what changes."""

from collections import defaultdict

from pydantic import BaseModel

from blsh.experiment.config import load_config
from tests.golden.__main__ import FOLDER
from tests.golden.jobs import differing_jobs
from tests.golden.reports import differing_files


def models_in(value: object) -> list[BaseModel]:
    """A part of a configuration and all its parts."""
    if isinstance(value, BaseModel):
        return [value, *(part for name in type(value).model_fields for part in models_in(getattr(value, name)))]
    values = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else ()
    return [part for one in values for part in models_in(one)]


def test_every_key_has_another_value_than_its_default():
    unchanged, changed = defaultdict(set), defaultdict(set)
    for part in models_in(load_config(FOLDER / "every_key.yaml")):
        for name, field in type(part).model_fields.items():
            is_default = not field.is_required() and getattr(part, name) == field.get_default(call_default_factory=True)
            (unchanged if is_default else changed)[type(part).__name__].add(name)
    left = {model: names - changed[model] for model, names in unchanged.items() if names - changed[model]}
    # The network loss that is not the default's is none that a Conv-TasNet can have.
    assert left == {"NetworksConfig": {"loss"}}


def test_a_difference_of_jobs_is_told_fact_by_fact():
    expected = {"a.csv": ["rule: one", "--seed 1"], "b.csv": ["rule: one"], "c.csv": ["rule: two"]}
    found = {"a.csv": ["rule: one", "--seed 2"], "b.csv": ["rule: one"], "d.csv": ["rule: two"]}
    assert differing_jobs(found, expected) == [
        "- c.csv: no such job any more",
        "+ d.csv: a new job",
        "  a.csv:",
        "    - --seed 1",
        "    + --seed 2",
    ]
    assert differing_jobs(expected, expected) == []


def test_a_difference_of_reports_is_told_file_by_file():
    assert differing_files({"a": "1", "b": "2", "d": "4"}, {"a": "1", "b": "3", "c": "4"}) == [
        "  b: differs",
        "  c: missing",
        "  d: new",
    ]
