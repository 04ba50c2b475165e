"""Read a corpus: list every usable recording of a folder, with speaker or class, length, rate and SHA-256."""

import argparse
from pathlib import Path

from blsh.cli.numbers import Whole
from blsh.cli.progress import Progress
from blsh.corpora import READERS
from blsh.corpora.manifest import skipped_path, write_manifest
from blsh.corpora.overview import overview
from blsh.corpora.timit import rules_of_speakers

EXAMPLE = "blsh manifest --reader librispeech --corpus speech --folder data/LibriSpeech -o speech.csv"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--reader", required=True, choices=sorted(READERS), help="how the folder is laid out")
    parser.add_argument("--corpus", required=True, help="name that recipes use for the corpus")
    parser.add_argument("--folder", required=True, type=Path, help="the folder; an embedded corpus is generated there")
    parser.add_argument("--listing", type=Path, help="CSV that restricts the corpus and gives SHA-256 values")
    parser.add_argument("--splits", nargs="+", help="librispeech, timit: read only these splits")
    parser.add_argument("--classes", nargs="+", help="esc, duan, demand: read only these classes")
    parser.add_argument("--sa", choices=("keep", "drop"), help="timit: the two sentences that every speaker reads")
    parser.add_argument("--channel", type=Whole(1, 16), help="demand: the microphone, 1 to 16")
    parser.add_argument("--levels", nargs="+", help="folder: what the levels of a tree mean, such as: speaker")
    parser.add_argument("--table", help="folder: CSV inside the folder that lists the recordings")
    parser.add_argument("--licence", help="folder: the recordings' licence")
    parser.add_argument("-o", "--output", required=True, type=Path, help="manifest to write (CSV)")


def outputs(arguments: argparse.Namespace) -> dict[str, list[Path]]:
    """Return the files that will be written."""
    return {"output": [arguments.output, skipped_path(arguments.output)]}


def run(arguments: argparse.Namespace) -> None:
    """Read the corpus and write its manifest, and beside it the files that were skipped, with reasons."""
    read = READERS[arguments.reader]
    names = ("listing", "splits", "classes", "sa", "channel", "levels", "table", "licence")
    options = {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}
    manifest = read(arguments.folder, corpus=arguments.corpus, progress=Progress(arguments.corpus), **options)
    write_manifest(arguments.output, manifest)
    seconds = sum(recording.seconds for recording in manifest.recordings)
    print(f"{len(manifest.recordings)} recordings, {seconds / 60:.1f} min, {len(manifest.skipped)} skipped")
    for line in overview(manifest.recordings):
        print(line)
    if arguments.reader == "timit":
        for line in rules_of_speakers(manifest.recordings):
            print(line)
    for skipped in manifest.skipped:
        print(f"skipped {skipped.path}: {skipped.reason}")
