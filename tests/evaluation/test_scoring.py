"""The rows of a set against every metric computed by itself, and what must be NaN."""

import warnings

import numpy as np
import pandas as pd
import pytest
from mir_eval.separation import bss_eval_sources
from pesq import pesq
from pystoi import stoi

from blsh.denoising import estimators
from blsh.evaluation import scoring
from blsh.evaluation.agreement import recall
from blsh.evaluation.metrics import MetricScore
from blsh.evaluation.scoring import METRICS, SOUND_METRICS, Metrics, score_set
from blsh.mixtures.recipes import Piece
from blsh.mixtures.rendering import render
from blsh.reporting.scores import check_scores
from blsh.signal.spectra import istft, stft
from tests import naive_evaluation as naive
from tests.mixtures.making import InMemory, noise_of, recipe

SECONDS = 1.0
DB = 1e-4  # promised of BSS Eval; measured 2e-6
SLOW = 1e-6  # PESQ and ESTOI are the same code on the same samples
KEY = {"system": "lsh", "variant": "", "feature": "stft", "target": "", "profile": ""} | {
    "rho": 0.1,
    "n_neighbours": 10,
    "repeat": 1,
}
SWEEP = Metrics(sweep=("sdr", "si_sdr"), at={})
ALL = Metrics(sweep=("sdr",), at={0: SOUND_METRICS})


def voice(n_samples: int, seed: int) -> np.ndarray:
    """Harmonics of a wandering pitch that come and go like syllables, and a little noise."""
    rng = np.random.default_rng(seed)
    times = np.arange(n_samples) / 16000
    pitch = np.cumsum(120 + 30 * np.sin(2 * np.pi * 1.5 * times + rng.random()))
    tones = sum(np.sin(2 * np.pi * k * pitch / 16000) / k for k in range(1, 25))
    syllables = np.clip(np.sin(2 * np.pi * 3 * times + rng.random()), 0, 1)
    return (0.1 * tones * syllables + noise_of(n_samples, seed, 0.002)).astype(np.float32)


def made(audio: InMemory, number: int, clean: np.ndarray, other: np.ndarray, **changes):
    """Put two recordings into `audio` and return the recipe of their mixture."""
    audio.add(f"s{number}.wav", clean, corpus="speech")
    audio.add(f"n{number}.wav", other)
    values = {
        "set": "open",
        "utterance": f"u{number}",
        "speech": Piece("speech", f"s{number}.wav", 0, len(clean)),
        "noise_pieces": (Piece("noise", f"n{number}.wav", 0, len(other)),),
        "seconds": len(clean) / 16000,
    }
    return recipe(**(values | changes))


@pytest.fixture(scope="module")
def audio() -> InMemory:
    return InMemory()


@pytest.fixture(scope="module")
def recipes(audio):
    n = round(SECONDS * 16000)
    return [
        made(audio, 0, voice(n, 0), noise_of(n, 10)),
        made(audio, 1, voice(n, 1), np.cumsum(noise_of(n, 11)), speaker="7", gender="M", noise="sea"),
    ]


def several_masks(scene) -> np.ndarray:
    """Three masks that are far from each other."""
    random = np.random.default_rng(5).random(scene.spectrum.shape)
    return np.stack([*estimators.ideal_ratio(scene), random, 0.5 + 0.5 * random]).astype(np.float32)


def silence(scene) -> np.ndarray:
    return np.zeros((1, *scene.spectrum.shape), np.float32)


def scores_of(recipes, audio, estimator, metrics, n_bits=(0,), **options):
    return score_set(recipes, audio, estimator, columns=KEY, n_bits=n_bits, metrics=metrics, **options)


