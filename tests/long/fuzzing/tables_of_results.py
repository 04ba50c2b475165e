"""The table of a campaign's results."""

from __future__ import annotations

from collections.abc import Sequence

from tests.long.fuzzing.campaign import Tally


def markdown(tallies: Sequence[Tally], *, seed: int) -> str:
    """One row a target, then the sums."""
    lines = [
        "| reader | cases | of a valid file | refused | branches | seconds | most memory | findings |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for tally in tallies:
        done, total, _ = tally.coverage
        lines.append(
            f"| {tally.target.name} | {tally.cases:,} | {tally.valid / max(tally.cases, 1):.1%} "
            f"| {tally.refused / max(tally.cases, 1):.0%} | {done}/{total} = {done / max(total, 1):.0%} "
            f"| {tally.seconds:.0f} | {tally.growth_bytes / 2**20:.0f} MiB | {len(tally.findings)} |"
        )
    cases, seconds = sum(t.cases for t in tallies), sum(t.seconds for t in tallies)
    valid = sum(t.valid for t in tallies) / max(cases, 1)
    findings = sum(len(t.findings) for t in tallies)
    lines.append(f"| all, seed {seed} | {cases:,} | {valid:.1%} | | | {seconds:.0f} | | {findings} |")
    return "\n".join(lines) + "\n"
