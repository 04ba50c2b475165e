"""TIMIT: read American English, 16 kHz, ten sentences of each of 630 speakers from eight dialect regions.

Layout: `TRAIN/DR1/FCJF0/SA1.WAV` and `TEST/…`, as the LDC distributes it, in upper or lower case. The files
are NIST SPHERE in spite of their name; copies converted to RIFF (`SA1.wav`, or `SA1.WAV.wav` beside or in
place of the original) are read as well, the original where both are there. The corpus may be given at the
level of the two splits or up to three levels above (`TIMIT/`, `data/`, …).

Names say all: the split, the dialect region (`DR1` to `DR8`), the speaker, whose first letter is the gender,
and the sentence's type: SA (two sentences that everyone reads), SX (five, phonetically compact) or SI (three,
diverse). A recording's id is `TRAIN/DR1/FCJF0/SA1` in upper case whatever the case of the files; `sentence_of`
takes it apart again. Licence: the LDC's agreement for users of LDC93S1.

**Speakers** (pure functions of what a manifest holds). The papers train on 160 speakers and test on 110
others. The authors' code takes 10 women and 10 men of each region as far as there are so many, which is 158,
as DR8 has 8 women among its training speakers; and for the test twice as many of each region as the rarer
gender has, less the last two of the shuffled list, which is 110. Each of these functions states what it found.

J. S. Garofolo, L. F. Lamel, W. M. Fisher, J. G. Fiscus, D. S. Pallett, N. L. Dahlgren, V. Zue: "TIMIT
Acoustic-Phonetic Continuous Speech Corpus", LDC93S1, 1993.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from blsh.corpora.listing import Layout
from blsh.corpora.manifest import Manifest, Recording
from blsh.corpora.scanning import Labels, Progress, require_known, scan

LICENCE = "LDC User Agreement (LDC93S1)"
SPLITS = ("train", "test")
REGIONS = tuple(f"DR{k}" for k in range(1, 9))
SA_CHOICES = ("keep", "drop")

_ID = re.compile(r"(TRAIN|TEST)/(DR[1-8])/([FM][A-Z]{3}[0-9])/((S[AIX])[0-9]{1,4})")
_SUFFIX = re.compile(r"(\.wav){1,2}", re.IGNORECASE)
_LEVELS_ABOVE = 3
HOW_TO_GET = (
    "TIMIT is sold by the LDC as LDC93S1 (catalog.ldc.upenn.edu/LDC93S1): name the folder that holds TRAIN and TEST"
)


@dataclass(frozen=True)
class Sentence:
    """What the id of a recording of TIMIT says; `kind` is 'SA', 'SI' or 'SX', `split` 'train' or 'test'."""

    split: str
    region: str
    speaker: str
    name: str
    kind: str


@dataclass(frozen=True, order=True)
class Speaker:
    """A speaker: dialect region ('DR1' … 'DR8'), gender ('F', 'M') and name."""

    region: str
    gender: str
    name: str


@dataclass(frozen=True)
class Selection:
    """Chosen speakers, sorted, and in one line what was asked for and what was found."""

    speakers: tuple[Speaker, ...]
    found: str


def read(
    folder: Path,
    *,
    corpus: str,
    splits: Sequence[str] | None = None,
    sa: str = "keep",
    listing: Path | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Make the manifest of a TIMIT folder.

    Parameters
    ----------
    folder : Path
        The folder of `TRAIN` and `TEST`, or one above it.
    corpus : str
        Name of the corpus.
    splits : sequence of str, optional
        'train', 'test' or both; both when not given.
    sa : {'keep', 'drop'}
        Whether the SA sentences, which every speaker reads, are used. The authors' code keeps them in training
        and test; TIMIT's own test sets leave them out.
    listing, progress
        See `blsh.corpora.scanning.scan`. A listing is made from, and fits, one form of the files (SPHERE or
        RIFF, upper or lower case).

    Returns
    -------
    Manifest
        Speech recordings.

    Raises
    ------
    FileNotFoundError
        If the folder is missing or holds no TIMIT; the message says how to get it.
    ValueError
        If `sa` or a split is unknown, a split lacks dialect regions and no listing asks for a part of it, or
        no usable recording is left.
    """
    if sa not in SA_CHOICES:
        raise ValueError(f"sa={sa!r} is not one of {', '.join(SA_CHOICES)}: say whether SA sentences are used")
    layout = find_layout(folder)
    present = _named(layout.root, SPLITS)
    if splits is not None:
        require_known(splits, present, "split", layout.root)
    used = {split: path for split, path in present.items() if splits is None or split in splits}
    if listing is None:
        _require_regions(used)

    def describe(path: str) -> Labels | None:
        name = _SUFFIX.sub("", path).upper()
        if not _ID.fullmatch(name):
            raise ValueError("not of the form SPLIT/REGION/SPEAKER/SENTENCE.WAV of TIMIT")
        sentence = sentence_of(name)
        if sentence.split not in used or (sa == "drop" and sentence.kind == "SA"):
            return None
        return Labels(
            id=name,
            split=sentence.split,
            speaker=sentence.speaker,
            gender=sentence.speaker[0],
            licence=LICENCE,
        )

    return scan(
        Path(folder),
        layout,
        _files(layout.root, used.values()),
        describe,
        corpus=corpus,
        listing=listing,
        progress=progress,
    )


