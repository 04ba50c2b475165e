"""LibriSpeech: read English, 16 kHz FLAC, one folder a split.

Layout: `SPLIT/SPEAKER/CHAPTER/SPEAKER-CHAPTER-NUMBER.flac` beside `SPEAKERS.TXT`, whose second field is the
speaker's gender. The corpus may be given at this level or one above it (`LibriSpeech/`). A recording's id is
the file's stem. Licence: CC BY 4.0.

V. Panayotov, G. Chen, D. Povey, S. Khudanpur: "Librispeech: an ASR corpus based on public domain audio
books", ICASSP 2015.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from blsh.corpora.listing import Layout
from blsh.corpora.manifest import Manifest
from blsh.corpora.scanning import Labels, Progress, require_folder, require_known, scan

LICENCE = "CC BY 4.0"
_TABLE = "SPEAKERS.TXT"


def read(
    folder: Path,
    *,
    corpus: str,
    splits: Sequence[str] | None = None,
    listing: Path | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Make the manifest of a LibriSpeech folder.

    Parameters
    ----------
    folder : Path
        `LibriSpeech/` or its parent.
    corpus : str
        Name of the corpus.
    splits : sequence of str, optional
        Splits to use, all when not given.
    listing, progress
        See `blsh.corpora.scanning.scan`.

    Returns
    -------
    Manifest
        Speech recordings. A speaker who is missing from the table of speakers is skipped.

    Raises
    ------
    FileNotFoundError
        If the folder or its table of speakers is missing.
    ValueError
        If a split does not exist, the table cannot be read, or no usable recording is left.
    """
    layout = find_layout(folder)
    present = [entry.name for entry in sorted(layout.root.iterdir()) if entry.is_dir()]
    if splits is not None:
        require_known(splits, present, "split", layout.root)
    genders = _read_genders(layout.root / _TABLE)

    def describe(path: str) -> Labels | None:
        parts = PurePosixPath(path).parts
        if len(parts) != 4:
            raise ValueError("not of the form SPLIT/SPEAKER/CHAPTER/NAME.flac")
        split, speaker = parts[:2]
        if splits is not None and split not in splits:
            return None
        if speaker not in genders:
            raise ValueError(f"speaker {speaker!r} is not in {_TABLE}")
        return Labels(
            id=PurePosixPath(path).stem,
            split=split,
            speaker=speaker,
            gender=genders[speaker],
            licence=LICENCE,
        )

    return scan(
        Path(folder),
        layout,
        _files(layout.root, present if splits is None else splits),
        describe,
        corpus=corpus,
        listing=listing,
        progress=progress,
    )


def find_layout(folder: Path) -> Layout:
    """Find the table of speakers in `folder` or in `folder`/LibriSpeech."""
    folder = require_folder(folder)
    for root in (folder, folder / "LibriSpeech"):
        if (root / _TABLE).is_file():
            return Layout("librispeech", root)
    raise FileNotFoundError(
        f"no {_TABLE} in {folder} or in its subfolder LibriSpeech: it tells the speakers' genders, "
        f"put the data set's own table beside its splits"
    )


def _files(root: Path, splits: Sequence[str]) -> Iterator[str]:
    for split in splits:
        for path in (root / split).glob("*/*/*.flac"):
            yield path.relative_to(root).as_posix()


def _read_genders(path: Path) -> dict[str, str]:
    """Gender by speaker from lines of `ID | SEX | SUBSET | MINUTES | NAME`; `;` starts a comment."""
    genders = {}
    # The names of readers are the only field that is not ASCII, or that may hold a `|`; neither matters here.
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        if not line.strip() or line.startswith(";"):
            continue
        fields = [field.strip() for field in line.split("|")]
        if len(fields) < 2 or fields[1] not in ("F", "M"):
            raise ValueError(f"line {number} of {path} is not 'ID | F or M | …': restore the data set's own table")
        genders[fields[0]] = fields[1]
    return genders
