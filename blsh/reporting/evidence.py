"""The evidence for a claim: resampled means of the cells that it is about.

All sides of a claim see the same mixtures and repeats: a mixture that one side lacks, or could not be scored
on, is left out of all. Of every cell three kinds of mean are taken, as rows of one array: first that of the
mixtures as they are, then that of each noise alone, then one for each resample (`blsh.reporting.bootstrap`).
Noises are those of the open set where the claim concerns it; another set's noises are then kept together, and
so are all where a term is about one noise alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from blsh.reporting.bootstrap import mixture_weights, repeat_weights, weighted_means
from blsh.reporting.cells import at, main_targets, set_at
from blsh.reporting.claims import Term
from blsh.reporting.labels import NETWORKS
from blsh.reporting.scores import CELL, DTYPES, MIXTURE
from blsh.reporting.training_status import not_trained, untrained_networks

__all__ = ["Evidence", "MissingError", "Model", "Resampled", "models_of"]

Place = tuple[str, float | None]


class MissingError(ValueError):
    """What a claim needs is not there; the message says what."""


@dataclass(frozen=True)
class Model:
    """Which BLSH model the claims are judged for."""

    target: str
    profile: str


@dataclass(frozen=True)
class Resampled:
    """Means of every term of a claim; rows are 1 + noises + resamples."""

    means: tuple[np.ndarray, ...]  # for each term (L, rows, repeats); an axis that does not apply has length 1
    draws: np.ndarray  # (rows, repeats), how often each repeat counts
    bits: tuple[int, ...]  # the L of curves
    noises: tuple[str, ...]
    n_repeats: int
    mixtures: pd.DataFrame  # of the main set, those that were used


def models_of(cells: pd.DataFrame) -> tuple[Model, ...]:
    """Return the BLSH models among some cells that the papers' claims are about, in sorted order.

    The claims are about the target ``ssm`` (those about others name them), and about any target of a run without it.
    """
    trained = cells.loc[cells["system"] == "blsh", ["target", "profile"]].drop_duplicates()
    trained = trained[trained["target"].isin(main_targets(trained))]
    return tuple(Model(*row) for row in sorted(trained.itertuples(index=False, name=None)))


class Evidence:
    """The scores of a run, arranged for looking up cells and for resampling them.

    Parameters
    ----------
    scores
        Checked scores.
    expected
        The cells that the run is to score, to tell what is missing from what was never asked for.
    networks
        ``networks.csv``, to tell which trainings did not end by their stop rule.
    n_resamples
        Resamples of the bootstrap.
    entropy
        Seed. The resamples depend on it and on the names of the mixtures only, so that neither further claims
        nor further systems change a verdict.
    """

    def __init__(
        self,
        scores: pd.DataFrame,
        expected: pd.DataFrame,
        *,
        networks: pd.DataFrame,
        n_resamples: int,
        entropy: int,
    ) -> None:
        self.n_resamples = n_resamples
        self._entropy = entropy
        self._scores = scores
        rows_of = scores.groupby(list(CELL), sort=True, dropna=False).indices
        self._rows_of = {_keyed(cell): rows for cell, rows in rows_of.items()}
        scored, wanted = (table[list(CELL)].drop_duplicates(ignore_index=True) for table in (scores, expected))
        self._scored, self._wanted = _by_system(scored), _by_system(wanted)
        self._sets = pd.concat([scored, wanted])[["set", "snr_db"]].drop_duplicates()
        self._networks = networks
        self._untrained = untrained_networks(wanted, networks)
        self._mixtures: dict[Place, pd.DataFrame] = {}
        self._weights: dict[Place, np.ndarray] = {}
        self._values: dict[tuple[tuple, str], tuple[np.ndarray, np.ndarray]] = {}

    def resample(self, terms: Sequence[Term], metric: str, model: Model, *, over_bits: bool) -> Resampled:
        """Average every cell of some terms in every resample.

        Parameters
        ----------
        terms
            What the claim is about.
        metric
            What is averaged.
        model
            Whose cells stand for BLSH.
        over_bits
            Whether the terms are curves over L, cut to the L that all of them have.

        Raises
        ------
        MissingError
            If a term has no cell, or the terms share no L, repeat or scored mixture.
        """
        places = [self._place(term) for term in terms]
        found = [self._find(term, place, model) for term, place in zip(terms, places, strict=True)]
        bits = _shared_bits(found) if over_bits else ()
        found = [
            cells[cells["n_bits"].isin(bits)] if over_bits and cells["n_bits"].max() > 0 else cells for cells in found
        ]
        scores = [
            [self._scores_of(cell, metric, term) for cell in cells.itertuples(index=False, name=None)]
            for cells, term in zip(found, terms, strict=True)
        ]
        repeats = _shared_repeats(terms, scores)
        values = [
            [own[np.isin(of_repeat, repeats)] if term.rho else own for of_repeat, own in curve]
            for term, curve in zip(terms, scores, strict=True)
        ]
        known = {place: np.ones(len(self._mixtures_of(place)), dtype=bool) for place in places}
        for place, curve in zip(places, values, strict=True):
            for own in curve:
                known[place] &= ~np.isnan(own).all(axis=0)
        main = next((place for place in places if place[0] == "open"), places[0])
        alone = any(term.noise for term in terms)
        noises = () if alone else tuple(np.unique(self._mixtures_of(main)["noise"].to_numpy(str)))
        means = []
        for term, place, curve in zip(terms, places, values, strict=True):
            weights = self._weights_of(place) * (known[place] & self._hears(place, term.noise))
            if alone or place != main:
                n_own = self._mixtures_of(place)["noise"].nunique()
                weights = np.vstack([weights[:1]] * (1 + len(noises)) + [weights[1 + n_own :]])
            means.append(np.stack([weighted_means(own, weights) for own in curve]))
        n_repeats = max(1, len(repeats))
        drawn = repeat_weights(n_repeats, self.n_resamples, rng=self.generator(f"repeats {n_repeats}"))
        draws = np.vstack([np.ones((1 + len(noises), n_repeats)), drawn])
        used = self._mixtures_of(main)[known[main]]
        return Resampled(tuple(means), draws, bits, noises, n_repeats, used)

    def generator(self, name: str) -> np.random.Generator:
        """Return the generator of a named draw."""
        digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
        return np.random.default_rng([self._entropy, int.from_bytes(digest, "little")])

    def _place(self, term: Term) -> Place:
        """Return the set of a term and its SNR, as this run names them."""
        if term.snr_db is not None:
            return set_at(self._sets, term.set, term.snr_db) or term.set, term.snr_db
        return term.set, _level(self._sets.loc[self._sets["set"] == term.set, "snr_db"].min())

    def _hears(self, place: Place, noise: str) -> np.ndarray:
        """Mark the mixtures with a noise, or all if none is named."""
        noises = self._mixtures_of(place)["noise"].to_numpy(str)
        if noise and noise not in noises:
            raise MissingError(f"the {place[0]} set has no noise {noise}")
        return (noises == noise) | (not noise)

    def _find(self, term: Term, place: Place, model: Model) -> pd.DataFrame:
        """Return the scored cells of a term by rising L."""
        if (term.system, term.variant) in self._untrained:
            far = not_trained(self._networks, (term.system, term.variant))
            raise MissingError(f"{term} was not trained to its stop rule ({far})")
        found = _matching(self._scored, term, place, model)
        if len(found) == 0:
            if len(_matching(self._wanted, term, place, model)):
                raise MissingError(f"{term} is not scored yet")
            raise MissingError(f"{term} is not in this run's grid")
        if found["n_bits"].duplicated().any():
            raise MissingError(f"{term} is more than one system of this run")
        return found

    def _scores_of(self, cell: tuple, metric: str, term: Term) -> tuple[np.ndarray, np.ndarray]:
        """Return a cell's repeats (repeats,) and its scores (repeats, mixtures), NaN where there is none."""
        cell = _keyed(cell)
        if (cell, metric) not in self._values:
            rows = self._scores.iloc[self._rows_of[cell]]
            mixtures = pd.MultiIndex.from_frame(self._mixtures_of((cell[0], cell[1])))
            table = rows.pivot(index="repeat", columns=list(MIXTURE), values=metric).reindex(columns=mixtures)
            self._values[cell, metric] = table.index.to_numpy(), table.to_numpy(np.float64)
        repeats, values = self._values[cell, metric]
        if np.isnan(values).all():
            raise MissingError(f"{metric} of {term} was not asked for, or could not be computed")
        return repeats, values

    def _mixtures_of(self, place: Place) -> pd.DataFrame:
        if place not in self._mixtures:
            snr_db = np.nan if place[1] is None else place[1]
            table = at(self._scores, set=place[0], snr_db=snr_db)[list(MIXTURE)].drop_duplicates()
            self._mixtures[place] = table.sort_values(list(MIXTURE), ignore_index=True)
        return self._mixtures[place]

    def _weights_of(self, place: Place) -> np.ndarray:
        """Return lengths times counts, shape (1 + noises + resamples, mixtures)."""
        if place not in self._weights:
            table = self._mixtures_of(place)
            speakers, utterances = table["speaker"].to_numpy(str), table["utterance"].to_numpy(str)
            names = sorted(set(zip(speakers.tolist(), utterances.tolist(), strict=True)))
            # Sets of the same utterances (at other SNRs) share their resamples.
            rng = self.generator("\n".join("\t".join(name) for name in names))
            drawn = mixture_weights(speakers, utterances, self.n_resamples, rng=rng)
            noises = table["noise"].to_numpy(str)
            alone = [(noises == noise).astype(np.float64) for noise in np.unique(noises)]
            counts = np.vstack([np.ones(len(table)), *alone, drawn])
            self._weights[place] = counts * table["seconds"].to_numpy()
        return self._weights[place]


