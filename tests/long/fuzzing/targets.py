"""All targets by name; a format's module is imported only when one of its targets is wanted."""

from __future__ import annotations

import importlib

from tests.long.fuzzing.target import Target

MODULES = {
    **dict.fromkeys(("wav", "flac", "ogg", "sphere", "recordings"), "sounds"),
    **dict.fromkeys(("manifest", "listing", "recipes", "units", "labels"), "csv_files"),
    **dict.fromkeys(("npy", "projections", "training", "lengths", "denoiser", "brought"), "array_files"),
    **dict.fromkeys(("network", "network state"), "tensor_files"),
    "corpora": "corpora",
    "download": "answers",
    "config": "configs",
    **dict.fromkeys(("summaries", "scores"), "result_files"),
    **dict.fromkeys(("zip", "tar"), "archives"),
    "verbs": "verbs",
}


def find(name: str) -> Target:
    """Return the target of this name."""
    module = importlib.import_module(f"tests.long.fuzzing.{MODULES.get(name, 'planted')}")
    return next(target for target in module.targets() if target.name == name)
