"""Find the verb, set the threads, run it, and turn its errors into one line.

A verb is a module of this package with a docstring (its help), ``EXAMPLE`` (a command), ``add_arguments(parser)``
and ``run(arguments) -> int | None``; ``outputs(arguments)`` if it writes more than ``-o``
(`blsh.cli.outputs`). Only the chosen verb is imported, so ``blsh --help`` starts at once.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import shlex
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from blsh import __version__
from blsh.cli.failures import BAD_INPUT, describe, one_line
from blsh.cli.log_lines import show_log
from blsh.cli.numbers import COUNT
from blsh.cli.streams import end_streams, open_closed_streams, show_any_name

__all__ = ["VERBS", "main"]

# In the order of the data's way, then the verbs for people.
VERBS = {
    "download": "fetch an openly licensed corpus",
    "manifest": "read a corpus: a folder of recordings becomes a manifest",
    "listing": "write the list of a corpus's recordings and their SHA-256",
    "units": "divide speech into the units of training, closed, validation and open sets",
    "draw": "draw the recipes of a set of mixtures",
    "frames": "write features and ideal masks of the training mixtures",
    "train": "learn projections by boosting",
    "fit": "fit projections to the features: principal components, ITQ",
    "neighbours": "find the frames that the raw features of a set find",
    "train-network": "train a neural network to compare with",
    "score": "score one system on one set",
    "score-network": "score a neural network on one set",
    "noises": "compare each noise's long-term spectrum with speech",
    "ssm": "compute the self-similarity matrices of the figures",
    "examples": "write the report's playable examples",
    "speed": "measure how long the systems take to clean a second of a recording",
    "aggregate": "reduce all scores to the summaries",
    "provenance": "record what an experiment was computed from and with",
    "report": "make tables, figures and report.html from summaries",
    "explain": "show why a moment of a recording was filtered as it was",
    "export-c": "write a denoiser as C99 for a small device",
    "run": "run an experiment, continuing one that was killed",
    "status": "print how far a run is, the time left, and why jobs failed",
    "plan": "print the jobs, disk and time that an experiment needs",
    "compare": "print what differs between two experiments",
    "denoise": "clean recordings, or a stream",
    "info": "print what is in a denoiser's model, and what it costs",
    "train-denoiser": "make a denoiser's model from your own recordings",
    "pack-denoiser": "make a denoiser's model from an experiment's frames and projections",
}


def main(argv: list[str] | None = None) -> int:
    """Run ``blsh`` with the given arguments and return its exit status.

    0 is success, 2 is bad input or a file that cannot be read or written (one line on stderr), 70 a fault of blsh, 130
    an interruption, 141 that nobody reads what is printed; a verb may have others. ``--debug`` raises instead.
    """
    if argv is None:  # a program that calls this function looks after its own log
        argv = sys.argv[1:]
        show_log()
    open_closed_streams()
    show_any_name()
    status, ended = 0, None
    try:
        status = _run(argv)
    except (Exception, KeyboardInterrupt, SystemExit) as error:
        if "--debug" in argv and isinstance(error, Exception) and not isinstance(error, BrokenPipeError):
            raise
        ended = error
    ended = _with_unwritten(ended, end_streams())
    if ended is None:
        return status
    if isinstance(ended, SystemExit):
        raise ended
    status, line = describe(ended)
    if line:
        with suppress(OSError):
            print(f"{_name(argv)}: {line}", file=sys.stderr, flush=True)
        end_streams()
    return status


def _with_unwritten(ended: BaseException | None, unwritten: OSError | None) -> BaseException | None:
    """Return what ended a verb, where standard output may not have taken all that was printed."""
    is_success = ended is None or (isinstance(ended, SystemExit) and not ended.code)
    # A print in the middle failed by the same fault, and did not know the name of its file.
    is_known = isinstance(ended, OSError) and unwritten is not None and ended.errno == unwritten.errno
    return unwritten if unwritten and (is_success or (is_known and ended.filename is None)) else ended


def _name(argv: list[str]) -> str:
    return f"blsh {argv[0]}" if argv and argv[0] in VERBS else "blsh"


def _run(argv: list[str]) -> int:
    parser = _outer_parser()
    if not argv or argv[0] not in VERBS:
        if not argv or argv[0].startswith("-"):
            parser.parse_args(argv or ["--help"])
        parser.error(f"verb {argv[0]!r} is unknown; choose one of {', '.join(VERBS)}")
    verb = argv[0]
    _set_threads(argv)
    module = _import_verb(f"blsh.cli.{verb.replace('-', '_')}")
    # Their room loads numpy, which must not come before the threads.
    from blsh.cli.outputs import check_outputs
    from blsh.files.fail_points import fail_point

    verb_parser = _verb_parser(verb, module)
    arguments, arguments.more = verb_parser.parse_known_args(argv[1:])
    if arguments.more and not getattr(module, "PASSES_ARGUMENTS_ON", False):
        verb_parser.error(f"unrecognized arguments: {shlex.join(arguments.more)}")
    if arguments.log_command:
        print(f"$ blsh {shlex.join(argv)}", flush=True)
    check_outputs(module, arguments)
    fail_point("verb.started")
    status = module.run(arguments) or 0
    fail_point("verb.finished")
    return status


def _import_verb(name: str) -> ModuleType:
    """Import a module without collecting garbage: what imports make stays, and looking takes a quarter of the start."""
    if name in sys.modules:
        return sys.modules[name]
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        gc.freeze()
        gc.enable()


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, without the usage.

    A Path has a name. An argument without a type is a text that may be stored, so it is UTF-8; one with a file's name
    in it is a `str`.
    """

    def __init__(self, **settings) -> None:
        super().__init__(**settings)
        self.register("type", Path, _path)
        self.register("type", str, _name_of_a_file)
        self.register("type", None, _text)

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: {one_line(message)}; see '{self.prog} --help'\n")


