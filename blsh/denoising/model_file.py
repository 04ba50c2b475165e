"""The model of a denoiser as one value and one file: no code in it, checked wholly when it is loaded.

A model is what Algorithm 1 needs: the projections (P, b), the codes and the binary masks of N dictionary
frames, K, and the name of the feature. The file says besides what it was made from (sources, licences,
attributions, a fingerprint of the recordings), how well it does on recordings that it was not made from, and, if
it was made so, where each dictionary row was heard.

It is a stamped `.npz` (``blsh.files.arrays``), so a changed bit is seen and nothing in it is ever run. Its
arrays take as few bytes as hold them exactly:

=========== ====================== ============================================================================
``matrix``  (L, D)                 int8 if all of P is whole numbers, float16 or float32 otherwise
``bias``    (L,) float32
``codes``   (N, ⌈L/8⌉) uint8       bit l of a code is bit l mod 8 of byte l div 8
``masks``   (C, 65) uint8          packed masks, see ``mask_store``
``index``   (N, B) uint8           the pattern of each row and band; absent where C = N and row i has mask i
``bands``   (B,) uint8             the bands' widths in bytes; absent with the index
``origin_`` …                      see ``origins``; absent where the model was made without
=========== ====================== ============================================================================

A file of version 1 will be read for ever; what a later version adds, an older one has a default for.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from blsh.denoising._narrow_arrays import bytes_of, narrowed, narrowest_unsigned, widened, words_of
from blsh.denoising.mask_store import MaskStore
from blsh.denoising.origins import Origins
from blsh.files.arrays import load_stamped, save_stamped
from blsh.files.messages import one_line
from blsh.hashing.codes import Codes
from blsh.hashing.plain_arrays import plain_array
from blsh.hashing.projections import Projections
from blsh.signal.audio import SAMPLE_RATE
from blsh.signal.spectra import HOP_LENGTH, N_FFT, feature_width

__all__ = ["DEFAULT_MODEL", "DenoiserModel", "Score", "Source", "load_model", "require_neighbours", "save_model"]

DEFAULT_MODEL = Path(__file__).parents[1] / "models" / "default.blsh"
"""The model that comes with the package; ``docs/model_card.md`` describes it."""

_KIND, _VERSION = "denoiser", 1
_SIGNAL = {"sample_rate": SAMPLE_RATE, "n_fft": N_FFT, "hop_length": HOP_LENGTH, "window": "hann", "edges": "reflect"}


def require_neighbours(n_neighbours: int, n_rows: int) -> None:
    """Raise ValueError unless a dictionary of so many rows has so many neighbours."""
    if not 1 <= n_neighbours <= n_rows:
        raise ValueError(f"n_neighbours={n_neighbours} must lie in 1…{n_rows}, the rows of the dictionary")


@dataclass(frozen=True)
class Source:
    """What a model was made from: a data set, its licence, where it is, and whom to credit."""

    name: str
    licence: str
    address: str = ""
    attributions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Score:
    """Mean SDR in dB of validation mixtures of one noise (or "all") at one SNR: untouched, constant mask, model."""

    noise: str
    snr_db: float
    mixtures: int
    sdr_mixture: float
    sdr_constant: float
    sdr: float


@dataclass(frozen=True, eq=False)
class DenoiserModel:
    """A denoiser.

    Attributes
    ----------
    projections : Projections
        P (L, D) and b (L,), float32; where they were quantised, P holds whole numbers.
    codes : Codes
        Codes of the N dictionary rows, L bits.
    masks : MaskStore
        Their binary masks.
    feature : {"stft", "mel"}
        What P is multiplied with.
    n_neighbours : int
        K, at most N.
    level : float > 0
        Standard deviation of a typical training mixture, full scale being 1. A stream's samples are divided by
        it, as a recording's are by its own.
    fingerprint : str
        Digest of the recordings that it was made from.
    sources : tuple of Source
    scores : tuple of Score
        Quality on validation mixtures; empty if it was not measured.
    settings : mapping
        How it was trained, by name: text and numbers.
    code_version : str
        Version of this package that made it.
    origins : Origins or None
        Where each dictionary row was heard.

    Raises
    ------
    TypeError, ValueError
        When the parts do not fit each other.
    """

    projections: Projections
    codes: Codes
    masks: MaskStore
    feature: str
    n_neighbours: int
    level: float
    fingerprint: str
    sources: tuple[Source, ...]
    scores: tuple[Score, ...]
    settings: Mapping[str, Any]
    code_version: str
    origins: Origins | None = None

    def __post_init__(self) -> None:
        n_rows = len(self.codes)
        width = feature_width(self.feature)
        if self.projections.n_features != width:
            raise ValueError(
                f"projections of width {self.projections.n_features} do not fit the feature {self.feature!r} of "
                f"width {width}"
            )
        if self.codes.n_bits != self.projections.n_bits:
            raise ValueError(f"codes of {self.codes.n_bits} bits do not fit {self.projections.n_bits} projections")
        for name, part in {"masks": self.masks, "origins": self.origins}.items():
            if part is not None and len(part) != n_rows:
                raise ValueError(f"{name} of {len(part)} rows do not fit codes of {n_rows} rows")
        require_neighbours(self.n_neighbours, n_rows)
        if not 0 < self.level < math.inf:
            raise ValueError(f"level={self.level} must be a positive number")

    @property
    def n_bits(self) -> int:
        """L, the length of a code."""
        return self.projections.n_bits

    @property
    def n_rows(self) -> int:
        """N, the number of dictionary rows."""
        return len(self.codes)

    def prefix(self, n_bits: int) -> DenoiserModel:
        """Return the model of the first `n_bits` bits: bits are ordered by importance.

        Raises
        ------
        ValueError
            When there are fewer, or none is asked for.
        """
        if not 1 <= n_bits <= self.n_bits:
            raise ValueError(f"n_bits={n_bits} must lie in 1…{self.n_bits}, the bits of this model")
        return replace(self, projections=self.projections.prefix(n_bits), codes=self.codes.prefix(n_bits))

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays of the model's file, by name."""
        arrays = {
            "matrix": narrowed(self.projections.matrix),
            "bias": self.projections.bias,
            "codes": bytes_of(self.codes.words, self.n_bits),
            "masks": self.masks.packed,
        }
        if self.masks.index is not None:
            arrays |= {"index": self.masks.index, "bands": np.array(self.masks.bands, np.uint8)}
        if self.origins is not None:
            for name in _ORIGIN_DTYPES:
                arrays[f"origin_{name}"] = narrowest_unsigned(getattr(self.origins, name))
        return arrays


