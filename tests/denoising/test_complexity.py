"""Operation counts against hand-worked cases and the figures in the text of TASLP 2022, V-G."""

import pytest

from blsh.denoising.architectures import Architecture
from blsh.denoising.complexity import (
    FRAMES_OF_A_SECOND,
    Operations,
    hashed_operations,
    network_operations,
    raw_operations,
)


def test_a_second_has_63_frames():
    # Centred on samples 0, 256, …, 62 · 256 = 15872 of 16000.
    assert FRAMES_OF_A_SECOND == 63


def test_bit_operations_are_those_in_the_paper():
    # "50 × 24539 ≈ 1.2 M bitwise operations to process a single frame. For … 63 frames … ∼77 M"
    found = hashed_operations(128, 24_539, 10, 50)
    assert found.bit_operations == 63 * 50 * 24_539 == 77_297_850
    assert found.macs == 63 * 128 * 50 == 63 * 6400
    assert found.additions == 63 * 10 * 513


def test_raw_neighbours_multiply_every_feature_of_every_row():
    assert raw_operations(513, 245_396, 10) == Operations(macs=63 * 513 * 245_396, additions=63 * 10 * 513)
    assert raw_operations(3, 2.5, 1).macs == 63 * 7.5


@pytest.mark.parametrize(
    ("architecture", "macs"),
    [
        (Architecture("fc", 2, 64), 63 * (513 * 64 + 64 * 64 + 64 * 513)),
        (Architecture("fc", 3, 256), 63 * (513 * 256 + 2 * 256 * 256 + 256 * 513)),
        # 28.9 M; the paper's "∼13.7 M" is that of one direction over 64 frames, 64 · (256·577 + 256·128 + 64·513).
        (Architecture("bilstm", 2, 64), 63 * (2 * 256 * (513 + 64) + 2 * 256 * (128 + 64) + 128 * 513)),
        (
            Architecture("conv_tasnet", 3, 8),
            1999 * (16 * 512 + 512 * 128 + 24 * (128 * 512 + 3 * 512 + 2 * 512 * 128) + 128 * 512 + 512 * 16),
        ),
    ],
    ids=str,
)
def test_networks_multiply_every_weight_once_a_frame(architecture, macs):
    assert network_operations(architecture) == Operations(macs=macs)


def test_the_papers_comparison():
    bilstm = network_operations(Architecture("bilstm", 2, 64)).macs
    assert bilstm == 28_941_696
    assert 64 * (256 * 577 + 256 * 128 + 64 * 513) == 13_651_968
