"""What a model costs: bytes by part, and its speed on this machine, at once and hop by hop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from blsh.denoising.denoiser import Denoiser, denoise
from blsh.denoising.model_file import DenoiserModel
from blsh.signal.audio import SAMPLE_RATE
from blsh.signal.spectra import HOP_LENGTH

__all__ = ["Speed", "bytes_by_part", "measure_speed"]


@dataclass(frozen=True)
class Speed:
    """Measured speed.

    Attributes
    ----------
    real_time_factor : float
        Seconds of audio cleaned in one second, when a recording is there as a whole.
    share_of_core : float
        Processor seconds for a second of a stream that comes in pieces of one hop.
    """

    real_time_factor: float
    share_of_core: float


def bytes_by_part(model: DenoiserModel, n_file_bytes: int) -> dict[str, int]:
    """Return the bytes of a model file by part; they add up to its size.

    Parameters
    ----------
    model : DenoiserModel
    n_file_bytes : int
        Size of its file.
    """
    arrays = model.arrays()
    parts = {
        "projections": ("matrix", "bias"),
        "codes": ("codes",),
        "masks": ("masks", "index", "bands"),
        "origins": tuple(name for name in arrays if name.startswith("origin_")),
    }
    sizes = {part: sum(arrays[name].nbytes for name in names if name in arrays) for part, names in parts.items()}
    return sizes | {"rest": n_file_bytes - sum(sizes.values())}


def measure_speed(model: DenoiserModel, *, seconds: float = 10.0) -> Speed:
    """Clean noise of so many seconds, as a whole (the fastest of three times) and hop by hop."""
    samples = np.random.default_rng(0).standard_normal(round(seconds * SAMPLE_RATE)).astype(np.float32)
    denoise(samples[:SAMPLE_RATE], model)
    whole = min(_seconds_of(lambda: denoise(samples, model)) for _ in range(3))
    stream = Denoiser(model, level=1.0)
    started = time.process_time()
    for first in range(0, len(samples), HOP_LENGTH):
        stream.push(samples[first : first + HOP_LENGTH])
    return Speed(seconds / whole, (time.process_time() - started) / seconds)


def _seconds_of(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
