import tracemalloc

import pytest

from blsh.files.plain_yaml import read_plain_yaml
from tests.counting import calls_of

LAUGHS = "\n".join(["l0: &l0 [ha, ha]", *(f"l{k}: &l{k} [{', '.join([f'*l{k - 1}'] * 10)}]" for k in range(1, 30))])
MERGES = "\n".join(
    ["m0: &m0 {a: 1}", *(f"m{k}: &m{k} {{b{k}: 1, <<: [{', '.join([f'*m{k - 1}'] * 9)}]}}" for k in range(1, 12))]
)


def write(folder, text):
    (folder / "x.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder / "x.yaml"


def test_plain_values(tmp_path):
    text = "# text\na: {b: [1, -2.5, 1.0e-4, true, null, ~, 'x: y', x]}\n'1': &c {d: e}\nf: *c\ng: {<<: *c, h: 0}\n"
    expected = {
        "a": {"b": [1, -2.5, 1e-4, True, None, None, "x: y", "x"]},
        "1": {"d": "e"},
        "f": {"d": "e"},
        "g": {"d": "e", "h": 0},
    }
    assert read_plain_yaml(write(tmp_path, text)) == expected
    assert read_plain_yaml(write(tmp_path, b"\xef\xbb\xbfa: \xc3\xa9\r\n")) == {"a": "é"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no keys"),
        ("- a", "holds no keys"),
        ("a: [", "not a YAML file"),
        ("a: b: c", "not a YAML file"),
        ("a: 1\n---\nb: 2", "not a YAML file"),
        (b"a: \xff", r"not a YAML file \(not UTF-8 text\)"),
        ("a: \x07", "not a YAML file"),
        ("a: *b", "not a YAML file .*undefined alias"),
        ("__use_yte__: false", "line 1: __use_yte__ would run code from the file"),
        ("a: {b: [{__use_yte__: 1}]}", "line 1: __use_yte__ would run code"),
        ("a: 1\n<<: {__use_yte__: 1}", "line 2: __use_yte__ would run code"),
        ('"\\x5f_use_yte__": 1', "__use_yte__ would run code"),
        (
            "a: !!python/object/apply:os.system [ls]",
            "line 1 is of the kind 'python/object/apply:os.system'; write plain",
        ),
        ("a: !!python/name:os.system", "is of the kind 'python/name:os.system'"),
        ("a: !mine 1", "is of the kind '!mine'"),
        ("a: !!binary aGk=", "is of the kind 'binary'"),
        ("a: !!set {b}", "is of the kind 'set'"),
        ("a: 2020-02-28", "is of the kind 'timestamp'; write plain values, and text in quotes"),
        ("a: 2020-13-45", "is of the kind 'timestamp'"),
        ("a: !!bool maybe", "maybe"),
        ("a: !!int ''", "x.yaml: "),
        ("a: !!int x", "x.yaml: "),
        ("a: .nan", r"line 1: \.nan is not a finite number"),
        ("a: [1, -.inf]", r"-\.inf is not a finite number"),
        ("a: 1.0e+400", r"1\.0e\+400 is not a finite number"),
        ("a: " + "9" * 5000, r"line 1: 99999999999999999999… is a number of more than 100 digits"),
        ("a: 0x" + "f" * 4000, r"line 1: 0xffffffffffffffffff… is a number of more than 100 digits"),
        ("1: a", "line 1 has a key that is not text; put it in quotes"),
        ("a: {true: 1}", "has a key that is not text"),
        ("? [a]\n: 1", "has a key that is not text"),
        ("a: 1\nb: 2\na: 3", "line 3 has the key 'a' a second time"),
        ("a: &a [*a]", "nested more than 40 deep"),
        ("a: " + "[" * 3000 + "]" * 3000, "nested more than 40 deep"),
        ("a: " + "[" * 50 + "]" * 50, "nested more than 40 deep"),
        (LAUGHS, "stands for more than 100000 values"),
        (MERGES, "stands for more than 100000 values"),
        ("#" * (1 << 20) + "\na: 1", "larger than 131072 bytes"),
    ],
)
def test_what_is_refused(tmp_path, text, message):
    path = write(tmp_path, text)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=message) as caught:
            read_plain_yaml(path)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()
    line = str(caught.value)
    assert line.startswith(f"{path}: ") and "\n" not in line and line.isprintable() and len(line) < 600


@pytest.mark.parametrize("text", [LAUGHS, MERGES])
def test_no_file_makes_more_work_than_its_limits_allow(tmp_path, text):
    def read():
        with pytest.raises(ValueError, match="stands for more than 100000 values"):
            read_plain_yaml(path)

    path = write(tmp_path, text)
    assert calls_of(read) < 2_000_000  # 0.5 million, when counted


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_plain_yaml(tmp_path / "none.yaml")
    with pytest.raises(ValueError, match="not a file"):
        read_plain_yaml(tmp_path)
