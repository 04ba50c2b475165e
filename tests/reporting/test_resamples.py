import numpy as np
import pytest

from blsh.reporting.cells import at
from blsh.reporting.resamples import Resamples
from tests import naive_reporting as naive


@pytest.fixture
def sides(summaries):
    setting = {"set": "open", "feature": "stft", "rho": 0.1, "n_bits": 150}
    return [at(summaries.utterances, system=system, **setting) for system in ("lsh", "blsh")]


def test_the_value_is_the_difference_of_weighted_means(sides):
    found = Resamples(1, 50).difference(*sides, "sdr")
    means = [np.average(side["sdr"].to_numpy(np.float64), weights=side["seconds"]) for side in sides]
    assert (found.first, found.second) == pytest.approx(means)
    assert found.value == pytest.approx(means[1] - means[0])
    assert (found.n_speakers, found.n_mixtures, found.paired) == (6, 36, True)


def test_every_resample_equals_the_naive_one(sides):
    resamples = Resamples(1, 7)
    found = resamples.difference(*sides, "sdr")
    [weights] = resamples._drawn.values()
    naive_means = [naive.weighted_means(side["sdr"].to_numpy(np.float64)[None], weights)[:, 0] for side in sides]
    differences = naive_means[1] - naive_means[0]
    assert (found.low, found.high) == pytest.approx((differences[1:].min(), differences[1:].max()))
    assert found.value == pytest.approx(differences[0])


def test_pairing_is_by_mixture_and_not_by_row(sides):
    first, second = sides
    shuffled = second.sample(frac=1, random_state=1)
    assert Resamples(1, 50).difference(first, second, "sdr") == Resamples(1, 50).difference(first, shuffled, "sdr")


def test_what_one_side_could_not_compute_is_left_out_of_both(sides):
    first, second = (side.copy() for side in sides)
    first.loc[first.index[:30], "sdr"] = np.nan
    found = Resamples(1, 50).difference(first, second, "sdr")
    assert found.n_mixtures == 6
    assert found.second == pytest.approx(np.average(second["sdr"].iloc[30:], weights=second["seconds"].iloc[30:]))


def test_one_speaker_has_no_interval(sides):
    alone = [side[side["speaker"] == "open-00"] for side in sides]
    found = Resamples(1, 50).difference(*alone, "sdr")
    assert np.isnan([found.low, found.high]).all()
    assert not np.isnan(found.value)
    assert np.isnan(Resamples(1, 50).mean_interval(alone[0], "sdr")).all()


def test_nothing_to_compare(sides):
    first, second = sides
    assert Resamples(1, 50).difference(first.iloc[:0], second, "sdr") is None
    assert Resamples(1, 50).difference(first, second.assign(sdr=np.nan), "sdr") is None


def test_an_interval_of_a_mean_holds_the_mean(sides):
    low, high = Resamples(1, 400).mean_interval(sides[1], "sdr")
    assert low < np.average(sides[1]["sdr"], weights=sides[1]["seconds"]) < high
