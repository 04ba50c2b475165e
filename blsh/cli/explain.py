"""Show why a moment of a recording was filtered as it was: a page to open in a browser.

The page has the recording before and after, the moment's ten neighbours among the training frames, their masks, and how
every bit voted. Where the recordings that the model was made from are at hand, the neighbours can be heard.
"""

import argparse
from pathlib import Path

import numpy as np

from blsh.cli.numbers import CODE_LENGTH, Real
from blsh.cli.outputs import add_overwrite
from blsh.cli.pairs import parse_pairs
from blsh.corpora.manifest import Manifest
from blsh.denoising.explanation import explain
from blsh.denoising.model_file import DEFAULT_MODEL, DenoiserModel, load_model
from blsh.files.atomic import write_text
from blsh.mixtures.rendering import Recordings, render
from blsh.reporting.explanation_page import Neighbour, render_explanation
from blsh.signal.audio import SAMPLE_RATE, read_audio
from blsh.signal.spectra import HOP_LENGTH

EXAMPLE = "blsh explain noisy.wav --at 2.5 --folder speech=data/LibriSpeech noise=data/ESC-10 -o why.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("input", type=Path, metavar="IN", help="a sound file; several channels are averaged")
    parser.add_argument(
        "--at", type=Real(0), metavar="SECONDS", help="the moment (default: where most is left after cleaning)"
    )
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, help="model file (default: the packaged one)")
    parser.add_argument("--bits", type=CODE_LENGTH, metavar="N", help="use the first N bits (default: all)")
    parser.add_argument(
        "--folder",
        type=str,
        nargs="+",
        default=[],
        metavar="CORPUS=FOLDER",
        help="where the model's own recordings lie, to hear the neighbours",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="page to write (HTML)")
    add_overwrite(parser)


def run(arguments: argparse.Namespace) -> None:
    """Explain, look up the neighbours, write the page."""
    model = load_model(arguments.model)
    if arguments.bits is not None:
        model = model.prefix(arguments.bits)
    try:
        why = explain(read_audio(arguments.input), model, seconds=arguments.at)
    except ValueError as error:
        raise error if str(arguments.input) in str(error) else ValueError(f"{arguments.input}: {error}") from error
    neighbours = _neighbours(model, why.rows, parse_pairs(arguments.folder, "--folder"))
    title = f"Why {arguments.input.name} sounds as it does at {why.seconds:.2f} s"
    write_text(arguments.output, render_explanation(why, neighbours, title=title, model_name=arguments.model.name))
    print(f"page: {arguments.output}")


def _neighbours(model: DenoiserModel, rows: np.ndarray, folders: dict[str, str]) -> list[Neighbour]:
    if model.origins is None:
        if folders:
            raise ValueError("--folder: this model does not say where its dictionary was heard; leave it out")
        return [Neighbour() for _ in rows]
    recordings = None
    if folders:
        manifest = Manifest(model.origins.recordings, ())
        missing = sorted({recording.corpus for recording in manifest.recordings} - set(folders))
        if missing:
            raise ValueError(f"--folder: the folder of corpus {missing[0]!r} is missing; add {missing[0]}=FOLDER")
        recordings = Recordings([manifest], {corpus: Path(folder) for corpus, folder in folders.items()})
    return [_neighbour(model, int(row), recordings) for row in rows]


def _neighbour(model: DenoiserModel, row: int, recordings: Recordings | None) -> Neighbour:
    recipe, frame = model.origins.recipe(row), model.origins.frame(row)
    sound = None
    if recordings is not None:
        centre = frame * HOP_LENGTH
        sound = render(recipe, recordings).mixture[max(centre - SAMPLE_RATE // 2, 0) : centre + SAMPLE_RATE // 2]
    return Neighbour(
        speaker=recipe.speaker,
        noise=recipe.noise,
        snr_db=recipe.snr_db,
        seconds=frame * HOP_LENGTH / SAMPLE_RATE,
        utterance=recipe.utterance,
        sound=sound,
    )
