"""VoiceBank-DEMAND: pairs of clean and noisy speech, the usual test set of speech enhancement.

Layout: `clean_testset_wav/NAME.wav` and `noisy_testset_wav/NAME.wav` (`NAME` is `SPEAKER_NUMBER`), 824 pairs of
two speakers at 48 kHz in the original, at 16 kHz in many copies. The corpus may be given at this level or one
above.

**How a pair stands in a manifest.** Noisy speech is neither a speech to be mixed nor a noise, and both sides
of a pair have the same name. So a pair is two rows: the split says the side (`clean`, `noisy`), the id is
`SIDE/NAME`, the class is empty on both, and `pairs` joins them. The noise of a pair is noisy − clean; it is no
recording of its own. A file whose partner is missing, unusable or of another length or rate is skipped: the
two rows of a pair are both there or neither is.

The official test speakers are p232 (M) and p257 (F); other speakers' genders are unknown here.
Licence: CC BY 4.0.

C. Valentini-Botinhao, X. Wang, S. Takaki, J. Yamagishi: "Investigating RNN-based speech enhancement methods
for noise-robust text-to-speech", SSW 2016; data: doi 10.7488/ds/2117.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from blsh.corpora.listing import Layout
from blsh.corpora.manifest import Manifest, Recording, Skipped
from blsh.corpora.scanning import Labels, Progress, require_folder, scan

LICENCE = "CC BY 4.0"
SIDES = ("clean", "noisy")
GENDERS = {"p232": "M", "p257": "F"}
_FOLDERS = {f"{side}_testset_wav": side for side in SIDES}
_NAME = re.compile(r"(p[0-9]+)_[0-9]+")


def read(
    folder: Path,
    *,
    corpus: str,
    listing: Path | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Make the manifest of a folder of clean and noisy test files.

    Parameters
    ----------
    folder : Path
        The folder of `clean_testset_wav` and `noisy_testset_wav`, or its parent.
    corpus : str
        Name of the corpus.
    listing, progress
        See `blsh.corpora.scanning.scan`.

    Returns
    -------
    Manifest
        Two recordings a pair, see above.

    Raises
    ------
    FileNotFoundError
        If one of the two folders is missing.
    ValueError
        If no usable pair is left.
    """
    layout = find_layout(folder)

    def describe(path: str) -> Labels:
        parts = PurePosixPath(path).parts
        match = _NAME.fullmatch(PurePosixPath(path).stem)
        if len(parts) != 2 or parts[0] not in _FOLDERS or match is None:
            raise ValueError("not of the form clean_testset_wav/pNNN_NNN.wav or noisy_testset_wav/…")
        side, speaker = _FOLDERS[parts[0]], match[1]
        return Labels(
            id=f"{side}/{match[0]}",
            split=side,
            speaker=speaker,
            gender=GENDERS.get(speaker, ""),
            licence=LICENCE,
        )

    manifest = scan(
        Path(folder), layout, _files(layout.root), describe, corpus=corpus, listing=listing, progress=progress
    )
    return _whole_pairs(manifest, Path(folder))


def find_layout(folder: Path) -> Layout:
    """Find the two folders in `folder` or in exactly one of its subfolders."""
    folder = require_folder(folder)
    for roots in ([folder], sorted(entry for entry in folder.iterdir() if entry.is_dir())):
        found = [root for root in roots if all((root / name).is_dir() for name in _FOLDERS)]
        if len(found) > 1:
            raise ValueError(f"{folder} holds several such sets, name one: {', '.join(root.name for root in found)}")
        if found:
            return Layout("voicebank", found[0])
    raise FileNotFoundError(
        f"no {' and '.join(_FOLDERS)} in {folder} or in a subfolder: unpack both archives of VoiceBank-DEMAND there"
    )


def pairs(recordings: Iterable[Recording]) -> tuple[tuple[Recording, Recording], ...]:
    """Join the two sides of each pair: (clean, noisy), sorted by name.

    Raises
    ------
    ValueError
        If a recording has no partner, or one of another length or rate.
    """
    sides = _by_name(recordings)
    for name, found in sides.items():
        if problem := _problem(found):
            raise ValueError(f"pair {name!r}: {problem}; make the manifest again")
    return tuple((found["clean"], found["noisy"]) for _, found in sorted(sides.items()))


def _files(root: Path) -> Iterator[str]:
    for name in _FOLDERS:
        for path in (root / name).glob("*.wav"):
            yield path.relative_to(root).as_posix()


def _by_name(recordings: Iterable[Recording]) -> dict[str, dict[str, Recording]]:
    found: dict[str, dict[str, Recording]] = {}
    for recording in recordings:
        side, _, name = recording.id.partition("/")
        found.setdefault(name, {})[side] = recording
    return found


def _problem(sides: dict[str, Recording]) -> str:
    """Why two sides are no pair, or ''."""
    for side in SIDES:
        if side not in sides:
            return f"it has no usable {side} partner"
    clean, noisy = sides["clean"], sides["noisy"]
    if (clean.n_samples, clean.sample_rate) != (noisy.n_samples, noisy.sample_rate):
        return (
            f"clean has {clean.n_samples} samples at {clean.sample_rate} Hz, noisy {noisy.n_samples} "
            f"at {noisy.sample_rate} Hz"
        )
    return ""


def _whole_pairs(manifest: Manifest, folder: Path) -> Manifest:
    kept: list[Recording] = []
    skipped = list(manifest.skipped)
    for found in _by_name(manifest.recordings).values():
        if problem := _problem(found):
            skipped += [Skipped(recording.path, problem) for recording in found.values()]
        else:
            kept += found.values()
    if not kept:
        raise ValueError(
            f"no usable pair of clean and noisy files in {folder}: {len(skipped)} files cannot be used, "
            f"first {skipped[0].path}: {skipped[0].reason}"
        )
    return Manifest(tuple(sorted(kept, key=lambda r: r.path)), tuple(sorted(skipped, key=lambda s: s.path)))
