"""Training a network from two folders of recordings, and the bad input that a person may give the verb."""

import re

import pandas as pd
import pytest

pytest.importorskip("torch")

from blsh.denoising.checkpoints import load_checkpoint, read_training
from blsh.reporting.scores import read_scores
from tests.cli.working import PROGRESS, Work, blsh, listed_work


@pytest.fixture(scope="module")
def work(tmp_path_factory) -> Work:
    """Manifests, units and validation mixtures of a few seconds of sound."""
    work = listed_work(tmp_path_factory.mktemp("work"))
    to = work.folder
    assert blsh(work.draw(to, "--source validation --set validation")) == 0
    (to / "r.csv").rename(to / "validation.csv")
    return work


def command(work: Work, to, more: str = "", network: str = "fc 3x8", epochs: int = 2) -> str:
    system, variant = network.split()
    files = f"--validation {work['validation.csv']} --history {to}/history.csv -o {to}/net.safetensors"
    data = f"--units {work['units.csv']} --noise-corpus noise --snr-db 0 {work.data} {files}"
    sizes = f"--crop-seconds 0.25 --batch-size 4 --batches-per-epoch 2 --learning-rate 0.01 --max-epochs {epochs}"
    return f"train-network --system {system} --variant {variant} --seed 1 {data} {sizes} {more}"


def weights(path) -> dict[str, bytes]:
    return {name: tensor.tobytes() for name, tensor in load_checkpoint(path).tensors.items()}


@pytest.mark.parametrize("network", ["fc 2x8", "bilstm 2x4", "conv_tasnet 1x1"])
def test_every_network_is_trained_from_recordings(work, tmp_path, network, capsys):
    assert blsh(command(work, tmp_path, network=network)) == 0
    printed = capsys.readouterr().out
    assert "6 units of speech, 4 recordings of noise" in printed
    assert re.search(
        r"2 epochs in 0\.\d min, ended by epochs; best epoch \d: validation SI-SDR -?\d+\.\d\d dB", printed
    )
    training = read_training(tmp_path / "net.safetensors")
    assert str(training.architecture) == network
    assert (training.epochs, training.batch_size, training.seed, training.device) == (2, 4, 1, "cpu")
    history = pd.read_csv(tmp_path / "history.csv")
    assert list(history) == ["number", "training_loss", "validation_loss", "validation_si_sdr", "seconds"]
    assert history["number"].tolist() == [1, 2]
    system, variant = network.split()
    named = f"--system {system} --variant {variant} --model {tmp_path}/net.safetensors --metrics-at 0=sir"
    files = f"--recipes {work['validation.csv']} {work.data} -o {tmp_path}/net.parquet"
    assert blsh(f"score-network {named} --sweep-metrics sdr si_sdr {files}") == 0
    scores = read_scores([tmp_path / "net.parquet"])
    assert set(scores["system"]) == {system} and set(scores["variant"]) == {variant}
    assert set(scores["feature"]) == {training.architecture.feature} and set(scores["n_bits"]) == {0}
    assert scores[["sdr", "si_sdr", "sir"]].notna().all(axis=None) and len(scores) > 1


def test_a_checkpoint_of_another_network_is_not_scored(work, tmp_path, capsys):
    assert blsh(command(work, tmp_path, epochs=1)) == 0
    named = f"--system fc --variant 2x8 --model {tmp_path}/net.safetensors --sweep-metrics sdr"
    assert blsh(f"score-network {named} --recipes {work['validation.csv']} {work.data} -o {tmp_path}/x.parquet") == 2
    said = capsys.readouterr().err
    assert "net.safetensors holds fc 3x8 where fc 2x8 is needed: give another checkpoint" in said
    assert not (tmp_path / "x.parquet").exists()


def test_a_limit_keeps_the_state_and_so_does_the_stop_rule(work, tmp_path):
    assert blsh(command(work, tmp_path, epochs=1)) == 0
    assert not read_training(tmp_path / "net.safetensors").is_finished
    stops = "--patience 1 --least-gain 1000"
    assert blsh(command(work, tmp_path, stops, epochs=9)) == 0
    training = read_training(tmp_path / "net.safetensors")
    assert (training.stopped_by, training.epochs, training.best_epoch) == ("stop rule", 2, 1)
    # Another limit changes nothing, also where Snakemake has removed what it knows.
    first = {name: (tmp_path / name).read_bytes() for name in ("net.safetensors", "history.csv")}
    for name in first:
        (tmp_path / name).unlink()
    assert blsh(command(work, tmp_path, stops, epochs=99)) == 0
    assert {name: (tmp_path / name).read_bytes() for name in first} == first


