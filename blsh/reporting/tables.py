"""A table as a value, and its three forms: CSV for programs, Markdown and LaTeX for people.

A cell is text, a `Number`, an `Absent` number with its reason, or `None` (nothing to show). In CSV a number has
all its digits, its spread a column of its own, ``NAME std``, and its interval two, ``NAME low`` and ``NAME
high``; elsewhere it is printed as ``10.04 ± 0.05`` or ``0.31 [0.20, 0.42]``, with a mark that a footnote explains.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from blsh.files.atomic import write_text
from blsh.files.fail_points import fail_point

__all__ = [
    "Absent",
    "Cell",
    "Column",
    "Number",
    "Table",
    "is_number",
    "text_of",
    "to_csv",
    "to_latex",
    "to_markdown",
    "write_table",
]


@dataclass(frozen=True)
class Number:
    """A value, its standard deviation over repeats or its interval, the digits to print, a mark for a footnote."""

    value: float
    spread: float = math.nan
    decimals: int = 2
    mark: str = ""
    interval: tuple[float, float] = (math.nan, math.nan)


@dataclass(frozen=True)
class Absent:
    """A number that there is not, and why: ``not trained``."""

    reason: str


Cell = str | Number | Absent | None


@dataclass(frozen=True)
class Column:
    """A column's header, the group of columns it stands in, and its unit."""

    header: str
    group: str = ""
    unit: str = ""

    @property
    def title(self) -> str:
        """Group, header and unit in one line."""
        name = f"{self.group} {self.header}".strip()
        return f"{name} ({self.unit})" if self.unit else name


