"""Mutated folders of corpora: names in other cases and places, lost files, damaged tables and recordings."""

from __future__ import annotations

import io
import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile

from blsh.corpora import find_layout, reader
from blsh.corpora.listing import make_listing, write_listing
from blsh.corpora.manifest import read_manifest, write_manifest
from blsh.corpora.overview import overview
from blsh.corpora.timit import rules_of_speakers
from tests.corpora.making import make_librispeech, noise, write
from tests.corpora.test_timit import make_timit
from tests.long.fuzzing.csv_files import assert_inside, mutate_file
from tests.long.fuzzing.mutating import HOSTILE_NAMES, chance, choose, damaged, truncated
from tests.long.fuzzing.target import Target

_SELECTIONS = frozenset({"balanced_speakers", "random_speakers", "open_speakers", "speakers_of", "_shuffled"})

_OPTIONS_NAMED = ("sa='both'", "channel=", "level 'no'", "levels=[]")


def targets() -> list[Target]:
    code = {
        "corpora/timit.py": _SELECTIONS | {"rules_of_speakers"},
        "corpora/voicebank.py": frozenset({"pairs"}),
        "corpora/scanning.py": frozenset(),
        "corpora/folder.py": frozenset({"_read_table"}),
        **{f"corpora/{name}.py": frozenset() for name in ("demand", "duan", "esc", "librispeech", "musan")},
    }
    return [Target("corpora", _write, _read, code, subjects=_OPTIONS_NAMED)]


def _librispeech(root: Path) -> None:
    make_librispeech(root / "LibriSpeech", n_speakers=2, seconds=0.02)


def _timit(root: Path) -> None:
    make_timit(root / "timit", sentences=["SA1"])


def _timit_lower(root: Path) -> None:
    make_timit(root, sentences=["SA1"], lower=True, form="converted")


def _esc50(root: Path) -> None:
    lines = ["filename,fold,target,category,esc10,src_file,take"]
    for k, (category, is_10) in enumerate((("dog", True), ("rain", True), ("cow", False))):
        name = f"{k + 1}-100{k}-A-{k}.wav"
        write(root / "ESC-50-master/audio" / name, noise(0.02, seed=k, rate=44100), 44100)
        lines.append(f"{name},{k + 1},{k},{category},{is_10},100{k},A")
    (root / "ESC-50-master/meta").mkdir()
    (root / "ESC-50-master/meta/esc50.csv").write_text("\n".join(lines) + "\n")


def _esc10(root: Path) -> None:
    for folder, name in (("001 - Dog bark", "1-1-A.ogg"), ("002 - Rain", "2-2-A.ogg"), ("002 - Rain", "2-2-B.ogg")):
        write(root / folder / name, noise(0.05), 44100)


def _demand(root: Path) -> None:
    for place in ("TBUS", "NPARK"):
        for channel in (1, 2):
            write(root / f"{place}_16k/{place}/ch{channel:02d}.wav", noise(0.02))


def _voicebank(root: Path) -> None:
    for side in ("clean", "noisy"):
        for name in ("p232_001", "p257_002"):
            write(root / f"VB/{side}_testset_wav/{name}.wav", noise(0.02), 48000)


def _musan(root: Path) -> None:
    for k in range(2):
        write(root / f"musan/noise/free-sound/noise-free-sound-000{k}.wav", noise(0.02, seed=k))


def _duan(root: Path) -> None:
    for name in "birds casino cicadas ComputerKeyboard eatingchips frogs jungle machinegun motorcycle ocean".split():
        write(root / f"noises/{name}.wav", noise(0.02))


def _folder(root: Path) -> None:
    for name in ("train/anna/1.wav", "train/ben/1.wav", "test/carl/x y.flac"):
        write(root / name, noise(0.02))


MAKERS = {
    "librispeech": [_librispeech],
    "timit": [_timit, _timit_lower],
    "esc": [_esc50, _esc10],
    "demand": [_demand],
    "voicebank": [_voicebank],
    "musan": [_musan],
    "duan": [_duan],
    "folder": [_folder],
}
OPTIONS = {
    "librispeech": {"splits": [["train-clean-100"], ["dev"], []]},
    "timit": {"splits": [["train"], ["test"], ["dev"]], "sa": ["keep", "drop", "both"]},
    "esc": {"classes": [["dog"], ["dog", "rain"], ["cow"], ["cat"]]},
    "demand": {"channel": [1, 2, 16, 17, 0], "classes": [["TBUS"], ["SCAFE"]]},
    "duan": {"classes": [["birds", "ocean"], ["bees"]]},
    "folder": {"levels": [["split", "speaker"], ["speaker"], ["class"], ["split", "gender", "speaker"], ["no"], []]},
}


@cache
def _valid(maker) -> dict[str, bytes]:
    with TemporaryDirectory() as scratch:
        maker(Path(scratch))
        files = [path for path in sorted(Path(scratch).rglob("*")) if path.is_file()]
        return {path.relative_to(scratch).as_posix(): path.read_bytes() for path in files}


