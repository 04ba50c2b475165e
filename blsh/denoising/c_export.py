"""A denoiser as C99 for a small device: its tables as constant arrays, and a reference implementation.

`export_c` writes two files. ``blsh_model.h`` holds everything: the packed projections, codes and masks of a model,
the tables of the transform, and the functions of ``c/runtime.h``, which need nothing but ``math.h`` and allocate
nothing. ``denoise.c`` is a program on top of it that cleans raw audio. The functions compute what
``blsh.denoising.denoiser`` computes: given the same features, the same bits, distances and neighbours; from audio the
same up to the rounding of two Fourier transforms in float32.

Whole-numbered projections, as the shipped model has, become ``int8_t``; others ``float``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from blsh.denoising.model_file import DenoiserModel
from blsh.files.atomic import write_text
from blsh.signal.audio import SAMPLE_RATE
from blsh.signal.spectra import HOP_LENGTH, N_BINS, N_FFT, WINDOW, mel_filters

__all__ = ["FILES", "Budget", "export_c"]

FILES = ("blsh_model.h", "denoise.c")
"""What a folder gets."""

_LINE = 120
_FRAMES_PER_SECOND = SAMPLE_RATE / HOP_LENGTH
_C_TYPES = {"i1": "int8_t", "u1": "uint8_t", "u2": "uint16_t", "u4": "uint32_t", "f4": "float"}


@dataclass(frozen=True)
class Budget:
    """What an exported denoiser asks of a device.

    Attributes
    ----------
    flash : dict of str to int
        Bytes of constant tables, by part; the compiled functions, some kilobytes, come on top.
    ram : int
        Bytes of the state of one stream.
    operations : dict of str to float
        Operations per second of audio, by kind. A transform of n = 1024 real samples is counted as 2.5 n log2 n
        additions and multiplications; there are two per frame.
    """

    flash: dict[str, int]
    ram: int
    operations: dict[str, float]


def export_c(model: DenoiserModel, folder: str | Path) -> Budget:
    """Write a model as C.

    Parameters
    ----------
    model : DenoiserModel
    folder : path
        Gets ``blsh_model.h`` and ``denoise.c``; files of these names are replaced.

    Returns
    -------
    Budget

    Raises
    ------
    OSError
        When the files cannot be written.
    """
    folder = Path(folder)
    tables = _tables(model)
    sources = files("blsh.denoising") / "c"
    header = [
        _opening(model),
        *(_array(name, array) for _, name, array in tables),
        f"#define BLSH_MASK_OF(row, byte) {_mask_of(model)}\n",
        (sources / "runtime.h").read_text(encoding="utf-8"),
        "#endif\n",
    ]
    header_file, program = (folder / name for name in FILES)
    write_text(header_file, "\n".join(header))
    write_text(program, (sources / "denoise.c").read_text(encoding="utf-8"))
    return _budget(model, tables)


def _tables(model: DenoiserModel) -> list[tuple[str, str, np.ndarray]]:
    """Return the constant arrays: part, name in C, values in the type that C stores."""
    matrix = model.projections.matrix
    is_whole = np.array_equal(matrix, np.rint(matrix)) and np.abs(matrix).max() <= 127
    n_words = -(-model.n_bits // 32)
    codes = model.codes.words.astype("<u8", copy=False).view("<u4")[:, :n_words]
    angles = 2 * np.pi * np.arange(N_FFT // 2 + 1) / N_FFT
    tables = [
        ("projections", "blsh_projections", matrix.astype(np.int8) if is_whole else matrix),
        ("projections", "blsh_bias", model.projections.bias),
        ("codes", "blsh_codes", codes),
        ("masks", "blsh_masks", model.masks.packed),
        ("transform", "blsh_window", WINDOW),
        ("transform", "blsh_turn", np.stack([np.cos(angles), -np.sin(angles)], axis=1).astype(np.float32)),
    ]
    if model.masks.index is not None:
        bands = np.repeat(np.arange(len(model.masks.bands)), model.masks.bands).astype(np.uint8)
        tables += [("masks", "blsh_mask_index", model.masks.index), ("masks", "blsh_mask_band", bands)]
    if model.feature == "mel":
        filters = mel_filters()
        ends = [(row.indices.min(), row.indices.max() + 1) for row in filters]
        tables.append(("mel filters", "blsh_mel_bins", np.array(ends, np.uint16)))
        dense = filters.toarray()
        weights = np.concatenate([dense[band, first:last] for band, (first, last) in enumerate(ends)])
        tables.append(("mel filters", "blsh_mel_weights", weights))
    return tables


def _mask_of(model: DenoiserModel) -> str:
    """Spell which stored mask has a byte of a row's mask."""
    return "(row)" if model.masks.index is None else "blsh_mask_index[row][blsh_mask_band[byte]]"


