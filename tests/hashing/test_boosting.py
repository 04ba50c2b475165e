import logging
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blsh.files.arrays import load_stamped, save_stamped
from blsh.hashing.adam import adam_start, adam_step
from blsh.hashing.boosting import boost, boost_round
from blsh.hashing.codes import unpack_bits
from blsh.hashing.descent import surrogate_gradient
from blsh.hashing.initialisation import centred_start, xavier_start
from blsh.hashing.profiles import PROFILES, TrainingParams
from blsh.hashing.projections import encode
from blsh.hashing.rounds import history_table
from blsh.hashing.scratch import Scratch, release_pages
from blsh.hashing.segments import Segment, draw_segments, signs_of_frames
from blsh.hashing.similarity import Target, ssm
from blsh.hashing.training_state import load_rounds
from blsh.hashing.weights import Objective, pair_losses, pair_weights, papers_rule
from tests import naive_boosting as naive

LOSSES = ("square", "xent")
FLOAT32 = 2e-5  # relative, of weights: ln W is a float32 of some tens
N, D = 24, 10

FRESH = TrainingParams(segments="fresh", n_segments=20, epsilon_on="held-out", n_epsilon_segments=4)
SMALL = replace(FRESH, n_bits=5, segment_frames=N, n_segments=3, n_epsilon_segments=2, min_passes=3, max_passes=3)


def rng_for_round(number):
    return np.random.default_rng([5, number])


def unit_rows(rng, n, width=D):
    rows = rng.random((n, width)).astype(np.float32) ** 3
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def features(rng):
    return unit_rows(rng, 300)


def same_rounds(a, b):
    return len(a) == len(b) and all(
        x.projection.tobytes() == y.projection.tobytes()
        and (x.bias, x.beta, x.epsilon, x.passes) == (y.bias, y.beta, y.epsilon, y.passes)
        and x.losses.tobytes() == y.losses.tobytes()
        and (x.effective_pairs, x.share_of_ones, x.duplicate_of) == (y.effective_pairs, y.share_of_ones, y.duplicate_of)
        for x, y in zip(a, b, strict=True)
    )


# --- three frames, by hand
# -----------------------------------------------------------------------------------------

# Frames 1 and 2 are alike, 3 is unlike both; an earlier round of weight ln 2 gave all three the bit +1. So it
# was right on the 5 pairs with S = 1 and wrong, by 1, on the 4 with S = 0: W is 1/13 on the former and 2/13
# on the latter.
TARGET = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=np.float32)
THREE = Segment(np.array([[2], [1], [-1]], dtype=np.float32), np.ones((3, 1), np.int8), TARGET)
ONE_STEP = TrainingParams(
    segment_frames=3, min_passes=1, max_passes=1, learning_rate=0.25, learning_rate_unit="absolute", beta_scale=1.0
)


def test_objective_of_three_frames():
    objective = papers_rule(TARGET, THREE.codes, np.array([math.log(2)]), weight_loss="square", loss="square")
    np.testing.assert_allclose(13 * objective.matrix, [[1, 1, -2], [1, 1, -2], [-2, -2, 1]], rtol=1e-6)
    np.testing.assert_allclose(13 * objective.row_weights, [4, 4, 5], rtol=1e-6)
    assert objective.constant == pytest.approx(1 / 2)  # S² - S + ½ is ½ for every pair
    assert objective.effective_pairs == pytest.approx(169 / 21)  # 1 / (5 · 1² + 4 · 2²) · 13²
    assert objective.loss(np.array([1, 1, -1])) == pytest.approx(0, abs=1e-6)
    assert objective.loss(np.array([1, 1, 1])) == pytest.approx(8 / 13)


def test_round_of_three_frames_ends_where_frame_3_is_on_the_boundary():
    # From (p, b) = (½, 1) all bits are +1 and the loss is 8/13. M t = (0, 0, -3/13), so only frame 3 pulls:
    # the gradient of p is -3/13 sech²(½) and that of b its opposite. Adam's first step is the learning rate
    # against each sign: (¾, ¾). Now z = (9/4, 3/2, 0), and 0 counts as +1: nothing has improved, ε = 8/13.
    learned = boost_round([THREE], [math.log(2)], np.array([0.5, 1.0]), ONE_STEP)
    assert (learned.projection.tolist(), learned.bias) == ([0.75], 0.75)
    assert learned.losses.tolist() == pytest.approx([8 / 13])
    assert learned.epsilon == pytest.approx(8 / 13)
    assert learned.beta == pytest.approx(math.log(5 / 8))
    assert learned.effective_pairs == pytest.approx(169 / 21)
    assert (learned.passes, learned.share_of_ones, learned.duplicate_of) == (1, 1.0, 1)


