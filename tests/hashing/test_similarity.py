import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blsh.hashing._mask_overlap import shared_bins
from blsh.hashing.similarity import (
    Target,
    binary_ssm,
    centred,
    mask_cosine,
    mix,
    parse_target,
    power,
    rbf,
    ssm,
    target_ssm,
)
from blsh.signal.masks import pack_masks

FLOAT32 = 1e-6  # sums of some dozens of products below 1


@pytest.fixture
def features(rng):
    rows = rng.random((20, 30)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def masks(rng):
    masks = rng.random((20, 50)) < 0.3
    masks[[3, 7]] = False
    return masks


def pairs_of(function, rows):
    return np.array([[function(a, b) for b in rows] for a in rows])


def test_ssm_is_the_inner_product_of_each_pair(features):
    expected = pairs_of(lambda a, b: np.dot(a.astype(float), b.astype(float)), features)
    np.testing.assert_allclose(ssm(features), expected, atol=FLOAT32)


@pytest.mark.parametrize("sigma2", [0.1, 0.5, 0.9])
def test_rbf_is_equation_15(features, sigma2):
    c = np.exp(-1 / sigma2)
    expected = pairs_of(lambda a, b: c * np.exp(np.dot(a.astype(float), b.astype(float)) / sigma2), features)
    np.testing.assert_allclose(rbf(features, sigma2), expected, atol=20 * FLOAT32)  # exp stretches by 1/sigma2


def test_power_and_mix(features, masks):
    np.testing.assert_allclose(power(features, 2.0), ssm(features) ** 2, atol=FLOAT32)
    expected = 0.75 * ssm(features) + 0.25 * mask_cosine(pack_masks(masks))
    np.testing.assert_allclose(mix(features, pack_masks(masks), 0.25), expected, atol=FLOAT32)


@pytest.mark.parametrize("n_bins", [1, 8, 50, 64, 65, 513])
def test_shared_bins_are_counted_pair_by_pair(rng, n_bins):
    masks = rng.random((9, n_bins)) < 0.4
    masks[[2, 5]] = False
    np.testing.assert_array_equal(shared_bins(pack_masks(masks)), pairs_of(lambda a, b: np.sum(a & b), masks))


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_centred_is_the_correlation_of_rows_about_their_mean(features, masks, weight):
    def cosine(a, b):
        return np.dot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b))

    parts = [pairs_of(cosine, rows - rows.mean(axis=0)) for rows in (features.astype(float), masks.astype(float))]
    expected = (1 - weight) * parts[0] + weight * parts[1]
    found = centred(features, pack_masks(masks), weight)
    # Centring takes off what unit rows share, up to nine tenths: so much of float32's digits is lost.
    np.testing.assert_allclose(found, expected, atol=20 * FLOAT32)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, found.T)


def test_centred_of_rows_that_equal_their_mean():
    # The third row lies in the middle of the other two, and all masks are equal: no direction is left.
    rows = np.array([[1, 0], [0, 1], [0.5, 0.5]], dtype=np.float32)
    same = pack_masks(np.ones((3, 5), bool))
    np.testing.assert_array_equal(centred(rows, same, 0.5), np.array([[1, -1, 0], [-1, 1, 0], [0, 0, 0]]) / 2)
    alike = np.repeat(rows[:1], 3, axis=0)
    np.testing.assert_array_equal(centred(alike, same, 0.5), np.zeros((3, 3)))


def test_mask_cosine_of_empty_masks_is_one_with_empty_and_zero_with_others(masks):
    def cosine(a, b):
        if not a.any() and not b.any():
            return 1.0
        if not a.any() or not b.any():
            return 0.0
        return np.sum(a & b) / np.sqrt(a.sum() * b.sum())

    np.testing.assert_allclose(mask_cosine(pack_masks(masks)), pairs_of(cosine, masks), atol=FLOAT32)


@pytest.mark.parametrize("target", [Target(), Target("rbf", 0.5), Target("power", 2.0), Target("mix", 0.5)])
@pytest.mark.parametrize("loudness", [0.0, 1.0, 1.01, -1.0])
def test_targets_stay_between_0_and_1_and_symmetric(features, masks, target, loudness):
    similarity = target_ssm(np.float32(loudness) * features, target, masks=pack_masks(masks))
    assert target.is_share
    assert similarity.dtype == np.float32
    assert similarity.min() >= 0
    assert similarity.max() <= 1
    np.testing.assert_array_equal(similarity, similarity.T)


