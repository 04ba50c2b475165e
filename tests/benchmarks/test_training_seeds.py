"""The comparison of training seeds: means, the best system, intervals, and what learns nothing."""

import pandas as pd
import pytest

from benchmarks import training_seeds


def scores(rng, shift, *, with_knn=False):
    """Three speakers of two utterances in one noise; system b is 1 dB above a, whatever the seed."""
    rows = []
    for number in range(6):
        mixture = {
            "set": "open",
            "snr_db": 0.0,
            "feature": "stft",
            "target": "",
            "rho": 0.1,
            "variant": "",
            "gender": "F",
        }
        mixture |= {"utterance": f"u{number}", "noise": "rain", "speaker": f"s{number // 2}", "seconds": 1.0 + number}
        base = shift + float(number)
        rows += [mixture | {"system": "a", "n_bits": n, "sdr": base + n / 10} for n in (10, 20)]
        rows += [mixture | {"system": "b", "n_bits": n, "sdr": base + n / 10 + 1} for n in (10, 20)]
        if with_knn:
            rows.append(mixture | {"system": "knn", "n_bits": 0, "sdr": 4.0})
    return pd.DataFrame(rows).sample(frac=1, random_state=int(rng.integers(100)))


@pytest.fixture
def lines(rng):
    return training_seeds.page([scores(rng, 0.0, with_knn=True), scores(rng, 0.5)]).splitlines()


def test_means_weigh_utterances_by_their_length(lines):
    # Σ i·(1 + i) / Σ (1 + i) = 70 / 21 = 3.33
    assert lines[0] == "| mean [least, largest] of 2 seeds | L = 10 | L = 20 |"
    assert lines[2] == "| a | 4.58 [4.33, 4.83] | 5.58 [5.33, 5.83] |"


def test_a_constant_lead_has_an_interval_without_width(lines):
    assert lines[5] == "| b above | L = 10 | L = 20 |"
    assert lines[7] == "| a | 1.00 [1.00, 1.00] | 1.00 [1.00, 1.00] |"


def test_what_learns_nothing_is_compared_at_every_length(lines):
    name, first, second = (cell.strip() for cell in lines[8].strip("|").split("|"))
    assert (name, first[:4], second[:4]) == ("knn", "1.58", "2.58")
    low, high = (float(number) for number in first[6:-1].split(","))
    assert low < 1.58 < high


def test_the_published_run_can_be_read(capsys):
    training_seeds.main(["results/published/open_small"])
    printed = capsys.readouterr().out
    assert "| residual above |" in printed
    assert "| residual | 1.99 [1.99, 1.99] |" in printed  # as in docs/rivals.md
