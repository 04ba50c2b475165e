"""Mutated arrays and models: `.npy`, stamped `.npz` (projections, unfinished training, denoisers), plain `.npz`.

A stamped file's digest is made right after a mutation in nine of ten cases, so that the reader of the contents meets
what was changed and not the digest.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import re
import zipfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from blsh.files.arrays import load_array, save_array
from blsh.files.checksums import canonical_json
from blsh.hashing.by_length import load_projections_by_length, save_projections_by_length
from blsh.hashing.projections import Projections, encode, load_projections, random_projections, save_projections
from blsh.hashing.rounds import BoostRound, projections_of
from blsh.hashing.training_state import load_rounds, save_rounds
from tests.long.fuzzing.mutating import chance, change_node, choose, damaged, garbage, other_integer, truncated
from tests.long.fuzzing.target import Target
from tests.long.fuzzing.zips import Member, make_zip, mutate_structure

NAME = "file.npz"
FINGERPRINT = "f" * 64
WIDTHS = {"stft": 513, "mel": 128}
STAMPED = {
    "files/arrays.py": frozenset(
        {"save_array", "save_stamped", "load_array", "load_unstamped"}
        | {f"RowWriter.{name}" for name in ("__init__", "__enter__", "append", "__exit__", "_require_all_rows")}
    ),
    "files/_archive.py": frozenset({"check_size", "write", "_stamp_text", "_member", "read_unstamped"}),
    "files/_npy.py": frozenset({"header_bytes", "write_body", "read_any_array"}),
}
_NOT_OF_PROJECTIONS = frozenset({"random_projections", "encode", "save_projections", "Projections.prefix"})
_NOT_OF_MODELS = frozenset({"save_model", "DenoiserModel.prefix", "_narrowed", "_narrowest_unsigned", "_table_text"})

# A damaged state is told as a warning, and training starts anew.
logging.getLogger("blsh.hashing.training_state").setLevel(logging.ERROR)


def targets() -> list[Target]:
    npy = {"files/arrays.py": STAMPED["files/arrays.py"] - {"load_array"} | {"load_stamped", "load_unstamped"}}
    brought = {"files/arrays.py": STAMPED["files/arrays.py"] | {"load_stamped"}, "hashing/brought.py": frozenset()}
    brought["files/_archive.py"] = STAMPED["files/_archive.py"] - {"read_unstamped"} | {"read", "_require_modest"}
    brought["files/_npy.py"] = STAMPED["files/_npy.py"] - {"read_any_array"} | {"read_array", "read_header"}
    npy["files/_npy.py"] = STAMPED["files/_npy.py"]
    return [
        Target("npy", _write_npy, _read_npy, npy),
        _stamped("projections", _save_projections, _read_projections, {"hashing/projections.py": _NOT_OF_PROJECTIONS}),
        _stamped("training", _save_training, _read_training, {"hashing/training_state.py": frozenset({"save_rounds"})}),
        _stamped(
            "lengths", _save_lengths, _read_lengths, {"hashing/by_length.py": frozenset({"save_projections_by_length"})}
        ),
        _stamped("denoiser", _save_denoiser, _read_denoiser, {"denoising/model_file.py": _NOT_OF_MODELS}),
        Target("brought", _write_brought, _read_brought, brought),
    ]


# Valid files


def _save_projections(path: Path, variety: int) -> None:
    made = random_projections(5, 8, rng=np.random.default_rng(0))
    save_projections(path, Projections(made.matrix, made.bias, made.bias if variety % 2 else None))


def _save_training(path: Path, variety: int) -> None:
    rng = np.random.default_rng(0)
    rounds = [
        BoostRound(rng.normal(size=6).astype(np.float32), 0.5, 0.7, 0.3, k + 2, rng.random(k + 2), 99.5, 0.5, 0)
        for k in range(1 + variety % 3)
    ]
    save_rounds(path, rounds, fingerprint=FINGERPRINT)


def _save_lengths(path: Path, variety: int) -> None:
    rng = np.random.default_rng(0)
    save_projections_by_length(path, {n_bits: random_projections(n_bits, 6, rng=rng) for n_bits in (2, 5)})


def _save_denoiser(path: Path, variety: int) -> None:
    from blsh.denoising.model_file import save_model
    from tests.denoising.making import small_model

    kind = {"feature_name": "mel", "n_rows": 12, "n_bits": 9 + 60 * (variety % 2), "with_origins": variety % 3 == 0}
    kind |= {"n_masks": 5} if variety % 4 == 1 else {"n_masks": 4, "bands": (30, 35)} if variety % 4 == 2 else {}
    save_model(path, small_model(**kind))


# Readers, and what must hold of what they accept


def _read_projections(folder: Path) -> None:
    found = load_projections(folder / NAME)
    assert np.isfinite(found.matrix).all() and found.matrix.flags.c_contiguous
    features = np.full((3, found.n_features), 0.5, np.float32)
    assert len(encode(features, found)) == 3


def _read_lengths(folder: Path) -> None:
    for n_bits, found in load_projections_by_length(folder / NAME).items():
        assert n_bits == found.n_bits == len(found.matrix)


def _read_training(folder: Path) -> None:
    rounds = load_rounds(folder / NAME, fingerprint=FINGERPRINT)
    if rounds:
        projections_of(rounds)
    for one in rounds:
        assert one.passes == len(one.losses) and type(one.epsilon) in (float, int)


def _read_denoiser(folder: Path) -> None:
    from blsh.denoising.denoiser import denoise
    from blsh.denoising.model_file import load_model
    from tests.denoising.making import sound

    model = load_model(folder / NAME)
    if model.origins is not None:
        for row in range(min(model.n_rows, 3)):
            model.origins.frame(row)
            with suppress(ValueError):  # texts of its table are checked when a row's origin is asked for
                model.origins.recipe(row)
    if (folder / NAME).stat().st_size % 4 == 0:
        cleaned = denoise(sound(3000), model)
        assert cleaned.shape == (3000,) and np.isfinite(cleaned).all()


def _read_npy(folder: Path) -> None:
    path = folder / "x.npy"
    array = load_array(path)
    mapped = load_array(path, mapped=True)
    assert array.dtype == mapped.dtype and array.shape == mapped.shape and array.tobytes() == mapped.tobytes()
    assert array.dtype.kind in "biufc" and array.nbytes <= path.stat().st_size


def _read_brought(folder: Path) -> None:
    from blsh.hashing.brought import read_brought_projections

    feature, found = read_brought_projections(folder / NAME, WIDTHS)
    assert found.n_features == WIDTHS[feature] and np.isfinite(found.matrix).all()


# Stamped files


def _stamped(name: str, save: Callable, read: Callable, code: dict[str, frozenset[str]]) -> Target:
    @cache
    def valid(variety: int) -> bytes:
        with TemporaryDirectory() as scratch:
            save(Path(scratch, NAME), variety)
            return Path(scratch, NAME).read_bytes()

    def write(rng: np.random.Generator, folder: Path) -> str:
        if chance(rng, 0.02):
            (folder / NAME).write_bytes(garbage(rng, [b"PK\3\4", b"PK\5\6" + bytes(18), b"\x93NUMPY\1\0"]))
            return "garbage"
        mutation, data = mutate_stamped(rng, valid(int(rng.integers(12))))
        if chance(rng, 0.05):
            mutation, data = f"{mutation} and truncation", truncated(rng, data)
        (folder / NAME).write_bytes(data)
        return mutation

    return Target(name, write, read, {**STAMPED, **code})


@cache
def _members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def mutate_stamped(rng: np.random.Generator, valid: bytes) -> tuple[str, bytes]:
    """Change a valid stamped file; return the mutation's name and the changed file."""
    members = dict(_members(valid))
    stamp = json.loads(members.pop("stamp.json"))
    arrays = {name.removesuffix(".npy"): np.load(io.BytesIO(data)) for name, data in members.items()}
    kind = choose(rng, ["array", "array", "array", "metadata", "metadata", "stamp", "header", "member", "zip", "bytes"])
    if kind == "array":
        for _ in range(choose(rng, [1, 1, 2])):
            mutate_arrays(rng, arrays)
    elif kind == "metadata":
        for _ in range(choose(rng, [1, 1, 3])):
            change_node(rng, stamp if kind == "stamp" else stamp["metadata"])
    elif kind == "stamp":
        change_node(rng, stamp)
    files = {name: npy(array) for name, array in arrays.items()}
    if kind == "header" and files:
        name = choose(rng, list(files))
        files[name] = other_header(rng, files[name])
    has_digest = isinstance(stamp.get("sha256"), str)
    if has_digest and chance(rng, 0.9):
        stamp["sha256"] = _digest({key: value for key, value in stamp.items() if key != "sha256"}, files)
    text = json.dumps(stamp, sort_keys=True).encode()
    if kind == "stamp" and chance(rng, 0.2):
        text = choose(rng, [damaged(rng, text), b"", b"[]", b"null", b"[" * 100_000, b"\xff\xfe", text + b"x"])
    made = [Member(b"stamp.json", text), *(Member(f"{name}.npy".encode(), data) for name, data in files.items())]
    if kind == "member":
        made = _other_members(rng, made)
    if kind == "zip":
        return "npz zip", mutate_structure(rng, made)
    data = make_zip(made)
    return f"npz {kind}", damaged(rng, data) if kind == "bytes" else data


