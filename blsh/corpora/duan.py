"""Duan's noises: ten non-stationary noises, one file each, the training noises of the papers.

Layout: ten sound files in one folder, whose names are the noises'. Case, spaces, underscores, hyphens and a
final s do not matter (`ComputerKeyboard.wav`, `eating chips.wav`, `machinegun.wav`): the class is always one of
`CLASSES`. The folder may be given itself or be the only subfolder of the given one that holds such files. No
licence is known.

Z. Duan, G. J. Mysore, P. Smaragdis: "Online PLCA for real-time semi-supervised source separation", Latent
Variable Analysis and Signal Separation, 2012.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from blsh.corpora.folder import SUFFIXES
from blsh.corpora.listing import Layout
from blsh.corpora.manifest import Manifest
from blsh.corpora.scanning import Labels, Progress, require_known, scan

LICENCE = "unknown"
CLASSES = (
    "birds",
    "casino",
    "cicadas",
    "computer_keyboard",
    "eating_chips",
    "frogs",
    "jungle",
    "machine_guns",
    "motorcycles",
    "ocean",
)

HOW_TO_GET = (
    "ask the authors of Duan, Mysore, Smaragdis 2012 (Online PLCA for real-time semi-supervised source "
    "separation) for their ten noise files and name the folder that holds them"
)


def read(
    folder: Path,
    *,
    corpus: str,
    classes: Sequence[str] | None = None,
    listing: Path | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Make the manifest of the folder of Duan's noises.

    Parameters
    ----------
    folder : Path
        The folder of the ten files, or its parent.
    corpus : str
        Name of the corpus.
    classes : sequence of str, optional
        Noises to use, out of `CLASSES`; all ten when not given, and then all must be there.
    listing, progress
        See `blsh.corpora.scanning.scan`.

    Returns
    -------
    Manifest
        Noise recordings; the id is the class.

    Raises
    ------
    FileNotFoundError
        If the folder is missing or a noise that is used is not in it; the message says how to get it.
    ValueError
        If a class is unknown or no usable recording is left.
    """
    layout = find_layout(folder)
    if classes is not None:
        require_known(classes, CLASSES, "class", layout.root)
    files = _files(layout.root)
    wanted = CLASSES if classes is None else classes
    missing = [name for name in wanted if name not in set(files.values())]
    if missing and listing is None:
        raise FileNotFoundError(f"{layout.root} lacks the noises {', '.join(missing)}: {HOW_TO_GET}")

    def describe(path: str) -> Labels | None:
        noise = noise_class(PurePosixPath(path).stem)
        return Labels(id=noise, noise_class=noise, licence=LICENCE) if noise in wanted else None

    return scan(Path(folder), layout, files, describe, corpus=corpus, listing=listing, progress=progress)


def find_layout(folder: Path) -> Layout:
    """Find the folder of the noises: `folder` or the only one of its subfolders with such files."""
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"folder {folder} of Duan's noises does not exist: {HOW_TO_GET}")
    if _files(folder):
        return Layout("duan", folder)
    found = [entry for entry in sorted(folder.iterdir()) if entry.is_dir() and _files(entry)]
    if not found:
        raise FileNotFoundError(f"none of Duan's noises (birds, casino, …) is in {folder}: {HOW_TO_GET}")
    if len(found) > 1:
        raise ValueError(
            f"{folder} holds Duan's noises in several folders, name one: {', '.join(f.name for f in found)}"
        )
    return Layout("duan", found[0])


def noise_class(name: str) -> str:
    """Class of a file's name without its suffix.

    Raises
    ------
    ValueError
        If it names none of the ten.
    """
    squeezed = _squeezed(name)
    for noise in CLASSES:
        if _squeezed(noise) == squeezed:
            return noise
    raise ValueError(f"name {name!r} is none of Duan's noises: {', '.join(CLASSES)}")


def _squeezed(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum()).removesuffix("s")


def _files(folder: Path) -> dict[str, str]:
    """Class by file name, of the sound files that are one of the noises."""
    known = {_squeezed(noise): noise for noise in CLASSES}
    names = (entry.name for entry in sorted(folder.iterdir()) if entry.is_file())
    return {
        name: known[_squeezed(PurePosixPath(name).stem)]
        for name in names
        if PurePosixPath(name).suffix.lower() in SUFFIXES
        and not name.startswith(".")
        and _squeezed(PurePosixPath(name).stem) in known
    }
