"""Write the list of a corpus's recordings with their SHA-256, so that a preset can name exactly these files."""

import argparse
from pathlib import Path

from blsh.cli.progress import Progress
from blsh.corpora import esc, librispeech
from blsh.corpora.listing import make_listing, write_listing

EXAMPLE = "blsh listing --reader esc --folder data/ESC-10 -o config/open_small_noise.csv"
MODULES = {"esc": esc, "librispeech": librispeech}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--reader", required=True, choices=sorted(MODULES), help="how the folder is laid out")
    parser.add_argument("--folder", required=True, type=Path, help="the corpus's folder")
    parser.add_argument("-o", "--output", required=True, type=Path, help="list to write (CSV)")


def run(arguments: argparse.Namespace) -> None:
    """Read the corpus and write its list."""
    module = MODULES[arguments.reader]
    manifest = module.read(arguments.folder, corpus="listed", progress=Progress("recordings"))
    entries = make_listing(manifest, module.find_layout(arguments.folder), arguments.folder)
    write_listing(arguments.output, entries)
    print(f"{len(entries)} recordings listed, {len(manifest.skipped)} skipped")