def save_model(path: str | Path, model: DenoiserModel) -> None:
    """Write a model.

    Raises
    ------
    TypeError
        If the settings hold something that JSON cannot say.
    OSError
        If the disk has no room for it; nothing half-written is left.
    """
    metadata = {
        "signal": _SIGNAL,
        "feature": model.feature,
        "n_bits": model.n_bits,
        "n_neighbours": model.n_neighbours,
        "level": model.level,
        "fingerprint": model.fingerprint,
        "sources": [asdict(source) for source in model.sources],
        "scores": [asdict(score) for score in model.scores],
        "settings": dict(model.settings),
        "code_version": model.code_version,
    }
    if model.origins is not None:
        metadata["recordings"] = _table_text(model.origins.table)
    save_stamped(path, _KIND, _VERSION, metadata, model.arrays())


def load_model(path: str | Path = DEFAULT_MODEL) -> DenoiserModel:
    """Read a model that `save_model` wrote; by default the packaged one.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is anything else than a whole model of a version that this package reads.
    """
    metadata, arrays = load_stamped(path, _KIND, _VERSION)
    try:
        return _model_of(metadata, arrays)
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        reason = f"{one_line(error)} is missing" if isinstance(error, KeyError) else one_line(error)
        raise ValueError(f"{path} does not hold a denoiser: {reason}; make or fetch it again") from error


