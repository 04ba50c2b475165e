import io
import json
import os
import shutil
import tracemalloc
import zipfile
from types import SimpleNamespace

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blsh.files import RowWriter, load_array, load_stamped, load_unstamped, save_array, save_stamped

PLAIN_DTYPES = ["?", "u1", "i1", "<u2", "<i4", "<u8", "<f2", "<f4", "<f8", "<c8", "<c16"]
# The folder is shared by a property's examples, each of which writes its files anew.
one_folder = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


def arrays():
    shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5)
    return st.sampled_from(PLAIN_DTYPES).flatmap(lambda dtype: hnp.arrays(dtype, shapes))


def assert_same(actual, expected):
    assert actual.dtype == expected.dtype and actual.shape == expected.shape
    assert actual.flags.c_contiguous
    assert actual.tobytes() == expected.tobytes()


# .npy


@one_folder
@given(array=arrays())
def test_an_array_comes_back_and_numpy_reads_it(tmp_path, array):
    save_array(tmp_path / "x.npy", array)
    assert_same(load_array(tmp_path / "x.npy"), array)
    assert_same(load_array(tmp_path / "x.npy", mapped=True), array)
    assert_same(np.load(tmp_path / "x.npy", allow_pickle=False), array)


@one_folder
@given(array=arrays())
def test_an_array_of_numpy_is_read(tmp_path, array):
    array = np.asarray(array, order="C")
    np.save(tmp_path / "x.npy", array)
    assert_same(load_array(tmp_path / "x.npy"), array)


def test_any_memory_order_is_written_in_c_order(tmp_path, rng):
    array = rng.standard_normal((6, 4)).T[:, ::2]
    save_array(tmp_path / "x.npy", array)
    assert_same(load_array(tmp_path / "x.npy"), np.ascontiguousarray(array))


def test_a_mapped_array_is_a_read_only_plain_array(tmp_path):
    save_array(tmp_path / "x.npy", np.arange(10.0))
    mapped = load_array(tmp_path / "x.npy", mapped=True)
    assert type(mapped) is np.ndarray and not mapped.flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        mapped[0] = 1


@pytest.mark.parametrize("array", [np.array([{}]), np.array(["a"]), np.zeros(2, ">f4"), np.zeros(2, "f4,i4")])
def test_only_plain_numbers_are_saved(tmp_path, array):
    with pytest.raises(ValueError, match=r"an array of dtype .* cannot be stored: only little-endian"):
        save_array(tmp_path / "x.npy", array)
    with pytest.raises(ValueError, match="cannot be stored"):
        save_stamped(tmp_path / "x.npz", "k", 1, {}, {"a": array})
    assert os.listdir(tmp_path) == []


def test_pickles_are_not_loaded(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(ValueError, match=r"x\.npy cannot be loaded: its \.npy header does not describe a plain"):
        load_array(tmp_path / "x.npy")


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize("claim", ["(1000000000000,)", "(999999999999999999, 999999999999999999)", "(4,)"])
def test_a_header_that_claims_another_size_allocates_nothing(tmp_path, claim, mapped):
    save_array(tmp_path / "x.npy", np.arange(3.0))
    content = (tmp_path / "x.npy").read_bytes()
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': " + claim.encode() + b", }"
    (tmp_path / "x.npy").write_bytes(content[:10] + header.ljust(117) + b"\n" + content[128:])
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"x\.npy cannot be loaded: its header claims \d+ bytes .* 24 are there"):
            load_array(tmp_path / "x.npy", mapped=mapped)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("mapped", [False, True])
@one_folder
@given(data=st.data())
def test_a_mutated_npy_file_is_an_error_or_an_array_of_its_size(tmp_path, mapped, data):
    save_array(tmp_path / "x.npy", np.arange(12, dtype="<i4").reshape(3, 4))
    content = (tmp_path / "x.npy").read_bytes()
    mutated = data.draw(mutations(content))
    (tmp_path / "x.npy").write_bytes(mutated)
    try:
        array = load_array(tmp_path / "x.npy", mapped=mapped)
    except ValueError as error:
        assert "x.npy cannot be loaded" in str(error) and "\n" not in str(error)
    else:
        assert array.nbytes == len(content) - 128


def test_a_missing_array_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.npy"):
        load_array(tmp_path / "none.npy")


# Row by row