def find_layout(folder: Path) -> Layout:
    """Find the folder of `TRAIN` and `TEST`, in either case, in `folder` or up to three levels below."""
    folder = Path(folder)
    if not folder.is_dir() or next(folder.iterdir(), None) is None:
        state = "is empty" if folder.is_dir() else "does not exist"
        raise FileNotFoundError(f"TIMIT folder {folder} {state}: {HOW_TO_GET}")
    level = [folder]
    for _ in range(_LEVELS_ABOVE + 1):
        for root in level:
            present = _named(root, SPLITS)
            if any(_named(path, REGIONS) for path in present.values()):
                return Layout("timit", root)
        level = [entry for root in level for entry in sorted(root.iterdir()) if entry.is_dir()]
    raise FileNotFoundError(f"no TRAIN/DR1 or TEST/DR1 in {folder}: {HOW_TO_GET}")


def sentence_of(recording_id: str) -> Sentence:
    """Take the id of a recording of TIMIT apart.

    Raises
    ------
    ValueError
        If it is none.
    """
    match = _ID.fullmatch(recording_id)
    if match is None:
        raise ValueError(f"id={recording_id!r} is not of the form TRAIN/DR1/FCJF0/SA1: read the corpus as timit")
    return Sentence(match[1].lower(), match[2], match[3], match[4], match[5])


def speakers_of(recordings: Iterable[Recording], split: str) -> tuple[Speaker, ...]:
    """Speakers of one split ('train' or 'test') of a manifest of TIMIT, sorted by region, gender and name."""
    sentences = (sentence_of(recording.id) for recording in recordings if recording.split == split)
    return tuple(sorted({Speaker(s.region, s.speaker[0], s.speaker) for s in sentences}))


def balanced_speakers(speakers: Iterable[Speaker], *, rng: np.random.Generator, per_gender: int = 10) -> Selection:
    """Draw training speakers as the authors' code does: so many women and men of each region as there are.

    Parameters
    ----------
    speakers : iterable of Speaker
        Those of the training split.
    rng : np.random.Generator
        Draws who is taken where there are more.
    per_gender : int >= 1
        Speakers of each gender and region.

    Returns
    -------
    Selection
        On all of TIMIT's training speakers 158 of the 160 asked for: DR8 has 8 women.
    """
    if per_gender < 1:
        raise ValueError(f"per_gender={per_gender} must be at least 1")
    chosen: list[Speaker] = []
    short: list[str] = []
    everyone = sorted(set(speakers))
    for region in REGIONS:
        for gender in "FM":
            group = _shuffled([s for s in everyone if (s.region, s.gender) == (region, gender)], rng)
            chosen += group[:per_gender]
            if len(group) < per_gender:
                short.append(f"{region} has {len(group)} {gender}")
    asked = 2 * per_gender * len(REGIONS)
    found = f"{len(chosen)} of {asked} training speakers ({per_gender} F and {per_gender} M of each of 8 regions)"
    return Selection(tuple(sorted(chosen)), found + (f": {', '.join(short)}" if short else ""))


def random_speakers(speakers: Iterable[Speaker], *, rng: np.random.Generator, n_speakers: int = 160) -> Selection:
    """Draw training speakers as the papers' text reads: `n_speakers` at random, whatever their region."""
    if n_speakers < 1:
        raise ValueError(f"n_speakers={n_speakers} must be at least 1")
    everyone = sorted(set(speakers))
    chosen = _shuffled(everyone, rng)[:n_speakers]
    women = sum(s.gender == "F" for s in chosen)
    found = f"{len(chosen)} of {n_speakers} training speakers at random ({women} F, {len(chosen) - women} M)"
    return Selection(tuple(sorted(chosen)), f"{found} among {len(everyone)}")


