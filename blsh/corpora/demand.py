"""DEMAND: noise of 18 environments, five minutes each, recorded by an array of 16 microphones.

Layout: `ENVIRONMENT/chNN.wav`, at any level down to two folders below the given one, as the archives
unpack (`DKITCHEN/ch01.wav`, `DKITCHEN_16k/DKITCHEN/ch01.wav`). The 16 kHz version has 17 environments; SCAFE
comes at 48 kHz only and is converted on reading. The class is the environment's name, the id `ENVIRONMENT/chNN`.
One channel is used: the others are the same sound a few centimetres away, and would be a
repetition in disguise. Licence: CC BY-SA 3.0, as the recordings' own documentation says.

J. Thiemann, N. Ito, E. Vincent: "The Diverse Environments Multi-channel Acoustic Noise Database (DEMAND)",
Proceedings of Meetings on Acoustics 19, 2013.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from blsh.corpora.listing import Layout
from blsh.corpora.manifest import Manifest
from blsh.corpora.scanning import Labels, Progress, require_folder, require_known, scan

LICENCE = "CC BY-SA 3.0"
N_CHANNELS = 16
_FILE = re.compile(r"(?:.*/)?([A-Z][A-Z0-9]+)/ch(0[1-9]|1[0-6])\.wav")


def read(
    folder: Path,
    *,
    corpus: str,
    channel: int = 1,
    classes: Sequence[str] | None = None,
    listing: Path | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Make the manifest of a DEMAND folder.

    Parameters
    ----------
    folder : Path
        The folder of the environments, or one or two levels above it.
    corpus : str
        Name of the corpus.
    channel : int, 1 to 16
        The microphone whose files are used.
    classes : sequence of str, optional
        Environments to use (`DKITCHEN`, `TBUS`, …), all when not given.
    listing, progress
        See `blsh.corpora.scanning.scan`.

    Returns
    -------
    Manifest
        Noise recordings, one for each environment. An environment that is there twice (16 and 48 kHz) is
        used once, the first by path.

    Raises
    ------
    FileNotFoundError
        If the folder is missing, or holds no `ENVIRONMENT/chNN.wav`.
    ValueError
        If there is no such channel or class, or no usable recording is left.
    """
    if not 1 <= channel <= N_CHANNELS:
        raise ValueError(f"channel={channel} is not one of DEMAND's microphones 1 to {N_CHANNELS}")
    layout = find_layout(folder)
    files = list(_files(layout.root))
    if classes is not None:
        require_known(classes, {_parts(path)[0] for path in files}, "class", layout.root)

    def describe(path: str) -> Labels | None:
        environment, number = _parts(path)
        if number != channel or (classes is not None and environment not in classes):
            return None
        return Labels(id=f"{environment}/ch{number:02d}", noise_class=environment, licence=LICENCE)

    return scan(Path(folder), layout, files, describe, corpus=corpus, listing=listing, progress=progress)


def find_layout(folder: Path) -> Layout:
    """Check that environments lie in `folder`, or one or two levels below it."""
    folder = require_folder(folder)
    if next(_files(folder), None) is None:
        raise FileNotFoundError(
            f"no ENVIRONMENT/chNN.wav (DKITCHEN/ch01.wav, …) in {folder}: unpack DEMAND's 16 kHz archives there"
        )
    return Layout("demand", folder)


def _files(root: Path) -> Iterator[str]:
    for pattern in ("*/ch*.wav", "*/*/ch*.wav", "*/*/*/ch*.wav"):
        for path in root.glob(pattern):
            name = path.relative_to(root).as_posix()
            if _FILE.fullmatch(name):
                yield name


def _parts(path: str) -> tuple[str, int]:
    """Environment and channel of a file."""
    match = _FILE.fullmatch(path)
    if match is None:
        raise ValueError(f"not of the form ENVIRONMENT/chNN.wav: {PurePosixPath(path).name}")
    return match[1], int(match[2])
