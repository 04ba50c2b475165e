"""Verdicts: whether a run bears out a claim.

Of each statistic one vector is computed: its first element with the mixtures as they are, then one element
for each noise alone, then one for each resample (`blsh.reporting.bootstrap`). All sides of a claim see the
same mixtures and repeats: a mixture that one side lacks, or could not be scored on, is left out of all. With
the margin (statistic minus threshold, or the reverse) a claim

* *holds* if the 95 % interval of the margin lies above 0 and the margin is positive on every noise;
* *fails* if the interval lies below 0;
* is *undecided* otherwise, or where there are too few speakers, repeats or training seeds to resample;
* is *not judged* if the run has not, or not yet, scored what the claim is about.

Noises are those of the open set where the claim concerns it; another set's noises are then kept together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from blsh.reporting.bootstrap import interval, mixture_weights, repeat_weights, weighted_means
from blsh.reporting.claims import CURVES, Claim, Term
from blsh.reporting.scores import CELL, MIXTURE

__all__ = ["CLAIMS_DTYPES", "Model", "judge_claims", "models_of"]

HOLDS, FAILS, UNDECIDED, NOT_JUDGED = "holds", "fails", "undecided", "not judged"
DECIMALS = 6
MIN_SEEDS = 3
MIN_REPEATS = 3

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


@dataclass(frozen=True)
class Model:
    """Which BLSH model the claims are judged for."""

    target: str
    profile: str


def models_of(scores: pd.DataFrame) -> tuple[Model, ...]:
    """Return the trained models that were scored, in sorted order."""
    trained = scores.loc[scores["system"] == "blsh", ["target", "profile"]].drop_duplicates()
    return tuple(Model(*row) for row in sorted(trained.itertuples(index=False, name=None)))


def judge_claims(
    claims: Sequence[Claim],
    scores: pd.DataFrame,
    training: pd.DataFrame,
    *,
    expected: pd.DataFrame,
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
    models
        See `models_of`.
    n_resamples
        Resamples of the bootstrap.
    rng
        Read once. A claim's resamples depend on that number and on the mixtures' names only, so that neither
        further claims nor further systems change a verdict.

    Returns
    -------
    DataFrame
        Columns of `CLAIMS_DTYPES`. ``low`` and ``high`` are the ends of the margin's interval; ``noises`` is
        a list like ``rain:+ wind:-``. Infinite values (a level never reached) are NaN.
    """
    evidence = _Evidence(scores, expected, n_resamples, int(rng.integers(2**63)))
    rows = []
    for claim in claims:
        if not claim.is_about_blsh:
            any_model = models[0] if models else Model("", "")
            rows.append(_row(claim, Model("", ""), _judge(claim, any_model, evidence, training)))
            continue
        for model in models or (Model("", ""),):
            rows.append(_row(claim, model, _judge(claim, model, evidence, training)))
    return pd.DataFrame(rows, columns=list(CLAIMS_DTYPES)).astype(CLAIMS_DTYPES)


class _MissingError(ValueError):
    """What a claim needs is not there; the message is the reason."""


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