def test_round_of_three_frames_that_a_longer_step_solves():
    # A step of 0.3 makes (0.8, 0.7): z = (2.3, 1.5, -0.1), every pair is right, and ε is what the clip
    # leaves.
    params = replace(ONE_STEP, learning_rate=0.3, beta_scale=0.5)
    learned = boost_round([THREE], [math.log(2)], np.array([0.5, 1.0]), params)
    assert learned.epsilon == 1e-6
    assert learned.beta == pytest.approx(0.5 * math.log((1 - 1e-6) / 1e-6))
    assert learned.share_of_ones == pytest.approx(2 / 3)
    assert learned.duplicate_of == 0


def test_epsilon_comes_from_the_held_out_segment():
    # There frame 3 is alike as well, and its pairs have W = 1/9: the bits (+, +, -) are wrong on 4 of 9.
    other = Segment(THREE.frames, THREE.codes, np.ones((3, 3), np.float32))
    learned = boost_round(
        [THREE], [math.log(2)], np.array([0.5, 1.0]), replace(ONE_STEP, learning_rate=0.3), held_out=[other]
    )
    assert learned.epsilon == pytest.approx(4 / 9)


# --- weights
# -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES)
def test_weights_from_codes_equal_repeated_multiplication(rng, loss):
    target = ssm(unit_rows(rng, N))
    codes = rng.choice(np.array([-1, 1], np.int8), (N, 12))
    betas = rng.normal(0.2, 0.4, 12)  # some negative, as cross-entropy makes them
    for n_rounds in (0, 1, 12):
        weights = pair_weights(target, codes[:, :n_rounds], betas[:n_rounds], loss=loss)
        expected = naive.pair_weights(target, codes[:, :n_rounds], betas[:n_rounds], loss)
        np.testing.assert_allclose(weights, expected, rtol=FLOAT32)


@pytest.mark.parametrize("loss", LOSSES)
def test_loss_is_that_of_the_pairs(rng, loss):
    target = ssm(unit_rows(rng, N))
    codes = rng.choice(np.array([-1, 1], np.int8), (N, 4))
    betas = np.array([1.0, 0.8, 0.6, 0.3])
    objective = papers_rule(target, codes, betas, weight_loss="square", loss=loss)
    signs = rng.choice([-1, 1], N)
    weights = naive.pair_weights(target, codes, betas, "square")
    expected = np.sum(weights * naive.losses_of_pairs(signs, target, loss))
    assert objective.loss(signs) == pytest.approx(expected, rel=FLOAT32)


@pytest.mark.parametrize("loss", LOSSES)
def test_weights_stay_finite_at_the_ends_of_similarity(loss):
    target = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]], dtype=np.float32)
    codes = np.tile(np.array([[1], [1], [-1]], np.int8), 300)
    objective = papers_rule(target, codes, np.full(300, 13.0), weight_loss=loss, loss=loss)
    assert np.isfinite(objective.matrix).all()
    assert np.isfinite(objective.constant)
    assert 1 <= objective.effective_pairs <= 9


def test_unknown_loss():
    with pytest.raises(ValueError, match="loss='hinge' is unknown: choose one of square, xent"):
        pair_losses(TARGET, loss="hinge")


