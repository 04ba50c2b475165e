"""Verdicts: whether a run bears out a claim.

With the margin (the statistic minus its threshold, or the reverse) a claim

* *holds* if the 95 % interval of the margin lies above 0 and the margin is positive on every noise;
* *fails* if the interval lies below 0;
* is *undecided* otherwise, or where there are too few speakers, repeats or training seeds to resample;
* is *not judged* if the run has not, or not yet, scored what the claim is about, or on fewer than ten mixtures,
  or if it is about a network whose training did not end by its stop rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from blsh.reporting.bootstrap import interval, repeat_weights
from blsh.reporting.claims import CURVES, Claim
from blsh.reporting.evidence import Evidence, MissingError, Model
from blsh.reporting.statistics import STATISTICS, beta_statistic

__all__ = ["CLAIMS_DTYPES", "judge_claims"]

HOLDS, FAILS, UNDECIDED, NOT_JUDGED = "holds", "fails", "undecided", "not judged"
DECIMALS = 6
MIN_MIXTURES = 10
MIN_SPEAKERS = 2
MIN_REPEATS = 3
MIN_SEEDS = 3

CLAIMS_DTYPES = {
    **dict.fromkeys(("id", "statement", "source", "target", "profile", "statistic"), "str"),
    "value": "float64",
    "threshold": "str",
    **dict.fromkeys(("margin", "low", "high"), "float64"),
    **dict.fromkeys(("verdict", "reason"), "str"),
    **dict.fromkeys(("n_speakers", "n_utterances", "n_repeats", "n_seeds"), "int64"),
    "noises": "str",
    "note": "str",
}


def judge_claims(
    claims: Sequence[Claim],
    scores: pd.DataFrame,
    training: pd.DataFrame,
    *,
    expected: pd.DataFrame,
    networks: pd.DataFrame,
    models: Sequence[Model],
    n_resamples: int = 2000,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Judge every claim, those about BLSH once for each model.

    Parameters
    ----------
    claims
        What to judge.
    scores
        Checked scores.
    training
        ``feature, target, profile, seed, round, beta``, one row for each round of each training.
    expected
        The cells that the run is to score, to tell what is missing from what was never asked for.
    networks
        ``networks.csv``: which trainings ended by their stop rule.
    models
        See `blsh.reporting.evidence.models_of`.
    n_resamples
        Resamples of the bootstrap.
    rng
        Read once; see `blsh.reporting.evidence.Evidence`.

    Returns
    -------
    DataFrame
        Columns of `CLAIMS_DTYPES`. ``low`` and ``high`` are the ends of the margin's interval; ``noises`` is
        a list like ``rain:+ wind:-``. Infinite values (a level never reached) are NaN.
    """
    evidence = Evidence(scores, expected, networks=networks, n_resamples=n_resamples, entropy=int(rng.integers(2**63)))
    models = tuple(models) or (Model("", ""),)
    rows = []
    for claim in claims:
        for model in models if claim.is_about_blsh else models[:1]:
            try:
                judge = _judge_training if claim.test == "seeds" else _judge_scores
                finding = judge(claim, model, evidence, training)
            except MissingError as reason:
                finding = _Finding(NOT_JUDGED, str(reason))
            rows.append(_row(claim, model if claim.is_about_blsh else Model("", ""), finding))
    return pd.DataFrame(rows, columns=list(CLAIMS_DTYPES)).astype(CLAIMS_DTYPES)


@dataclass(frozen=True)
class _Finding:
    verdict: str
    reason: str = ""
    value: float = np.nan
    margin: float = np.nan
    low: float = np.nan
    high: float = np.nan
    n_speakers: int = 0
    n_utterances: int = 0
    n_repeats: int = 0
    n_seeds: int = 0
    noises: str = ""


