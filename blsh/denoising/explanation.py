"""Why a frame was filtered as it was: its code, the dictionary rows nearest to it, and how each bit voted.

The filter of a frame is the mean of its K neighbours' binary masks, and a row is a neighbour because few of its bits
differ from the frame's. So a frame is explained by the bits themselves: bit l asks on which side of a plane the frame
lies, and its *margin* ``(P_l · x + b_l) / ‖P_l‖`` says how far from it. A bit with a margin near zero could as well
have been the other one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blsh.denoising.denoiser import denoise, level_of
from blsh.denoising.model_estimator import model_estimator
from blsh.denoising.model_file import DenoiserModel
from blsh.hashing.codes import Codes, unpack_bits
from blsh.signal.audio import SAMPLE_RATE
from blsh.signal.masks import unpack_masks
from blsh.signal.spectra import HOP_LENGTH, feature, stft

__all__ = ["Explanation", "explain"]


@dataclass(frozen=True, eq=False)
class Explanation:
    """One frame of a recording, its neighbours, and the recording around it.

    Attributes
    ----------
    frame : int
        Number of the frame, centred on sample 256 · frame.
    bits : ndarray of bool, shape (L,)
        The frame's code.
    margins : ndarray of float64, shape (L,)
        Signed distance of the frame's feature from each bit's plane, at most about 1.
    rows : ndarray of int64, shape (K,)
        Dictionary rows, nearest first.
    distances : ndarray of int32, shape (K,)
        Bits in which they differ.
    neighbour_bits : ndarray of bool, shape (K, L)
    neighbour_masks : ndarray of bool, shape (K, 513)
    masks : ndarray of float32, shape (frames, 513)
        The filters of all frames; that of the frame is the mean of its neighbours' masks.
    noisy, cleaned : ndarray of float32, shape (samples,)
        The recording at 16 kHz, and what the model makes of it.
    """

    frame: int
    bits: np.ndarray
    margins: np.ndarray
    rows: np.ndarray
    distances: np.ndarray
    neighbour_bits: np.ndarray
    neighbour_masks: np.ndarray
    masks: np.ndarray
    noisy: np.ndarray
    cleaned: np.ndarray

    @property
    def seconds(self) -> float:
        """Time of the frame's centre."""
        return self.frame * HOP_LENGTH / SAMPLE_RATE


def explain(samples: np.ndarray, model: DenoiserModel, *, seconds: float | None = None) -> Explanation:
    """Explain one moment of a recording.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,)
        16 kHz, more than 512 samples.
    model : DenoiserModel
    seconds : float, optional
        The moment; the frame whose centre is nearest is explained. By default the frame with the most energy left
        after cleaning, which is speech as a rule.

    Returns
    -------
    Explanation

    Raises
    ------
    ValueError
        When the moment lies outside the recording, or the recording is too short, constant or not finite.
    """
    cleaned = denoise(samples, model)
    spectrum = stft(samples / np.float32(level_of(samples)))
    estimator = model_estimator(model)
    neighbours = estimator.neighbours(spectrum)
    masks = model.masks.average(neighbours.indices)
    if seconds is None:
        frame = int(np.argmax(np.square(masks * np.abs(spectrum)).sum(axis=1)))
    elif 0 <= seconds <= len(samples) / SAMPLE_RATE:
        frame = min(round(seconds * SAMPLE_RATE / HOP_LENGTH), len(spectrum) - 1)
    else:
        raise ValueError(f"seconds={seconds:g} lies outside the recording of {len(samples) / SAMPLE_RATE:.2f} s")
    x = feature(model.feature, spectrum[frame : frame + 1])[0].astype(np.float64)
    matrix = model.projections.matrix.astype(np.float64)
    rows = neighbours.indices[frame]
    return Explanation(
        frame=frame,
        bits=unpack_bits(estimator.codes(spectrum[frame : frame + 1]))[0],
        margins=(matrix @ x + model.projections.bias) / np.linalg.norm(matrix, axis=1),
        rows=rows,
        distances=neighbours.scores[frame],
        neighbour_bits=unpack_bits(Codes(np.ascontiguousarray(model.codes.words[rows]), model.n_bits)),
        neighbour_masks=unpack_masks(model.masks.masks_of(rows)),
        masks=masks,
        noisy=samples,
        cleaned=cleaned,
    )
