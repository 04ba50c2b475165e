"""Training in small: it learns, stops by its rule or a limit, keeps the best epoch, resumes with the same result."""

import logging
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from blsh.denoising import network_training  # noqa: E402
from blsh.denoising.architectures import Architecture  # noqa: E402
from blsh.denoising.network_params import NetworkParams  # noqa: E402
from blsh.denoising.network_state import Epoch, TrainingState, load_state, save_state  # noqa: E402
from blsh.denoising.network_training import find_device, train_network  # noqa: E402
from blsh.files.tensors import load_tensors, save_tensors  # noqa: E402
from blsh.mixtures.rendering import Mixture  # noqa: E402

N_SAMPLES = 1600
CPU = torch.device("cpu")


def draw(rng: np.random.Generator, n_crops: int) -> tuple[np.ndarray, np.ndarray]:
    """Speech is low tones, noise is white: easy to tell apart."""
    pitches, times = rng.uniform(100, 400, (n_crops, 1)), np.arange(N_SAMPLES) / 16000
    return np.sin(2 * np.pi * pitches * times).astype(np.float32), rng.standard_normal((n_crops, N_SAMPLES), np.float32)


def batches(epoch: int, number: int, n_crops: int) -> tuple[np.ndarray, np.ndarray]:
    return draw(np.random.default_rng([epoch, number]), n_crops)


@pytest.fixture(scope="module")
def validation() -> list[Mixture]:
    pairs = zip(*draw(np.random.default_rng(99), 3), strict=True)
    return [
        Mixture(speech[:n], noise[:n], speech[:n] + noise[:n]) for n, (speech, noise) in enumerate(pairs, start=1400)
    ]


def params(system: str = "fc", depth: int = 3, width: int = 8, **changes: object) -> NetworkParams:
    small = {"batch_size": 4, "batches_per_epoch": 2, "learning_rate": 1e-2, "patience": 2}
    return NetworkParams(Architecture(system, depth, width), **(small | changes))


def train(chosen: NetworkParams, validation: list[Mixture], max_epochs: int = 3, **options: object):
    rng = np.random.default_rng(5)
    return train_network(
        chosen,
        options.pop("batches", batches),
        validation,
        seed=1,
        rng=rng,
        device=CPU,
        max_epochs=max_epochs,
        **options,
    )


def same(first, second) -> bool:
    pairs = [(first.tensors[name], second.tensors[name]) for name in first.tensors.keys() | second.tensors.keys()]
    return all(np.array_equal(one, other) for one, other in pairs)


@pytest.mark.parametrize(
    "chosen",
    [
        params(),
        params("fc", 2, 8),
        params("bilstm", 2, 4),
        params("conv_tasnet", 1, 1, learning_rate=1e-3),
        params(loss="mask_mse"),
    ],
    ids=lambda p: f"{p.architecture} {p.loss}",
)
def test_every_network_learns(chosen, validation):
    checkpoint, epochs = train(chosen, validation, 4)
    assert epochs[-1].training_loss < epochs[0].training_loss
    assert [epoch.number for epoch in epochs] == [1, 2, 3, 4]
    assert checkpoint.training.architecture == chosen.architecture
    if chosen.loss == "si_sdr":
        assert all(epoch.validation_loss == pytest.approx(-epoch.validation_si_sdr) for epoch in epochs)
    else:
        assert all(0 < epoch.validation_loss < 1 for epoch in epochs)


def test_the_same_seed_gives_the_same_numbers(validation):
    for chosen in (params("fc", 2, 8), params("bilstm", 2, 4)):
        first, again = train(chosen, validation, 2), train(chosen, validation, 2)
        assert same(first[0], again[0])
        assert [e.validation_loss for e in first[1]] == [e.validation_loss for e in again[1]]


def test_parts_of_a_batch_add_up(validation, monkeypatch):
    whole, _ = train(params(), validation, 2)
    monkeypatch.setattr(network_training, "_CROPS_AT_ONCE", {"fc": 3})
    parts, _ = train(params(), validation, 2)
    for name, tensor in whole.tensors.items():
        np.testing.assert_allclose(parts.tensors[name], tensor, atol=1e-4)


def with_losses(losses: list[float]) -> list[Epoch]:
    return [Epoch(number, 0.0, loss, -loss, 10.0 * number) for number, loss in enumerate(losses, start=1)]


