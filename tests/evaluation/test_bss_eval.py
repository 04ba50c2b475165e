import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from mir_eval.separation import bss_eval_sources

from blsh.evaluation import bss_eval as module
from blsh.evaluation.bss_eval import bss_eval, factor_references
from tests import naive_evaluation as naive

# What is promised for well-conditioned references; measured 2e-6 at most below 100 dB.
MIR_EVAL_DB = 1e-4


def mir_eval_scores(estimate, speech, noise):
    """(SDR, SIR, SAR) of the first of the estimates [ŝ, x − ŝ] for the references [s, n]."""
    references = np.stack([speech, noise]).astype(np.float64)
    estimates = np.stack([estimate, speech + noise - estimate]).astype(np.float64)
    estimates[1, 0] += 1e-3  # the mixture leaves silence, which mir_eval refuses
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return np.array([scores[0] for scores in bss_eval_sources(references, estimates, False)[:3]])


def scores_of(estimate, speech, noise, **options):
    result = bss_eval(estimate[np.newaxis], factor_references(speech, noise, **options))
    return np.array([result.sdr[0], result.sir[0], result.sar[0]]), result.status[0]


def estimates_of(speech, noise, rng):
    """The mixture, masked mixtures good and bad, a filtered copy with a little noise."""
    n_samples = len(speech)
    yield speech + noise
    width = 256
    frames = slice(0, n_samples // width * width)
    s, n = (np.fft.rfft(x[frames].reshape(-1, width)) for x in (speech, noise))
    ideal = np.abs(s) > np.abs(n)
    for mask in (ideal, 0.7 * ideal + 0.3 * rng.random(ideal.shape)):
        yield np.pad(np.fft.irfft(mask * (s + n)).ravel(), (0, n_samples - frames.stop))
    filtered = np.convolve(speech, rng.standard_normal(100))[:n_samples]
    for level in (0.1, 1e-3):
        yield filtered + level * np.std(filtered) * rng.standard_normal(n_samples)


def coloured(n_samples, rng):
    """A signal whose spectrum falls by some 60 dB."""
    return np.convolve(rng.standard_normal(n_samples), np.hanning(40), mode="same")


def test_a_hand_worked_case():
    # One tap: projections on s = e₀ and n = e₁; ŝ = 3 e₀ + 2 e₁ + 1 e₂.
    s, n, e = np.eye(3)
    sdr, sir, sar = scores_of(3 * s + 2 * n + e, s, n, filter_length=1)[0]
    np.testing.assert_allclose([sdr, sir, sar], 10 * np.log10([9 / 5, 9 / 4, 13 / 1]))


@settings(max_examples=25)
@given(st.integers(1, 12), st.integers(40, 300), st.integers(0, 2**32))
def test_equals_its_twin(filter_length, n_samples, seed):
    rng = np.random.default_rng(seed)
    speech, noise, rest = rng.standard_normal((3, n_samples))
    estimate = speech + 0.3 * noise + 0.1 * rest
    scores, status = scores_of(estimate, speech, noise, filter_length=filter_length)
    assert status == "ok"
    np.testing.assert_allclose(scores, naive.bss_eval(estimate, speech, noise, filter_length), atol=1e-6)


@pytest.mark.parametrize("n_samples", [600, 5000, 40_000])
@pytest.mark.parametrize("signal", [lambda n, rng: rng.standard_normal(n), coloured])
def test_equals_mir_eval_on_random_signals(n_samples, signal, rng):
    speech, noise = signal(n_samples, rng), signal(n_samples, rng)
    for estimate in estimates_of(speech, noise, rng):
        scores, status = scores_of(estimate, speech, noise)
        expected = mir_eval_scores(estimate, speech, noise)
        assert status == "ok"
        below = expected < 150  # above, both are rounding
        np.testing.assert_allclose(scores[below], expected[below], atol=MIR_EVAL_DB)
        assert np.all(scores[~below] > 150)


def test_numbers_of_mir_eval_that_outlive_it():
    """Written down from mir_eval 0.8.2, whose separation module leaves in 0.9; two estimates."""
    speech = np.convolve(naive.noise(3000, 1), [1, 0.9, 0.5], mode="same")
    noise = np.convolve(naive.noise(3000, 2), [1, -0.5], mode="same")
    estimates = np.stack([speech + noise, speech + 0.2 * noise + 0.1 * naive.noise(3000, 3)])
    result = bss_eval(estimates, factor_references(speech, noise))
    np.testing.assert_allclose(result.sdr, [3.38362028750248, 16.098418422732607], atol=MIR_EVAL_DB)
    np.testing.assert_allclose(result.sir, [3.3836202875024846, 16.721960139266592], atol=MIR_EVAL_DB)
    np.testing.assert_allclose(result.sar[1], 24.92706101127399, atol=MIR_EVAL_DB)
    assert result.sar[0] > 200


def read_real_pair(folder, speech_index, noise_index, n_samples=48_000):
    speech_path = sorted(folder.glob("LibriSpeech/test-other/*/*/*.flac"))[speech_index]
    noise_path = sorted(folder.glob("ESC-10/*/*.ogg"))[noise_index]
    speech, _ = soundfile.read(speech_path, dtype="float32", frames=n_samples)
    noise, rate = soundfile.read(noise_path, dtype="float32")
    noise = soxr.resample(noise, rate, 16000).astype(np.float32)
    noise = np.resize(noise[np.abs(noise) > 1e-4], len(speech))
    return speech / speech.std(), noise / noise.std()


@pytest.mark.parametrize(("speech_index", "noise_index"), [(0, 3), (17, 100), (33, 200), (51, 300)])
def test_equals_mir_eval_on_recordings(corpora_folder, speech_index, noise_index, rng):
    speech, noise = read_real_pair(corpora_folder, speech_index, noise_index)
    for estimate in estimates_of(speech, noise, rng):
        estimate = estimate.astype(np.float32)
        scores, _ = scores_of(estimate, speech, noise)
        expected = mir_eval_scores(estimate, speech, noise)
        below = expected < 100
        np.testing.assert_allclose(scores[below], expected[below], atol=MIR_EVAL_DB)


def test_energies_and_waveforms_give_the_same_scores(rng, monkeypatch):
    speech, noise = coloured(8000, rng), coloured(8000, rng)
    estimates = np.stack(list(estimates_of(speech, noise, rng))[1:4])
    factors = factor_references(speech, noise)
    by_energies = bss_eval(estimates, factors)
    monkeypatch.setattr(module, "_ratios_of_energies", lambda *_: None)
    by_waveforms = bss_eval(estimates, factors)
    for metric in ("sdr", "sir", "sar"):
        energies, waveforms = getattr(by_energies, metric), getattr(by_waveforms, metric)
        assert not np.array_equal(energies, waveforms)  # two computations, not one twice
        np.testing.assert_allclose(energies, waveforms, atol=module.TOLERANCE_DB)


@pytest.mark.parametrize("level", [1e-2, 1e-4, 1e-6, 1e-8])
def test_high_scores_do_not_cancel(level, rng):
    """An estimate 40 to 160 dB above its error, where a difference of energies has no digits left."""
    speech, noise, error = rng.standard_normal((3, 20_000))
    estimate = speech + level * error
    scores, _ = scores_of(estimate, speech, noise)
    np.testing.assert_allclose(scores, mir_eval_scores(estimate, speech, noise), atol=MIR_EVAL_DB)
    assert abs(scores[0] + 20 * np.log10(level)) < 1


def test_the_speech_itself_scores_beyond_200_db(rng):
    speech, noise = rng.standard_normal((2, 20_000))
    scores, status = scores_of(speech, speech, noise)
    assert status == "ok" and np.all(scores > 200)


def test_band_limited_references_are_ill_conditioned(rng):
    """No energy above 5 kHz: the SDR still agrees, SIR and SAR as far as mir_eval agrees with itself."""
    n_samples = 16_000
    spectrum = np.fft.rfft(rng.standard_normal((2, n_samples)))
    spectrum[:, 5000:] = 0
    speech, noise = np.fft.irfft(spectrum)
    estimate = speech + 0.3 * noise + 0.1 * rng.standard_normal(n_samples)
    scores, status = scores_of(estimate, speech, noise)
    assert status == "ill-conditioned"
    expected = mir_eval_scores(estimate, speech, noise)
    elsewhere = mir_eval_scores(3.1 * estimate, 1.1 * speech, 0.7 * noise)
    own_spread = np.abs(expected - elsewhere)
    np.testing.assert_array_less(np.abs(scores - expected), np.maximum(20 * own_spread, 1e-3))


def test_equal_references_are_ill_conditioned(rng):
    speech, error = rng.standard_normal((2, 4000))
    scores, status = scores_of(speech + error, speech, 0.5 * speech)
    expected = mir_eval_scores(speech + error, speech, 0.5 * speech)
    assert status == "ill-conditioned"
    np.testing.assert_allclose(scores[[0, 2]], expected[[0, 2]], atol=MIR_EVAL_DB)
    assert scores[1] > 200 and expected[1] > 200


def test_sdr_alone_is_the_same_sdr(rng):
    speech, noise = rng.standard_normal((2, 3000))
    estimates = rng.standard_normal((3, 3000)) + speech
    alone = bss_eval(estimates, factor_references(speech, None, interference=False))
    both = bss_eval(estimates, factor_references(speech, noise))
    np.testing.assert_allclose(alone.sdr, both.sdr, atol=1e-9)
    assert np.isnan(alone.sir).all() and np.isnan(alone.sar).all()
    assert alone.status == ("ok",) * 3 and alone.reason == ("",) * 3
    shared = bss_eval(estimates, factor_references(speech, noise).of_speech())
    np.testing.assert_array_equal(shared.sdr, alone.sdr)
    assert np.isnan(shared.sir).all() and (shared.status, shared.reason) == (alone.status, alone.reason)


@pytest.mark.parametrize(
    ("speech", "noise", "reason"),
    [(np.zeros(900), np.ones(900), "sdr: silent speech reference"), (np.arange(900.0), np.zeros(900), "")],
)
def test_sdr_alone_of_unusable_references(speech, noise, reason):
    factors = factor_references(speech, noise).of_speech()
    assert factors.reason == factor_references(speech, None, interference=False).reason == reason
    assert bss_eval(np.ones((1, 900)), factors).reason == (reason,)


def test_a_score_does_not_depend_on_the_batch(rng):
    speech, noise = rng.standard_normal((2, 5000))
    estimates = speech + rng.standard_normal((7, 5000)) * np.logspace(-8, 1, 7)[:, np.newaxis]
    factors = factor_references(speech, noise)
    together = bss_eval(estimates, factors)
    for i, estimate in enumerate(estimates):
        alone = bss_eval(estimate[np.newaxis], factors)
        for metric in ("sdr", "sir", "sar"):
            assert getattr(alone, metric)[0] == getattr(together, metric)[i]


@settings(max_examples=20)
@given(st.integers(-900, 900), st.floats(1e-3, 1e3), st.integers(0, 2**32))
def test_the_gain_of_no_signal_matters(exponent, gain, seed):
    rng = np.random.default_rng(seed)
    speech, noise = rng.standard_normal((2, 700))
    estimate = speech + 0.2 * noise + 0.1 * rng.standard_normal(700)
    scores, _ = scores_of(estimate, speech, noise, filter_length=16)
    power_of_two = 2.0**exponent
    exact, _ = scores_of(estimate * power_of_two, speech / power_of_two, noise, filter_length=16)
    np.testing.assert_array_equal(exact, scores)
    close, _ = scores_of(estimate * gain, speech / gain, noise * gain, filter_length=16)
    np.testing.assert_allclose(close, scores, atol=1e-9)


@settings(max_examples=10)
@given(st.integers(1, 512), st.integers(0, 2**32))
def test_a_copy_through_a_short_filter_is_no_distortion(n_taps, seed):
    rng = np.random.default_rng(seed)
    speech = np.append(rng.standard_normal(3000), np.zeros(511))
    response = rng.standard_normal(n_taps)
    filtered = np.convolve(speech, response)[: len(speech)]
    factors = factor_references(speech, None, interference=False)
    assert bss_eval(filtered[np.newaxis], factors).sdr[0] > 150
    delayed = np.roll(speech, 511)  # the longest delay that the filter can have
    assert bss_eval(delayed[np.newaxis], factors).sdr[0] > 150


def test_silence_and_nan_are_reasons_not_exceptions(rng):
    speech, noise = rng.standard_normal((2, 1000))
    estimates = np.stack([speech, 0 * speech, np.full(1000, np.nan), speech])
    estimates[3, 10] = np.inf
    result = bss_eval(estimates, factor_references(speech, noise))
    assert result.status == ("ok", "nan", "nan", "nan")
    assert result.reason == (
        "",
        "sdr, sir, sar: silent estimate",
        "sdr, sir, sar: NaN or Inf in the estimate",
        "sdr, sir, sar: NaN or Inf in the estimate",
    )
    for scores in (result.sdr, result.sir, result.sar):
        np.testing.assert_array_equal(np.isnan(scores), [False, True, True, True])


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (lambda x: 0 * x, "silent {} reference"),
        (lambda x: np.nan * x, "NaN or Inf in the {} reference"),
        (lambda x: x / 0.0, "NaN or Inf in the {} reference"),
    ],
)
def test_spoilt_references(spoil, cause, rng):
    speech, noise = rng.standard_normal((2, 1000))
    estimates = np.stack([speech + noise, 0 * speech])
    with np.errstate(divide="ignore"):
        spoilt_speech, spoilt_noise = spoil(speech), spoil(noise)

    result = bss_eval(estimates, factor_references(spoilt_speech, noise))
    assert result.status == ("nan", "nan")
    assert result.reason == (f"sdr, sir, sar: {cause.format('speech')}",) * 2
    assert np.isnan([result.sdr, result.sir, result.sar]).all()

    # the SDR needs the speech alone
    result = bss_eval(estimates, factor_references(speech, spoilt_noise))
    assert result.status == ("nan", "nan")
    assert result.reason == (f"sir, sar: {cause.format('noise')}", "sdr, sir, sar: silent estimate")
    alone = bss_eval(estimates, factor_references(speech, None, interference=False))
    np.testing.assert_allclose(result.sdr, alone.sdr)
    assert np.isnan([result.sir, result.sar]).all()
    assert alone.reason == ("", "sdr: silent estimate")