@one_folder
@given(sizes=st.lists(st.integers(0, 4)), width=st.integers(0, 3))
def test_rows_in_any_portions_make_the_array(tmp_path, sizes, width):
    rows = np.arange(sum(sizes) * width, dtype=np.uint16).reshape(sum(sizes), width)
    with RowWriter(tmp_path / "x.npy", np.int64(len(rows)), width, np.uint16) as writer:
        for portion in np.split(rows, np.cumsum(sizes)):
            writer.append(portion)
        assert not (tmp_path / "x.npy").exists()
    assert_same(load_array(tmp_path / "x.npy", mapped=True), rows)
    (tmp_path / "x.npy").unlink()


def test_strided_rows_are_written(tmp_path):
    rows = np.arange(12.0).reshape(3, 4)[:, ::2]
    with RowWriter(tmp_path / "x.npy", 3, 2, float) as writer:
        writer.append(rows)
    assert_same(load_array(tmp_path / "x.npy"), rows.copy())


def test_too_few_or_too_many_rows_leave_no_file(tmp_path):
    with pytest.raises(ValueError, match=r"2 of the 3 rows announced for .*x\.npy were written"):
        with RowWriter(tmp_path / "x.npy", 3, 2, "f4") as writer:
            writer.append(np.zeros((2, 2), "f4"))
    with pytest.raises(ValueError, match="row 4 exceeds the 3 rows announced"):
        with RowWriter(tmp_path / "x.npy", 3, 2, "f4") as writer:
            writer.append(np.zeros((4, 2), "f4"))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("rows", [np.zeros((1, 3), "f4"), np.zeros(2, "f4"), np.zeros((1, 2), "f8")])
def test_rows_of_another_kind_are_refused(tmp_path, rows):
    with pytest.raises(ValueError, match=r"do not fit .*x\.npy: it takes \(any, 2\) of float32"):
        with RowWriter(tmp_path / "x.npy", 3, 2, "f4") as writer:
            writer.append(rows)
    assert os.listdir(tmp_path) == []


def test_an_error_in_the_block_is_the_one_that_is_raised(tmp_path):
    with pytest.raises(KeyError, match="mine"):
        with RowWriter(tmp_path / "x.npy", 3, 2, "f4"):
            raise KeyError("mine")
    assert os.listdir(tmp_path) == []


def test_rows_look_at_the_free_space_first(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=1 << 20))
    with pytest.raises(OSError, match=r"x\.npy needs 4000128 bytes and 1048576 are free"):
        with RowWriter(tmp_path / "x.npy", 1000, 1000, "f4"):
            pass
    assert os.listdir(tmp_path) == []


# Stamped


def save_example(path, **changes):
    stamp = {"kind": "projections", "version": 3, "metadata": {"σ²": 0.1, "sources": ["a", None]}}
    arrays = {
        "matrix": np.arange(6, dtype="<f4").reshape(2, 3),
        "bias": np.zeros(0),
        "scalar": np.array(True),
    }
    save_stamped(path, **{**stamp, "arrays": arrays, **changes})
    return arrays


def test_a_stamped_file_comes_back(tmp_path):
    expected = save_example(tmp_path / "m.npz")
    metadata, arrays = load_stamped(tmp_path / "m.npz", "projections", 3)
    assert metadata == {"σ²": 0.1, "sources": ["a", None]}
    assert arrays.keys() == expected.keys()
    for name, array in expected.items():
        assert_same(arrays[name], array)


def test_other_tools_read_a_stamped_file(tmp_path):
    expected = save_example(tmp_path / "m.npz")
    with np.load(tmp_path / "m.npz", allow_pickle=False) as loaded:
        assert_same(loaded["matrix"], expected["matrix"])
        assert json.loads(loaded["stamp.json"])["kind"] == "projections"


def test_equal_values_give_equal_bytes(tmp_path):
    arrays = save_example(tmp_path / "a.npz")
    fortran = np.asfortranarray(arrays["matrix"])
    save_example(tmp_path / "b.npz", arrays={**dict(reversed(arrays.items())), "matrix": fortran})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_metadata_with_what_json_changes_is_still_intact(tmp_path):
    save_example(tmp_path / "m.npz", metadata={"pairs": {9: (1, 2), 10: ()}})
    assert load_stamped(tmp_path / "m.npz", "projections", 3)[0] == {"pairs": {"9": [1, 2], "10": []}}


