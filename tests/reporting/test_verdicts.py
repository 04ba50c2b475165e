"""Verdicts on made-up runs whose truth is known."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from blsh.reporting.claims import Claim, Term, Threshold
from blsh.reporting.evidence import Evidence, Model, models_of
from blsh.reporting.schemas import empty_table
from blsh.reporting.statistics import STATISTICS
from blsh.reporting.verdicts import CLAIMS_DTYPES, judge_claims
from tests import naive_reporting as naive
from tests.reporting.made_up_scores import curve, expected_cells, make_scores, make_training

MODEL = Model("ssm", "authors2022")
NO_NETWORKS = empty_table("networks")
BITS = (5, 25, 50, 100, 150)


def make(**curves):
    """Return expected cells and scores of a run whose systems follow the given curves of L."""
    expected = expected_cells(sets=("closed", "open"), bits=BITS, features=("stft",), rhos=(0.1,), repeats=3)

    def truth(system, feature, rho, n_bits):
        return curves[system](n_bits) if system in curves else curve(system, feature, rho, n_bits)

    return expected, make_scores(expected, speakers=8, utterances=3, curve=truth, table_bits=(50, 150))


def claim(statistic="difference", kind="above", values=(0.0,), **changes):
    left = changes.pop("left", (Term("blsh", feature="stft", rho=0.1, n_bits=50),))
    right = changes.pop("right", (Term("lsh", feature="stft", rho=0.1, n_bits=50),))
    test = "seeds" if statistic.startswith("beta") else "bootstrap"
    return Claim("id", "one", "here", statistic, left, right, Threshold(kind, values), test, **changes)


def curves(system_left="blsh", system_right="lsh"):
    return {
        "left": (Term(system_left, feature="stft", rho=0.1),),
        "right": (Term(system_right, feature="stft", rho=0.1),),
    }


def judge(claims, scores, expected, training=None, models=(MODEL,), seed=0, n_resamples=400, networks=NO_NETWORKS):
    training = make_training(features=("stft",)) if training is None else training
    rng = np.random.default_rng(seed)
    return judge_claims(
        claims,
        scores,
        training,
        expected=expected,
        networks=networks,
        models=models,
        n_resamples=n_resamples,
        rng=rng,
    )


def verdict(one, *run, **changes):
    return judge([one], *reversed(run), **changes).iloc[0]


@pytest.fixture(scope="module")
def run():
    """BLSH lies 1 dB above LSH at every L and meets KNN (3 dB) at L = 100."""
    return make(
        blsh=lambda n_bits: 2.0 + n_bits / 100,
        lsh=lambda n_bits: 1.0 + n_bits / 100,
        knn=lambda n_bits: 3.0,
    )


def test_a_clear_lead_holds(run):
    found = verdict(claim(), *run)
    assert found["verdict"] == "holds"
    assert 0 < found["low"] < found["value"] < found["high"]
    assert found["value"] == pytest.approx(1.0, abs=0.25)
    assert found["noises"] == "helicopter:+ rain:+ sea_waves:+"
    assert (found["n_speakers"], found["n_utterances"], found["n_repeats"]) == (8, 24, 3)


def test_the_reverse_fails(run):
    found = verdict(claim(left=claim().right, right=claim().left), *run)
    assert found["verdict"] == "fails"
    assert found["high"] < 0
    assert "-" in found["noises"]


def test_no_difference_is_undecided():
    found = verdict(claim(), *make(blsh=lambda n_bits: 2.0, lsh=lambda n_bits: 2.0))
    assert found["verdict"] == "undecided"
    assert found["reason"] == "the interval contains 0"


def test_the_value_is_the_difference_of_the_aggregated_means(run):
    _, scores = run
    own = scores[(scores["set"] == "open") & (scores["n_bits"] == 50)]
    means = {system: np.average(part["sdr"], weights=part["seconds"]) for system, part in own.groupby("system")}
    assert verdict(claim(), *run)["value"] == pytest.approx(means["blsh"] - means["lsh"], abs=1e-6)


def test_sides_are_paired(run):
    """Speakers differ by far more than the systems do, yet the interval is narrow: they cancel."""
    expected, scores = run
    loud = scores.assign(sdr=scores["sdr"] + 20 * (scores["speaker"].str[-1].astype(int)))
    calm, wild = verdict(claim(), *run), verdict(claim(), expected, loud)
    assert wild["low"] == pytest.approx(calm["low"], abs=1e-6)
    assert wild["high"] == pytest.approx(calm["high"], abs=1e-6)


def test_one_noise_that_disagrees_leaves_it_undecided(run):
    expected, scores = run
    rain = (scores["noise"] == "rain") & (scores["system"] == "blsh")
    found = verdict(claim(), expected, scores.assign(sdr=scores["sdr"] - 1.6 * rain))
    assert found["low"] > 0
    assert found["verdict"] == "undecided"
    assert found["reason"] == "the sign differs on rain"
    assert found["noises"] == "helicopter:+ rain:- sea_waves:+"


def test_thresholds_shift_the_verdict(run):
    assert verdict(claim(values=(3.0,)), *run)["verdict"] == "fails"
    assert verdict(claim(kind="at_most", values=(3.0,)), *run)["verdict"] == "holds"


def test_the_smallest_lead_is_that_of_the_worst_bits():
    expected, scores = make(
        blsh=lambda n_bits: 2.0 if n_bits < 100 else 0.0, lsh=lambda n_bits: 1.0, knn=lambda n_bits: 1.0
    )
    smallest, mean = judge(
        [claim("smallest_lead", **curves()), claim("mean_lead", **curves())], scores, expected
    ).to_dict("records")
    assert smallest["verdict"] == "fails"
    assert smallest["value"] == pytest.approx(-1.0, abs=0.3)
    assert mean["value"] == pytest.approx(0.2, abs=0.3)


def test_crossing_is_where_the_lines_meet(run):
    found = verdict(claim("crossing", "within", (75.0, 150.0), **curves("blsh", "knn")), *run)
    assert found["value"] == pytest.approx(100, abs=20)
    assert found["threshold"] == "in [75, 150]"
    found = verdict(claim("crossing", "within", (25.0, 50.0), **curves("blsh", "knn")), *run)
    assert found["verdict"] == "fails"


def test_a_level_never_reached_fails_and_says_so(run):
    found = verdict(claim("crossing", "within", (75.0, 150.0), **curves("lsh", "knn")), *run)
    assert found["verdict"] == "fails"
    assert found["reason"] == "not reached up to L=150"
    assert np.isnan(found["value"])
    assert np.isnan(found["margin"])


def test_crossing_equals_the_naive_one(run, rng):
    expected, scores = run
    one = claim("crossing", "within", (75.0, 150.0), **curves("blsh", "knn"))
    found = Evidence(scores, expected, networks=NO_NETWORKS, n_resamples=5, entropy=1).resample(
        one.terms, "sdr", MODEL, over_bits=True
    )
    got = STATISTICS["crossing"](one, found)
    mean = [(mean * found.draws).sum(axis=-1) / found.draws.sum(axis=-1) for mean in found.means]
    for row in range(len(got)):
        assert got[row] == pytest.approx(naive.crossing(found.bits, mean[0][:, row], mean[1][0, row]))


def test_a_crossing_beyond_the_grid_is_not_judged(run):
    found = verdict(claim("crossing", "within", (75.0, 300.0), **curves("blsh", "knn")), *run)
    assert found["verdict"] == "not judged"
    assert "this run's L, 5 to 150, do not span" in found["reason"]


def test_spread_sees_which_system_varies_more():
    expected = expected_cells(sets=("open",), bits=BITS, features=("stft",), rhos=(0.1,), repeats=12)
    scores = make_scores(expected, repeat_spread={"lsh": 1.0, "blsh": 0.05})
    one = claim("spread", left=curves()["right"], right=curves()["left"])
    found = verdict(one, expected, scores)
    assert found["verdict"] == "holds"
    assert found["value"] == pytest.approx(0.9, abs=0.5)
    few = scores[scores["repeat"] < 2]
    assert verdict(one, expected, few)["reason"] == "2 repeats; a spread needs at least 3"
    assert verdict(one, expected, few)["verdict"] == "undecided"
    assert verdict(one, expected, scores[scores["repeat"] < 1])["verdict"] == "not judged"


def test_the_difference_of_two_drops(run):
    """What each system loses from the closed to the open set; the made-up loss is the same for all."""

    def both(system, set_name):
        return Term(system, feature="stft", rho=0.1, n_bits=50, set=set_name)

    one = claim(
        left=(both("lsh", "closed"), both("blsh", "open")),
        right=(both("lsh", "open"), both("blsh", "closed")),
    )
    expected, scores = run
    assert verdict(one, expected, scores)["verdict"] == "undecided"
    lossy = (scores["system"] == "lsh") & (scores["set"] == "open")
    found = verdict(one, expected, scores.assign(sdr=scores["sdr"] - lossy))
    assert found["verdict"] == "holds"
    assert found["value"] == pytest.approx(1.0, abs=0.2)
    assert found["noises"].count(":") == 3  # the open set's


def test_controls_have_no_repeats(run):
    found = verdict(claim(left=(Term("ibm"),), right=(Term("mixture"),)), *run)
    assert found["verdict"] == "holds"
    assert found["n_repeats"] == 1
    assert (found["target"], found["profile"]) == ("", "")


def test_the_worst_metric_decides(run):
    expected, scores = run
    worse = scores.assign(pesq=np.where(scores["system"] == "blsh", scores["pesq"] - 1, scores["pesq"]))
    assert verdict(claim(metrics=("sdr", "si_sdr")), expected, worse)["verdict"] == "holds"
    found = verdict(claim(metrics=("sdr", "pesq")), expected, worse)
    assert found["verdict"] == "fails"
    assert found["statistic"] == "difference, the worst of sdr, pesq"


@pytest.mark.parametrize(
    ("term", "reason"),
    [
        (
            Term("blsh", feature="stft", rho=0.1, n_bits=300),
            r"blsh stft rho=0.1 L=300 on open is not in this",
        ),
        (
            Term("blsh", feature="mel", rho=0.1, n_bits=50),
            r"blsh mel rho=0.1 L=50 on open is not in this run's",
        ),
        (Term("fc"), r"fc on open is not in this run's grid"),
    ],
)
def test_what_the_run_does_not_have_is_not_judged(run, term, reason):
    found = verdict(claim(left=(term,)), *run)
    assert found["verdict"] == "not judged"
    assert found["reason"].startswith(reason)
    assert np.isnan(found["value"])


def test_what_is_not_scored_yet_is_not_judged(run):
    expected, scores = run
    found = verdict(claim(), expected, scores[scores["system"] != "lsh"])
    assert (found["verdict"], found["reason"]) == (
        "not judged",
        "lsh stft rho=0.1 L=50 on open is not scored yet",
    )


def test_a_metric_that_was_not_asked_for_is_not_judged(run):
    left = (Term("blsh", feature="stft", rho=0.1, n_bits=25),)
    found = verdict(claim(left=left, metrics=("pesq",)), *run)
    assert found["verdict"] == "not judged"
    assert found["reason"].startswith("pesq of blsh stft rho=0.1 L=25 on open was not asked for")


def test_unfinished_repeats_are_left_out_on_both_sides(run):
    expected, scores = run
    found = verdict(claim(), expected, scores[(scores["system"] != "blsh") | (scores["repeat"] != 1)])
    assert found["n_repeats"] == 2


def test_a_mixture_that_failed_on_one_side_is_left_out_on_both(run):
    expected, scores = run
    gone = (scores["system"] == "lsh") & (scores["utterance"] == "open-03-01")
    found = verdict(claim(), expected, scores.assign(sdr=scores["sdr"].mask(gone)))
    assert found["n_utterances"] == 23
    assert found["value"] == pytest.approx(verdict(claim(), *run)["value"], abs=0.05)


def test_one_speaker_decides_nothing(run):
    expected, scores = run
    found = verdict(claim(), expected, scores.assign(speaker="one"))
    assert found["verdict"] == "undecided"
    assert found["reason"] == "1 speaker; a resample needs at least 2"


def test_a_handful_of_mixtures_judges_nothing(run):
    expected, scores = run
    found = verdict(claim(), expected, scores[scores["speaker"].isin(["open-00", "closed-00"])])
    assert (found["verdict"], found["reason"]) == ("not judged", "n = 9 mixtures; a claim is judged on at least 10")


def test_a_term_about_one_noise_leaves_the_others_out(run):
    expected, scores = run
    left, right = (Term("knn", feature="stft", rho=0.1, noise=noise) for noise in ("", "rain"))
    found = verdict(claim(left=(left,), right=(right,)), expected, scores)
    own = scores[(scores["set"] == "open") & (scores["system"] == "knn")]
    means = [np.average(part["sdr"], weights=part["seconds"]) for part in (own, own[own["noise"] == "rain"])]
    assert found["value"] == pytest.approx(means[0] - means[1], abs=1e-6)
    assert found["noises"] == ""
    found = verdict(claim(left=(left,), right=(dataclasses.replace(right, noise="wind"),)), expected, scores)
    assert (found["verdict"], found["reason"]) == ("not judged", "the open set has no noise wind")


def test_a_term_finds_the_set_of_its_snr(run):
    expected, scores = run
    moved = scores["set"] == "closed"
    renamed = scores.assign(set=scores["set"].mask(moved, "open_p5"), snr_db=scores["snr_db"].mask(moved, 5.0))
    terms = [Term(system, feature="stft", rho=0.1, n_bits=50, snr_db=5.0) for system in ("blsh", "lsh")]
    at_5 = verdict(claim(left=terms[:1], right=terms[1:]), expected, renamed)
    as_closed = [dataclasses.replace(term, set="closed", snr_db=None) for term in terms]
    closed = verdict(claim(left=as_closed[:1], right=as_closed[1:]), expected, scores)
    assert at_5["value"] == closed["value"]
    assert at_5["verdict"] == closed["verdict"] == "holds"


def test_claims_about_networks_targets_snrs_and_voicebank(full_summaries):
    judged = full_summaries.claims.set_index("id")
    assert judged.loc["fc-above-blsh-3x256", "verdict"] == "holds"
    assert judged.loc["bilstm-above-blsh-2x1024", "reason"] == (
        "bilstm 2x1024 on open was not trained to its stop rule (12 epochs, 3.4 h)"
    )
    assert judged.loc["fc-above-blsh-3x64", "reason"] == "fc 3x64 on open is not in this run's grid"
    assert judged.loc["ssm-above-rbf-rbf-0.1-0.1", "value"] == pytest.approx(1.5, abs=0.2)
    assert judged.loc["stft-blsh-above-mixture-at-snr-m5-0.1", "verdict"] == "holds"
    assert judged.loc["knn-poor-in-cafeteria", "reason"] == "the open set has no noise PCAFETER"
    assert judged.loc["narrow-rbf-beta-vanishes", "value"] == pytest.approx(0, abs=0.02)
    voicebank = judged[judged.index.str.startswith("voicebank")]
    assert set(voicebank["reason"]) == {"n = 3 mixtures; a claim is judged on at least 10"}
    assert judged.index.is_unique  # one model for each claim: that with the papers' target


def test_other_claims_and_systems_change_no_verdict(run):
    expected, scores = run
    alone = judge([claim()], scores, expected).iloc[0]
    beside = judge([claim("mean_lead", **curves()), claim()], scores, expected).iloc[1]
    fewer = judge([claim()], scores[scores["system"].isin(["blsh", "lsh"])], expected).iloc[0]
    pd.testing.assert_series_equal(alone, beside, check_names=False)
    pd.testing.assert_series_equal(alone, fewer, check_names=False)


def test_claims_about_blsh_are_judged_for_each_model():
    expected = expected_cells(
        sets=("open",), bits=(50,), features=("stft",), rhos=(0.1,), profiles=("authors2022", "project")
    )
    scores = make_scores(expected)
    assert models_of(scores) == (Model("ssm", "authors2022"), Model("ssm", "project"))
    ends = claim(left=(Term("ibm"),), right=(Term("mixture"),))
    table = judge([claim(), ends], scores, expected, models=models_of(scores))
    assert list(table["profile"]) == ["authors2022", "project", ""]
    assert {name: str(dtype) for name, dtype in table.dtypes.items()} == CLAIMS_DTYPES


def test_a_run_without_blsh_judges_the_rest(run):
    expected, scores = run
    rest = scores[scores["system"] != "blsh"]
    ends = claim(left=(Term("ibm"),), right=(Term("mixture"),))
    assert list(judge([claim(), ends], rest, expected, models=())["verdict"]) == ["not judged", "holds"]


def test_an_empty_run_judges_nothing(run):
    expected, scores = run
    table = judge([claim()], scores.iloc[:0], expected, models=models_of(expected))
    assert list(table["reason"]) == ["blsh stft rho=0.1 L=50 on open is not scored yet"]


def beta_claim(statistic, kind, value, **changes):
    return claim(statistic, kind, (value,), left=(Term("blsh", feature="stft"),), right=(), **changes)


def test_beta_needs_three_seeds(run):
    expected, scores = run
    one = beta_claim("beta_fall", "above", 0.0)
    for n_seeds, wanted in ((1, "undecided"), (2, "undecided"), (3, "holds")):
        training = make_training(features=("stft",), seeds=n_seeds)
        found = verdict(one, expected, scores, training=training)
        assert found["verdict"] == wanted
        assert found["n_seeds"] == n_seeds
    assert found["value"] == pytest.approx(0.0024 * 60, abs=0.02)


def test_beta_that_does_not_fall_far_enough_fails(run):
    expected, scores = run
    training = make_training(features=("stft",), seeds=4)
    found = verdict(beta_claim("beta_ratio", "at_most", 0.5, rounds=(1, 20)), expected, scores, training=training)
    assert found["verdict"] == "fails"
    assert found["value"] == pytest.approx((1.02 - 0.048) / (1.02 - 0.0024), abs=0.05)


def test_beta_that_is_not_there_is_not_judged(run):
    expected, scores = run
    one = beta_claim("beta_ratio", "at_most", 0.5, rounds=(1, 20))
    training = make_training(features=("stft",), seeds=3)
    for rows, reason in (
        (training.assign(beta=np.nan), "this boosting rule has no β"),
        (training.iloc[:0], "this run has no training on stft features"),
        (training[training["round"] <= 10], "10 rounds were trained, the claim is about rounds 1 and 20"),
    ):
        found = verdict(one, expected, scores, training=rows)
        assert (found["verdict"], found["reason"]) == ("not judged", reason)


def test_verdicts_on_a_true_null_are_rarely_holds():
    """Of runs in which two systems are equally good, few 'hold': the interval errs above 0 in 2.5 %."""
    n_runs, holds = 24, 0
    for seed in range(n_runs):
        expected = expected_cells(sets=("open",), bits=(50,), features=("stft",), rhos=(0.1,), repeats=8)
        expected = expected[expected["system"].isin(["blsh", "lsh"])]
        scores = make_scores(expected, seed=seed, speakers=8, utterances=2, curve=lambda *_: 2.0)
        holds += verdict(claim(), expected, scores, n_resamples=200)["verdict"] == "holds"
    # 2.5 % expected; 8 repeats make the percentile interval short, so up to three times that is let pass.
    assert holds <= 0.1 * n_runs
