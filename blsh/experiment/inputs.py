"""The files of a user's that a configuration names, besides recordings: listings of corpora, and projections."""

from __future__ import annotations

from pathlib import Path

from blsh.corpora.listing import read_entries
from blsh.experiment.config import Config
from blsh.experiment.families import Family, most_bits

__all__ = ["require_inputs"]


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
            paths = (Path(corpus.listing), Path(repository, corpus.listing))
            found = next((path for path in paths if path.is_file()), None)
            if found is None:
                raise FileNotFoundError(
                    f"{corpus.listing}: no such listing, which data.corpora.{name}.listing names; correct the path"
                )
            read_entries(found)
    for name in config.projections:
        most_bits(config, Family("projections", variant=name))