def _budget(model: DenoiserModel, tables: Iterable[tuple[str, str, np.ndarray]]) -> Budget:
    flash: dict[str, int] = {}
    for part, _, array in tables:
        flash[part] = flash.get(part, 0) + array.nbytes
    floats = 1 + (N_FFT + 1) + 2 * N_FFT + 2 * N_BINS + N_FFT
    per_frame = {
        "float additions and multiplications of the transforms": 2 * 2.5 * N_FFT * np.log2(N_FFT),
        "multiply-accumulates of the projections": model.n_bits * model.projections.n_features,
        "32-bit XOR and popcounts of the search": model.n_rows * -(-model.n_bits // 32),
        "additions of the masks": model.n_neighbours * N_BINS,
    }
    return Budget(
        flash=flash,
        # Two counters of 32 bits and two of the size of a pointer, 4 bytes on a small device.
        ram=4 * floats + 16,
        operations={name: count * _FRAMES_PER_SECOND for name, count in per_frame.items()},
    )


def _opening(model: DenoiserModel) -> str:
    lines = [f"Denoiser made by blsh {model.code_version}: Boosted Locality Sensitive Hashing (Kim, Yang and Kim).", ""]
    lines += ["The functions are under the MIT licence. The tables were learned from:"]
    for source in model.sources:
        lines += [" ".join(f"- {source.name} ({source.licence}) {source.address}".split())]
        lines += [f"  {attribution}" for attribution in source.attributions]
    comment = "\n".join(f" * {line}".rstrip() for line in lines).replace("*/", "* /")
    numbers = {
        "BITS": model.n_bits,
        "ROWS": model.n_rows,
        "K": model.n_neighbours,
        "WIDTH": model.projections.n_features,
        "LEVEL": f"{_float(model.level)} /* standard deviation of a typical training mixture, 1 being full scale */",
    }
    defines = "\n".join(f"#define BLSH_{name} {value}" for name, value in numbers.items())
    return f"/*\n{comment}\n */\n#ifndef BLSH_MODEL_H\n#define BLSH_MODEL_H\n\n#include <stdint.h>\n\n{defines}\n"


def _array(name: str, array: np.ndarray) -> str:
    kind = _C_TYPES[array.dtype.str[1:]]
    shape = "".join(f"[{size}]" for size in array.shape)
    rows = array if array.ndim == 2 else array[np.newaxis]
    write = _float if array.dtype.kind == "f" else str
    body = ",\n".join(f"{{{_wrapped(map(write, row.tolist()))}}}" for row in rows)
    return f"static const {kind} {name}{shape} = {'{' + body + '}' if array.ndim == 2 else body};\n"


def _float(value: float) -> str:
    """Spell a float32 so that C reads the same one."""
    return f"{np.float32(value)!s}f"


def _wrapped(words: Iterable[str]) -> str:
    return "\n".join(_lines(words))


def _lines(words: Iterable[str]) -> Iterator[str]:
    line = ""
    for word in words:
        if len(line) + len(word) >= _LINE:
            yield line
            line = ""
        line += f"{word},"
    yield line.rstrip(",")
