"""The part of the configuration that says what is scored and shown."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from blsh.experiment.config_base import Bits, ConfigModel, Name, Several, SomeOf
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

    sweep: SomeOf[Literal[METRICS]] = ("sdr", "si_sdr")
    """Scores of every system, set, code length and repeat."""


class IcasspTables(ConfigModel):
    """ICASSP Table 1."""

    n_bits: Bits = 150
    """L of LSH and BLSH."""
    metrics: Several[Literal[METRICS]] = ("sdr", "sir", "sar")
    """Its scores."""
    sets: Several[Name] = ("closed", "open")
    """Its sets among those of the grid."""
    further_sets: Several[Name] = ()
    """Its sets outside the grid: scored at this L and with these metrics alone."""


class TaslpTables(ConfigModel):
    """TASLP Tables I to III."""

    lsh_bits: Bits = 300
    """L of the LSH rows."""
    blsh_bits: dict[Literal[FEATURES], Bits] = Field(default={"stft": 300, "mel": 50})
    """L of the BLSH rows, by feature; each feature of the grid has one."""
    metrics: Several[Literal[METRICS]] = ("sdr", "si_sdr", "pesq", "estoi")
    """Their scores; PESQ and ESTOI take many times as long as the others."""
    sets: Several[Name] = ("open",)
    """Their sets among those of the grid."""
    further_sets: Several[Name] = ()
    """Sets outside the grid, of Tables II and III: controls and `blsh` at these L and with these metrics alone."""


class OptionsTable(ConfigModel):
    """What `grid.variants` and `grid.switches` are worth, at the L of the other tables."""

    sets: Several[Name] = ("validation", "open")
    """Its sets, of those that are scored."""


class RivalsTable(ConfigModel):
    """How well codes find what the raw features find, beside the rivals' quality over bits."""

    n_bits: Annotated[Several[Bits], Field(max_length=1000)] = (25, 50, 100, 300)
    """L at which agreement is computed."""
    metrics: Several[Literal[AGREEMENTS]] = AGREEMENTS
    """Agreement with the raw features' neighbours and with the ideal mask."""
    sets: Several[Name] = ("open",)
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
    ssm_bits: Annotated[SomeOf[Bits], Field(max_length=20)] = (10, 50, 150)
    """Code lengths whose similarity matrices are drawn."""