def test_target_ssm_of_opposite_rows_is_finite_for_a_broken_power():
    rows = np.array([[1, 0], [-1, 0]], dtype=np.float32)
    np.testing.assert_array_equal(target_ssm(rows, Target("power", 0.5)), np.eye(2, dtype=np.float32))


def test_binary_ssm_is_the_share_of_equal_bits():
    codes = np.array([[1, 1, -1], [1, -1, -1], [-1, -1, 1]])
    expected = np.array([[3, 2, 0], [2, 3, 1], [0, 1, 3]]) / 3
    np.testing.assert_allclose(binary_ssm(codes), expected, atol=FLOAT32)
    weighted = np.array([[4, 2, 0], [2, 4, 2], [0, 2, 4]]) / 4
    np.testing.assert_allclose(binary_ssm(codes, np.array([1.0, 2.0, 1.0])), weighted, atol=FLOAT32)


@given(st.integers(1, 40), st.integers(0, 1000))
def test_binary_ssm_stays_between_0_and_1(n_bits, seed):
    rng = np.random.default_rng(seed)
    similarity = binary_ssm(rng.choice([-1, 1], (6, n_bits)), rng.random(n_bits) + 0.01)
    assert similarity.min() >= -FLOAT32
    assert similarity.max() <= 1 + FLOAT32


def test_target_names():
    assert str(Target()) == "ssm"
    assert str(Target("rbf", 0.5)) == "rbf-0.5"
    assert str(Target("mix", 0.25)) == "mix-0.25"
    assert str(Target("power", 2.0)) == "power-2"


@pytest.mark.parametrize(("name", "most"), [("rbf", 1e6), ("power", 1e6), ("mix", 1.0), ("centred", 1.0)])
@given(st.data())
def test_targets_are_read_back_from_their_names(name, most, data):
    target = Target(name, data.draw(st.floats(1e-6, most)))
    assert parse_target(str(target)) == target


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rbf-0", "the target rbf needs sigma2 > 0, not 0.0"),
        ("rbf--1", "the target rbf needs sigma2 > 0, not -1.0"),
        ("rbf-nan", "the target rbf needs sigma2 > 0, not nan"),
        ("rbf-small", "target 'rbf-small': 'small' is not a number; write it like rbf-0.5"),
        ("rbf-", "target 'rbf-': '' is not a number; write it like rbf-0.5"),
        ("rbf", "the target rbf needs its parameter, sigma2 > 0"),
        ("ssm-1", "the target ssm takes no parameter, but 1.0 was given"),
        ("rfb-0.5", "target='rfb' is unknown: choose one of ssm, rbf, power, mix, centred"),
    ],
)
def test_texts_that_are_no_target(text, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        parse_target(text)


@pytest.mark.parametrize(
    ("name", "parameter", "message"),
    [
        ("cosine", None, "target='cosine' is unknown: choose one of ssm, rbf, power, mix, centred"),
        ("ssm", 0.5, "the target ssm takes no parameter, but 0.5 was given"),
        ("rbf", None, "the target rbf needs its parameter, sigma2 > 0"),
        ("rbf", 0.0, "the target rbf needs sigma2 > 0, not 0.0"),
        ("rbf", float("nan"), "the target rbf needs sigma2 > 0, not nan"),
        ("power", -1.0, "the target power needs gamma > 0, not -1.0"),
        ("mix", 1.5, "the target mix needs a weight between 0 and 1, not 1.5"),
    ],
)
def test_bad_targets(name, parameter, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        Target(name, parameter)


def test_mix_needs_one_mask_per_frame(features, masks):
    with pytest.raises(ValueError, match="needs the frames' binary masks: give masks"):
        target_ssm(features, Target("mix", 0.5))
    with pytest.raises(ValueError, match="5 masks do not match 20 frames"):
        target_ssm(features, Target("mix", 0.5), masks=pack_masks(masks[:5]))


def test_betas_must_match_the_bits():
    with pytest.raises(ValueError, match="2 betas do not match 3 bits"):
        binary_ssm(np.ones((4, 3)), np.ones(2))
    with pytest.raises(ValueError, match="a weighted mean needs a positive sum"):
        binary_ssm(np.ones((4, 2)), np.array([1.0, -1.0]))
