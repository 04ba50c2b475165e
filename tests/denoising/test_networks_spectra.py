"""The transform in torch against the one in numpy, and its written-out gradient against autograd."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from blsh.denoising import network_spectra  # noqa: E402
from blsh.denoising.network_spectra import magnitudes, masked_waveforms, spectra  # noqa: E402
from blsh.signal.spectra import N_FFT, WINDOW, istft, n_frames, stft  # noqa: E402

LENGTHS = (513, 1024, 1100, 2048, 4000)
# float32 transforms by two libraries, of values around 20.
ATOL = 2e-4


@pytest.mark.parametrize("n_samples", LENGTHS)
def test_spectra_are_those_of_the_package(n_samples, rng):
    waveforms = rng.standard_normal((3, n_samples)).astype(np.float32)
    found = spectra(torch.from_numpy(waveforms))
    assert found.dtype == torch.complex64
    np.testing.assert_allclose(found.numpy(), np.stack([stft(waveform) for waveform in waveforms]), atol=ATOL, rtol=0)


@pytest.mark.parametrize("n_samples", LENGTHS)
def test_masked_waveforms_are_those_of_the_package(n_samples, rng):
    mixtures = np.stack([stft(waveform) for waveform in rng.standard_normal((3, n_samples)).astype(np.float32)])
    masks = rng.random(mixtures.shape, np.float32)
    found = masked_waveforms(torch.from_numpy(masks), torch.from_numpy(mixtures), n_samples)
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found.numpy(), istft(masks * mixtures, n_samples), atol=1e-5, rtol=0)


def test_open_masks_give_the_waveforms_back(rng):
    waveforms = torch.from_numpy(rng.standard_normal((2, 3000)).astype(np.float32))
    transformed = spectra(waveforms)
    torch.testing.assert_close(
        masked_waveforms(torch.ones(transformed.shape), transformed, 3000), waveforms, atol=1e-5, rtol=0
    )


def by_autograd(masks: torch.Tensor, mixtures: torch.Tensor, n_samples: int) -> torch.Tensor:
    """Torch's own inverse, which may leave no sample out of reach of a window."""
    window = torch.from_numpy(WINDOW).to(masks.dtype)
    product = (masks * mixtures).transpose(1, 2)
    return torch.istft(product, N_FFT, 256, window=window, length=n_samples)


@pytest.mark.parametrize("n_samples", (1024, 2100, 4000))
def test_gradient_is_that_of_autograd(n_samples, rng):
    mixtures = spectra(torch.from_numpy(rng.standard_normal((2, n_samples)).astype(np.float32)))
    targets = torch.from_numpy(rng.standard_normal((2, n_samples)).astype(np.float32))
    gradients = []
    for function, dtype in ((masked_waveforms, torch.float32), (by_autograd, torch.float64)):
        masks = torch.full(mixtures.shape, 0.5, dtype=dtype, requires_grad=True)
        waveforms = function(masks, mixtures if dtype == torch.float32 else mixtures.to(torch.complex128), n_samples)
        (waveforms * targets).square().sum().backward()
        gradients.append(masks.grad.double())
    assert gradients[1].abs().max() > 1
    torch.testing.assert_close(*gradients, atol=1e-4, rtol=1e-4)


def test_parts_do_not_change_a_bit(rng, monkeypatch):
    waveforms = torch.from_numpy(rng.standard_normal((5, 2000)).astype(np.float32))
    results = []
    for at_once in (1, 17, 1000):
        monkeypatch.setattr(network_spectra, "_FRAMES_AT_ONCE", at_once)
        transformed = spectra(waveforms)
        masks = torch.full(transformed.shape, 0.25, requires_grad=True)
        estimates = masked_waveforms(masks, transformed, 2000)
        estimates.square().sum().backward()
        results.append((transformed, magnitudes(transformed), estimates.detach(), masks.grad))
    for others in results[1:]:
        assert all(torch.equal(first, other) for first, other in zip(results[0], others, strict=True))


def test_magnitudes(rng):
    transformed = spectra(torch.from_numpy(rng.standard_normal((2, 1500)).astype(np.float32)))
    assert transformed.shape[1] == n_frames(1500)
    torch.testing.assert_close(magnitudes(transformed), transformed.abs(), atol=0, rtol=1e-6)
    assert magnitudes(torch.zeros(1, 2, 3, dtype=torch.complex64)).tolist() == [[[0, 0, 0], [0, 0, 0]]]
