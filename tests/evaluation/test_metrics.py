import math
import warnings

import numpy as np
import pesq
import pystoi
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from blsh.evaluation import metrics as module
from blsh.evaluation.metrics import MetricScore, estoi, pesq_wideband, si_sdr
from tests import naive_evaluation as naive

METRICS = (si_sdr, pesq_wideband, estoi)


@pytest.fixture
def speech(rng):
    """Two seconds that PESQ and ESTOI take for speech: noise bands in syllables of 0.2 s."""
    time = np.arange(32_000) / 16_000
    syllables = np.clip(np.sin(2 * np.pi * 2.5 * time), 0, None)
    carrier = sum(np.sin(2 * np.pi * f * time + 3 * np.sin(2 * np.pi * 4 * time)) / f for f in range(150, 4000, 150))
    return 20 * syllables * carrier + 1e-3 * rng.standard_normal(len(time))


def test_si_sdr_by_hand():
    # α = 3: target (3, 0), error (0, −1)
    assert si_sdr(np.array([1.0, 0.0]), np.array([3.0, 1.0])).value == pytest.approx(10 * math.log10(9))
    # α = ½: target (½, ½), error (−½, ½)
    assert si_sdr(np.array([1, 1]), np.array([1, 0])).value == pytest.approx(0)
    # no mean is removed: with it the error would be the same, the target 0
    assert si_sdr(np.array([1.0, 1.0]), np.array([2.0, 1.0])).value == pytest.approx(10 * math.log10(9))


@settings(max_examples=50)
@given(st.integers(2, 500), st.floats(1e-5, 1e3), st.floats(1e-3, 1e3), st.integers(0, 2**32))
def test_si_sdr_equals_its_twin_at_any_gain(n_samples, level, gain, seed):
    rng = np.random.default_rng(seed)
    reference, error = rng.standard_normal((2, n_samples))
    estimate = reference + level * error
    score = si_sdr(reference, estimate)
    # the twin takes an angle from its cosine, and loses digits where that is near 1
    assert score.value == pytest.approx(naive.si_sdr(reference, estimate), abs=1e-2)
    # The gains' own rounding changes the error by some ε of the signal, which is 10^(score/20) times as large.
    rounding = 100 * np.finfo(np.float64).eps * 10 ** (max(score.value, 0) / 20)
    assert si_sdr(gain * reference, -gain * estimate).value == pytest.approx(score.value, abs=1e-9 + rounding)


def test_si_sdr_keeps_its_digits_at_high_scores(rng):
    reference, error = rng.standard_normal((2, 10_000))
    error -= error @ reference / (reference @ reference) * reference
    level = 1e-6 * np.linalg.norm(reference) / np.linalg.norm(error)
    assert si_sdr(reference, reference + level * error).value == pytest.approx(120, abs=1e-6)
    single = si_sdr(reference.astype(np.float32), (reference + 1e-3 * error).astype(np.float32))
    assert single.value == pytest.approx(si_sdr(reference, reference + 1e-3 * error).value, abs=1e-2)


def test_si_sdr_of_a_copy_and_of_an_orthogonal_signal():
    reference = np.array([1.0, 2.0, 0.0])
    assert si_sdr(reference, 4 * reference).value == np.inf
    assert si_sdr(reference, np.array([0.0, 0.0, 1.0])).value == -np.inf


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1.0, 1e160, 1e300])
def test_si_sdr_of_any_level(scale):
    assert si_sdr(np.array([1.0, 1.0]) * scale, np.array([1.0, 0.0])).value == pytest.approx(0)


def test_pesq_and_estoi_are_those_of_the_packages(speech, rng):
    estimate = speech + 0.1 * rng.standard_normal(len(speech))
    assert pesq_wideband(speech, estimate) == MetricScore(pesq.pesq(16000, speech, estimate, "wb"))
    assert 1.04 < pesq_wideband(speech, estimate).value < 4.5
    # within what the noise that pystoi adds does to sound
    expected = pystoi.stoi(speech, estimate, 16000, extended=True)
    assert estoi(speech, estimate).value == pytest.approx(expected, abs=1e-9)
    assert 0 < estoi(speech, estimate).value < 1


def test_the_speech_itself_is_perfect(speech):
    assert pesq_wideband(speech, speech).value == pytest.approx(4.64, abs=0.01)
    assert estoi(speech, speech).value == pytest.approx(1)


@pytest.mark.parametrize("gain", [1e-3, 1e3])
def test_levels_do_not_matter(speech, gain, rng):
    estimate = speech + 0.1 * rng.standard_normal(len(speech))
    for metric, tolerance in ((si_sdr, 1e-9), (pesq_wideband, 1e-3), (estoi, 1e-9)):
        expected = metric(speech, estimate).value
        assert metric(speech, gain * estimate).value == pytest.approx(expected, abs=tolerance)
        assert metric(gain * speech, estimate).value == pytest.approx(expected, abs=tolerance)


