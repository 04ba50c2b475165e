"""From score tables to what people read: summaries, claims, tables, figures and the report.

Summarising (needs the scores)
    `read_scores`, `summarise`, `write_summaries`, `read_benchmarks`
Showing (needs the summaries only)
    `make_results`, `Example`, `read_summaries`
Comparing two runs
    `compare`
"""

from blsh.reporting.comparison import compare
from blsh.reporting.costs import read_benchmarks
from blsh.reporting.pages import Example
from blsh.reporting.results import make_results
from blsh.reporting.scores import read_scores
from blsh.reporting.summaries import Summaries, read_summaries, summarise, write_summaries

__all__ = [
    "Example",
    "Summaries",
    "compare",
    "make_results",
    "read_benchmarks",
    "read_scores",
    "read_summaries",
    "summarise",
    "write_summaries",
]
