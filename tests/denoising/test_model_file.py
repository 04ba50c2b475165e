"""The model file: what is saved comes back, what is damaged is told, and an old file loads for ever."""

import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blsh.denoising.mask_store import MaskStore
from blsh.denoising.model_file import DenoiserModel, load_model, save_model
from blsh.denoising.origins import Origins
from blsh.files.arrays import load_stamped, save_stamped
from blsh.hashing.projections import Projections, random_projections
from tests.denoising.making import origins, small_model

GOLDEN = Path(__file__).parents[1] / "golden"
KINDS = {
    "plain": {},
    "mel": {"feature_name": "mel", "n_bits": 64},
    "codebook": {"n_masks": 7},
    "bands": {"n_rows": 300, "n_masks": 256, "bands": (4, 1, 60), "n_bits": 3},
    "origins": {"with_origins": True},
}


def values(model: DenoiserModel) -> dict:
    """Everything of a model as arrays and plain values, in memory's own types."""
    plain = {name: getattr(model, name) for name in ("feature", "n_neighbours", "level", "fingerprint", "code_version")}
    plain |= {"sources": model.sources, "scores": model.scores, "settings": dict(model.settings)}
    arrays = {"matrix": model.projections.matrix, "bias": model.projections.bias, "words": model.codes.words}
    arrays |= {"packed": model.masks.packed, "index": model.masks.index}
    plain["bands"] = model.masks.bands
    if model.origins is not None:
        plain["table"] = model.origins.table
        names = ("recipe_of_row", "frame_of_row", "speech", "noise", "snr_db", "hashes")
        arrays |= {name: getattr(model.origins, name) for name in names}
    return plain | {
        name: None if array is None else (str(array.dtype), array.tolist()) for name, array in arrays.items()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_saved_comes_back(kind, tmp_path):
    model = small_model(**KINDS[kind])
    save_model(tmp_path / "m.blsh", model)
    assert values(load_model(tmp_path / "m.blsh")) == values(model)


def test_equal_models_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        save_model(tmp_path / name, small_model(with_origins=True))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    ("factor", "dtype"), [(1.0, "int8"), (0.5, "float16"), (0.1, "float32"), (128.0, "float16"), (1e6, "float32")]
)
def test_projections_take_the_smallest_type_that_holds_them_exactly(factor, dtype, tmp_path):
    model = small_model()
    matrix = np.clip(model.projections.matrix, -127, 127) * np.float32(factor)
    model = replace(model, projections=Projections(matrix, model.projections.bias))
    save_model(tmp_path / "m.blsh", model)
    assert load_stamped(tmp_path / "m.blsh", "denoiser", 1)[1]["matrix"].dtype == dtype
    np.testing.assert_array_equal(load_model(tmp_path / "m.blsh").projections.matrix, matrix)


def test_unquantised_projections_come_back_exactly(tmp_path):
    projections = random_projections(40, 513, rng=np.random.default_rng(0))
    model = replace(small_model(), projections=projections)
    save_model(tmp_path / "m.blsh", model)
    np.testing.assert_array_equal(load_model(tmp_path / "m.blsh").projections.matrix, projections.matrix)


def test_a_prefix_has_the_first_bits():
    model = small_model(n_bits=70)
    short = model.prefix(65)
    np.testing.assert_array_equal(short.projections.matrix, model.projections.matrix[:65])
    assert short.codes.n_bits == short.n_bits == 65 and len(short.masks) == short.n_rows == model.n_rows
    for n_bits in (0, 71):
        with pytest.raises(ValueError, match=f"n_bits={n_bits} must lie in 1…70"):
            model.prefix(n_bits)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"feature": "mel"}, "width 513 do not fit the feature 'mel'"),
        ({"feature": "mfcc"}, "'mfcc' is none of"),
        ({"codes": small_model(n_bits=39).codes}, "39 bits do not fit 40"),
        ({"codes": small_model(n_rows=59).codes}, "masks of 60 rows do not fit codes of 59"),
        ({"origins": origins(61)}, "origins of 61 rows"),
        ({"n_neighbours": 61}, "n_neighbours=61 must lie in 1…60"),
        ({"n_neighbours": 0}, "n_neighbours=0"),
        ({"level": 0.0}, "level=0.0"),
        ({"level": float("inf")}, "level=inf"),
        ({"level": float("nan")}, "level=nan"),
    ],
)
def test_parts_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(small_model(), **changes)


