"""From scores to summaries, whole or partial.

Scores of networks whose training did not end by its stop rule are counted as scored and then left out: no
mean, table, figure or claim is made of them (`blsh.reporting.training_status`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from blsh.reporting.aggregation import (
    aggregate,
    best_bits,
    coverage,
    describe_sets,
    failures,
    mixture_means,
    rows_of_tables,
)
from blsh.reporting.claims import load_claims
from blsh.reporting.evidence import models_of
from blsh.reporting.schemas import ABSENT, SCHEMAS, empty_table
from blsh.reporting.scores import conform
from blsh.reporting.sizes import model_sizes
from blsh.reporting.summaries import Summaries
from blsh.reporting.training_status import trained_rows
from blsh.reporting.verdicts import judge_claims

__all__ = ["summarise"]


def summarise(
    scores: pd.DataFrame,
    expected: pd.DataFrame,
    *,
    table_bits: Collection[int],
    n_frames: int,
    feature_widths: Mapping[str, int],
    rng: np.random.Generator,
    n_resamples: int = 2000,
    tables: Mapping[str, pd.DataFrame | None] | None = None,
    facts: Mapping[str, str | int | float] | None = None,
    ssm: Mapping[str, np.ndarray] | None = None,
) -> Summaries:
    """Summarise a run.

    Parameters
    ----------
    scores
        All that has been scored, see `blsh.reporting.scores.read_scores`.
    expected
        The columns of `CELL` and ``repeat``, one row for each cell and repeat that the run is to score.
    table_bits
        Code lengths that tables print.
    n_frames
        T, the frames of the training set.
    feature_widths
        D of every feature, ``{"stft": 513, "mel": 128}``.
    rng
        For the intervals of the claims.
    n_resamples
        Resamples of those intervals.
    tables
        Tables that are passed on, by name: ``training`` (whose ``seed`` numbers the trainings of one model from
        0), ``networks``, ``exports``, ``speed``, ``noises``, ``corpora``, ``skipped``, ``costs``; None is none.
    facts, ssm
        Passed on.

    Raises
    ------
    ValueError
        If a table lacks a column, or a feature has no width.
    """
    given = {
        name: conform(table, SCHEMAS[name], name, absent=ABSENT.get(name, {}))
        for name, table in (tables or {}).items()
        if table is not None
    }
    networks = given.get("networks", empty_table("networks"))
    counted = scores[trained_rows(scores, networks)].reset_index(drop=True)
    aggregated = aggregate(counted, table_bits=table_bits)
    return Summaries(
        aggregated=aggregated,
        utterances=mixture_means(counted[rows_of_tables(counted, table_bits)]),
        best_bits=best_bits(aggregated),
        sizes=model_sizes(aggregated, n_frames=n_frames, feature_widths=feature_widths),
        claims=judge_claims(
            load_claims(),
            counted,
            given.get("training", empty_table("training")),
            expected=expected,
            networks=networks,
            models=models_of(expected),
            n_resamples=n_resamples,
            rng=rng,
        ),
        coverage=coverage(expected, scores),
        failures=failures(counted),
        sets=describe_sets(scores),
        facts=dict(facts or {}),
        ssm=dict(ssm or {}),
        **given,
    )
