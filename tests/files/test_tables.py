import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from blsh.files import read_csv, read_parquet, write_csv, write_parquet
from blsh.files.tables import csv_columns

# The folder is shared by a property's examples, each of which writes its files anew.
one_folder = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])

ROWS = st.lists(
    st.tuples(
        st.text(st.characters(exclude_categories=["Cs"])),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(),
        st.floats(width=32),
        st.booleans(),
    ),
    max_size=5,
)
DTYPES = {'name, or "id"': str, "n": "int64", "x": "float64", "y": "float32", "on": bool}


def table(rows):
    columns = list(zip(*rows, strict=True)) or [()] * len(DTYPES)
    return pd.DataFrame(
        {
            name: pd.Series(list(column), dtype=dtype)
            for (name, dtype), column in zip(DTYPES.items(), columns, strict=True)
        }
    )


@one_folder
@given(rows=ROWS)
def test_a_csv_table_comes_back_exactly(tmp_path, rows):
    write_csv(tmp_path / "t.csv", table(rows))
    assert_frame_equal(read_csv(tmp_path / "t.csv", DTYPES), table(rows), check_exact=True)


def test_csv_has_the_fewest_digits_and_unix_line_ends(tmp_path):
    frame = pd.DataFrame({"id": ["007", "NA", "", 'a,\r\n"b"'], "x": [0.1, np.nan, 1e300, -0.0]}, index=[5, 6, 7, 8])
    frame["y"] = np.array([0.1, 1 / 3, np.inf, 2], np.float32)
    write_csv(tmp_path / "t.csv", frame)
    expected = b'id,x,y\n007,0.1,0.1\nNA,,0.33333334\n,1e+300,inf\n"a,\r\n""b""",-0.0,2.0\n'
    assert (tmp_path / "t.csv").read_bytes() == expected


def test_a_single_column_of_empty_text_keeps_its_rows(tmp_path):
    frame = pd.DataFrame({"id": ["", "a", ""]})
    write_csv(tmp_path / "t.csv", frame)
    assert_frame_equal(read_csv(tmp_path / "t.csv", {"id": str}), frame)


