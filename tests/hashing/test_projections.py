import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blsh.hashing.codes import unpack_bits
from blsh.hashing.projections import (
    Projections,
    encode,
    load_projections,
    random_projections,
    save_projections,
)
from tests import naive_hashing as naive


@given(st.integers(0, 9), st.integers(1, 70), st.integers(1, 13), st.integers(0, 2**32))
def test_encode_equals_its_definition(n_frames, n_bits, n_features, seed):
    rng = np.random.default_rng(seed)
    # Few distinct values make sums that are exactly zero, where the sign rule decides.
    features = rng.integers(-2, 3, (n_frames, n_features)).astype(np.float32)
    projections = Projections(
        rng.integers(-2, 3, (n_bits, n_features)).astype(np.float32),
        rng.integers(-2, 3, n_bits).astype(np.float32),
    )
    codes = encode(features, projections)
    assert codes.n_bits == n_bits
    np.testing.assert_array_equal(unpack_bits(codes), naive.bits_of(features, projections.matrix, projections.bias))


def test_the_order_of_the_sum_is_the_definition():
    # 1e30 + 1 - 1e30 is 0 in this order and 1 in another; a bias added first would be lost in 1e30.
    projections = Projections(
        np.array([[1e30, 1, -1e30], [1e30, -1e30, 0.25]], np.float32), np.array([-0.5, -0.5], np.float32)
    )
    features = np.ones((1, 3), np.float32)
    np.testing.assert_array_equal(unpack_bits(encode(features, projections)), [[False, False]])
    np.testing.assert_array_equal(unpack_bits(encode(features, projections.prefix(1))), [[False]])
    np.testing.assert_array_equal(naive.bits_of(features, projections.matrix, projections.bias), [[False, False]])


def test_near_zero_sums_are_decided_alike(rng):
    # The bias is minus the float32 of the very sum, so the last digits of the float64 sum decide every bit.
    features = rng.random((6, 33)).astype(np.float32)
    matrix = rng.standard_normal((70, 33), dtype=np.float32)
    bias = -(matrix.astype(float) @ features[0].astype(float)).astype(np.float32)
    np.testing.assert_array_equal(
        unpack_bits(encode(features, Projections(matrix, bias))), naive.bits_of(features, matrix, bias)
    )


def test_zero_counts_as_one():
    zero = Projections(np.zeros((3, 2), np.float32), np.array([0.0, -0.0, -1e-30], np.float32))
    np.testing.assert_array_equal(unpack_bits(encode(np.zeros((1, 2), np.float32), zero)), [[True, True, False]])


def test_a_code_depends_on_its_frame_alone(rng):
    features = rng.random((301, 50)).astype(np.float32)
    projections = random_projections(130, 50, rng=rng)
    words = encode(features, projections).words
    one_by_one = np.concatenate([encode(features[i : i + 1], projections).words for i in range(301)])
    np.testing.assert_array_equal(one_by_one, words)
    np.testing.assert_array_equal(encode(features[7:], projections).words, words[7:])
    for n_bits in (70, 1):  # a single bit has a kernel of its own
        np.testing.assert_array_equal(
            encode(features, projections.prefix(n_bits)).words, encode(features, projections).prefix(n_bits).words
        )


def test_threads_change_nothing(rng):
    features = rng.random((1000, 20)).astype(np.float32)
    projections = random_projections(64, 20, rng=rng)
    n_threads = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        one = encode(features, projections).words
    finally:
        numba.set_num_threads(n_threads)
    np.testing.assert_array_equal(encode(features, projections).words, one)


def test_features_in_any_memory_order_and_mapped(rng, tmp_path):
    features = rng.random((20, 12)).astype(np.float32)
    projections = random_projections(9, 12, rng=rng)
    words = encode(features, projections).words
    np.save(tmp_path / "features.npy", features)
    mapped = np.load(tmp_path / "features.npy", mmap_mode="r")
    for same in (np.asfortranarray(features), np.repeat(features, 2, axis=0)[::2], mapped):
        np.testing.assert_array_equal(encode(same, projections).words, words)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("n_bits", [1, 3])
def test_features_must_be_finite(rng, value, n_bits):
    features = np.ones((100, 7), np.float32)
    features[70, 6] = value
    with pytest.raises(ValueError, match="features of frame 70 are not finite"):
        encode(features, random_projections(n_bits, 7, rng=rng))


def test_features_must_fit(rng):
    projections = random_projections(3, 7, rng=rng)
    with pytest.raises(ValueError, match="width 6 do not fit projections of width 7"):
        encode(np.ones((2, 6), np.float32), projections)
    with pytest.raises(TypeError, match=r"features.dtype=float64 must be float32"):
        encode(np.ones((2, 7)), projections)
    with pytest.raises(ValueError, match=r"features of shape \(7,\) must have 2 axes"):
        encode(np.ones(7, np.float32), projections)


