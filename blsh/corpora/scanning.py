"""From the files of a corpus to its manifest: what every reader does with one file.

A reader knows its layout: which files there are and what their names say. Everything else is here. A file is
hashed, decoded once from end to end and measured; it becomes a `Recording`, or a `Skipped` with the reason in
one line.

*Silent* means a standard deviation below 1e-4 of full scale over the usable region, channels averaged.

*Digital silence* at the ends of a noise recording is padding, not sound, and lies outside the usable region:
short clips of some corpora are filled up with zeros to a common length. Such clips have often been through a
lossy codec since, which turns zeros into noise of about 1e-6 to 1e-5. The limit is therefore half a step of
16-bit audio, 2^-16: what would be written as zero by the format that the padding was made in. Silence inside
a clip (the pauses between two barks, where a noise gate closed) is part of the sound and stays; an excerpt
that falls into it is drawn again (`blsh.mixtures.drawing`). Speech keeps its edges: pauses belong to an
utterance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blsh.corpora.listing import Layout, prefix_of, read_listing
from blsh.corpora.manifest import Manifest, Recording, Skipped, check_path, without_unprintable
from blsh.files.checksums import sha256_of_file
from blsh.signal import audio

SILENT_STD = 1e-4
DIGITAL_SILENCE = 2.0**-16

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Labels:
    """What a layout says about one file; see `Recording` for the fields."""

    id: str
    split: str = ""
    speaker: str = ""
    gender: str = ""
    noise_class: str = ""
    licence: str = "unknown"


def scan(
    folder: Path,
    layout: Layout,
    paths: Iterable[str],
    describe: Callable[[str], Labels | None],
    *,
    corpus: str,
    listing: Path | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Make the manifest of a corpus.

    Parameters
    ----------
    folder : Path
        The corpus' folder as the user named it; the manifest's paths are relative to it.
    layout : Layout
        The layout that was found in it; `paths` and the listing's paths are relative to its root.
    paths : iterable of str
        The files that the layout holds; replaced by the listing's where one is given.
    describe : callable
        Labels of a path; None where an option of the reader leaves the file out; a ValueError says why a file
        of the corpus cannot be used.
    corpus : str
        Name of the corpus.
    listing : Path, optional
        Restricts the corpus to the files of this listing, whose content must have the listed hash.
    progress : callable, optional
        Called with (files done, files in all) after each file.

    Returns
    -------
    Manifest
        Sorted by path.

    Raises
    ------
    ValueError
        If no usable recording is left.
    """
    hashes = read_listing(listing, layout.name) if listing is not None else {}
    prefix = prefix_of(layout, folder)
    wanted: list[tuple[str, Labels]] = []
    skipped: list[Skipped] = []
    for path in sorted(hashes or paths):
        try:
            labels = describe(path)
        except ValueError as error:
            skipped.append(_skip(prefix + path, error, folder))
        else:
            if labels is not None:
                wanted.append((path, labels))

    recordings: list[Recording] = []
    paths_by_id: dict[str, str] = {}
    for done, (path, labels) in enumerate(wanted, start=1):
        try:
            if labels.id in paths_by_id:
                raise ValueError(f"its name {labels.id!r} is taken by {paths_by_id[labels.id]}")
            recordings.append(_scan_file(folder, prefix + path, labels, corpus, hashes.get(path)))
            paths_by_id[labels.id] = path
        except FileNotFoundError:
            skipped.append(_skip(prefix + path, "does not exist", folder))
        except (ValueError, OSError) as error:
            skipped.append(_skip(prefix + path, error, folder))
        if progress is not None:
            progress(done, len(wanted))

    if not recordings:
        raise ValueError(_nothing_left(folder, corpus, skipped, listing))
    return Manifest(tuple(recordings), tuple(sorted(skipped, key=lambda s: s.path)))


def require_folder(folder: Path) -> Path:
    """Return `folder`, which must be an existing folder with something in it."""
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"corpus folder {folder} does not exist: name the folder that holds the recordings")
    if next(folder.iterdir(), None) is None:
        raise FileNotFoundError(f"corpus folder {folder} is empty: put the recordings there, or name another folder")
    return folder


def require_known(names: Sequence[str], known: Iterable[str], what: str, folder: Path) -> None:
    """Raise ValueError unless every name is among the known ones."""
    known = sorted(known)
    for name in names:
        if name not in known:
            # Names of files, in which a line break would make two lines of the message.
            found = ", ".join(repr(other)[1:-1] for other in known)
            raise ValueError(f"{what} {name!r} is not in {folder}: it has {found or 'none'}")


def _scan_file(folder: Path, path: str, labels: Labels, corpus: str, listed_sha256: str | None) -> Recording:
    check_path(path)
    file = folder / path
    sha256 = sha256_of_file(file)
    if listed_sha256 not in (None, sha256):
        raise ValueError(f"sha256 {sha256} differs from the listed {listed_sha256}: fetch the file again")
    info = audio.probe(file)
    waveform = audio.read_audio(file)
    start, n_samples = 0, info.n_samples
    if labels.noise_class:
        start, n_samples = _usable_region(file)
        waveform = waveform[_at_16k(start, info) : _at_16k(start + n_samples, info)]
    level = float(waveform.std(dtype=np.float64)) if waveform.size else 0.0
    if level < SILENT_STD:
        raise ValueError(f"silent: its standard deviation {level:.3g} is below {SILENT_STD} of full scale")
    return Recording(
        path=path,
        corpus=corpus,
        split=labels.split,
        speaker=labels.speaker,
        gender=labels.gender,
        noise_class=labels.noise_class,
        start=start,
        n_samples=n_samples,
        seconds=n_samples / info.sample_rate,
        sample_rate=info.sample_rate,
        channels=info.channels,
        sha256=sha256,
        licence=labels.licence,
        id=labels.id,
    )


def _usable_region(file: Path) -> tuple[int, int]:
    """First sample and length, at the file's own rate, of what lies between digital silence at the ends."""
    first, end, position = -1, 0, 0
    for block in audio.read_blocks(file):
        loud = np.flatnonzero((np.abs(block) >= DIGITAL_SILENCE).any(axis=1))
        if loud.size:
            first = position + int(loud[0]) if first < 0 else first
            end = position + int(loud[-1]) + 1
        position += len(block)
    return max(first, 0), end - max(first, 0)


def _at_16k(n_samples: int, info: audio.AudioInfo) -> int:
    return n_samples * audio.SAMPLE_RATE // info.sample_rate


def _skip(path: str, error: Exception | str, folder: Path) -> Skipped:
    # The reason goes into tables that are compared between machines: without the path of this one, in one
    # line.
    reason = " ".join(str(error).replace(str(folder / path), path).split())
    return Skipped(without_unprintable(path), reason)


def _nothing_left(folder: Path, corpus: str, skipped: Sequence[Skipped], listing: Path | None) -> str:
    found = f"{len(skipped)} files cannot be used" if skipped else "no file of its layout was found"
    first = f", first {skipped[0].path}: {skipped[0].reason}" if skipped else ""
    restricted = f" among those listed in {listing}" if listing is not None else ""
    return f"corpus {corpus!r} has no usable recording in {folder}{restricted}: {found}{first}"
