"""Which self-similarity matrices the figures show, out of those that a run computed.

A matrix is named ``FEATURE/TARGET/PROFILE/KIND`` (`blsh.reporting.schemas`). One of 250 frames takes 60 kB, so a
run keeps in its summaries what is shown, and no more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

__all__ = [
    "ARTICLE_BITS",
    "FIG5_MODELS",
    "ICASSP_BITS",
    "PAIR_WEIGHTS",
    "TASLP_BITS",
    "TRUTH",
    "WEIGHTED",
    "bits_of",
    "matrices_of",
    "models_of_matrices",
    "pair_weights_of",
    "shown_matrices",
]

TRUTH, WEIGHTED, BITS, PAIR_WEIGHTS = "truth", "weighted", "bits_", "pair_weights_"
ICASSP_BITS, TASLP_BITS, ARTICLE_BITS = (1, 10, 50, 150), (10, 50, 300), (1, 5, 100)
WEIGHTS_BITS = 5
# Feature and target of the columns of TASLP's Fig. 5; the first is also the model of the other single figures.
FIG5_MODELS = (("stft", "ssm"), ("mel", "ssm"), ("stft", "rbf-0.5"), ("stft", "rbf-0.1"))

Matrices = Mapping[str, np.ndarray]


def models_of_matrices(ssm: Matrices) -> dict[tuple[str, ...], dict[str, np.ndarray]]:
    """Group matrices by (feature, target, profile); the values are by kind."""
    models: dict[tuple[str, ...], dict[str, np.ndarray]] = {}
    for name, matrix in sorted(ssm.items()):
        *key, kind = name.split("/")
        models.setdefault(tuple(key), {})[kind] = matrix
    return models


def matrices_of(ssm: Matrices, feature: str, target: str) -> dict[str, np.ndarray]:
    """Return the matrices of a model by kind, of its first profile where there are several."""
    found = [own for key, own in models_of_matrices(ssm).items() if key[:2] == (feature, target)]
    return found[0] if found else {}


def bits_of(models: Sequence[Matrices], wanted: Sequence[int]) -> list[int]:
    """Return the wanted L that some model has, all its L if it has none of them."""
    there = {int(kind.removeprefix(BITS)) for own in models for kind in own if kind.startswith(BITS)}
    return sorted(there & set(wanted)) or sorted(there)


def pair_weights_of(own: Matrices) -> list[str]:
    """Return the kind of the one matrix of pair weights that is drawn: after 5 bits, else after the fewest."""
    there = sorted(int(kind.removeprefix(PAIR_WEIGHTS)) for kind in own if kind.startswith(PAIR_WEIGHTS))
    chosen = WEIGHTS_BITS if WEIGHTS_BITS in there else min(there, default=0)
    return [f"{PAIR_WEIGHTS}{chosen}"] if chosen else []


def shown_matrices(ssm: Matrices) -> dict[str, np.ndarray]:
    """Leave out the matrices that no figure shows."""
    shown = {}
    for key, own in models_of_matrices(ssm).items():
        kinds = {TRUTH}
        if key[1] == "ssm" or key[:2] not in FIG5_MODELS:
            wanted = sorted({*ICASSP_BITS, *TASLP_BITS, *ARTICLE_BITS})
            kinds |= {f"{BITS}{n_bits}" for n_bits in bits_of([own], wanted)}
        kinds |= {WEIGHTED} if key[:2] in FIG5_MODELS else set()
        kinds |= set(pair_weights_of(own)) if key[:2] == FIG5_MODELS[0] else set()
        shown |= {"/".join((*key, kind)): matrix for kind, matrix in own.items() if kind in kinds}
    return shown