@pytest.mark.parametrize(
    ("losses", "least_gain", "best", "stopped_by"),
    [
        ([3, 2, 1], 0.0, 3, ""),
        ([3, 1, 2], 0.0, 2, ""),
        ([3, 1, 2, 1], 0.0, 2, "stop rule"),
        ([3, 1, 2, 0.9], 0.0, 4, ""),
        ([3, 1, 2, 0.9], 0.2, 2, "stop rule"),
        ([3, 2.9, 2.8, 2.7], 0.25, 4, ""),
        ([3, 2.9, 2.8, 2.7], 0.35, 1, "stop rule"),
        ([5, 4, 3, 2, 1], 0.0, 5, "epochs"),
    ],
)
def test_the_stop_rule(losses, least_gain, best, stopped_by):
    chosen, epochs = params(least_gain=least_gain), with_losses(losses)
    assert chosen.best_of(epochs).number == best
    assert network_training._stop_reason(chosen, epochs, 5, math.inf) == stopped_by
    if not stopped_by:
        assert network_training._stop_reason(chosen, epochs, 5, 10.0 * len(losses)) == "time"


def test_the_numbers_of_the_best_epoch_are_kept(validation, monkeypatch):
    """Made-up validation losses say when it was best; the result is what a training of so many epochs ends with."""
    expected, _ = train(params(), validation, 2)
    losses = iter([3.0, 1.0, 2.0, 1.5])
    monkeypatch.setattr(network_training._Sitting, "_validate", lambda self, _: (loss := next(losses), -loss))
    checkpoint, epochs = train(params(), validation, 9)
    assert same(checkpoint, expected)
    training = checkpoint.training
    assert (training.epochs, training.best_epoch, training.stopped_by) == (4, 2, "stop rule")
    assert training.is_finished and training.validation_si_sdr == -1.0
    assert len(epochs) == 4


def test_limits_end_a_training_that_is_not_trained(validation):
    by_epochs, _ = train(params(), validation, 1)
    assert (by_epochs.training.stopped_by, by_epochs.training.epochs) == ("epochs", 1)
    by_time, _ = train(params(), validation, 50, max_seconds=1e-6)
    assert (by_time.training.stopped_by, by_time.training.epochs) == ("time", 1)
    assert not by_epochs.training.is_finished and not by_time.training.is_finished


@pytest.mark.parametrize("architecture", [("fc", 2, 8), ("conv_tasnet", 1, 1)], ids=lambda a: a[0])
def test_a_killed_training_goes_on_with_the_same_result(architecture, validation, tmp_path, monkeypatch):
    monkeypatch.setattr(network_training, "SECONDS_BETWEEN_SAVES", 0.0)
    chosen = params(*architecture, learning_rate=1e-3, patience=9)
    straight, epochs = train(chosen, validation, 4)

    def killed(epoch, number, n_crops):
        if (epoch, number) == (3, 1):
            raise KeyboardInterrupt
        return batches(epoch, number, n_crops)

    state = tmp_path / "state.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train(chosen, validation, 4, batches=killed, state=state, fingerprint="x")
    met = []

    def counted(epoch, number, n_crops):
        met.append((epoch, number))
        return batches(epoch, number, n_crops)

    resumed, epochs_again = train(chosen, validation, 4, batches=counted, state=state, fingerprint="x")
    assert sorted(met) == [(epoch, number) for epoch in (3, 4) for number in (0, 1)]
    assert same(resumed, straight)
    assert [e.validation_loss for e in epochs_again] == [e.validation_loss for e in epochs]
    seconds = [epoch.seconds for epoch in epochs_again]
    assert seconds == sorted(seconds)


def test_a_raised_limit_continues(validation, tmp_path):
    straight, _ = train(params(), validation, 3)
    state = tmp_path / "state.safetensors"
    train(params(), validation, 1, state=state, fingerprint="x")
    continued, _ = train(params(), validation, 3, state=state, fingerprint="x")
    assert same(continued, straight)


