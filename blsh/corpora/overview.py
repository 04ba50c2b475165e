"""What is in a manifest, in a few lines for people: speakers and classes of each split, and how much of each.

Whoever names a folder should see at once whether it is the corpus that was meant: a split that lacks half of its
speakers is no error, and changes every number that comes after.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from blsh.corpora.manifest import Recording

CLASSES_SHOWN = 12


def overview(recordings: Iterable[Recording]) -> tuple[str, ...]:
    """Describe the recordings, a line for the speech and one for the noise of each split.

    Examples
    --------
    ``train: 4620 recordings of 462 speakers (136 F, 326 M), 3.94 h`` and
    ``fold-1: 80 recordings of 10 classes (chainsaw 8, …), 0.11 h``
    """
    by_split: dict[str, list[Recording]] = {}
    for recording in recordings:
        by_split.setdefault(recording.split, []).append(recording)
    lines = []
    for split, members in sorted(by_split.items()):
        label = f"{split}: " if split else ""
        for is_noise, describe in ((False, _speakers), (True, _classes)):
            part = [recording for recording in members if bool(recording.noise_class) == is_noise]
            if part:
                hours = sum(recording.seconds for recording in part) / 3600
                lines.append(f"{label}{len(part)} recordings of {describe(part)}, {hours:.2f} h")
    return tuple(lines)


def _speakers(members: Sequence[Recording]) -> str:
    genders = {recording.speaker: recording.gender for recording in members}
    counts = Counter(genders.values())
    parts = [f"{counts[gender]} {gender or 'of unknown gender'}" for gender in ("F", "M", "") if counts[gender]]
    return f"{len(genders)} speakers ({', '.join(parts)})"


def _classes(members: Sequence[Recording]) -> str:
    counts = sorted(Counter(recording.noise_class for recording in members).items())
    shown = ", ".join(f"{name} {count}" for name, count in counts[:CLASSES_SHOWN])
    return f"{len(counts)} classes ({shown}{', …' if len(counts) > CLASSES_SHOWN else ''})"