def _write(rng: np.random.Generator, folder: Path) -> str:
    name = choose(rng, sorted(MAKERS))
    files = dict(_valid(choose(rng, MAKERS[name])))
    root = folder / "corpus"
    kind = choose(
        rng, ["option", "name", "name", "lost", "sound", "sound", "double", "table", "place", "listing", "link"]
    )
    options: list[str] = []
    if kind == "name":
        for _ in range(choose(rng, [1, 1, 3])):
            old = choose(rng, sorted(files))
            files[_other_name(rng, old)] = files.pop(old)
    elif kind == "lost":
        gone = choose(rng, sorted(files))
        part = choose(rng, [gone, gone.rpartition("/")[0], gone.split("/")[0]])
        files = {path: data for path, data in files.items() if not path.startswith(part)}
    elif kind == "sound":
        path = choose(rng, sorted(files))
        files[path] = _other_sound(rng, files[path])
    elif kind == "double":
        path = choose(rng, sorted(files))
        files[choose(rng, [path.lower(), path.upper(), f"copy/{path}", path + ".wav", path.replace("_", "")])] = files[
            path
        ]
    for path, data in files.items():
        place = root / path
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        except (OSError, ValueError):  # a name that the file system does not take, or that is taken
            continue
    root.mkdir(exist_ok=True)
    if kind == "table" and (tables := [*root.rglob("*.csv"), *root.rglob("SPEAKERS.TXT")]):
        path = tables[0]
        data = path.read_bytes()
        if path.suffix == ".csv":
            mutate_file(rng, path)
        else:
            lines = choose(rng, [b"11\n", b"|\n", b"11 | X | a\n", b"\xff\xfe\n", b"11|F\n11|M\n", b"12"])
            path.write_bytes(choose(rng, [damaged(rng, data), truncated(rng, data), data + lines, lines]))
    elif kind == "place":
        root = choose(rng, [root.parent, root / choose(rng, sorted(files)).split("/")[0], root / "nowhere"])
    elif kind == "link":
        links = [(root / "loop", root), (root / "broken.wav", root / "nowhere"), (root / "passwd.wav", "/etc/passwd")]
        link, target = choose(rng, links)
        link.symlink_to(target)
    if kind in ("option", "listing") or chance(rng, 0.2):
        for option, values in OPTIONS.get(name, {}).items():
            if chance(rng, 0.6):
                value = choose(rng, values)
                options.append(f"{option}={' '.join(value) if isinstance(value, list) else value}")
    if name == "folder" and not any(option.startswith("levels") for option in options):
        options.append("levels=split speaker")
    if kind == "listing":
        _write_listing(rng, name, root, folder / "listing.csv")
    (folder / "what").write_text("\n".join([name, str(root), *options]))
    return f"corpora {kind}"


def _other_name(rng: np.random.Generator, path: str) -> str:
    folder, _, name = path.rpartition("/")
    stem, _, suffix = name.rpartition(".")
    hostile = choose(rng, HOSTILE_NAMES).replace("\0", "").replace("/", "_")[:200] or "x"
    options = [path.upper(), path.lower(), f"{folder}/{name}.bak", f"{folder}/.{name}", f"{folder}/{stem}"]
    options += [f"{folder}/{stem}.{choose(rng, ['WAV', 'flac', 'mp3', 'txt'])}", f"{folder}/x/{name}", name]
    options += [f"{folder}/{hostile}.{suffix}", f"{folder}/{stem}{hostile}.{suffix}", f"{hostile}/{path}"]
    return choose(rng, options).strip("/") or "x"


def _other_sound(rng: np.random.Generator, data: bytes) -> bytes:
    silence = io.BytesIO()
    soundfile.write(silence, np.zeros(900), 16000, format="WAV")
    other = io.BytesIO()
    soundfile.write(other, 0.1 * rng.standard_normal((choose(rng, [7, 600]), 2)), 8000, format="WAV")
    return choose(rng, [b"", damaged(rng, data), truncated(rng, data), silence.getvalue(), other.getvalue(), b"text\n"])


def _write_listing(rng: np.random.Generator, name: str, root: Path, path: Path) -> None:
    try:
        options = {"levels": ["split", "speaker"]} if name == "folder" else {}
        manifest = reader(name)(root, corpus="x", **options)
        write_listing(path, make_listing(manifest, find_layout(name, root), root))
    except (ValueError, OSError):
        return
    if chance(rng, 0.7):
        mutate_file(rng, path)


def _read(folder: Path) -> None:
    name, root, *pairs = (folder / "what").read_text().split("\n")
    options: dict[str, object] = {}
    for pair in pairs:
        option, _, value = pair.partition("=")
        options[option] = int(value) if option == "channel" else value if option == "sa" else value.split()
    if (folder / "listing.csv").exists():
        options["listing"] = folder / "listing.csv"
    manifest = reader(name)(Path(root), corpus="x", **options)
    for line in overview(manifest.recordings):
        assert line
    if name == "timit":
        rules_of_speakers(manifest.recordings)
    for row in manifest.recordings:
        assert_inside(Path(root).resolve(), row.path) if "loop" not in row.path else None
        assert row.speaker or row.noise_class
    for skipped in manifest.skipped:
        assert skipped.reason and len(skipped.reason) < 1000 and str(folder) not in skipped.reason, skipped
    if len(manifest.recordings) % 3 == 0:
        write_manifest(folder / "out/x.csv", manifest)
        assert read_manifest(folder / "out/x.csv") == manifest, "it is not the same when it is written and read again"
        shutil.rmtree(folder / "out")
