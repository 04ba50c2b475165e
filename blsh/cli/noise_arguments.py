"""The arguments of verbs that draw noise: of which corpus, splits and classes."""

import argparse
from collections.abc import Mapping

from blsh.corpora.manifest import Recording

__all__ = ["add_noise_arguments", "corpus_of", "select_noise"]


def add_noise_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--noise-corpus``, ``--noise-splits`` and ``--noise-classes``."""
    parser.add_argument("--noise-corpus", help="corpus of the noise")
    parser.add_argument("--noise-splits", nargs="*", default=[], help="splits to take (default: all)")
    parser.add_argument("--noise-classes", nargs="*", default=[], help="classes to take (default: all)")


def select_noise(arguments: argparse.Namespace, manifests: Mapping[str, tuple[Recording, ...]]) -> list[Recording]:
    """Return the recordings that the arguments name.

    Raises
    ------
    ValueError
        If there is no such corpus, split or class.
    """
    corpus = arguments.noise_corpus
    recordings = corpus_of(manifests, corpus, "--noise-corpus")
    for name, field in (("splits", "split"), ("classes", "noise_class")):
        found = {getattr(recording, field) for recording in recordings}
        missing = set(getattr(arguments, f"noise_{name}")) - found
        if missing:
            raise ValueError(f"corpus {corpus!r} has no {field} {min(missing)!r} (it has: {', '.join(sorted(found))})")
    return [
        recording
        for recording in recordings
        if (not arguments.noise_splits or recording.split in arguments.noise_splits)
        and (not arguments.noise_classes or recording.noise_class in arguments.noise_classes)
    ]


def corpus_of(manifests: Mapping[str, tuple[Recording, ...]], corpus: str, flag: str) -> tuple[Recording, ...]:
    """Return the recordings of the corpus that a flag names; raise ValueError if there is none."""
    if corpus not in manifests:
        raise ValueError(f"{flag} {corpus!r} is not in --manifest ({', '.join(manifests)}); name one of these")
    return manifests[corpus]
