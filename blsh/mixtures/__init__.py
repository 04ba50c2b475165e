"""Mixtures of speech and noise: units of speech, recipes, how they are drawn and how they are rendered."""

from blsh.mixtures.drawing import draw_recipes
from blsh.mixtures.recipes import Piece, Recipe, read_recipes, write_recipes
from blsh.mixtures.rendering import Mixture, Recordings, render
from blsh.mixtures.units import SpeechUnit, cut_units, set_aside_speakers

__all__ = [
    "Mixture",
    "Piece",
    "Recipe",
    "Recordings",
    "SpeechUnit",
    "cut_units",
    "draw_recipes",
    "read_recipes",
    "render",
    "set_aside_speakers",
    "write_recipes",
]
