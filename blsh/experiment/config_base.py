"""What the parts of the configuration's model share: their base, and the types of names and numbers."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["ConfigModel", "Name", "Positive", "Rho"]

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
Positive = Annotated[int, Field(ge=1)]
Rho = Annotated[float, Field(gt=0, le=1)]


class ConfigModel(BaseModel):
    """A part of the configuration: no unknown keys, no changes; a string below a field is its text in the documents."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
