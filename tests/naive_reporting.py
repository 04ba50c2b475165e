"""Slow, obvious twins of what blsh.reporting computes."""

import math
import statistics
from collections import defaultdict

import numpy as np

from blsh.reporting.scores import CELL, METRICS


def aggregate(scores, group=lambda row: ""):
    """Mean, plain mean, spread and number of NaN of each (cell, group) and metric."""
    rows_of = defaultdict(list)
    for row in scores.to_dict("records"):
        rows_of[(*(row[name] for name in CELL), group(row))].append(row)
    found = {}
    for key, rows in rows_of.items():
        for metric in METRICS:
            by_mixture, by_repeat = defaultdict(list), defaultdict(list)
            for row in rows:
                if not math.isnan(row[metric]):
                    by_mixture[row["utterance"], row["noise"], row["seconds"]].append(row[metric])
                    by_repeat[row["repeat"]].append((row["seconds"], row[metric]))
            if not by_mixture:
                found[key, metric] = (math.nan, math.nan, math.nan)
                continue
            means = {mixture: sum(values) / len(values) for mixture, values in by_mixture.items()}
            total = sum(mixture[2] for mixture in means)
            mean = sum(mixture[2] * value for mixture, value in means.items()) / total
            plain = sum(means.values()) / len(means)
            repeats = [sum(s * v for s, v in pairs) / sum(s for s, _ in pairs) for pairs in by_repeat.values()]
            found[key, metric] = (mean, plain, statistics.stdev(repeats) if len(repeats) > 1 else math.nan)
    return found


def weighted_means(values, weights):
    """Mean over mixtures of each (row of weights, repeat), a missing repeat taken as the mixture's mean."""
    n_repeats, n_mixtures = values.shape
    means = np.full((len(weights), n_repeats), np.nan)
    for row in range(len(weights)):
        for repeat in range(n_repeats):
            total = weighted = 0.0
            for mixture in range(n_mixtures):
                known = [value for value in values[:, mixture] if not math.isnan(value)]
                if known:
                    value = values[repeat, mixture]
                    value = sum(known) / len(known) if math.isnan(value) else value
                    total += weights[row, mixture]
                    weighted += weights[row, mixture] * value
            if total > 0:
                means[row, repeat] = weighted / total
    return means


def crossing(bits, curve, level):
    """The L at which a curve first reaches a level, on straight lines between the L of the run."""
    if curve[0] >= level:
        return bits[0]
    for place in range(1, len(bits)):
        if curve[place] >= level:
            share = (level - curve[place - 1]) / (curve[place] - curve[place - 1])
            return bits[place - 1] + share * (bits[place] - bits[place - 1])
    return math.inf