def _by_system(cells: pd.DataFrame) -> dict[tuple, pd.DataFrame]:
    grouped = cells.groupby(["set", "snr_db", "system", "variant"], dropna=False)
    return {(name, _level(snr_db), *system): own for (name, snr_db, *system), own in grouped}


def _level(snr_db: float) -> float | None:
    """Return an SNR as a part of a key, which NaN, the SNR of real recordings, cannot be."""
    return None if np.isnan(snr_db) else float(snr_db)


def _keyed(cell: tuple) -> tuple:
    """Return a cell as a key."""
    return cell[0], _level(cell[1]), *cell[2:]


def _matching(cells: dict[tuple, pd.DataFrame], term: Term, place: Place, model: Model) -> pd.DataFrame:
    """Return the cells of a term by rising L."""
    own = cells.get((*place, term.system, term.variant), _NO_CELLS)
    # What a network hears is part of its kind.
    found = (own["feature"] == term.feature) | (term.system in NETWORKS)
    found &= np.isclose(own["rho"], term.rho, rtol=1e-9, atol=0)
    for name in ("target", "profile"):
        # Only what was trained has a target and a profile.
        wanted = getattr(term, name)
        found &= own[name].isin(["", getattr(model, name)] if wanted is None else [wanted])
    if term.n_bits is not None:
        found &= own["n_bits"] == term.n_bits
    return own[found].sort_values("n_bits")


_NO_CELLS = pd.DataFrame({name: pd.Series(dtype=DTYPES[name]) for name in CELL})


def _shared_bits(found: Sequence[pd.DataFrame]) -> tuple[int, ...]:
    curves = [set(cells["n_bits"].tolist()) for cells in found if cells["n_bits"].max() > 0]
    bits = sorted(set.intersection(*curves)) if curves else []
    if not bits:
        raise MissingError("no number of bits is scored on all sides")
    return tuple(bits)


def _shared_repeats(terms: Sequence[Term], scores: Sequence[Sequence[tuple]]) -> list[int]:
    """Return the repeats that all cells with a dictionary have; none if there are no such cells."""
    drawn = [
        set(repeats.tolist()) for term, curve in zip(terms, scores, strict=True) if term.rho for repeats, _ in curve
    ]
    shared = sorted(set.intersection(*drawn)) if drawn else []
    if drawn and not shared:
        raise MissingError("no repeat is scored on all sides")
    return shared
