"""MUSAN, its free-sound part: 843 noises from Freesound at 16 kHz, from a second to minutes long.

Layout: `noise/free-sound/noise-free-sound-NNNN.wav`. The corpus may be given at the level of `noise/` or one
above (`musan/`). The clips have no classes: all are of the class `free-sound`; the id is the file's stem.
Music, speech and the part `sound-bible` are not read. Licence: CC BY 4.0, as the data set states it; the
file `LICENSE` beside the clips names each one's origin.

D. Snyder, G. Chen, D. Povey: "MUSAN: A Music, Speech, and Noise Corpus", arXiv 1510.08484, 2015.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from blsh.corpora.listing import Layout
from blsh.corpora.manifest import Manifest
from blsh.corpora.scanning import Labels, Progress, require_folder, scan

LICENCE = "CC BY 4.0"
NOISE_CLASS = "free-sound"
_PART = "noise/free-sound"
_NAME = re.compile(r"noise-free-sound-[0-9]{4}")


def read(
    folder: Path,
    *,
    corpus: str,
    listing: Path | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Make the manifest of MUSAN's free-sound noises.

    Parameters
    ----------
    folder : Path
        The folder of `noise/`, or its parent.
    corpus : str
        Name of the corpus.
    listing, progress
        See `blsh.corpora.scanning.scan`.

    Returns
    -------
    Manifest
        Noise recordings of one class.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If no usable recording is left.
    """
    layout = find_layout(folder)

    def describe(path: str) -> Labels:
        stem = PurePosixPath(path).stem
        if not path.startswith(f"{_PART}/") or not _NAME.fullmatch(stem):
            raise ValueError(f"not of the form {_PART}/noise-free-sound-NNNN.wav")
        return Labels(id=stem, noise_class=NOISE_CLASS, licence=LICENCE)

    files = (path.relative_to(layout.root).as_posix() for path in (layout.root / _PART).glob("*.wav"))
    return scan(Path(folder), layout, files, describe, corpus=corpus, listing=listing, progress=progress)


def find_layout(folder: Path) -> Layout:
    """Find `noise/free-sound` in `folder` or in `folder`/musan."""
    folder = require_folder(folder)
    for root in (folder, folder / "musan"):
        if (root / _PART).is_dir():
            return Layout("musan", root)
    raise FileNotFoundError(f"no {_PART} in {folder} or in its subfolder musan: unpack MUSAN there")