def test_a_mask_store_checks_its_parts():
    packed = small_model().masks.packed
    index = np.zeros((5, 2), np.uint8)
    for arguments, error, message in (
        ((packed.astype(np.int8),), TypeError, "uint8"),
        ((packed[:, :64],), ValueError, "65"),
        ((packed[:0],), ValueError, "at least 1"),
        ((packed | np.uint8(128),), ValueError, "beyond bin 512"),
        ((packed, index.astype(np.uint16), (5, 60)), TypeError, "uint8"),
        ((packed, index + np.uint8(60), (5, 60)), ValueError, "masks 0…59"),
        ((packed, index[:0], (5, 60)), ValueError, r"shape \(0, 2\)"),
        ((packed, index), ValueError, r"shape \(5, 2\)"),
        ((packed, index, (5, 61)), ValueError, "sum to 65"),
        ((packed, index, (0, 65)), ValueError, "sum to 65"),
        ((packed, index, ()), ValueError, "sum to 65"),
        ((packed, None, (5, 60)), ValueError, "need an index"),
    ):
        with pytest.raises(error, match=message):
            MaskStore(*arguments)


def test_a_row_has_the_patterns_of_its_bands():
    """Worked by hand: bytes 0–3 come from one mask, the rest from another."""
    patterns = np.zeros((3, 65), np.uint8)
    patterns[0], patterns[1, :4], patterns[2, 4:] = 0, 255, 1
    store = MaskStore(patterns, np.array([[1, 0], [0, 2], [1, 2]], np.uint8), (4, 61))
    expected = np.array([[255] * 4 + [0] * 61, [0] * 4 + [1] * 61, [255] * 4 + [1] * 61], np.uint8)
    np.testing.assert_array_equal(store.rows, expected)
    assert len(store) == 3 and store.n_bytes == 3 * 65 + 3 * 2
    neighbours = np.array([[0, 1], [2, 2]])
    np.testing.assert_array_equal(store.average(neighbours), MaskStore(expected).average(neighbours))
    np.testing.assert_array_equal(store.average(neighbours)[0, :33], [0.5] * 33)


def test_an_origin_is_a_recipe_and_a_frame():
    found = origins(4)
    recipe = found.recipe(2)
    assert (recipe.speaker, recipe.noise, recipe.snr_db, found.frame(2)) == ("anna", "rain", 0.0, 2)
    assert [(p.path, p.start, p.n_samples) for p in recipe.noise_pieces] == [
        ("rain/1.wav", 5, 9000),
        ("rain/2.wav", 0, 7160),
    ]
    assert found.recipe(1).speech.start == 16000 and found.recipe(3).seconds == 2.0
    assert found.recordings[0].path == 'anna/a, "b".wav' and found.recordings[1].sha256 == bytes(range(32, 64)).hex()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("recipe_of_row", np.array([2], np.uint32), "must be"),
        ("frame_of_row", np.zeros(3, np.uint32), "shape"),
        ("speech", np.array([[3, 0, 16000], [0, 0, 16000]], np.uint32), "speech holds 3, which must be below 3"),
        ("noise", np.array([[0, 3, 0, 1], [1, 1, 0, 1]], np.uint32), "noise holds 3"),
        ("noise", np.array([[1, 1, 0, 1], [0, 1, 0, 1]], np.uint32), "in the order of the mixtures"),
        ("noise", np.array([[0, 1, 0, 1]], np.uint32), "in the order of the mixtures"),
        ("snr_db", np.array([0.0, np.nan]), "not finite"),
        ("hashes", np.zeros((2, 32), np.uint8), "shape"),
    ],
)
def test_origins_check_their_parts(name, value, message):
    with pytest.raises(ValueError, match=message):
        replace(origins(4), **{name: value})
    with pytest.raises(ValueError, match="recipe_of_row holds 2"):
        replace(origins(1), recipe_of_row=np.array([2], np.uint32))


def save(tmp_path, **options) -> Path:
    path = tmp_path / "m.blsh"
    save_model(path, small_model(n_rows=12, n_bits=9, feature_name="mel", **options))
    return path


def test_every_changed_byte_is_seen_or_harmless(tmp_path):
    path = save(tmp_path, with_origins=True)
    whole, expected = path.read_bytes(), values(load_model(path))
    rng, harmless = np.random.default_rng(0), 0
    ends = {*range(600), *range(len(whole) - 300, len(whole))}
    for position in sorted(ends | set(rng.integers(0, len(whole), 600).tolist())):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            # The zip's own records hold dates and the like, which nobody reads.
            assert values(load_model(path)) == expected
            harmless += 1
        except ValueError as error:
            assert str(path) in str(error) and "\n" not in str(error)
    assert harmless < 400


def test_every_truncation_is_told(tmp_path):
    path = save(tmp_path)
    whole = path.read_bytes()
    for n_bytes in {*range(0, 200), *range(200, len(whole), 97)}:
        path.write_bytes(whole[:n_bytes])
        with pytest.raises(ValueError, match=r"m\.blsh"):
            load_model(path)


