"""Standard input and output: a whole sound file through a pipe, or raw samples as they come.

A sound file is needed twice, for its level and to clean it, so stdin is kept in a temporary file meanwhile. Raw
samples are interleaved, little-endian, 16- or 32-bit integers with full scale 2¹⁵ or 2³¹, or 32-bit floats with full
scale 1. What was read is cleaned and written at once, so the delay is the denoiser's and that of the pipe.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from blsh.denoising.model_file import DenoiserModel
from blsh.denoising.sound_files import denoise_file
from blsh.denoising.streaming import AnyRateDenoiser

__all__ = ["FORMATS", "clean_file", "clean_raw"]

FORMATS = {"s16": ("<i2", 2.0**15), "s32": ("<i4", 2.0**31), "f32": ("<f4", 1.0)}

_Settings = Mapping[str, float | None]
_CHUNK = 1 << 16


def clean_file(inputs: Sequence[str], output: str, model: DenoiserModel, settings: _Settings) -> None:
    """Clean one sound file, from stdin or to stdout or both.

    Raises
    ------
    ValueError
        If there are several inputs, standard output is closed, or as ``denoise_file``.
    OSError
        If the output cannot be written.
    BrokenPipeError
        If nobody reads it any more.
    """
    if len(inputs) != 1:
        raise ValueError("'-' goes with one input and one output: clean several files into a folder")
    if output == "-":
        _require_stdout()
    _require_apart(0 if inputs[0] == "-" else inputs[0], 1 if output == "-" else output)
    with tempfile.TemporaryDirectory(prefix="blsh-") as folder:
        source, target = Path(inputs[0]), Path(output)
        if inputs[0] == "-":
            source = Path(folder, "stdin")
            with open(source, "wb") as handle:
                shutil.copyfileobj(sys.stdin.buffer, handle)
                if not handle.tell():
                    raise ValueError("standard input is empty or closed: pipe a sound file into it")
        if output == "-":
            target = Path(folder, "stdout")
        try:
            denoise_file(source, target, model, **settings)
        except (ValueError, OSError) as error:
            raise type(error)(str(error).replace(f"{folder}/", "")) from error
        if output == "-":
            with open(target, "rb") as handle:
                while chunk := handle.read(_CHUNK):
                    _write(chunk)


def clean_raw(model: DenoiserModel, rate: int, channels: int, form: str, settings: _Settings) -> None:
    """Clean raw samples from stdin to stdout until stdin ends.

    Parameters
    ----------
    model : DenoiserModel
    rate : int
        Their rate in Hz.
    channels : int
    form : str
        One of `FORMATS`.
    settings
        Those of ``Denoiser``; without a level the model's is used.

    Raises
    ------
    ValueError
        If standard output is closed, samples are NaN, or the stream is empty, too short, or ends within a sample. What
        came before has been written.
    BrokenPipeError
        If nobody reads the output any more.
    """
    _require_stdout()
    _require_apart(0, 1)
    dtype, scale = FORMATS[form]
    width = np.dtype(dtype).itemsize * channels
    stream = AnyRateDenoiser(model, rate, channels, **settings)
    rest, is_empty = b"", True
    while data := os.read(sys.stdin.fileno(), _CHUNK):
        is_empty = False
        data = rest + data
        whole = len(data) - len(data) % width
        samples = np.frombuffer(data[:whole], dtype).reshape(-1, channels)
        rest = data[whole:]
        cleaned = stream.push((samples / scale).astype(np.float32))
        # 32 bits would not come through a float32 as they are.
        _write(data[:whole] if settings["strength"] == 0 else _packed(cleaned, dtype, scale))
    if is_empty:
        raise ValueError("stdin holds no samples: pipe raw samples into it, see --format, --rate and --channels")
    _write(_packed(stream.flush(), dtype, scale))
    if rest:
        raise ValueError(f"stdin ended within a sample of {width} bytes: check --format and --channels")


def _packed(samples: np.ndarray, dtype: str, scale: float) -> bytes:
    if scale == 1:
        return samples.astype(dtype).tobytes()
    levels = np.rint(samples.astype(np.float64) * scale)
    return np.clip(levels, -scale, scale - 1).astype(dtype).tobytes()


def _require_stdout() -> None:
    """Raise before any work if there is no standard output: what is printed there may be lost, but not a recording."""
    if sys.__stdout__ is None:
        raise ValueError("standard output is closed: lead it to a file or a program, or name a file with -o")


def _require_apart(source: str | int, target: str | int) -> None:
    """Raise if the file that is read, by a name or as standard input, is the one that would be written."""
    try:
        read, written = os.stat(source), os.stat(target)
    except OSError:  # not there yet, or told where it is opened
        return
    if stat.S_ISREG(read.st_mode) and os.path.samestat(read, written):
        name = target if isinstance(target, str) else "the file that standard output is led to"
        raise ValueError(f"{name} is the input: inputs are never overwritten, give another output")


def _write(data: bytes) -> None:
    """Write to stdout past Python's buffer, which would be flushed again at exit, into a pipe that has gone."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(sys.stdout.fileno(), rest) :]
