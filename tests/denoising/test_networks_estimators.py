"""Checkpoints as systems: masks or waveforms of whole mixtures, on one thread, and torch only when one is loaded."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from blsh.denoising.architectures import Architecture  # noqa: E402
from blsh.denoising.checkpoints import Checkpoint, save_checkpoint  # noqa: E402
from blsh.denoising.estimators import Scene  # noqa: E402
from blsh.denoising.network_estimators import network_estimator, untrained_estimator  # noqa: E402
from blsh.denoising.networks import start_network, tensors_of  # noqa: E402
from blsh.mixtures.rendering import Mixture  # noqa: E402
from tests.denoising.test_checkpoints import TRAINING  # noqa: E402


@pytest.fixture
def scene(rng) -> Scene:
    speech, noise = rng.standard_normal((2, 3001)).astype(np.float32)
    return Scene(Mixture(speech, noise, speech + noise))


def saved(architecture: Architecture, folder, rng, named: Architecture | None = None):
    network = start_network(architecture, rng=rng)
    path = folder / "net.safetensors"
    training = replace(TRAINING, architecture=named or architecture)
    save_checkpoint(path, Checkpoint(training, tensors_of(network)))
    return network.eval(), path


@pytest.mark.parametrize(
    "architecture", [Architecture("fc", 3, 8), Architecture("fc", 2, 8), Architecture("bilstm", 2, 4)], ids=str
)
def test_masks_of_magnitudes(architecture, scene, tmp_path, rng):
    network, path = saved(architecture, tmp_path, rng)
    masks = network_estimator(path, architecture)(scene)
    assert masks.dtype == np.float32 and masks.shape == (1, *scene.spectrum.shape)
    with torch.inference_mode():
        expected = network(torch.from_numpy(np.abs(scene.spectrum))[None]).numpy()
    np.testing.assert_allclose(masks, expected, atol=1e-6)


def test_an_untrained_network_is_what_training_starts_from(scene, tmp_path):
    architecture = Architecture("fc", 2, 8)
    _, path = saved(architecture, tmp_path, np.random.default_rng(3))
    found = untrained_estimator(architecture, rng=np.random.default_rng(3))(scene)
    np.testing.assert_array_equal(found, network_estimator(path, architecture)(scene))


def test_conv_tasnet_gives_the_waveform(scene, tmp_path, rng):
    architecture = Architecture("conv_tasnet", 1, 1)
    network, path = saved(architecture, tmp_path, rng)
    estimates = network_estimator(path, architecture)(scene)
    assert estimates.dtype == np.float32 and estimates.shape == (1, 3001)
    with torch.inference_mode():
        expected = network(torch.from_numpy(scene.waveforms.mixture)[None]).numpy()
    np.testing.assert_allclose(estimates, expected, atol=1e-6)


def test_threads_are_given_back(scene, tmp_path, rng):
    architecture = Architecture("fc", 3, 8)
    estimate = network_estimator(saved(architecture, tmp_path, rng)[1], architecture)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        estimate(scene)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_a_checkpoint_of_other_sizes_is_one_clear_line(tmp_path, rng):
    _, path = saved(Architecture("fc", 3, 8), tmp_path, rng, named=Architecture("fc", 3, 16))
    with pytest.raises(ValueError, match=r"net.safetensors holds 8873 parameters where fc 3x16 has 17\d{3}: give the"):
        network_estimator(path, Architecture("fc", 3, 16))


def test_the_checkpoint_of_another_network_is_one_clear_line(tmp_path, rng):
    _, path = saved(Architecture("fc", 3, 8), tmp_path, rng)
    with pytest.raises(ValueError, match=r"net.safetensors holds fc 3x8 where fc 3x16 is needed: give another check"):
        network_estimator(path, Architecture("fc", 3, 16))


def test_a_missing_checkpoint(tmp_path):
    with pytest.raises(FileNotFoundError):
        network_estimator(tmp_path / "none.safetensors", Architecture("fc", 3, 8))


def test_torch_is_not_loaded_without_a_network():
    script = """
import sys
import blsh.denoising.network_estimators, blsh.denoising.crops, blsh.denoising.complexity, blsh.cli.train_network
import blsh.denoising.network_params
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)
