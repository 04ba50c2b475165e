"""Manifests: the table of a corpus' recordings, and of the files that could not be used.

A corpus is a folder on disk; its manifest says what is in it, one row a recording, so that everything after
this point reads labels, lengths and hashes from one table and never looks at folder names again. A file that
cannot be used is a row of a second table with its reason, so that one bad file does not sink a corpus and is
not lost either.

Columns of the first table (CSV): `path, corpus, split, speaker, gender, class, start, n_samples, seconds,
sample_rate, channels, sha256, licence, id`; of the second: `path, reason`. `start` and `n_samples` count
samples of the file itself, at its own rate, and mark its usable region. What is converted on reading (rate,
channels) stands in `sample_rate` and `channels`. `id` names a recording within its corpus independently of
the level at which the corpus' folder was given and of the layout it came in: whatever is drawn at random is
keyed by it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from blsh.files import tables
from blsh.signal.audio import SAMPLE_RATE

GENDERS = ("F", "M", "")

_COLUMNS = {
    "path": str,
    "corpus": str,
    "split": str,
    "speaker": str,
    "gender": str,
    "class": str,
    "start": "int64",
    "n_samples": "int64",
    "seconds": "float64",
    "sample_rate": "int64",
    "channels": "int64",
    "sha256": str,
    "licence": str,
    "id": str,
}
_SKIPPED_COLUMNS = {"path": str, "reason": str}
_SHA256 = re.compile(r"[0-9a-f]{64}")
# Control characters, and those that end a line or turn the direction of writing, break tables and terminals; a lone
# surrogate is a name that is not text and cannot be written.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_PATH_MAX = 1024


@dataclass(frozen=True)
class Recording:
    """One usable recording of a corpus.

    Attributes
    ----------
    path : str
        POSIX path relative to the corpus' folder.
    corpus : str
        The name under which the corpus was read.
    split : str
        The corpus' own split (`train-clean-100`, `fold-3`), or ''.
    speaker, gender : str
        Speaker label and 'F', 'M' or '' (unknown); both '' for noise.
    noise_class : str
        Class of a noise (column `class`), '' for speech.
    start, n_samples : int
        Usable region in samples at the file's own rate: `[start, start + n_samples)`.
    seconds : float
        Length of the usable region.
    sample_rate, channels : int
        The file's own rate in Hz and number of channels.
    sha256 : str
        Hash of the file's bytes, 64 hexadecimal digits.
    licence : str
        Licence of the recording, as its corpus states it.
    id : str
        Name within the corpus; `path` without its suffix when not given.

    Raises
    ------
    ValueError
        If a value breaks one of these rules.
    """

    path: str
    corpus: str
    split: str
    speaker: str
    gender: str
    noise_class: str
    start: int
    n_samples: int
    seconds: float
    sample_rate: int
    channels: int
    sha256: str
    licence: str
    id: str = ""

    def __post_init__(self) -> None:
        check_path(self.path)
        if not self.id:
            object.__setattr__(self, "id", without_suffix(self.path))
        if not self.corpus:
            raise ValueError(f"corpus is empty: a recording names its corpus ({self.path})")
        if self.gender not in GENDERS:
            raise ValueError(f"gender={self.gender!r:.80} is not 'F', 'M' or '' ({self.path})")
        if self.start < 0 or self.n_samples < 1:
            raise ValueError(
                f"start={self.start}, n_samples={self.n_samples} is no region: need start >= 0 and "
                f"n_samples >= 1 ({self.path})"
            )
        if self.sample_rate < 1 or self.channels < 1:
            raise ValueError(
                f"sample_rate={self.sample_rate}, channels={self.channels}: both must be at least 1 ({self.path})"
            )
        if not abs(self.seconds * self.sample_rate - self.n_samples) <= 1:
            raise ValueError(
                f"seconds={self.seconds} differs from n_samples={self.n_samples} at {self.sample_rate} Hz ({self.path})"
            )
        if not _SHA256.fullmatch(self.sha256):
            raise ValueError(f"sha256={self.sha256!r:.80} is not 64 lower-case hexadecimal digits ({self.path})")

    @property
    def n_samples_16k(self) -> int:
        """Samples of the usable region at 16 kHz, rounded down; the resampler may give one more."""
        return self.n_samples * SAMPLE_RATE // self.sample_rate


@dataclass(frozen=True)
class Skipped:
    """A file that is not used, and why, in one line."""

    path: str
    reason: str


@dataclass(frozen=True)
class Manifest:
    """What was found in a corpus' folder.

    Raises
    ------
    ValueError
        If two recordings of one corpus share a path or an id.
    """

    recordings: tuple[Recording, ...]
    skipped: tuple[Skipped, ...] = ()

    def __post_init__(self) -> None:
        for name in ("path", "id"):
            seen: set[tuple[str, str]] = set()
            for recording in self.recordings:
                key = (recording.corpus, getattr(recording, name))
                if key in seen:
                    raise ValueError(f"{name}={key[1]!r:.300} occurs twice in corpus {key[0]!r:.80}: it must be unique")
                seen.add(key)


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write the recordings to `path` (`NAME.csv`) and the skipped files beside it (`NAME.skipped.csv`)."""
    # The second table goes first: whoever sees the manifest finds its other half complete.
    tables.write_csv(
        skipped_path(path),
        pd.DataFrame([(s.path, s.reason) for s in manifest.skipped], columns=list(_SKIPPED_COLUMNS), dtype=object),
    )
    names = [_field(column) for column in _COLUMNS]
    rows = [[getattr(recording, name) for name in names] for recording in manifest.recordings]
    tables.write_csv(path, pd.DataFrame(rows, columns=list(_COLUMNS), dtype=object))


