"""The part of the configuration that says how projections are learned."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Literal

from pydantic import Field, model_validator

from blsh.experiment.config_base import Bits, ConfigModel, Seed
from blsh.hashing.profiles import PROFILES, TrainingParams
from blsh.hashing.residual import RESIDUAL

__all__ = ["TrainingConfig", "require_switches"]


def require_switches(params: TrainingParams, switches: dict[str, Any]) -> None:
    """Check that switches are known and that their values go together.

    Raises
    ------
    ValueError
        For the first that is unknown, of another type, or out of its range.
    """
    known = {field.name for field in fields(TrainingParams)} - {"target", "n_bits"}
    for name in switches:
        if name not in known:
            raise ValueError(f"switch {name!r} is unknown; choose one of {', '.join(sorted(known))}")
    try:
        replace(params, **switches)
    except TypeError as error:
        raise ValueError(f"a switch is of the wrong type ({error}); YAML takes 1e-4 for text, write 1.0e-4") from None


class TrainingConfig(ConfigModel):
    """How the projections are learned."""

    profile: Literal[tuple(PROFILES)] = "project"
    """The set of switches: `project` (our best on validation) or `authors2022` (the TASLP authors' code)."""
    seed: Seed | None = None
    """Base of the training's random choices; none means the experiment's `seed`."""
    n_bits: Bits | None = None
    """Bits to learn; none means the longest code of the grid."""
    switches: dict[str, Any] = Field(default={})
    """Single switches changed from the profile; docs/training.md lists them."""
    residual: dict[str, Any] = Field(default={})
    """Single switches changed from those of residual boosting, which has its own."""

    @model_validator(mode="after")
    def _valid_switches(self) -> TrainingConfig:
        require_switches(PROFILES[self.profile], self.switches)
        require_switches(RESIDUAL, self.residual)
        return self
