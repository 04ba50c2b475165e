"""The losses against the metrics and masks of the package, and against a hand-worked case."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from blsh.denoising.architectures import Architecture  # noqa: E402
from blsh.denoising.network_losses import measure, si_sdr  # noqa: E402
from blsh.denoising.networks import start_network  # noqa: E402
from blsh.evaluation import metrics  # noqa: E402
from blsh.signal.masks import ideal_binary_mask  # noqa: E402
from blsh.signal.spectra import istft, stft  # noqa: E402


@pytest.fixture
def scenes(rng):
    speech, noise = rng.standard_normal((2, 3, 2500)).astype(np.float32)
    return speech, np.cumsum(noise, axis=1, dtype=np.float32) / 20


def tensors(*arrays):
    return [torch.from_numpy(array) for array in arrays]


def test_si_sdr_by_hand():
    # The reference's share of the estimate is 2 · (1, 0), the rest (0, 1): a ratio of 4.
    assert si_sdr(*tensors(np.float32([[2, 1]]), np.float32([[1, 0]]))).item() == pytest.approx(10 * np.log10(4))


def test_si_sdr_is_that_of_the_metrics_and_knows_no_scale(scenes):
    speech, noise = scenes
    estimates = speech + 0.3 * noise
    found = si_sdr(*tensors(estimates, speech)).tolist()
    assert found == pytest.approx(
        [metrics.si_sdr(s, e).value for s, e in zip(speech, estimates, strict=True)], abs=1e-3
    )
    assert si_sdr(*tensors(7 * estimates, 0.2 * speech)).tolist() == pytest.approx(found, abs=1e-3)


def test_a_silent_or_perfect_estimate_has_a_finite_loss_and_gradient(scenes):
    speech = torch.from_numpy(scenes[0])
    for estimates in (torch.zeros_like(speech), speech.clone()):
        estimates.requires_grad = True
        scores = si_sdr(estimates, speech)
        scores.sum().backward()
        assert torch.isfinite(scores).all() and torch.isfinite(estimates.grad).all()


@pytest.mark.parametrize("architecture", (Architecture("fc", 3, 8), Architecture("bilstm", 2, 4)), ids=str)
def test_both_losses_are_those_of_the_masked_mixture(architecture, scenes, rng):
    speech, noise = scenes
    network = start_network(architecture, rng=rng).eval()
    with torch.inference_mode():
        quality = measure(network, "mask_mse", *tensors(speech, noise), with_si_sdr=True)
        by_sdr = measure(network, "si_sdr", *tensors(speech, noise))
        for k in range(len(speech)):
            spectrum = stft(speech[k] + noise[k])
            mask = network(torch.from_numpy(np.abs(spectrum)[None]))[0].numpy()
            ideal = ideal_binary_mask(stft(speech[k]), stft(noise[k]))
            assert quality.losses[k].item() == pytest.approx(np.mean((mask - ideal) ** 2), rel=1e-3)
            expected = metrics.si_sdr(speech[k], istft(mask * spectrum, len(speech[k]))).value
            assert quality.si_sdr[k].item() == pytest.approx(expected, abs=1e-3)
            assert by_sdr.losses[k].item() == pytest.approx(-expected, abs=1e-3)
    assert measure(network, "mask_mse", *tensors(speech, noise)).si_sdr is None


def test_conv_tasnet_is_compared_as_it_is(scenes, rng):
    speech, noise = tensors(*scenes)
    network = start_network(Architecture("conv_tasnet", 1, 1), rng=rng).eval()
    with torch.inference_mode():
        quality = measure(network, "si_sdr", speech, noise)
        assert torch.equal(quality.losses, -si_sdr(network(speech + noise), speech))