class _Evidence:
    """The scores, arranged for looking up cells and for weighting them."""

    def __init__(self, scores: pd.DataFrame, expected: pd.DataFrame, n_resamples: int, entropy: int) -> None:
        self.n_resamples = n_resamples
        self.expected = expected[list(CELL)].drop_duplicates()
        self.cells = scores[list(CELL)].drop_duplicates(ignore_index=True)
        self._scores = scores
        self._rows_of = scores.groupby(list(CELL), sort=True, dropna=False).indices
        self._entropy = entropy
        self._mixtures: dict[tuple[str, float], pd.DataFrame] = {}
        self._weights: dict[tuple[str, float], np.ndarray] = {}

    def mixtures(self, place: tuple[str, float]) -> pd.DataFrame:
        """Return the mixtures of a (set, SNR), sorted."""
        if place not in self._mixtures:
            here = (self._scores["set"] == place[0]) & (self._scores["snr_db"] == place[1])
            table = self._scores.loc[here, list(MIXTURE)].drop_duplicates()
            self._mixtures[place] = table.sort_values(list(MIXTURE), ignore_index=True)
        return self._mixtures[place]

    def weights(self, place: tuple[str, float]) -> np.ndarray:
        """Return lengths times counts, shape (1 + noises + resamples, mixtures); see above."""
        if place not in self._weights:
            table = self.mixtures(place)
            speakers, utterances = table["speaker"].to_numpy(str), table["utterance"].to_numpy(str)
            # Sets of the same utterances (other SNRs) share their resamples.
            rng = self.generator("\n".join(sorted(set(np.char.add(np.char.add(speakers, "\t"), utterances)))))
            drawn = mixture_weights(speakers, utterances, self.n_resamples, rng=rng)
            noises = table["noise"].to_numpy(str)
            alone = [(noises == noise).astype(np.float64) for noise in np.unique(noises)]
            counts = np.vstack([np.ones(len(table)), *alone, drawn])
            self._weights[place] = counts * table["seconds"].to_numpy()
        return self._weights[place]

    def generator(self, name: str) -> np.random.Generator:
        digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
        return np.random.default_rng([self._entropy, int.from_bytes(digest, "little")])

    def find(self, term: Term, model: Model) -> pd.DataFrame:
        """Return the scored cells of a term, sorted by L; without n_bits a curve has many."""
        found = self.cells[_matches(self.cells, term, model)].sort_values("n_bits")
        if len(found) == 0:
            if _matches(self.expected, term, model).any():
                raise _MissingError(f"{term} is not scored yet")
            raise _MissingError(f"{term} is not in this run's grid")
        if found["n_bits"].duplicated().any():
            raise _MissingError(f"{term} is more than one system of this run")
        return found

    def values(self, cell: tuple, metric: str) -> tuple[np.ndarray, np.ndarray]:
        """Return a cell's repeats (repeats,) and its scores (repeats, mixtures), NaN where there is none."""
        rows = self._scores.iloc[self._rows_of[cell]]
        mixtures = pd.MultiIndex.from_frame(self.mixtures((cell[0], cell[1])))
        table = rows.pivot(index="repeat", columns=list(MIXTURE), values=metric)
        table = table.reindex(columns=mixtures)
        return table.index.to_numpy(), table.to_numpy(np.float64)


def _matches(cells: pd.DataFrame, term: Term, model: Model) -> pd.Series:
    found = (cells["set"] == term.set) & (cells["snr_db"] == term.snr_db) & (cells["system"] == term.system)
    found &= (cells["variant"] == term.variant) & (cells["feature"] == term.feature)
    found &= np.isclose(cells["rho"], term.rho, rtol=1e-9, atol=0)
    for name in ("target", "profile"):
        # Only what was trained has a target and a profile.
        wanted = getattr(term, name)
        found &= cells[name].isin(["", getattr(model, name)] if wanted is None else [wanted])
    if term.n_bits is not None:
        found &= cells["n_bits"] == term.n_bits
    return found


def _judge(claim: Claim, model: Model, evidence: _Evidence, training: pd.DataFrame) -> _Finding:
    try:
        if claim.test == "seeds":
            return _judge_training(claim, model, training, evidence)
        return _judge_scores(claim, model, evidence)
    except _MissingError as reason:
        return _Finding(NOT_JUDGED, str(reason))


