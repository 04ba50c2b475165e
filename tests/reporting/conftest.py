"""One made-up run, whole and partial, for all tests of the room."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from blsh.reporting.players import Example
from blsh.reporting.summarising import summarise
from tests.reporting.made_up_scores import (
    FEATURE_WIDTHS,
    NOISES,
    RBF,
    TABLE_BITS,
    every_kind_of_cell,
    expected_cells,
    make_every_ssm,
    make_networks,
    make_scores,
    make_ssm,
    make_training,
)


def summarised(scores, expected, *, tables=None, **changes):
    own = dict(
        training=make_training(),
        noises=pd.DataFrame(
            [(name, noise, 0.5) for name, noises in NOISES.items() for noise in noises],
            columns=["set", "noise", "overlap"],
        ),
        corpora=pd.DataFrame(
            [("speech", "train", 251, 251, 0.87, "CC BY 4.0")],
            columns=["corpus", "split", "recordings", "speakers", "hours", "licence"],
        ),
        skipped=pd.DataFrame(
            [("speech", "a/b.flac", "not audio (a text file)"), ("speech", "a/c.flac", "not audio (empty)")],
            columns=["corpus", "path", "reason"],
        ),
        costs=pd.DataFrame([("train", 2, 61.5, 300.0)], columns=["rule", "jobs", "seconds", "peak_mb"]),
    )
    given = dict(
        table_bits=TABLE_BITS,
        n_frames=640_000,
        feature_widths=FEATURE_WIDTHS,
        rng=np.random.default_rng(0),
        n_resamples=200,
        facts={"Preset": "made up", "Repeats": 3, "Training frames T": 640_000},
        ssm=make_ssm(size=50),
    )
    return summarise(scores, expected, tables=own | (tables or {}), **(given | changes))


@pytest.fixture(scope="session")
def expected():
    return expected_cells()


@pytest.fixture(scope="session")
def scores(expected):
    return make_scores(expected)


@pytest.fixture(scope="session")
def summaries(scores, expected):
    return summarised(scores, expected)


@pytest.fixture(scope="session")
def partial_summaries(scores, expected):
    """A run in which mel-BLSH was not scored yet, and a few scores could not be computed."""
    part = scores[~((scores["system"] == "blsh") & (scores["feature"] == "mel"))].copy()
    bad = part.index[(part["system"] == "lsh") & (part["n_bits"] == 150)][:4]
    part.loc[bad, ["pesq", "status", "reason"]] = (np.nan, "nan", "pesq: no utterance found")
    part.loc[part.index[part["system"] == "ibm"][:3], "status"] = "ill-conditioned"
    return summarised(part, expected)


@pytest.fixture(scope="session")
def published():
    """The published run on open recordings."""
    return Path(__file__).parents[2] / "results" / "published" / "open_small"


@pytest.fixture
def example(tmp_path):
    return make_example(tmp_path)


def make_example(folder, *, title="Rain, one speaker", seconds=0.5):
    """Write recordings of half a second, in the three containers that a run may have them in."""
    rng = np.random.default_rng(len(title))
    names = ("clean.wav", "mixture.flac", "blsh.ogg")
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        sound = 0.1 * rng.standard_normal(int(16_000 * seconds)).astype(np.float32)
        soundfile.write(folder / name, sound, 16_000)
    clean, mixture, blsh = (folder / name for name in names)
    return Example(title, clean, mixture, {"BLSH": blsh})


@pytest.fixture(scope="session")
def full_summaries():
    """A run with networks, targets, variants, switches, rivals, other SNRs and three pairs of VoiceBank-DEMAND."""
    return make_full_summaries()


def make_full_summaries(*, size=50, speakers=4):
    expected = every_kind_of_cell()
    bits = (25, *TABLE_BITS)
    scores = make_scores(expected, speakers=speakers, table_bits=bits)
    voicebank = scores["set"] == "voicebank"
    few = scores[~voicebank | scores["utterance"].isin(sorted(set(scores.loc[voicebank, "utterance"]))[:3])]
    training = [make_training(), make_training(features=("stft",), targets=RBF)]
    networks = pd.DataFrame([("fc", "2x32"), ("bilstm", "2x32")], columns=["system", "variant"])
    # Two networks are expected and were never begun.
    begun = expected[expected["system"] == "fc"].drop_duplicates("set").drop(columns=["system", "variant"])
    expected = pd.concat([expected, begun.merge(networks, how="cross")], ignore_index=True)
    return summarised(
        few,
        expected,
        table_bits=bits,
        tables={"training": pd.concat(training), "networks": make_networks()},
        ssm=make_every_ssm(size=size),
    )
