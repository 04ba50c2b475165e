"""Named tensors on disk, in the safetensors format, with a stamp that says what they are.

The format is a list of names, types, shapes and offsets in JSON, then the numbers: no code in it, nothing to run. What
`save_stamped` does for arrays is done here for the tensors of networks, which other programs may want to read: kind,
version, metadata and a digest of the tensors are one JSON text under the key ``blsh`` of the file's own metadata. (One
key, because the library writes several in random order, and equal values shall be equal bytes.)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
from safetensors.numpy import save

from blsh.files.atomic import atomic_path, require_free_space
from blsh.files.checksums import canonical_json
from blsh.files.messages import one_line

__all__ = ["load_tensors", "read_stamp", "save_tensors"]

_KEY = "blsh"
_PARTS = {"kind", "version", "metadata", "digest"}


def save_tensors(
    path: str | Path, kind: str, version: int, metadata: Mapping[str, Any], tensors: Mapping[str, np.ndarray]
) -> None:
    """Write tensors with a stamp.

    Parameters
    ----------
    path
        A `.safetensors` file.
    kind
        What the file is.
    version : int
        Version of this kind's layout.
    metadata
        A JSON object: keys are strings, tuples come back as lists.
    tensors
        Arrays by name.

    Raises
    ------
    ValueError, TypeError
        If the metadata cannot be stored.
    OSError
        If the disk has no room for it; nothing half-written is left.
    """
    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    stamp = {"kind": kind, "version": version, "metadata": dict(metadata), "digest": _digest(contiguous)}
    contents = save(contiguous, metadata={_KEY: canonical_json(stamp)})
    require_free_space(path, len(contents), Path(path).name)
    with atomic_path(path) as temporary:
        temporary.write_bytes(contents)


def load_tensors(path: str | Path, kind: str, version: int) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Load what `save_tensors` wrote, if it is of this kind and version and no bit of it has changed.

    Returns
    -------
    metadata, tensors

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is anything else than a whole file of this kind and version.
    """
    with _opened(path) as file:
        stamp = _checked(file, path, kind, version)
        try:
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        except (TypeError, AttributeError) as error:  # a type that numpy does not have
            raise ValueError(
                f"{path} holds tensors of an unknown type ({one_line(error)}): make the file again"
            ) from error
    if _digest(tensors) != stamp["digest"]:
        raise ValueError(f"{path} is damaged, its digest is not its tensors': make or fetch it again")
    return stamp["metadata"], tensors


def read_stamp(path: str | Path, kind: str, version: int) -> dict[str, Any]:
    """Read the metadata alone; errors as in :func:`load_tensors`, but for damage to the tensors."""
    with _opened(path) as file:
        return _checked(file, path, kind, version)["metadata"]


@contextmanager
def _opened(path: str | Path) -> Iterator[Any]:
    with open(path, "rb"):  # for its error if there is none
        pass
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            yield file
    except safetensors.SafetensorError as error:
        raise ValueError(f"{path} is no whole safetensors file ({one_line(error)}): make or fetch it again") from error


def _checked(file: Any, path: str | Path, kind: str, version: int) -> dict[str, Any]:
    try:
        stamp = json.loads((file.metadata() or {})[_KEY])
    except (KeyError, ValueError, RecursionError):
        raise ValueError(f"{path} has no stamp of blsh: make the file with this package") from None
    if type(stamp) is not dict or stamp.keys() != _PARTS or type(stamp["metadata"]) is not dict:
        raise ValueError(f"{path} has a stamp of another form: make the file with this package")
    if stamp["kind"] != kind:
        raise ValueError(f"{path} holds kind {stamp['kind']!r:.40} where {kind!r} is needed: give another file")
    if stamp["version"] != version:
        raise ValueError(
            f"{path} has version {stamp['version']!r:.40} of kind {kind!r} and this blsh reads version {version}: "
            "make the file again with this blsh"
        )
    return stamp


def _digest(tensors: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tensor.shape};".encode())
        digest.update(np.ascontiguousarray(tensor))
    return digest.hexdigest()