def test_a_state_of_another_training_is_told_and_left_alone(validation, tmp_path, caplog):
    state = tmp_path / "state.safetensors"
    train(params(), validation, 1, state=state, fingerprint="x")
    with caplog.at_level(logging.WARNING):
        _, epochs = train(params(), validation, 1, state=state, fingerprint="y")
    assert "training starts anew" in caplog.text and "other data, parameters or code" in caplog.text
    assert len(epochs) == 1
    state.write_bytes(state.read_bytes()[:100])
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        train(params(), validation, 1, state=state, fingerprint="y")
    assert "training starts anew" in caplog.text and "no whole safetensors file" in caplog.text


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda metadata, tensors: metadata.pop("epochs"), "'epochs'"),
        (lambda metadata, tensors: metadata.update(epochs=[]), "its epochs are not counted from 1"),
        (lambda metadata, tensors: metadata.update(epochs=[[1]]), "must be a mapping, not list"),
        (lambda metadata, tensors: metadata["epochs"][0].update(number=2), "its epochs are not counted from 1"),
        (lambda metadata, tensors: metadata["epochs"][0].update(number=1.0), "number=1.0 is not of type int"),
        (lambda metadata, tensors: metadata["epochs"][0].update({"\x1b[2J": 1}), r"'\x1b[2J'"),
        (lambda metadata, tensors: tensors.update({"other/a": tensors["best/a"]}), "'other'"),
        (lambda metadata, tensors: tensors.update({"best/a": np.ones(4, "f4")}), "its best and network are not of the"),
    ],
)
def test_a_state_of_another_form_is_told_and_training_starts_anew(tmp_path, caplog, change, told):
    path, own = tmp_path / "state.safetensors", {"a": np.ones(3, "f4")}
    save_state(path, TrainingState([Epoch(1, 0.5, 0.4, 3.0, 10.0)], own, own, own, own), fingerprint="x")
    assert load_state(path, fingerprint="x") is not None
    metadata, tensors = load_tensors(path, "network-state", 1)
    change(metadata, tensors)
    save_tensors(path, "network-state", 1, metadata, tensors)
    assert load_state(path, fingerprint="x") is None
    assert "training starts anew" in caplog.text and told in caplog.text


def test_progress_counts_to_the_earliest_end_and_says_how_well_it_goes(validation, monkeypatch):
    losses = iter([3.0, 1.0, 2.0, 1.5])
    monkeypatch.setattr(network_training._Sitting, "_validate", lambda self, _: (loss := next(losses), -loss))
    told = []
    train(params(), validation, 9, progress=lambda *words: told.append(words))
    assert [words[:2] for words in told] == [(1, 6), (2, 6), (3, 6), (4, 6), (5, 8), (6, 8), (7, 8), (8, 8)]
    assert told[0][2] == "first epoch"
    assert told[-1][2] == "validation SI-SDR -2.00 dB, best -1.00 dB"
    losses = iter([3.0])
    told.clear()
    train(params(), validation, 1, progress=lambda *words: told.append(words))
    assert [words[:2] for words in told] == [(1, 2), (2, 2)]


def test_threads_are_given_back(validation):
    before = torch.get_num_threads()
    train(params(), validation, 1, n_threads=before + 1)
    assert torch.get_num_threads() == before


def test_a_loss_that_is_not_finite(validation):
    def broken(epoch, number, n_crops):
        speech, noise = batches(epoch, number, n_crops)
        return speech * np.float32(np.nan), noise

    with pytest.raises(ValueError, match=r"fc 3x8: the loss of epoch 1 is nan in training .*; lower the learning rate"):
        train(params(), validation, 2, batches=broken)


def test_an_error_while_drawing_is_passed_on(validation):
    def broken(epoch, number, n_crops):
        raise FileNotFoundError("speech.wav")

    with pytest.raises(FileNotFoundError, match=r"speech.wav"):
        train(params(), validation, 2, batches=broken)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"loss": "sdr"}, "loss='sdr' is unknown; choose one of si_sdr, mask_mse"),
        ({"system": "conv_tasnet", "loss": "mask_mse"}, "loss='mask_mse' needs a mask, which conv_tasnet 3x8 has not"),
        ({"batch_size": 0}, "batch_size=0 must be at least 1"),
        ({"patience": 0}, "patience=0 must be at least 1"),
        ({"learning_rate": 0.0}, "learning_rate=0.0 must be above 0"),
        ({"least_gain": -1.0}, "least_gain=-1.0 at least 0"),
    ],
)
def test_parameters_that_cannot_be(change, rule):
    with pytest.raises(ValueError, match=rule):
        params(**change)


def test_limits_that_cannot_be(validation):
    with pytest.raises(ValueError, match="max_epochs=0 must be at least 1"):
        train(params(), validation, 0)
    with pytest.raises(ValueError, match=r"max_seconds=0\.0 above 0"):
        train(params(), validation, 1, max_seconds=0.0)
    with pytest.raises(ValueError, match="the validation set has 0 mixtures"):
        train(params(), [])


def test_a_gpu_that_is_absent(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match=r"device 'cuda' was asked for and torch \S+ sees no GPU; use the device cpu"):
        find_device("cuda")
    assert find_device("cpu") == CPU
