"""Which numbers arguments take, and what is said of others."""

import importlib
import math

import pytest

from blsh.cli import main as cli
from blsh.cli.main import VERBS
from blsh.cli.numbers import CODE_LENGTH, RHO, SEED, Real, Refused, Whole
from tests.cli.menu import arguments_of


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        (Whole(1, 16), {"1": 1, "16": 16, "+7": 7}, ["0", "17", "-1", "1.0", "1e1", "nan", "inf", "", "x", "9" * 9999]),
        (SEED, {"0": 0, str(2**63 - 1): 2**63 - 1}, ["-1", "0x10", "null", str(2**63)]),
        (Whole(2), {"9" * 30: int("9" * 30)}, ["1"]),
        (RHO, {"1": 1.0, "1e-9": 1e-9}, ["0", "-0", "1.1", "nan", "inf", "-inf", "", "half", "1e-400"]),
        (Real(0, 1), {"0": 0.0, "1": 1.0}, ["-0.1", "1.0001", "nan"]),
        (Real(), {"-3.5": -3.5, "1e300": 1e300}, ["inf", "1e400", "nan", "1,5"]),
    ],
)
def test_bounds(rule, good, bad):
    assert {text: rule(text) for text in good} == good
    for text in bad:
        with pytest.raises(Refused, match="must be a"):
            rule(text)


def test_the_rule_is_said():
    assert str(CODE_LENGTH) == "a whole number in 1…65535"
    assert str(Whole(2)) == "a whole number of at least 2"
    assert str(RHO) == "a finite number above 0 and at most 1"
    assert str(Real(0, 1)) == "a finite number of at least 0 and at most 1"
    assert str(Real()) == "a finite number"
    with pytest.raises(ValueError, match=r"'9{40}…' must be a whole number in 1…65535"):
        CODE_LENGTH("9" * 5000)


@pytest.mark.parametrize("verb", VERBS)
def test_every_number_of_every_verb_has_a_rule(verb):
    assert [action.dest for action in arguments_of(verb) if action.type in (int, float, complex)] == []


@pytest.mark.parametrize("verb", VERBS)
def test_every_default_keeps_to_its_rule_or_stands_for_none(verb):
    module = importlib.import_module(f"blsh.cli.{verb.replace('-', '_')}")
    for action in cli._verb_parser(verb, module)._actions:
        if isinstance(action.type, (Whole, Real)):
            for value in action.default if isinstance(action.default, list) else [action.default]:
                assert value in (None, 0, math.inf) or action.type(repr(value)) == value
