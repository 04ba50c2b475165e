"""What several configuration files and ``--config`` say together, merged as Snakemake merges them.

A later file, and ``--config`` after all files, changes the keys that it names, at every depth: ``networks={fc: []}``
takes away the ``fc`` networks and leaves the rest of ``networks``. ``KEY=null`` takes a key of the preset away as a
whole, so that its default holds. Snakemake leaves what is nested in a value of ``--config`` as text; which numbers are
meant is known to the types of the configuration, and here only what they leave open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from blsh.files.plain_yaml import read_plain_yaml

__all__ = ["OPEN_KEYS", "merge", "read_configuration", "with_changes"]

OPEN_KEYS = (("training", "switches"), ("training", "residual"))
"""Keys whose values may be of any plain type."""
# In YAML, and in the lists and dicts of Python that Snakemake's help and profiles use.
NULL = ("null", "Null", "NULL", "~", "", "None")


def read_configuration(*paths: str | Path) -> dict[str, Any]:
    """Read configuration files; later ones change the earlier.

    Raises
    ------
    FileNotFoundError, ValueError
        One line that names the file.
    """
    values: dict[str, Any] = {}
    for path in paths:
        if not Path(path).is_file():
            raise FileNotFoundError(f"{path}: no such configuration file; presets are in config/")
        try:
            values = merge(values, read_plain_yaml(path)) if values else read_plain_yaml(path)
        except ValueError as error:
            raise ValueError(f"{error}; see config/demo.yaml") from None
    return values


def with_changes(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return configuration values after the changes of ``--config``, as Snakemake's parser gives them."""
    merged = merge(values, {key: _typed(value, (key,)) for key, value in changes.items()})
    return {key: value for key, value in merged.items() if value is not None or key not in changes}


def merge(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with changes merged into them by Snakemake's own function."""
    from snakemake.utils import update_config  # not needed to read one file

    merged: dict[str, Any] = {}
    for one in (values, changes):
        update_config(merged, one)
    return merged


def _typed(value: Any, key: Sequence[str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _typed(part, (*key, name)) for name, part in value.items()}
    if isinstance(value, list):
        return [_typed(part, key) for part in value]
    if not isinstance(value, str):
        return value
    if value in NULL:
        return None
    return _plain(value) if tuple(key[:2]) in OPEN_KEYS else value


def _plain(text: str) -> Any:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return yaml.SafeLoader.bool_values.get(text.lower(), text)
