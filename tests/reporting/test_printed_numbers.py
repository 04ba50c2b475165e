"""The printed numbers against each other: what one place of the papers says of another, and what follows from it."""

import pytest

from blsh.denoising.architectures import TABLED
from blsh.reporting.labels import NETWORKS
from blsh.reporting.printed_numbers import SLIP, last_digit, load_printed
from blsh.reporting.scores import METRICS


@pytest.fixture(scope="module")
def printed():
    return load_printed()


def value(printed, column, **cell):
    own = printed[printed["column"] == column]
    for name, wanted in cell.items():
        own = own[own[name] == wanted]
    [found] = own["printed"]
    return found


def blsh(feature, rho, **cell):
    bits = {"stft": 300, "mel": 50}[feature]
    return {"source": "T22", "system": "blsh", "feature": feature, "rho": rho, "n_bits": bits} | cell


def test_every_table_is_there_in_full(printed):
    counts = printed.groupby(["source", "table"]).size().to_dict()
    # 6 systems × 6; 27 rows × 4 scores, 17 sizes and 8 sums of two; 15 × 4; 5 × 4.
    assert counts[("I20", "Table 1")] == 36
    assert counts[("T22", "Table I")] == 27 * 4 + 17 + 2 * 8
    assert counts[("T22", "Table II")] == 60
    assert counts[("T22", "Table III")] == 20
    assert len(printed) == 267


def test_no_cell_is_printed_twice_in_one_place(printed):
    key = ["source", "table", "system", "variant", "feature", "rho", "n_bits", "set", "snr_db", "column"]
    assert not printed.duplicated(key).any()


def test_every_network_of_table_i_is_one_that_can_be_built(printed):
    tabled = printed[(printed["table"] == "Table I") & printed["system"].isin(NETWORKS)]
    names = list(dict.fromkeys(tabled[["system", "variant"]].itertuples(index=False, name=None)))
    assert names == [(one.system, one.variant) for one in TABLED]


def test_columns_are_metrics_sizes_and_counts(printed):
    sizes = {"size_mb", "dictionary_mb", "projections_mb"}
    counts = {"parameters", "macs_per_second", "bit_operations_per_second", "bit_operations_per_frame"}
    assert set(printed["column"]) - set(METRICS) == sizes | counts


def test_differences_that_the_papers_state(printed):
    """Numbers of the texts, from the tables: a wrong digit in either would show."""
    open_, closed = ({"source": "I20", "column": "sdr", "set": name} for name in ("open", "closed"))
    for system, drop in (("blsh", 0.16), ("lsh", 0.94), ("knn", 1.06)):
        fall = value(printed, system=system, **closed) - value(printed, system=system, **open_)
        assert fall == pytest.approx(drop, abs=1e-9)
    at_1, at_10 = ({"source": "T22", "table": "Table I", "feature": "stft", "rho": rho} for rho in (0.01, 0.1))
    for system, loss in (("knn", 1.12), ("blsh", 0.87), ("lsh", 1.02)):
        found = value(printed, "sdr", system=system, **at_10) - value(printed, "sdr", system=system, **at_1)
        assert found == pytest.approx(loss, abs=1e-9)
    voicebank = {"table": "Table III", "column": "si_sdr"}
    gain = value(printed, **voicebank, **blsh("stft", 0.1)) - value(printed, **voicebank, system="mixture")
    assert gain == pytest.approx(0.25, abs=1e-9)
    for rho, variant, share in ((0.1, "2x256", 0.076), (0.01, "2x32", 0.098)):
        of_blsh = value(printed, "sdr", table="Table I", **blsh("mel", rho))
        of_network = value(printed, "sdr", table="Table I", system="fc", variant=variant)
        assert 1 - of_blsh / of_network == pytest.approx(share, abs=5e-4)


def test_where_the_tables_contradict_the_text(printed):
    """As the notes on the claims say."""
    table_i = {"table": "Table I"}
    assert value(printed, "pesq", **table_i, **blsh("stft", 0.01)) < value(
        printed, "pesq", **table_i, system="knn", feature="stft", rho=0.01
    )
    lsh = {"system": "lsh", "rho": 0.1}
    assert value(printed, "si_sdr", **table_i, **blsh("mel", 0.1)) < value(
        printed, "si_sdr", **table_i, **lsh, feature="stft"
    )
    at_5 = {"table": "Table II", "snr_db": 5.0, "column": "estoi"}
    assert value(printed, **at_5, **blsh("mel", 0.01)) > value(printed, **at_5, **blsh("stft", 0.01))
    falls = printed[(printed["column"] == "estoi") & (printed["system"] == "blsh")]
    assert (falls["printed"] < 89).all()


def test_knn_size_slip_is_a_third_of_the_stft_row(printed):
    mel, stft = (
        value(printed, "size_mb", table="Table I", system="knn", feature=feature, rho=0.01)
        for feature in ("mel", "stft")
    )
    assert mel == pytest.approx(stft / 3, abs=0.005)


def test_slips_are_marked(printed):
    slips = printed[printed["is_slip"]]
    assert (slips["note"].str.startswith(SLIP)).all()
    assert sorted(slips["value"]) == ["0.15", "1.53", "13.7e6", "16.79", "74.18"]


@pytest.mark.parametrize(
    ("text", "unit"), [("9.20", 0.01), ("1.2e6", 1e5), ("77e6", 1e6), ("10", 1.0), ("-4.85", 0.01)]
)
def test_last_digit(text, unit):
    assert last_digit(text) == pytest.approx(unit)
