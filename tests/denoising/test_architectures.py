"""The sizes of all networks that the papers compare with, against the papers' tables and a hand count."""

import pytest

from blsh.denoising.architectures import (
    NETWORKS,
    TABLED,
    Architecture,
    count_parameters,
    count_weights,
    parse_architecture,
    printed_megabytes,
)

# TASLP 2022, Table I: parameters without batch normalisation that print as the table's megabytes.
PRINTED = {
    "fc 3x1024": (3_151_361, "12.61"),
    "fc 3x256": (395_009, "1.58"),
    "fc 3x64": (74_561, "0.30"),
    "fc 3x32": (35_489, "0.14"),
    "fc 2x1024": (2_101_761, "8.41"),
    "fc 2x256": (329_217, "1.32"),
    "fc 2x64": (70_401, "0.28"),
    "fc 2x32": (34_433, "0.14"),
    "bilstm 2x1024": (38_840_833, "155.36"),
    "bilstm 2x256": (3_419_137, "13.68"),
    "bilstm 2x64": (461_953, "1.85"),
    "bilstm 2x32": (198_465, "0.79"),
    "conv_tasnet 3x8": (4_984_497, "19.94"),
}


def test_the_tabled_networks_are_those_of_the_paper_in_its_order():
    assert [str(architecture) for architecture in TABLED] == list(PRINTED)
    assert {architecture.system for architecture in TABLED} == set(NETWORKS)


@pytest.mark.parametrize("architecture", TABLED, ids=str)
def test_parameters_and_printed_size_are_the_papers(architecture):
    parameters, megabytes = PRINTED[str(architecture)]
    assert count_parameters(architecture, batch_norm=False) == parameters
    assert f"{printed_megabytes(architecture):.2f}" == megabytes


def test_the_text_of_the_paper_counts_batch_normalisation():
    # "a small 2×32 FC model which consists of 34.6 K trainable parameters"
    assert count_parameters(Architecture("fc", 2, 32)) == 34_433 + 2 * 2 * 32 == 34_561
    assert count_parameters(Architecture("fc", 3, 32)) == 35_489


def test_weights_by_hand():
    assert count_weights(Architecture("fc", 3, 2)) == 513 * 2 + 2 * 2 + 2 * 2 + 2 * 513
    # Gates × (inputs + own outputs) in both directions, twice, then both directions to the bins.
    assert count_weights(Architecture("bilstm", 2, 3)) == 2 * 12 * (513 + 3) + 2 * 12 * (6 + 3) + 6 * 513
    block = 128 * 512 + 512 * 3 + 512 * 128 + 512 * 128
    outer = 512 * 16 + 512 * 128 + 128 * 512 + 512 * 16
    assert count_weights(Architecture("conv_tasnet", 1, 2)) == outer + 2 * block


def test_names_are_read_and_written():
    for architecture in TABLED:
        assert parse_architecture(architecture.system, architecture.variant) == architecture
    assert Architecture("fc", 3, 256).variant == "3x256"
    assert [str(a) for a in TABLED if a.has_batch_norm] == ["fc 2x1024", "fc 2x256", "fc 2x64", "fc 2x32"]
    assert [a.feature for a in TABLED] == 12 * ["stft"] + [""]


@pytest.mark.parametrize(
    ("system", "variant", "rule"),
    [
        ("gru", "2x64", "system 'gru' is no network: choose one of fc, bilstm, conv_tasnet"),
        ("fc", "4x64", "variant '4x64' of fc does not exist: its first number must be 2 or 3"),
        ("bilstm", "1x64", "variant '1x64' of bilstm does not exist: its first number must be 2,"),
        ("conv_tasnet", "0x8", "variant '0x8' of conv_tasnet does not exist: its first number must be at least 1"),
        ("fc", "3x0", "variant '3x0' of fc does not exist: .*its second at least 1"),
        ("fc", "3×64", "variant '3×64' of fc is not of the form 3x256"),
        ("fc", "3x64x2", "is not of the form"),
        ("fc", "3x123456", "is not of the form"),
        ("fc", "", "variant '' of fc is not of the form"),
    ],
)
def test_what_is_no_network(system, variant, rule):
    with pytest.raises(ValueError, match=rule):
        parse_architecture(system, variant)
