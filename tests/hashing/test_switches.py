from dataclasses import fields, replace

import pytest

from blsh.hashing.profiles import PROFILES, TrainingParams
from blsh.hashing.switches import MATRICES, SWITCHES


@pytest.mark.parametrize("name", SWITCHES)
def test_every_switch_makes_another_training_of_the_project(name):
    changed = replace(PROFILES["project"], **SWITCHES[name])
    assert changed != PROFILES["project"]
    assert (changed.n_bits, changed.target) == (PROFILES["project"].n_bits, PROFILES["project"].target)


def test_single_switches_change_one_thing():
    grouped = {"descent": 5, "authors2022": len(fields(TrainingParams)) - 2}
    assert {name: len(changes) for name, changes in SWITCHES.items()} == dict.fromkeys(SWITCHES, 1) | grouped


def test_all_of_them_are_the_authors():
    assert replace(PROFILES["project"], **SWITCHES["authors2022"]) == PROFILES["authors2022"]
    assert SWITCHES["projection_loss"] == {"projection_loss": "xent"}
    assert SWITCHES["descent"]["learning_rate"] == 1e-4
    assert MATRICES not in SWITCHES
