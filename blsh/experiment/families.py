"""What an experiment scores: a system with a feature, and where they apply a target and a variant.

The variants of ``blsh`` are options of the search and of the features (``weighted``, ``context3``) and single changes
of its training (``switch-bias``); that of ``lsh`` is one matrix for each code length (``switch-matrices``); those of
``projections`` are the files that the user names. Options and switches are scored on the sets of their table only, at
the tables' code lengths; switches with the first feature and ρ only. Targets after the first are trained with the first
feature only, as in the papers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from blsh.denoising.architectures import NETWORKS, parse_architecture
from blsh.experiment.config import Config
from blsh.experiment.config_grid import CONTROLS, RIVALS
from blsh.hashing.brought import read_brought_projections
from blsh.hashing.similarity import main_targets
from blsh.hashing.switches import MATRICES
from blsh.signal.spectra import FEATURES, feature_width

__all__ = [
    "FITTED",
    "Family",
    "families",
    "has_dictionary",
    "has_main_target",
    "is_hashed",
    "model_names",
    "model_of",
    "models",
    "most_bits",
]

FITTED = ("pca_sign", "itq")
"""Systems whose projections follow from the features' spread; they have at most as many bits as features."""

_SWITCH = "switch-"


@dataclass(frozen=True)
class Family:
    """One system at all its code lengths; fields that do not apply are ''."""

    system: str
    feature: str = ""
    target: str = ""
    variant: str = ""

    @property
    def stem(self) -> str:
        """The name of its files without folder and suffix: ``blsh_stft_ssm``, ``blsh-context3_stft_ssm``."""
        system = f"{self.system}-{self.variant}" if self.variant else self.system
        # What a network hears is part of its kind.
        feature = "" if self.system in NETWORKS else self.feature
        return "_".join(part for part in (system, feature, self.target) if part)

    @property
    def switch(self) -> str:
        """The single change of its training or projections, or ''."""
        return self.variant.removeprefix(_SWITCH) if self.variant.startswith(_SWITCH) else ""

    @property
    def is_option(self) -> bool:
        """Whether it is of interest at the tables' code lengths only."""
        return bool(self.variant) and self.system not in ("projections", *NETWORKS)

    @property
    def context(self) -> int:
        """Stacked frames that its feature is made of."""
        return int(self.variant.removeprefix("context")) if self.variant.startswith("context") else 1


def is_hashed(system: str) -> bool:
    """Whether a system searches codes, so that it has code lengths."""
    return system not in (*CONTROLS, *NETWORKS, "knn")


def has_dictionary(system: str) -> bool:
    """Whether a system searches a dictionary, of which there is one for each repeat."""
    return system not in (*CONTROLS, *NETWORKS)


def has_main_target(config: Config, family: Family) -> bool:
    """Whether the papers' tables are about a family's target, if it has one."""
    return family.target in ("", *main_targets(config.grid.targets))


def _targets_of(config: Config, feature: str) -> tuple[str, ...]:
    """Return the targets for which ``blsh`` is trained with a feature."""
    grid = config.grid
    return grid.targets if feature == grid.features[0] else grid.targets[:1]


def families(config: Config, set_name: str) -> Iterator[Family]:
    """Yield what is scored on a set."""
    grid = config.grid
    is_further = set_name in config.tables.further_sets
    is_of_blsh_alone = set_name in config.tables.taslp.further_sets
    # Of the further sets the tables show what the papers compare; in TASLP Tables II and III that is BLSH alone.
    left_out = ("lsh_fixed", *RIVALS) if is_further else ()
    left_out += ("knn", "lsh") if is_of_blsh_alone else ()
    for system in grid.systems:
        if system in left_out:
            continue
        if system in CONTROLS:
            yield Family(system)
        elif system == "projections":
            for name in config.projections:
                yield Family(system, _brought(config, name)[0], variant=name)
        else:
            for feature in grid.features:
                for target in _targets_of(config, feature) if system == "blsh" else ("",):
                    family = Family(system, feature, target)
                    if not is_further or has_main_target(config, family):
                        yield family
    if not is_of_blsh_alone:
        for system, variant in config.networks.names:
            yield Family(system, parse_architecture(system, variant).feature, variant=variant)
    if set_name in config.tables.options.sets:
        for variant in grid.variants:
            for feature in grid.features:
                yield Family("blsh", feature, grid.targets[0], variant)
        for switch in grid.switches:
            if switch == MATRICES:
                yield Family("lsh", grid.features[0], variant=_SWITCH + switch)
            else:
                yield Family("blsh", grid.features[0], grid.targets[0], _SWITCH + switch)


def models(config: Config) -> tuple[Family, ...]:
    """Return the families whose projections are learned or fitted, each once."""
    sets = (*config.grid.sets, *config.tables.further_sets)
    needed = (model_of(family) for set_name in sets for family in families(config, set_name))
    return tuple(dict.fromkeys(family for family in needed if family is not None))


def model_of(family: Family) -> Family | None:
    """Return the family whose projections a family searches with; None where nothing is learned or fitted."""
    if family.system in ("residual", *FITTED):
        return family
    if family.system != "blsh":
        return None
    # The weighted search is one of the plain projections.
    return Family("blsh", family.feature, family.target) if family.variant == "weighted" else family


def model_names(config: Config) -> tuple[tuple[str, str], ...]:
    """Return the (feature, target) pairs for which projections are boosted as the profile says."""
    if "blsh" not in config.grid.systems:
        return ()
    return tuple((feature, target) for feature in config.grid.features for target in _targets_of(config, feature))


def most_bits(config: Config, family: Family) -> int:
    """Return the bits that a family's codes can have at most."""
    longest = max(config.grid.n_bits)
    if family.system in FITTED:
        return min(longest, feature_width(family.feature))
    if family.system == "projections" and family.variant:
        return min(longest, _brought(config, family.variant)[1])
    return longest


def _brought(config: Config, name: str) -> tuple[str, int]:
    """Return the feature and the number of bits of a user's projections."""
    path = Path(config.projections[name])
    state = path.stat() if path.is_file() else None
    feature, n_bits = _read_brought(path.absolute(), state and (state.st_mtime_ns, state.st_size))
    if feature not in config.grid.features:
        raise ValueError(
            f"projections {name!r} ({path}) are for the feature {feature!r}, which is not in "
            f"grid.features ({', '.join(config.grid.features)}); add it"
        )
    return feature, n_bits


@cache
def _read_brought(path: Path, state: object) -> tuple[str, int]:
    """Read a file once for every state of it."""
    feature, projections = read_brought_projections(path, {name: feature_width(name) for name in FEATURES})
    return feature, projections.n_bits
