"""Readers that break a bound, one each, to see that the harness notices."""

from __future__ import annotations

import itertools
import os
import pickle
import signal
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from blsh.files import load_array
from tests.long.fuzzing.target import Target

_NAMES = itertools.count()


def targets() -> list[Target]:
    return [
        Target("planted", _write_next, _read_next),
        *(Target(f"planted: {name}", _write, read) for name, read in {**READERS, **DEADLY}.items()),
    ]


def _write(rng: np.random.Generator, folder: Path) -> str:
    (folder / "x.npy").write_bytes(rng.bytes(10))
    return "a file"


def _write_next(rng: np.random.Generator, folder: Path) -> str:
    """Take one reader after the other."""
    name = sorted(READERS)[next(_NAMES) % len(READERS)]
    (folder / "name").write_text(name)
    _write(rng, folder)
    return name


def _read_next(folder: Path) -> None:
    READERS[(folder / "name").read_text()](folder)


def _ours(message: Callable[[Path], str]) -> Callable[[Path], None]:
    """Raise as if from a file of the package."""
    scope: dict[str, Callable] = {}
    path = Path(__file__).resolve().parents[3] / "blsh" / "made_up.py"
    exec(compile("def fail(text): raise ValueError(text)", str(path), "exec"), scope)
    return lambda folder: scope["fail"](message(folder))


def _key_error(folder: Path) -> None:
    raise KeyError("x")


def _library_error(folder: Path) -> None:
    np.zeros(3).reshape(2, 2)


def _wrong(folder: Path) -> None:
    raise AssertionError("it is wrong")


def _warn(folder: Path) -> None:
    warnings.warn("odd", RuntimeWarning, stacklevel=2)


def _unpickle(folder: Path) -> None:
    pickle.loads(b"cbuiltins\nlen\n.")


def _evaluate(folder: Path) -> None:
    eval("1 + 1")


def _write_outside(folder: Path) -> None:
    (folder / "other").write_text("x")


def _make_outside(folder: Path) -> None:
    (folder / "other").mkdir()


def _start(folder: Path) -> None:
    subprocess.run(["true"], check=True)


def _allocate(folder: Path) -> None:
    np.ones(1 << 31, np.float32)


def _hang(folder: Path) -> None:
    while True:
        pass


def _crash(folder: Path) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


READERS = {
    "nothing": lambda folder: load_array(folder / "x.npy"),
    "raises another error": _key_error,
    "raises an error of a library": _library_error,
    "names no file": _ours(lambda folder: "it is no array"),
    "says it in two lines": _ours(lambda folder: f"{folder}:\nit is no array"),
    "is long-winded": _ours(lambda folder: f"{folder}: {'x' * 5000}"),
    "accepts what is wrong": _wrong,
    "warns": _warn,
    "unpickles": _unpickle,
    "evaluates": _evaluate,
    "writes outside": _write_outside,
    "makes a folder outside": _make_outside,
    "starts a program": _start,
    "allocates what the header says": _allocate,
}
DEADLY = {"hangs": _hang, "crashes": _crash}