@dataclass(frozen=True)
class Table:
    """Rows under columns, with a caption above and notes below.

    ``name`` is the file's name; ``rules`` are the rows before which a line separates kinds of systems.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    rules: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.name}: a row has {len(row)} cells and the table {len(self.columns)} columns")


def is_number(cell: Cell) -> bool:
    """Whether a cell stands in a column of numbers; counts are kept as text."""
    return not isinstance(cell, str) or cell.replace(".", "", 1).isdigit()


def text_of(cell: Cell) -> str:
    """Print a cell: ``10.04 ± 0.05 †``; a missing one as a dash."""
    if cell is None or (isinstance(cell, Number) and math.isnan(cell.value)):
        return "–"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Absent):
        return cell.reason
    text = _signed(cell.value, cell.decimals)
    if not math.isnan(cell.spread):
        text += f" ± {cell.spread:.{cell.decimals}f}"
    if not math.isnan(cell.interval[0]):
        text += f" [{', '.join(_signed(end, cell.decimals) for end in cell.interval)}]"
    return f"{text} {cell.mark}".rstrip()


def to_csv(table: Table) -> str:
    """Print all digits; captions, marks and notes are left out."""
    columns = [[row[place] for row in table.rows] for place in range(len(table.columns))]
    header: list[str] = []
    printed: list[list[str]] = []
    for column, cells in zip(table.columns, columns, strict=True):
        for suffix, part in _PARTS:
            digits = [_digits(part(cell)) if isinstance(cell, Number) else "" for cell in cells]
            if not suffix:
                digits = [_plain_text(cell) or text for cell, text in zip(cells, digits, strict=True)]
            elif not any(digits):
                continue
            header.append(column.title + suffix)
            printed.append(digits)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(zip(*printed, strict=True))
    return buffer.getvalue()


def to_markdown(table: Table) -> str:
    """Print a GitHub table with its caption and notes."""
    titles = [column.title for column in table.columns]
    lines = [f"**{table.caption}**", "", _markdown_row(titles)]
    lines.append(_markdown_row(["---:" if right else ":---" for right in _right_aligned(table)]))
    lines += [_markdown_row([text_of(cell) for cell in row]) for row in table.rows]
    if table.notes:
        lines += ["", *(f"{note}  " for note in table.notes)]
    return "\n".join(line.rstrip(" ") if line.endswith("|") else line for line in lines) + "\n"


def to_latex(table: Table) -> str:
    """Print a ``table`` environment for the package booktabs."""
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{_latex(table.caption)}}}",
        rf"\label{{tab:{table.name.replace('_', '-')}}}",
        rf"\begin{{tabular}}{{{''.join('r' if right else 'l' for right in _right_aligned(table))}}}",
        r"\toprule",
    ]
    if any(column.group for column in table.columns):
        lines.append(_latex_groups(table.columns))
    headers = [f"{column.header} ({column.unit})" if column.unit else column.header for column in table.columns]
    lines += [_latex_row(headers), r"\midrule"]
    for place, row in enumerate(table.rows):
        if place in table.rules and place > 0:
            lines.append(r"\midrule")
        lines.append(_latex_row([text_of(cell) for cell in row]))
    lines += [r"\bottomrule", r"\end{tabular}"]
    if table.notes:
        lines += ["", r"\smallskip", r"\footnotesize " + " ".join(_latex(note) for note in table.notes)]
    return "\n".join([*lines, r"\end{table}"]) + "\n"


def write_table(folder: str | Path, table: Table) -> Sequence[Path]:
    """Write ``NAME.csv``, ``NAME.md`` and ``NAME.tex``."""
    folder = Path(folder)
    paths = []
    for suffix, form in (("csv", to_csv), ("md", to_markdown), ("tex", to_latex)):
        paths.append(folder / f"{table.name}.{suffix}")
        write_text(paths[-1], form(table))
        fail_point("report.table")
    return paths


_PARTS = (
    ("", lambda number: number.value),
    (" std", lambda number: number.spread),
    (" low", lambda number: number.interval[0]),
    (" high", lambda number: number.interval[1]),
)


def _digits(value: float) -> str:
    return "" if math.isnan(value) else repr(float(value))


def _plain_text(cell: Cell) -> str:
    return cell.reason if isinstance(cell, Absent) else cell if isinstance(cell, str) else ""


def _signed(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    # −0.00 reads as a sign where there is none.
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def _right_aligned(table: Table) -> list[bool]:
    """Say of each column whether it holds numbers alone."""
    return [all(not isinstance(row[place], str) for row in table.rows) for place in range(len(table.columns))]


def _markdown_row(fields: Sequence[str]) -> str:
    return "| " + " | ".join(field.replace("|", r"\|") for field in fields) + " |"


_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        **{mark: f"\\{mark}" for mark in "&%$#_{}"},
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "±": r"$\pm$",
        "−": "$-$",
        "–": "--",
        "ρ": r"$\rho$",
        "β": r"$\beta$",
        "σ": r"$\sigma$",
        "²": "$^2$",
        "⁶": "$^6$",
        "Δ": r"$\Delta$",
        "×": r"$\times$",
        "≤": r"$\leq$",
        "≥": r"$\geq$",
        "·": r"$\cdot$",
        "…": r"\ldots{}",
        "≈": r"$\approx$",
        "ε": r"$\varepsilon$",
        "⁹": "$^9$",
        "½": r"$\frac{1}{2}$",
        "†": r"$^\dagger$",
        "‡": r"$^\ddagger$",
    }
)


def _latex(text: str) -> str:
    return text.translate(_LATEX)


def _latex_row(fields: Sequence[str]) -> str:
    return " & ".join(map(_latex, fields)) + r" \\"


def _latex_groups(columns: Sequence[Column]) -> str:
    """Head neighbouring columns of one group with one cell."""
    fields: list[str] = []
    place = 0
    while place < len(columns):
        group = columns[place].group
        width = 1
        while group and place + width < len(columns) and columns[place + width].group == group:
            width += 1
        fields.append(rf"\multicolumn{{{width}}}{{c}}{{{_latex(group)}}}" if group else "")
        place += width
    return " & ".join(fields) + r" \\"