def read_manifest(path: Path) -> Manifest:
    """Read what `write_manifest` wrote.

    Raises
    ------
    FileNotFoundError
        If one of the two tables is missing.
    ValueError
        If a column is missing or a value is invalid (a path that leaves the corpus' folder, a negative
        start); the message names the file and the row, counted from 1 below the header.
    """
    path = Path(path)
    frame = tables.read_csv(path, _COLUMNS)
    names = [_field(column) for column in _COLUMNS]
    recordings = []
    values = zip(*(frame[column].tolist() for column in _COLUMNS), strict=True)
    for row, record in enumerate(values, start=1):
        try:
            recordings.append(Recording(**dict(zip(names, record, strict=True))))
        except ValueError as error:
            raise ValueError(f"row {row} of {path}: {error}; make the manifest again") from None
    skipped = tables.read_csv(skipped_path(path), _SKIPPED_COLUMNS)
    try:
        return Manifest(
            tuple(recordings),
            tuple(Skipped(*pair) for pair in zip(skipped["path"].tolist(), skipped["reason"].tolist(), strict=True)),
        )
    except ValueError as error:
        raise ValueError(f"{path}: {error}; make the manifest again") from None


def skipped_path(path: Path) -> Path:
    """Path of the table of skipped files that belongs to the manifest `path`."""
    return Path(path).with_suffix(".skipped.csv")


def check_path(path: str) -> None:
    """Raise ValueError unless `path` is a plain relative POSIX path that stays inside its folder."""
    parts = path.split("/")
    if len(path) > _PATH_MAX:
        raise ValueError(f"path={path!r:.80}… of {len(path)} characters exceeds {_PATH_MAX}")
    if path.startswith("/") or "\\" in path or path[1:2] == ":":
        raise ValueError(f"path={path!r} is not a relative path with forward slashes")
    if any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"path={path!r} must stay inside its folder, without '.', '..' or empty parts")
    if _UNPRINTABLE.search(path):
        raise ValueError(f"path={path!r} holds a control character or is not text: rename the file")


def without_suffix(path: str) -> str:
    """`path` without the suffix of its last part: `a.b/c.wav` becomes `a.b/c`."""
    folder, slash, name = path.rpartition("/")
    stem, dot, _ = name.rpartition(".")
    return folder + slash + (stem if dot and stem else name)


def without_unprintable(text: str) -> str:
    r"""`text` with what a table or a terminal cannot show written out: `\x1b`, `\udcff`."""
    return _UNPRINTABLE.sub(lambda match: ascii(match[0])[1:-1], text)


def _field(column: str) -> str:
    return "noise_class" if column == "class" else column  # `class` is a keyword of the language
