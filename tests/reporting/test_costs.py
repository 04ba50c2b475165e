import numpy as np
import pytest

from blsh.files.atomic import write_text
from blsh.reporting.costs import read_benchmarks

HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


def benchmark(seconds, peak):
    return f"{HEADER}{seconds}\t0:00:01\t9\t9\t{peak}\t9\t0\t0\t1\t1\n"


def test_jobs_of_a_rule_are_added_up(tmp_path):
    write_text(tmp_path / "score" / "open" / "lsh_rep-0.tsv", benchmark(10.5, 300))
    write_text(tmp_path / "score" / "closed.tsv", benchmark(20, 250.5))
    write_text(tmp_path / "train.tsv", benchmark(100, "NA"))
    table = read_benchmarks(tmp_path)
    assert table["rule"].tolist() == ["train", "score"]
    assert table["jobs"].tolist() == [1, 2]
    assert table["seconds"].tolist() == [100.0, 30.5]
    assert np.isnan(table["peak_mb"][0])
    assert table["peak_mb"][1] == 300.0


def test_no_folder_is_no_cost(tmp_path):
    assert len(read_benchmarks(tmp_path / "nothing")) == 0


def test_another_table_is_an_error(tmp_path):
    write_text(tmp_path / "x.tsv", "a\tb\n1\t2\n")
    with pytest.raises(ValueError, match=r"x\.tsv: no benchmark of Snakemake"):
        read_benchmarks(tmp_path)