def direct(scene, mask) -> dict[str, float]:
    """Every metric of one mask, by the libraries and by formulas."""
    speech, noise, mixture = (
        signal.astype(np.float64) for signal in (scene.waveforms.speech, scene.waveforms.noise, scene.waveforms.mixture)
    )
    estimate = istft(mask * stft(scene.waveforms.mixture), len(mixture)).astype(np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        (sdr, _), (sir, _), (sar, _), _ = bss_eval_sources(
            np.stack([speech, noise]), np.stack([estimate, mixture - estimate + 1e-9]), False
        )
        before = bss_eval_sources(np.stack([speech, noise]), np.stack([mixture, noise]), False)[0][0]
    np.random.seed(0)  # noqa: NPY002 (pystoi fills silence from the global generator)
    return {
        "sdr": sdr,
        "sir": sir,
        "sar": sar,
        "si_sdr": naive.si_sdr(speech, estimate),
        "pesq": pesq(16000, speech, estimate, "wb"),
        "estoi": stoi(speech, estimate, 16000, extended=True),
        "delta_sdr": sdr - before,
    }


@pytest.fixture(scope="module")
def scored(recipes, audio):
    """Two mixtures at three code lengths, of which the second is in the tables."""
    metrics = Metrics(sweep=("sdr", "si_sdr"), at={10: SOUND_METRICS, 300: ("pesq",)})
    return scores_of(recipes, audio, several_masks, metrics, n_bits=(5, 10, 20))


def test_there_is_a_row_for_every_mixture_and_length(scored, recipes):
    assert scored["utterance"].tolist() == ["u0"] * 3 + ["u1"] * 3
    assert scored["n_bits"].tolist() == [5, 10, 20] * 2
    for name, value in KEY.items():
        assert set(scored[name]) == {value}
    last = scored.iloc[-1]
    assert (last["set"], last["speaker"], last["gender"], last["noise"]) == ("open", "7", "M", "sea")
    assert (last["snr_db"], last["seconds"]) == (0.0, SECONDS)
    assert len(check_scores(scored, "here")) == 6


@pytest.mark.parametrize("row", range(6))
def test_scores_equal_each_metric_by_itself(scored, recipes, audio, row):
    scene = estimators.Scene(render(recipes[row // 3], audio))
    expected = direct(scene, several_masks(scene)[row % 3])
    found = scored.iloc[row]
    in_tables = found["n_bits"] == 10
    for name in ("sdr", "si_sdr", "delta_sdr") + (("sir", "sar") if in_tables else ()):
        assert found[name] == pytest.approx(expected[name], abs=DB), name
    for name in ("pesq", "estoi") if in_tables else ():
        assert found[name] == pytest.approx(expected[name], abs=SLOW), name
    assert (found["status"], found["reason"]) == ("ok", "")


def test_what_was_not_asked_for_is_nan_without_a_reason(scored):
    others = scored[scored["n_bits"] != 10]
    assert len(others) == 4
    assert others[["sir", "sar", "pesq", "estoi"]].isna().all(axis=None)
    assert set(others["status"]) == {"ok"} and set(others["reason"]) == {""}


def test_without_sdr_there_is_no_difference_of_it(recipes, audio):
    rows = scores_of(recipes, audio, estimators.unmasked, Metrics(sweep=("si_sdr",), at={}))
    assert rows[["sdr", "delta_sdr"]].isna().all(axis=None)
    assert rows["si_sdr"].notna().all() and set(rows["status"]) == {"ok"}


def test_the_oracle_beats_the_mixture_and_the_mixture_gains_nothing(recipes, audio):
    oracle, unmasked = (
        scores_of(recipes, audio, system, ALL) for system in (estimators.ideal_binary, estimators.unmasked)
    )
    for name in ("sdr", "sir", "si_sdr", "pesq", "estoi"):
        assert (oracle[name] > unmasked[name]).all(), name
    assert (oracle["delta_sdr"] > 3).all()
    np.testing.assert_allclose(unmasked["delta_sdr"], 0, atol=DB)
    # 0 dB, but for what white noise happens to share with the speech.
    assert abs(unmasked["si_sdr"][0]) < 0.3


def test_many_lengths_are_scored_like_one_alone(recipes, audio):
    def many(scene):
        weights = np.linspace(0, 1, 37, dtype=np.float32)[:, np.newaxis, np.newaxis]
        return weights * estimators.ideal_ratio(scene) + (1 - weights) * estimators.unmasked(scene)

    together = scores_of(recipes[:1], audio, many, SWEEP, n_bits=range(1, 38))
    for i in (0, 15, 16, 31, 32, 36):
        alone = scores_of(recipes[:1], audio, lambda scene, i=i: many(scene)[i : i + 1], SWEEP, n_bits=(i + 1,))
        assert alone.iloc[0].equals(together.iloc[i])


def test_a_silent_estimate_is_nan_with_its_reasons(recipes, audio):
    rows = scores_of(recipes[:1], audio, silence, ALL)
    assert rows[[*METRICS, "delta_sdr"]].isna().all(axis=None)
    assert rows["status"].tolist() == ["nan"]
    assert rows["reason"][0] == (
        "sdr, sir, sar: silent estimate; si_sdr: silent estimate; pesq: silent estimate; estoi: silent estimate"
    )
    swept = scores_of(recipes[:1], audio, silence, SWEEP)
    assert swept["reason"][0] == "sdr: silent estimate; si_sdr: silent estimate"
    assert len(check_scores(rows, "here")) == 1


def test_too_short_a_mixture_keeps_what_can_be_computed(audio):
    short = made(audio, 2, voice(900, 2), noise_of(900, 12))
    row = scores_of([short], audio, estimators.ideal_ratio, ALL).iloc[0]
    assert np.isfinite([row["sdr"], row["sir"], row["sar"], row["si_sdr"], row["delta_sdr"]]).all()
    assert np.isnan([row["pesq"], row["estoi"]]).all()
    assert row["status"] == "nan"
    assert row["reason"].startswith("pesq: ") and "; estoi: fewer than the 30 frames" in row["reason"]


def test_references_without_high_frequencies_are_marked(audio):
    def low(seed):
        spectrum = np.fft.rfft(noise_of(8000, seed))
        spectrum[1500:] = 0  # of 4000: 3 kHz
        return (np.hanning(8000) ** 2 * np.fft.irfft(spectrum, 8000)).astype(np.float32)

    row = scores_of([made(audio, 3, low(20), low(21))], audio, estimators.ideal_ratio, SWEEP).iloc[0]
    assert (row["status"], row["reason"]) == ("ill-conditioned", "")
    assert np.isfinite(row["sdr"]) and np.isfinite(row["si_sdr"])


def test_an_infinite_score_is_nan_with_a_reason(recipes, audio, monkeypatch):
    monkeypatch.setattr(scoring, "si_sdr", lambda reference, estimate: MetricScore(np.inf))
    row = scores_of(recipes[:1], audio, estimators.unmasked, SWEEP).iloc[0]
    assert np.isnan(row["si_sdr"]) and np.isfinite(row["sdr"])
    assert (row["status"], row["reason"]) == ("nan", "si_sdr: infinite")


def test_references_are_factored_once_and_with_noise_only_where_needed(recipes, audio, monkeypatch):
    kinds = []
    factor = scoring.factor_references

    def counted(speech, noise, *, interference):
        kinds.append(interference)
        return factor(speech, noise, interference=interference)

    monkeypatch.setattr(scoring, "factor_references", counted)
    scores_of(recipes, audio, several_masks, SWEEP, n_bits=(5, 10, 20))
    assert kinds == [False, False]
    kinds.clear()
    with_sir = Metrics(sweep=("sdr",), at={10: ("sir",)})
    scores_of(recipes[:1], audio, several_masks, with_sir, n_bits=(5, 10, 20))
    assert kinds == [True]


def test_which_metrics_a_length_gets():
    metrics = Metrics(sweep=("sdr",), at={0: ("estoi",), 50: ("pesq", "sdr"), 300: ("pesq", "sar")})
    assert metrics.of(10) == {"sdr"}
    assert metrics.of(0) == {"sdr", "estoi"}
    assert metrics.of(50) == {"sdr", "pesq"}
    assert metrics.of(300) == {"sdr", "pesq", "sar"}


@pytest.mark.parametrize("named", [{"sweep": ("sdri",), "at": {}}, {"sweep": ("sdr",), "at": {0: ("sdr", "sdri")}}])
def test_an_unknown_metric(named):
    with pytest.raises(ValueError, match=r"metric='sdri' is unknown; choose one of sdr, sir, sar, si_sdr, pesq"):
        Metrics(**named)


@pytest.fixture(scope="module")
def searching(recipes, audio):
    """A system of two code lengths that finds some rows of a dictionary of 40 frames, and other rows as the truth."""
    rng = np.random.default_rng(8)
    masks = np.packbits(rng.random((40, 513)) < 0.5, axis=1, bitorder="little")
    found = [[rng.integers(0, 40, (63, 4)) for _ in (5, 10)] for _ in recipes]
    given = iter(found)
    system = estimators.NeighbourEstimator(lambda scene: next(given), masks)
    return system, found, rng.integers(0, 40, (2 * 63, 4)).astype(np.int32)


def test_recall_and_mask_accuracy_of_every_mixture(recipes, audio, searching):
    system, found, truth = searching
    metrics = Metrics(sweep=("si_sdr",), at={10: ("recall", "mask_accuracy"), 5: ("mask_accuracy",)})
    rows = scores_of(recipes, audio, system, metrics, n_bits=(5, 10), raw_neighbours=truth)
    for number, recipe_ in enumerate(recipes):
        scene = estimators.Scene(render(recipe_, audio))
        own = rows[rows["utterance"] == f"u{number}"].set_index("n_bits")
        assert np.isnan(own.loc[5, "recall"])
        assert own.loc[10, "recall"] == pytest.approx(recall(found[number][1], truth[63 * number :][:63]))
        for place, n_bits in enumerate((5, 10)):
            masks = system.average(found[number][place])
            right = ((masks >= 0.5) == (estimators.ideal_binary(scene)[0] == 1)).mean()
            assert own.loc[n_bits, "mask_accuracy"] == pytest.approx(right)
    assert set(rows["status"]) == {"ok"}


def test_the_oracle_is_always_right_and_the_mixture_where_speech_is(recipes, audio):
    metrics = Metrics(sweep=("mask_accuracy",), at={})
    assert (scores_of(recipes, audio, estimators.ideal_binary, metrics)["mask_accuracy"] == 1).all()
    share = estimators.Scene(render(recipes[0], audio)).ideal_mask.mean()
    assert scores_of(recipes, audio, estimators.unmasked, metrics)["mask_accuracy"][0] == pytest.approx(share)


def test_a_system_may_give_the_sound_itself(recipes, audio):
    def sound(scene):
        return istft(several_masks(scene) * scene.spectrum, len(scene.waveforms.mixture))

    metrics = Metrics(sweep=("sdr", "si_sdr"), at={})
    masked, heard = (
        scores_of(recipes, audio, system, metrics, n_bits=(5, 10, 20)) for system in (several_masks, sound)
    )
    pd.testing.assert_frame_equal(heard, masked)
    with pytest.raises(ValueError, match="mask_accuracy is asked of a system that has no mask: leave it out"):
        scores_of(recipes, audio, sound, Metrics(sweep=("mask_accuracy",), at={}), n_bits=(5, 10, 20))
    with pytest.raises(ValueError, match=r"mask of shape \(15999,\) for a waveform of 16000 samples"):
        scores_of(recipes, audio, lambda scene: sound(scene)[:, 1:], metrics, n_bits=(5, 10, 20))


def test_recall_needs_a_search_and_its_truth(recipes, audio, searching):
    metrics = Metrics(sweep=("recall",), at={})
    with pytest.raises(ValueError, match="recall is asked of a system that searches no dictionary: leave it out"):
        scores_of(recipes, audio, estimators.unmasked, metrics)
    rows = np.zeros((63, 4), np.int64)
    system = estimators.NeighbourEstimator(lambda scene: [rows], searching[0].masks)
    with pytest.raises(ValueError, match="recall needs the neighbours of the raw features: give them"):
        scores_of(recipes, audio, system, metrics)
    with pytest.raises(ValueError, match="raw neighbours of 63 frames do not fit the mixtures' 126: find them for"):
        scores_of(recipes, audio, system, metrics, raw_neighbours=rows)
    assert (scores_of(recipes, audio, system, metrics, raw_neighbours=np.zeros((126, 4)))["recall"] == 1).all()


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (lambda scene: several_masks(scene)[:2], r"gave 2 sounds or masks for 3 code lengths \[5, 10, 20\]"),
        (lambda scene: several_masks(scene)[:, :-1], r"of shape \(62, 513\) for .* a spectrum of shape \(63, 513\)"),
        (lambda scene: several_masks(scene)[:, :1], r"of shape \(1, 513\) for"),  # would be broadcast
        (lambda scene: several_masks(scene)[:, 0], r"of shape \(513,\) for a waveform of 16000 samples"),
    ],
)
def test_masks_of_another_shape(recipes, audio, wrong, complaint):
    with pytest.raises(ValueError, match=complaint):
        scores_of(recipes, audio, wrong, SWEEP, n_bits=(5, 10, 20))


def test_progress_is_told_after_every_mixture(recipes, audio):
    told = []
    scores_of(recipes, audio, silence, SWEEP, progress=lambda *done: told.append(done))
    assert told == [(1, 2), (2, 2)]
