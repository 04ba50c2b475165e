"""The systems against their definitions, frame by frame, on one tiny mixture."""

import numpy as np
import pytest

from blsh.denoising import estimators
from blsh.denoising.estimators import Scene
from blsh.hashing.projections import Projections, random_projections
from blsh.mixtures.recipes import Piece
from blsh.mixtures.rendering import render
from blsh.signal.context import ContextFrames, stack_context
from blsh.signal.masks import ideal_binary_mask, pack_masks
from blsh.signal.spectra import feature, istft, stft
from tests import naive_hashing as naive
from tests.mixtures.making import InMemory, noise_of, recipe

N_SAMPLES = 3200
N_FRAMES = 1 + N_SAMPLES // 256


def scene_of(seed: int) -> Scene:
    """Modulated noise as speech, in white noise."""
    audio = InMemory()
    loudness = np.repeat(np.random.default_rng(100 + seed).random(10) ** 2, N_SAMPLES // 10)
    audio.add("s.wav", loudness * noise_of(N_SAMPLES, 200 + seed), corpus="speech")
    audio.add("n.wav", noise_of(N_SAMPLES, 300 + seed))
    pieces = Piece("speech", "s.wav", 0, N_SAMPLES), (Piece("noise", "n.wav", 0, N_SAMPLES),)
    made = recipe(speech=pieces[0], noise_pieces=pieces[1], seconds=N_SAMPLES / 16000)
    return Scene(render(made, audio))


@pytest.fixture(scope="module")
def scene() -> Scene:
    return scene_of(0)


@pytest.fixture(scope="module", params=["stft", "mel"])
def dictionary(request) -> tuple[str, np.ndarray, np.ndarray]:
    """Feature name, rows and boolean masks of three other mixtures' frames, one of them twice."""
    scenes = [scene_of(seed) for seed in (1, 2, 3, 2)]
    rows = np.concatenate([feature(request.param, scene.spectrum) for scene in scenes])
    masks = [ideal_binary_mask(stft(s.waveforms.speech), stft(s.waveforms.noise)) for s in scenes]
    return request.param, rows, np.concatenate(masks)


def test_the_mixture_itself_comes_back(scene):
    masks = estimators.unmasked(scene)
    assert masks.shape == (1, N_FRAMES, 513) and masks.dtype == np.float32
    waveform = istft(masks[0] * scene.spectrum, N_SAMPLES)
    np.testing.assert_allclose(waveform, scene.waveforms.mixture, atol=1e-5)  # float32 transforms


def test_the_spectrum_is_the_mixtures_and_computed_once(scene):
    np.testing.assert_array_equal(scene.spectrum, stft(scene.waveforms.mixture))
    assert scene.spectrum is scene.spectrum


def test_ideal_masks_follow_their_definitions(scene):
    speech, noise = (np.abs(stft(x)).astype(np.float64) for x in (scene.waveforms.speech, scene.waveforms.noise))
    binary = estimators.ideal_binary(scene)
    assert binary.dtype == np.float32
    np.testing.assert_array_equal(binary, [(speech > noise).astype(np.float32)])
    ratio = estimators.ideal_ratio(scene)
    assert ratio.dtype == np.float32
    np.testing.assert_allclose(ratio, [speech**2 / (speech**2 + noise**2)], atol=1e-6)
    assert 0.05 < binary.mean() < 0.95


def test_the_constant_mask_knows_nothing_of_the_frame(scene, rng):
    mean = rng.random(513)
    masks = estimators.constant(mean)(scene)
    assert masks.shape == (1, N_FRAMES, 513) and masks.dtype == np.float32
    for frame in masks[0]:
        np.testing.assert_array_equal(frame, mean.astype(np.float32))


@pytest.mark.parametrize("k", [1, 4])
def test_raw_neighbours_are_algorithm_1(scene, dictionary, k):
    name, rows, masks = dictionary
    found, _ = naive.inner_product_neighbours(feature(name, scene.spectrum), rows, k)
    estimate = estimators.raw_neighbours(name, rows, pack_masks(masks), k)
    np.testing.assert_array_equal(estimate(scene), [naive.average_masks(masks, found)])


def test_raw_neighbours_that_are_known_are_not_searched(scene, dictionary, rng):
    name, rows, masks = dictionary
    known = rng.integers(0, len(rows), (N_FRAMES, 4)).astype(np.int32)
    estimate = estimators.raw_neighbours(name, rows, pack_masks(masks), 4)(Scene(scene.waveforms, known))
    np.testing.assert_array_equal(estimate, [naive.average_masks(masks, known)])
    estimate = estimators.raw_neighbours(name, rows, pack_masks(masks), 3)
    with pytest.raises(
        ValueError, match=rf"raw neighbours of shape \({N_FRAMES}, 4\) must be \(frames, 3\): find them"
    ):
        estimate(Scene(scene.waveforms, known))


@pytest.mark.parametrize("k", [1, 4])
def test_hashed_neighbours_are_algorithm_1_at_every_length(scene, dictionary, rng, k):
    name, rows, masks = dictionary
    lengths = (1, 5, 64, 70)
    drawn = random_projections(70, rows.shape[1], rng=rng)
    queries, codes = (
        naive.bits_of(features, drawn.matrix, drawn.bias) for features in (feature(name, scene.spectrum), rows)
    )
    estimate = estimators.hashed_neighbours(name, drawn, rows, pack_masks(masks), k, lengths)(scene)
    assert estimate.shape == (4, N_FRAMES, 513) and estimate.dtype == np.float32
    for variant, n_bits in zip(estimate, lengths, strict=True):
        found, _ = naive.hamming_neighbours(queries[:, :n_bits], codes[:, :n_bits], k)
        np.testing.assert_array_equal(variant, naive.average_masks(masks, found))


def test_a_shorter_code_is_the_prefix_of_a_longer_one(scene, dictionary, rng):
    name, rows, masks = dictionary
    drawn = random_projections(40, rows.shape[1], rng=rng)

    def estimate(projections, lengths):
        return estimators.hashed_neighbours(name, projections, rows, pack_masks(masks), 3, lengths)(scene)

    together = estimate(drawn, (2, 17, 40))
    for variant, n_bits in zip(together, (2, 17, 40), strict=True):
        np.testing.assert_array_equal(estimate(drawn, (n_bits,))[0], variant)
        np.testing.assert_array_equal(estimate(drawn.prefix(n_bits), (n_bits,))[0], variant)


def test_weighted_neighbours_are_algorithm_1_with_the_weighted_similarity(scene, dictionary, rng):
    name, rows, masks = dictionary
    lengths = (1, 5, 70)
    drawn = random_projections(70, rows.shape[1], rng=rng)
    weights = rng.choice([0.2, 0.5, 1.5], 70).astype(np.float32)
    learned = Projections(drawn.matrix, drawn.bias, weights)
    queries, codes = (naive.bits_of(x, drawn.matrix, drawn.bias) for x in (feature(name, scene.spectrum), rows))
    estimate = estimators.weighted_hashed_neighbours(name, learned, rows, pack_masks(masks), 4, lengths)(scene)
    for variant, n in zip(estimate, lengths, strict=True):
        found, _ = naive.weighted_neighbours(queries[:, :n], codes[:, :n], weights[:n], 4)
        np.testing.assert_array_equal(variant, naive.average_masks(masks, found))
    with pytest.raises(ValueError, match="no weights β: the weighted search is for those learned by boosting"):
        estimators.weighted_hashed_neighbours(name, drawn, rows, pack_masks(masks), 4, lengths)


def test_models_by_length_are_each_used_for_their_own(scene, dictionary, rng):
    name, rows, masks = dictionary
    by_length = {n: random_projections(n, rows.shape[1], rng=rng) for n in (3, 9, 64)}
    estimate = estimators.neighbours_by_length(name, by_length, rows, pack_masks(masks), 4, (3, 64))(scene)
    for variant, n in zip(estimate, (3, 64), strict=True):
        alone = estimators.hashed_neighbours(name, by_length[n], rows, pack_masks(masks), 4, (n,))
        np.testing.assert_array_equal(variant, alone(scene)[0])
    with pytest.raises(ValueError, match="n_bits=10 has no projections; they were fitted for 3, 9, 64 bits"):
        estimators.neighbours_by_length(name, by_length, rows, pack_masks(masks), 4, (3, 10))


def test_stacked_frames_are_searched_like_wider_features(scene, dictionary, rng):
    name, rows, masks = dictionary
    starts = np.arange(0, len(rows), N_FRAMES)
    drawn = random_projections(20, 3 * rows.shape[1], rng=rng)
    chosen = np.sort(rng.permutation(len(rows))[:30])
    stacked = ContextFrames(rows, starts, 3).only(chosen)
    estimate = estimators.hashed_neighbours(name, drawn, stacked, pack_masks(masks[chosen]), 4, (7, 20), context=3)
    per_recording = [stack_context(rows[start : start + N_FRAMES], 3) for start in starts]
    codes = naive.bits_of(np.concatenate(per_recording)[chosen], drawn.matrix, drawn.bias)
    queries = naive.bits_of(stack_context(feature(name, scene.spectrum), 3), drawn.matrix, drawn.bias)
    for variant, n in zip(estimate(scene), (7, 20), strict=True):
        found, _ = naive.hamming_neighbours(queries[:, :n], codes[:, :n], 4)
        np.testing.assert_array_equal(variant, naive.average_masks(masks[chosen], found))


def test_neighbour_estimators_tell_what_they_found(scene, dictionary, rng):
    name, rows, masks = dictionary
    estimator = estimators.raw_neighbours(name, rows, pack_masks(masks), 4)
    found = estimator.search(scene)
    expected, _ = naive.inner_product_neighbours(feature(name, scene.spectrum), rows, 4)
    np.testing.assert_array_equal(found, [expected])
    np.testing.assert_array_equal([estimator.average(rows) for rows in found], estimator(scene))


def test_a_frame_finds_itself(dictionary, rng):
    # With codes long enough to be unique, the nearest code of a frame in the dictionary is its own; of the
    # mixture that is there twice, it is the first.
    name, rows, masks = dictionary
    drawn = random_projections(400, rows.shape[1], rng=rng)
    estimate = estimators.hashed_neighbours(name, drawn, rows, pack_masks(masks), 1, (400,))(scene_of(2))
    np.testing.assert_array_equal(estimate[0], masks[N_FRAMES : 2 * N_FRAMES])
    # Neighbour 2 is the copy, so the mean of both is the same.
    twice = estimators.hashed_neighbours(name, drawn, rows, pack_masks(masks), 2, (400,))(scene_of(2))
    np.testing.assert_array_equal(twice, estimate)


def test_more_bits_than_were_trained(dictionary, rng):
    name, rows, masks = dictionary
    drawn = random_projections(70, rows.shape[1], rng=rng)
    with pytest.raises(ValueError, match=r"n_bits=71 exceeds the 70 trained bits; train more or ask for less"):
        estimators.hashed_neighbours(name, drawn, rows, pack_masks(masks), 4, (5, 71))


def test_more_neighbours_than_frames(scene, dictionary, rng):
    name, rows, masks = dictionary
    packed = pack_masks(masks)
    drawn = random_projections(8, rows.shape[1], rng=rng)
    message = rf"k={len(rows) + 1} exceeds the dictionary's {len(rows)} frames"
    for estimator in (
        estimators.raw_neighbours(name, rows, packed, len(rows) + 1),
        estimators.hashed_neighbours(name, drawn, rows, packed, len(rows) + 1, (8,)),
    ):
        with pytest.raises(ValueError, match=message):
            estimator(scene)


def test_a_model_of_another_feature(scene, dictionary, rng):
    name, rows, masks = dictionary
    other = random_projections(8, 513 + 128 - rows.shape[1], rng=rng)
    with pytest.raises(ValueError, match=rf"features of width {rows.shape[1]} do not fit projections of width"):
        estimators.hashed_neighbours(name, other, rows, pack_masks(masks), 1, (8,))
    with pytest.raises(ValueError, match="feature 'cqt' is none of stft, mel"):
        estimators.raw_neighbours("cqt", rows, pack_masks(masks), 1)(scene)
