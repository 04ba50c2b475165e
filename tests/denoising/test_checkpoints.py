"""Checkpoints: what comes back, what they say about their training, and what is no checkpoint."""

from dataclasses import replace

import numpy as np
import pytest

from blsh.denoising.architectures import Architecture
from blsh.denoising.checkpoints import (
    STOP_REASONS,
    Checkpoint,
    Training,
    load_checkpoint,
    read_training,
    save_checkpoint,
)
from blsh.files.tensors import read_stamp, save_tensors

TRAINING = Training(
    architecture=Architecture("fc", 3, 8),
    loss="si_sdr",
    seed=7,
    epochs=12,
    best_epoch=9,
    batches_per_epoch=100,
    batch_size=128,
    stopped_by="stop rule",
    seconds=61.5,
    validation_si_sdr=3.25,
    device="cpu",
    fingerprint="ab",
    code_version="0.1.0",
)


@pytest.fixture
def path(tmp_path):
    save_checkpoint(tmp_path / "net.safetensors", Checkpoint(TRAINING, {"layers.0.bias": np.arange(8, dtype="f4")}))
    return tmp_path / "net.safetensors"


def test_a_checkpoint_comes_back(path):
    loaded = load_checkpoint(path)
    assert loaded.training == TRAINING == read_training(path)
    assert list(loaded.tensors) == ["layers.0.bias"]
    np.testing.assert_array_equal(loaded.tensors["layers.0.bias"], np.arange(8))


def test_the_file_says_what_it_is(path):
    stamp = read_stamp(path, "network", 1)
    assert stamp["architecture"] == {"system": "fc", "variant": "3x8", "feature": "stft"}
    assert stamp["signal"] == {"sample_rate": 16000, "n_fft": 1024, "hop_length": 256}
    assert stamp["stopped_by"] == "stop rule" and stamp["epochs"] == 12 and stamp["seconds"] == 61.5


def test_only_the_stop_rule_makes_a_network_trained():
    finished = {reason: replace(TRAINING, stopped_by=reason).is_finished for reason in STOP_REASONS}
    assert finished == {"stop rule": True, "epochs": False, "time": False}


@pytest.mark.parametrize(
    ("change", "error", "rule"),
    [
        ({"stopped_by": "boredom"}, ValueError, "stopped_by='boredom' is none of stop rule, epochs, time"),
        ({"best_epoch": 13}, ValueError, "best_epoch=13 must lie in 1…12"),
        ({"epochs": "12"}, TypeError, "epochs='12' must be of type int"),
        ({"seconds": float("inf")}, ValueError, "seconds=inf, .* must be finite"),
    ],
)
def test_values_that_cannot_be(change, error, rule):
    with pytest.raises(error, match=rule):
        replace(TRAINING, **change)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"architecture": {"system": "fc", "variant": "9x8", "feature": "stft"}}, "variant '9x8' of fc does not exist"),
        ({"architecture": {"system": "fc", "variant": "3x8", "feature": "mel"}}, "feature 'mel' is not the 'stft' of"),
        ({"architecture": {"system": "fc"}}, "'variant' is missing"),
        ({"signal": {"sample_rate": 8000}}, "its signal settings are not"),
        ({"epochs": None}, "epochs=None must be of type int"),
        ({"colour": "red"}, "unexpected keyword argument 'colour'"),
    ],
)
def test_other_metadata_is_one_clear_line(path, change, rule):
    save_tensors(path, "network", 1, read_stamp(path, "network", 1) | change, {})
    for read in (load_checkpoint, read_training):
        with pytest.raises(ValueError, match=rf"net.safetensors does not hold a network: .*{rule}.*; train the net"):
            read(path)


def test_a_missing_checkpoint(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_checkpoint(tmp_path / "none.safetensors")
