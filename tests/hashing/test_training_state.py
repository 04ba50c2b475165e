"""A killed training goes on with the same result; a state that does not fit is not used."""

import logging
from dataclasses import replace

import numpy as np
import pytest

from blsh.files.arrays import load_stamped, save_stamped
from blsh.hashing.boosting import boost
from blsh.hashing.training_state import load_rounds
from tests.hashing.boosting_cases import SMALL, rng_for_round, same_rounds


class Killed(Exception):
    pass


def stopped_after_3(features, params, state, fingerprint="data-1"):
    seen = []

    def on_round(new):
        seen.append(new)
        if len(seen) == 3:
            raise Killed

    with pytest.raises(Killed):
        boost(
            features,
            params,
            rng_for_round=rng_for_round,
            state=state,
            fingerprint=fingerprint,
            on_round=on_round,
        )
    return seen


@pytest.mark.parametrize("segments", ["fresh", "fixed"])
def test_killed_training_resumes_with_the_same_result(features, tmp_path, segments):
    params, state = replace(SMALL, segments=segments), tmp_path / "state.npz"
    whole, expected = boost(features, params, rng_for_round=rng_for_round)
    stopped_after_3(features, params, state)
    learned = []
    resumed, rounds = boost(
        features,
        params,
        rng_for_round=rng_for_round,
        state=state,
        fingerprint="data-1",
        on_round=learned.append,
    )
    assert len(learned) == 2
    assert same_rounds(rounds, expected)
    assert resumed.matrix.tobytes() == whole.matrix.tobytes()
    assert resumed.bias.tobytes() == whole.bias.tobytes()
    assert resumed.betas.tobytes() == whole.betas.tobytes()


def test_finished_training_is_not_repeated(features, tmp_path):
    state = tmp_path / "state.npz"
    _, expected = boost(features, SMALL, rng_for_round=rng_for_round, state=state, fingerprint="data-1")
    learned = []
    _, rounds = boost(
        features,
        replace(SMALL, n_bits=4),
        rng_for_round=rng_for_round,
        state=state,
        fingerprint="data-1",
        on_round=learned.append,
    )
    assert not learned
    assert same_rounds(rounds, expected[:4])


def test_state_of_another_fingerprint_is_ignored_with_a_message(features, tmp_path, caplog):
    state = tmp_path / "state.npz"
    stopped_after_3(features, SMALL, state)
    with caplog.at_level(logging.WARNING):
        assert load_rounds(state, fingerprint="data-2") == ()
    assert f"training starts anew: {state} belongs to other data, parameters or code" in caplog.text


@pytest.mark.parametrize("damage", ["truncated", "flipped", "text"])
def test_damaged_state_is_ignored_with_a_message(features, tmp_path, caplog, damage):
    state = tmp_path / "state.npz"
    stopped_after_3(features, SMALL, state)
    content = bytearray(state.read_bytes())
    if damage == "truncated":
        content = content[: len(content) // 2]
    elif damage == "flipped":
        content[len(content) // 2] ^= 1
    else:
        content = b"not a state"
    state.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert load_rounds(state, fingerprint="data-1") == ()
    assert "training starts anew" in caplog.text
    assert str(state) in caplog.text


@pytest.mark.parametrize(
    "change",
    [
        {"bias": None},
        {"losses": np.zeros(1)},
        {"beta": np.zeros(1)},
        {"beta": np.zeros((3, 2))},
        {"passes": np.zeros(3)},
        {"passes": np.array([-1, 2, 3])},
        {"projections": np.zeros((3, 0))},
        {"projections": np.full((3, 7), np.nan)},
        {"projections": np.array(0.0)},
    ],
)
def test_a_whole_file_of_other_contents_is_ignored_with_a_message(features, tmp_path, caplog, change):
    state = tmp_path / "state.npz"
    stopped_after_3(features, SMALL, state)
    metadata, arrays = load_stamped(state, "boosting-state", 1)
    arrays = {name: array for name, array in (arrays | change).items() if array is not None}
    save_stamped(state, "boosting-state", 1, metadata, arrays)
    with caplog.at_level(logging.WARNING):
        assert load_rounds(state, fingerprint="data-1") == ()
    assert f"training starts anew: {state} does not hold rounds" in caplog.text


def test_no_state_is_no_message(tmp_path, caplog):
    assert load_rounds(tmp_path / "absent.npz", fingerprint="") == ()
    assert not caplog.text
