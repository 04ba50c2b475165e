"""What each system costs to run: operations counted as in TASLP 2022, V-F and V-G, and the measured time beside.

The papers count the comparisons of the search and the networks' multiplications; the projection and the mean of the
masks, which they leave out, are counted here too (`blsh.denoising.complexity`).
"""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from blsh.denoising.architectures import count_parameters, parse_architecture
from blsh.denoising.complexity import Operations, hashed_operations, network_operations, raw_operations
from blsh.reporting.cells import at, bits_or_longest, number_at, of_sets, plain
from blsh.reporting.labels import CONTROLS, NETWORKS, families_of
from blsh.reporting.sizes import HASHED
from blsh.reporting.summaries import Summaries
from blsh.reporting.table_cells import LABEL_COLUMNS, label_cells, network_notes, rules_of, with_untrained
from blsh.reporting.tables import Absent, Cell, Column, Number, Table
from blsh.reporting.taslp_tables import TASLP_BITS
from blsh.signal.spectra import feature_width

__all__ = ["bits_shown", "complexity_table", "operations_of"]

LEARNED = ("blsh", "residual", "pca_sign", "itq")


def complexity_table(summaries: Summaries) -> Table:
    """Make the table, each system with codes at the L of TASLP's tables."""
    columns = (
        *LABEL_COLUMNS,
        Column("Learned numbers"),
        *(Column(name, "for a second of audio", "10⁶") for name in ("MACs", "bit operations", "additions")),
        Column("measured", "for a second of audio", "ms"),
        Column("SDR open", unit="dB"),
    )
    caption = "Operations for a second of audio, and the time that they took"
    if "Training frames T" not in summaries.facts:
        return Table("complexity", caption, columns, ())
    n_frames = int(summaries.facts["Training frames T"])
    rows = plain(of_sets(summaries.aggregated, "open"), rivals=True)
    shown, untrained = with_untrained(summaries, rows[rows["system"] != "lsh_fixed"])
    families = families_of(shown, by_rho=True)
    body: list[tuple[Cell, ...]] = []
    for _, family in families.iterrows():
        own = at(rows, family)
        bits = bits_shown(family["system"], family["feature"], set(own["n_bits"]))
        own = at(own, n_bits=bits)
        k = int(own["n_neighbours"].iloc[0]) if len(own) else 0
        operations = operations_of(family, bits, n_rows=family["rho"] * n_frames, n_neighbours=k)
        kind = {"system": "codes"} if family["system"] in HASHED else {}
        key = {name: family[name] for name in _SPEED_KEY} | kind | {"n_bits": bits}
        speed = number_at(at(summaries.speed, **key), _SPEED)
        sdr = number_at(own, "sdr")
        is_absent = (family["system"], family["variant"]) in untrained
        body.append(
            (
                *label_cells(family, families, bits),
                _learned(family, bits),
                *_counts(operations),
                Number(1000 * speed),
                Absent("not trained") if is_absent else Number(sdr),
            )
        )
    notes = [
        f"A dictionary holds ρ of T = {n_frames:,} training frames.",
        "Not counted, as in the paper: STFT and mel filters, biases and activations.",
        "A bit operation compares one bit of two codes; a machine word does 64 at once.",
        *_machine_notes(summaries.speed),
        *network_notes(summaries, families),
    ]
    return Table("complexity", caption, columns, tuple(body), tuple(notes), rules_of(families))


_SPEED_KEY = ("system", "variant", "feature", "rho")
_SPEED = "seconds_per_second"


def bits_shown(system: str, feature: str, lengths: Collection[int]) -> int:
    """Choose the code length that the table shows of those scored: TASLP's, else the longest; 0 without codes."""
    wanted = TASLP_BITS.get((system, feature), TASLP_BITS["blsh", "stft"])
    return bits_or_longest(wanted, lengths)


def operations_of(family: pd.Series, n_bits: int, *, n_rows: float, n_neighbours: int) -> Operations | None:
    """Count a system's operations for a second of audio; None for controls.

    Parameters
    ----------
    family
        The columns of `labels.IDENTITY`.
    n_bits
        L, 0 without codes.
    n_rows
        ρT.
    n_neighbours
        K.
    """
    if family["system"] in NETWORKS:
        return network_operations(parse_architecture(family["system"], family["variant"]))
    if family["system"] in CONTROLS:
        return None
    width = feature_width(family["feature"])
    if family["system"] in HASHED:
        return hashed_operations(width, n_rows, n_neighbours, n_bits)
    return raw_operations(width, n_rows, n_neighbours)


def _learned(family: pd.Series, n_bits: int) -> Cell:
    """Count what is trained: projections without their biases, as the paper does, or a network's parameters."""
    if family["system"] in NETWORKS:
        return Number(count_parameters(parse_architecture(family["system"], family["variant"])), decimals=0)
    if family["system"] in LEARNED:
        return Number(feature_width(family["feature"]) * n_bits, decimals=0)
    return None


def _counts(operations: Operations | None) -> tuple[Cell, Cell, Cell]:
    if operations is None:
        return None, None, None
    counts = (operations.macs, operations.bit_operations, operations.additions)
    return tuple(Number(count / 1e6) if count else None for count in counts)


def _machine_notes(speed: pd.DataFrame) -> list[str]:
    """Say where the times were measured."""
    if len(speed) == 0:
        return ["Times were not measured in this run."]
    parts = sorted({f"{row.machine}, {row.threads} thread{'s' * (row.threads > 1)}" for row in speed.itertuples()})
    return [
        f"Measured on {'; '.join(parts)}: processor time from a waveform of some seconds to its estimate, the least of"
        " five runs. Codes of one length cost the same, so random ones were timed, and untrained networks for trained."
    ]
