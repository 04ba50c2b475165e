"""Principal components and their rotation, against the textbook forms and on data whose answer is known."""

import numpy as np
import pytest

from blsh.hashing.by_length import load_projections_by_length, save_projections_by_length
from blsh.hashing.codes import unpack_bits
from blsh.hashing.itq import itq, pca_sign, principal_axes
from blsh.hashing.projections import encode, save_projections
from tests.naive_itq import naive_itq, quantisation_loss


@pytest.fixture
def features(rng):
    """Frames that vary more in some directions than in others, away from 0."""
    mixing = rng.standard_normal((12, 12)) * np.linspace(2, 0.1, 12)[:, None]
    return (5 + rng.standard_normal((400, 12)) @ mixing).astype(np.float32)


def bits_of(features, projections):
    return unpack_bits(encode(features, projections))


def test_axes_are_those_of_the_singular_value_decomposition(features):
    principal = principal_axes(features)
    centred = features - features.mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(principal.mean, features.mean(axis=0, dtype=np.float64))
    np.testing.assert_allclose(principal.axes @ principal.axes.T, np.eye(12), atol=1e-12)
    rows = np.linalg.svd(centred, full_matrices=False)[2]
    np.testing.assert_allclose(np.abs(np.sum(principal.axes * rows, axis=1)), 1, atol=1e-9)
    variances = ((centred @ principal.axes.T) ** 2).sum(axis=0)
    assert (np.diff(variances) < 0).all()
    largest = principal.axes[np.arange(12), np.abs(principal.axes).argmax(axis=1)]
    assert (largest > 0).all()


def test_many_frames_are_taken_in_parts(features):
    many = np.tile(features, (11, 1))  # 4400 rows, more than are multiplied at once
    np.testing.assert_allclose(principal_axes(many).axes, principal_axes(features).axes, atol=1e-6)


def test_pca_bits_are_the_signs_of_components(features):
    principal = principal_axes(features)
    components = (features - principal.mean) @ principal.axes.T
    found = bits_of(features, pca_sign(principal, 7))
    decided = np.abs(components[:, :7]) > 1e-4  # float32 may turn what lies nearer to 0
    assert decided.mean() > 0.99
    np.testing.assert_array_equal(found[decided], (components[:, :7] >= 0)[decided])
    np.testing.assert_array_equal(bits_of(features, pca_sign(principal, 3)), found[:, :3])


@pytest.mark.parametrize("seed", range(5))
def test_a_turned_square_is_turned_back(seed):
    # Frames at the corners of a square, equally many at each: ITQ's rotation turns it back, and nothing is lost.
    rng = np.random.default_rng(seed)
    corners = np.repeat([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]], 9, axis=0)
    turn = np.linalg.qr(rng.standard_normal((2, 2)))[0]
    features = (3 + corners @ turn.T).astype(np.float32)
    learned = itq(features, principal_axes(features), 2, rng=rng)
    values = features.astype(np.float64) @ learned.matrix.T.astype(np.float64) + learned.bias
    np.testing.assert_allclose(np.abs(values), 1, atol=1e-5)
    agreement = np.abs(np.where(bits_of(features, learned), 1, -1).T @ corners) / len(corners)
    np.testing.assert_array_equal(agreement.max(axis=1), np.ones(2))
    assert sorted(agreement.argmax(axis=1)) == [0, 1]


@pytest.mark.parametrize("n_bits", [1, 5, 12])
def test_rotation_is_that_of_the_paper_and_loses_less(features, n_bits):
    principal = principal_axes(features)
    components = (features - principal.mean) @ principal.axes[:n_bits].T
    rotation, losses = naive_itq(components, n_turns=50, rng=np.random.default_rng(3))
    learned = itq(features, principal, n_bits, rng=np.random.default_rng(3))
    np.testing.assert_allclose(learned.matrix, rotation.T @ principal.axes[:n_bits], atol=1e-3)
    np.testing.assert_allclose(learned.matrix @ learned.matrix.T, np.eye(n_bits), atol=1e-5)
    assert (np.diff(losses) <= 1e-9).all()
    assert losses[-1] <= quantisation_loss(components, np.eye(n_bits)) + 1e-9 or n_bits == 1


def test_another_length_changes_no_model(features):
    principal = principal_axes(features)
    one, same, other = (itq(features, principal, 6, rng=np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.matrix.tobytes() == same.matrix.tobytes() and one.bias.tobytes() == same.bias.tobytes()
    assert one.matrix.tobytes() != other.matrix.tobytes()


def test_more_bits_than_directions(features, rng):
    few = features[:5]  # span four directions
    principal = principal_axes(few)
    assert principal.axes.shape == (4, 12)
    for make in (lambda: pca_sign(principal, 5), lambda: itq(few, principal, 5, rng=rng)):
        with pytest.raises(ValueError, match=r"n_bits=5 must lie in 1…4, the directions that the frames have"):
            make()
    with pytest.raises(ValueError, match="the 7 frames are all alike"):
        principal_axes(np.ones((7, 3), np.float32))


def test_models_by_length_are_kept_in_one_file(features, tmp_path, rng):
    principal = principal_axes(features)
    made = {n_bits: itq(features, principal, n_bits, rng=rng) for n_bits in (7, 2)}
    save_projections_by_length(tmp_path / "itq.npz", made)
    found = load_projections_by_length(tmp_path / "itq.npz")
    assert list(found) == [2, 7]
    for n_bits, projections in found.items():
        np.testing.assert_array_equal(projections.matrix, made[n_bits].matrix)
        np.testing.assert_array_equal(projections.bias, made[n_bits].bias)
    save_projections(tmp_path / "one.npz", made[2])
    with pytest.raises(ValueError, match=r"one.npz holds kind 'projections' where 'projections by length' is needed"):
        load_projections_by_length(tmp_path / "one.npz")
    save_projections_by_length(tmp_path / "wrong.npz", {3: made[2]})
    with pytest.raises(ValueError, match=r"wrong.npz does not hold projections by length: a matrix has another number"):
        load_projections_by_length(tmp_path / "wrong.npz")