def test_a_raised_limit_continues_and_gives_the_numbers_of_one_sitting(work, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert blsh(command(work, whole, epochs=3)) == 0
    assert blsh(command(work, parts, epochs=1)) == 0
    assert blsh(command(work, parts, epochs=3)) == 0
    assert weights(parts / "net.safetensors") == weights(whole / "net.safetensors")
    losses = [pd.read_csv(folder / "history.csv")["validation_loss"].tolist() for folder in (whole, parts)]
    assert losses[0] == losses[1]


def test_another_snr_or_loss_is_another_training(work, tmp_path, caplog):
    assert blsh(command(work, tmp_path, epochs=1)) == 0
    for more in ("--snr-db -5 10", "--loss mask_mse"):
        caplog.clear()
        assert blsh(command(work, tmp_path, more, epochs=1)) == 0
        assert "training starts anew" in caplog.text


BAD_INPUT = {
    "unknown system": ({"network": "gru 2x4"}, r"--system: invalid choice: 'gru'"),
    "unknown variant": ({"network": "fc 4x8"}, r"variant '4x8' of fc does not exist: its first number must be 2 or 3"),
    "a variant that is no size": ({"network": "fc big"}, r"variant 'big' of fc is not of the form 3x256"),
    "unknown loss": ({"more": "--loss sdr"}, r"--loss: invalid choice: 'sdr'"),
    "a mask of conv_tasnet": (
        {"network": "conv_tasnet 1x1", "more": "--loss mask_mse"},
        r"loss='mask_mse' needs a mask, which conv_tasnet 1x1 has not; choose si_sdr",
    ),
    "speech shorter than a crop": (
        {"more": "--crop-seconds 1"},
        r"none of 6 units of training speech is 1.0 s long, as a crop is",
    ),
    "three levels": ({"more": "--snr-db 1 2 3"}, r"--snr-db 1.0 2.0 3.0 is no range: give one number, or the least"),
    "levels in falling order": ({"more": "--snr-db 5 -5"}, r"snr_db=5.0 to -5.0 is no range of finite numbers"),
    "a silent limit on time": ({"more": "--max-minutes 0"}, r"--max-minutes: '0' must be a finite number above 0"),
    "no epochs": ({"epochs": 0}, r"--max-epochs: '0' must be a whole number in 1…"),
    "no patience": ({"more": "--patience 0"}, r"--patience: '0' must be a whole number in 1…"),
    "no learning": ({"more": "--learning-rate 0"}, r"--learning-rate: '0' must be a finite number above 0"),
    "unknown corpus of noise": (
        {"more": "--noise-corpus moise"},
        r"--noise-corpus 'moise' is not in --manifest \(speech, noise\); name one of these",
    ),
    "unknown class of noise": (
        {"more": "--noise-classes hiccup"},
        r"corpus 'noise' has no noise_class 'hiccup' \(it has: hiss, hum\)",
    ),
    "missing units": ({"more": "--units none.csv"}, r"none.csv does not exist; correct the path"),
    "validation that is another table": (
        {"more": "--validation {units}"},
        r"units.csv is not the table that is needed",
    ),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_one_line_and_writes_nothing(work, tmp_path, case, capsys):
    change, rule = BAD_INPUT[case]
    words = command(work, tmp_path, **change).replace("{units}", str(work["units.csv"]))
    assert blsh(words) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if not PROGRESS.fullmatch(line)]
    assert len(lines) == 1 and re.search(rule, lines[0]), lines
    assert list(tmp_path.iterdir()) == []


def test_a_gpu_that_is_absent_is_one_line(work, tmp_path, monkeypatch, capsys):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert blsh(command(work, tmp_path, "--device cuda")) == 2
    assert re.search(r"device 'cuda' was asked for and torch \S+ sees no GPU; use the dev", capsys.readouterr().err)
    assert list(tmp_path.iterdir()) == []
