"""Units of speech: who trains, who validates, and which stretch of speech is one utterance.

A speaker's recordings are cut into whole, disjoint excerpts of equal length, from the start of each recording
in the corpus' order, so that a corpus with few long recordings per speaker still gives several units for
each. Excerpts and not frames are divided between training and the closed set: the closed set's speech is by
known speakers and unheard.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from blsh.corpora.manifest import Recording
from blsh.corpora.scanning import SILENT_STD
from blsh.mixtures.recipes import Piece
from blsh.mixtures.rendering import Recordings
from blsh.signal.audio import SAMPLE_RATE
from blsh.signal.spectra import LEAST_SAMPLES

LEAST_SECONDS, MOST_SECONDS = LEAST_SAMPLES / SAMPLE_RATE, 1e6


@dataclass(frozen=True)
class SpeechUnit:
    """What is mixed as one utterance.

    `utterance` is the recording's id, or `ID@k` for its k-th excerpt, counted from 0.
    """

    utterance: str
    speaker: str
    gender: str
    piece: Piece


def cut_units(
    recordings: Iterable[Recording],
    *,
    seconds: float | None,
    per_speaker: int | None,
    held_out: int,
    audio: Recordings,
) -> tuple[tuple[SpeechUnit, ...], tuple[SpeechUnit, ...], tuple[str, ...]]:
    """Cut the recordings of each speaker into units for training and for the closed set.

    Parameters
    ----------
    recordings : iterable of Recording
        Speech. The corpus' order is that of (corpus, id).
    seconds : float, optional
        Length of an excerpt; whole recordings when None. An excerpt with a standard deviation below 1e-4 is
        passed over for the next one, and so is a recording too short for a spectrum (`spectra.LEAST_SAMPLES`).
    per_speaker : int, optional
        A speaker gives at most so many units; no limit when None.
    held_out : int >= 0
        Where a speaker has two units or more, so many of the last ones are closed, but never the first.
    audio : Recordings
        The waveforms.

    Returns
    -------
    train_units, closed_units : tuple of SpeechUnit
        Sorted by speaker, then in the corpus' order.
    skipped_speakers : tuple of str
        Speakers that gave no unit.

    Raises
    ------
    ValueError
        If a number is out of range, a recording has no speaker, a speaker has two genders, or two recordings
        one id.
    """
    if seconds is not None and not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        raise ValueError(
            f"seconds={seconds} must lie in {LEAST_SECONDS:.4f}…{MOST_SECONDS:g}: shorter speech has no spectrum"
        )
    if per_speaker is not None and per_speaker < 1:
        raise ValueError(f"per_speaker={per_speaker} must be at least 1")
    if held_out < 0:
        raise ValueError(f"held_out={held_out} must be at least 0")
    train: list[SpeechUnit] = []
    closed: list[SpeechUnit] = []
    skipped: list[str] = []
    for speaker, own in sorted(_by_speaker(recordings).items()):
        units = _cut_speaker(own, None if seconds is None else round(seconds * SAMPLE_RATE), per_speaker, audio)
        if not units:
            skipped.append(speaker)
        n_closed = min(held_out, max(len(units) - 1, 0))
        train += units[: len(units) - n_closed]
        closed += units[len(units) - n_closed :]
    _check_unique((unit.utterance for unit in train + closed), "utterance")
    return tuple(train), tuple(closed), tuple(skipped)


def set_aside_speakers(
    recordings: Iterable[Recording], n: int, *, balance_gender: bool = True, rng: np.random.Generator
) -> tuple[tuple[Recording, ...], tuple[Recording, ...]]:
    """Set aside the recordings of n speakers, for validation.

    Parameters
    ----------
    recordings : iterable of Recording
        Speech.
    n : int >= 0
        Number of speakers to set aside.
    balance_gender : bool, default True
        Take as many women as men, as far as one of each is left for training; an odd n takes one more of the
        gender that has more speakers. Otherwise any n speakers.
    rng : Generator
        Draws the speakers.

    Returns
    -------
    set_aside, rest : tuple of Recording
        Each in the order given.

    Raises
    ------
    ValueError
        If no speaker would be left; with `balance_gender`, if there is no speaker of one gender, a gender is
        unknown, or no speaker of one gender would be left.
    """
    recordings = tuple(recordings)
    genders = {speaker: own[0].gender for speaker, own in sorted(_by_speaker(recordings).items())}
    groups = [[s for s, g in genders.items() if g == gender] for gender in ("F", "M")]
    if n < 0 or n >= len(genders):
        raise ValueError(f"n={n} speakers cannot be set aside from {len(genders)}: at least one must be left to train")
    if not balance_gender:
        chosen = set(_choose(list(genders), n, rng))
    else:
        unknown = sorted(speaker for speaker, gender in genders.items() if not gender)
        if unknown:
            raise ValueError(
                f"gender of {len(unknown)} of {len(genders)} speakers is unknown, first {unknown[0]!r}: "
                f"give the genders or set balance_gender to false"
            )
        for gender, group in zip(("female", "male"), groups, strict=True):
            if not group:
                raise ValueError(f"no {gender} speaker among {len(genders)}: add some or set balance_gender to false")
        if n > len(genders) - 2:
            raise ValueError(
                f"n={n} speakers cannot be set aside from {len(genders)}: at least one woman and one man "
                f"must be left to train; take fewer or set balance_gender to false"
            )
        fewer, more = sorted(groups, key=len)  # stable: women count as fewer when there are as many men
        n_fewer = min(n // 2, len(fewer) - 1)
        chosen = {*_choose(fewer, n_fewer, rng), *_choose(more, n - n_fewer, rng)}
    return (
        tuple(r for r in recordings if r.speaker in chosen),
        tuple(r for r in recordings if r.speaker not in chosen),
    )


def _choose(speakers: Sequence[str], n: int, rng: np.random.Generator) -> list[str]:
    return [speakers[i] for i in rng.permutation(len(speakers))[:n]]


def _by_speaker(recordings: Iterable[Recording]) -> dict[str, list[Recording]]:
    """Group recordings by speaker, each speaker's in the corpus' order."""
    groups: dict[str, list[Recording]] = {}
    for recording in sorted(recordings, key=lambda r: (r.corpus, r.id)):
        if not recording.speaker:
            raise ValueError(
                f"{recording.path} of corpus {recording.corpus!r} has no speaker: it is no speech recording"
            )
        group = groups.setdefault(recording.speaker, [])
        if group and group[0].gender != recording.gender:
            raise ValueError(
                f"speaker {recording.speaker!r} has the genders {group[0].gender!r} and "
                f"{recording.gender!r}: correct one ({recording.path} of corpus {recording.corpus!r})"
            )
        group.append(recording)
    return groups


def _cut_speaker(
    recordings: Sequence[Recording], n_samples: int | None, limit: int | None, audio: Recordings
) -> list[SpeechUnit]:
    units: list[SpeechUnit] = []
    for recording in recordings:
        total = recording.n_samples_16k
        length = total if n_samples is None else n_samples
        for k in range(total // length if length >= LEAST_SAMPLES else 0):
            if len(units) == limit:
                return units
            piece = Piece(recording.corpus, recording.path, k * length, length)
            # A whole recording was measured when its corpus was scanned.
            if n_samples is not None and audio.read(piece).std(dtype=np.float64) < SILENT_STD:
                continue
            name = recording.id if n_samples is None else f"{recording.id}@{k}"
            units.append(SpeechUnit(name, recording.speaker, recording.gender, piece))
    return units


def _check_unique(names: Iterable[str], what: str) -> None:
    seen = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{what} {name!r} occurs twice: two corpora use one name, rename the files of one")
        seen.add(name)
