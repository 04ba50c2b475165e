"""Clean noisy speech: files, folders, or a stream.

A file comes out with the rate, channels, length, format and subtype it went in with (WAV, FLAC, Ogg). Of several files
or a folder, those that are finished are skipped, and one that fails is told at the end while the others are done.
'-' stands for a sound file on stdin or stdout. With --stream, raw samples go from stdin to stdout as they come.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import cache, partial
from pathlib import Path

from blsh import __version__
from blsh.cli import pipes
from blsh.cli.cleaning_note import NOTE, CleaningNote, NoteLines, state_of
from blsh.cli.failures import describe
from blsh.cli.numbers import CODE_LENGTH, Real, Whole
from blsh.cli.output_tree import Task, goes_to_folder, plan_tasks, unfinished_tasks
from blsh.cli.progress import Progress
from blsh.cli.workers import in_processes
from blsh.denoising.denoiser import CHANNELS, Denoiser
from blsh.denoising.model_file import DEFAULT_MODEL, DenoiserModel, load_model
from blsh.denoising.sound_files import denoise_file
from blsh.files.atomic import remove_abandoned
from blsh.files.checksums import sha256_of_file
from blsh.signal.sounds import RATES

EXAMPLE = "blsh denoise recordings/ -o cleaned/ --jobs 2"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("inputs", type=str, nargs="*", metavar="IN", help="sound files or folders, or - for stdin")
    parser.add_argument("-o", "--output", type=str, metavar="OUT", help="file or folder to write, or - for stdout")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, help="model file (default: the packaged one)")
    parser.add_argument("--n-bits", "--bits", type=CODE_LENGTH, metavar="N", help="use the first N bits (default: all)")
    parser.add_argument(
        "--strength", type=Real(0, 1), default=1.0, metavar="X", help="0 changes nothing, 1 is full (default)"
    )
    parser.add_argument(
        "--floor", type=Real(0, 1), default=0.0, metavar="X", help="least gain of any bin, 0.1 is -20 dB (default 0)"
    )
    parser.add_argument(
        "--level",
        type=Real(above=0),
        metavar="X",
        help="standard deviation to assume, full scale being 1 (default: each file's own; of a stream the model's)",
    )
    parser.add_argument(
        "--jobs", type=Whole(1, 1024), default=1, metavar="N", help="files to clean at a time (default 1)"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="clean finished files again, and replace those that blsh did not write"
    )
    stream = parser.add_argument_group("streams")
    stream.add_argument("--stream", action="store_true", help="clean raw samples from stdin to stdout as they come")
    stream.add_argument(
        "--rate", type=Whole(RATES[0], RATES[-1]), default=16000, help="their rate in Hz (default 16000)"
    )
    stream.add_argument(
        "--channels", type=Whole(CHANNELS[0], CHANNELS[-1]), default=1, help="their channels, interleaved (default 1)"
    )
    stream.add_argument(
        "--format", choices=pipes.FORMATS, default="s16", help="little-endian 16- or 32-bit, or float (default s16)"
    )


def outputs(arguments: argparse.Namespace) -> dict[str, list[Path]]:
    """Return the file that will be written; what goes into a folder is looked at by ``unfinished_tasks``."""
    inputs, output = arguments.inputs, arguments.output
    if not inputs or output in (None, "-"):
        return {"output": []}
    if "-" not in inputs and goes_to_folder([Path(path) for path in inputs], Path(output), output):
        return {"output": []}
    return {"output": [Path(output)]}


def run(arguments: argparse.Namespace) -> int:
    """Clean; 1 if some of several files failed."""
    settings = {name: getattr(arguments, name) for name in ("level", "n_bits", "strength", "floor")}
    if arguments.stream:
        if arguments.inputs or arguments.output:
            raise ValueError("--stream goes from stdin to stdout: leave out IN and -o")
        model = load_model(arguments.model)
        pipes.clean_raw(model, arguments.rate, arguments.channels, arguments.format, settings)
        return 0
    if not arguments.inputs or not arguments.output:
        raise ValueError("IN or -o OUT is missing: name what to clean and where to put it")
    model = _checked_model(arguments.model, settings)
    if "-" in (*arguments.inputs, arguments.output):
        pipes.clean_file(arguments.inputs, arguments.output, model, settings)
        return 0
    tasks, is_tree = plan_tasks([Path(path) for path in arguments.inputs], Path(arguments.output), arguments.output)
    if not is_tree:
        denoise_file(tasks[0].source, tasks[0].target, model, **settings)
        return 0
    made_with = {**settings, "model_sha256": sha256_of_file(arguments.model), "code_version": __version__}
    note = CleaningNote(Path(arguments.output), made_with, anew=arguments.overwrite)
    left = tasks if arguments.overwrite else unfinished_tasks(tasks, note)
    if len(left) < len(tasks):
        print(f"{len(tasks) - len(left)} of {len(tasks)} files are finished and skipped", file=sys.stderr)
    remove_abandoned([Path(arguments.output) / NOTE, *(task.target for task in tasks)])
    if not left:
        return 0
    show, failures = Progress("files"), {}
    with note.continued() as noted, closing(_clean_all(left, noted, arguments, model, settings)) as finished:
        for task, failure in finished:
            failures[task] = failure
            show(len(failures), len(left))
    lines = [failures[task] for task in left if failures[task]]
    for line in lines:
        print(f"blsh denoise: {line}", file=sys.stderr)
    return 1 if lines else 0


def _checked_model(path: Path, settings: Mapping[str, float | None]) -> DenoiserModel:
    """Load the model, and find out about wrong settings before the first file."""
    model = load_model(path)
    Denoiser(model, **settings)
    return model


def _clean_all(
    tasks: Sequence[Task],
    noted: NoteLines,
    arguments: argparse.Namespace,
    model: DenoiserModel,
    settings: Mapping[str, float | None],
) -> Iterator[tuple[Task, str | None]]:
    """Clean every file; yield each as it is finished, with a line if it failed."""
    n_workers = min(arguments.jobs, len(tasks))
    left = _while_noted(tasks, noted)
    if n_workers > 1:
        work = partial(_work, noted=noted, path=arguments.model, settings=settings)
        yield from in_processes(work, left, n_workers, _killed)
    else:
        for task in left:
            yield task, _try_task(task, noted, model, settings)


def _while_noted(tasks: Sequence[Task], noted: NoteLines) -> Iterator[Task]:
    """Yield the tasks while what they make can be noted."""
    for task in tasks:
        noted.require_there()
        yield task


def _work(task: Task, noted: NoteLines, path: Path, settings: Mapping[str, float | None]) -> str | None:
    return _try_task(task, noted, _loaded(path), settings)


def _killed(task: Task) -> str:
    return f"{task.source}: its process was killed; use fewer --jobs"


@cache
def _loaded(path: Path) -> DenoiserModel:
    return load_model(path)


def _try_task(task: Task, noted: NoteLines, model: DenoiserModel, settings: Mapping[str, float | None]) -> str | None:
    """Clean and note a file; return what failed, in one line."""
    source_state = state_of(task.source)

    def note(whole: Path) -> None:
        noted.add(task.target, whole, task.source, source_state)

    try:
        denoise_file(task.source, task.target, model, when_whole=note, **settings)
    except (ValueError, OSError, MemoryError) as error:
        return describe(error)[1] or str(error)
    return None