def _judge_scores(claim: Claim, model: Model, evidence: _Evidence) -> _Finding:
    curves = [evidence.find(term, model) for term in claim.terms]
    bits = _common_bits(claim, curves)
    place = _main_place(claim)
    weights, use = evidence.weights(place), evidence.mixtures(place)
    n_noises = use["noise"].nunique()
    statistics, repeats = [], np.array([0])
    for metric in claim.metrics:
        means, draws, repeats, known = _resampled_means(
            claim, curves, bits, metric, evidence, place, n_noises
        )
        statistics.append(_STATISTICS[claim.statistic](claim, means, draws, bits))
        use = use[known[use.index]]
    statistic = np.min(statistics, axis=0) if claim.threshold.kind == "above" else np.max(statistics, axis=0)
    margin = claim.threshold.margin(statistic)
    low, high = interval(margin[1 + n_noises :])
    signs = margin[1 : 1 + n_noises]
    names = np.unique(evidence.mixtures(place)["noise"].to_numpy(str))
    n_speakers = use["speaker"].nunique()
    verdict, reason = _verdict(low, high, dict(zip(names, signs, strict=True)))
    if n_speakers < 2:
        verdict, reason = UNDECIDED, f"{n_speakers} speaker; a resample needs at least 2"
    elif claim.statistic == "spread" and len(repeats) < MIN_REPEATS:
        verdict, reason = UNDECIDED, f"{len(repeats)} repeats; a spread needs at least {MIN_REPEATS}"
    if np.isinf(statistic[0]):
        reason = f"not reached up to L={bits[-1]}" + (f"; {reason}" if reason else "")
    assert len(weights) == len(margin)
    return _Finding(
        verdict,
        reason,
        value=float(statistic[0]),
        margin=float(margin[0]),
        low=low,
        high=high,
        n_speakers=n_speakers,
        n_utterances=len(use.drop_duplicates(["speaker", "utterance"])),
        n_repeats=len(repeats),
        noises=" ".join(f"{name}:{_sign(sign)}" for name, sign in zip(names, signs, strict=True)),
    )


def _verdict(low: float, high: float, by_noise: dict[str, float]) -> tuple[str, str]:
    if np.isnan(low):
        return UNDECIDED, "nothing to resample"
    if high < 0:
        return FAILS, ""
    against = [name for name, sign in by_noise.items() if not sign > 0]
    if low > 0:
        return (UNDECIDED, f"the sign differs on {', '.join(against)}") if against else (HOLDS, "")
    return UNDECIDED, "the interval contains 0"


def _sign(value: float) -> str:
    return "?" if np.isnan(value) else "+" if value > 0 else "-"


def _main_place(claim: Claim) -> tuple[str, float]:
    places = [(term.set, term.snr_db) for term in claim.terms]
    return next((place for place in places if place[0] == "open"), places[0])


def _common_bits(claim: Claim, curves: Sequence[pd.DataFrame]) -> list[int]:
    """Return the L at which every curve was scored; [0] for a statistic of single cells."""
    if claim.statistic not in CURVES:
        return [0]
    sets = [set(curve["n_bits"]) for curve in curves if (curve["n_bits"] > 0).any()]
    bits = sorted(set.intersection(*sets)) if sets else []
    if not bits:
        raise _MissingError("no number of bits is scored on both sides")
    if claim.statistic == "crossing" and not (len(bits) > 1 and bits[-1] >= claim.threshold.values[-1]):
        raise _MissingError(f"the run's largest L is {bits[-1]}, the claim is about {claim.threshold}")
    return bits


