"""What networks learn from: short crops of training speech, each mixed on the fly with fresh training noise.

A crop is a random place in a random unit of speech (`blsh.mixtures.units`), drawn anew if it is silent, which pauses
are. It becomes a unit of its own, and from there on a mixture like any other: `draw_recipes` deals it a class of noise
and draws its clips, `render` scales and adds them. So a crop's 0 dB are 0 dB over the very samples of the crop. No two
batches share a mixture, and a batch depends on nothing but its epoch and number: batches may be drawn ahead, and a
training that was interrupted goes on with the same ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from blsh.corpora.manifest import Recording
from blsh.corpora.scanning import SILENT_STD
from blsh.mixtures.drawing import MAX_TRIES, draw_recipes
from blsh.mixtures.recipes import Piece
from blsh.mixtures.rendering import Recordings, render
from blsh.mixtures.units import SpeechUnit
from blsh.signal.audio import SAMPLE_RATE

__all__ = ["Crops"]


@dataclass(frozen=True)
class Crops:
    """A source of batches of crops.

    Attributes
    ----------
    units : tuple of SpeechUnit
        The training speech; those shorter than a crop are not used.
    noise : tuple of Recording
        The training noise.
    audio : Recordings
        The waveforms. It should have room for all that is used, or recordings are decoded over and over.
    snr_db : tuple of float
        Least and largest signal-to-noise ratio in dB, between which each crop's is drawn uniformly; often the same.
    rng_for : callable
        Gives an independent Generator for each sequence of names and numbers.
    seconds : float
        Length of a crop.

    Raises
    ------
    ValueError
        If the SNRs are no range, or no unit is as long as a crop.
    """

    units: tuple[SpeechUnit, ...]
    noise: tuple[Recording, ...]
    audio: Recordings
    snr_db: tuple[float, float]
    rng_for: Callable[..., np.random.Generator]
    seconds: float = 1.0

    def __post_init__(self) -> None:
        low, high = self.snr_db
        if not -np.inf < low <= high < np.inf:
            raise ValueError(f"snr_db={low} to {high} is no range of finite numbers: give the lower one first")
        usable = tuple(unit for unit in self.units if unit.piece.n_samples >= self.n_samples)
        if not usable:
            raise ValueError(
                f"none of {len(self.units)} units of training speech is {self.seconds} s long, as a crop is: "
                "give longer speech"
            )
        object.__setattr__(self, "units", usable)

    @property
    def n_samples(self) -> int:
        """Length of a crop in samples."""
        return round(self.seconds * SAMPLE_RATE)

    def batch(self, epoch: int, number: int, n_crops: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the speech and the noise of a batch, whose sums are the mixtures, of unit standard deviation.

        Parameters
        ----------
        epoch, number : int
            Which batch.
        n_crops : int > 0
            Its size.

        Returns
        -------
        speech, noise : ndarray of float32, shape (n_crops, n_samples)

        Raises
        ------
        FileNotFoundError, ValueError
            If a recording cannot be read, or `MAX_TRIES` crops or noises in a row were silent.
        """
        name = f"epoch {epoch}, batch {number}"
        rng_for = partial(self.rng_for, "crops", epoch, number)
        rng = rng_for("speech")
        recipes = draw_recipes(
            [self._cut(rng, f"crop {k}", name) for k in range(n_crops)],
            self.noise,
            set_name=name,
            drawn_as="crops",
            snrs_db=(self.snr_db[0],),
            n_mixtures=None,
            noises_per_utterance=1,
            audio=self.audio,
            rng_for=rng_for,
        )
        snrs_db = rng_for("snr").uniform(*self.snr_db, n_crops).tolist()
        mixtures = [
            render(replace(recipe, snr_db=snr_db), self.audio) for recipe, snr_db in zip(recipes, snrs_db, strict=True)
        ]
        return np.stack([mixture.speech for mixture in mixtures]), np.stack([mixture.noise for mixture in mixtures])

    def _cut(self, rng: np.random.Generator, name: str, batch: str) -> SpeechUnit:
        for _ in range(MAX_TRIES):
            unit = self.units[rng.integers(len(self.units))]
            start = unit.piece.start + int(rng.integers(unit.piece.n_samples - self.n_samples + 1))
            piece = Piece(unit.piece.corpus, unit.piece.path, start, self.n_samples)
            if self.audio.read(piece).std(dtype=np.float64) >= SILENT_STD:
                return SpeechUnit(name, unit.speaker, unit.gender, piece)
        raise ValueError(f"{batch}: {MAX_TRIES} crops of speech were all silent: leave out quiet recordings")
