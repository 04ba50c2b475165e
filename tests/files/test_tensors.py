"""Stamped safetensors: what is written comes back, the same values are the same bytes, and nothing else is accepted."""

import errno
import json
import shutil
import struct
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import save_file

from blsh.files.tensors import load_tensors, read_stamp, save_tensors

KIND = "thing"
METADATA = {"name": "é", "sizes": [1, 2], "inner": {"x": 0.5}}


@pytest.fixture
def tensors(rng) -> dict[str, np.ndarray]:
    return {
        "layer.0.weight": rng.standard_normal((3, 4)).astype(np.float32),
        "layer.0.bias": np.zeros(3, np.float32),
        "empty": np.zeros((0, 2), np.int64),
        "transposed": np.arange(6.0).reshape(2, 3).T,
    }


@pytest.fixture
def path(tensors, tmp_path):
    save_tensors(tmp_path / "a.safetensors", KIND, 1, METADATA, tensors)
    return tmp_path / "a.safetensors"


def test_what_is_written_comes_back(path, tensors):
    metadata, loaded = load_tensors(path, KIND, 1)
    assert metadata == METADATA == read_stamp(path, KIND, 1)
    assert loaded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert loaded[name].dtype == tensor.dtype
        np.testing.assert_array_equal(loaded[name], tensor)


def test_equal_values_are_equal_bytes(path, tensors, tmp_path):
    save_tensors(tmp_path / "b.safetensors", KIND, 1, METADATA, dict(reversed(tensors.items())))
    assert (tmp_path / "b.safetensors").read_bytes() == path.read_bytes()


def test_other_programs_can_read_it(path, tensors):
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file

    loaded = load_file(path)
    assert torch.equal(loaded["layer.0.weight"], torch.from_numpy(tensors["layer.0.weight"]))


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_tensors(tmp_path / "none.safetensors", KIND, 1)


def test_every_cut_is_seen(path):
    whole = path.read_bytes()
    for length in (0, 5, 8, 60, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"a.safetensors is no whole safetensors file"):
            load_tensors(path, KIND, 1)


def test_a_changed_bit_is_seen(path):
    contents = bytearray(path.read_bytes())
    contents[-3] ^= 1
    path.write_bytes(contents)
    with pytest.raises(ValueError, match=r"a.safetensors is damaged, its digest is not its tensors'"):
        load_tensors(path, KIND, 1)


def test_another_kind_or_version(path):
    with pytest.raises(ValueError, match=r"a.safetensors holds kind 'thing' where 'other' is needed"):
        load_tensors(path, "other", 1)
    with pytest.raises(ValueError, match=r"a.safetensors has version 1 of kind 'thing' and this blsh reads version 2"):
        read_stamp(path, KIND, 2)


@pytest.mark.parametrize(
    "metadata",
    [None, {"other": "x"}, {"blsh": "{"}, {"blsh": "[" * 10_000}, {"blsh": "[]"}, {"blsh": '{"kind": "thing"}'}],
)
def test_files_of_other_programs(tmp_path, tensors, metadata):
    save_file({"x": tensors["layer.0.bias"]}, tmp_path / "x.safetensors", metadata=metadata)
    with pytest.raises(ValueError, match=r"x.safetensors has (no stamp of blsh|a stamp of another form)"):
        load_tensors(tmp_path / "x.safetensors", KIND, 1)


def test_a_type_that_numpy_does_not_have(path):
    whole = path.read_bytes()
    (length,) = struct.unpack("<Q", whole[:8])
    header = json.loads(whole[8 : 8 + length])
    header["layer.0.weight"] |= {"dtype": "BF16", "shape": [6, 4]}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + whole[8 + length :])
    with pytest.raises(ValueError, match=r"a.safetensors (holds tensors of an unknown type|is damaged)"):
        load_tensors(path, KIND, 1)


def test_metadata_that_json_cannot_say_leaves_nothing(tmp_path, tensors):
    with pytest.raises(ValueError, match="not JSON compliant"):
        save_tensors(tmp_path / "n.safetensors", KIND, 1, {"x": float("nan")}, tensors)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_seen_before_writing(tmp_path, tensors, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
    with pytest.raises(OSError, match=r"n.safetensors needs \d+ bytes and 100 are free") as caught:
        save_tensors(tmp_path / "n.safetensors", KIND, 1, {}, tensors)
    assert caught.value.errno == errno.ENOSPC
    assert list(tmp_path.iterdir()) == []