def resave(path: Path, change) -> None:
    """Save metadata and arrays that `change` has changed, with a right checksum."""
    metadata, arrays = load_stamped(path, "denoiser", 1)
    change(metadata, arrays)
    save_stamped(path, "denoiser", 1, metadata, arrays)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m, a: m.update(n_bits=8), "codes are uint8"),
        (lambda m, a: m.update(n_bits="9"), "n_bits='9' must be of type int"),
        (lambda m, a: m.update(n_bits=True), "must be of type int"),
        (lambda m, a: m.update(n_bits=-9), "codes are uint8"),
        (lambda m, a: m.update(level=0), "of type float"),
        (lambda m, a: m.update(level=-1.0), "level=-1.0"),
        (lambda m, a: m.update(feature=["mel"]), "of type str"),
        (lambda m, a: m.update(n_neighbours=13), "n_neighbours=13"),
        (lambda m, a: m["signal"].update(hop_length=128), "signal settings"),
        (lambda m, a: m.update(sources=[{"name": "x"}]), "is no source"),
        (lambda m, a: m.update(sources=[3]), "is no source"),
        (lambda m, a: m["sources"][0].update(attributions=[1]), "must be text"),
        (lambda m, a: m["scores"][0].update(sdr="4"), "of type float"),
        (lambda m, a: m.update(settings=[]), "of type dict"),
        (lambda m, a: m.pop("level"), "'level' is missing"),
        (lambda m, a: m.update(recordings="a,b\n"), "'origin_recipe_of_row' is missing"),
        (lambda m, a: a.pop("codes"), "'codes' is missing"),
        (lambda m, a: a.update(extra=np.zeros(3)), "no denoiser has: extra"),
        (lambda m, a: a.update(matrix=a["matrix"].astype(np.float64)), "float64"),
        (lambda m, a: a.update(bias=a["bias"][:-1]), "bias"),
        (lambda m, a: a.update(bias=np.full(9, np.nan, np.float32)), "not finite"),
        (lambda m, a: a.update(codes=a["codes"] | np.uint8(255)), "past n_bits=9"),
        (lambda m, a: a.update(masks=a["masks"][:-1]), "masks of 11 rows"),
        (lambda m, a: a.update(index=np.full((12, 1), 12, np.uint8)), "'bands' is missing"),
        (lambda m, a: a.update(index=np.full((12, 1), 12, np.uint8), bands=np.array([65], np.uint8)), "masks 0…11"),
        (lambda m, a: a.update(index=np.zeros((12, 1), np.uint8), bands=np.array([65])), "bands.dtype=int64"),
        (lambda m, a: a.update(bands=np.array([65], np.uint8)), "no denoiser has: bands"),
    ],
)
def test_parts_of_a_wrong_kind_are_told(change, message, tmp_path):
    path = save(tmp_path)
    resave(path, change)
    with pytest.raises(ValueError, match=message) as told:
        load_model(path)
    assert str(path) in str(told.value) and "\n" not in str(told.value)


def test_other_files_are_told(tmp_path):
    path = tmp_path / "m.blsh"
    with pytest.raises(FileNotFoundError):
        load_model(path)
    save_stamped(path, "denoiser", 2, {}, {})
    with pytest.raises(ValueError, match="has version 2"):
        load_model(path)
    save_stamped(path, "projections", 1, {}, {})
    with pytest.raises(ValueError, match="kind 'projections'"):
        load_model(path)
    path.write_bytes(b"RIFF....WAVE")
    with pytest.raises(ValueError, match=r"m\.blsh"):
        load_model(path)


def test_nothing_in_a_model_file_is_run(tmp_path):
    path = save(tmp_path)
    pickled = tmp_path / "pickled.npy"
    np.save(pickled, np.array([{"a": 1}], object), allow_pickle=True)
    evil = tmp_path / "evil.blsh"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(evil, "w") as new:
        for member in old.infolist():
            new.writestr(member, pickled.read_bytes() if member.filename == "bias.npy" else old.read(member))
    with pytest.raises(ValueError, match=r"evil\.blsh"):
        load_model(evil)


def test_the_golden_model_of_version_1_loads_for_ever(tmp_path):
    """Written once, by the first code that wrote version 1; see tests/golden/README.md."""
    expected = json.loads((GOLDEN / "model_v1.json").read_text(encoding="utf-8"))
    shutil.copy(GOLDEN / "model_v1.blsh", tmp_path / "m.blsh")
    assert json.loads(json.dumps(values(load_model(tmp_path / "m.blsh")), default=vars)) == expected


def test_origins_refuse_a_table_of_another_width(tmp_path):
    path = save(tmp_path, with_origins=True)
    resave(path, lambda m, a: m.update(recordings=m["recordings"] + "one,two\n"))
    with pytest.raises(ValueError, match="2 fields"):
        load_model(path)
    assert isinstance(small_model(with_origins=True).origins, Origins)
