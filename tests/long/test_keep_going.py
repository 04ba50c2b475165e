"""One system that fails does not stop the others, and what it lacks is filled by the next run."""

from copy import deepcopy

import pytest

from tests.long import micro

pytestmark = pytest.mark.long

REASON = "3 segments to learn from"


def test_a_failed_system_stops_no_other_and_is_filled_by_a_rerun(reference, tmp_path):
    folder = reference.copy_to(tmp_path / "work")
    values = deepcopy(micro.CONFIG)
    # More segments than there are frames: the training fails, and all that needs its model cannot begin.
    values["training"]["switches"]["n_segments"] = 3
    micro.write_preset(folder, values)
    printed = micro.run(folder, micro.command("--keep-going"), status=1).stdout
    assert f"blsh train: {REASON}" in printed

    results = folder / micro.RESULTS
    scored = {path.stem.partition("_")[0] for path in results.glob("scores/open/*.parquet")}
    assert scored == {"mixture", "lsh"}
    for name in ("mixture", "lsh_mel_rho-0.5_rep-1"):
        path = f"micro/scores/open/{name}.parquet"
        assert (folder / "results" / path).read_bytes() == reference.expected[path]
    assert not (results / "report.html").exists()

    table = (results / "partial/tables/icassp_table1.md").read_text()
    [row] = [line for line in table.splitlines() if line.startswith("| BLSH |")]
    assert row.count("NA") >= 3 and "| LSH |" in table
    assert f"NA: BLSH mel (open): blsh train: {REASON}" in table
    page = (results / "partial/report.html").read_text()
    assert REASON in page and f"blsh run --configfile {micro.PRESET}" in page
    status = micro.run(folder, [*micro.command()[:3], "status", str(micro.RESULTS)]).stdout
    assert status.startswith("results/micro: failed, ")
    assert f"    blsh train: {REASON}" in status

    micro.write_preset(folder, micro.CONFIG)
    micro.run(folder, micro.command("--keep-going"))
    assert micro.differences(micro.result_files(folder), reference.expected) == []
    assert "NA" not in (results / "tables/icassp_table1.md").read_text().replace("NAME", "")


def test_a_job_that_was_killed_is_told_as_such(reference, tmp_path, is_short):
    if is_short:
        pytest.skip("the short form has one failed system")
    folder = reference.copy_to(tmp_path / "work")
    points = tmp_path / "points"
    points.mkdir()
    (points / "armed").write_text("training.round 3 SIGKILL")
    micro.run(folder, micro.command("--keep-going"), status=1, BLSH_FAIL_POINTS=str(points))
    table = (folder / micro.RESULTS / "partial/tables/icassp_table1.md").read_text()
    assert "NA: BLSH mel (open): the job was killed, or ran out of memory or time." in table
    micro.run(folder)
    assert micro.differences(micro.result_files(folder), reference.expected) == []
