"""The training as a whole: what its rounds share, what it records, what it refuses."""

import math
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from blsh.hashing.boosting import boost, boost_round
from blsh.hashing.codes import unpack_bits
from blsh.hashing.initialisation import centred_start
from blsh.hashing.projections import encode
from blsh.hashing.rounds import history_table
from blsh.hashing.segments import Segment, draw_segments, signs_of_frames
from blsh.hashing.similarity import Target, ssm
from blsh.hashing.weights import Objective
from tests.hashing.boosting_cases import SMALL, D, N, rng_for_round, same_rounds, unit_rows

VARIANTS = {
    "project": {},
    "fixed": {"segments": "fixed"},
    "all": {"segments": "fixed", "n_segments": None},
    "contiguous": {"frame_order": "contiguous"},
    "training epsilon": {"epsilon_on": "training", "n_epsilon_segments": 0},
    "xent": {"projection_loss": "xent"},
    "xent boosting": {"projection_loss": "xent", "boosting_loss": "xent"},
    "icassp": {"beta_scale": 0.5},
    "xavier": {"initialisation": "xavier", "learning_rate": 0.01, "learning_rate_unit": "absolute"},
    "no bias": {"bias": False},
    "rbf": {"target": Target("rbf", 0.5)},
    "power": {"target": Target("power", 2.0)},
    "mix": {"target": Target("mix", 0.5)},
    "stop rule": {"min_passes": 12, "max_passes": 60},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_fewer_bits_are_a_prefix_of_more(features, rng, variant):
    params = replace(SMALL, **VARIANTS[variant])
    masks = rng.integers(0, 256, (len(features), 3), dtype=np.uint8)
    long, rounds = boost(features, params, rng_for_round=rng_for_round, masks=masks)
    short, first = boost(features, replace(params, n_bits=3), rng_for_round=rng_for_round, masks=masks)
    assert same_rounds(rounds[:3], first)
    np.testing.assert_array_equal(long.matrix[:3], short.matrix)
    np.testing.assert_array_equal(long.betas, np.array([r.beta for r in rounds], np.float32))
    assert long.n_bits == 5
    assert np.isfinite(long.matrix).all()
    if variant == "no bias":
        assert not long.bias.any()


@pytest.mark.parametrize("segments", ["fresh", "fixed"])
def test_each_round_is_boost_round_on_the_codes_so_far(features, segments):
    params = replace(SMALL, segments=segments)
    projections, rounds = boost(features, params, rng_for_round=rng_for_round)
    last = rng_for_round(5)
    training, held_out = draw_segments(len(features), params, rng=last if segments == "fresh" else rng_for_round(0))

    def segment(numbers):
        frames = features[numbers]
        return Segment(frames, signs_of_frames(frames, projections.prefix(4)), ssm(frames))

    start = centred_start([features[numbers] for numbers in training], bias=True, rng=last)
    again = boost_round(
        [segment(numbers) for numbers in training],
        [r.beta for r in rounds[:4]],
        start,
        params,
        held_out=[segment(numbers) for numbers in held_out],
    )
    assert same_rounds([again], rounds[4:])


def test_boosting_approaches_the_target_better_than_chance(rng):
    centres = unit_rows(rng, 4)
    frames = centres[rng.integers(0, 4, 600)] + 0.05 * rng.random((600, D), dtype=np.float32)
    frames /= np.linalg.norm(frames, axis=1, keepdims=True)
    params = replace(SMALL, n_bits=8, segment_frames=100, target=Target("power", 4.0))
    projections, rounds = boost(frames, params, rng_for_round=rng_for_round)
    signs = signs_of_frames(frames[:100], projections).astype(float)
    learned = np.corrcoef((signs @ signs.T).ravel(), ssm(frames[:100]).ravel())[0, 1]
    chance = np.sign((frames[:100] - frames.mean(axis=0)) @ rng.normal(size=(D, 8)))
    assert learned > np.corrcoef((chance @ chance.T).ravel(), ssm(frames[:100]).ravel())[0, 1]
    assert all(r.epsilon < 0.5 for r in rounds[:3])


def test_cross_entropy_for_the_weights_makes_beta_negative(features):
    # What the papers print: ε of round 1 exceeds ½, so W grows where the bit was right.
    params = replace(SMALL, projection_loss="xent", boosting_loss="xent")
    _, rounds = boost(features, params, rng_for_round=rng_for_round)
    assert rounds[0].epsilon > 0.5
    assert rounds[0].beta < 0


def test_another_rule_takes_the_place_of_the_papers(features):
    seen = []

    def residual(target, codes, betas, *, weight_loss, loss, out=None):
        seen.append((codes.shape[1], len(betas)))
        signs = codes.astype(np.float32)
        matrix = (codes.shape[1] + 1) * (target - target.mean()) - signs @ signs.T
        return Objective(matrix, 0.0, np.zeros(len(target)), float("nan"))

    params = replace(SMALL, segments="fixed", epsilon_on="training", n_epsilon_segments=0)
    _, rounds = boost(features, params, rng_for_round=rng_for_round, rule=residual)
    assert sorted(set(seen)) == [(n, n) for n in range(5)]
    assert not any(r.duplicate_of for r in rounds)


def test_codes_in_training_are_those_of_encode(features):
    projections, _ = boost(features, SMALL, rng_for_round=rng_for_round)
    signs = signs_of_frames(features, projections)
    assert signs.dtype == np.int8
    np.testing.assert_array_equal(signs > 0, unpack_bits(encode(features, projections)))


def test_history_table(features):
    _, rounds = boost(features, SMALL, rng_for_round=rng_for_round)
    table = history_table(rounds)
    assert list(table.columns) == [
        "round",
        "beta",
        "epsilon",
        "effective_pairs",
        "passes",
        "share_of_ones",
        "duplicate_of",
    ]
    assert table["round"].tolist() == [1, 2, 3, 4, 5]
    assert table["effective_pairs"][0] == pytest.approx(N**2)
    assert table["beta"][2] == rounds[2].beta
    assert ((table["share_of_ones"] >= 0) & (table["share_of_ones"] <= 1)).all()


def test_constant_and_duplicate_bits_are_recorded(features):
    # Steps too small to move: bit 1 always 1, bits 2 and 3 cut at the same place from opposite sides.
    start = np.zeros((3, D + 1))
    start[0, -1] = 5
    start[1, 0], start[1, -1] = 1, -0.1
    start[2] = -start[1]
    params = replace(SMALL, n_bits=3, learning_rate=1e-9, learning_rate_unit="absolute")
    _, rounds = boost(features, params, rng_for_round=rng_for_round, initial=start)
    assert rounds[0].share_of_ones == 1
    assert [r.duplicate_of for r in rounds] == [0, 0, 2]


def test_equal_frames_are_nothing_to_learn_but_no_nan(rng):
    features = np.tile(unit_rows(rng, 1), (300, 1)) * np.float32(1.0001)
    params = replace(SMALL, projection_loss="xent", initialisation="xavier")
    projections, rounds = boost(features, params, rng_for_round=rng_for_round)
    assert np.isfinite(projections.matrix).all()
    assert all(1e-6 <= r.epsilon <= 1 - 1e-6 and math.isfinite(r.beta) for r in rounds)


def test_mapped_features_and_scratch_files_change_nothing(features, tmp_path):
    np.save(tmp_path / "features.npy", features)
    mapped = np.load(tmp_path / "features.npy", mmap_mode="r")
    params = replace(SMALL, segments="fixed", n_segments=None)
    expected = boost(features, params, rng_for_round=rng_for_round)[1]
    rounds = boost(mapped, params, rng_for_round=rng_for_round, memory_bytes=1000, scratch=tmp_path / "scratch")[1]
    assert same_rounds(rounds, expected)
    assert not list((tmp_path / "scratch").iterdir())


def test_progress_counts_the_rounds(features):
    calls = []
    _, rounds = boost(features, SMALL, rng_for_round=rng_for_round, progress=lambda *values: calls.append(values))
    assert [call[0] for call in calls] == [1, 2, 3, 4, 5]
    assert [call[2:4] for call in calls] == [(r.epsilon, r.beta) for r in rounds]
    assert all(call[1] == 5 and call[4] > 0 for call in calls)
    assert calls[-1][5] == 0


THREADS_SCRIPT = """
import hashlib, numpy as np
from dataclasses import replace
from pathlib import Path
from blsh.hashing.boosting import boost
from blsh.hashing.profiles import PROFILES
rng = np.random.default_rng(3)
features = rng.random((4000, 65), dtype=np.float32) ** 3
features /= np.linalg.norm(features, axis=1, keepdims=True)
digest = hashlib.sha256()
for segments in ("fresh", "fixed"):
    params = replace(PROFILES["project"], n_bits=4, segment_frames=330, n_segments=6, segments=segments)
    projections, rounds = boost(features, params, rng_for_round=lambda number: np.random.default_rng(number))
    digest.update(projections.matrix.tobytes() + projections.bias.tobytes())
    digest.update(np.array([[r.beta, r.effective_pairs] for r in rounds]).tobytes())
print(digest.hexdigest())
"""


def test_same_bytes_with_one_and_two_threads():
    digests = []
    for n_threads in ("1", "2"):
        environment = dict(os.environ, NUMBA_NUM_THREADS=n_threads, PYTHONPATH=os.pathsep.join(sys.path))
        environment.pop("NUMBA_DISABLE_JIT", None)  # there is no second thread without it
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            environment[name] = n_threads
        run = subprocess.run(
            [sys.executable, "-c", THREADS_SCRIPT],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        digests.append(run.stdout)
    assert len(digests[0].strip()) == 64
    assert digests[0] == digests[1]


def test_too_few_frames(features):
    with pytest.raises(ValueError, match=r"23 frames are fewer than segment_frames=24: lower it"):
        boost(features[:23], SMALL, rng_for_round=rng_for_round)
    with pytest.raises(ValueError, match=r"3 segments .* and 2 .* need 120 frames, but there are 119: lower n_seg"):
        boost(features[:119], SMALL, rng_for_round=rng_for_round)
    params = replace(SMALL, segments="fixed", n_segments=None)
    with pytest.raises(ValueError, match=r"1 segments .* and 2 .* need 72 frames, but there are 50"):
        boost(features[:50], params, rng_for_round=rng_for_round)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_features_that_are_not_finite(features, bad):
    features[217, 3] = bad
    with pytest.raises(ValueError, match="features row 217 holds NaN or infinity"):
        boost(features, SMALL, rng_for_round=rng_for_round)


def test_inputs_that_do_not_match(features):
    with pytest.raises(TypeError, match=r"features are float64 of shape \(300, 10\): float32 \(frames, width\)"):
        boost(features.astype(float), SMALL, rng_for_round=rng_for_round)
    with pytest.raises(ValueError, match=r"initial has shape \(5, 10\): n_bits=5 starts of 11 numbers needed"):
        boost(features, SMALL, rng_for_round=rng_for_round, initial=np.zeros((5, 10)))
    with pytest.raises(ValueError, match=r"the target mix-0\.5 needs the frames' binary masks: give masks"):
        boost(features, replace(SMALL, target=Target("mix", 0.5)), rng_for_round=rng_for_round)
    with pytest.raises(ValueError, match=r"masks of shape \(7, 3\) do not match 300 frames"):
        boost(features, SMALL, rng_for_round=rng_for_round, masks=np.zeros((7, 3), np.uint8))
