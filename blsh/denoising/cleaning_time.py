"""How long a system takes to clean a recording, from its waveform to the estimate.

The codes' values, the masks and the weights of a network change what comes out, not how long it takes, so a cost can be
measured with random projections and untrained networks; only the raw and the coded search feel the recording a little,
because what is nearer than all before it is kept.
"""

from __future__ import annotations

import time

from blsh.denoising.estimators import Estimator, Scene
from blsh.mixtures.rendering import Mixture
from blsh.signal.audio import SAMPLE_RATE
from blsh.signal.spectra import istft

__all__ = ["seconds_per_second"]

_RUNS = 5


def seconds_per_second(estimate: Estimator, waveforms: Mixture) -> float:
    """Return the processor seconds that a second of a recording takes: the least of five runs, after one unmeasured.

    Parameters
    ----------
    estimate
        The system, limited to one thread by its caller.
    waveforms
        What it cleans.
    """
    n_samples = len(waveforms.mixture)

    def run() -> float:
        started = time.process_time()
        scene = Scene(waveforms)
        found = estimate(scene)
        if found.ndim == 3:
            istft(found[0] * scene.spectrum, n_samples)
        return time.process_time() - started

    run()
    return min(run() for _ in range(_RUNS)) / (n_samples / SAMPLE_RATE)