def _name_of_a_file(text: str) -> str:
    if not text:  # which would be the folder at hand
        raise argparse.ArgumentTypeError("'' names no file or folder")
    return text


def _path(text: str) -> Path:
    return Path(_name_of_a_file(text))


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError(f"{text!r} is not UTF-8; write it in other letters") from None
    return text


def _outer_parser() -> argparse.ArgumentParser:
    verbs = "\n".join(f"  {verb:<15}{summary}" for verb, summary in VERBS.items())
    parser = _Parser(
        prog="blsh",
        usage="blsh VERB [arguments]",
        description="Boosted Locality Sensitive Hashing for speech denoising.",
        epilog=f"verbs:\n{verbs}\n\n'blsh VERB --help' explains a verb.\n\n"
        "example:\n  blsh run --configfile config/demo.yaml\n\n"
        "exit status: 0 success, 1 some of several failed, 2 bad input, 70 a fault of blsh; docs/troubleshooting.md",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"blsh {__version__}")
    return parser


def _verb_parser(verb: str, module) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=f"blsh {verb}",
        description=module.__doc__,
        epilog=f"example:\n  {module.EXAMPLE}",
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    common = parser.add_argument_group("every verb")
    common.add_argument("--threads", type=COUNT, default=1, metavar="N", help="threads of the kernels (default 1)")
    common.add_argument("--debug", action="store_true", help="show the traceback of an error")
    common.add_argument("--log-command", action="store_true", help="print the command first, as the workflow's logs do")
    return parser


def _set_threads(argv: list[str]) -> None:
    """Set the numbers of threads before numpy and numba load, which read them only once.

    BLAS runs on one thread: how it splits a sum among threads depends on their number, so results would too.
    """
    finder = _Parser(prog=_name(argv), add_help=False, allow_abbrev=False)
    finder.add_argument("--threads", type=COUNT, default=1)
    n_threads = min(finder.parse_known_args(argv[1:])[0].threads, os.cpu_count() or 1)
    if numba := sys.modules.get("numba"):  # called from a program that has loaded it
        numba.set_num_threads(min(n_threads, numba.config.NUMBA_NUM_THREADS))
        return
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"):
        os.environ[name] = "1"
    os.environ["NUMBA_NUM_THREADS"] = str(n_threads)