def _digest(stamp: dict, files: dict[str, bytes]) -> str:
    """The digest as the format defines it, of whatever the files hold."""
    try:
        text = canonical_json(stamp)
    except (ValueError, TypeError):
        return "0" * 64
    digest = hashlib.sha256(text.encode() + b"\n")
    for name, data in sorted(files.items()):
        digest.update(name.encode() + b"\n" + data)
    return digest.hexdigest()


def _other_members(rng: np.random.Generator, members: list[Member]) -> list[Member]:
    k = int(rng.integers(len(members)))
    name = choose(rng, [b"../x.npy", b"x.txt", b"x y.npy", b".npy", b"a/b.npy", b"stamp.json", b"", b"extra.npy"])
    extra = Member(name, npy(np.zeros(3)))
    deflated = [Member(member.name, member.data, is_deflated=True) for member in members]
    options = [members[:k] + members[k + 1 :], [*members, members[k]], members[::-1], [extra, *members]]
    return choose(rng, [*options, [*members, extra], deflated, []])


# Arrays


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(array, order="C"), version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def mutate_arrays(rng: np.random.Generator, arrays: dict[str, np.ndarray]) -> None:
    """Give one of the arrays other numbers, another type or another shape, or another name."""
    if not arrays:
        return
    name = choose(rng, list(arrays))
    array = arrays[name]
    kind = choose(rng, ["value", "value", "dtype", "shape", "shape", "drop", "rename", "swap"])
    if kind == "value" and array.size:
        array = array.copy()
        if array.dtype.kind == "f":
            values = [np.nan, np.inf, -np.inf, 0.0, -0.0, 3e38, 1e-45, -1.0, 65504.0]
        else:
            info = np.iinfo(array.dtype) if array.dtype.kind in "iu" else None
            values = [info.max, info.min, 0, 1, info.max // 2] if info else [0, 1]
        flat = array.reshape(-1)
        with np.errstate(all="ignore"):
            flat[choose(rng, [int(rng.integers(flat.size)), slice(None), -1])] = choose(rng, values)
        arrays[name] = array
    elif kind == "dtype":
        dtype = choose(rng, ["?", "u1", "i1", "<u2", "<i4", "<i8", "<u8", "<f2", "<f4", "<f8", "<c8", "<c16"])
        with np.errstate(all="ignore"):
            arrays[name] = np.real(array).astype(dtype)
    elif kind == "shape":
        if array.ndim:
            options = [array[:0], array[:-1], np.concatenate([array, array]), array.T, array.reshape(-1), array[None]]
            options += [array.reshape(-1)[:1].reshape(()) if array.size else array, array[..., None], array[..., :-1]]
            options += [np.zeros((0, 5), array.dtype), np.zeros((5, 0), array.dtype), np.zeros((1,) * 20, array.dtype)]
        else:
            options = [array.reshape(1), array[None, None]]
        arrays[name] = choose(rng, options)
    elif kind == "drop":
        del arrays[name]
    elif kind == "rename":
        arrays[choose(rng, ["other", "x" * 300, "matrix", "betas"])] = arrays.pop(name)
    else:
        other = choose(rng, list(arrays))
        arrays[name], arrays[other] = arrays[other], arrays[name]


_SHAPES = ("(3,)", "()", "(0,)", "(3, 4,)", "(-1,)", "(2147483648, 4)", "(999999999999999999, 999999999999999999)")
_SHAPES += ("(4, 3)", "[3, 4]", "(3.0, 4)", "(3L, 4L)", "(True, 4)", f"({'1, ' * 31}12)", f"({'1, ' * 40}12)", "(٣, 4)")
_DESCRS = ("'<f8'", "'|O'", "'>i4'", "'<U4'", "'|S4'", "'<M8[s]'", "'|V4'", "[('a', '<i4')]", "'<f16'", "'=i4'")


def other_header(rng: np.random.Generator, data: bytes) -> bytes:
    """Change a `.npy` header's text, or the bytes before it."""
    size = int.from_bytes(data[8:10], "little")
    head, body = data[10 : 10 + size].decode("latin-1"), data[10 + size :]
    kind = choose(rng, ["shape", "shape", "descr", "order", "text", "size", "version", "magic"])
    if kind == "shape":
        head = re.sub(r"'shape': \([^)]*\)", lambda _: f"'shape': {choose(rng, _SHAPES)}", head)
    elif kind == "descr":
        head = re.sub(r"'descr': '[^']*'", lambda _: f"'descr': {choose(rng, _DESCRS)}", head)
    elif kind == "order":
        head = head.replace("False", choose(rng, ["True", "0", "None", "__import__('os').getcwd()"]))
    elif kind == "text":
        head = damaged(rng, head.encode("utf-8")).decode("latin-1")
    text = head.encode("utf-8")
    size = other_integer(rng, len(text), 16) if kind == "size" else min(len(text), 65535)
    version = bytes([choose(rng, [0, 1, 2, 3, 255]), choose(rng, [0, 1])]) if kind == "version" else b"\1\0"
    magic = damaged(rng, b"\x93NUMPY") if kind == "magic" else b"\x93NUMPY"
    return magic + version + size.to_bytes(2, "little") + text + body


def _write_npy(rng: np.random.Generator, folder: Path) -> str:
    path = folder / "x.npy"
    arrays = [np.arange(12, dtype="<i4").reshape(3, 4), np.zeros((0, 3)), np.array(5.0), np.ones((2, 3, 2), "?")]
    array = choose(rng, arrays)
    save_array(path, array.astype(choose(rng, ["?", "u1", "<i4", "<u8", "<f4", "<c16"])))
    data = path.read_bytes()
    kind = choose(rng, ["header", "header", "bytes", "truncation", "tail", "pickle", "garbage"])
    if kind == "garbage" and chance(rng, 0.5):
        path.write_bytes(garbage(rng, [b"\x93NUMPY\1\0", b"\x93NUMPY\1\0v\0{'descr': '<f8'"]))
        return kind
    if kind == "pickle":
        buffer = io.BytesIO()
        np.save(buffer, np.array([{}, print], object), allow_pickle=True)
        data = buffer.getvalue()
    elif kind == "bytes":
        data = damaged(rng, data)
    elif kind == "truncation":
        data = truncated(rng, data)
    elif kind == "tail":
        data += rng.bytes(int(rng.integers(1, 99)))
    else:
        kind, data = "header", other_header(rng, data)
    path.write_bytes(data)
    return f"npy {kind}"


def _write_brought(rng: np.random.Generator, folder: Path) -> str:
    if chance(rng, 0.02):
        (folder / NAME).write_bytes(garbage(rng, [b"PK\3\4", b"\x93NUMPY\1\0", b"PK\5\6" + bytes(18)]))
        return "garbage"
    numbers = np.random.default_rng(0)
    arrays = {"P": numbers.normal(size=(3, choose(rng, [513, 128]))), "b": numbers.normal(size=3)}
    kind = choose(rng, ["array", "array", "header", "header", "zip", "bytes", "truncation", "bomb", "pickle"])
    if kind == "array":
        mutate_arrays(rng, arrays)
    files = {name: npy(array) for name, array in arrays.items()}
    if kind == "header":
        name = choose(rng, "Pb")
        files[name] = other_header(rng, files[name])
    elif kind == "bomb":
        rows = choose(rng, [10_000, 400_000])
        files["P"] = files["P"][:128].replace(b"(3, ", f"({rows}, ".encode()) + bytes(choose(rng, [0, 20_000_000]))
    elif kind == "pickle":
        buffer = io.BytesIO()
        np.save(buffer, np.array([{}, print], object), allow_pickle=True)
        files[choose(rng, "Pb")] = buffer.getvalue()
    is_deflated = chance(rng, 0.5) or kind == "bomb"
    members = [Member(f"{name}.npy".encode(), data, is_deflated=is_deflated) for name, data in files.items()]
    data = mutate_structure(rng, members) if kind == "zip" else make_zip(members)
    data = damaged(rng, data) if kind == "bytes" else truncated(rng, data) if kind == "truncation" else data
    (folder / NAME).write_bytes(data)
    return f"brought {kind}"
