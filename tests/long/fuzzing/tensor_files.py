"""Mutated safetensors files: networks, and the state of their unfinished training.

A file is the length of its header, the header in JSON (of each tensor its type, shape and place; a text of ours), and
the tensors. The digest in our text is made right after a mutation in nine of ten cases.
"""

from __future__ import annotations

import hashlib
import json
import logging
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from blsh.denoising.architectures import Architecture
from blsh.denoising.checkpoints import Checkpoint, Training, load_checkpoint, read_training, save_checkpoint
from blsh.denoising.network_state import Epoch, TrainingState, load_state, save_state
from tests.long.fuzzing.mutating import (
    chance,
    change_node,
    choose,
    damaged,
    garbage,
    other_integer,
    other_json,
    truncated,
)
from tests.long.fuzzing.target import Target

NAME = "file.safetensors"
FINGERPRINT = "f" * 64
# A damaged state is told as a warning, and training starts anew.
logging.getLogger("blsh.denoising.network_state").setLevel(logging.ERROR)


def targets() -> list[Target]:
    tensors = {"files/tensors.py": frozenset({"save_tensors"})}
    networks = {"denoising/checkpoints.py": frozenset({"save_checkpoint", "Training.is_finished"})}
    states = {"denoising/network_state.py": frozenset({"save_state"})}
    return [
        Target("network", _writer(_network), _read_network, tensors | networks),
        Target("network state", _writer(_state), _read_state, tensors | states),
    ]


@cache
def _network() -> bytes:
    training = Training(
        Architecture("fc", 3, 8), "si_sdr", 7, 12, 9, 100, 128, "stop rule", 61.5, 3.25, "cpu", FINGERPRINT, "0.1.0"
    )
    tensors = {"layers.0.weight": np.ones((4, 3), "f4"), "layers.0.bias": np.arange(4, dtype="f4")}
    with TemporaryDirectory() as scratch:
        save_checkpoint(Path(scratch, NAME), Checkpoint(training, tensors))
        return Path(scratch, NAME).read_bytes()


@cache
def _state() -> bytes:
    own = {"a": np.ones(3, "f4")}
    epochs = [Epoch(1, 0.5, 0.4, 3.0, 10.0), Epoch(2, 0.4, 0.3, 3.5, 20.0)]
    with TemporaryDirectory() as scratch:
        save_state(Path(scratch, NAME), TrainingState(epochs, own, own, own, own), fingerprint=FINGERPRINT)
        return Path(scratch, NAME).read_bytes()


def _read_network(folder: Path) -> None:
    found = load_checkpoint(folder / NAME)
    assert found.training == read_training(folder / NAME)
    assert all(isinstance(tensor, np.ndarray) and tensor.dtype != object for tensor in found.tensors.values())


def _read_state(folder: Path) -> None:
    found = load_state(folder / NAME, fingerprint=FINGERPRINT)
    if found is not None:
        assert all(type(epoch.number) is int for epoch in found.epochs)
        assert found.network.keys() == found.best.keys()


def _writer(valid):
    def write(rng: np.random.Generator, folder: Path) -> str:
        if chance(rng, 0.02):
            magics = [(100).to_bytes(8, "little") + b"{", b"\xff" * 8, bytes(8), b"PK\3\4"]
            (folder / NAME).write_bytes(garbage(rng, magics))
            return "garbage"
        mutation, data = _mutate(rng, valid())
        (folder / NAME).write_bytes(truncated(rng, data) if chance(rng, 0.05) else data)
        return mutation

    return write


_DTYPES = ("F64", "F32", "F16", "BF16", "F8_E4M3", "I64", "I32", "I8", "U8", "BOOL", "C64", "X", "")


def _mutate(rng: np.random.Generator, data: bytes) -> tuple[str, bytes]:
    size = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    stamp = json.loads(header["__metadata__"]["blsh"])
    kind = choose(
        rng, ["metadata", "metadata", "metadata", "stamp", "tensor", "tensor", "names", "header", "size", "bytes"]
    )
    names = [name for name in header if name != "__metadata__"]
    name = choose(rng, names)
    if kind == "metadata":
        for _ in range(choose(rng, [1, 1, 3])):
            change_node(rng, stamp["metadata"])
    elif kind == "stamp":
        change_node(rng, stamp)
    elif kind == "tensor":
        entry = header[name]
        part = choose(rng, ["dtype", "shape", "data_offsets", "all"])
        if part == "dtype":
            entry["dtype"] = choose(rng, _DTYPES)
        elif part == "all":
            change_node(rng, entry)
        else:
            k = int(rng.integers(len(entry[part])))
            entry[part][k] = choose(rng, [other_integer(rng, entry[part][k], 64), 1 << 31, -1, entry[part][k] + 1, 1.5])
    elif kind == "names":
        other = choose(rng, [*names, "other", "x" * 3000, "a/b", "../a", "network/\x1b", "", "__metadata__"])
        header[other] = choose(rng, [header[name], header.pop(name)])
    if chance(rng, 0.9) and kind in ("metadata", "tensor", "names"):
        stamp["digest"] = _digest(header, body)
    text = json.dumps(stamp)
    if kind == "stamp" and chance(rng, 0.4):
        text = other_json(rng, text)
    if "__metadata__" in header and isinstance(header["__metadata__"], dict):
        header["__metadata__"]["blsh"] = text
    if kind == "header":
        changed = other_json(rng, json.dumps(header)).encode("utf-8", "surrogatepass")
    else:
        changed = json.dumps(header).encode()
    size = other_integer(rng, len(changed), 64) if kind == "size" else len(changed)
    made = size.to_bytes(8, "little") + changed + body
    return f"tensors {kind}", damaged(rng, made) if kind == "bytes" else made


def _digest(header: dict, body: bytes) -> str:
    """The digest of the tensors as the header says they are, where it says something that can be."""
    digest = hashlib.sha256()
    names = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I8": "i1", "U8": "u1", "BOOL": "?"}
    for name, entry in sorted(header.items()):
        try:
            first, end = entry["data_offsets"]
            tensor = np.frombuffer(body[first:end], names[entry["dtype"]]).reshape(entry["shape"])
        except (KeyError, TypeError, ValueError, OverflowError):
            continue
        digest.update(f"{name} {tensor.dtype} {tensor.shape};".encode("utf-8", "surrogatepass"))
        digest.update(np.ascontiguousarray(tensor))
    return digest.hexdigest()
