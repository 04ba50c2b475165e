"""One made-up run, whole and partial, for all tests of the room."""

import numpy as np
import pandas as pd
import pytest

from blsh.reporting.summaries import summarise
from tests.reporting.made_up_scores import (
    FEATURE_WIDTHS,
    NOISES,
    TABLE_BITS,
    expected_cells,
    make_scores,
    make_ssm,
    make_training,
)


def summarised(scores, expected, **changes):
    given = dict(
        training=make_training(),
        table_bits=TABLE_BITS,
        n_frames=640_000,
        feature_widths=FEATURE_WIDTHS,
        rng=np.random.default_rng(0),
        n_resamples=200,
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
        facts={"Preset": "made up", "Repeats": 3},
        ssm=make_ssm(size=50),
    )
    return summarise(scores, expected, **(given | changes))


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
