"""Where each row of a dictionary was heard: the recipe of its mixture and the frame in it.

A dictionary row is one STFT frame of one training mixture. Whoever has the recordings can render that mixture
again (``blsh.mixtures.rendering``) and hear the row: frame t is centred on sample 256·t of it. The dictionary
itself needs none of this, so a model may leave it out.

Everything is numbers into one table of recordings, about 4 bytes a dictionary row and 30 a mixture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from blsh.hashing.plain_arrays import plain_array

if TYPE_CHECKING:  # recordings and recipes are tables, and reading a table takes half a second to import
    from blsh.corpora.manifest import Recording
    from blsh.mixtures.recipes import Recipe

__all__ = ["Origins", "origins_of"]

_RECORDING_FIELDS = (
    *("corpus", "path", "id", "split", "speaker", "gender", "noise_class"),
    *("start", "n_samples", "sample_rate", "channels", "licence"),
)
_HASH_BYTES = 32


@dataclass(frozen=True, eq=False)
class Origins:
    """Origins of N dictionary rows in R mixtures.

    Attributes
    ----------
    recipe_of_row : ndarray of uint32, shape (N,)
        The mixture of each row, below R.
    frame_of_row : ndarray of uint32, shape (N,)
        Its frame in that mixture.
    speech : ndarray of uint32, shape (R, 3)
        Of each mixture: recording, first sample and number of samples of its speech (16 kHz, within the
        recording's usable region).
    noise : ndarray of uint32, shape (pieces, 4)
        Pieces of noise in the order of the mixtures: mixture, recording, first sample, number of samples.
    snr_db : ndarray of float64, shape (R,)
    table : tuple of tuple
        The recordings: corpus, path, id, split, speaker, gender, noise class, start, number of samples,
        sample rate, channels, licence; as ``blsh.corpora.manifest.Recording`` has them.
    hashes : ndarray of uint8, shape (recordings, 32)
        SHA-256 of each recording's file.

    Raises
    ------
    TypeError, ValueError
        When arrays do not fit each other.
    """

    recipe_of_row: np.ndarray
    frame_of_row: np.ndarray
    speech: np.ndarray
    noise: np.ndarray
    snr_db: np.ndarray
    table: tuple[tuple, ...]
    hashes: np.ndarray

    def __post_init__(self) -> None:
        kinds = {
            "recipe_of_row": (np.uint32, 1),
            "frame_of_row": (np.uint32, 1),
            "speech": (np.uint32, 2),
            "noise": (np.uint32, 2),
            "snr_db": (np.float64, 1),
            "hashes": (np.uint8, 2),
        }
        for name, (dtype, n_axes) in kinds.items():
            object.__setattr__(self, name, plain_array(name, getattr(self, name), dtype, n_axes))
        n_recipes, n_recordings = len(self.speech), len(self.table)
        expected = {
            "frame_of_row": (len(self.recipe_of_row),),
            "speech": (n_recipes, 3),
            "noise": (len(self.noise), 4),
            "snr_db": (n_recipes,),
            "hashes": (n_recordings, _HASH_BYTES),
        }
        for name, shape in expected.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} of shape {getattr(self, name).shape} must be {shape}")
        for name, numbers, limit in (
            ("recipe_of_row", self.recipe_of_row, n_recipes),
            ("speech", self.speech[:, 0], n_recordings),
            ("noise", self.noise[:, 1], n_recordings),
            ("frame_of_row", self.frame_of_row, 1 << 31),
        ):
            if numbers.size and numbers.max() >= limit:
                raise ValueError(f"{name} holds {numbers.max()}, which must be below {limit}")
        if not np.isfinite(self.snr_db).all():
            raise ValueError("snr_db has values that are not finite")
        mixtures = self.noise[:, 0].astype(np.int64)
        if (np.diff(mixtures) < 0).any() or not np.array_equal(np.unique(mixtures), np.arange(n_recipes)):
            raise ValueError("noise must hold the pieces of every mixture, in the order of the mixtures")
        object.__setattr__(self, "table", tuple(map(tuple, self.table)))

    def __len__(self) -> int:
        """Return N, the number of dictionary rows."""
        return len(self.recipe_of_row)

    @cached_property
    def recordings(self) -> tuple[Recording, ...]:
        """The recordings as a manifest has them, to be read with ``blsh.mixtures.rendering.Recordings``."""
        from blsh.corpora.manifest import Recording

        made = []
        for row, sha256 in zip(self.table, self.hashes, strict=True):
            values = dict(zip(_RECORDING_FIELDS, row, strict=True))
            seconds = values["n_samples"] / values["sample_rate"]
            made.append(Recording(**values, seconds=seconds, sha256=sha256.tobytes().hex()))
        return tuple(made)

    def recipe(self, row: int) -> Recipe:
        """Return the recipe of the mixture that dictionary row `row` is a frame of."""
        from blsh.mixtures.recipes import Piece, Recipe
        from blsh.signal.audio import SAMPLE_RATE

        number = int(self.recipe_of_row[row])

        def piece(recording: int, start: int, n_samples: int) -> Piece:
            return Piece(self.recordings[recording].corpus, self.recordings[recording].path, start, n_samples)

        first, end = np.searchsorted(self.noise[:, 0], (number, number + 1))
        speech = piece(*self.speech[number].tolist())
        pieces = tuple(piece(*values) for values in self.noise[first:end, 1:].tolist())
        speaker = self.recordings[self.speech[number, 0]]
        return Recipe(
            set="train",
            utterance=f"{speaker.id}@{speech.start}",
            speaker=speaker.speaker,
            gender=speaker.gender,
            noise=self.recordings[self.noise[first, 1]].noise_class,
            snr_db=float(self.snr_db[number]),
            seconds=speech.n_samples / SAMPLE_RATE,
            speech=speech,
            noise_pieces=pieces,
        )

    def frame(self, row: int) -> int:
        """Return the frame of its mixture that dictionary row `row` is; it is centred on sample 256 times that."""
        return int(self.frame_of_row[row])


def origins_of(rows: np.ndarray, recipes: Sequence[Recipe], recordings: Mapping[tuple[str, str], Recording]) -> Origins:
    """Find the origins of dictionary rows.

    Parameters
    ----------
    rows : ndarray of int64, shape (N,)
        Numbers of training frames: the frames of the first recipe, then those of the second, and so on.
    recipes : sequence of Recipe
        All training mixtures.
    recordings : mapping
        (corpus, path) → recording, of all that the recipes name.

    Raises
    ------
    ValueError
        If a row is beyond the recipes' frames.
    """
    from blsh.signal.spectra import n_frames

    ends = np.cumsum([n_frames(recipe.speech.n_samples) for recipe in recipes])
    rows = np.asarray(rows, np.int64)
    if rows.size and not 0 <= rows.min() <= rows.max() < ends[-1]:
        raise ValueError(f"rows {rows.min()}…{rows.max()} must lie among the recipes' {ends[-1]} frames")
    number = np.searchsorted(ends, rows, side="right")
    used, recipe_of_row = np.unique(number, return_inverse=True)
    kept = [recipes[i] for i in used]
    pieces = [piece for recipe in kept for piece in (recipe.speech, *recipe.noise_pieces)]
    position = {key: i for i, key in enumerate(sorted({(piece.corpus, piece.path) for piece in pieces}))}
    table = [recordings[key] for key in position]
    return Origins(
        recipe_of_row=recipe_of_row.astype(np.uint32),
        frame_of_row=(rows - np.concatenate([[0], ends])[number]).astype(np.uint32),
        speech=np.array(
            [(position[r.speech.corpus, r.speech.path], r.speech.start, r.speech.n_samples) for r in kept],
            np.uint32,
        ).reshape(-1, 3),
        noise=np.array(
            [
                (i, position[piece.corpus, piece.path], piece.start, piece.n_samples)
                for i, r in enumerate(kept)
                for piece in r.noise_pieces
            ],
            np.uint32,
        ).reshape(-1, 4),
        snr_db=np.array([r.snr_db for r in kept], np.float64),
        table=tuple(tuple(getattr(r, name) for name in _RECORDING_FIELDS) for r in table),
        hashes=np.array([list(bytes.fromhex(r.sha256)) for r in table], np.uint8).reshape(-1, _HASH_BYTES),
    )