# --- a round
# -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("projection_loss", LOSSES)
@pytest.mark.parametrize("boosting_loss", LOSSES)
@pytest.mark.parametrize("square_gradient", ["affine", "autograd"])
def test_round_equals_its_naive_twin(rng, projection_loss, boosting_loss, square_gradient):
    frames = [unit_rows(rng, N) for _ in range(2)]
    targets = [ssm(rows) for rows in frames]
    codes = [rng.choice(np.array([-1, 1], np.int8), (N, 3)) for _ in range(2)]
    betas = [0.9, -0.2, 0.5]
    start = centred_start(frames, bias=True, rng=rng)
    params = TrainingParams(
        projection_loss=projection_loss,
        boosting_loss=boosting_loss,
        square_gradient=square_gradient,
        min_passes=4,
        max_passes=4,
        learning_rate=0.05,
        learning_rate_unit="absolute",
    )
    segments = [Segment(h, c, s) for h, c, s in zip(frames, codes, targets, strict=True)]
    learned = boost_round(segments, betas, start, params)
    vector, epsilon, losses = naive.boost_round(
        frames,
        targets,
        codes,
        betas,
        start,
        projection_loss=projection_loss,
        boosting_loss=boosting_loss,
        square_gradient=square_gradient,
        rate=0.05,
        passes=4,
    )
    # Eight steps of Adam, which divides small gradients by small numbers, on float32 products.
    np.testing.assert_allclose(np.append(learned.projection, learned.bias), vector, rtol=0, atol=1e-4)
    np.testing.assert_allclose(learned.losses, losses, rtol=FLOAT32)
    assert learned.epsilon == pytest.approx(epsilon, rel=FLOAT32)


@pytest.mark.parametrize(("loss", "square_gradient"), [("xent", "affine"), ("square", "autograd")])
def test_gradient_equals_torch_autograd(rng, loss, square_gradient):
    torch = pytest.importorskip("torch")

    class Sign(torch.autograd.Function):
        @staticmethod
        def forward(context, z):
            context.save_for_backward(z)
            return torch.where(z >= 0, 1.0, -1.0).to(z.dtype)

        @staticmethod
        def backward(context, gradient):
            (z,) = context.saved_tensors
            return gradient * (1 - torch.tanh(z) ** 2)

    frames = unit_rows(rng, N)
    target = ssm(frames)
    codes = rng.choice(np.array([-1, 1], np.int8), (N, 3))
    betas = np.array([0.9, 0.4, 0.5])
    vector = torch.tensor(centred_start([frames], bias=True, rng=rng), requires_grad=True)
    rows, s = torch.tensor(frames.astype(float)), torch.tensor(target.astype(float))
    w = torch.tensor(naive.pair_weights(target, codes, betas, "square"))
    t = Sign.apply(rows @ vector[:-1] + vector[-1])
    b = (torch.outer(t, t) + 1) / 2
    pairs = (b - s) ** 2 if loss == "square" else -b * torch.log(s + 1e-10) - (1 - b) * torch.log(1 - s + 1e-10)
    torch.sum(w * pairs).backward()

    objective = papers_rule(target, codes, betas, weight_loss="square", loss=loss)
    start = vector.detach().numpy()
    z = frames @ start[:-1].astype(np.float32) + np.float32(start[-1])
    signs = np.where(z >= 0, 1.0, -1.0)
    pull = objective.row_weights if square_gradient == "autograd" else None
    gradient = surrogate_gradient(frames, z, signs, objective.matrix.astype(float) @ signs, pull)
    np.testing.assert_allclose(gradient, vector.grad.numpy(), rtol=0, atol=1e-5 * np.abs(gradient).max())


def test_affine_gradient_of_the_square_equals_torch_autograd_of_the_affine_form(rng):
    torch = pytest.importorskip("torch")
    frames = unit_rows(rng, N)
    target = ssm(frames)
    objective = papers_rule(target, np.empty((N, 0), np.int8), np.array([]), weight_loss="square", loss="square")
    signs = torch.tensor(rng.choice([-1.0, 1.0], N), requires_grad=True)
    b = (torch.outer(signs, signs) + 1) / 2
    s = torch.tensor(target.astype(float))
    torch.mean(s**2 + b * (1 - 2 * s)).backward()
    product = objective.matrix.astype(float) @ signs.detach().numpy()
    np.testing.assert_allclose(-product, signs.grad.numpy(), rtol=0, atol=1e-5 * np.abs(product).max())


def test_adam_equals_torch(rng):
    torch = pytest.importorskip("torch")
    gradients = rng.normal(size=(50, D))
    vector = torch.tensor(np.ones(D), requires_grad=True)
    optimiser = torch.optim.Adam([vector], lr=1e-2, betas=(0.95, 0.98), eps=1e-8)
    ours, state = np.ones(D), adam_start(D)
    for gradient in gradients:
        vector.grad = torch.tensor(gradient)
        optimiser.step()
        ours, state = adam_step(ours, gradient, state, learning_rate=1e-2)
    np.testing.assert_allclose(ours, vector.detach().numpy(), rtol=1e-12)


# --- starts and segments
# -------------------------------------------------------------------------------------------


