"""Fetch an openly licensed corpus: resume, check, unpack. TIMIT and Duan's noises are not for download.

An interrupted download goes on where it stopped when the same command runs again. Every archive is held to its stated
checksum; where nobody states one, the first download records it in FOLDER/.downloads and says so.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from blsh.cli.numbers import COUNT, Real
from blsh.cli.progress import Progress
from blsh.corpora.fetching import DOWNLOADS, Fetched, fetch
from blsh.corpora.sources import SOURCES, Source, read_sources
from blsh.files.downloads import recorded_checksum

EXAMPLE = "blsh download librispeech --parts dev-clean test-other -o data/LibriSpeech"
FOLDERS = {
    "librispeech": "LibriSpeech",
    "esc": "ESC-50",
    "demand": "DEMAND",
    "voicebank": "VoiceBank-DEMAND",
    "musan": "MUSAN",
}
ALL = "all"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("corpus", metavar="SOURCE", help=f"what to fetch: {', '.join(FOLDERS)}")
    parser.add_argument("--parts", nargs="+", default=[], help=f"parts of it, or {ALL}; none: the parts are listed")
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="where to (default: a folder in data/)")
    parser.add_argument("--mirror", default="", metavar="URL", help="folder that holds the same archives")
    parser.add_argument("--keep-archives", action="store_true", help=f"leave the archives in FOLDER/{DOWNLOADS}")
    parser.add_argument("--sources", type=Path, default=SOURCES, metavar="CSV", help="another table of addresses")
    parser.add_argument(
        "--timeout",
        type=Real(above=0, most=86_400),
        default=30.0,
        metavar="SECONDS",
        help="longest wait for bytes (30)",
    )
    parser.add_argument("--attempts", type=COUNT, default=6, metavar="N", help="attempts in vain before giving up (6)")


def outputs(arguments: argparse.Namespace) -> dict[str, list[Path]]:
    """Return the files that will be written."""
    return {"output": []}  # its folder goes on where it stopped, archive by archive


def run(arguments: argparse.Namespace) -> None:
    """Fetch the parts, say how each was checked, and how to read the corpus."""
    corpus = arguments.corpus
    everything = read_sources(corpus, path=arguments.sources)
    if not arguments.parts and len(everything) > 1:
        parts = ", ".join(f"{source.part} ({_size(source)})" for source in everything)
        raise ValueError(f"{corpus} has several parts, name some with --parts, or --parts {ALL}: {parts}")
    names = () if arguments.parts in ([], [ALL]) else tuple(arguments.parts)
    sources = read_sources(corpus, names, path=arguments.sources)
    folder = arguments.output or Path("data", FOLDERS.get(corpus, corpus))
    licences = ", ".join(sorted({source.licence for source in sources}))
    print(f"{corpus} into {folder}: {', '.join(f'{s.file} ({_size(s)})' for s in sources)}; licence {licences}")
    for found in fetch(
        sources,
        folder,
        mirror=arguments.mirror,
        keep_archives=arguments.keep_archives,
        progress=_Lines(sources),
        timeout_s=arguments.timeout,
        n_attempts=arguments.attempts,
    ):
        print(f"{found.source.file}: {found.n_files} files, {_how_checked(found, folder)}", flush=True)
    print(f"next: blsh manifest --reader {corpus} --corpus NAME --folder {folder} -o NAME.csv")


class _Lines:
    """A line of progress for each archive that is fetched or unpacked, in MB."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._lines: dict[str, Progress] = {}

    def __call__(self, label: str, done: int, total: int) -> None:
        line = self._lines.setdefault(label, Progress(f"{label} (MB)"))
        if total:
            line(done // 10**6, max(total // 10**6, 1))


def _size(source: Source) -> str:
    return "of unknown size" if source.n_bytes is None else f"{source.n_bytes / 1e6:,.0f} MB"


def _how_checked(found: Fetched, folder: Path) -> str:
    if found.checked == "unpacked":
        return "there already"
    if found.checked == "stated":
        return f"its checksum is as stated ({found.source.checksum_source})"
    record = recorded_checksum(folder / DOWNLOADS / found.source.file)
    if found.checked == "recorded":
        return f"its checksum is that of the first download ({record})"
    return f"nobody states its checksum: sha256 {found.sha256} is recorded in {record}"
