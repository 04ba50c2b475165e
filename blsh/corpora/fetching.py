"""Fetch an openly licensed corpus: download its archives, check them, unpack them, and remember that it was done.

A corpus of gigabytes is fetched over hours, and what is interrupted must go on where it stopped. So the folder of the
corpus holds a hidden folder `.downloads` with, for each archive of `sources.csv`,

- `NAME.part`, what has arrived so far (see `blsh.files.downloads`);
- `NAME`, the whole archive while it is unpacked, and afterwards only on request;
- `NAME.sha256`, where nobody states a checksum: the one of the first download;
- `NAME.unpacked`, last of all: the archive's SHA-256 and the number and some of the names of its files. An archive that
  has this is not fetched again while those files are there.

One process at a time works in a folder; what a killed one left half unpacked is removed by the next.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blsh.corpora.sources import Source
from blsh.files.atomic import write_json
from blsh.files.downloads import download, recorded_checksum, require_address
from blsh.files.unpacking import SCRATCH_NAMES, unpack

DOWNLOADS = ".downloads"
_NAMES_KEPT = 20

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Fetched:
    """An archive whose files are in the folder.

    Attributes
    ----------
    source : Source
    sha256 : str
        Its SHA-256.
    n_files : int
        Files that it holds.
    checked : str
        'stated' or 'recorded' for a checksum that was there before, 'first' for one that was recorded now, and
        'unpacked' if nothing had to be fetched.
    """

    source: Source
    sha256: str
    n_files: int
    checked: str


def fetch(
    sources: Sequence[Source],
    folder: Path,
    *,
    mirror: str = "",
    keep_archives: bool = False,
    progress: Progress | None = None,
    **patience: Any,
) -> Iterator[Fetched]:
    """Fetch and unpack archives, one after the other.

    Parameters
    ----------
    sources : sequence of Source
        Rows of the table of sources.
    folder : Path
        Where the files go.
    mirror : str, optional
        Address of a folder that holds the archives under the same names.
    keep_archives : bool
        Whether an archive stays in `.downloads` when it is unpacked.
    progress : callable, optional
        Called with (what is done, bytes done, bytes in all).
    patience
        `timeout_s`, `n_attempts`, `wait_s` of `blsh.files.downloads.download`.

    Yields
    ------
    Fetched
        As soon as the archive's files are in the folder.

    Raises
    ------
    FileNotFoundError, ConnectionError, ValueError, OSError
        As `download` and `unpack`; also ValueError if another process works in the folder. What is whole stays, what
        has arrived is continued by the next call. An archive of which nobody states the checksum and that cannot be
        unpacked is removed with the checksum that was recorded of it.
    """
    folder = Path(folder)
    for address in (mirror or source.address for source in sources):
        require_address(address)
    with _only_process(folder):
        for source in sources:
            marker = folder / DOWNLOADS / f"{source.file}.unpacked"
            if done := _read_marker(marker, folder):
                yield Fetched(source, done["sha256"], done["n_files"], "unpacked")
                continue
            archive = folder / DOWNLOADS / source.file
            found = download(
                source.address,
                archive,
                checksum=source.checksum,
                n_bytes=source.n_bytes,
                mirror=mirror,
                progress=_labelled(progress, source.file),
                **patience,
            )
            unpacking = _labelled(progress, f"{source.file}, unpacking")
            try:
                names = unpack(archive, folder, reserved=[DOWNLOADS], progress=unpacking)
            except ValueError:
                if found.checked != "stated":  # then what is recorded is the checksum of a file that is no good
                    archive.unlink()
                    recorded_checksum(archive).unlink()
                raise
            kept = names[:: max(1, len(names) // _NAMES_KEPT)]
            write_json(marker, {"sha256": found.sha256, "n_files": len(names), "names": list(kept)})
            if not keep_archives:
                archive.unlink()
            yield Fetched(source, found.sha256, len(names), found.checked)


@contextmanager
def _only_process(folder: Path) -> Iterator[None]:
    downloads = folder / DOWNLOADS
    downloads.mkdir(parents=True, exist_ok=True)
    with open(downloads / "lock", "ab") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(f"another process fetches into {folder}: wait for it") from None
        for left in folder.glob(SCRATCH_NAMES):
            shutil.rmtree(left)
        yield


def _read_marker(path: Path, folder: Path) -> dict[str, Any]:
    """Return what is remembered of an archive; nothing if it is not unpacked, or not any more."""
    if not path.is_file():
        return {}
    try:
        marker = json.loads(path.read_text(encoding="utf-8"))
        sha256, n_files, names = marker["sha256"], marker["n_files"], marker["names"]
        is_there = bool(names) and all((folder / name).is_file() for name in names)
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ValueError(f"{path} is damaged: remove it and run this again") from None
    if type(sha256) is not str or type(n_files) is not int:
        raise ValueError(f"{path} is damaged: remove it and run this again")
    return marker if is_there else {}


def _labelled(progress: Progress | None, label: str) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, total: progress(label, done, total)
