"""The layers of the networks: their numbers of parameters, their start, and what depends on what."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from blsh.denoising.architectures import TABLED, Architecture, count_parameters  # noqa: E402
from blsh.denoising.networks import restored_network, start_network, tensors_of  # noqa: E402
from tests.denoising.test_architectures import PRINTED  # noqa: E402

SMALL = (Architecture("fc", 3, 8), Architecture("fc", 2, 8), Architecture("bilstm", 2, 4))
TASNET = Architecture("conv_tasnet", 1, 2)


@pytest.mark.parametrize("architecture", TABLED, ids=str)
def test_torch_has_as_many_parameters_as_counted(architecture, rng):
    with torch.device("meta"):
        layers = type(start_network(Architecture(architecture.system, 2, 1), rng=rng))(architecture)
    sizes = {name: parameter.numel() for name, parameter in layers.named_parameters()}
    assert sum(sizes.values()) == count_parameters(architecture)
    if architecture.has_batch_norm:
        normalised = [name for name, module in layers.named_modules() if isinstance(module, torch.nn.BatchNorm1d)]
        assert len(normalised) == 2
        sizes = {name: size for name, size in sizes.items() if name.rpartition(".")[0] not in normalised}
    assert sum(sizes.values()) == PRINTED[str(architecture)][0]


@pytest.mark.parametrize("architecture", SMALL, ids=str)
def test_masks_have_the_shape_of_magnitudes_and_lie_in_0_to_1(architecture, rng):
    network = start_network(architecture, rng=rng)
    masks = network(torch.rand(2, 5, 513))
    assert masks.shape == (2, 5, 513) and masks.dtype == torch.float32
    assert 0 < masks.min() and masks.max() < 1


@pytest.mark.parametrize(("architecture", "sees_neighbours"), list(zip(SMALL, (False, False, True), strict=True)))
def test_only_the_recurrent_network_sees_other_frames(architecture, sees_neighbours, rng):
    network = start_network(architecture, rng=rng).eval()
    before = torch.rand(1, 6, 513)
    after = before.clone()
    after[0, 3] += 1
    changed = (network(after) != network(before)).any(dim=2)[0].tolist()
    assert changed == [sees_neighbours or frame == 3 for frame in range(6)]


@pytest.mark.parametrize("architecture", (Architecture("fc", 2, 256), Architecture("bilstm", 2, 64)), ids=str)
def test_start_is_xavier_normal_with_zero_biases(architecture, rng):
    for name, values in tensors_of(start_network(architecture, rng=rng)).items():
        if values.ndim == 2:
            assert values.std() == pytest.approx(np.sqrt(2 / sum(values.shape)), rel=0.05), name
            assert abs(values.mean()) < 4 * values.std() / np.sqrt(values.size)
        else:
            assert set(values) == ({1.0} if name.endswith(("1.weight", "4.weight", "running_var")) else {0.0}), name


def test_start_depends_on_the_generator_alone():
    def start(seed):
        torch.manual_seed(np.random.default_rng().integers(1000))
        return tensors_of(start_network(SMALL[0], rng=np.random.default_rng(seed)))

    first, again, other = start(1), start(1), start(2)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["layers.0.weight"], other["layers.0.weight"])


@pytest.mark.parametrize("n_samples", [5, 16, 17, 24, 1003, 1600])
def test_conv_tasnet_gives_a_waveform_of_the_same_length(n_samples, rng):
    network = start_network(TASNET, rng=rng)
    estimates = network(torch.randn(2, n_samples))
    assert estimates.shape == (2, n_samples)
    assert estimates.abs().sum(dim=1).min() > 0


def test_conv_tasnet_hears_the_last_samples(rng):
    network = start_network(TASNET, rng=rng).eval()
    before = torch.randn(1, 1003)
    after = before.clone()
    after[0, -1] += 1
    assert (network(after) != network(before))[0, -1]


def test_conv_tasnet_with_an_open_mask_is_its_encoder_and_decoder(rng):
    network = start_network(TASNET, rng=rng)
    with torch.no_grad():
        network.mask[1].bias.fill_(100.0)
        x = torch.randn(1, 160)
        encoder, decoder = network.encoder.weight[:, 0], network.decoder.weight[:, 0]
        expected = torch.zeros(160)
        for first in range(0, 160 - 15, 8):
            expected[first : first + 16] += decoder.T @ (encoder @ x[0, first : first + 16])
        torch.testing.assert_close(network(x)[0], expected, rtol=1e-4, atol=1e-4)


def test_conv_tasnet_normalises_over_channels_and_time(rng):
    norm = start_network(TASNET, rng=rng).bottleneck[0]
    with torch.no_grad():
        norm.weight.copy_(torch.rand(512))
        x = 3 + 2 * torch.randn(2, 512, 7)
        means, deviations = x.mean(dim=(1, 2), keepdim=True), x.std(dim=(1, 2), keepdim=True, correction=0)
        expected = (x - means) / deviations * norm.weight[:, None] + norm.bias[:, None]
        torch.testing.assert_close(norm(x), expected, rtol=1e-4, atol=1e-4)


def test_blocks_of_conv_tasnet_double_their_dilation_in_every_repeat(rng):
    network = start_network(Architecture("conv_tasnet", 2, 4), rng=rng)
    assert [block.inner[3].dilation for block in network.blocks] == 2 * [(1,), (2,), (4,), (8,)]


@pytest.mark.parametrize("architecture", (*SMALL, TASNET), ids=str)
def test_restored_numbers_give_the_same_output(architecture, rng):
    network = start_network(architecture, rng=rng)
    x = torch.rand(2, 600) if architecture.takes_waveforms else torch.rand(2, 3, 513)
    network(x)  # moves the running statistics of batch normalisation
    restored = restored_network(architecture, tensors_of(network), "file")
    with torch.inference_mode():
        assert torch.equal(restored(x), network.eval()(x))


def test_numbers_of_other_sizes_are_one_clear_line(rng):
    tensors = tensors_of(start_network(Architecture("fc", 3, 8), rng=rng))
    with pytest.raises(ValueError, match=r"^file holds 8873 parameters where fc 3x9 has 9936: give the checkpoint of"):
        restored_network(Architecture("fc", 3, 9), tensors, "file")
    swapped = tensors | {"layers.0.weight": tensors["layers.0.weight"].T}
    with pytest.raises(ValueError, match=r"file: 'layers.0.weight' is \(513, 8\) where fc 3x8 has \(8, 513\): give"):
        restored_network(Architecture("fc", 3, 8), swapped, "file")
    renamed = {name.replace("layers.0", "layers.9"): tensor for name, tensor in tensors.items()}
    with pytest.raises(ValueError, match=r"file: 'layers.0.bias' is absent where fc 3x8 has \(8,\)"):
        restored_network(Architecture("fc", 3, 8), renamed, "file")


def test_sizes_that_no_memory_holds_are_refused_before_building():
    with pytest.raises(
        ValueError, match=r"variant '2x99999' of bilstm has 3.2e\+11 parameters, more than 1e\+09: take"
    ):
        Architecture("bilstm", 2, 99_999)
    with pytest.raises(ValueError, match=r"file holds 1 parameters where bilstm 2x5000 has"):
        restored_network(Architecture("bilstm", 2, 5000), {"x": np.zeros(1, np.float32)}, "file")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite(bad, rng):
    tensors = tensors_of(start_network(SMALL[0], rng=rng))
    tensors["layers.2.bias"][1] = bad
    with pytest.raises(ValueError, match=r"file: layers.2.bias is not float32, or has NaN or infinity"):
        restored_network(SMALL[0], tensors, "file")
