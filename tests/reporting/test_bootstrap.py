import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from blsh.reporting.bootstrap import interval, mixture_weights, repeat_weights, weighted_means
from tests import naive_reporting as naive

FLOATS = 1e-9  # another order of summation


@given(st.data())
def test_resamples_draw_speakers_and_then_utterances(data):
    sizes = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=5))
    n_noises = data.draw(st.integers(1, 3))
    speakers = np.repeat([f"s{i}" for i in range(len(sizes))], [n * n_noises for n in sizes])
    utterances = np.concatenate([np.repeat(np.arange(n), n_noises) for n in sizes]).astype(str)
    counts = mixture_weights(speakers, utterances, 30, rng=np.random.default_rng(0))
    assert counts.shape == (30, len(speakers))
    drawn = np.zeros((30, len(sizes)))
    for speaker, n_utterances in enumerate(sizes):
        own = counts[:, speakers == f"s{speaker}"]
        # All noises of an utterance come together.
        assert (own.reshape(30, n_utterances, n_noises) == own.reshape(30, n_utterances, n_noises)[..., :1]).all()
        drawn[:, speaker] = own.sum(axis=1) / (n_noises * n_utterances)
    assert (drawn == drawn.astype(int)).all()
    assert (drawn.sum(axis=1) == len(sizes)).all()


def test_mixtures_may_come_in_any_order(rng):
    speakers, utterances = np.repeat(["a", "b", "c"], 4), np.tile(["1", "1", "2", "3"], 3)
    order = rng.permutation(12)
    counts = mixture_weights(speakers, utterances, 50, rng=np.random.default_rng(3))
    moved = mixture_weights(speakers[order], utterances[order], 50, rng=np.random.default_rng(3))
    np.testing.assert_array_equal(moved, counts[:, order])


def test_repeats_keep_their_number(rng):
    assert (repeat_weights(4, 100, rng=rng).sum(axis=1) == 4).all()


@given(
    hnp.arrays(np.float64, (3, 5), elements=st.one_of(st.just(np.nan), st.floats(-50, 50))),
    hnp.arrays(np.float64, (4, 5), elements=st.integers(0, 3).map(float)),
)
def test_weighted_means_equal_the_naive_ones(values, weights):
    np.testing.assert_allclose(
        weighted_means(values, weights), naive.weighted_means(values, weights), rtol=FLOATS, atol=FLOATS
    )


def test_interval_takes_order_statistics():
    assert interval(np.arange(1.0, 1001.0)) == (25.0, 975.0)
    assert interval(np.array([1.0, np.inf, np.inf, np.nan])) == (1.0, np.inf)
    assert np.isnan(interval(np.array([np.nan]))).all()


def test_the_interval_covers_the_truth():
    """Speakers drawn from a known law: the 95 % interval holds the true mean in about 95 % of the runs."""
    rng = np.random.default_rng(5)
    speakers, utterances = np.repeat(np.arange(40).astype(str), 3), np.tile(["1", "2", "3"], 40)
    n_runs, inside = 300, 0
    for _ in range(n_runs):
        voices = np.repeat(rng.normal(0, 1, 40), 3)
        values = 2 + voices + rng.normal(0, 0.5, 120)
        counts = mixture_weights(speakers, utterances, 300, rng=rng)
        low, high = interval(weighted_means(values[None], counts)[:, 0])
        inside += low < 2 < high
    # 95 % of 300 runs, ± 4 standard deviations of a binomial count; percentile intervals run a little short.
    assert inside / n_runs == pytest.approx(0.95, abs=0.05)


def test_ignoring_speakers_would_be_too_sure():
    """The interval is wider than that of a bootstrap over single mixtures, where voices differ."""
    rng = np.random.default_rng(6)
    speakers, utterances = np.repeat(np.arange(10).astype(str), 20), np.tile(np.arange(20).astype(str), 10)
    values = (np.repeat(rng.normal(0, 1, 10), 20) + rng.normal(0, 0.1, 200))[None]
    grouped = interval(weighted_means(values, mixture_weights(speakers, utterances, 500, rng=rng))[:, 0])
    alone = mixture_weights(np.arange(200).astype(str), utterances, 500, rng=rng)
    single = interval(weighted_means(values, alone)[:, 0])
    assert grouped[1] - grouped[0] > 2 * (single[1] - single[0])
