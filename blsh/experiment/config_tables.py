"""The part of the configuration that says what is scored and shown."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from blsh.experiment.config_base import ConfigModel, Name, Positive
from blsh.signal.spectra import FEATURES

__all__ = [
    "IcasspTables",
    "MetricsConfig",
    "OptionsTable",
    "ResultsConfig",
    "RivalsTable",
    "TablesConfig",
    "TaslpTables",
]

METRICS = ("sdr", "sir", "sar", "si_sdr", "pesq", "estoi")
AGREEMENTS = ("recall", "mask_accuracy")


class MetricsConfig(ConfigModel):
    """Scores of the whole grid; the tables' further ones are under `tables`."""

    sweep: tuple[Literal[METRICS], ...] = ("sdr", "si_sdr")
    """Scores of every system, set, code length and repeat."""


class IcasspTables(ConfigModel):
    """ICASSP Table 1."""

    n_bits: Positive = 150
    """L of LSH and BLSH."""
    metrics: tuple[Literal[METRICS], ...] = ("sdr", "sir", "sar")
    """Its scores."""
    sets: tuple[Name, ...] = ("closed", "open")
    """Its sets among those of the grid."""
    further_sets: tuple[Name, ...] = ()
    """Its sets outside the grid: scored at this L and with these metrics alone."""


class TaslpTables(ConfigModel):
    """TASLP Tables I to III."""

    lsh_bits: Positive = 300
    """L of the LSH rows."""
    blsh_bits: dict[Literal[FEATURES], Positive] = Field(default={"stft": 300, "mel": 50})
    """L of the BLSH rows, by feature."""
    metrics: tuple[Literal[METRICS], ...] = ("sdr", "si_sdr", "pesq", "estoi")
    """Their scores; PESQ and ESTOI take many times as long as the others."""
    sets: tuple[Name, ...] = ("open",)
    """Their sets among those of the grid."""
    further_sets: tuple[Name, ...] = ()
    """Sets outside the grid, of Tables II and III: controls and `blsh` at these L and with these metrics alone."""


class OptionsTable(ConfigModel):
    """What `grid.variants` and `grid.switches` are worth, at the L of the other tables."""

    sets: tuple[Name, ...] = ("validation", "open")
    """Its sets, of those that are scored."""


class RivalsTable(ConfigModel):
    """How well codes find what the raw features find, beside the rivals' quality over bits."""

    n_bits: tuple[Positive, ...] = (25, 50, 100, 300)
    """L at which agreement is computed."""
    metrics: tuple[Literal[AGREEMENTS], ...] = AGREEMENTS
    """Agreement with the raw features' neighbours and with the ideal mask."""
    sets: tuple[Name, ...] = ("open",)
    """Its sets."""


class TablesConfig(ConfigModel):
    """What the tables show; a longer code than the grid's longest is replaced by that."""

    @property
    def further_sets(self) -> tuple[str, ...]:
        """The sets that are scored for the papers' tables alone."""
        return (*self.icassp.further_sets, *self.taslp.further_sets)

    icassp: IcasspTables = IcasspTables()
    taslp: TaslpTables = TaslpTables()
    options: OptionsTable = OptionsTable()
    rivals: RivalsTable | None = None
    """None means that agreement is not computed."""


class ResultsConfig(ConfigModel):
    """What is shown besides tables."""

    example_mixtures: Annotated[int, Field(ge=0, le=6)] = 3
    """Playable examples in the report, one of each noise first."""
    ssm_bits: tuple[Positive, ...] = (10, 50, 150)
    """Code lengths whose similarity matrices are drawn."""
