import numpy as np
import pytest

from blsh.denoising.mask_estimation import average_masks, mean_mask
from blsh.signal.masks import pack_masks
from tests import naive_hashing as naive


@pytest.fixture
def masks(rng):
    return rng.random((40, 513)) < rng.random((40, 1))


@pytest.mark.parametrize("k", [1, 3, 10, 40])
def test_averages_equal_the_definition(rng, masks, k):
    indices = rng.integers(0, 40, (6, k))
    averages = average_masks(pack_masks(masks), indices)
    assert averages.dtype == np.float32
    np.testing.assert_array_equal(averages, naive.average_masks(masks, indices))
    levels = {np.float32(count) / np.float32(k) for count in range(k + 1)}
    assert set(averages.ravel().tolist()) <= {float(level) for level in levels}


@pytest.mark.parametrize("k", [255, 256, 700])
def test_many_neighbours_do_not_overflow_the_counters(masks, k):
    masks[:] = True
    masks[0] = False
    indices = np.ones((2, k), np.int64)
    indices[1, 0] = 0
    averages = average_masks(pack_masks(masks), indices)
    assert (averages[0] == 1).all()
    assert (averages[1] == np.float32(k - 1) / np.float32(k)).all()


@pytest.mark.parametrize("n_frames", [1, 254, 255, 256, 511])
def test_the_mean_of_all_masks(rng, tmp_path, n_frames):
    masks = rng.random((n_frames, 513)) < 0.7
    np.save(tmp_path / "masks.npy", pack_masks(masks))
    for packed in (pack_masks(masks), np.load(tmp_path / "masks.npy", mmap_mode="r")):
        mean = mean_mask(packed)
        assert mean.dtype == np.float32
        np.testing.assert_array_equal(mean, (masks.sum(axis=0) / n_frames).astype(np.float32))


def test_masks_in_any_memory_order(rng, masks):
    indices = rng.integers(0, 40, (5, 4))
    packed = pack_masks(masks)
    expected = average_masks(packed, indices)
    np.testing.assert_array_equal(average_masks(np.asfortranarray(packed), np.asfortranarray(indices)), expected)
    np.testing.assert_array_equal(mean_mask(np.asfortranarray(packed)), mean_mask(packed))


def test_no_queries_have_no_masks(masks):
    assert average_masks(pack_masks(masks), np.empty((0, 10), np.int64)).shape == (0, 513)


def test_what_does_not_fit_is_refused(masks):
    packed, indices = pack_masks(masks), np.zeros((2, 3), np.int64)
    for wrong in (-1, 40):
        with pytest.raises(ValueError, match=f"index {wrong} is not among the dictionary's 40 masks"):
            average_masks(packed, np.array([[0, wrong]]))
    with pytest.raises(ValueError, match=r"indices of shape \(2, 0\)"):
        average_masks(packed, np.empty((2, 0), np.int64))
    with pytest.raises(TypeError, match=r"indices.dtype=int32 must be int64"):
        average_masks(packed, indices.astype(np.int32))
    with pytest.raises(TypeError, match=r"packed_masks.dtype=bool must be uint8"):
        average_masks(masks, indices)
    with pytest.raises(ValueError, match=r"\(40, 64\) must have 65 columns"):
        average_masks(packed[:, :64], indices)
    with pytest.raises(ValueError, match="packed_masks holds no mask"):
        mean_mask(packed[:0])
