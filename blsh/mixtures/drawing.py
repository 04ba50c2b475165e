"""Drawing: which noise goes with which utterance.

Every utterance meets every class of noise, or `noises_per_utterance` classes drawn per speaker without repeat
while unused ones remain. Where a set may not hold all of these pairs, as many are taken as it may hold,
evenly:

- *over speakers*: their numbers of mixtures differ by at most one, except that a speaker with fewer pairs
  gives all;
- *over classes*: the speakers' shares are laid one after the other around the circle of classes, so that
  numbers differ by at most one within a speaker and in all;
- *over a speaker's utterances*: the pairs walk along the diagonals of the (utterances × classes) torus. Step
  j takes utterance (j + d) mod U and class j mod C, with d = ⌊j / lcm(U, C)⌋ full diagonals behind it; after
  gcd(U, C) diagonals every pair was met once. Numbers per utterance differ by at most one too.

The noise of a pair depends on nothing but the random stream `rng_for("noise", set, utterance, class)` and the
clips of that class: never on how many other pairs are drawn, or in which order, or at which SNR. So the same
mixtures can be had at several SNRs, in one set or in another that is drawn as the first.

A clip is drawn from all of the class. One that is long enough gives an excerpt at a random place; a shorter
one is used whole and continued with further clips of the same class, corpus and split in random order,
without repeat while unused ones remain, each joined by a cross-fade (`blsh.mixtures.recipes`), until the
speech's length is reached. Noise with a standard deviation below 1e-4 is drawn again, with all its clips.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import lcm

import numpy as np

from blsh.corpora.manifest import Recording
from blsh.corpora.scanning import SILENT_STD
from blsh.mixtures.recipes import CROSS_FADE, Piece, Recipe
from blsh.mixtures.rendering import Recordings, join_pieces
from blsh.mixtures.units import SpeechUnit
from blsh.signal.audio import SAMPLE_RATE

MAX_TRIES = 100

_Pair = tuple[int, int]  # positions of an utterance among the units, and of a class among the sorted classes


def draw_recipes(
    units: Sequence[SpeechUnit],
    noise_recordings: Iterable[Recording],
    *,
    set_name: str,
    drawn_as: str,
    snrs_db: Sequence[float],
    n_mixtures: int | None,
    noises_per_utterance: int | None,
    audio: Recordings,
    rng_for: Callable[..., np.random.Generator],
) -> tuple[Recipe, ...]:
    """Draw the recipes of one set.

    Parameters
    ----------
    units : sequence of SpeechUnit
        The speech.
    noise_recordings : iterable of Recording
        The noise; a clip shorter than two cross-fades (20 ms) is not used.
    set_name : str
        Name of the set.
    drawn_as : str
        Name of the set whose random choices these are: its own, or that of a set whose speech and noise it repeats.
    snrs_db : sequence of float
        Every pair is mixed at each of these SNRs.
    n_mixtures : int, optional
        At most so many pairs; all when None.
    noises_per_utterance : int, optional
        So many classes per utterance; every class when None.
    audio : Recordings
        The waveforms, to see that what was drawn is not silent.
    rng_for : callable
        Gives an independent Generator for each sequence of names.

    Returns
    -------
    tuple of Recipe
        In the order of the units, then of the classes' names, then of the SNRs.

    Raises
    ------
    ValueError
        If there is no speech or no noise, two units have one name, a number is out of range, or `MAX_TRIES`
        draws of a class were all silent.
    """
    units = tuple(units)
    clips = _clips_by_class(noise_recordings, set_name)
    if not units:
        raise ValueError(f"set {set_name!r} has no speech: give it speakers, or shorter excerpts")
    if len({unit.utterance for unit in units}) < len(units):
        raise ValueError(f"set {set_name!r} has two utterances of one name: rename the files of one corpus")
    if n_mixtures is not None and n_mixtures < 1:
        raise ValueError(f"n_mixtures={n_mixtures} must be at least 1 (set {set_name!r})")
    if noises_per_utterance is not None and not 1 <= noises_per_utterance <= len(clips):
        raise ValueError(
            f"noises_per_utterance={noises_per_utterance} must lie in 1…{len(clips)}, the number of "
            f"noise classes of set {set_name!r}"
        )
    classes = sorted(clips)
    recipes = []
    for u, c in sorted(_pairs(units, classes, n_mixtures, noises_per_utterance, drawn_as, rng_for)):
        unit, name = units[u], classes[c]
        rng = rng_for("noise", drawn_as, unit.utterance, name)
        pieces = _draw_noise(clips[name], unit.piece.n_samples, audio, rng, f"class {name!r} of set {set_name!r}")
        seconds = unit.piece.n_samples / SAMPLE_RATE
        recipes += [
            Recipe(set_name, unit.utterance, unit.speaker, unit.gender, name, snr_db, seconds, unit.piece, pieces)
            for snr_db in snrs_db
        ]
    return tuple(recipes)


def balanced_quotas(capacities: Sequence[int], total: int) -> list[int]:
    """Share `total` out evenly: quotas differ by at most one except where a capacity is smaller."""
    quotas = [0] * len(capacities)
    # From the smallest capacity up, everyone takes the rounded-down fair share of what is left.
    for rank, i in enumerate(sorted(range(len(capacities)), key=capacities.__getitem__)):
        quotas[i] = min(capacities[i], total // (len(capacities) - rank))
        total -= quotas[i]
    return quotas


def diagonal_pairs(n_units: int, n_classes: int, n_pairs: int, first_class: int) -> list[_Pair]:
    """Walk `n_pairs` steps along the diagonals of the torus, through the classes from `first_class` on."""
    block = lcm(n_units, n_classes)
    return [((j + j // block) % n_units, (first_class + j) % n_classes) for j in range(n_pairs)]


def _clips_by_class(recordings: Iterable[Recording], set_name: str) -> dict[str, list[Recording]]:
    clips: dict[str, list[Recording]] = {}
    # By id and not by path: two layouts of one corpus give the same order.
    for recording in sorted(recordings, key=lambda r: (r.corpus, r.id)):
        if not recording.noise_class:
            raise ValueError(f"{recording.path} of corpus {recording.corpus!r} has no class: it is no noise recording")
        if recording.n_samples_16k >= 2 * CROSS_FADE:
            clips.setdefault(recording.noise_class, []).append(recording)
    if not clips:
        raise ValueError(f"set {set_name!r} has no noise of at least {2 * CROSS_FADE} samples: give it noise classes")
    return clips


def _pairs(
    units: Sequence[SpeechUnit],
    classes: Sequence[str],
    n_mixtures: int | None,
    noises_per_utterance: int | None,
    drawn_as: str,
    rng_for: Callable[..., np.random.Generator],
) -> list[_Pair]:
    by_speaker: dict[str, list[int]] = {}
    for u, unit in enumerate(units):
        by_speaker.setdefault(unit.speaker, []).append(u)
    speakers = sorted(by_speaker)
    # Who comes first gets the odd mixture: by lot, not by name.
    speakers = [speakers[i] for i in rng_for("speakers", drawn_as).permutation(len(speakers))]
    per_unit = noises_per_utterance or len(classes)
    capacities = [per_unit * len(by_speaker[speaker]) for speaker in speakers]
    quotas = capacities if n_mixtures is None else balanced_quotas(capacities, min(n_mixtures, sum(capacities)))

    pairs: list[_Pair] = []
    for speaker, quota in zip(speakers, quotas, strict=True):
        own = by_speaker[speaker]
        if noises_per_utterance is None:
            chosen = diagonal_pairs(len(own), len(classes), quota, first_class=len(pairs) % len(classes))
        else:
            rng = rng_for("classes", drawn_as, speaker)
            chosen = _dealt_pairs(len(own), len(classes), noises_per_utterance, rng)[:quota]
        pairs += [(own[u], c) for u, c in chosen]
    return pairs


def _dealt_pairs(n_units: int, n_classes: int, per_unit: int, rng: np.random.Generator) -> list[_Pair]:
    """Deal shuffled classes to a speaker's utterances in rounds of one each, none twice to one of them."""
    pairs: list[_Pair] = []
    dealt: list[set[int]] = [set() for _ in range(n_units)]
    stock: list[int] = []
    for _ in range(per_unit):
        for u in range(n_units):
            if not set(stock) - dealt[u]:
                stock += rng.permutation(n_classes).tolist()
            chosen = next(c for c in stock if c not in dealt[u])
            stock.remove(chosen)
            dealt[u].add(chosen)
            pairs.append((u, chosen))
    return pairs


