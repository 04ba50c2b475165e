"""The arguments of every verb that renders mixtures: where manifests and recordings lie."""

import argparse
from pathlib import Path

from blsh.cli.pairs import parse_pairs
from blsh.corpora.manifest import Recording, read_manifest
from blsh.mixtures.rendering import Recordings

__all__ = ["add_data_arguments", "open_recordings", "read_manifests"]


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--manifest`` and ``--folder``."""
    parser.add_argument(
        "--manifest",
        type=str,
        nargs="+",
        required=True,
        metavar="CORPUS=CSV",
        help="the manifests, as 'blsh manifest' writes them",
    )
    parser.add_argument(
        "--folder",
        type=str,
        nargs="+",
        required=True,
        metavar="CORPUS=FOLDER",
        help="the folders that the paths are relative to",
    )


def read_manifests(arguments: argparse.Namespace) -> dict[str, tuple[Recording, ...]]:
    """Read the usable recordings of every corpus."""
    manifests = parse_pairs(arguments.manifest, "--manifest")
    return {corpus: read_manifest(Path(path)).recordings for corpus, path in manifests.items()}


def open_recordings(arguments: argparse.Namespace, **options: int) -> Recordings:
    """Make the reader of waveforms by corpus and path, with options of `Recordings`."""
    folders = parse_pairs(arguments.folder, "--folder")
    manifests = parse_pairs(arguments.manifest, "--manifest").values()
    return Recordings(
        (read_manifest(Path(path)) for path in manifests),
        {corpus: Path(folder) for corpus, folder in folders.items()},
        **options,
    )
