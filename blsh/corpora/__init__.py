"""Corpora: a folder of recordings on disk becomes a manifest.

One module a corpus, each with `read(folder, *, corpus, **options) -> Manifest`. `READERS` names them. A
module is imported only when its corpus is read, so that a corpus nobody asked for costs nothing and needs
nothing installed; the imports are spelt out, because what a workflow step depends on is found by reading
them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from blsh.corpora.listing import Layout
from blsh.corpora.manifest import Manifest, Recording, Skipped, read_manifest, write_manifest


def _librispeech(folder: Path, **options: Any) -> Manifest:
    from blsh.corpora import librispeech

    return librispeech.read(folder, **options)


def _esc(folder: Path, **options: Any) -> Manifest:
    from blsh.corpora import esc

    return esc.read(folder, **options)


def _timit(folder: Path, **options: Any) -> Manifest:
    from blsh.corpora import timit

    return timit.read(folder, **options)


def _duan(folder: Path, **options: Any) -> Manifest:
    from blsh.corpora import duan

    return duan.read(folder, **options)


def _demand(folder: Path, **options: Any) -> Manifest:
    from blsh.corpora import demand

    return demand.read(folder, **options)


def _voicebank(folder: Path, **options: Any) -> Manifest:
    from blsh.corpora import voicebank

    return voicebank.read(folder, **options)


def _musan(folder: Path, **options: Any) -> Manifest:
    from blsh.corpora import musan

    return musan.read(folder, **options)


def _folder(folder: Path, **options: Any) -> Manifest:
    from blsh.corpora import folder as reader

    return reader.read(folder, **options)


def _synthetic_speech(folder: Path, **options: Any) -> Manifest:
    from blsh.corpora import synthetic_speech

    return synthetic_speech.read(folder, **options)


def _synthetic_noise(folder: Path, **options: Any) -> Manifest:
    from blsh.corpora import synthetic_noise

    return synthetic_noise.read(folder, **options)


READERS: dict[str, Callable[..., Manifest]] = {
    "librispeech": _librispeech,
    "esc": _esc,
    "timit": _timit,
    "duan": _duan,
    "demand": _demand,
    "voicebank": _voicebank,
    "musan": _musan,
    "folder": _folder,
    "synthetic_speech": _synthetic_speech,
    "synthetic_noise": _synthetic_noise,
}


def reader(name: str) -> Callable[..., Manifest]:
    """Return the reader called `name`.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    if name not in READERS:
        raise ValueError(f"corpus reader {name!r} is unknown: choose one of {', '.join(READERS)}")
    return READERS[name]


def find_layout(name: str, folder: Path) -> Layout:
    """Find the layout in which the corpus of the reader `name` lies in `folder`, to make a listing of it.

    Raises
    ------
    FileNotFoundError
        If the folder is missing or has no layout of that reader.
    ValueError
        If the reader has no layouts, or several are found.
    """
    from blsh.corpora import demand, duan, esc, librispeech, musan, timit, voicebank
    from blsh.corpora import folder as any_folder

    finders = {
        "librispeech": librispeech.find_layout,
        "esc": esc.find_layout,
        "timit": timit.find_layout,
        "duan": duan.find_layout,
        "demand": demand.find_layout,
        "voicebank": voicebank.find_layout,
        "musan": musan.find_layout,
        "folder": any_folder.find_layout,
    }
    if name not in finders:
        raise ValueError(f"corpus reader {name!r} has no layouts to list: choose one of {', '.join(finders)}")
    return finders[name](folder)


__all__ = [
    "READERS",
    "Layout",
    "Manifest",
    "Recording",
    "Skipped",
    "find_layout",
    "read_manifest",
    "reader",
    "write_manifest",
]
