"""The arguments of the verbs that make a denoiser's model, and how they end: scored, saved, printed."""

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from pathlib import Path

from blsh.cli.numbers import CODE_LENGTH, COUNT, SEED, Whole
from blsh.cli.outputs import add_overwrite
from blsh.cli.progress import Progress
from blsh.corpora.manifest import Recording, without_unprintable
from blsh.denoising.mask_codebook import BANDS
from blsh.denoising.mask_estimation import mean_mask
from blsh.denoising.mask_store import require_bands
from blsh.denoising.model_file import DenoiserModel, Source, require_neighbours, save_model
from blsh.evaluation.model_quality import score_models
from blsh.mixtures.recipes import Recipe
from blsh.mixtures.rendering import Recordings

__all__ = ["add_model_arguments", "bands_of", "check_model_arguments", "read_sources", "score_and_save"]


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what a model may weigh, whom to credit, and where to write it."""
    parser.add_argument("--n-bits", type=CODE_LENGTH, default=150, metavar="L", help="bits of a code (default 150)")
    parser.add_argument("--n-rows", type=COUNT, default=50_000, metavar="N", help="dictionary rows (default 50,000)")
    parser.add_argument("--n-neighbours", type=COUNT, default=10, metavar="K", help="masks to average (default 10)")
    parser.add_argument(
        "--bands",
        type=Whole(1, 65),
        nargs="*",
        default=list(BANDS),
        metavar="BYTES",
        help="widths of the mask store's bands, sum 65; none keeps every mask whole "
        f"(default {' '.join(map(str, BANDS))})",
    )
    parser.add_argument("--seed", type=SEED, default=2020, help="base seed of all random choices (default 2020)")
    parser.add_argument(
        "--sources", type=Path, help="JSON list of what to credit: name, licence, address, attributions"
    )
    parser.add_argument("-o", "--output", required=True, type=Path, help="model to write (.blsh)")
    add_overwrite(parser)


def check_model_arguments(arguments: argparse.Namespace, n_rows: int) -> None:
    """Raise, before any work, what would be found once the model is made, of at most so many rows.

    Raises
    ------
    ValueError
        If the bands, the neighbours or the file of sources are no good.
    FileNotFoundError
        If there is no such file.
    """
    if bands := bands_of(arguments):
        require_bands(bands)
    require_neighbours(arguments.n_neighbours, min(arguments.n_rows, n_rows))
    read_sources(arguments.sources, ())


def bands_of(arguments: argparse.Namespace) -> tuple[int, ...] | None:
    """Return the bands of a compressed mask store, or None for whole masks."""
    return tuple(arguments.bands) or None


def read_sources(path: Path | None, recordings: Iterable[Recording]) -> tuple[Source, ...]:
    """Read whom to credit; without a file the recordings' own corpora and licences.

    Raises
    ------
    ValueError
        If the file is no such list.
    """
    if path is None:
        licences: dict[str, set[str]] = {}
        for recording in recordings:
            licences.setdefault(recording.corpus, set()).add(recording.licence)
        return tuple(Source(corpus, ", ".join(sorted(found))) for corpus, found in sorted(licences.items()))
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        if type(entries) is not list:
            raise ValueError("it is no list")
        return tuple(_source(number, entry) for number, entry in enumerate(entries, start=1))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is no JSON list of name, licence, address and attributions: {error}") from error


def _source(number: int, entry: object) -> Source:
    known = {field.name for field in fields(Source)}
    if type(entry) is not dict or not {"name", "licence"} <= set(entry) <= known:
        found = ", ".join(map(repr, entry)) if type(entry) is dict else entry
        raise ValueError(f"entry {number} has {found!s:.80}; a name and a licence are needed")
    entry = {"attributions": []} | entry
    for key, value in entry.items():
        is_list = key == "attributions"
        texts = value if is_list and type(value) is list else [value]
        if type(value) is not (list if is_list else str) or not all(map(_is_line, texts)):
            raise ValueError(
                f"entry {number}: {key}={value!r:.80} is no {'list of lines' if is_list else 'line'} of text"
            )
    return Source(**(entry | {"attributions": tuple(entry["attributions"])}))


def _is_line(text: object) -> bool:
    return type(text) is str and without_unprintable(text) == text


def score_and_save(model: DenoiserModel, recipes: Sequence[Recipe], recordings: Recordings, path: Path) -> None:
    """Measure the model on validation mixtures, write it with its scores, and print them."""
    constant = mean_mask(model.masks.rows)
    show = Progress("validation mixtures")
    (scores,) = score_models([model], recipes, recordings, constant=constant, progress=show)
    save_model(path, replace(model, scores=scores))
    for score in scores:
        print(
            f"{score.noise}, {score.snr_db:g} dB: SDR {score.sdr:.2f} dB in {score.mixtures} validation mixtures, "
            f"constant mask {score.sdr_constant:.2f}, mixture {score.sdr_mixture:.2f}"
        )
    print(f"{path}: {path.stat().st_size:,} bytes, {model.n_rows} rows of {model.n_bits} bits")
