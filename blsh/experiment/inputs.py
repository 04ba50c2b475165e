"""The files of a user's that a configuration names, besides recordings: listings of corpora, and projections."""

from __future__ import annotations

import os
from pathlib import Path

from blsh.corpora.listing import read_entries
from blsh.experiment.config import Config
from blsh.experiment.families import Family, most_bits

__all__ = ["find_listing", "require_inputs"]


def require_inputs(config: Config, repository: str | Path = ".") -> None:
    """Read every listing and every file of projections, so that no job finds after hours that one is missing or wrong.

    Parameters
    ----------
    config
        The experiment.
    repository
        Where listings are looked for that the current folder has not.

    Raises
    ------
    FileNotFoundError, ValueError
        One line that names the file.
    """
    for name, corpus in config.data.corpora.items():
        if corpus.listing is not None:
            try:
                read_entries(Path(find_listing(corpus.listing, repository)))
            except FileNotFoundError as error:
                raise FileNotFoundError(f"data.corpora.{name}.listing: {error}") from None
    for name in config.projections:
        most_bits(config, Family("projections", variant=name))


def find_listing(listing: str, repository: str | Path) -> str:
    """Return where a listing lies: as it is named from here, or in the repository.

    Raises
    ------
    FileNotFoundError
        If it is in neither.
    """
    for path in (listing, os.path.join(repository, listing)):
        if os.path.isfile(path):
            return path
    raise FileNotFoundError(f"the listing {listing} is neither in {Path.cwd()} nor in {repository}; give its full path")