def test_more_noise_is_worse(speech, rng):
    error = rng.standard_normal(len(speech))
    for metric in METRICS:
        scores = [metric(speech, speech + level * error).value for level in (0.001, 0.03, 1)]
        assert scores[0] > scores[1] > scores[2]


def test_estoi_repeats_and_leaves_the_global_generator_alone(speech):
    estimate = speech.copy()
    estimate[8000:20_000] = 0  # as a mask that is empty for a while: pystoi puts noise there
    np.random.seed(5)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first = estoi(speech, estimate)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    np.random.seed(6)  # noqa: NPY002
    assert estoi(speech, estimate) == first
    unseeded = [pystoi.stoi(speech, estimate, 16000, extended=True) for _ in range(2)]
    assert unseeded[0] != unseeded[1]  # the reason for all this


def test_pesq_repeats(speech, rng):
    estimate = speech + 0.1 * rng.standard_normal(len(speech))
    first = pesq_wideband(speech, estimate)
    pesq_wideband(estimate[:9000], speech[:9000])
    assert pesq_wideband(speech, estimate) == first


@pytest.mark.parametrize("metric", METRICS)
def test_silence_and_nan_are_reasons_not_exceptions(metric, speech):
    spoilt = speech.copy()
    spoilt[7] = np.nan
    infinite = speech.copy()
    infinite[7] = -np.inf
    cases = [
        (0 * speech, speech, "silent reference"),
        (speech, 0 * speech, "silent estimate"),
        (spoilt, speech, "NaN or Inf in the reference"),
        (speech, infinite, "NaN or Inf in the estimate"),
        (speech[:0], speech[:0], "reference without samples"),
    ]
    for reference, estimate, reason in cases:
        score = metric(reference, estimate)
        assert math.isnan(score.value) and score.reason == reason
    assert metric(speech, speech).reason == ""


@pytest.mark.parametrize("n_samples", [1, 100, 255, 3999])
def test_too_short(n_samples, speech):
    part = speech[4000 : 4000 + n_samples]
    score = pesq_wideband(part, part)
    assert math.isnan(score.value) and "at least 1/4 of a second" in score.reason
    score = estoi(part, part)
    assert math.isnan(score.value) and "fewer than the 30 frames" in score.reason


def test_too_little_speech_in_a_long_reference(speech):
    reference = np.zeros(32_000)
    reference[1600:6400] = speech[1600:6400]
    score = estoi(reference, speech)
    assert math.isnan(score.value) and "fewer than the 30 frames" in score.reason


def test_errors_of_pesq_are_reasons(speech, monkeypatch):
    def fail(*_):
        raise pesq.NoUtterancesError(b"No utterances detected")

    monkeypatch.setattr(pesq, "pesq", fail)
    score = pesq_wideband(speech, speech)
    assert math.isnan(score.value) and score.reason == "PESQ says: No utterances detected"


def test_pesq_that_gives_nan(speech, monkeypatch):
    def fail(*_):
        raise ValueError("cannot convert float NaN to integer")

    monkeypatch.setattr(pesq, "pesq", fail)
    assert pesq_wideband(speech, speech).reason == "PESQ gives NaN"


def test_more_utterances_than_pesq_has_room_for(rng):
    """PESQ writes past its arrays here and takes the process with it."""
    time = np.arange(60 * 16_000) / 16_000
    bursts = rng.standard_normal(len(time)) * (time % 0.9 < 0.45)
    score = pesq_wideband(bursts, bursts)
    assert math.isnan(score.value) and "more than the 50 utterances" in score.reason
    slower = rng.standard_normal(len(time)) * (time % 3 < 1.5)
    assert pesq_wideband(slower, slower).value > 4.5


@settings(max_examples=60)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 120)), max_size=30))
def test_utterances_are_counted_as_by_the_twin(stretches):
    active = [on for on, length in stretches for _ in range(length)]
    assert module._n_utterances(np.array(active, dtype=bool)) == naive.n_utterances(active)


@pytest.mark.parametrize("metric", METRICS)
def test_wrong_shapes_and_types(metric):
    one, two = np.ones(8000), np.ones((2, 8000))
    with pytest.raises(ValueError, match=r"estimate of shape \(2, 8000\) is not one signal"):
        metric(one, two)
    with pytest.raises(ValueError, match=r"estimate has 7999 samples, not the 8000 of the reference"):
        metric(one, one[1:])
    with pytest.raises(TypeError, match=r"reference of dtype complex128"):
        metric(one * 1j, one)


def test_recordings(corpora_folder, rng):
    path = sorted(corpora_folder.glob("LibriSpeech/test-other/*/*/*.flac"))[5]
    reference, rate = soundfile.read(path, dtype="float32", frames=64_000)
    assert rate == 16_000
    estimate = reference + reference.std() * rng.standard_normal(len(reference)).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = [metric(reference, estimate).value for metric in METRICS]
    assert scores[0] == pytest.approx(0, abs=0.2)
    assert scores[1] == pesq.pesq(16_000, reference, estimate, "wb")
    assert scores[2] == pytest.approx(pystoi.stoi(reference, estimate, 16_000, extended=True), abs=1e-6)
