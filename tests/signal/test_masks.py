import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blsh.signal import apply_mask, ideal_binary_mask, ideal_ratio_mask, pack_masks, unpack_masks
from tests import naive_signal

# The definition is computed in float64 and returned as float32.
RATIO_FLOAT32 = 1e-6

# Few values, so that equal and silent bins are common; the squares of the last two vanish in float32.
BINS = st.sampled_from([0, 1, -1, 1j, 0.6 + 0.8j, 2, 3 - 4j, 1e-25, 1e-30j])


def pairs():
    shapes = hnp.array_shapes(min_dims=2, max_dims=2, max_side=4)
    return shapes.flatmap(lambda shape: st.tuples(*[hnp.arrays(np.complex64, shape, elements=BINS)] * 2))


@given(pair=pairs())
def test_the_binary_mask_is_its_definition(pair):
    speech, noise = pair
    mask = ideal_binary_mask(speech, noise)
    assert mask.dtype == bool
    np.testing.assert_array_equal(mask, naive_signal.ideal_binary_mask(speech, noise))
    # Strict: no bin belongs to both, and equal ones to none.
    assert not (mask & ideal_binary_mask(noise, speech)).any()


@given(pair=pairs(), root=st.booleans())
def test_the_ratio_mask_is_its_definition(pair, root):
    speech, noise = pair
    mask = ideal_ratio_mask(speech, noise, root=root)
    assert mask.dtype == np.float32 and mask.min() >= 0 and mask.max() <= 1
    expected = naive_signal.ideal_ratio_mask(speech, noise, root=root)
    np.testing.assert_allclose(mask, expected, rtol=0, atol=RATIO_FLOAT32)


def test_masks_at_equal_and_silent_bins():
    speech = np.array([[0, 1, 0, 2, 3 + 4j]], np.complex64)
    noise = np.array([[0, 0, 1, -2j, 5]], np.complex64)
    np.testing.assert_array_equal(ideal_binary_mask(speech, noise), [[False, True, False, False, False]])
    np.testing.assert_array_equal(ideal_ratio_mask(speech, noise), [[0, 1, 0, 0.5, 0.5]])
    half = np.sqrt(np.float32(0.5))
    np.testing.assert_array_equal(ideal_ratio_mask(speech, noise, root=True), [[0, 1, 0, half, half]])


@pytest.mark.parametrize("mask", [ideal_binary_mask, ideal_ratio_mask])
def test_parts_of_unequal_shape_are_refused(mask):
    with pytest.raises(ValueError, match=r"speech\.shape=\(2, 3\) and noise\.shape=\(1, 3\) must be equal"):
        mask(np.zeros((2, 3), np.complex64), np.zeros((1, 3), np.complex64))


def test_a_masked_spectrum_is_the_product_bit_by_bit(rng):
    mask = rng.random((7, 513), np.float32)
    spectrum = (rng.standard_normal((14, 513)) + 1j * rng.standard_normal((14, 513))).astype(np.complex64)[::2]
    masked = apply_mask(mask, spectrum)
    assert masked.dtype == np.complex64
    np.testing.assert_array_equal(masked, mask * spectrum)
    with pytest.raises(ValueError, match=r"mask\.shape=\(1, 513\) and spectrum\.shape=\(7, 513\) must be equal"):
        apply_mask(mask[:1], spectrum)


@given(masks=hnp.arrays(bool, st.tuples(st.integers(0, 4), st.integers(1, 40))))
def test_packed_masks_come_back(masks):
    packed = pack_masks(masks)
    assert packed.dtype == np.uint8
    np.testing.assert_array_equal(packed, naive_signal.pack_masks(masks))
    back = unpack_masks(packed, masks.shape[1])
    assert back.dtype == bool
    np.testing.assert_array_equal(back, masks)


def test_a_mask_of_513_bins_takes_65_bytes(rng):
    masks = rng.random((3, 513)) < 0.5
    assert pack_masks(masks).shape == (3, 65)
    np.testing.assert_array_equal(unpack_masks(pack_masks(masks)), masks)


def test_what_is_no_packed_mask_is_refused():
    with pytest.raises(TypeError, match=r"masks\.dtype=float32 must be bool"):
        pack_masks(np.zeros((1, 513), np.float32))
    with pytest.raises(TypeError, match=r"packed\.dtype=int64 must be uint8"):
        unpack_masks(np.zeros((1, 65), np.int64))
    with pytest.raises(ValueError, match=r"packed\.shape=\(1, 64\) must end in 65 bytes for n_bins=513"):
        unpack_masks(np.zeros((1, 64), np.uint8))
    with pytest.raises(ValueError, match="bits beyond n_bins=513 are set"):
        unpack_masks(np.full((1, 65), 255, np.uint8))
