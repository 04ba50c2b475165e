"""SI-SDR, wide-band PESQ and ESTOI of one estimate against the clean speech, at 16 kHz.

SI-SDR
    The scale-invariant SDR of J. Le Roux, S. Wisdom, H. Erdogan and J. R. Hershey, "SDR: half-baked or well
    done?", ICASSP 2019, Eq. (3). As printed there no mean is removed.
PESQ
    MOS-LQO of ITU-T P.862.2 by the package ``pesq``, ITU's C code. Its two faults are kept away from callers.
    It counts the utterances of the reference into arrays of 50 without looking at their length: with more it
    overwrites its memory, which ends the process or, worse, does not. And it reports a result of NaN by an
    error of its own. About level nothing needs to be done: the package divides both signals by their common
    peak and the C code brings each to a standard level, so the gain of neither matters and nothing is
    clipped.
ESTOI
    Extended short-time objective intelligibility of J. Jensen and C. H. Taal, IEEE/ACM TASLP 24(11), 2016, by
    the package ``pystoi``. The package adds noise of 1e-16 from numpy's global generator, so that silent
    bands have a direction. It is harmless next to sound, but in the parts that a mask has silenced the noise
    *is* the estimate, and two runs differ in every digit. Here it is always the same noise, and the
    generator's state is left as found. Both signals are brought to a peak near 1, since that noise is not
    relative to their level.

`estoi` and `pesq_wideband` import their packages when they are called: that takes half a second, which the
sweeps of SDR and SI-SDR do not have to wait.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from blsh.evaluation._signals import Signal, as_signal, cause_of_unusable, near_unit_peak, prepare

# Wide-band PESQ is defined at this rate only.
SAMPLE_RATE = 16000

# PESQ looks at the reference in windows of 4 ms. Runs of up to 4 windows above a threshold are dropped,
# pauses of up to 50 filled, then runs grow by 4, and those of 50 and more are utterances. So an utterance and
# a pause take at least 46 + 51 windows, and 50 utterances more than 19 s.
_PESQ_WINDOW = 64
_PESQ_CLICK_WINDOWS = 4
_PESQ_PAUSE_WINDOWS = 50
_PESQ_SPEECH_WINDOWS = 46
_PESQ_MAX_UTTERANCES = 50
_PESQ_SAFE_SECONDS = 19


@dataclass(frozen=True)
class MetricScore:
    """A score, or NaN and why it could not be computed.

    Attributes
    ----------
    value : float
        In the metric's unit.
    reason : str
        Empty unless ``value`` is NaN.
    """

    value: float
    reason: str = ""


def si_sdr(reference: np.ndarray | Signal, estimate: np.ndarray | Signal) -> MetricScore:
    """Compute the scale-invariant SDR, ``10 log₁₀ ‖αs‖² / ‖αs − ŝ‖²`` with ``α = ŝᵀs / ‖s‖²``.

    Parameters
    ----------
    reference, estimate : np.ndarray, shape (samples,), or Signal
        s and ŝ, real numbers of any type, or made ready once for several scores.

    Returns
    -------
    MetricScore
        In dB, computed in float64; infinite if the estimate is exactly a multiple of the reference, minus
        infinite if it is exactly orthogonal to it. NaN if a signal is silent, empty or not finite.

    Raises
    ------
    ValueError
        Signals of other than one dimension or of different lengths.
    TypeError
        Signals that are not arrays of real numbers.
    """
    reference, estimate = prepare("reference", reference), prepare("estimate", estimate)
    _require_equal_lengths(reference.samples, estimate.samples)
    if cause := reference.cause or estimate.cause:
        return MetricScore(np.nan, cause)
    scale = np.sum(estimate.samples * reference.samples) / reference.energy
    error = scale * reference.samples
    error -= estimate.samples
    with np.errstate(divide="ignore"):
        ratio = np.divide(scale**2 * reference.energy, np.sum(np.square(error, out=error)))
        return MetricScore(float(10 * np.log10(ratio)))


def pesq_wideband(reference: np.ndarray, estimate: np.ndarray) -> MetricScore:
    """Compute PESQ of ITU-T P.862.2, mode ``wb``.

    Parameters
    ----------
    reference, estimate : np.ndarray, shape (samples,)
        At 16 kHz, at any level.

    Returns
    -------
    MetricScore
        MOS-LQO, 1.04 to 4.64. NaN if a signal is silent, empty or not finite; if it is shorter than 0.25 s;
        if PESQ finds no utterance in the reference; if the reference, being longer than 19 s, may hold more
        utterances than PESQ has room for.

    Raises
    ------
    ValueError, TypeError
        As `si_sdr`.
    """
    reference, estimate, cause = _comparable(reference, estimate)
    if not cause and _may_exceed_utterances(reference):
        cause = f"reference may hold more than the {_PESQ_MAX_UTTERANCES} utterances that PESQ has room for"
    if cause:
        return MetricScore(np.nan, cause)
    from pesq import PesqError, pesq

    try:
        value = float(pesq(SAMPLE_RATE, reference, estimate, "wb"))
    except PesqError as error:
        message = error.args[0] if error.args else "unknown error"
        message = message.decode() if isinstance(message, bytes) else str(message)
        return MetricScore(np.nan, f"PESQ says: {message}")
    except ValueError:
        # the package takes a score of NaN for an error code and fails to look it up
        return MetricScore(np.nan, "PESQ gives NaN")
    return MetricScore(value)


def estoi(reference: np.ndarray, estimate: np.ndarray) -> MetricScore:
    """Compute the extended short-time objective intelligibility.

    Parameters
    ----------
    reference, estimate : np.ndarray, shape (samples,)
        At 16 kHz, at any level.

    Returns
    -------
    MetricScore
        At most 1; about 0, and possibly below, for unintelligible speech. NaN if a signal is silent, empty or
        not finite, or if the reference has less than 0.4 s within 40 dB of its loudest frame.

    Raises
    ------
    ValueError, TypeError
        As `si_sdr`.
    """
    reference, estimate, cause = _comparable(reference, estimate)
    too_short = "fewer than the 30 frames (0.4 s) of speech that ESTOI compares"
    # pystoi fails on less than one frame of 256 samples at 10 kHz before it can say that 30 are too few
    if not cause and len(reference) < 0.4 * SAMPLE_RATE:
        cause = too_short
    if cause:
        return MetricScore(np.nan, cause)
    from pystoi import stoi

    # pystoi draws from the global generator: no other can be given to it
    state = np.random.get_state()  # noqa: NPY002
    try:
        np.random.seed(0)  # noqa: NPY002
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="Not enough STFT frames", category=RuntimeWarning)
            value = stoi(near_unit_peak(reference), near_unit_peak(estimate), SAMPLE_RATE, extended=True)
            return MetricScore(float(value))
    except RuntimeWarning:
        return MetricScore(np.nan, too_short)
    finally:
        np.random.set_state(state)  # noqa: NPY002


def _comparable(reference: np.ndarray, estimate: np.ndarray) -> tuple[np.ndarray, np.ndarray, str]:
    """Both signals as float64, and why they cannot be compared or an empty string."""
    reference, estimate = as_signal("reference", reference), as_signal("estimate", estimate)
    _require_equal_lengths(reference, estimate)
    cause = cause_of_unusable(reference, "reference") or cause_of_unusable(estimate, "estimate")
    return reference, estimate, cause


def _require_equal_lengths(reference: np.ndarray, estimate: np.ndarray) -> None:
    if len(reference) != len(estimate):
        raise ValueError(f"estimate has {len(estimate)} samples, not the {len(reference)} of the reference")


def _may_exceed_utterances(reference: np.ndarray) -> bool:
    """Whether PESQ might count more utterances in the reference than it has room for.

    PESQ's threshold depends on a filter and a voice detector of its own. So utterances are counted for
    thresholds 1 dB apart over the detector's range of 40 dB, and the largest count, with a margin, decides.
    """
    if len(reference) <= _PESQ_SAFE_SECONDS * SAMPLE_RATE:
        return False
    windows = reference[: len(reference) // _PESQ_WINDOW * _PESQ_WINDOW].reshape(-1, _PESQ_WINDOW)
    levels = np.mean(np.square(windows), axis=1)
    thresholds = levels.max() * 10 ** (-np.arange(0.5, 41) / 10)
    return max(_n_utterances(levels > threshold) for threshold in thresholds) > 0.8 * _PESQ_MAX_UTTERANCES


def _n_utterances(active: np.ndarray) -> int:
    """Count PESQ's utterances in windows (n,) that are above its threshold or not."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], active, [False]]).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    kept = ends - starts > _PESQ_CLICK_WINDOWS
    starts, ends = starts[kept], ends[kept]
    pauses = starts[1:] - ends[:-1] > _PESQ_PAUSE_WINDOWS
    starts, ends = starts[np.append(True, pauses)[: len(starts)]], ends[np.append(pauses, True)[: len(ends)]]
    return int(np.count_nonzero(ends - starts >= _PESQ_SPEECH_WINDOWS))
