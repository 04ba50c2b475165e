import pandas as pd
import pytest

from blsh.reporting.cells import bits_of_table, main_snr, main_targets, plain, set_at
from blsh.reporting.labels import capitalised, families_of, system_name, target_name, variant_name


def cells(*rows):
    columns = ["system", "variant", "feature", "target", "profile", "rho"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize(
    ("name", "snr_db", "found"),
    [("open", 0.0, "open"), ("open", 5.0, "open_p5"), ("open", -5.0, ""), ("closed", 5.0, "")],
)
def test_a_set_at_another_snr_is_found_by_its_name(name, snr_db, found):
    table = pd.DataFrame([("open", 0.0), ("open_p5", 5.0), ("opening", -5.0)], columns=["set", "snr_db"])
    assert set_at(table, name, snr_db) == found


def test_main_snr_is_0_db_or_the_lowest():
    table = pd.DataFrame([("a", 5.0), ("a", 0.0), ("b", 10.0), ("b", 5.0)], columns=["set", "snr_db"])
    assert [main_snr(table, name) for name in ("a", "b", "c")] == [0.0, 5.0, 0.0]


def test_plain_leaves_what_the_papers_compare():
    table = cells(
        ("blsh", "", "stft", "ssm", "project", 0.1),
        ("blsh", "weighted", "stft", "ssm", "project", 0.1),
        ("blsh", "", "stft", "rbf-0.5", "project", 0.1),
        ("lsh", "switch-matrices", "stft", "", "", 0.1),
        ("fc", "3x256", "stft", "", "", 0.0),
        ("itq", "", "stft", "", "", 0.1),
        ("projections", "mine", "stft", "", "", 0.1),
    )
    assert list(plain(table).index) == [0, 4]
    assert list(plain(table, rivals=True).index) == [0, 4, 5, 6]


def test_a_run_without_the_papers_target_shows_its_own():
    table = cells(("blsh", "", "stft", "mix-0.5", "project", 0.1), ("knn", "", "stft", "", "", 0.1))
    assert main_targets(table) == ("mix-0.5",)
    assert len(plain(table)) == 2


@pytest.mark.parametrize(("wanted", "found"), [(50, 50), (300, 150), (0, 150)])
def test_bits_of_a_table_are_those_that_were_scored(wanted, found):
    rows = pd.DataFrame({"n_bits": [50, 150, 300], "pesq": [1.0, 2.0, float("nan")]})
    assert bits_of_table(rows, wanted, "pesq") == found


def test_without_the_metric_all_bits_count():
    rows = pd.DataFrame({"n_bits": [50, 300], "pesq": [float("nan")] * 2})
    assert bits_of_table(rows, 300, "pesq") == 300
    assert bits_of_table(rows.iloc[:0], 300, "pesq") == 0


@pytest.mark.parametrize(
    ("variant", "name"),
    [
        ("3x256", "3×256"),
        ("context5", "5 stacked frames"),
        ("weighted", "β-weighted"),
        ("switch-beta_scale", "beta scale"),
        ("", ""),
    ],
)
def test_variant_names(variant, name):
    assert variant_name(variant) == name


def test_target_names():
    names = [target_name(target) for target in ("ssm", "rbf-0.5", "power-2", "mix-0.5")]
    assert names == ["SSM", "RBF, σ² = 0.5", "SSM to the power 2", "mix with masks, w = 0.5"]


def test_networks_come_after_codes_from_large_to_small():
    table = cells(
        ("fc", "2x1024", "stft", "", "", 0.0),
        ("fc", "3x32", "stft", "", "", 0.0),
        ("fc", "3x1024", "stft", "", "", 0.0),
        ("conv_tasnet", "3x8", "", "", "", 0.0),
        ("blsh", "", "stft", "ssm", "project", 0.1),
        ("projections", "mine", "stft", "", "", 0.1),
    )
    families = families_of(table)
    names = [system_name(family, families) for _, family in families.iterrows()]
    assert names == ["Projections mine", "BLSH", "FC 3×1024", "FC 3×32", "FC 2×1024", "Conv-TasNet"]


def test_rho_before_feature_where_asked():
    table = cells(*(("knn", "", feature, "", "", rho) for rho in (0.01, 0.1) for feature in ("mel", "stft")))
    orders = [
        list(families_of(table, by_rho=by_rho)[["feature", "rho"]].itertuples(index=False, name=None))
        for by_rho in (False, True)
    ]
    assert orders[0] == [("stft", 0.1), ("stft", 0.01), ("mel", 0.1), ("mel", 0.01)]
    assert orders[1] == [("stft", 0.1), ("mel", 0.1), ("stft", 0.01), ("mel", 0.01)]


def test_sentences():
    assert capitalised("open set: 3 mixtures") == "Open set: 3 mixtures."
    assert capitalised("") == ""