def test_xavier_start_has_its_variance(rng):
    starts = np.array([xavier_start(9, bias=True, rng=rng) for _ in range(4000)])
    assert starts.shape[1] == 10
    assert starts.std() == pytest.approx(math.sqrt(2 / 11), rel=0.02)
    starts = np.array([xavier_start(9, bias=False, rng=rng) for _ in range(4000)])
    assert not starts[:, -1].any()
    assert starts[:, :-1].std() == pytest.approx(math.sqrt(2 / 10), rel=0.02)


def test_centred_start_halves_the_frames(rng):
    frames = [unit_rows(rng, N) for _ in range(3)]
    start = centred_start(frames, bias=True, rng=rng)
    values = np.concatenate(frames) @ start[:-1] + start[-1]
    assert values.mean() == pytest.approx(0, abs=1e-5)
    assert values.std() == pytest.approx(1, rel=1e-5)
    assert centred_start(frames, bias=False, rng=rng)[-1] == 0


def test_centred_start_needs_frames_that_differ(rng):
    with pytest.raises(ValueError, match="the training frames are all alike"):
        centred_start([np.full((N, D), 0.3, np.float32)], bias=True, rng=rng)


@pytest.mark.parametrize("frame_order", ["shuffled", "contiguous"])
@pytest.mark.parametrize("n_segments", [2, None])
def test_segments_never_share_a_frame(rng, frame_order, n_segments):
    params = replace(
        SMALL,
        segments="fixed",
        segment_frames=7,
        n_segments=n_segments,
        n_epsilon_segments=1,
        frame_order=frame_order,
    )
    training, held_out = draw_segments(40, params, rng=rng)
    assert training.shape == (2 if n_segments else 4, 7)
    assert held_out.shape == (1, 7)
    frames = np.concatenate([training, held_out])
    assert len(np.unique(frames)) == frames.size
    assert frames.max() < 40
    if frame_order == "contiguous":
        np.testing.assert_array_equal(frames % 7, np.tile(np.arange(7), (len(frames), 1)))
        np.testing.assert_array_equal(np.sort(training[:, 0]), training[:, 0])


def test_all_contiguous_segments_are_in_order(rng):
    params = replace(PROFILES["authors2022"], segment_frames=7, frame_order="contiguous")
    training, held_out = draw_segments(30, params, rng=rng)
    np.testing.assert_array_equal(training.ravel(), np.arange(28))
    assert not len(held_out)


# --- training
# ------------------------------------------------------------------------------------------------------

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


def test_scratch_without_a_folder_is_an_error():
    scratch = Scratch(1000)
    assert scratch.empty(100).shape == (100,)
    with pytest.raises(ValueError, match=r"needs a further 1600 bytes but may use 600: .*lower n_segments"):
        scratch.empty(20, 20)


def test_pages_of_a_mapped_file_are_let_go(tmp_path):
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("only Linux tells the memory of mapped files")
    np.save(tmp_path / "array.npy", np.ones((2000, 1000)))
    mapped = np.load(tmp_path / "array.npy", mmap_mode="r")[1:]

    def mapped_bytes():
        return 1024 * int(status.read_text(encoding="ascii").split("RssFile:")[1].split()[0])

    assert mapped.sum() == 1_999_000
    before = mapped_bytes()
    release_pages(mapped)
    assert mapped_bytes() < before - 12_000_000
    assert mapped.sum() == 1_999_000


def test_changes_that_a_mapping_keeps_for_itself_stay(tmp_path):
    np.save(tmp_path / "array.npy", np.ones(1000))
    mapped = np.load(tmp_path / "array.npy", mmap_mode="c")
    mapped[:] = 2
    release_pages(mapped)
    assert mapped.sum() == 2000


def test_progress_counts_the_rounds(features):
    calls = []
    _, rounds = boost(features, SMALL, rng_for_round=rng_for_round, progress=lambda *values: calls.append(values))
    assert [call[0] for call in calls] == [1, 2, 3, 4, 5]
    assert [call[2:4] for call in calls] == [(r.epsilon, r.beta) for r in rounds]
    assert all(call[1] == 5 and call[4] > 0 for call in calls)
    assert calls[-1][5] == 0


# --- resuming
# ------------------------------------------------------------------------------------------------------


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


# --- the same bytes on any number of threads
# -----------------------------------------------------------------------

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


# --- bad input
# -----------------------------------------------------------------------------------------------------


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
