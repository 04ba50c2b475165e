"""A figure as a value, its files, and the style that all figures share.

A figure is written as PDF, PNG and SVG with its caption beside it as text. The same values give the same
bytes: no dates, fixed names inside the SVG. Nothing touches matplotlib's global state (no pyplot), and nobody's
settings of matplotlib (a file ``matplotlibrc``, ``MPLBACKEND``, styles) touch a figure: all figures of this repository
are made here, and matplotlib is imported here and nowhere else.

Lines are told apart by colour, by stroke and by marker, and the two colours by their lightness, so that they
can be read in black and white.
"""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from blsh.files.atomic import atomic_path, write_text

# What it says of a line of settings, or of the folder of its cache, concerns no figure made here.
logging.getLogger("matplotlib").setLevel(logging.ERROR)
try:
    import matplotlib as mpl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine
    from matplotlib.ticker import NullFormatter
except ImportError:
    raise
except Exception as error:  # whatever a file of settings brings about: it is read while importing
    places = f"MPLBACKEND={os.environ.get('MPLBACKEND')!r} or the file matplotlibrc".removeprefix("MPLBACKEND=None or ")
    raise ValueError(f"matplotlib does not start with your settings ({error}): correct or remove {places}") from error

__all__ = [
    "BLACK",
    "DARK",
    "FORMATS",
    "GREY",
    "LIGHT",
    "Axes",
    "Figure",
    "NullFormatter",
    "Picture",
    "in_plain_style",
    "in_style",
    "legend_below",
    "new_figure",
    "picture_bytes",
    "write_picture",
]

P = ParamSpec("P")
R = TypeVar("R")

FORMATS = ("pdf", "png", "svg")
DARK, LIGHT, GREY, BLACK = "#0b3c6f", "#e08a1e", "#8a8a8a", "#222222"

# matplotlib's own, in place of what a file of settings says. How windows are shown is not for a figure to set.
PLAIN: dict[str, Any] = {key: value for key, value in mpl.rcParamsDefault.copy().items() if key != "backend"}
STYLE = PLAIN | {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 9.5,
    "axes.labelsize": 9,
    "axes.edgecolor": "#555555",
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "legend.handlelength": 3.2,
    "lines.linewidth": 1.4,
    "lines.markersize": 4.5,
    "xtick.color": "#333333",
    "ytick.color": "#333333",
    "text.color": BLACK,
    "axes.labelcolor": BLACK,
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "blsh",
}
# None leaves a date or a version out of the file.
METADATA = {
    "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
}


@dataclass(frozen=True)
class Picture:
    """A figure with the name of its files, its caption, and a text for those who cannot see it."""

    name: str
    figure: Figure
    caption: str
    alt: str


def _drawn_with(settings: Mapping[str, Any]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator for functions that draw; matplotlib's settings are afterwards as they were."""

    def decorate(draw: Callable[P, R]) -> Callable[P, R]:
        @wraps(draw)
        def styled(*args: P.args, **kwargs: P.kwargs) -> R:
            with mpl.rc_context(settings):
                return draw(*args, **kwargs)

        return styled

    return decorate


# The report's figures have the style above; those of measurements have matplotlib's own.
in_style = _drawn_with(STYLE)
in_plain_style = _drawn_with(PLAIN)


def new_figure(n_rows: int, n_columns: int, *, width: float, height: float, **sharing: Any) -> tuple[Figure, list]:
    """Make a figure of panels; a function that draws is decorated with `in_style` or `in_plain_style`.

    Parameters
    ----------
    n_rows, n_columns
        Panels.
    width, height
        Size of the whole figure in inches.
    **sharing
        Passed to `Figure.subplots`: ``sharex``, ``sharey``.

    Returns
    -------
    figure, panels
        ``panels`` is a list of rows.
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    panels = figure.subplots(n_rows, n_columns, squeeze=False, **sharing)
    return figure, [list(row) for row in panels]


def legend_below(figure: Figure, panels: Sequence[Axes], *, n_columns: int) -> None:
    """Put one legend below all panels, in as many columns as fit; lines with the same label are named once."""
    lines = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            lines.setdefault(label, handle)
    for columns in range(n_columns, 0, -1):
        legend = figure.legend(lines.values(), lines.keys(), loc="outside lower center", ncols=columns)
        if columns == 1 or legend.get_window_extent().width <= figure.bbox.width:
            return
        legend.remove()


@lru_cache(maxsize=64)
@in_style
def picture_bytes(picture: Picture, suffix: str) -> bytes:
    """Draw a picture as ``pdf``, ``png`` (200 dots per inch) or ``svg``."""
    buffer = io.BytesIO()
    # Placing panels and legends takes most of the time, and is the same for every form.
    if isinstance(picture.figure.get_layout_engine(), ConstrainedLayoutEngine):
        picture.figure.draw_without_rendering()
        picture.figure.set_layout_engine("none")
    picture.figure.savefig(buffer, format=suffix, dpi=200, metadata=METADATA[suffix])
    return buffer.getvalue()


def write_picture(folder: str | Path, picture: Picture) -> Sequence[Path]:
    """Write ``NAME.pdf``, ``NAME.png``, ``NAME.svg`` and the caption, ``NAME.txt``."""
    folder = Path(folder)
    paths = [folder / f"{picture.name}.{suffix}" for suffix in FORMATS]
    for path, suffix in zip(paths, FORMATS, strict=True):
        with atomic_path(path) as temporary:
            temporary.write_bytes(picture_bytes(picture, suffix))
    paths.append(folder / f"{picture.name}.txt")
    write_text(paths[-1], picture.caption + "\n")
    return paths