def _model_of(metadata: dict[str, Any], arrays: dict[str, np.ndarray]) -> DenoiserModel:
    if metadata["signal"] != _SIGNAL:
        raise ValueError(f"its signal settings {metadata['signal']!r:.200} are not {_SIGNAL}")
    n_bits = _typed(metadata, "n_bits", int)
    origins = None
    if "recordings" in metadata:
        # Narrowed when they were written; checked by Origins.
        wide = {name: arrays.pop(f"origin_{name}") for name in _ORIGIN_DTYPES}
        table = _table_of(_typed(metadata, "recordings", str))
        origins = Origins(**{name: widened(wide[name], dtype) for name, dtype in _ORIGIN_DTYPES.items()}, table=table)
    matrix = widened(arrays.pop("matrix"), np.float32)
    model = DenoiserModel(
        projections=Projections(matrix, arrays.pop("bias")),
        codes=Codes(words_of(arrays.pop("codes"), n_bits), n_bits),
        masks=_masks_of(arrays),
        feature=_typed(metadata, "feature", str),
        n_neighbours=_typed(metadata, "n_neighbours", int),
        level=_typed(metadata, "level", float),
        fingerprint=_typed(metadata, "fingerprint", str),
        sources=tuple(_value_of(Source, entry) for entry in _typed(metadata, "sources", list)),
        scores=tuple(_value_of(Score, entry) for entry in _typed(metadata, "scores", list)),
        settings=_typed(metadata, "settings", dict),
        code_version=_typed(metadata, "code_version", str),
        origins=origins,
    )
    if arrays:
        raise ValueError(f"it holds arrays that no denoiser has: {', '.join(sorted(arrays))}")
    return model


def _masks_of(arrays: dict[str, np.ndarray]) -> MaskStore:
    packed = arrays.pop("masks")
    if "index" not in arrays:
        return MaskStore(packed)
    bands = plain_array("bands", arrays.pop("bands"), np.uint8, 1)
    return MaskStore(packed, arrays.pop("index"), tuple(bands.tolist()))


_ORIGIN_DTYPES = {
    "recipe_of_row": np.uint32,
    "frame_of_row": np.uint32,
    "speech": np.uint32,
    "noise": np.uint32,
    "snr_db": np.float64,
    "hashes": np.uint8,
}
_ROW_TYPES = (str, str, str, str, str, str, str, int, int, int, int, str)
_TYPES = {"str": str, "int": int, "float": float, "tuple[str, ...]": list}


def _typed(metadata: Mapping[str, Any], name: str, kind: type) -> Any:
    value = metadata[name]
    if type(value) is not kind:
        raise TypeError(f"{name}={value!r:.40} must be of type {kind.__name__}")
    return value


def _value_of(kind: type, entry: Any) -> Any:
    """Make a `Source` or a `Score` from its JSON object."""
    if type(entry) is not dict or set(entry) != {field.name for field in fields(kind)}:
        raise ValueError(f"an entry {entry!r:.40} is no {kind.__name__.lower()}")
    values = {field.name: _typed(entry, field.name, _TYPES[field.type]) for field in fields(kind)}
    if "attributions" in values:
        if not all(type(line) is str for line in values["attributions"]):
            raise TypeError(f"attributions of {values['name']!r:.40} must be text")
        values["attributions"] = tuple(values["attributions"])
    return kind(**values)


def _table_text(table: tuple[tuple, ...]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(table)
    return text.getvalue()


def _table_of(text: str) -> tuple[tuple, ...]:
    rows = []
    for row in csv.reader(io.StringIO(text)):
        if len(row) != len(_ROW_TYPES):
            raise ValueError(f"a recording has {len(row)} fields, not {len(_ROW_TYPES)}")
        rows.append(tuple(kind(value) for kind, value in zip(_ROW_TYPES, row, strict=True)))
    return tuple(rows)
