"""The jobs of an experiment and the files that they read and write, all known before the run.

A score job takes one system on one set with one feature, target, ρ and repeat, and scores every code length as a
prefix of one model. Paths are relative to the repository, with one canonical spelling of each number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import pandas as pd

from blsh.experiment.config import CONTROLS, Config
from blsh.files.checksums import digest_of
from blsh.signal import spectra

__all__ = [
    "ScoreJob",
    "data_folder",
    "expected_cells",
    "metrics_at",
    "model_names",
    "results_folder",
    "score_jobs",
    "scored_bits",
    "table_bits",
]


@dataclass(frozen=True)
class ScoreJob:
    """One system on one set; fields that do not apply are '' or 0."""

    set: str
    system: str
    feature: str = ""
    target: str = ""
    rho: float = 0.0
    repeat: int = 0

    @property
    def stem(self) -> str:
        """The name of the score file without folder and suffix."""
        if self.system in CONTROLS:
            return self.system
        return "_".join(
            part
            for part in (self.system, self.feature, self.target, f"rho-{_number(self.rho)}", f"rep-{self.repeat}")
            if part
        )


def data_folder(config: Config) -> str:
    """Folder of the recordings' manifests, mixtures and features; its last part hashes the signal settings."""
    settings = {
        "sample_rate": spectra.SAMPLE_RATE,
        "n_fft": spectra.N_FFT,
        "hop_length": spectra.HOP_LENGTH,
        "n_mels": spectra.N_MELS,
    }
    return f"results/data/{config.data.name}/{digest_of(settings)[:12]}"


def results_folder(config: Config) -> str:
    """Folder of the experiment's models, scores, tables, figures and report."""
    return f"results/{config.name}"


def score_jobs(config: Config) -> tuple[ScoreJob, ...]:
    """Return every score job of the experiment."""
    return tuple(_score_jobs(config))


def _score_jobs(config: Config) -> Iterator[ScoreJob]:
    grid = config.grid
    for set_name in grid.sets:
        for system in grid.systems:
            if system in CONTROLS:
                yield ScoreJob(set_name, system)
                continue
            for feature in grid.features:
                for target in grid.targets if system == "blsh" else ("",):
                    for rho in grid.rho:
                        for repeat in range(1, grid.repeats + 1):
                            yield ScoreJob(set_name, system, feature, target, rho, repeat)


def model_names(config: Config) -> tuple[tuple[str, str], ...]:
    """Return the (feature, target) pairs for which projections are learned."""
    if "blsh" not in config.grid.systems:
        return ()
    return tuple((feature, target) for feature in config.grid.features for target in config.grid.targets)


def table_bits(config: Config, system: str, feature: str) -> tuple[int, ...]:
    """Return the code lengths at which the tables show a system with codes, in rising order."""
    return tuple(sorted(set(_table_bits(config, system, feature).values())))


def metrics_at(config: Config, set_name: str, system: str, feature: str) -> dict[int, tuple[str, ...]]:
    """Return the metrics that the tables need of a system on a set, by code length; 0 is a system without codes.

    ICASSP Table 1 shows the closed and open set, with SIR and SAR; the TASLP tables show the open set only.
    """
    wanted: dict[int, set[str]] = {}
    is_hashed = system not in (*CONTROLS, "knn")
    for name, table in (("icassp", config.tables.icassp), ("taslp", config.tables.taslp)):
        # The TASLP tables have no row for LSH with one matrix.
        if set_name in table.sets and (name, system) != ("taslp", "lsh_fixed"):
            bits = _table_bits(config, system, feature)[name] if is_hashed else 0
            wanted.setdefault(bits, set()).update(table.metrics)
    return {bits: tuple(sorted(names)) for bits, names in sorted(wanted.items())}


def _table_bits(config: Config, system: str, feature: str) -> dict[str, int]:
    """Return the code length of each paper's tables: as printed, or the longest that is trained."""
    longest = max(config.grid.n_bits)
    tables = config.tables
    taslp = tables.taslp.blsh_bits[feature] if system == "blsh" else tables.taslp.lsh_bits
    return {"icassp": min(tables.icassp.n_bits, longest), "taslp": min(taslp, longest)}


def scored_bits(config: Config, system: str, feature: str) -> tuple[int, ...]:
    """Return all code lengths at which a system is scored: the grid's and the tables'."""
    return tuple(sorted({*config.grid.n_bits, *table_bits(config, system, feature)}))


def expected_cells(config: Config) -> pd.DataFrame:
    """Return a row for every (job, code length) that a whole run scores, with the score tables' key columns."""
    rows = []
    for job in score_jobs(config):
        is_hashed = job.system not in (*CONTROLS, "knn")
        for n_bits in scored_bits(config, job.system, job.feature) if is_hashed else (0,):
            rows.append(
                asdict(job)
                | {
                    "snr_db": config.data.sets[job.set].snr_db,
                    "variant": "",
                    "profile": config.training.profile if job.system == "blsh" else "",
                    "n_bits": n_bits,
                    "n_neighbours": 0 if job.system in CONTROLS else config.grid.n_neighbours,
                }
            )
    return pd.DataFrame(rows)


def _number(value: float) -> str:
    """Spell a number shortly, but so that it can be read back."""
    return short if float(short := f"{value:g}") == value else repr(value)
