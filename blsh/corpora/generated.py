"""Recordings that are made on the spot: made once, kept while their hash is right, made again otherwise.

The embedded corpus is not stored in the package but generated into a folder. Its bytes are fixed for one
platform, that is for one operating system, machine type and set of library versions; `synthetic_hashes.csv`
(columns `platform, path, sha256`) publishes them for the platforms on which the corpus was checked.
Whatever else is made, on an unknown platform or where a file comes out differently, is recorded in
`hashes.csv` beside the recordings, so that a later run can tell a whole file from a damaged one. A record
holds only for the edition of the published table beside which it was made: a new corpus comes with a new
table, and old files are then made again.
"""

from __future__ import annotations

import platform
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from blsh.corpora.scanning import Progress
from blsh.files import checksums, tables
from blsh.signal import audio

PUBLISHED = Path(__file__).with_name("synthetic_hashes.csv")
RECORD_NAME = "hashes.csv"

_COLUMNS = {"platform": str, "path": str, "sha256": str}


def platform_key(*packages: str) -> str:
    """Name this platform as the tables of hashes do: `linux-x86_64-numpy2.4.6-scipy1.17.1`.

    Parameters
    ----------
    *packages
        The installed packages on whose arithmetic the bytes depend.
    """
    versions = [f"{package}{version(package)}" for package in packages]
    return "-".join([platform.system().lower(), platform.machine().lower(), *versions])


def keep_or_make(
    folder: str | Path,
    makers: Mapping[str, Callable[[], np.ndarray]],
    *,
    key: str,
    n_jobs: int = 1,
    progress: Progress | None = None,
    published: Path = PUBLISHED,
) -> dict[str, str]:
    """Make every recording that is missing or whose bytes are not the known ones; leave the others.

    Each file appears whole or not at all, so a killed run is continued by the next one.

    Parameters
    ----------
    folder
        Where the recordings lie; made when absent.
    makers : path -> function
        For each path relative to `folder`, what returns its 16 kHz waveform within [-1, 1].
    key
        This platform, see `platform_key`.
    n_jobs : int > 0
        How many are made at a time. The bytes do not depend on it.
    progress
        Called with the number of files done and of all files.
    published
        The table of published hashes.

    Returns
    -------
    dict
        SHA-256 of each path.

    Raises
    ------
    ValueError
        If `n_jobs` is below 1, or a table of hashes is damaged.

    Warns
    -----
    UserWarning
        If files of a known platform differ from the published ones.
    """
    if n_jobs < 1:
        raise ValueError(f"n_jobs={n_jobs} must be at least 1: it is the number of recordings made at a time")
    folder = Path(folder)
    expected = _hashes(published, key)
    record = folder / RECORD_NAME
    edition = checksums.sha256_of_file(published)[:16]
    recorded = _hashes(record, f"{key}@{edition}") if record.exists() else {}

    def keep_or_make_one(path: str) -> str:
        file = folder / path
        if file.is_file():
            found = checksums.sha256_of_file(file)
            if found in (expected.get(path), recorded.get(path)):
                return found
        audio.write_wav(file, makers[path]())
        return checksums.sha256_of_file(file)

    made: dict[str, str] = {}
    with ThreadPoolExecutor(n_jobs) as pool:
        futures = {pool.submit(keep_or_make_one, path): path for path in makers}
        try:
            for n_done, future in enumerate(as_completed(futures), start=1):
                made[futures[future]] = future.result()
                if progress is not None:
                    progress(n_done, len(makers))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
        finally:
            vouched = {**recorded, **made}
            _record(record, {p: h for p, h in vouched.items() if h != expected.get(p)}, f"{key}@{edition}")
    different = [path for path in makers if path in expected and made[path] != expected[path]]
    if different:
        warnings.warn(
            f"{len(different)} of {len(makers)} recordings differ from those published for {key}, first "
            f"{different[0]}: results may differ in the last digits; their hashes are in {record}",
            stacklevel=2,
        )
    return {path: made[path] for path in makers}


def _hashes(table: Path, key: str) -> dict[str, str]:
    frame = tables.read_csv(table, _COLUMNS)
    mine = frame[frame["platform"] == key]
    return dict(zip(mine["path"], mine["sha256"], strict=True))


def _record(table: Path, hashes: Mapping[str, str], key: str) -> None:
    """Write the hashes that the published table does not have; no file when it has them all."""
    if hashes:
        rows = [(key, path, hashes[path]) for path in sorted(hashes)]
        tables.write_csv(table, pd.DataFrame(rows, columns=list(_COLUMNS)))
    elif table.exists():
        table.unlink()
