"""`blsh info` prints what a model is made of, and its bytes add up to the file."""

import re
from pathlib import Path

import pytest

from blsh.cli import main as cli
from blsh.denoising import model_costs
from blsh.denoising.model_file import save_model
from tests.denoising.making import small_model


@pytest.fixture
def info(monkeypatch, capsys):
    """Run the verb on half a second of noise: status, stdout and stderr."""
    measure = model_costs.measure_speed
    monkeypatch.setattr(cli, "_set_threads", lambda argv: None)
    monkeypatch.setattr("blsh.cli.info.measure_speed", lambda model: measure(model, seconds=0.5))

    def run(*words: object) -> tuple[int, str, str]:
        status = cli.main(["info", *map(str, words)])
        return status, *capsys.readouterr()

    return run


def test_it_says_what_a_model_is_made_of(info, tmp_path):
    path = tmp_path / "m.blsh"
    save_model(path, small_model(n_masks=9, bands=(5, 60), with_origins=True))
    status, out, err = info(path)
    assert status == 0 and not err
    for line in (
        "40 bits of the feature stft (513 values)",
        "60 rows, 10 neighbours, masks of 2 bands with 9 patterns each",
        "63.9 ms (1023 samples at 16000 Hz)",
        "all, 0 dB, 3 validation mixtures: SDR 4.50 dB (constant mask 2.25, mixture 0.10)",
        "Nowhere, CC0-1.0, https://example.org",
        f"{63 * 513 * 40:,} multiply-accumulates",
        f"{63 * 40 * 60:,} bit operations",
    ):
        assert line in out
    parts, total = re.search(r"^bytes +(.*): ([\d,]+)$", out, re.MULTILINE).groups()
    sizes = {name: int(size.replace(",", "")) for name, size in re.findall(r"(\w+) ([\d,]+\d|\d)", parts)}
    assert sizes["codes"] == 60 * 5 and sizes["masks"] == 9 * 65 + 60 * 2 + 2 and sizes["projections"] == 40 * 517
    assert sum(sizes.values()) == int(total.replace(",", "")) == path.stat().st_size
    assert re.search(r"\d+ times real time", out) and re.search(r"[\d.]+ % of a core", out)
    assert "drawn at random" not in out and "1 lines of credit" in out
    assert "drawn at random" in info(path, "--attributions")[1]


def test_a_plain_model_has_whole_masks_and_no_origins(info, tmp_path):
    save_model(tmp_path / "m.blsh", small_model())
    out = info(tmp_path / "m.blsh")[1]
    assert "masks whole" in out and "origins 0" in out


def test_another_file_is_one_line(info, tmp_path):
    Path(tmp_path / "m.blsh").write_bytes(b"no")
    status, out, err = info(tmp_path / "m.blsh")
    assert status == 2 and not out and err.count("\n") == 1
