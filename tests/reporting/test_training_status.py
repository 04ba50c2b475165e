import pandas as pd
import pytest

from blsh.reporting.training_status import not_trained, status_text, trained_rows, untrained_networks
from tests.reporting.made_up_scores import make_networks


@pytest.fixture
def networks():
    return make_networks()


def named(*names):
    return pd.DataFrame(names, columns=["system", "variant"])


def test_a_network_counts_if_its_stop_rule_ended_it(networks):
    rows = named(("fc", "3x256"), ("blsh", ""), ("conv_tasnet", "3x8"), ("fc", "3x64"), ("blsh", "weighted"))
    assert trained_rows(rows, networks).tolist() == [True, True, False, False, True]


def test_the_order_and_index_of_rows_do_not_matter(networks):
    rows = named(("conv_tasnet", "3x8"), ("knn", "")).set_index(pd.Index([7, 3]))
    assert trained_rows(rows, networks).to_dict() == {7: False, 3: True}
    assert trained_rows(rows.iloc[:0], networks).tolist() == []


def test_networks_of_the_grid_that_were_never_begun_are_not_trained(networks):
    expected = named(("fc", "3x256"), ("fc", "2x32"), ("lsh", ""))
    assert untrained_networks(expected, networks) == (("bilstm", "2x1024"), ("conv_tasnet", "3x8"), ("fc", "2x32"))


@pytest.mark.parametrize(
    ("network", "text"),
    [
        (("bilstm", "2x1024"), "12 epochs, 3.4 h"),
        (("conv_tasnet", "3x8"), "1 epoch, 14 min"),
        (("fc", "2x32"), "0 epochs"),
    ],
)
def test_how_far_a_training_came(networks, network, text):
    assert not_trained(networks, network) == text


def test_status_text(networks):
    untrained = (("bilstm", "2x1024"), ("conv_tasnet", "3x8"))
    text = "Not trained to the stop rule: BiLSTM 2×1024 (12 epochs, 3.4 h); Conv-TasNet (1 epoch, 14 min)."
    assert status_text(networks, untrained) == text
    assert status_text(networks, ()) == ""


def test_scores_of_untrained_networks_are_in_no_summary(full_summaries):
    for table in (full_summaries.aggregated, full_summaries.utterances):
        names = set(table.loc[table["system"].isin(["fc", "bilstm", "conv_tasnet"]), "variant"])
        assert names == {"3x256", "2x64"}
    counts = full_summaries.coverage[full_summaries.coverage["system"] == "conv_tasnet"]
    assert (counts["n_done"] == counts["n_expected"]).all()
