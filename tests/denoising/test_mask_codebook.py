"""Codebooks of masks: exact where patterns suffice, never worse than their start, and the same for the same seed."""

import numpy as np
import pytest

from blsh.denoising.mask_codebook import BANDS, compress_masks
from blsh.signal.masks import pack_masks, unpack_masks


def smooth_masks(n_rows: int, seed: int = 0) -> np.ndarray:
    """Runs of ones and zeros, as masks of speech have them."""
    rng = np.random.default_rng(seed)
    edges = np.sort(rng.integers(0, 513, (n_rows, 6)), axis=1)
    return pack_masks((np.arange(513) >= edges[:, :, None]).sum(axis=1) % 2 == 1)


def wrong_bins(store, packed: np.ndarray) -> int:
    return int((unpack_masks(store.rows) != unpack_masks(packed)).sum())


def compress(packed, **options):
    return compress_masks(packed, rng=np.random.default_rng(1), **options)


def test_as_many_patterns_as_there_are_keep_every_mask():
    packed = np.repeat(smooth_masks(20), 10, axis=0)
    packed = packed[np.random.default_rng(3).permutation(len(packed))]
    for bands in (BANDS, (65,), (1, 64)):
        store = compress(packed, bands=bands, n_patterns=200)
        np.testing.assert_array_equal(store.rows, packed)
        assert store.index.shape == (200, len(bands))


def test_one_pattern_is_the_majority_and_a_tie_is_zero():
    bits = np.zeros((4, 513), bool)
    bits[:3, 0] = bits[:2, 1] = bits[:1, 2] = True
    store = compress(pack_masks(bits), n_patterns=1)
    np.testing.assert_array_equal(unpack_masks(store.rows), np.broadcast_to(np.arange(513) == 0, (4, 513)))


def test_every_row_has_its_nearest_pattern():
    packed = smooth_masks(500)
    store = compress(packed, n_patterns=16)
    for band, columns in enumerate(store.columns):
        differing = np.bitwise_count(packed[:, None, columns] ^ store.packed[None, :, columns]).sum(axis=2)
        np.testing.assert_array_equal(store.index[:, band], differing.argmin(axis=1))


def test_more_patterns_and_more_bands_err_less():
    packed = smooth_masks(800)
    errors = [wrong_bins(compress(packed, n_patterns=n), packed) for n in (1, 4, 16, 64, 256)]
    assert errors == sorted(errors, reverse=True) and errors[-1] < errors[0] / 3
    errors = [wrong_bins(compress(packed, bands=bands, n_patterns=16), packed) for bands in ((65,), (20, 45), BANDS)]
    assert errors == sorted(errors, reverse=True)


def test_learning_errs_less_than_rows_drawn_at_random():
    packed = smooth_masks(800)
    drawn = packed[np.sort(np.random.default_rng(1).choice(800, 16, replace=False))]
    differing = np.bitwise_count(packed[:, None] ^ drawn[None]).sum(axis=2).min(axis=1).sum()
    assert wrong_bins(compress(packed, bands=(65,), n_patterns=16), packed) < 0.8 * differing


def test_the_same_seed_gives_the_same_bytes_and_few_rows_few_patterns():
    packed = smooth_masks(100)
    first, second = compress(packed), compress(packed)
    assert first.packed.tobytes() == second.packed.tobytes() and first.index.tobytes() == second.index.tobytes()
    assert first.packed.shape == (100, 65)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"n_patterns": 0}, "n_patterns=0"), ({"n_patterns": 257}, "n_patterns=257"), ({"bands": (64,)}, "sum to 65")],
)
def test_bad_requests_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        compress(smooth_masks(5), **options)
    with pytest.raises(ValueError, match="at least 1"):
        compress(smooth_masks(5)[:0])
