"""Recipes: what a mixture is made of.

A recipe is the truth about one mixture: which samples of which recordings, at which SNR. It is a row of a
small table; the waveform is rendered from it whenever it is needed (`blsh.mixtures.rendering`) and never
stored.

A `Piece` counts samples at 16 kHz inside a recording's usable region. The speech is one piece. Noise that is
shorter than the speech is continued: its pieces follow each other in the recipe's order and overlap by
`CROSS_FADE` samples, so `sum(n_samples) - CROSS_FADE (pieces - 1)` is the length of the speech. A piece that
is faded at both ends is at least `2 CROSS_FADE` long.

Real noisy speech comes as a pair of recordings, clean and noisy. Its recipe has no SNR (NaN, an empty cell): its one
noise piece is the *noisy* recording, and the noise is noisy − clean, at the level at which it was recorded.

The table (CSV) has the columns `set, utterance, speaker, gender, noise, snr_db, seconds, speech_corpus,
speech_path, speech_start, speech_n_samples, noise_pieces`, the last one a JSON list of `[corpus, path, start,
n_samples]`. Its key is (set, utterance, noise, snr_db).
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from blsh.corpora.manifest import GENDERS, check_path
from blsh.files import tables
from blsh.signal.audio import SAMPLE_RATE

CROSS_FADE = 160  # samples: 10 ms
_SAMPLES_MAX = 1 << 62  # JSON has no largest integer, and what follows has

_COLUMNS = {
    "set": str,
    "utterance": str,
    "speaker": str,
    "gender": str,
    "noise": str,
    "snr_db": "float64",
    "seconds": "float64",
    "speech_corpus": str,
    "speech_path": str,
    "speech_start": "int64",
    "speech_n_samples": "int64",
    "noise_pieces": str,
}


@dataclass(frozen=True)
class Piece:
    """Samples `[start, start + n_samples)` of a recording's usable region at 16 kHz.

    Raises
    ------
    ValueError
        If the path leaves the corpus' folder or the samples are no region.
    TypeError
        If `start` or `n_samples` is no integer.
    """

    corpus: str
    path: str
    start: int
    n_samples: int

    def __post_init__(self) -> None:
        if type(self.corpus) is not str or type(self.path) is not str or not self.corpus:
            raise ValueError(f"corpus={self.corpus!r:.80}, path={self.path!r:.80} do not name a recording")
        check_path(self.path)
        if type(self.start) is not int or type(self.n_samples) is not int:
            raise TypeError(
                f"start={self.start!r:.80}, n_samples={self.n_samples!r:.80}: both must be integers ({self.path})"
            )
        if self.start < 0 or self.n_samples < 1 or self.start + self.n_samples > _SAMPLES_MAX:
            raise ValueError(
                f"start={self.start!r:.80}, n_samples={self.n_samples!r:.80} is no region: need start >= 0, "
                f"n_samples >= 1 and a sum of at most {_SAMPLES_MAX} ({self.path})"
            )


@dataclass(frozen=True)
class Recipe:
    """One mixture.

    Attributes
    ----------
    set : str
        The set that it belongs to: train, closed, validation, open, …
    utterance, speaker, gender : str
        The speech.
    noise : str
        Class of the noise.
    snr_db : float
        Signal-to-noise ratio in dB, exact for this mixture; NaN for a pair of recordings.
    seconds : float
        Length.
    speech : Piece
    noise_pieces : tuple of Piece
        In the order in which they follow each other; for a pair, the noisy recording.

    Raises
    ------
    ValueError
        If a value breaks a rule of the module's docstring.
    """

    set: str
    utterance: str
    speaker: str
    gender: str
    noise: str
    snr_db: float
    seconds: float
    speech: Piece
    noise_pieces: tuple[Piece, ...]

    def __post_init__(self) -> None:
        for name in ("set", "utterance", "speaker", "noise"):
            if not getattr(self, name):
                raise ValueError(f"{name} is empty: a recipe needs it ({self.speech.path})")
        if self.gender not in GENDERS:
            raise ValueError(f"gender={self.gender!r:.80} is not 'F', 'M' or '' ({self.speech.path})")
        if math.isinf(self.snr_db):
            raise ValueError(f"snr_db={self.snr_db} is not finite ({self.speech.path})")
        if self.is_pair and [piece.corpus for piece in self.noise_pieces] != [self.speech.corpus]:
            raise ValueError(
                f"snr_db is missing: only a pair of recordings of one corpus goes without ({self.speech.path})"
            )
        if self.seconds != self.speech.n_samples / SAMPLE_RATE:
            raise ValueError(
                f"seconds={self.seconds} differs from the speech's {self.speech.n_samples} samples at "
                f"{SAMPLE_RATE} Hz ({self.speech.path})"
            )
        _check_noise(self.noise_pieces, self.speech)

    @property
    def is_pair(self) -> bool:
        """Whether the mixture was recorded and not made."""
        return math.isnan(self.snr_db)


def write_recipes(path: Path, recipes: Iterable[Recipe]) -> None:
    """Write recipes as CSV, in their order.

    Raises
    ------
    ValueError
        If two recipes have the same key.
    """
    recipes = tuple(recipes)
    _check_unique(recipes, path)
    rows = [
        (
            *(r.set, r.utterance, r.speaker, r.gender, r.noise, float(r.snr_db), r.seconds),
            *(r.speech.corpus, r.speech.path, r.speech.start, r.speech.n_samples),
            json.dumps([[p.corpus, p.path, p.start, p.n_samples] for p in r.noise_pieces], ensure_ascii=False),
        )
        for r in recipes
    ]
    tables.write_csv(path, pd.DataFrame(rows, columns=list(_COLUMNS), dtype=object))


def read_recipes(path: Path, *, corpora: Collection[str] | None = None) -> tuple[Recipe, ...]:
    """Read what `write_recipes` wrote.

    Parameters
    ----------
    path : Path
        The table.
    corpora : collection of str, optional
        Names of the corpora that there are; a piece of another one is an error.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a column is missing, a value is invalid or a key occurs twice; the message names the file and the
        row, counted from 1 below the header.
    """
    frame = tables.read_csv(path, _COLUMNS)
    recipes = []
    for row, record in enumerate(zip(*(frame[column].tolist() for column in _COLUMNS), strict=True), start=1):
        try:
            *labels, corpus, speech_path, start, n_samples, noise = record
            recipe = Recipe(*labels, Piece(corpus, speech_path, start, n_samples), _parse_pieces(noise))
            for piece in (recipe.speech, *recipe.noise_pieces):
                if corpora is not None and piece.corpus not in corpora:
                    raise ValueError(f"corpus {piece.corpus!r:.80} is unknown: there are {', '.join(sorted(corpora))}")
        except (TypeError, ValueError) as error:
            raise ValueError(f"row {row} of {path}: {error}; make the recipes again") from None
        recipes.append(recipe)
    _check_unique(recipes, path)
    return tuple(recipes)


def _parse_pieces(text: str) -> tuple[Piece, ...]:
    try:
        records = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"noise_pieces is no JSON ({error})") from None
    if type(records) is not list or not all(type(r) is list and len(r) == 4 for r in records):
        raise ValueError("noise_pieces is no list of [corpus, path, start, n_samples]")
    return tuple(Piece(*record) for record in records)


def _check_noise(pieces: Sequence[Piece], speech: Piece) -> None:
    if not pieces:
        raise ValueError(f"noise_pieces is empty: a mixture needs noise ({speech.path})")
    last = len(pieces) - 1
    for i, piece in enumerate(pieces):
        fades = (i > 0) + (i < last)
        if piece.n_samples < fades * CROSS_FADE:
            raise ValueError(
                f"noise piece {i + 1} has {piece.n_samples} samples, too few for {fades} cross-fades of "
                f"{CROSS_FADE} ({piece.path})"
            )
    n_samples = sum(piece.n_samples for piece in pieces) - CROSS_FADE * last
    if n_samples != speech.n_samples:
        raise ValueError(f"the noise has {n_samples} samples and the speech {speech.n_samples} ({speech.path})")


def _check_unique(recipes: Iterable[Recipe], path: Path) -> None:
    seen = set()
    for row, recipe in enumerate(recipes, start=1):
        key = (recipe.set, recipe.utterance, recipe.noise, None if recipe.is_pair else recipe.snr_db)
        if key in seen:
            raise ValueError(f"row {row} of {path}: (set, utterance, noise, snr_db)={key} occurs twice")
        seen.add(key)