def _resampled_means(
    claim: Claim,
    curves: Sequence[pd.DataFrame],
    bits: Sequence[int],
    metric: str,
    evidence: _Evidence,
    main: tuple[str, float],
    n_noises: int,
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray, np.ndarray]:
    """Average every cell of a claim in every resample.

    Returns
    -------
    means : list of ndarray, one for each term, shape (L, rows, repeats)
        Cells without repeats, and terms without L, have length 1 there.
    draws : ndarray, shape (rows, repeats)
        How often each repeat counts.
    repeats : ndarray
        The repeats that all cells have.
    known : ndarray of bool, shape (mixtures of the main set,)
        The mixtures that were used there.
    """
    cubes: list[list[tuple[np.ndarray, np.ndarray]]] = []
    places = []
    for curve in curves:
        rows = (
            curve[curve["n_bits"].isin(bits)]
            if claim.statistic in CURVES and curve["n_bits"].max() > 0
            else curve
        )
        cubes.append(
            [evidence.values(cell, metric) for cell in rows[list(CELL)].itertuples(index=False, name=None)]
        )
        places.append((rows["set"].iloc[0], rows["snr_db"].iloc[0]))
        for _, values in cubes[-1]:
            if np.isnan(values).all():
                raise _MissingError(f"{metric} was not computed there")
    drawn = [
        repeats for term, cube in zip(claim.terms, cubes, strict=True) if term.rho > 0 for repeats, _ in cube
    ]
    common = (
        np.array(sorted(set.intersection(*(set(repeats.tolist()) for repeats in drawn)))) if drawn else None
    )
    if common is not None and len(common) == 0:
        raise _MissingError("no repeat is scored on all sides")
    known = {place: np.ones(len(evidence.mixtures(place)), dtype=bool) for place in places}
    chosen: list[list[np.ndarray]] = []
    for term, cube, place in zip(claim.terms, cubes, places, strict=True):
        kept = [values[np.isin(repeats, common)] if term.rho > 0 else values for repeats, values in cube]
        for values in kept:
            known[place] &= ~np.isnan(values).all(axis=0)
        chosen.append(kept)
    means = []
    for kept, place in zip(chosen, places, strict=True):
        weights = evidence.weights(place) * known[place]
        if place != main:  # the other set's noises stay together
            own = evidence.mixtures(place)["noise"].nunique()
            weights = np.vstack([weights[:1]] * (1 + n_noises) + [weights[1 + own :]])
        means.append(np.stack([weighted_means(values, weights) for values in kept]))
    n_repeats = 1 if common is None else len(common)
    drawn_repeats = repeat_weights(
        n_repeats, evidence.n_resamples, rng=evidence.generator(f"repeats {n_repeats}")
    )
    draws = np.vstack([np.ones((1 + n_noises, n_repeats)), drawn_repeats])
    return means, draws, np.array([0]) if common is None else common, known[main]


