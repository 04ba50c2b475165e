"""The files of a run's summaries, and their columns.

``results/NAME/summaries/`` is the boundary between computing and showing. `blsh.reporting.summarising` makes it
from scores that may be gigabytes; whatever is shown is made from it alone, in seconds, also long afterwards and
from a copy in git.

``aggregated.csv``
    Means of every cell, see `blsh.reporting.aggregation`.
``utterances.parquet``
    Means over the repeats of every mixture, at the tables' code lengths.
``best_bits.csv``
    Each system's code length chosen on validation.
``sizes.csv``
    Model sizes in MB, see `blsh.reporting.sizes`.
``exports.csv``
    Bytes of models that were written to a file.
``speed.csv``
    Measured seconds per second of audio.
``networks.csv``
    Parameters, epochs and time of each network's training, and what ended it (`blsh.reporting.training_status`).
``claims.csv``
    Verdicts, see `blsh.reporting.verdicts`.
``training.csv``
    β, ε, effective number of pairs and passes of every boosting round.
``coverage.csv``
    How many of the expected cells are scored, and why others are not.
``failures.csv``
    What was ill-conditioned or could not be computed.
``sets.csv``
    Mixtures, speakers and hours of each set.
``noises.csv``
    Overlap of each noise's long-term spectrum with speech.
``corpora.csv``
    Recordings used, by corpus and split, with their licence and whom it asks to name.
``skipped.csv``
    Recordings that could not be used, with the reason.
``costs.csv``
    Jobs, seconds and peak memory of each rule.
``facts.json``
    What else a reader should know first, as pairs of a label and a value.
``ssm.npz``
    Self-similarity matrices, 0 to 1 as uint8, named ``FEATURE/TARGET/PROFILE/KIND``; a kind is ``truth``,
    ``bits_L``, ``weighted`` (all bits, each with its β) or ``pair_weights_L``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from blsh.reporting.aggregation import AGGREGATED_DTYPES, FAMILY
from blsh.reporting.scores import CELL, DTYPES, METRICS, MIXTURE, RARE_METRICS
from blsh.reporting.sizes import SIZES_DTYPES
from blsh.reporting.verdicts import CLAIMS_DTYPES

__all__ = ["ABSENT", "SCHEMAS", "empty_table"]

SCHEMAS: dict[str, dict[str, str]] = {
    "aggregated": AGGREGATED_DTYPES,
    "utterances": {
        **{name: DTYPES[name] for name in (*CELL, *MIXTURE)},
        "n_repeats": "int64",
        **dict.fromkeys(METRICS, "float32"),
    },
    "best_bits": {
        **{name: DTYPES[name] for name in FAMILY if name != "set"},
        "metric": "str",
        "n_bits": "int64",
        "value": "float64",
    },
    "sizes": SIZES_DTYPES,
    "exports": {
        **dict.fromkeys(("system", "variant", "feature", "target", "profile"), "str"),
        "rho": "float64",
        **dict.fromkeys(("n_bits", "file_bytes"), "int64"),
    },
    "speed": {
        **dict.fromkeys(("system", "variant", "feature"), "str"),
        "rho": "float64",
        **dict.fromkeys(("n_bits", "dictionary_rows"), "int64"),
        "seconds_per_second": "float64",
        "threads": "int64",
        "machine": "str",
    },
    "networks": {
        **dict.fromkeys(("system", "variant"), "str"),
        **dict.fromkeys(("parameters", "epochs"), "int64"),
        "seconds": "float64",
        **dict.fromkeys(("stopped_by", "device", "data"), "str"),
    },
    "claims": CLAIMS_DTYPES,
    "training": {
        **dict.fromkeys(("feature", "target", "profile"), "str"),
        **dict.fromkeys(("seed", "round"), "int64"),
        **dict.fromkeys(("beta", "epsilon", "effective_pairs"), "float64"),
        "passes": "int64",
    },
    "coverage": {**{name: DTYPES[name] for name in FAMILY}, "n_expected": "int64", "n_done": "int64", "reason": "str"},
    "failures": {
        "set": "str",
        "snr_db": "float64",
        "system": "str",
        "status": "str",
        "reason": "str",
        "n_rows": "int64",
    },
    "sets": {
        "set": "str",
        "snr_db": "float64",
        **dict.fromkeys(("mixtures", "utterances", "speakers", "female", "male", "noises"), "int64"),
        "hours": "float64",
    },
    "noises": {"set": "str", "noise": "str", "overlap": "float64"},
    "corpora": {
        **dict.fromkeys(("corpus", "split"), "str"),
        **dict.fromkeys(("recordings", "speakers"), "int64"),
        "hours": "float64",
        **dict.fromkeys(("licence", "reader", "attribution"), "str"),
    },
    "skipped": {"corpus": "str", "path": "str", "reason": "str"},
    "costs": {"rule": "str", "jobs": "int64", "seconds": "float64", "peak_mb": "float64"},
}

# Columns that a table need not have, and what stands for them: runs were published before they existed.
ABSENT: dict[str, dict[str, object]] = {
    "aggregated": {
        f"{metric}{part}": 0 if part == "_nan" else np.nan
        for metric in RARE_METRICS
        for part in ("", "_plain", "_std", "_nan")
    },
    "utterances": dict.fromkeys(RARE_METRICS, np.nan),
    "corpora": dict.fromkeys(("reader", "attribution"), ""),
    "networks": dict.fromkeys(("device", "data"), ""),
    "coverage": {"reason": ""},
}


def empty_table(name: str) -> pd.DataFrame:
    """Return a table of the summaries without rows."""
    return pd.DataFrame({column: pd.Series(dtype=dtype) for column, dtype in SCHEMAS[name].items()})
