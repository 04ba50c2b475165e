"""Recipes of real noisy speech: pairs of a clean and a noisy recording, used as they were recorded."""

from __future__ import annotations

from collections.abc import Iterable

from blsh.corpora.manifest import Recording
from blsh.corpora.voicebank import pairs
from blsh.mixtures.recipes import Piece, Recipe
from blsh.signal.audio import SAMPLE_RATE

__all__ = ["RECORDED", "pair_recipes"]

RECORDED = "recorded"
"""What stands for the noise's class, which the corpus does not tell."""


def pair_recipes(recordings: Iterable[Recording], *, set_name: str) -> tuple[Recipe, ...]:
    """Return a recipe for every pair of VoiceBank-DEMAND, by name.

    Raises
    ------
    ValueError
        If a recording has no partner, or one of another length.
    """
    recipes = []
    for clean, noisy in pairs(recordings):
        n_samples = clean.n_samples_16k
        recipes.append(
            Recipe(
                set=set_name,
                utterance=clean.id.removeprefix("clean/"),
                speaker=clean.speaker,
                gender=clean.gender,
                noise=RECORDED,
                snr_db=float("nan"),
                seconds=n_samples / SAMPLE_RATE,
                speech=Piece(clean.corpus, clean.path, 0, n_samples),
                noise_pieces=(Piece(noisy.corpus, noisy.path, 0, n_samples),),
            )
        )
    return tuple(recipes)
