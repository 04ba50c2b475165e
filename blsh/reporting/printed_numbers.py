"""Every number that the papers print about their systems, as data: ``printed_numbers.csv``.

=================  ====================================================================================
``source, table``  I20 (ICASSP 2020), T22 (TASLP 2022) or W (the authors' web article), and the place in it
``row``            what the paper calls the system
``system … n_bits``, ``set, snr_db``
                   the cell of a run that corresponds to it; empty where it does not apply
``column``         the quantity: a metric, a size (``size_mb, dictionary_mb, projections_mb``, 10⁶ bytes), or a
                   count (``parameters, macs_per_second, bit_operations_per_second, bit_operations_per_frame``)
``value``          as printed, so that its last digit is known; ESTOI in percent
``note``           what is known about it; a known slip begins with ``Slip:``
=================  ====================================================================================

Transcribed from the papers' texts; the tables of T22 are the same in the publisher's version and the preprint.
"""

from __future__ import annotations

from decimal import Decimal
from importlib.resources import as_file, files

import pandas as pd

from blsh.files.tables import read_csv

__all__ = ["SLIP", "last_digit", "load_printed"]

SLIP = "Slip:"
_TEXT = ("source", "table", "row", "system", "variant", "feature", "set", "column", "value", "note")
_NUMBERS = ("rho", "n_bits", "snr_db")


def load_printed() -> pd.DataFrame:
    """Read the printed numbers; ``printed`` is ``value`` as a number, ``is_slip`` marks the known slips.

    ``rho`` and ``n_bits`` are 0 where they do not apply, ``snr_db`` is NaN where the paper names none.
    """
    columns = {**dict.fromkeys(_TEXT, "str"), **dict.fromkeys(_NUMBERS, "float64")}
    with as_file(files("blsh.reporting") / "printed_numbers.csv") as path:
        table = read_csv(path, columns)
    return table.assign(
        rho=table["rho"].fillna(0.0),
        n_bits=table["n_bits"].fillna(0).astype("int64"),
        printed=table["value"].astype("float64"),
        is_slip=table["note"].str.startswith(SLIP),
    )


def last_digit(value: str) -> float:
    """Return the unit of the last printed digit: 0.01 of ``9.20``, 100,000 of ``1.2e6``."""
    return 10.0 ** Decimal(value).as_tuple().exponent
