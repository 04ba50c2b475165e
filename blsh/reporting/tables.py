"""A table as a value, and its three forms: CSV for programs, Markdown and LaTeX for people.

A cell is text, a `Number`, or `None` (nothing to show). In CSV a number has all its digits and its spread a
column of its own, ``NAME std``; elsewhere it is printed as ``10.04 ± 0.05``, with a mark that a footnote
explains.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from blsh.files.atomic import write_text

__all__ = ["Column", "Number", "Table", "text_of", "to_csv", "to_latex", "to_markdown", "write_table"]


@dataclass(frozen=True)
class Number:
    """A value with the digits to print, its standard deviation over repeats, and a mark for a footnote."""

    value: float
    spread: float = math.nan
    decimals: int = 2
    mark: str = ""


Cell = str | Number | None


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


def text_of(cell: Cell) -> str:
    """Print a cell: ``10.04 ± 0.05 †``; a missing one as a dash."""
    if cell is None or (isinstance(cell, Number) and math.isnan(cell.value)):
        return "–"
    if isinstance(cell, str):
        return cell
    text = f"{cell.value:.{cell.decimals}f}"
    # −0.00 reads as a sign where there is none.
    text = text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")
    if not math.isnan(cell.spread):
        text += f" ± {cell.spread:.{cell.decimals}f}"
    return f"{text} {cell.mark}".rstrip()


def to_csv(table: Table) -> str:
    """Print all digits; captions, marks and notes are left out."""
    spreads = [
        any(isinstance(row[place], Number) and not math.isnan(row[place].spread) for row in table.rows)
        for place in range(len(table.columns))
    ]
    header: list[str] = []
    for column, spread in zip(table.columns, spreads, strict=True):
        header += [column.title, f"{column.title} std"] if spread else [column.title]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    for row in table.rows:
        fields: list[str] = []
        for cell, spread in zip(row, spreads, strict=True):
            if isinstance(cell, Number):
                fields.append(_digits(cell.value))
            else:
                fields.append(cell or "")
            if spread:
                fields.append(_digits(cell.spread) if isinstance(cell, Number) else "")
        writer.writerow(fields)
    return buffer.getvalue()


def to_markdown(table: Table) -> str:
    """Print a GitHub table with its caption and notes."""
    titles = [column.title for column in table.columns]
    numeric = [all(not isinstance(row[place], str) for row in table.rows) for place in range(len(titles))]
    lines = [f"**{table.caption}**", "", _markdown_row(titles)]
    lines.append(_markdown_row(["---:" if right else ":---" for right in numeric]))
    lines += [_markdown_row([text_of(cell) for cell in row]) for row in table.rows]
    if table.notes:
        lines += ["", *(f"{note}  " for note in table.notes)]
    return "\n".join(line.rstrip(" ") if line.endswith("|") else line for line in lines) + "\n"


def to_latex(table: Table) -> str:
    """Print a ``table`` environment for the package booktabs."""
    n_columns = len(table.columns)
    numeric = [all(not isinstance(row[place], str) for row in table.rows) for place in range(n_columns)]
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{_latex(table.caption)}}}",
        rf"\label{{tab:{table.name.replace('_', '-')}}}",
        rf"\begin{{tabular}}{{{''.join('r' if right else 'l' for right in numeric)}}}",
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
    return paths


def _digits(value: float) -> str:
    return "" if math.isnan(value) else repr(float(value))


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
