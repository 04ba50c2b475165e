"""What the parts of the configuration's model share: their base, and the types of names, texts, numbers and lists."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from blsh.corpora.manifest import without_unprintable
from blsh.hashing.codes import MAX_BITS

__all__ = [
    "Bits",
    "ConfigModel",
    "Line",
    "Name",
    "Positive",
    "Rho",
    "Seed",
    "Several",
    "SomeOf",
    "Word",
    "refuse_twins",
]

Value = TypeVar("Value")


def _printable(text: str) -> str:
    if not text or without_unprintable(text) != text:
        raise ValueError("must be one line of text without control characters; write it anew, or leave the key out")
    return text


def _no_flag(text: str) -> str:
    if text.startswith("-"):
        raise ValueError("begins with '-', which a command takes for a flag; rename it, or write ./ before a path")
    return text


def _not_periodic(name: str) -> str:
    # Snakemake takes it for a rule that calls itself for ever.
    if re.search(r"(.+?)\1{19}$", name):
        raise ValueError("ends in twenty times the same, which Snakemake refuses in a file's name; shorten it")
    return name


def _distinct(values: tuple) -> tuple:
    seen = set()
    for value in values:
        if value in seen:
            raise ValueError(f"{value!r:.80} is named twice; once will do")
        seen.add(value)
    return values


def _not_empty(values: tuple) -> tuple:
    if not values:
        raise ValueError("must be a list of at least one value; add one, or leave the key out for the default")
    return values


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=64), AfterValidator(_not_periodic)]
"""A part of files' names."""
Line = Annotated[str, AfterValidator(_printable)]
Word = Annotated[Line, AfterValidator(_no_flag)]
"""A line that a command takes: a path, a split, a class."""
Positive = Annotated[int, Field(ge=1, le=10**9)]
Bits = Annotated[int, Field(ge=1, le=MAX_BITS)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Rho = Annotated[float, Field(ge=1e-6, le=1)]
Several = Annotated[tuple[Value, ...], AfterValidator(_distinct)]
SomeOf = Annotated[Several[Value], AfterValidator(_not_empty)]


class ConfigModel(BaseModel):
    """A part of the configuration: no unknown keys, no changes; a string below a field is its text in the documents."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        # Python takes true for 1.
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
        kind = str(cls.model_fields[info.field_name].annotation)
        if any(isinstance(part, bool) for part in parts) and re.search(r"\b(int|float)\b", kind):
            raise ValueError("true and false are no numbers; write a number")
        return value


def refuse_twins(names: Iterable[str], what: str) -> None:
    """Raise ValueError if two names differ in case only: on many disks their files are the same."""
    seen: dict[str, str] = {}
    for name in names:
        if (twin := seen.setdefault(name.lower(), name)) != name:
            raise ValueError(f"{what} {twin!r} and {name!r} differ in case only, and so would their files; rename one")