@pytest.mark.parametrize("n_samples", [0, 1, 511, 512])
def test_no_longer_than_the_filter(n_samples):
    speech, noise = np.ones((2, n_samples))
    result = bss_eval(np.ones((2, n_samples)), factor_references(speech, noise))
    expected = (
        f"speech reference of {n_samples} samples for a filter of 512 taps"
        if n_samples
        else "speech reference without samples"
    )
    assert result.reason == (f"sdr, sir, sar: {expected}",) * 2
    assert np.isnan(result.sdr).all()


def test_one_sample_longer_than_the_filter(rng):
    speech, noise, estimate = rng.standard_normal((3, 513))
    scores, status = scores_of(estimate, speech, noise)
    assert status in ("ok", "ill-conditioned") and np.isfinite(scores).all()


def test_an_estimate_without_any_part_of_the_references():
    speech, noise, estimate = np.zeros((3, 40))
    speech[30], noise[31], estimate[2] = 1, 1, 1  # no delay of a reference reaches back
    result = bss_eval(estimate[np.newaxis], factor_references(speech, noise, filter_length=4))
    assert result.sdr[0] == -np.inf and result.sar[0] == -np.inf
    assert np.isnan(result.sir[0])
    assert result.reason == ("sir: estimate without any part of the speech and noise references",)


