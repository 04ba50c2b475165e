"""ESC: environmental sounds, clips of 5 s at 44.1 kHz, in the layouts of ESC-10 and of ESC-50.

`esc-10`: `NNN - Class/FOLD-ID-TAKE.ogg`. `esc-50`: `audio/FOLD-ID-TAKE-TARGET.wav` with `meta/esc50.csv`
(columns `filename, fold, category, esc10` are used). The same clip has the same id (`FOLD-ID-TAKE`) and the
same class in both, ESC-50's category: ESC-10's "Dog bark" is `dog`. The split is the fold, `fold-1` to
`fold-5`; clips of one fold share no source recording with clips of another. The corpus may be given at the
level of its layout or one above.

Many clips are shorter than 5 s and padded with digital silence, which `blsh.corpora.scanning` leaves out. Of
the clips of ESC-10's folds 1 to 4, 72 of 320 are padded, with 2.7 minutes in all, at either end or at both.

Licence: ESC-50 as a whole is CC BY-NC 3.0, the clips of its ESC-10 subset are CC BY 3.0 in either layout.

K. J. Piczak: "ESC: Dataset for Environmental Sound Classification", ACM Multimedia 2015.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath

from blsh.corpora.listing import Layout
from blsh.corpora.manifest import Manifest
from blsh.corpora.scanning import Labels, Progress, require_folder, require_known, scan
from blsh.files import tables

LICENCE_ESC10 = "CC BY 3.0"
LICENCE_ESC50 = "CC BY-NC 3.0"

# ESC-10's folder names, without their numbers, as categories of ESC-50.
ESC10_CATEGORIES = {
    "Dog bark": "dog",
    "Rain": "rain",
    "Sea waves": "sea_waves",
    "Baby cry": "crying_baby",
    "Clock tick": "clock_tick",
    "Person sneeze": "sneezing",
    "Helicopter": "helicopter",
    "Chainsaw": "chainsaw",
    "Rooster": "rooster",
    "Fire crackling": "crackling_fire",
}

_CLASS_FOLDER = re.compile(r"[0-9]{3} - (.+)")
_CLIP = re.compile(r"([1-5])-[0-9]+-[A-Z]")
_META = "meta/esc50.csv"

_Describe = Callable[[str], Labels]


def read(
    folder: Path,
    *,
    corpus: str,
    classes: Sequence[str] | None = None,
    listing: Path | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Make the manifest of an ESC-10 or ESC-50 folder.

    Parameters
    ----------
    folder : Path
        The folder of the layout, or its parent.
    corpus : str
        Name of the corpus.
    classes : sequence of str, optional
        Classes to use (`dog`, `sea_waves`, …), all when not given.
    listing, progress
        See `blsh.corpora.scanning.scan`.

    Returns
    -------
    Manifest
        Noise recordings.

    Raises
    ------
    FileNotFoundError
        If the folder is missing or neither layout is found in it.
    ValueError
        If a class does not exist, ESC-50's table cannot be read, or no usable recording is left.
    """
    layout = find_layout(folder)
    categories, describe_clip = _read_esc10(layout.root) if layout.name == "esc-10" else _read_esc50(layout.root)
    if classes is not None:
        require_known(classes, categories, "class", layout.root)

    def describe(path: str) -> Labels | None:
        labels = describe_clip(path)
        return labels if classes is None or labels.noise_class in classes else None

    files = layout.root.glob("* - */*.ogg" if layout.name == "esc-10" else "audio/*.wav")
    return scan(
        Path(folder),
        layout,
        (file.relative_to(layout.root).as_posix() for file in files),
        describe,
        corpus=corpus,
        listing=listing,
        progress=progress,
    )


def find_layout(folder: Path) -> Layout:
    """Find which layout `folder`, or exactly one of its subfolders, has."""
    folder = require_folder(folder)
    found = _layouts([folder]) or _layouts(sorted(entry for entry in folder.iterdir() if entry.is_dir()))
    if not found:
        raise FileNotFoundError(
            f"{folder} holds neither ESC-10 ('001 - Dog bark/…') nor ESC-50 ({_META}), and no subfolder does"
        )
    if len(found) > 1:
        raise ValueError(
            f"{folder} holds several ESC layouts, name one: {', '.join(layout.root.name for layout in found)}"
        )
    return found[0]


def _layouts(roots: Iterable[Path]) -> list[Layout]:
    found = []
    for root in roots:
        if (root / _META).is_file():
            found.append(Layout("esc-50", root))
        elif any(entry.is_dir() and _category(entry.name) for entry in root.iterdir()):
            found.append(Layout("esc-10", root))
    return found


def _category(folder_name: str) -> str | None:
    match = _CLASS_FOLDER.fullmatch(folder_name)
    return ESC10_CATEGORIES.get(match[1]) if match else None


def _read_esc10(root: Path) -> tuple[set[str], _Describe]:
    def describe(path: str) -> Labels:
        parts = PurePosixPath(path).parts
        category = _category(parts[0]) if len(parts) == 2 else None
        if category is None:
            raise ValueError("not in a folder of one of ESC-10's ten classes")
        clip, fold = _clip(PurePosixPath(path).stem)
        return Labels(id=clip, split=f"fold-{fold}", noise_class=category, licence=LICENCE_ESC10)

    return {c for c in (_category(entry.name) for entry in root.iterdir() if entry.is_dir()) if c}, describe


def _read_esc50(root: Path) -> tuple[set[str], _Describe]:
    path = root / _META
    table = tables.read_csv(path, {"filename": str, "fold": "int64", "category": str, "esc10": str})
    if not table["esc10"].isin(["True", "False"]).all():
        raise ValueError(f"column 'esc10' of {path} holds values other than True and False: restore the table")
    columns = (table[name].tolist() for name in ("fold", "category", "esc10"))
    rows = dict(zip(table["filename"].tolist(), zip(*columns, strict=True), strict=True))

    def describe(path: str) -> Labels:
        name = PurePosixPath(path).name
        if name not in rows:
            raise ValueError(f"not in {_META}")
        fold, category, esc10 = rows[name]
        clip, _ = _clip(PurePosixPath(path).stem.rpartition("-")[0])
        licence = LICENCE_ESC10 if esc10 == "True" else LICENCE_ESC50
        return Labels(id=clip, split=f"fold-{fold}", noise_class=category, licence=licence)

    return set(table["category"]), describe


def _clip(stem: str) -> tuple[str, str]:
    """Id and fold of a clip from its `FOLD-ID-TAKE`."""
    match = _CLIP.fullmatch(stem)
    if match is None:
        raise ValueError(f"name {stem!r} is not of the form FOLD-ID-TAKE")
    return stem, match[1]
