"""The authors' own training script, reproduced; `tests/golden/README.md` says what the files hold."""

from dataclasses import replace
from pathlib import Path

import numba
import numpy as np
import pytest

from blsh.hashing.boosting import boost
from blsh.hashing.profiles import PROFILES
from blsh.hashing.segments import signs_of_frames
from blsh.hashing.similarity import ssm
from blsh.hashing.weights import pair_weights

FOLDER = Path(__file__).parents[1] / "golden"
N = 600

PROJECTIONS = 1e-5  # float32 products, summed in another order than torch's, through up to 600 steps
BETAS = 1e-4
LOSSES = 1e-6
WEIGHTS = 1e-5  # relative: ln W in float32

pytestmark = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="takes many minutes uncompiled")


@pytest.fixture(scope="module")
def features():
    return np.load(FOLDER / "authors2022_small.npz")["features"]


def no_random_numbers(number):
    # Three segments out of three, in order: nothing is drawn but which three.
    return np.random.default_rng(number)


@pytest.mark.parametrize(("file", "loss"), [("authors2022_small", "xent"), ("authors2022_small_sse", "square")])
def test_boosting_reproduces_the_authors_script(features, file, loss):
    golden = np.load(FOLDER / f"{file}.npz")
    params = replace(
        PROFILES["authors2022"],
        n_bits=len(golden["initial"]),
        projection_loss=loss,
        segment_frames=N,
        frame_order="contiguous",
        learning_rate=1e-3,
    )
    projections, rounds = boost(features, params, rng_for_round=no_random_numbers, initial=golden["initial"])

    assert [r.passes for r in rounds] == golden["passes"].tolist()
    learned = np.column_stack([projections.matrix, projections.bias])
    np.testing.assert_allclose(learned, golden["projections"], rtol=0, atol=PROJECTIONS)
    np.testing.assert_allclose([r.beta for r in rounds], golden["betas"], rtol=0, atol=BETAS)
    for r, expected in zip(rounds, golden["mean_loss_per_pass"], strict=True):
        np.testing.assert_allclose(r.losses, expected[~np.isnan(expected)], rtol=0, atol=LOSSES)

    if "final_weights_corner" in golden:
        betas = np.array([r.beta for r in rounds])
        for frames, corner in zip(features.reshape(3, N, -1), golden["final_weights_corner"], strict=True):
            codes = signs_of_frames(frames, projections)
            weights = pair_weights(ssm(frames), codes, betas, loss="square")
            np.testing.assert_allclose(weights[:50, :50], corner, rtol=WEIGHTS)