def _judge_scores(claim: Claim, model: Model, evidence: Evidence, _: pd.DataFrame) -> _Finding:
    found = [
        evidence.resample(claim.terms, metric, model, over_bits=claim.statistic in CURVES) for metric in claim.metrics
    ]
    used = min((one.mixtures for one in found), key=len)
    if len(used) < MIN_MIXTURES:
        raise MissingError(f"n = {len(used)} mixtures; a claim is judged on at least {MIN_MIXTURES}")
    statistics = [STATISTICS[claim.statistic](claim, one) for one in found]
    # A claim about several metrics is one about the worst of them.
    worst = np.max if claim.threshold.kind == "at_most" else np.min
    statistic = worst(statistics, axis=0)
    margin = claim.threshold.margin(statistic)
    noises = found[0].noises
    signs = dict(zip(noises, margin[1 : 1 + len(noises)], strict=True))
    low, high = interval(margin[1 + len(noises) :])
    verdict, reason = _verdict(low, high, signs)
    n_speakers, n_repeats = used["speaker"].nunique(), found[0].n_repeats
    if n_speakers < MIN_SPEAKERS:
        verdict, reason = UNDECIDED, f"{n_speakers} speaker; a resample needs at least {MIN_SPEAKERS}"
    elif claim.statistic == "spread" and n_repeats < MIN_REPEATS:
        verdict, reason = UNDECIDED, f"{n_repeats} repeats; a spread needs at least {MIN_REPEATS}"
    if np.isinf(statistic[0]):
        reason = "; ".join([f"not reached up to L={found[0].bits[-1]}", *([reason] if reason else [])])
    return _Finding(
        verdict,
        reason,
        value=float(statistic[0]),
        margin=float(margin[0]),
        low=low,
        high=high,
        n_speakers=n_speakers,
        n_utterances=len(used.drop_duplicates(["speaker", "utterance"])),
        n_repeats=n_repeats,
        noises=" ".join(f"{name}:{'+' if sign > 0 else '-'}" for name, sign in signs.items()),
    )


def _judge_training(claim: Claim, model: Model, evidence: Evidence, training: pd.DataFrame) -> _Finding:
    [term] = claim.left
    target = model.target if term.target is None else term.target
    profile = model.profile if term.profile is None else term.profile
    own = (training["feature"] == term.feature) & (training["target"] == target)
    rows = training[own & (training["profile"] == profile)]
    if len(rows) == 0:
        raise MissingError(f"this run has no training on {term.feature} features")
    if rows["beta"].isna().any():
        raise MissingError("this boosting rule has no β")
    betas = [part.sort_values("round")["beta"].to_numpy() for _, part in rows.groupby("seed", sort=True)]
    per_seed = np.array([beta_statistic(claim, beta) for beta in betas])
    n_seeds = len(per_seed)
    value = float(per_seed.mean())
    margin = float(claim.threshold.margin(value))
    if n_seeds < MIN_SEEDS:
        reason = f"{n_seeds} training seed{'s' * (n_seeds > 1)}; β is judged over at least {MIN_SEEDS}"
        return _Finding(UNDECIDED, reason, value=value, margin=margin, n_seeds=n_seeds)
    draws = repeat_weights(n_seeds, evidence.n_resamples, rng=evidence.generator(f"seeds {n_seeds}"))
    low, high = interval(claim.threshold.margin(draws @ per_seed / n_seeds))
    verdict, reason = _verdict(low, high, {})
    return _Finding(verdict, reason, value=value, margin=margin, low=low, high=high, n_seeds=n_seeds)


def _verdict(low: float, high: float, by_noise: Mapping[str, float]) -> tuple[str, str]:
    if np.isnan(low):
        return UNDECIDED, "nothing to resample"
    if high < 0:
        return FAILS, ""
    if low <= 0:
        return UNDECIDED, "the interval contains 0"
    against = [name for name, margin in by_noise.items() if not margin > 0]
    return (UNDECIDED, f"the sign differs on {', '.join(against)}") if against else (HOLDS, "")


def _statistic_text(claim: Claim) -> str:
    if claim.test == "seeds":
        return claim.statistic
    if len(claim.metrics) == 1:
        return f"{claim.statistic} of {claim.metrics[0]}"
    return f"{claim.statistic}, the worst of {', '.join(claim.metrics)}"


def _row(claim: Claim, model: Model, finding: _Finding) -> dict[str, object]:
    numbers = {name: getattr(finding, name) for name in ("value", "margin", "low", "high")}
    return {
        "id": claim.id,
        "statement": claim.statement,
        "source": claim.source,
        "target": model.target,
        "profile": model.profile,
        "statistic": _statistic_text(claim),
        "threshold": str(claim.threshold),
        "verdict": finding.verdict,
        "reason": finding.reason,
        "n_speakers": finding.n_speakers,
        "n_utterances": finding.n_utterances,
        "n_repeats": finding.n_repeats,
        "n_seeds": finding.n_seeds,
        "noises": finding.noises,
        "note": claim.note,
        **{name: round(value, DECIMALS) if np.isfinite(value) else np.nan for name, value in numbers.items()},
    }
