r"""Rendering: from a recipe to the waveforms of its mixture.

With speech :math:`s` and noise :math:`n` of a recipe, cut to the very samples that are mixed,

.. math:: x = \frac{s}{\mathrm{std}(s)} + g \frac{n}{\mathrm{std}(n)}, \qquad g = 10^{-\mathrm{SNR}/20},

so an SNR of 0 dB is 0 dB for every single mixture. Then x, and both of its terms with it, are divided by
std(x). A standard deviation has the mean removed (for the statistic only; signals keep theirs) and ddof 0.
Everything is computed in float64 and returned as float32.

Of a pair of recordings the mixture x is the noisy one, s the clean one and n = x − s; only the last division is done.

Consecutive pieces of noise overlap by 10 ms with linear weights that sum to 1 at every sample: the fade-in
over the `CROSS_FADE = m` overlapping samples is (i + ½)/m, the fade-out its mirror image. Pieces keep the
levels they have in their files.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blsh.corpora.manifest import Manifest, Recording
from blsh.mixtures.recipes import CROSS_FADE, Piece, Recipe
from blsh.signal.audio import read_audio

_FADE_IN = (np.arange(CROSS_FADE) + 0.5) / CROSS_FADE


@dataclass(frozen=True)
class Mixture:
    """Waveforms of one mixture, float32 (samples,), 16 kHz: `mixture` is `speech + noise` up to rounding."""

    speech: np.ndarray
    noise: np.ndarray
    mixture: np.ndarray


class Recordings:
    """The recordings of some corpora as 16 kHz waveforms, decoded when they are asked for.

    The most recently used ones are kept, up to `max_bytes`.

    Parameters
    ----------
    manifests : iterable of Manifest
        The recordings.
    folders : mapping
        Folder of each corpus by its name.
    max_bytes : int, default 256 MiB
        Limit of the waveforms kept; one that is larger by itself is decoded each time.

    Raises
    ------
    ValueError
        If a corpus has no folder, or two manifests hold the same recording.
    """

    def __init__(
        self, manifests: Iterable[Manifest], folders: Mapping[str, Path], *, max_bytes: int = 256 << 20
    ) -> None:
        self._recordings: dict[tuple[str, str], Recording] = {}
        self._folders = {corpus: Path(folder) for corpus, folder in folders.items()}
        self._max_bytes = max_bytes
        self._kept: OrderedDict[tuple[str, str], np.ndarray] = OrderedDict()
        self._n_bytes = 0
        for manifest in manifests:
            for recording in manifest.recordings:
                key = (recording.corpus, recording.path)
                if recording.corpus not in self._folders:
                    raise ValueError(f"corpus {recording.corpus!r} has no folder: there are {self._corpora()}")
                if key in self._recordings:
                    raise ValueError(f"{recording.path} of corpus {recording.corpus!r} is in two manifests")
                self._recordings[key] = recording

    def waveform(self, corpus: str, path: str) -> np.ndarray:
        """Return the usable region of a recording, float32 (samples,) at 16 kHz, not to be written to.

        Raises
        ------
        FileNotFoundError
            If the file has gone.
        ValueError
            If the corpus or the recording is unknown, or the file cannot be decoded any more.
        """
        key = (corpus, path)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        if corpus not in self._folders:
            raise ValueError(f"corpus {corpus!r} is unknown: there are {self._corpora()} ({path})")
        if key not in self._recordings:
            raise ValueError(f"{path} is not in the manifest of corpus {corpus!r}: make the recipes again")
        recording = self._recordings[key]
        waveform = read_audio(self._folders[corpus] / path, start=recording.start, n_samples=recording.n_samples)
        waveform.flags.writeable = False
        if waveform.nbytes <= self._max_bytes:
            self._kept[key] = waveform
            self._n_bytes += waveform.nbytes
            while self._n_bytes > self._max_bytes:
                self._n_bytes -= self._kept.popitem(last=False)[1].nbytes
        return waveform

    def read(self, piece: Piece) -> np.ndarray:
        """Return the samples of a piece, float32 (n_samples,), not to be written to.

        Raises
        ------
        FileNotFoundError, ValueError
            As `waveform`, and if the piece ends beyond its recording.
        """
        waveform = self.waveform(piece.corpus, piece.path)
        end = piece.start + piece.n_samples
        if end > waveform.size:
            raise ValueError(
                f"piece [{piece.start}, {end}) exceeds the {waveform.size} samples of {piece.path} in corpus "
                f"{piece.corpus!r}: make the recipes again"
            )
        return waveform[piece.start : end]

    def _corpora(self) -> str:
        return ", ".join(sorted(self._folders)) or "none"


def render(recipe: Recipe, recordings: Recordings) -> Mixture:
    """Render a recipe: the one function that makes a mixture.

    Raises
    ------
    FileNotFoundError, ValueError
        If a piece cannot be read, or the speech, the noise or their sum is constant and so cannot be scaled.
    """
    speech = recordings.read(recipe.speech).astype(np.float64)
    if recipe.is_pair:
        mixture = recordings.read(recipe.noise_pieces[0]).astype(np.float64)
        noise = mixture - speech
    else:
        speech = _standardised(speech, "speech", recipe)
        noise = _standardised(join_pieces(recipe.noise_pieces, recordings), "noise", recipe)
        noise *= 10.0 ** (-recipe.snr_db / 20.0)
        mixture = speech + noise
    scale = mixture.std()
    if not scale > 0:
        raise ValueError(f"{_name(recipe)}: speech and noise cancel each other, leave out this recipe")
    return Mixture(*((signal / scale).astype(np.float32) for signal in (speech, noise, mixture)))


def join_pieces(pieces: Sequence[Piece], recordings: Recordings) -> np.ndarray:
    """Join consecutive pieces with cross-fades: float64 (samples,)."""
    joined = np.zeros(sum(piece.n_samples for piece in pieces) - CROSS_FADE * (len(pieces) - 1))
    position = 0
    for i, piece in enumerate(pieces):
        samples = recordings.read(piece).astype(np.float64)
        if i > 0:
            samples[:CROSS_FADE] *= _FADE_IN
        if i < len(pieces) - 1:
            samples[-CROSS_FADE:] *= _FADE_IN[::-1]
        joined[position : position + samples.size] += samples
        position += samples.size - CROSS_FADE
    return joined


def _standardised(samples: np.ndarray, what: str, recipe: Recipe) -> np.ndarray:
    deviation = samples.std()
    if not deviation > 0:
        raise ValueError(f"{_name(recipe)}: the {what} is constant, draw the recipes again")
    return samples / deviation


def _name(recipe: Recipe) -> str:
    return f"mixture of {recipe.utterance!r} and {recipe.noise!r} in set {recipe.set!r}"