def test_another_kind_or_version_is_an_error_with_both(tmp_path):
    save_example(tmp_path / "m.npz")
    with pytest.raises(ValueError, match=r"m\.npz holds kind 'projections' where 'codes' is needed"):
        load_stamped(tmp_path / "m.npz", "codes", 3)
    with pytest.raises(ValueError, match=r"m\.npz has version 3 of kind 'projections' and this blsh reads version 4"):
        load_stamped(tmp_path / "m.npz", "projections", 4)
    with pytest.raises(FileNotFoundError, match=r"none\.npz"):
        load_stamped(tmp_path / "none.npz", "projections", 3)


def test_unfit_names_and_metadata_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"array name '\.\./x' must be letters"):
        save_example(tmp_path / "m.npz", arrays={"../x": np.zeros(1)})
    with pytest.raises(ValueError, match=r"metadata of \d+ bytes exceeds 16777216"):
        save_example(tmp_path / "m.npz", metadata={"long": "x" * (1 << 24)})
    with pytest.raises(ValueError, match="not JSON compliant"):
        save_example(tmp_path / "m.npz", metadata={"beta": float("nan")})


@settings(one_folder, max_examples=150)
@given(data=st.data())
def test_a_mutated_stamped_file_is_an_error_or_the_same_values(tmp_path, data):
    expected = save_example(tmp_path / "m.npz")
    (tmp_path / "m.npz").write_bytes(data.draw(mutations((tmp_path / "m.npz").read_bytes())))
    try:
        metadata, arrays = load_stamped(tmp_path / "m.npz", "projections", 3)
    except ValueError as error:
        assert "m.npz" in str(error) and "\n" not in str(error)
    else:  # a bit that carries nothing: a date, a permission
        assert metadata == {"σ²": 0.1, "sources": ["a", None]}
        for name, array in expected.items():
            assert_same(arrays[name], array)


def test_every_single_flipped_byte_of_the_arrays_is_seen(tmp_path):
    save_example(tmp_path / "m.npz", arrays={"a": np.arange(4, dtype="u1")})
    content = (tmp_path / "m.npz").read_bytes()
    start = content.index(b"\x00\x01\x02\x03")
    for position in range(start, start + 4):
        flipped = bytearray(content)
        flipped[position] ^= 0x40
        (tmp_path / "m.npz").write_bytes(flipped)
        with pytest.raises(ValueError, match=r"m\.npz is no projections file of blsh: Bad CRC-32"):
            load_stamped(tmp_path / "m.npz", "projections", 3)


def test_a_zip_that_is_whole_but_not_what_was_saved_is_damaged(tmp_path):
    save_example(tmp_path / "m.npz", arrays={"a": np.zeros(2)})
    members = read_members(tmp_path / "m.npz")
    write_members(tmp_path / "m.npz", {**members, "a.npy": npy(np.ones(2))})
    with pytest.raises(ValueError, match=r"m\.npz is damaged, its sha256 is not its contents'"):
        load_stamped(tmp_path / "m.npz", "projections", 3)


def lacking_stamp(members):
    return {"a.npy": members["a.npy"]}


def stamp_with(**changes):
    return lambda members: {
        **members,
        "stamp.json": json.dumps({**json.loads(members["stamp.json"]), **changes}),
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lacking_stamp, r"its first member must be stamp\.json"),
        (lambda members: {**members, "stamp.json": b"{"}, "Expecting property name"),
        (lambda members: {**members, "stamp.json": b"[" * 100_000}, "recursion"),
        (lambda members: {**members, "stamp.json": b"[]"}, r"stamp\.json has not the entries"),
        (stamp_with(more=1), r"stamp\.json has not the entries"),
        (stamp_with(metadata=[]), "is not an object"),
        (stamp_with(metadata={"x": float("nan")}), "not JSON compliant"),
        (stamp_with(sha256=None), "is damaged"),
        (lambda members: {**members, "a.npy": b"no array"}, r"not an \.npy array"),
        (lambda members: {**members, "a.npy": npy(np.array([{}]))}, "does not describe a plain"),
        (lambda members: {**members, "a.npy": npy(np.zeros((2, 2), order="F"))}, "does not describe a plain"),
        (lambda members: {**members, "../a.npy": members["a.npy"]}, "is not the .npy of a plain name"),
    ],
)
def test_a_crafted_zip_is_one_clear_error(tmp_path, change, message):
    save_example(tmp_path / "m.npz", arrays={"a": np.zeros(2)})
    write_members(tmp_path / "m.npz", change(read_members(tmp_path / "m.npz")))
    with pytest.raises(ValueError, match=message) as caught:
        load_stamped(tmp_path / "m.npz", "projections", 3)
    assert "m.npz" in str(caught.value) and "\n" not in str(caught.value)