def test_a_table_by_hand_may_have_blank_lines_further_columns_and_a_byte_order_mark(tmp_path):
    (tmp_path / "t.csv").write_bytes("\ufeffid,note,n\r\n01,x,3\r\n\r\n02,,4\r\n".encode())
    frame = read_csv(tmp_path / "t.csv", {"n": "int64", "id": str})
    assert list(frame.columns) == ["n", "id"]
    assert frame["id"].tolist() == ["01", "02"] and frame["n"].tolist() == [3, 4]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "column 'id' must be there once; it has none"),
        ("id,x\n", "column 'n' must be there once; it has 'id', 'x'"),
        ("id,n,n\n", "column 'n' must be there once"),
        ("id,n\na,1\nb\n", "line 3 has 1 fields and the header 2"),
        ("id,n\na,1,2\n", "line 2 has 3 fields and the header 2"),
        ("id,n\na,1.5\n", "column 'n' of row 1 is '1.5', not int8"),
        ("id,n\na,1\nb,\n", "column 'n' of row 2 is '', not int8"),
        ("id,n\na,300\n", "column 'n' holds a number beyond int8"),
        ('id,n\n"a,1\n', "unexpected end of data"),
        ('id,n\n"a"b,1\n', "expected after"),
        (b"id,n\n\xff,1\n", "it is not UTF-8 text"),
        ("id\tn\x1b\n", r"it has 'id\\tn\\x1b'; make"),
        (",".join(["x" * 99] * 99), "column 'id' must be there once; it has 'xxx"),
        (f"id,n\na,{'9' * 5000}\n", "column 'n' of row 1 is '999"),
        (f"id,n\na,{'x' * 5000}\n", "column 'n' of row 1 is 'xxx"),
    ],
)
def test_an_unfit_csv_table_is_one_clear_error(tmp_path, content, message):
    (tmp_path / "t.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=message) as caught:
        read_csv(tmp_path / "t.csv", {"id": str, "n": "int8"})
    assert "t.csv is not the table that is needed" in str(caught.value)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 700


def test_the_columns_of_a_table_are_told(tmp_path):
    (tmp_path / "t.csv").write_text("\ufeffid,note\n1,x\n")
    assert csv_columns(tmp_path / "t.csv") == ("id", "note")
    (tmp_path / "t.csv").write_bytes(b"")
    assert csv_columns(tmp_path / "t.csv") == ()
    for content in (b"id,\xff\n", b'"id'):
        (tmp_path / "t.csv").write_bytes(content)
        with pytest.raises(ValueError, match=r"t\.csv is not the table that is needed: "):
            csv_columns(tmp_path / "t.csv")


def test_booleans_are_true_or_false(tmp_path):
    (tmp_path / "t.csv").write_text("on\nyes\n")
    with pytest.raises(ValueError, match="column 'on' of row 1 is 'yes', not bool"):
        read_csv(tmp_path / "t.csv", {"on": bool})
    with pytest.raises(ValueError, match="column 'on' is asked for as complex128: choose"):
        read_csv(tmp_path / "t.csv", {"on": complex})


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.csv"):
        read_csv(tmp_path / "none.csv", {})
    with pytest.raises(FileNotFoundError, match=r"none\.parquet"):
        read_parquet(tmp_path / "none.parquet")


@pytest.mark.parametrize("value", [None, b"x", [1], 1j])
def test_a_table_holds_text_and_numbers_only(tmp_path, value):
    frame = pd.DataFrame({"odd": pd.Series([value, "a"], dtype=object)})
    with pytest.raises(TypeError, match=r"column 'odd' holds .*t\.csv"):
        write_csv(tmp_path / "t.csv", frame)
    with pytest.raises(TypeError, match=r"column 'odd' of dtype object is neither numbers nor all text .*t\.parquet"):
        write_parquet(tmp_path / "t.parquet", frame)
    assert os.listdir(tmp_path) == []


@one_folder
@given(rows=ROWS)
def test_a_parquet_table_comes_back_exactly(tmp_path, rows):
    write_parquet(tmp_path / "t.parquet", table(rows))
    assert_frame_equal(read_parquet(tmp_path / "t.parquet"), table(rows), check_exact=True)


def test_the_same_values_give_the_same_parquet_bytes(tmp_path):
    frame = table([("a", 1, 0.5, 0.5, True), ("b", 2, np.nan, np.inf, False)])
    write_parquet(tmp_path / "a.parquet", frame)
    frame.index = [7, 3]
    frame = frame.astype({'name, or "id"': object})
    write_parquet(tmp_path / "b.parquet", frame)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert b"pandas" not in (pq.read_schema(tmp_path / "a.parquet").metadata or {})


def test_a_folder_whose_name_has_an_equals_sign_adds_no_column(tmp_path):
    frame = pd.DataFrame({"n": [1]})
    write_parquet(tmp_path / "rho=0.1" / "t.parquet", frame)
    assert_frame_equal(read_parquet(tmp_path / "rho=0.1" / "t.parquet"), frame)


@pytest.mark.parametrize("n_kept", [0, 3, 100, -20])
def test_a_parquet_file_cut_short_is_one_clear_error(tmp_path, n_kept):
    write_parquet(tmp_path / "t.parquet", table([("a", 1, 0.5, 0.5, True)]))
    (tmp_path / "t.parquet").write_bytes((tmp_path / "t.parquet").read_bytes()[:n_kept])
    with pytest.raises(ValueError, match=r"t\.parquet is not the table that is needed: ") as caught:
        read_parquet(tmp_path / "t.parquet")
    assert "\n" not in str(caught.value)


def test_a_parquet_file_with_one_column_twice_is_an_error(tmp_path):
    pq.write_table(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), tmp_path / "t.parquet")
    with pytest.raises(
        ValueError, match=r"t\.parquet is not the table that is needed: it has a column twice: 'a', 'a'"
    ):
        read_parquet(tmp_path / "t.parquet")


def test_what_a_damaged_parquet_file_says_is_shown_in_one_line(tmp_path):
    write_parquet(tmp_path / "t.parquet", table([("a", 1, 0.5, 0.5, True)]))
    data = (tmp_path / "t.parquet").read_bytes()
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    seen = 0
    for place in range(footer, len(data) - 8):
        (tmp_path / "t.parquet").write_bytes(data[:place] + b"\x0f" + data[place + 1 :])
        try:
            read_parquet(tmp_path / "t.parquet")
        except ValueError as error:
            assert str(error).isprintable() and len(str(error)) < 700 and "t.parquet" in str(error)
            seen += 1
    assert seen > 20


def test_bytes_of_a_parquet_file_that_are_no_text_are_told(tmp_path):
    offsets, text = pa.py_buffer(np.array([0, 2], np.int32)), pa.py_buffer(b"\xff\xfe")
    pq.write_table(pa.table({"name": pa.StringArray.from_buffers(1, offsets, text)}), tmp_path / "t.parquet")
    with pytest.raises(ValueError, match=r"t\.parquet is not the table that is needed: .*; make it again"):
        read_parquet(tmp_path / "t.parquet")
