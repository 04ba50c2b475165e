import csv
import io
import math

import pytest

from blsh.reporting.tables import Column, Number, Table, text_of, to_csv, to_latex, to_markdown, write_table

TABLE = Table(
    "small_table",
    "A & B at 50 %",
    (Column("System"), Column("closed", "SDR", "dB"), Column("open", "SDR", "dB")),
    (
        ("Mixture", Number(0.0537), None),
        ("LSH | ρ = 0.1", Number(-1.25, 0.04), Number(10.123456, 0.5, mark="†")),
    ),
    ("† is a note_1.",),
    frozenset({1}),
)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, "–"),
        ("x", "x"),
        (Number(math.nan), "–"),
        (Number(10.036), "10.04"),
        (Number(-0.001), "0.00"),
        (Number(-3.0, 0.25, 1, "†"), "−3.0 ± 0.2 †"),
    ],
)
def test_printing_cells(cell, text):
    assert text_of(cell) == text


def test_csv_keeps_all_digits():
    header, mixture, lsh = csv.reader(io.StringIO(to_csv(TABLE)))
    assert header == [
        "System",
        "SDR closed (dB)",
        "SDR closed (dB) std",
        "SDR open (dB)",
        "SDR open (dB) std",
    ]
    assert mixture == ["Mixture", "0.0537", "", "", ""]
    assert lsh == ["LSH | ρ = 0.1", "-1.25", "0.04", "10.123456", "0.5"]


def test_markdown():
    assert to_markdown(TABLE) == (
        "**A & B at 50 %**\n"
        "\n"
        "| System | SDR closed (dB) | SDR open (dB) |\n"
        "| :--- | ---: | ---: |\n"
        "| Mixture | 0.05 | – |\n"
        "| LSH \\| ρ = 0.1 | −1.25 ± 0.04 | 10.12 ± 0.50 † |\n"
        "\n"
        "† is a note_1.  \n"
    )


def test_latex():
    latex = to_latex(TABLE)
    assert r"\caption{A \& B at 50 \%}" in latex
    assert r"\label{tab:small-table}" in latex
    assert r"\begin{tabular}{lrr}" in latex
    assert r" & \multicolumn{2}{c}{SDR} \\" in latex
    assert r"LSH | $\rho$ = 0.1 & $-$1.25 $\pm$ 0.04 & 10.12 $\pm$ 0.50 $^\dagger$ \\" in latex
    assert latex.count(r"\midrule") == 2
    assert r"note\_1" in latex


def test_latex_is_plain_ascii_apart_from_letters():
    assert to_latex(TABLE).isascii()


def test_the_three_files(tmp_path):
    paths = write_table(tmp_path / "tables", TABLE)
    assert [path.name for path in paths] == ["small_table.csv", "small_table.md", "small_table.tex"]
    assert paths[1].read_text() == to_markdown(TABLE)


def test_a_row_of_another_length_is_an_error():
    with pytest.raises(ValueError, match="t: a row has 2 cells and the table 1 columns"):
        Table("t", "", (Column("a"),), (("x", "y"),))
