"""The jobs of an experiment and the files that they read and write, all known before the run.

A score job takes one system on one set with one feature, target, ρ and repeat, and scores every code length as a
prefix of one model. Paths are relative to the repository, with one canonical spelling of each number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import pandas as pd

from blsh.denoising.architectures import NETWORKS
from blsh.experiment.config import Config
from blsh.experiment.families import Family, families, has_dictionary, has_main_target, is_hashed, most_bits
from blsh.files.checksums import digest_of
from blsh.signal import spectra

__all__ = [
    "ScoreJob",
    "data_folder",
    "expected_cells",
    "metrics_at",
    "results_folder",
    "score_jobs",
    "scored_bits",
    "scored_bits_on",
    "scored_sets",
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
    variant: str = ""

    @property
    def family(self) -> Family:
        """What is scored."""
        return Family(self.system, self.feature, self.target, self.variant)

    @property
    def stem(self) -> str:
        """The name of the score file without folder and suffix."""
        return f"{self.family.stem}_{self.draw}" if has_dictionary(self.system) else self.family.stem

    @property
    def draw(self) -> str:
        """The part of a file's name that says which dictionary."""
        return f"rho-{_number(self.rho)}_rep-{self.repeat}"


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
    for set_name in scored_sets(config):
        for family in families(config, set_name):
            if not has_dictionary(family.system):
                yield ScoreJob(set_name, **asdict(family))
                continue
            for rho in grid.rho[:1] if family.switch else grid.rho:
                for repeat in range(1, grid.repeats_of_sets.get(set_name, grid.repeats) + 1):
                    yield ScoreJob(set_name, **asdict(family), rho=rho, repeat=repeat)


def scored_sets(config: Config) -> tuple[str, ...]:
    """Return the sets that are scored: the grid's, then those of the tables alone."""
    return (*config.grid.sets, *config.tables.further_sets)


def table_bits(config: Config, system: str, feature: str) -> tuple[int, ...]:
    """Return the code lengths at which the tables show a system with codes, in rising order."""
    return tuple(sorted(set(_table_bits(config, Family(system, feature)).values())))


def metrics_at(config: Config, set_name: str, family: Family) -> dict[int, tuple[str, ...]]:
    """Return the metrics that the tables need of a system on a set, by code length; 0 is a system without codes.

    ICASSP Table 1 shows the closed and open set, with SIR and SAR; the TASLP tables show the open set only. Options,
    switches and further targets are in neither: what they are worth is said in the sweep's metrics.
    """
    wanted: dict[int, set[str]] = {}
    tables = config.tables
    for name, table in (("icassp", tables.icassp), ("taslp", tables.taslp)):
        # The TASLP tables have no row for LSH with one matrix.
        if (
            set_name in (*table.sets, *table.further_sets)
            and (name, family.system) != ("taslp", "lsh_fixed")
            and not family.is_option
            and has_main_target(config, family)
        ):
            bits = _table_bits(config, family)[name] if is_hashed(family.system) else 0
            wanted.setdefault(bits, set()).update(table.metrics)
    is_compared = not family.switch and family.system not in NETWORKS
    if tables.rivals is not None and set_name in tables.rivals.sets and is_compared:
        if is_hashed(family.system):
            for bits in set(tables.rivals.n_bits) & set(scored_bits(config, family)):
                wanted.setdefault(bits, set()).update(tables.rivals.metrics)
        else:
            # The search of the raw features finds what it finds, and the controls search nothing.
            wanted.setdefault(0, set()).update(set(tables.rivals.metrics) - {"recall"})
    return {bits: tuple(sorted(names)) for bits, names in sorted(wanted.items()) if names}


def _table_bits(config: Config, family: Family) -> dict[str, int]:
    """Return the code length of each paper's tables: as printed, or the longest that there is."""
    longest = most_bits(config, family)
    tables = config.tables
    taslp = tables.taslp.blsh_bits[family.feature] if family.system == "blsh" else tables.taslp.lsh_bits
    return {"icassp": min(tables.icassp.n_bits, longest), "taslp": min(taslp, longest)}


def scored_bits(config: Config, family: Family) -> tuple[int, ...]:
    """Return all code lengths at which a system is scored: the grid's and the tables', as far as its codes go."""
    bits = set(_table_bits(config, family).values())
    if not family.is_option:
        rivals = config.tables.rivals
        bits.update(config.grid.n_bits, rivals.n_bits if rivals else ())
    return tuple(sorted(n_bits for n_bits in bits if n_bits <= most_bits(config, family)))


def scored_bits_on(config: Config, set_name: str, family: Family) -> tuple[int, ...]:
    """Return the code lengths at which a system is scored on a set: on those of the tables alone, their L."""
    for name, table in (("icassp", config.tables.icassp), ("taslp", config.tables.taslp)):
        if set_name in table.further_sets:
            return (_table_bits(config, family)[name],)
    return scored_bits(config, family)


def expected_cells(config: Config) -> pd.DataFrame:
    """Return a row for every (job, code length) that a whole run scores, with the score tables' key columns."""
    rows = []
    for job in score_jobs(config):
        for n_bits in scored_bits_on(config, job.set, job.family) if is_hashed(job.system) else (0,):
            rows.append(
                asdict(job)
                | {
                    "snr_db": config.data.sets[job.set].level_db,
                    "profile": config.training.profile if job.system == "blsh" else "",
                    "n_bits": n_bits,
                    "n_neighbours": config.grid.n_neighbours if has_dictionary(job.system) else 0,
                }
            )
    return pd.DataFrame(rows)


def _number(value: float) -> str:
    """Spell a number shortly, but so that it can be read back."""
    return short if float(short := f"{value:g}") == value else repr(value)
