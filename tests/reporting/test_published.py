"""The published runs: they give their tables, and the README and the page on networks quote them as they are."""

from pathlib import Path

import pytest

from blsh.reporting.result_tables import make_tables
from blsh.reporting.summaries import Summaries, read_summaries
from blsh.reporting.tables import text_of

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT / "results/published"
# Columns of the README and of docs/networks.md, and the tables' names for them.
COLUMNS = {
    "MB": {"Size with masks (MB)"},
    "ms": {"for a second of audio measured (ms)"},
    "ms a second": {"for a second of audio measured (ms)"},
    "closed set": {"SDR closed (dB)"},
    "closed SDR": {"SDR closed (dB)"},
    "open set": {"SDR open (dB)", "SDR (dB)"},
    "open SDR": {"SDR (dB)"},
    "open SI-SDR": {"SI-SDR (dB)"},
    "PESQ": {"PESQ"},
    "ESTOI (%)": {"ESTOI (%)"},
    "learned numbers": {"Learned numbers"},
}
NAMES = {
    "mixture": "Mixture",
    "constant mask": "Constant mask",
    "ideal binary mask (oracle)": "Oracle (IBM)",
    "raw-feature KNN": "KNN",
}


@pytest.fixture(scope="module")
def summaries() -> Summaries:
    return read_summaries(PUBLISHED / "open_paper/summaries")


@pytest.fixture(scope="module")
def tables(summaries) -> dict[str, list[dict[str, str]]]:
    """Table → its rows, each as column → cell."""
    return {
        table.name: [
            {column.title: text_of(cell) for column, cell in zip(table.columns, row, strict=True)} for row in table.rows
        ]
        for table in make_tables(summaries)
    }


def rows_of(markdown: str, first: str) -> list[dict[str, str]]:
    """Return the rows of the table whose header begins with a cell."""
    lines = markdown[markdown.index(f"| {first} |") :].split("\n\n")[0].splitlines()
    header, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return [dict(zip(header, row, strict=True)) for row in rows]


def key(label: str) -> tuple[str, str, str]:
    """Return (system, feature, L) as the tables have them, of `BLSH, STFT, 150 bits`."""
    system, *others = label.split(", ")
    feature = next((word for word in others if word in ("STFT", "mel")), "")
    bits = next((word.split()[0] for word in others if word.endswith(" bits")), "")
    return NAMES.get(system, system), feature, bits


def found(tables: dict[str, list[dict[str, str]]], of: tuple[str, str, str], names: set[str]) -> set[str]:
    """Return what the tables have in columns of these names, of a system, feature and L with ρ = 0.1."""
    system, feature, bits = of
    cells = set()
    for name in ("icassp_table1", "taslp_table1", "best_bits", "complexity"):
        for row in tables[name]:
            fits = row["System"] == system and feature in ("", row["Feature"]) and row["ρ"] in ("", "0.1")
            if fits and bits in ("", row.get("L", "")):
                cells |= {row[column] for column in names & row.keys()}
    return cells


def test_a_published_run_gives_the_tables_of_both_papers(tables):
    assert {"icassp_table1", "best_bits", "complexity", "switches", "targets", "variants"} <= tables.keys()
    assert {"taslp_table1", "taslp_table2", "taslp_table3"} <= tables.keys()
    systems = {row["System"] for row in tables["taslp_table1"]}
    assert {"KNN", "LSH", "BLSH", "FC 3×256", "FC 2×64", "FC 2×32", "BiLSTM 2×64"} <= systems


def test_every_network_was_ended_by_its_stop_rule(summaries):
    assert len(summaries.networks) == 4
    assert set(summaries.networks["stopped_by"]) == {"stop rule"}


def test_the_readme_quotes_the_run(tables):
    rows = rows_of((ROOT / "README.md").read_text(encoding="utf-8"), "system | MB")
    assert len(rows) == 11
    for row in rows:
        for column, cell in list(row.items())[1:]:
            assert not cell or cell in found(tables, key(row["system"]), COLUMNS[column]), (row["system"], column)


def test_the_readme_counts_the_verdicts(summaries):
    counts = summaries.claims["verdict"].value_counts()
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert (
        f"Of the papers' {counts.sum()} statements {counts['holds']} hold here, {counts['fails']} fail, "
        f"{counts['undecided']} are undecided, and {counts['not judged']} cannot be judged"
    ) in text


def test_the_page_on_networks_quotes_the_run(tables, summaries):
    rows = rows_of((ROOT / "docs/networks.md").read_text(encoding="utf-8"), "system | learned numbers")
    epochs = {f"{row.system} {row.variant}": row.epochs for row in summaries.networks.itertuples()}
    for row in rows:
        system, feature, bits = key(row["system"])
        for column in COLUMNS.keys() & row.keys():
            cell = row[column].replace(",", "")
            length = "150" if bits and column == "closed SDR" else bits
            cells = {text.split(" ± ")[0] for text in found(tables, (system, feature, length), COLUMNS[column])}
            assert not cell or cell in cells, (system, column)
        if row["epochs"]:
            assert int(row["epochs"]) == epochs[system.lower().replace("×", "x")]


def test_the_page_on_training_quotes_the_prices_of_the_switches(tables):
    prices = {}
    for row in tables["switches"]:
        for name in ("validation", "open"):
            prices[row["Switch"], f"{name}, {row['L']} bits"] = row[f"{name} change (dB)"]
    rows = rows_of((ROOT / "docs/training.md").read_text(encoding="utf-8"), "switch | validation, 150 bits")
    assert {row["switch"] for row in rows} == {switch for switch, _ in prices} - {"", "(unchanged)"}
    for row in rows:
        assert {name: cell for name, cell in row.items() if name != "switch"} == {
            name: cell for (switch, name), cell in prices.items() if switch == row["switch"]
        }
