"""Files of projections that people bring: read as they are meant, or refused in one line."""

import tracemalloc
import zipfile

import numpy as np
import pytest

from blsh.hashing.brought import read_brought_projections

WIDTHS = {"stft": 513, "mel": 128}


@pytest.fixture
def saved(tmp_path):
    def save(**arrays):
        np.savez(tmp_path / "my.npz", **arrays)
        return tmp_path / "my.npz"

    return save


@pytest.mark.parametrize(("width", "feature"), [(513, "stft"), (128, "mel")])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int8, ">f8"])
def test_the_width_tells_the_feature(saved, rng, width, feature, dtype):
    matrix, bias = (10 * rng.standard_normal((7, width))).astype(dtype), (10 * rng.standard_normal(7)).astype(dtype)
    found, projections = read_brought_projections(saved(P=matrix, b=bias), WIDTHS)
    assert found == feature
    np.testing.assert_array_equal(projections.matrix, matrix.astype(np.float32))
    np.testing.assert_array_equal(projections.bias, bias.astype(np.float32))
    _, projections = read_brought_projections(saved(P=np.asfortranarray(matrix), b=bias), WIDTHS)
    np.testing.assert_array_equal(projections.matrix, matrix.astype(np.float32))


def test_a_header_that_claims_more_than_is_there(tmp_path):
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (400000000, 513), }".ljust(117) + "\n"
    with zipfile.ZipFile(tmp_path / "my.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("b.npy", b"")
        archive.writestr("P.npy", b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header.encode())
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="its header claims 1641600000000 bytes of float64"):
            read_brought_projections(tmp_path / "my.npz", WIDTHS)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_further_arrays_and_compression_do_not_matter(tmp_path, rng):
    np.savez_compressed(tmp_path / "c.npz", P=np.ones((2, 128)), b=np.zeros(2), note=np.array(["by hand"]))
    assert read_brought_projections(tmp_path / "c.npz", WIDTHS)[1].n_bits == 2


P, b = np.ones((4, 128)), np.zeros(4)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"P": P}, r"my.npz is no .npz of numbers: it has no array 'b'; save it with np.savez\(file, P=P, b=b\)$"),
        ({"matrix": P, "b": b}, r"it has no array 'P'"),
        ({"P": P[:, :100], "b": b}, r"P of shape \(4, 100\) has 100 columns, not 513 \(stft\), 128 \(mel\)$"),
        ({"P": P.T, "b": np.zeros(128)}, r"has 4 columns, not .*; give its transpose, a row per bit$"),
        ({"P": P, "b": b[:3]}, r"bias of shape \(3,\) must have a value for each of the 4 bits"),
        ({"P": P[0], "b": b}, r"P is float64 of shape \(128,\); real numbers of 2 axes are needed"),
        ({"P": P, "b": b[:, None]}, r"b is float64 of shape \(4, 1\); real numbers of 1 axes are needed"),
        ({"P": P + 1j, "b": b}, r"P is complex128 of shape"),
        ({"P": P > 0, "b": b}, r"P is bool of shape"),
        ({"P": np.where(P == 1, np.nan, 0), "b": b}, r"matrix has values that are not finite"),
        ({"P": P, "b": b + np.inf}, r"bias has values that are not finite"),
        ({"P": 1e300 * P, "b": b}, r"matrix has values that are not finite"),
        ({"P": P[:0], "b": b[:0]}, r"matrix of shape \(0, 128\) must have a bit and a feature at least"),
        (
            {"P": np.array([[object()] * 128]), "b": b[:1]},
            r"is no .npz of numbers: its .npy header does not describe an array of plain numbers",
        ),
    ],
)
def test_wrong_files_are_named_in_one_line(saved, arrays, message):
    with pytest.raises(ValueError, match=message) as caught:
        read_brought_projections(saved(**arrays), WIDTHS)
    assert "my.npz" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"P = 1", b"\x93NUMPY\x01\x00", b"PK\x03\x04 and no more"])
def test_files_of_another_kind(tmp_path, content):
    (tmp_path / "my.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"my.npz is no .npz of numbers") as caught:
        read_brought_projections(tmp_path / "my.npz", WIDTHS)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("cut", [10, 200, 2000])
def test_a_file_cut_short(saved, cut):
    path = saved(P=P, b=b)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(ValueError, match=r"my.npz is no .npz of numbers"):
        read_brought_projections(path, WIDTHS)


def test_a_single_array_is_no_archive(tmp_path):
    np.save(tmp_path / "my.npy", P)
    with pytest.raises(ValueError, match=r"my.npy is no .npz of numbers"):
        read_brought_projections(tmp_path / "my.npy", WIDTHS)


def test_no_file_and_a_folder(tmp_path):
    for path in (tmp_path / "none.npz", tmp_path):
        with pytest.raises(FileNotFoundError, match=r"no such file of projections; correct the path"):
            read_brought_projections(path, WIDTHS)


def test_a_member_that_claims_another_compression_is_told(saved, rng):
    path = saved(P=rng.standard_normal((4, 128)), b=np.zeros(4))
    data = bytearray(path.read_bytes())
    # The method of every member, in its own header and in the directory: 14 is LZMA, which these bytes are not.
    for signature, offset in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
        at = -1
        while (at := data.find(signature, at + 1)) >= 0:
            data[at + offset : at + offset + 2] = (14).to_bytes(2, "little")
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"my\.npz"):
        read_brought_projections(path, WIDTHS)
