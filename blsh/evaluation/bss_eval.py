"""SDR, SIR and SAR of many estimates of one utterance: BSS Eval version 3 for sources.

An estimate ŝ of a speech signal s, mixed with a noise n, is projected on the span of all delays of s by 0 …
L−1 samples (L = 512), and on the span of the delays of both s and n (E. Vincent, R. Gribonval, C. Févotte,
"Performance measurement in blind audio source separation", IEEE TASLP 14(4), 2006, Section III.B). With the
two projections P₁ŝ and P₂ŝ, which last N + L − 1 samples,

    SDR = 10 log₁₀ ‖P₁ŝ‖² / ‖ŝ − P₁ŝ‖²
    SIR = 10 log₁₀ ‖P₁ŝ‖² / ‖P₂ŝ − P₁ŝ‖²
    SAR = 10 log₁₀ ‖P₂ŝ‖² / ‖ŝ − P₂ŝ‖²

A projection is the solution of normal equations ``G h = b`` of which only b depends on the estimate. So
`factor_references` does once what depends on s and n, and `bss_eval` uses it for any number of estimates. The
scores equal those of ``mir_eval.separation.bss_eval_sources`` with the references [s, n] and no permutation:
up to 100 dB within 1e-4 dB, measured 2e-6, unless G is nearly singular.

**Energies without waveforms.** ``c = ‖Pŝ‖² = bᵀ h``, and as projections are orthogonal the three denominators
are the differences ‖ŝ‖² − c₁, c₂ − c₁ and ‖ŝ‖² − c₂. Rounding changes c as a perturbation of the elements of
G and b by γ·ε of their size would, hence by at most γ·ε·(Σ_i g_i ‖h_i‖² + ‖ŝ‖²), with g_i = ‖s_i‖². In 360
estimates of real mixtures γ came out at 0.35 in the median and 6 at most; `ROUNDING` stands for it. Where the
bound allows an error above `TOLERANCE_DB` in any score, which is at some 60 dB or, if G is nearly singular,
less, the projections are formed as waveforms and subtracted sample by sample as mir_eval does.

**Nearly singular G** (references without energy in some band): see ``_normal_equations``. The waveforms are
always formed, and the status is ``ill-conditioned``.

Every estimate is scored by itself: its score does not depend on the others in the batch. All is float64, and
each signal is first multiplied by a power of two that brings its peak near 1, which changes no digit. Bytes
repeat as long as BLAS uses the same number of threads, which is one in the workflow's jobs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from blsh.evaluation._blocks import BlockSpectra, correlate, filter_and_sum, transform_blocks
from blsh.evaluation._normal_equations import NormalEquations, correlations_of, normal_equations
from blsh.evaluation._signals import Signal, prepare

# Largest error of a score, by its bound, with which it is still computed from energies.
TOLERANCE_DB = 1e-6
# γ, a hundred times what was measured.
ROUNDING = 512

_EPSILON = np.finfo(np.float64).eps


@dataclass(frozen=True, eq=False)
class ReferenceFactors:
    """What `bss_eval` needs of an utterance's references.

    Attributes
    ----------
    n_samples : int
        Length that estimates must have.
    interference : bool
        Whether SIR and SAR were asked for.
    blocks : BlockSpectra or None
        None where ``reason`` forbids every score.
    speech, both : NormalEquations or None
        Of the speech, and of speech and noise; the latter only where SIR and SAR can be computed.
    reason : str
        The scores that are NaN for every estimate, and why (``sir, sar: silent noise reference``), or empty.
    """

    n_samples: int
    interference: bool
    blocks: BlockSpectra | None
    speech: NormalEquations | None
    both: NormalEquations | None
    reason: str

    @property
    def metrics(self) -> str:
        """The scores that were asked for, as reasons name them."""
        return "sdr, sir, sar" if self.interference else "sdr"

    def of_speech(self) -> ReferenceFactors:
        """Return what the SDR alone needs, as `factor_references` makes it without ``interference``."""
        if self.blocks is None:
            return replace(self, interference=False, reason=self.reason.replace(self.metrics, "sdr", 1))
        blocks = replace(self.blocks, spectra=self.blocks.spectra[:1])
        return replace(self, interference=False, blocks=blocks, both=None, reason="")


@dataclass(frozen=True, eq=False)
class BssScores:
    """Scores of n estimates.

    Attributes
    ----------
    sdr, sir, sar : np.ndarray, shape (n,), float64
        In dB. NaN where it cannot be computed, and SIR and SAR where they were not asked for.
    status : tuple of str, length n
        ``ok``, ``ill-conditioned``, or ``nan`` where any score that was asked for is NaN.
    reason : tuple of str, length n
        With status ``nan`` the scores and the cause (``sdr, sir, sar: silent estimate``), otherwise empty.
    """

    sdr: np.ndarray
    sir: np.ndarray
    sar: np.ndarray
    status: tuple[str, ...]
    reason: tuple[str, ...]


def factor_references(
    speech: np.ndarray, noise: np.ndarray | None, *, filter_length: int = 512, interference: bool = True
) -> ReferenceFactors:
    """Do once per utterance what its estimates share.

    Speech that is silent, not finite, or not longer than the filter makes every score NaN; noise that is
    silent or not finite SIR and SAR only, since the SDR needs the speech alone. (mir_eval raises an error for
    either.)

    Parameters
    ----------
    speech, noise : np.ndarray, shape (samples,)
        The references, as they were added up. Without ``interference`` the noise is not looked at.
    filter_length : int >= 1
        L, taps of the distortion filter.
    interference : bool
        Whether SIR and SAR are wanted besides the SDR.

    Returns
    -------
    ReferenceFactors

    Raises
    ------
    ValueError
        Signals of other than one dimension or of different lengths; ``filter_length`` below 1.
    TypeError
        Signals that are not arrays of real numbers.
    """
    if filter_length < 1:
        raise ValueError(f"filter_length={filter_length} is less than one tap")
    speech = prepare("speech", speech, "speech reference")
    n_samples, unusable = len(speech.samples), speech.cause
    if not unusable and n_samples <= filter_length:
        unusable = f"speech reference of {n_samples} samples for a filter of {filter_length} taps"
    references, reason = [speech], ""
    if interference:
        noise = prepare("noise", noise, "noise reference")
        if len(noise.samples) != n_samples:
            raise ValueError(f"noise has {len(noise.samples)} samples, not the {n_samples} of the speech")
        if noise.cause:
            reason = f"sir, sar: {noise.cause}"
        else:
            references.append(noise)
    if unusable:
        metrics = "sdr, sir, sar" if interference else "sdr"
        return ReferenceFactors(n_samples, interference, None, None, None, f"{metrics}: {unusable}")

    signals = [reference.samples for reference in references]
    blocks = transform_blocks(signals, filter_length)
    correlations = correlations_of(signals, blocks)
    of_speech = normal_equations(correlations[:1, :1])
    of_both = normal_equations(correlations) if len(references) == 2 else None
    return ReferenceFactors(n_samples, interference, blocks, of_speech, of_both, reason)


def bss_eval(estimates: np.ndarray | Sequence[Signal], factors: ReferenceFactors) -> BssScores:
    """Score estimates of an utterance's speech.

    Parameters
    ----------
    estimates : np.ndarray, shape (n, samples), or sequence of Signal
        Real numbers of any type, or made ready once for several metrics; n may be 0. An estimate that is silent or not
        finite has NaN scores.
    factors : ReferenceFactors
        Of the utterance.

    Returns
    -------
    BssScores
        A score is infinite where a denominator is exactly 0. What exceeds some 200 dB is rounding, here as in
        mir_eval: an estimate that equals the speech has 250 to 300 dB.

    Raises
    ------
    ValueError
        ``estimates`` of another shape than (n, samples of the references).
    TypeError
        ``estimates`` that are not real numbers.
    """
    is_ready = len(estimates) > 0 and isinstance(estimates[0], Signal)
    shape = (len(estimates), len(estimates[0].samples)) if is_ready else np.shape(estimates)
    if len(shape) != 2 or shape[1] != factors.n_samples:
        raise ValueError(f"estimates of shape {shape} are not (n, {factors.n_samples}) as the references demand")
    scores = np.full((len(estimates), 3), np.nan)
    statuses, reasons = [], []
    for row, estimate in zip(scores, estimates, strict=True):
        status, reason = _score(prepare("estimates", estimate, "estimate"), factors, row)
        statuses.append(status)
        reasons.append(reason)
    sdr, sir, sar = np.ascontiguousarray(scores.T)
    return BssScores(sdr, sir, sar, tuple(statuses), tuple(reasons))


def _score(estimate: Signal, factors: ReferenceFactors, scores: np.ndarray) -> tuple[str, str]:
    """Write SDR, SIR and SAR of one estimate into ``scores`` (3,); return its status and reason."""
    if factors.blocks is None:
        return "nan", factors.reason
    if estimate.cause:
        return "nan", f"{factors.metrics}: {estimate.cause}"
    products = correlate(estimate.samples, factors.blocks)
    systems = [system for system in (factors.speech, factors.both) if system is not None]
    filters = [system.solve(products[: len(system.energies)]) for system in systems]

    ill_conditioned = any(system.ill_conditioned for system in systems)
    ratios = None
    if not ill_conditioned:
        ratios = _ratios_of_energies(estimate.energy, products, filters, systems)
    if ratios is None:
        ratios = _ratios_of_waveforms(estimate.samples, filters, factors.blocks)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores[: len(ratios)] = 10 * np.log10(np.divide(*np.transpose(ratios)))

    if factors.reason:
        return "nan", factors.reason
    if np.isnan(scores[: len(ratios)]).any():
        # both projections are exactly 0, and SIR is 0/0
        return "nan", "sir: estimate without any part of the speech and noise references"
    return ("ill-conditioned" if ill_conditioned else "ok"), ""


def _ratios_of_energies(
    energy: float, products: np.ndarray, filters: list[np.ndarray], systems: list[NormalEquations]
) -> list[tuple[float, float]] | None:
    """(Numerator, denominator) of SDR, with two systems also of SIR and SAR; None if rounding may show."""
    projected, errors = [], []
    for h, system in zip(filters, systems, strict=True):
        projected.append(float(np.sum(h * products[: len(h)])))
        size = float(system.energies @ np.sum(np.square(h), axis=1)) + energy
        errors.append(ROUNDING * _EPSILON * size)
    ratios = [(projected[0], energy - projected[0])]
    bounds = [errors[0]]
    if len(systems) == 2:
        ratios += [(projected[0], projected[1] - projected[0]), (projected[1], energy - projected[1])]
        bounds += [errors[0] + errors[1], errors[1]]
    for (numerator, denominator), bound in zip(ratios, bounds, strict=True):
        # d(10 log₁₀ x) = 10/ln 10 · dx/x, for numerator and denominator
        tolerated = TOLERANCE_DB * np.log(10) / 10 * min(numerator, denominator) / 2
        if not bound <= tolerated:
            return None
    return ratios


def _ratios_of_waveforms(
    estimate: np.ndarray, filters: list[np.ndarray], blocks: BlockSpectra
) -> list[tuple[float, float]]:
    """(Numerator, denominator) of SDR, with two systems also of SIR and SAR, sample by sample."""
    padded = np.concatenate([estimate, np.zeros(blocks.filter_length - 1)])
    projections = [filter_and_sum(h, blocks) for h in filters]
    pairs = [(projections[0], padded - projections[0])]
    if len(projections) == 2:
        pairs += [
            (projections[0], projections[1] - projections[0]),
            (projections[1], padded - projections[1]),
        ]
    return [(float(np.sum(np.square(wanted))), float(np.sum(np.square(rest)))) for wanted, rest in pairs]
