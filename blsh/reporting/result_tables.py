"""Every table of a run, made from its summaries; a run that is not finished gives the same with fewer rows."""

from __future__ import annotations

from blsh.reporting.best_bits_table import best_bits_table
from blsh.reporting.change_tables import switch_table, target_table, variant_table
from blsh.reporting.complexity_table import complexity_table
from blsh.reporting.group_tables import noise_table, speaker_table
from blsh.reporting.icassp_table import icassp_table1
from blsh.reporting.rival_table import rival_table
from blsh.reporting.summaries import Summaries
from blsh.reporting.tables import Table
from blsh.reporting.taslp_tables import taslp_table1, taslp_table2, taslp_table3

__all__ = ["make_tables"]


def make_tables(summaries: Summaries) -> tuple[Table, ...]:
    """Make the tables that the run has scores for: the papers', then ours."""
    made = [
        icassp_table1(summaries),
        taslp_table1(summaries),
        taslp_table2(summaries),
        taslp_table3(summaries),
        best_bits_table(summaries),
        target_table(summaries),
        variant_table(summaries),
        switch_table(summaries),
        rival_table(summaries),
        complexity_table(summaries),
        *(noise_table(summaries, name) for name in ("open", "closed", "voicebank")),
        speaker_table(summaries, "open"),
    ]
    return tuple(table for table in made if table.rows)
