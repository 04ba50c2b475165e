"""One round: by hand, against its naive twin, and its gradient and steps against torch."""

import math
from dataclasses import replace

import numpy as np
import pytest

from blsh.hashing.adam import adam_start, adam_step
from blsh.hashing.boosting import boost_round
from blsh.hashing.descent import surrogate_gradient
from blsh.hashing.initialisation import centred_start
from blsh.hashing.profiles import TrainingParams
from blsh.hashing.segments import Segment
from blsh.hashing.similarity import ssm
from blsh.hashing.weights import papers_rule
from tests import naive_boosting as naive
from tests.hashing.boosting_cases import FLOAT32, LOSSES, D, N, unit_rows

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