def _draw_noise(
    clips: Sequence[Recording], n_samples: int, audio: Recordings, rng: np.random.Generator, what: str
) -> tuple[Piece, ...]:
    for _ in range(MAX_TRIES):
        pieces = _draw_pieces(clips, n_samples, rng)
        if join_pieces(pieces, audio).std() >= SILENT_STD:
            return pieces
    raise ValueError(
        f"{what}: {MAX_TRIES} draws of {n_samples} samples were all silent (standard deviation below "
        f"{SILENT_STD}): leave out the class or its quiet clips"
    )


def _draw_pieces(clips: Sequence[Recording], n_samples: int, rng: np.random.Generator) -> tuple[Piece, ...]:
    first = clips[rng.integers(len(clips))]
    fellows = [clip for clip in clips if (clip.corpus, clip.split) == (first.corpus, first.split)]
    pieces: list[Piece] = []
    missing = n_samples
    for clip in _continuation(first, fellows, rng):
        overlap = CROSS_FADE if pieces else 0
        length = clip.n_samples_16k
        if length >= missing + overlap:
            start = int(rng.integers(length - missing - overlap + 1))
            pieces.append(Piece(clip.corpus, clip.path, start, missing + overlap))
            break
        pieces.append(Piece(clip.corpus, clip.path, 0, length))
        missing -= length - overlap
    return tuple(pieces)


def _continuation(first: Recording, fellows: Sequence[Recording], rng: np.random.Generator) -> Iterator[Recording]:
    """Give `first`, the others in random order, then all again and again, none twice in a row."""
    yield first
    order = [clip for clip in fellows if clip is not first]
    latest = first
    while True:
        order = [order[i] for i in rng.permutation(len(order))]
        if len(order) > 1 and order[0] is latest:
            order.append(order.pop(0))
        yield from order
        latest = order[-1] if order else latest
        order = list(fellows)
