import numpy as np
import pytest

from blsh.denoising.denoiser import denoise, level_of
from blsh.denoising.explanation import explain
from blsh.signal.masks import pack_masks
from blsh.signal.spectra import feature, stft
from tests.denoising.making import RATE, small_model, sound


@pytest.mark.parametrize("options", [{}, {"n_masks": 7}, {"feature_name": "mel", "n_neighbours": 3}])
def test_what_is_said_is_what_was_done(options):
    model, samples = small_model(**options), sound(RATE, seed=3)
    why = explain(samples, model, seconds=0.5)
    assert why.frame == 31 and why.seconds == 31 * 256 / 16000  # 0.5 s is frame 31.25
    # The bits are the signs of the margins, computed here from the formula.
    x = feature(model.feature, stft(samples / np.float32(level_of(samples))))[why.frame]
    for bit, margin, p, b in zip(why.bits, why.margins, model.projections.matrix, model.projections.bias, strict=True):
        assert margin == pytest.approx((p.astype(float) @ x.astype(float) + b) / np.sqrt((p.astype(float) ** 2).sum()))
        assert bit == (margin >= 0)
    # The neighbours are those that a search by hand finds, and their masks make the filter.
    bits = np.unpackbits(model.codes.words.view(np.uint8), axis=1, bitorder="little")[:, : model.n_bits] == 1
    distances = (bits != why.bits).sum(axis=1)
    order = np.lexsort((np.arange(len(distances)), distances))[: model.n_neighbours]
    np.testing.assert_array_equal(why.rows, order)
    np.testing.assert_array_equal(why.distances, distances[order])
    np.testing.assert_array_equal(why.neighbour_bits, bits[order])
    np.testing.assert_array_equal(pack_masks(why.neighbour_masks), model.masks.masks_of(order))
    np.testing.assert_allclose(why.masks[why.frame], why.neighbour_masks.mean(axis=0), rtol=1e-6)
    np.testing.assert_array_equal(why.cleaned, denoise(samples, model))


def test_the_moment_is_chosen_where_most_is_left():
    samples = sound(2 * RATE, seed=4)
    samples[: RATE + 2000] *= 0.01
    samples[RATE + 6000 :] *= 0.01
    assert 1.1 < explain(samples, small_model()).seconds < 1.4


@pytest.mark.parametrize("seconds", [-0.1, 1.01, float("nan")])
def test_a_moment_outside_is_an_error(seconds):
    with pytest.raises(ValueError, match=r"outside the recording of 1\.00 s"):
        explain(sound(RATE), small_model(), seconds=seconds)


def test_the_last_moment_is_the_last_frame():
    assert explain(sound(RATE), small_model(), seconds=1.0).frame == 62
