import pytest

from blsh.reporting.sizes import (
    codes_bytes,
    feature_dictionary_bytes,
    mask_bytes,
    model_sizes,
    projection_bytes,
)
from tests.reporting.made_up_scores import FEATURE_WIDTHS, expected_cells

T = 2_453_960  # frames of the papers' training set


def printed(n_bytes):
    return f"{n_bytes / 1e6:.2f}"


@pytest.mark.parametrize(
    ("n_bytes", "table_i"),
    [
        (feature_dictionary_bytes(T, 0.1, 513), "503.55"),
        (feature_dictionary_bytes(T, 0.1, 128), "125.64"),
        (feature_dictionary_bytes(T, 0.01, 513), "50.36"),  # only with unrounded ρT
        (feature_dictionary_bytes(T, 0.01, 128), "12.56"),  # printed as 16.79, a slip
        (codes_bytes(T, 0.1, 300), "9.20"),
        (codes_bytes(T, 0.01, 300), "0.92"),
        (codes_bytes(T, 0.1, 50), "1.53"),
        (codes_bytes(T, 0.01, 50), "0.15"),
        (projection_bytes(300, 513), "0.62"),
        (projection_bytes(300, 128), "0.15"),
        (projection_bytes(50, 128), "0.03"),
        (mask_bytes(T, 0.1), "15.74"),
        (mask_bytes(T, 0.01), "1.57"),
    ],
)
def test_sizes_print_as_in_the_paper(n_bytes, table_i):
    assert printed(n_bytes) == table_i


def test_rounding_the_frames_down_would_print_otherwise():
    assert printed(4.0 * 513 * int(0.01 * T)) == "50.35"


def test_every_model_is_sized_once():
    cells = expected_cells()
    table = model_sizes(cells, n_frames=T, feature_widths=FEATURE_WIDTHS)
    assert set(table["system"]) == {"knn", "lsh", "lsh_fixed", "blsh"}
    assert len(table) == len(cells.loc[cells["rho"] > 0].drop(columns=["set", "repeat"]).drop_duplicates())
    row = table[(table["system"] == "blsh") & (table["feature"] == "mel") & (table["n_bits"] == 50)]
    row = row[row["rho"] == 0.01].iloc[0]
    assert row["size_mb"] == pytest.approx(row["dictionary_mb"] + row["projections_mb"])
    assert row["size_with_masks_mb"] == pytest.approx(0.1534 + 0.0256 + 1.5736, abs=1e-4)


def test_a_feature_without_width_is_an_error():
    with pytest.raises(ValueError, match=r"feature='mel' has no width; known are stft"):
        model_sizes(expected_cells(), n_frames=T, feature_widths={"stft": 513})