def test_no_estimates(rng):
    result = bss_eval(np.empty((0, 1000)), factor_references(*rng.standard_normal((2, 1000))))
    assert len(result.sdr) == len(result.sir) == len(result.sar) == 0
    assert result.status == result.reason == ()


@pytest.mark.parametrize("dtype", [np.float32, np.int16, np.uint8])
def test_any_real_type(dtype, rng):
    speech, noise, estimate = (100 + 20 * rng.standard_normal((3, 2000))).astype(dtype)
    scores, _ = scores_of(estimate, speech, noise, filter_length=8)
    expected, _ = scores_of(*np.stack([estimate, speech, noise]).astype(np.float64), filter_length=8)
    np.testing.assert_array_equal(scores, expected)


def test_inputs_are_not_changed(rng):
    speech, noise, estimate = rng.standard_normal((3, 1000))
    copies = speech.copy(), noise.copy(), estimate.copy()
    scores_of(estimate, speech, noise)
    for signal, copy in zip((speech, noise, estimate), copies, strict=True):
        np.testing.assert_array_equal(signal, copy)


def test_wrong_shapes_and_types(rng):
    speech, noise = rng.standard_normal((2, 1000))
    factors = factor_references(speech, noise)
    with pytest.raises(ValueError, match=r"noise has 999 samples, not the 1000 of the speech"):
        factor_references(speech, noise[1:])
    with pytest.raises(ValueError, match=r"speech of shape \(1, 1000\) is not one signal"):
        factor_references(speech[np.newaxis], noise)
    with pytest.raises(ValueError, match=r"filter_length=0 is less than one tap"):
        factor_references(speech, noise, filter_length=0)
    with pytest.raises(TypeError, match=r"noise of dtype object is not an array of real numbers"):
        factor_references(speech, None)
    with pytest.raises(TypeError, match=r"speech of dtype complex128"):
        factor_references(speech * 1j, noise)
    with pytest.raises(ValueError, match=r"estimates of shape \(1000,\) are not \(n, 1000\)"):
        bss_eval(speech, factors)
    with pytest.raises(ValueError, match=r"estimates of shape \(2, 999\) are not \(n, 1000\)"):
        bss_eval(np.ones((2, 999)), factors)
    with pytest.raises(TypeError, match=r"estimates of dtype bool"):
        bss_eval(np.ones((1, 1000), dtype=bool), factors)


def test_same_bytes_in_another_process_with_one_blas_thread():
    """With two threads BLAS factors G in another order: then only nearly the same."""
    program = (
        "import numpy as np; from blsh.evaluation.bss_eval import *; rng = np.random.default_rng(0)\n"
        "s, n, e = (np.convolve(x, np.hanning(9)) for x in rng.standard_normal((3, 9000)))\n"
        "r = bss_eval((s + 0.3 * n + 0.1 * e)[np.newaxis], factor_references(s, n))\n"
        "print(r.sdr[0].hex(), r.sir[0].hex(), r.sar[0].hex())"
    )
    outputs = []
    for n_threads in ("1", "1", "2"):
        environment = {**os.environ, "OMP_NUM_THREADS": n_threads, "OPENBLAS_NUM_THREADS": n_threads}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, check=True, text=True
        )
        outputs.append(done.stdout.split())
    assert outputs[0] == outputs[1]
    one, two = ([float.fromhex(score) for score in outputs[i]] for i in (0, 2))
    np.testing.assert_allclose(one, two, atol=1e-9)