def _over_repeats(means: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Mean over the drawn repeats: (L, rows, repeats) to (L, rows)."""
    if means.shape[-1] == 1:
        return means[..., 0]
    return (means * draws).sum(axis=-1) / draws.sum(axis=-1)


def _difference(claim: Claim, means: list[np.ndarray], draws: np.ndarray, bits: Sequence[int]) -> np.ndarray:
    signs = [1.0] * len(claim.left) + [-1.0] * len(claim.right)
    return sum(sign * _over_repeats(mean, draws)[0] for sign, mean in zip(signs, means, strict=True))


def _smallest_lead(
    claim: Claim, means: list[np.ndarray], draws: np.ndarray, bits: Sequence[int]
) -> np.ndarray:
    return (_over_repeats(means[0], draws) - _over_repeats(means[1], draws)).min(axis=0)


def _mean_lead(claim: Claim, means: list[np.ndarray], draws: np.ndarray, bits: Sequence[int]) -> np.ndarray:
    return (_over_repeats(means[0], draws) - _over_repeats(means[1], draws)).mean(axis=0)


def _spread(claim: Claim, means: list[np.ndarray], draws: np.ndarray, bits: Sequence[int]) -> np.ndarray:
    n_repeats = draws.shape[1]
    if n_repeats < 2:
        raise _MissingError(f"{n_repeats} repeat; a spread needs at least {MIN_REPEATS}")
    sides = []
    for mean in means:
        squares = (draws * (mean - _over_repeats(mean, draws)[..., None]) ** 2).sum(axis=-1)
        sides.append(np.sqrt(squares / (n_repeats - 1)).mean(axis=0))
    return sides[0] - sides[1]


def _crossing(claim: Claim, means: list[np.ndarray], draws: np.ndarray, bits: Sequence[int]) -> np.ndarray:
    curve = _over_repeats(means[0], draws)
    level = _over_repeats(means[1], draws)[0]
    grid = np.asarray(bits, dtype=np.float64)
    reached = curve >= level
    first = reached.argmax(axis=0)
    column = np.arange(curve.shape[1])
    before = np.maximum(first - 1, 0)
    rise = curve[first, column] - curve[before, column]
    share = np.divide(level - curve[before, column], rise, out=np.zeros_like(rise), where=rise > 0)
    crossed = np.where(first == 0, grid[0], grid[before] + share * (grid[first] - grid[before]))
    return np.where(reached.any(axis=0), crossed, np.inf)


_STATISTICS = {
    "difference": _difference,
    "smallest_lead": _smallest_lead,
    "mean_lead": _mean_lead,
    "spread": _spread,
    "crossing": _crossing,
}


def _judge_training(claim: Claim, model: Model, training: pd.DataFrame, evidence: _Evidence) -> _Finding:
    [term] = claim.left
    target = model.target if term.target is None else term.target
    profile = model.profile if term.profile is None else term.profile
    rows = training[
        (training["feature"] == term.feature)
        & (training["target"] == target)
        & (training["profile"] == profile)
    ]
    if len(rows) == 0:
        raise _MissingError(f"no training of {term.feature} {target} {profile}".rstrip() + " in this run")
    if rows["beta"].isna().any():
        raise _MissingError("this boosting rule has no β")
    betas = [part.sort_values("round")["beta"].to_numpy() for _, part in rows.groupby("seed", sort=True)]
    per_seed = np.array([_beta_statistic(claim, beta) for beta in betas])
    n_seeds = len(per_seed)
    value = float(per_seed.mean())
    margin = float(claim.threshold.margin(value))
    if n_seeds < MIN_SEEDS:
        plural = "seed" if n_seeds == 1 else "seeds"
        reason = f"{n_seeds} training {plural}; β is judged over at least {MIN_SEEDS}"
        return _Finding(UNDECIDED, reason, value=value, margin=margin, n_seeds=n_seeds)
    draws = repeat_weights(n_seeds, evidence.n_resamples, rng=evidence.generator(f"seeds {n_seeds}"))
    low, high = interval(claim.threshold.margin(draws @ per_seed / n_seeds))
    verdict, reason = _verdict(low, high, {})
    return _Finding(verdict, reason, value=value, margin=margin, low=low, high=high, n_seeds=n_seeds)


def _beta_statistic(claim: Claim, beta: np.ndarray) -> float:
    if claim.statistic == "beta_fall":
        if len(beta) < 5:
            raise _MissingError(f"{len(beta)} rounds were trained, the claim needs 5")
        fifths = [part.mean() for part in np.array_split(beta, 5)]
        return float(-np.diff(fifths).max())
    first, last = ((number if number > 0 else len(beta)) for number in claim.rounds)
    if max(first, last) > len(beta) or first >= last:
        raise _MissingError(f"{len(beta)} rounds were trained, the claim is about rounds {first} and {last}")
    return float(beta[last - 1] / beta[first - 1])


def _row(claim: Claim, model: Model, finding: _Finding) -> dict[str, object]:
    numbers = {}
    for name in ("value", "margin", "low", "high"):
        number = getattr(finding, name)
        numbers[name] = round(number, DECIMALS) if np.isfinite(number) else np.nan
    return {
        "id": claim.id,
        "statement": claim.statement,
        "source": claim.source,
        "target": model.target,
        "profile": model.profile,
        "statistic": f"{claim.statistic} of {', '.join(claim.metrics)}"
        if claim.test == "bootstrap"
        else claim.statistic,
        "threshold": str(claim.threshold),
        "verdict": finding.verdict,
        "reason": finding.reason,
        "n_speakers": finding.n_speakers,
        "n_utterances": finding.n_utterances,
        "n_repeats": finding.n_repeats,
        "n_seeds": finding.n_seeds,
        "noises": finding.noises,
        "note": claim.note,
        **numbers,
    }