def test_random_projections_are_standard_normal(rng):
    projections = random_projections(200, 500, rng=rng)
    assert projections.matrix.dtype == projections.bias.dtype == np.float32 and projections.betas is None
    assert abs(projections.matrix.mean()) < 5 / np.sqrt(100_000)
    assert abs(projections.matrix.std() - 1) < 5 / np.sqrt(200_000)
    assert abs(projections.bias.std() - 1) < 5 / np.sqrt(400)


def test_equal_bits_estimate_the_angle(rng):
    # Charikar: without bias, two rows at angle φ differ in a bit with probability φ/π.
    n_bits = 20_000
    drawn = random_projections(n_bits, 8, rng=rng)
    x, y = rng.standard_normal((2, 8), dtype=np.float32)
    angle = np.arccos(x @ y / np.linalg.norm(x) / np.linalg.norm(y))
    bits = unpack_bits(encode(np.stack([x, y]), Projections(drawn.matrix, np.zeros(n_bits, np.float32))))
    assert (bits[0] != bits[1]).mean() == pytest.approx(angle / np.pi, abs=5 * 0.5 / np.sqrt(n_bits))


def test_fewer_random_bits_are_a_prefix():
    many = random_projections(30, 5, rng=np.random.default_rng(3)).prefix(11)
    few = random_projections(11, 5, rng=np.random.default_rng(3))
    np.testing.assert_array_equal(many.matrix, few.matrix)
    np.testing.assert_array_equal(many.bias, few.bias)


def test_a_prefix_keeps_the_first_of_everything(rng):
    whole = Projections(*(rng.random(shape).astype(np.float32) for shape in ((4, 3), 4, 4)))
    prefix = whole.prefix(2)
    assert (prefix.n_bits, prefix.n_features) == (2, 3)
    for name in ("matrix", "bias", "betas"):
        np.testing.assert_array_equal(getattr(prefix, name), getattr(whole, name)[:2])
    for n_bits in (0, 5):
        with pytest.raises(ValueError, match=f"n_bits={n_bits} must lie in 1…4"):
            whole.prefix(n_bits)


@pytest.mark.parametrize("betas", [None, np.array([0.5, -0.25], np.float32)])
def test_saved_projections_come_back(rng, tmp_path, betas):
    drawn = random_projections(2, 3, rng=rng)
    path = tmp_path / "model.npz"
    save_projections(path, Projections(drawn.matrix, drawn.bias, betas))
    loaded = load_projections(path)
    np.testing.assert_array_equal(loaded.matrix, drawn.matrix)
    np.testing.assert_array_equal(loaded.bias, drawn.bias)
    assert (loaded.betas is None) == (betas is None)
    if betas is not None:
        np.testing.assert_array_equal(loaded.betas, betas)
    before = path.read_bytes()
    save_projections(path, loaded)
    assert path.read_bytes() == before


def test_a_file_of_something_else_is_refused(tmp_path):
    from blsh.files.arrays import save_stamped

    path = tmp_path / "model.npz"
    with pytest.raises(FileNotFoundError):
        load_projections(path)
    for arrays in ({"matrix": np.ones((2, 3), np.float32)}, {"matrix": np.ones((2, 3)), "bias": np.ones(2)}):
        save_stamped(path, "projections", 1, {}, arrays)
        with pytest.raises(ValueError, match=r"model\.npz does not hold projections"):
            load_projections(path)
    save_stamped(path, "codes", 1, {}, {})
    with pytest.raises(ValueError, match=r"model\.npz"):
        load_projections(path)


@pytest.mark.parametrize(
    "matrix, bias, error, message",
    [
        (np.ones((2, 3)), np.ones(2, np.float32), TypeError, "matrix.dtype=float64 must be float32"),
        (np.ones((2, 3), np.float32), np.ones(2), TypeError, "bias.dtype=float64 must be float32"),
        (np.ones((2, 3), np.float32), np.ones(3, np.float32), ValueError, r"bias of shape \(3,\).*the 2"),
        (np.full((2, 3), np.nan, np.float32), np.ones(2, np.float32), ValueError, "matrix has values"),
        (np.ones((0, 3), np.float32), np.ones(0, np.float32), ValueError, "must have a bit"),
    ],
)
def test_what_are_no_projections_is_refused(matrix, bias, error, message):
    with pytest.raises(error, match=message):
        Projections(matrix, bias)


def test_no_bits_cannot_be_drawn(rng):
    with pytest.raises(ValueError, match="n_bits=0 and n_features=3 must be at least 1"):
        random_projections(0, 3, rng=rng)
