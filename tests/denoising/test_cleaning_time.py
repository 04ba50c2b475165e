import time
from types import SimpleNamespace

import numpy as np
import pytest

from blsh.denoising import cleaning_time
from blsh.denoising.cleaning_time import seconds_per_second
from blsh.denoising.estimators import unmasked
from blsh.mixtures.rendering import Mixture


@pytest.fixture
def waveforms(rng):
    speech, noise = rng.standard_normal((2, 8000)).astype(np.float32)
    return Mixture(speech, noise, speech + noise)


@pytest.mark.parametrize("makes_sound", [False, True])
def test_the_least_run_after_the_first_counts(waveforms, monkeypatch, makes_sound):
    """Half a second of sound: the first run is a warm-up; the least of the others, 1 s, is 2 s for a second."""
    durations = iter([0.5, 4.0, 3.0, 1.0, 2.0, 5.0])
    clock = [0.0]
    monkeypatch.setattr(time, "process_time", lambda: clock[0])
    seen = []

    def estimate(scene):
        clock[0] += next(durations)
        seen.append(scene)
        return scene.waveforms.mixture[np.newaxis] if makes_sound else unmasked(scene)

    assert seconds_per_second(estimate, waveforms) == 1.0 / 0.5
    # Nothing of a run before is used again.
    assert len({id(scene) for scene in seen}) == len(seen) == 6


def test_work_is_measured(waveforms, monkeypatch):
    def busy(scene):
        until = time.process_time() + 0.05
        while time.process_time() < until:
            pass
        return unmasked(scene)

    # The processor's time and no other clock: to wait for other work is no cost of a system.
    monkeypatch.setattr(cleaning_time, "time", SimpleNamespace(process_time=time.process_time))
    assert seconds_per_second(busy, waveforms) >= 0.1
