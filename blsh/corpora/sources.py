"""Where the openly licensed corpora come from: `sources.csv`, one row a file to fetch.

Columns: `corpus` (the reader), `part`, `file`, `address`, `bytes` (0: nobody states it), `licence`, `checksum`
(`sha256:HEX` or `md5:HEX`, empty: nobody states one, the first download records it) and `checksum_source`,
who states it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from blsh.corpora import duan, timit
from blsh.corpora.manifest import check_path
from blsh.files import tables

SOURCES = Path(__file__).with_name("sources.csv")
# Corpora that nobody may pass on.
BY_HAND = {"timit": timit.HOW_TO_GET, "duan": duan.HOW_TO_GET}
_COLUMNS = {
    "corpus": str,
    "part": str,
    "file": str,
    "address": str,
    "bytes": "int64",
    "licence": str,
    "checksum": str,
    "checksum_source": str,
}


@dataclass(frozen=True)
class Source:
    """One file to fetch; `n_bytes` is None and `checksum` is '' where nobody states them.

    Raises
    ------
    ValueError
        If the file name is not one name, or a checksum has no source.
    """

    corpus: str
    part: str
    file: str
    address: str
    n_bytes: int | None
    licence: str
    checksum: str
    checksum_source: str

    def __post_init__(self) -> None:
        check_path(self.file)
        if "/" in self.file:
            raise ValueError(f"file={self.file!r} must be a name without folders")
        if self.n_bytes is not None and self.n_bytes < 1:
            raise ValueError(f"bytes={self.n_bytes} must be at least 1, or 0 where nobody states them ({self.file})")
        if bool(self.checksum) != bool(self.checksum_source):
            raise ValueError(f"checksum={self.checksum!r} and its source go together ({self.file})")


def read_sources(corpus: str, parts: tuple[str, ...] = (), *, path: Path = SOURCES) -> tuple[Source, ...]:
    """Files of a corpus, or of some of its parts, in the table's order.

    Raises
    ------
    ValueError
        If the corpus or a part is not in the table, or the table is invalid.
    """
    frame = tables.read_csv(path, _COLUMNS)
    rows = []
    for row, record in enumerate(zip(*(frame[column].tolist() for column in _COLUMNS), strict=True), start=1):
        try:
            rows.append(Source(*record[:4], record[4] or None, *record[5:]))
        except ValueError as error:
            raise ValueError(f"row {row} of {path}: {error}") from None
    of_corpus = [row for row in rows if row.corpus == corpus]
    if not of_corpus and corpus in BY_HAND:
        raise ValueError(f"{corpus} is not for download: {BY_HAND[corpus]}, in the key 'folder' of the corpus")
    if not of_corpus:
        known = ", ".join(dict.fromkeys(row.corpus for row in rows))
        raise ValueError(f"corpus {corpus!r} cannot be fetched: choose one of {known}, or name a folder of your own")
    for part in parts:
        if part not in {row.part for row in of_corpus}:
            known = ", ".join(row.part for row in of_corpus)
            raise ValueError(f"part {part!r} is not one of {corpus}: {known}")
    return tuple(row for row in of_corpus if not parts or row.part in parts)
