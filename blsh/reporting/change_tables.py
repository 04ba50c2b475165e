"""What a single change is worth: each system beside the one that it was changed from.

`switch_table`
    The price of each switch between the project's default and the authors' code, one at a time.
`variant_table`
    Ideas that the papers name as future work: β-weighted Hamming similarity, projections of stacked frames.
`target_table`
    Targets of the training: RBF kernels (TASLP 2022, V-D) and this project's own, against the SSM.

A change is the difference of SDR to the unchanged system with the same feature, ρ and L on the same mixtures, with its
95 % interval (`blsh.reporting.resamples`): on validation, where choices are made, and on the open set.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from blsh.hashing.switches import MATRICES, SWITCHES
from blsh.reporting.cells import at, main_snr, main_targets
from blsh.reporting.labels import CONTROLS, IDENTITY, families_of, target_name, variant_name
from blsh.reporting.resamples import Resamples
from blsh.reporting.summaries import Summaries
from blsh.reporting.table_cells import LABEL_COLUMNS, data_notes, label_cells, mean_cell, spread_note
from blsh.reporting.tables import Cell, Column, Number, Table

__all__ = ["INTERVAL_NOTE", "RESAMPLES_SEED", "switch_table", "target_table", "variant_table"]

SETS = ("validation", "open")
RESAMPLES_SEED = 2020
INTERVAL_NOTE = "In brackets the 95 % interval of a bootstrap over speakers and their utterances; repeats are averaged."
SWITCH = "switch-"


def switch_table(summaries: Summaries) -> Table:
    """Make the table of the price of each switch (variants ``switch-NAME``)."""
    caption = "The price of each switch: SDR when it alone is changed from the default"
    note = "A switch changes the training or the encoding; the test signals stay as they are."
    changed = summaries.utterances["variant"].str.startswith(SWITCH)
    return _table(summaries, "switches", caption, [note], "Switch", changed, {"variant": ""}, _switch_text)


def variant_table(summaries: Summaries) -> Table:
    """Make the table of variants of the search and of the features."""
    caption = "Variants of BLSH that the papers name as future work, against plain BLSH"
    note = "β-weighted: a bit that agrees counts with its round's β. Stacked: projections see the frames around, too."
    variants = summaries.utterances["variant"]
    changed = (variants == "weighted") | variants.str.startswith("context")
    return _table(summaries, "variants", caption, [note], "Variant", changed, {"variant": ""}, _variant_text)


def target_table(summaries: Summaries) -> Table:
    """Make the table of BLSH by the target of its training."""
    caption = "BLSH by the target of its training, against the self-similarity of the features (SSM)"
    cells = summaries.utterances
    papers = main_targets(cells)
    changed = (cells["system"] == "blsh") & (cells["variant"] == "") & ~cells["target"].isin(papers)
    reference = {"target": papers[0]} if papers else {}
    return _table(summaries, "targets", caption, [], "Target", changed, reference, _target_text)


def _table(
    summaries: Summaries,
    name: str,
    caption: str,
    notes: Sequence[str],
    header: str,
    changed: pd.Series,
    reference: dict[str, str],
    text_of_change: Callable[[pd.Series], str],
) -> Table:
    """Show the controls, then each changed system below the one that it was changed from.

    Parameters
    ----------
    changed
        Marks the rows of ``utterances.parquet`` that belong to changed systems.
    reference
        What the unchanged system has in some columns, where the changed one has something else.
    """
    columns = (Column(header), *LABEL_COLUMNS)
    columns += tuple(Column(part, name, "dB") for name in SETS for part in ("SDR", "change"))
    settings = _settings(summaries.utterances[changed & summaries.utterances["set"].isin(SETS)])
    if len(settings) == 0:
        return Table(name, caption, columns, ())
    controls = summaries.aggregated[summaries.aggregated["system"].isin(CONTROLS)]
    resamples = Resamples(RESAMPLES_SEED)
    body: list[tuple[Cell, ...]] = []
    rules: set[int] = set()

    def add(text: str, setting: pd.Series, origin: pd.Series | None) -> None:
        body.append((text, *_labels(setting), *_scores(summaries, setting, origin, resamples)))

    for _, control in families_of(controls).iterrows():
        add("", pd.Series({**control, "n_bits": 0}), None)
    for _, origin in _settings(settings.assign(**reference)).iterrows():
        rules.add(len(body))
        add("(unchanged)", origin, None)
        family = [name for name in settings.columns if name not in reference]
        for _, setting in settings[(settings[family] == origin[family]).all(axis=1)].iterrows():
            add(text_of_change(setting), setting, origin)
    shown = summaries.aggregated[summaries.aggregated["set"].isin(SETS) & (summaries.aggregated["by"] == "all")]
    notes = [*notes, spread_note(shown), INTERVAL_NOTE, *data_notes(summaries.sets, SETS)]
    return Table(name, caption, columns, tuple(body), tuple(notes), frozenset(rules - {0}))


def _settings(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the distinct systems with their L, in the order of tables."""
    cells = rows[[*IDENTITY, "n_bits"]].drop_duplicates()
    return families_of(cells).merge(cells.sort_values("n_bits"), how="left", on=list(IDENTITY))


def _labels(setting: pd.Series) -> tuple[str, ...]:
    # The change has a column of its own, so the system is named without it.
    alone = pd.DataFrame([setting])[list(IDENTITY)]
    return label_cells(setting, alone, int(setting["n_bits"]))


def _scores(summaries: Summaries, setting: pd.Series, origin: pd.Series | None, resamples: Resamples) -> list[Cell]:
    cells: list[Cell] = []
    for name in SETS:
        place = {"set": name, "snr_db": main_snr(summaries.aggregated, name), "n_bits": setting["n_bits"]}
        cells.append(mean_cell(at(summaries.aggregated, setting, by="all", **place), "sdr"))
        found = None
        if origin is not None:
            own, before = (at(summaries.utterances, one, **place) for one in (setting, origin))
            found = resamples.difference(before, own, "sdr")
        cells.append(Number(found.value, interval=(found.low, found.high)) if found else None)
    return cells


def _switch_text(setting: pd.Series) -> str:
    name = setting["variant"].removeprefix(SWITCH)
    if name == MATRICES:
        return "matrices: one for every L"
    changes = SWITCHES.get(name, {})
    if len(changes) > 6:
        return f"{name}: all of them"
    return ", ".join(f"{field}: {value}" for field, value in changes.items()) or name


def _variant_text(setting: pd.Series) -> str:
    return variant_name(setting["variant"])


def _target_text(setting: pd.Series) -> str:
    return target_name(setting["target"])
