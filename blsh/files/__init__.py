"""Files on disk: whole or absent, checked when they are loaded, and the same bytes from the same values.

Writing
    `atomic_path`, `write_text`, `write_json`, `require_free_space`
Arrays
    `save_array`, `load_array`, `RowWriter`; with a stamp that says what they are: `save_stamped`,
    `load_stamped`; of other people's making: `load_unstamped`
Tables
    `write_csv`, `read_csv`, `write_parquet`, `read_parquet`
Checksums
    `sha256_of_file`, `digest_of`, `canonical_json`
"""

from blsh.files.arrays import RowWriter, load_array, load_stamped, load_unstamped, save_array, save_stamped
from blsh.files.atomic import atomic_path, require_free_space, write_json, write_text
from blsh.files.checksums import canonical_json, digest_of, sha256_of_file
from blsh.files.tables import read_csv, read_parquet, write_csv, write_parquet

__all__ = [
    "RowWriter",
    "atomic_path",
    "canonical_json",
    "digest_of",
    "load_array",
    "load_stamped",
    "load_unstamped",
    "read_csv",
    "read_parquet",
    "require_free_space",
    "save_array",
    "save_stamped",
    "sha256_of_file",
    "write_csv",
    "write_json",
    "write_parquet",
    "write_text",
]
