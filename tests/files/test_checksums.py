import hashlib

import pytest

from blsh.files import canonical_json, digest_of, sha256_of_file


def test_a_file_larger_than_one_block(tmp_path, rng):
    content = rng.bytes(700_001)
    (tmp_path / "x").write_bytes(content)
    assert sha256_of_file(tmp_path / "x") == hashlib.sha256(content).hexdigest()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="none"):
        sha256_of_file(tmp_path / "none")


def test_equal_values_have_equal_digests():
    assert digest_of({"b": (1, 2.5), "a": "ρ"}) == digest_of({"a": "ρ", "b": [1, 2.5]})
    assert digest_of({"a": 1}) != digest_of({"a": "1"})
    # Fixed for good: file names and rerun decisions hang on it.
    assert canonical_json({"b": [1, 0.1, None], "a": "ρ"}) == '{"a":"\\u03c1","b":[1,0.1,null]}'
    assert digest_of({}) == hashlib.sha256(b"{}").hexdigest()


def test_what_json_cannot_say_has_no_digest():
    with pytest.raises(ValueError, match="not JSON compliant"):
        digest_of(float("inf"))
    with pytest.raises(TypeError, match="not JSON serializable"):
        digest_of({1, 2})
