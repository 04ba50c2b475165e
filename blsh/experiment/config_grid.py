"""The part of the configuration that says what is varied: systems, features, dictionaries, code lengths, networks."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from blsh.denoising.architectures import NETWORKS, parse_architecture
from blsh.denoising.network_params import LOSSES
from blsh.experiment.config_base import Bits, ConfigModel, Name, Positive, Rho
from blsh.hashing.similarity import parse_target
from blsh.hashing.switches import MATRICES, SWITCHES
from blsh.signal.context import MAX_CONTEXT
from blsh.signal.spectra import FEATURES

__all__ = ["CONTROLS", "RIVALS", "SYSTEMS", "GridConfig", "NetworksConfig"]

CONTROLS = ("mixture", "constant", "ibm", "irm")
PAPERS_SYSTEMS = (*CONTROLS, "knn", "lsh", "lsh_fixed", "blsh")
RIVALS = ("pca_sign", "itq", "residual", "projections")
SYSTEMS = (*PAPERS_SYSTEMS, *RIVALS)


class GridConfig(ConfigModel):
    """What is varied."""

    systems: tuple[Literal[SYSTEMS], ...] = PAPERS_SYSTEMS
    """The systems to score. Not of the papers are `pca_sign`, `itq`, `residual` and, from files, `projections`."""
    features: tuple[Literal[FEATURES], ...] = FEATURES
    """Frame features: 513 STFT magnitudes or 128 mel bands."""
    targets: tuple[str, ...] = ("ssm",)
    """Target self-similarities of `blsh`: `ssm`, `rbf-0.5` (σ²), `power-2` (γ), `mix-0.5` (weight of the masks).
    Those after the first are trained with the first feature only."""
    variants: tuple[str, ...] = ()
    """Options of `blsh`: `weighted` (bits count by β), `context3`, `context5`, … (projections of stacked frames)."""
    switches: tuple[Literal[(*SWITCHES, MATRICES)], ...] = ()
    """Single changes of the training of `blsh` whose price is wanted; `matrices` draws one for each L of `lsh`."""
    rho: tuple[Rho, ...] = (0.1, 0.01)
    """Fractions of the training frames kept in a dictionary."""
    n_bits: Annotated[tuple[Bits, ...], Field(max_length=1000)]
    """Code lengths L; one model of the largest L serves all as prefixes."""
    n_neighbours: Annotated[int, Field(ge=1, le=100_000)] = 10
    """K, the number of neighbours whose masks are averaged."""
    repeats: Annotated[int, Field(ge=1, le=1000)] = 10
    """Dictionaries drawn (and, for `lsh`, matrices)."""
    repeats_of_sets: dict[Name, Positive] = Field(default={})
    """Sets that take only the first so many of the repeats, as in `{validation: 1}`."""
    sets: tuple[Name, ...] = ("closed", "validation", "open")
    """Sets to score."""

    @field_validator("targets")
    @classmethod
    def _known_targets(cls, targets: tuple[str, ...]) -> tuple[str, ...]:
        parsed = [parse_target(target) for target in targets]
        for target in parsed:
            if not target.is_share:
                raise ValueError(f"target {target} is of residual boosting; use the system 'residual'")
        # One spelling of each number, so that one target has one file.
        return tuple(map(str, parsed))

    @field_validator("variants")
    @classmethod
    def _known_variants(cls, variants: tuple[str, ...]) -> tuple[str, ...]:
        for variant in variants:
            number = re.fullmatch(r"context([3579]|[1-9][0-9]{0,8}[13579])", variant)
            if variant != "weighted" and not (number and int(number[1]) <= MAX_CONTEXT):
                raise ValueError(
                    f"variant {variant!r} is unknown; choose weighted, or context and an odd number above 1, at most "
                    f"{MAX_CONTEXT}"
                )
        return variants

    @field_validator("features", "systems", "targets", "rho", "n_bits", "sets")
    @classmethod
    def _not_empty(cls, values: tuple) -> tuple:
        if not values:
            raise ValueError(f"{list(values)} must be a list of at least one value without repeats")
        return tuple(sorted(values)) if isinstance(values[0], int) else values

    @field_validator("features", "systems", "targets", "variants", "switches", "rho", "n_bits", "sets")
    @classmethod
    def _distinct(cls, values: tuple) -> tuple:
        if len(set(values)) != len(values):
            raise ValueError(f"{list(values)} must be a list of at least one value without repeats")
        return values

    @model_validator(mode="after")
    def _options_have_their_systems(self) -> GridConfig:
        needed = {"variants": self.variants, "switches": set(self.switches) - {MATRICES}}
        for key, values in needed.items():
            if values and "blsh" not in self.systems:
                raise ValueError(f"{key}={sorted(values)} are of blsh, which is not in systems; add it")
        if MATRICES in self.switches and "lsh" not in self.systems:
            raise ValueError(f"switches={[MATRICES]} is of lsh, which is not in systems; add it")
        return self


class NetworksConfig(ConfigModel):
    """The neural networks that are trained and scored beside the codes; docs/networks.md says how."""

    fc: tuple[str, ...] = ()
    """Fully-connected ones, as hidden layers x units: `[3x1024, 3x256, 2x64]`."""
    bilstm: tuple[str, ...] = ()
    """Recurrent ones, as layers x units of a direction: `[2x64]`."""
    conv_tasnet: tuple[str, ...] = ()
    """Conv-TasNets, as repeats x blocks: `[3x8]`. Days on a CPU."""
    loss: Literal[LOSSES] = "si_sdr"
    """What training makes small: negative SI-SDR of the sound, or the mask's squared distance from the ideal one."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where networks are trained; they are scored on the CPU."""
    batches_per_epoch: Positive = 100
    """Batches of 128 one-second crops between two looks at the validation set."""
    patience: Positive = 10
    """The stop rule: so many epochs in a row without a better validation loss."""
    max_epochs: Positive = 500
    """A limit; a network that it ends does not count as trained, and a higher one goes on with it."""
    max_minutes: Annotated[float, Field(gt=0)] | None = None
    """A limit on time, likewise; none means no limit."""

    @field_validator(*NETWORKS)
    @classmethod
    def _are_networks(cls, variants: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        # One spelling of each number, so that one network has one file.
        architectures = [parse_architecture(info.field_name, variant) for variant in variants]
        if len(set(architectures)) < len(architectures):
            raise ValueError("a network is named twice; once will do")
        return tuple(architecture.variant for architecture in architectures)

    @model_validator(mode="after")
    def _fit_the_loss(self) -> NetworksConfig:
        for system, variant in self.names:
            if self.loss == "mask_mse" and parse_architecture(system, variant).takes_waveforms:
                raise ValueError(f"loss='mask_mse' needs a mask, which {system} has not; take si_sdr")
        return self

    @property
    def names(self) -> tuple[tuple[str, str], ...]:
        """(system, variant) of each network."""
        return tuple((system, variant) for system in NETWORKS for variant in getattr(self, system))