def open_speakers(speakers: Iterable[Speaker], *, rng: np.random.Generator, n_dropped: int = 2) -> Selection:
    """Draw test speakers as the authors' code does: as many women as men of each region.

    Of each region min(F, M) women and as many men are drawn; the list of all is shuffled and its last
    `n_dropped` are left out.

    Returns
    -------
    Selection
        On all of TIMIT's test speakers 110: the eight regions give 112.
    """
    if n_dropped < 0:
        raise ValueError(f"n_dropped={n_dropped} must not be negative")
    chosen: list[Speaker] = []
    everyone = sorted(set(speakers))
    counts: list[str] = []
    for region in REGIONS:
        groups = [[s for s in everyone if (s.region, s.gender) == (region, gender)] for gender in "FM"]
        size = min(len(group) for group in groups)
        for group in groups:
            chosen += _shuffled(group, rng)[:size]
        counts.append(f"{region} {2 * size}")
    kept = _shuffled(chosen, rng)[: max(0, len(chosen) - n_dropped)]
    found = f"{len(kept)} test speakers (min(F, M) x 2 of each region: {', '.join(counts)}; {n_dropped} dropped)"
    return Selection(tuple(sorted(kept)), found)


SPEAKER_RULES = {"authors_train": balanced_speakers, "authors_test": open_speakers}
"""The authors' choices of speakers, by the names that configurations use."""


def select_speakers(
    recordings: Iterable[Recording], rule: str, *, rng: np.random.Generator
) -> tuple[tuple[Recording, ...], tuple[Recording, ...], str]:
    """Divide recordings of TIMIT into those of the speakers that a rule draws and those of all others.

    Parameters
    ----------
    recordings : iterable of Recording
        Of one split.
    rule : str
        A key of `SPEAKER_RULES`.
    rng : np.random.Generator
        Draws the speakers.

    Returns
    -------
    chosen, others : tuple of Recording
        Each in the order given.
    found : str
        What was asked for and what was found, in one line.

    Raises
    ------
    ValueError
        If a recording is not of TIMIT, or the rule finds no speaker.
    """
    recordings = tuple(recordings)
    sentences = [sentence_of(recording.id) for recording in recordings]
    everyone = {Speaker(s.region, s.speaker[0], s.speaker) for s in sentences}
    selection = SPEAKER_RULES[rule](everyone, rng=rng)
    if not selection.speakers:
        raise ValueError(f"the rule {rule} finds no speaker among {len(everyone)}: {selection.found}; leave it out")
    names = {speaker.name for speaker in selection.speakers}
    is_chosen = [sentence.speaker in names for sentence in sentences]
    chosen, others = (
        tuple(r for r, is_of in zip(recordings, is_chosen, strict=True) if is_of == wanted) for wanted in (True, False)
    )
    return chosen, others, selection.found


def rules_of_speakers(recordings: Iterable[Recording]) -> tuple[str, ...]:
    """State what the rules of the authors' code find in these recordings: how many speakers, and from which regions."""
    recordings = tuple(recordings)
    lines = []
    for split, select in (("train", balanced_speakers), ("test", open_speakers)):
        speakers = speakers_of(recordings, split)
        if not speakers:
            continue
        regions = []
        for region in REGIONS:
            genders = [speaker.gender for speaker in speakers if speaker.region == region]
            if genders:
                regions.append(f"{region} {genders.count('F')} F {genders.count('M')} M")
        lines.append(f"{split}, by dialect region: {', '.join(regions)}")
        # Whom a rule takes is drawn, how many it takes is not.
        lines.append(f"rule of the authors' code: {select(speakers, rng=np.random.default_rng(0)).found}")
    return tuple(lines)


def _shuffled(speakers: Sequence[Speaker], rng: np.random.Generator) -> list[Speaker]:
    return [speakers[k] for k in rng.permutation(len(speakers))]


def _named(folder: Path, names: Sequence[str]) -> dict[str, Path]:
    """Subfolders that have one of the names in either case; two that differ in case only are an error."""
    found: dict[str, Path] = {}
    wanted = {name.lower(): name for name in names}
    for entry in sorted(folder.iterdir()):
        name = wanted.get(entry.name.lower())
        if name is None or not entry.is_dir():
            continue
        if name in found:
            raise ValueError(f"{folder} holds both {found[name].name} and {entry.name}: keep one of them")
        found[name] = entry
    return found


def _require_regions(splits: dict[str, Path]) -> None:
    for path in splits.values():
        missing = [region for region in REGIONS if region not in _named(path, REGIONS)]
        if missing:
            raise ValueError(
                f"{path} lacks the dialect regions {', '.join(missing)}: copy all of LDC93S1, or name the files "
                f"that are wanted in a listing"
            )


def _files(root: Path, splits: Iterable[Path]) -> Iterator[str]:
    for split in splits:
        for region in _named(split, REGIONS).values():
            names = {path.relative_to(root).as_posix() for path in region.glob("*/*") if _is_sound(path)}
            # `SA1.WAV` beside `SA1.WAV.wav`: the original of a converted copy.
            yield from (name for name in names if not (name.lower().endswith(".wav.wav") and _original(name) in names))


def _original(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


def _is_sound(path: Path) -> bool:
    return path.suffix.lower() == ".wav" and not path.name.startswith(".")