def test_a_bomb_is_not_inflated(tmp_path):
    save_example(tmp_path / "m.npz", arrays={"a": np.zeros(2)})
    members = {**read_members(tmp_path / "m.npz"), "a.npy": npy(np.zeros(1 << 23))}
    write_members(tmp_path / "m.npz", members, zipfile.ZIP_DEFLATED)
    assert_small_error(tmp_path / "m.npz", "is compressed")


def test_members_that_claim_more_than_the_file_are_not_read(tmp_path):
    save_example(tmp_path / "m.npz", arrays={"a": np.zeros(2)})
    content = (tmp_path / "m.npz").read_bytes()
    member = (16 + 128).to_bytes(4, "little") * 2  # compressed and plain size, in both headers of the member
    assert content.count(member) == 2
    (tmp_path / "m.npz").write_bytes(content.replace(member, (1 << 31).to_bytes(4, "little") * 2))
    assert_small_error(tmp_path / "m.npz", r"its members claim \d+ bytes")


def test_an_array_header_inside_a_zip_cannot_claim_more_than_its_member(tmp_path):
    save_example(tmp_path / "m.npz", arrays={"a": np.zeros(2)})
    members = read_members(tmp_path / "m.npz")
    members["a.npy"] = members["a.npy"].replace(b"(2,), }" + b" " * 11, b"(200000000000,), }")
    write_members(tmp_path / "m.npz", members)
    assert_small_error(tmp_path / "m.npz", "its header claims 1600000000000 bytes")


def assert_small_error(path, message):
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=message):
            load_stamped(path, "projections", 3)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def mutations(content):
    """Give the bytes with one changed, or cut short, or with some appended."""
    positions = st.integers(0, len(content) - 1)
    return st.one_of(
        st.builds(
            lambda position, flip: content[:position] + bytes([content[position] ^ flip]) + content[position + 1 :],
            positions,
            st.integers(1, 255),
        ),
        positions.map(lambda position: content[:position]),
        st.binary(min_size=1, max_size=50).map(lambda more: content + more),
    )


def npy(array):
    text = io.BytesIO()
    np.save(text, array, allow_pickle=True)
    return text.getvalue()


def read_members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_members(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


# Files of others


@one_folder
@given(array=arrays(), order=st.sampled_from("CF"), swap=st.booleans(), packed=st.booleans())
def test_arrays_that_numpy_saved_are_read(tmp_path, array, order, swap, packed):
    array = np.asarray(array, order=order)
    array = array.astype(array.dtype.newbyteorder(">")) if swap else array
    save = np.savez_compressed if packed else np.savez
    save(tmp_path / "x.npz", a=array, note=np.array(["text"]))
    found = load_unstamped(tmp_path / "x.npz", ["a"])["a"]
    assert found.dtype == array.dtype and found.shape == array.shape
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize(
    ("names", "max_bytes", "message"),
    [
        (["a", "b"], 1000, "x.npz is no .npz of numbers: it has no array 'b'"),
        (["a"], 100, "x.npz is no .npz of numbers: its arrays claim 208 bytes, more than 100"),
        (["o"], 1000, "x.npz is no .npz of numbers: its .npy header does not describe an array of plain numbers"),
        (["t"], 1000, "does not describe an array of plain numbers"),
    ],
)
def test_what_is_no_file_of_numbers(tmp_path, names, max_bytes, message):
    np.savez_compressed(tmp_path / "x.npz", a=np.arange(10.0), o=np.array([{}]), t=np.array(["a"]))
    with pytest.raises(ValueError, match=message):
        load_unstamped(tmp_path / "x.npz", names, max_bytes=max_bytes)
    with pytest.raises(FileNotFoundError):
        load_unstamped(tmp_path / "none.npz", names)
    (tmp_path / "x.npz").write_bytes((tmp_path / "x.npz").read_bytes()[:-5])
    with pytest.raises(ValueError, match=r"x\.npz is no \.npz of numbers: "):
        load_unstamped(tmp_path / "x.npz", names)


def test_a_device_is_not_read_to_its_end(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match=r"pipe is not a regular file: give a test file of blsh"):
        load_stamped(tmp_path / "pipe", "test", 1)
