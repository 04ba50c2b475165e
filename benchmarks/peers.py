"""Peers that may be missing: what is not installed is reported and skipped."""

from __future__ import annotations

import importlib.util

from benchmarks.measuring import Row

__all__ = ["missing_row", "module_is_missing"]


def module_is_missing(name: str) -> bool:
    """Tell whether a peer's module cannot be imported, without importing it."""
    return importlib.util.find_spec(name) is None


def missing_row(benchmark: str, work: str, peer: str, **columns) -> Row:
    """Make the row of a comparison that could not be made."""
    return Row(benchmark, work, peer, note="peer not installed", **columns)
