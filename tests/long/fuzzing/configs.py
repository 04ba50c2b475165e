"""Mutated configuration files: changed values and keys, and what YAML offers to people with bad intentions."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from pathlib import Path

import numpy as np
import yaml

from blsh.experiment.config import load_config, portable
from blsh.files.checksums import canonical_json
from tests.long.fuzzing.mutating import (
    chance,
    change_node,
    choose,
    damaged,
    garbage,
    other_value,
    truncated,
)
from tests.long.fuzzing.target import Target

NAME = "config.yaml"
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # the compiled one takes a tenth of the time
ROOT = Path(__file__).resolve().parents[3]
# Texts that mean something to a YAML reader, some of them code.
SPECIAL = (
    "__use_yte__: true",
    "<<: {__use_yte__: true}",
    '"__use_yte__": true\n? touch(1)\n: 2',
    '"\\x5f_use_yte__": true',
    "!!str __use_yte__: false",
    "? __use_yte__",
    "seed: !!python/object/apply:os.system ['touch out.txt']",
    "seed: !!python/name:os.system",
    "seed: !!python/object/new:tuple [[1]]",
    "seed: !!int 'x'",
    "seed: !!int ''",
    "seed: !!float '.'",
    "seed: !!bool maybe",
    "seed: !!timestamp 2020-13-45",
    "seed: 2020-02-30",
    "seed: 2020-02-28",
    "seed: 2020-02-28 25:61:61",
    "seed: !!binary '!'",
    "seed: !!binary aGk=",
    "seed: !!set {1, 2}",
    "seed: !!omap [1]",
    "seed: !!pairs [1]",
    "seed: !<tag:x> 1",
    "seed: !x 1",
    "seed: 1_000",
    "seed: 0b1",
    "seed: 0o17",
    "seed: 017",
    "seed: 190:20:30",
    "seed: " + "9" * 5000,
    "seed: " + ":".join(["59"] * 3000),
    "seed: 0x" + "f" * 5000,
    "seed: 1e400",
    "seed: .nan",
    "seed: -.inf",
    "seed: &a [*a]",
    "seed: *nowhere",
    "seed: &a 1\ntitle: *a",
    "seed: @x",
    "seed: `x`",
    "seed: %x",
    "seed: [1, 2",
    "seed: {a: 1",
    "seed: |\n  text",
    "seed: 'a\n  b'",
    "? [1, 2]\n: 3",
    "? {a: 1}\n: 3",
    "[1]: 2",
    "1: 2",
    "null: 2",
    "true: 2",
    ".nan: 2",
    "seed: 1\nseed: 2",
    "%YAML 9.9\n---\na: 1",
    "---\na: 1\n---\nb: 2",
    "\tseed: 1",
    "seed:\t1",
    "seed: \x07",
    "seed: \x85",
    "seed: \ufeff1",
    "? ? ? ? 1",
    "- " * 5000 + "1",
    "a: " + "{a: " * 3000 + "1" + "}" * 3000,
    "a: " + "[" * 3000 + "]" * 3000,
    "a: " + "[" * 100_000,
    "&a " * 5000 + "1",
)


def targets() -> list[Target]:
    parts = ("config", "config_corpora", "config_data", "config_grid", "config_training", "config_tables")
    code = {f"experiment/{part}.py": frozenset() for part in parts} | {"files/plain_yaml.py": frozenset()}
    return [Target("config", _write, _read, code)]


_KINDS = ["tree", "tree", "tree", "tree", "together", "special", "special", "laughs", "bytes", "encoding", "truncation"]


@cache
def _presets() -> list[str]:
    paths = [*sorted((ROOT / "config").glob("*.yaml")), ROOT / "tests/workflow/tiny.yaml"]
    return [path.read_text(encoding="utf-8") for path in paths]


@cache
def _trees() -> list[dict]:
    return [yaml.safe_load(text) for text in _presets()]


def _write(rng: np.random.Generator, folder: Path) -> str:
    path = folder / NAME
    if chance(rng, 0.02):
        path.write_bytes(garbage(rng, [b"name: x\n", b"%YAML 1.1\n---\n", b"{", b"\xff\xfe"]))
        return "garbage"
    if chance(rng, 0.005):
        if chance(rng, 0.5):
            path.mkdir()
        return "no file"
    number = int(rng.integers(len(_presets())))
    text = _presets()[number]
    kind = choose(rng, _KINDS)
    data = text.encode()
    if kind in ("tree", "together"):
        tree = deepcopy(_trees()[number])
        if kind == "together":
            for key, value in choose(rng, _TOGETHER).items():
                _set(tree, key, deepcopy(value))
        for _ in range(choose(rng, [1, 1, 1, 2, 3] if kind == "tree" else [0, 0, 0, 1])):
            _change(rng, tree)
        style = choose(rng, [None, True, False])
        dumped = yaml.dump(tree, Dumper=_DUMPER, allow_unicode=True, default_flow_style=style)
        data = dumped.encode("utf-8", "surrogatepass")
    elif kind == "special":
        lines = text.splitlines()
        tops = [k for k, line in enumerate(lines) if line and line[0] not in " #-"] + [len(lines)]
        k = choose(rng, tops)
        if chance(rng, 0.3):
            k = int(rng.integers(len(lines)))
            indent = lines[k][: len(lines[k]) - len(lines[k].lstrip())]
            lines[k:k] = [indent + line for line in choose(rng, SPECIAL).split("\n")]
        else:
            lines[k:k] = choose(rng, SPECIAL).split("\n")
        data = "\n".join(lines).encode("utf-8", "surrogatepass")
    elif kind == "laughs":
        data = _laughs(rng, text).encode()
    elif kind == "bytes":
        data = damaged(rng, data)
    elif kind == "truncation":
        data = truncated(rng, data)
    elif kind == "encoding":
        data = choose(rng, [text.encode("utf-16"), b"\xef\xbb\xbf" + data, data.replace(b"\n", b"\r\n"), data + b"\0"])
    path.write_bytes(data)
    return f"config {kind}"


def _change(rng: np.random.Generator, tree: dict) -> None:
    """Change one value, more often one that the model knows and the preset leaves out."""
    if chance(rng, 0.6):
        change_node(rng, tree)
        return
    key = choose(rng, list(_FURTHER))
    _set(tree, key, choose(rng, [choose(rng, _FURTHER[key]), other_value(rng, choose(rng, _FURTHER[key]))]))


def _set(tree: dict, key: str, value: object) -> None:
    *path, last = key.split(".")
    part = tree
    for name in path:
        part = part.setdefault(name, {}) if isinstance(part, dict) else {}
    if isinstance(part, dict):
        part[last] = value


_FURTHER = {
    "seed": [0, 5, -1],
    "corpora_folder": ["data", "/tmp", "../data", ""],
    "name": ["x", "a/b", "..", "", "x" * 5000, "-x"],
    "training.profile": ["project", "authors2022", "nobody"],
    "training.n_bits": [1, 10, 300, 5000],
    "training.seed": [1, -1],
    "training.switches": [
        {"max_passes": 3},
        {"step_size": 1e-3},
        {"nothing": 1},
        {"segment_frames": "1e4"},
        {"n_bits": 5},
    ],
    "grid.rho": [[0.1], [0.1, 0.1], [0], [2], []],
    "grid.n_bits": [[1, 10], [], [0], [10, 1], [10**30]],
    "grid.systems": [["blsh"], ["lsh", "knn"], ["nobody"], []],
    "grid.features": [["stft"], ["mel", "stft"], ["cqt"], ["mel", "mel"]],
    "grid.targets": [["ssm", "rbf-0.5"], ["rbf-0"], ["cosine"], ["power-2", "mix-0.5"], ["correlation-0.5"], []],
    "grid.variants": [["weighted", "context3"], ["context2"], ["heavy"]],
    "grid.switches": [["bias", "matrices"], ["nothing"], ["segments"]],
    "grid.sets": [["open"], ["elsewhere"]],
    "grid.repeats": [1, 0, 10**9],
    "grid.n_neighbours": [1, 0],
    "data.name": ["x", "../x"],
    "data.seed": [0, -1],
    "data.speech.seconds": [3.0, 0, -1],
    "data.speech.per_speaker": [1, 0],
    "data.speech.validation": [{"speakers": 3}, {"corpus": "speech"}, {"speakers": 0}, {"corpus": "nobody"}],
    "data.sets.more": [{"source": "open", "snr_db": -5}, {"source": "nowhere"}, {"source": "train", "mixtures": 0}],
    "data.corpora.more": [
        {"reader": "timit", "folder": "TIMIT", "sa": "drop"},
        {"reader": "timit", "folder": "TIMIT", "sa": "maybe"},
        {"reader": "demand", "folder": "x", "channel": 3},
        {"reader": "demand", "folder": "x", "channel": 17},
        {"reader": "folder", "folder": "/x/y", "levels": ["speaker"], "listing": "/a/b.csv"},
        {"reader": "musan"},
        {"reader": "synthetic_speech"},
        {"reader": "voicebank", "folder": "/x/VoiceBank"},
        {"reader": "nobody", "folder": "x"},
        {"reader": "esc", "folder": "x", "splits": ["a"]},
    ],
    "data.sets.train": [{"source": "open"}, {"same_as": "open"}],
    "data.speech.open.speakers": ["authors_test", "everyone"],
    "data.speech.train.corpus": ["speech", "nowhere"],
    "networks": [{"fc": ["2x64"], "bilstm": ["2x64"]}, {"fc": ["2x64", "2x64"]}, {"fc": ["two"]}, {"gru": ["2x64"]}],
    "networks.conv_tasnet": [["3x8"], ["0x0"]],
    "networks.loss": ["mask_mse", "si_sdr", "l1"],
    "projections": [{"mine": "/x/my.npz"}, {"a/b": "my.npz"}],
    "tables.rivals": [{}, {"n_bits": [25], "sets": ["nowhere"]}],
    "metrics.sweep": [["sdr"], ["nothing"], []],
    "tables.icassp": [{"n_bits": 5}, {"sets": ["nowhere"]}, {"metrics": ["pesq"]}],
    "tables.taslp": [{"blsh_bits": {"stft": 3}}, {"blsh_bits": {"cqt": 3}}, {"blsh_bits": {"mel": 0}}],
    "results.example_mixtures": [0, 7],
    "results.ssm_bits": [[1], [0]],
    "unknown": [1],
}


# Keys that have to fit each other, and do not always.
_TOGETHER: list[dict[str, object]] = [
    {"grid.systems": ["blsh", "projections"], "projections": {"mine": "/x/my.npz", "yours": "y.npz"}},
    {"grid.systems": ["blsh", "projections"]},
    {"grid.systems": ["lsh"], "grid.variants": ["weighted"]},
    {"grid.systems": ["blsh"], "grid.switches": ["matrices"]},
    {"grid.systems": ["blsh", "lsh"], "grid.switches": ["bias", "matrices"], "grid.variants": ["context5"]},
    {"grid.systems": ["blsh"], "grid.switches": ["bias"], "training.switches": {"max_passes": 0}},
    {"networks": {"conv_tasnet": ["3x8"], "loss": "mask_mse"}},
    {"networks": {"bilstm": ["2x64", "2x64"]}},
    {"training.n_bits": 3, "grid.n_bits": [1, 10]},
    {"data.sets.more": {"source": "open", "same_as": "open"}},
    {"data.sets.more": {}},
    {"data.sets.more": {"same_as": "open", "mixtures": 4}},
    {"data.sets.more": {"same_as": "open", "snr_db": 5.0}, "tables.taslp.further_sets": ["more"]},
    {"data.sets.more": {"same_as": "train"}},
    {"data.sets.more": {"pairs": "nobody"}},
    {"data.corpora.vb": {"reader": "voicebank", "folder": "VB"}, "data.sets.more": {"pairs": "vb", "snr_db": 5.0}},
    {"data.corpora.vb": {"reader": "voicebank", "folder": "VB"}, "data.sets.more": {"pairs": "vb"}},
    {"grid.sets": ["open"], "tables.taslp.further_sets": ["open"]},
    {"grid.sets": ["open", "nowhere"]},
    {"data.corpora.speech": {"reader": "librispeech"}},
    {"data.corpora.speech": {"reader": "timit", "folder": "TIMIT"}, "data.speech.open.speakers": "authors_test"},
    {"data.corpora.noise": {"reader": "folder", "folder": "/x/noise", "levels": ["class"], "listing": "/x/list.csv"}},
]


def _laughs(rng: np.random.Generator, text: str) -> str:
    """Few lines that stand for billions of values."""
    form = choose(rng, ["keys", "merge", "value", "value"])
    if form == "merge":
        lines = ["m0: &m0 {a: 1}"]
        lines += [f"m{k}: &m{k} {{b{k}: 1, <<: [{', '.join([f'*m{k - 1}'] * 9)}]}}" for k in range(1, 8)]
        return "\n".join(lines) + "\n" + text
    depth = choose(rng, [3, 8, 30])
    levels = ["&l0 [ha, ha]", *(f"&l{k} [{', '.join([f'*l{k - 1}'] * 10)}]" for k in range(1, depth))]
    if form == "keys":
        return "\n".join(f"laugh{k}: {level}" for k, level in enumerate(levels)) + "\n" + text
    line = choose(rng, ["training: {switches: {max_passes: %s}}", "title: %s", "seed: %s", "grid: %s", "metrics: %s"])
    kept = [old for old in text.splitlines() if not old.startswith(line.split(":")[0] + ":")]
    return "\n".join([*kept, line % f"[{', '.join(levels)}]"]) + "\n"


def _read(folder: Path) -> None:
    config = load_config(folder / NAME)
    assert config.name and "/" not in config.name and config.name not in (".", "..")
    assert "/" not in config.data.name
    canonical_json(portable(config))
    if (folder / NAME).stat().st_size % 8 == 0:
        assert load_config(folder / NAME, {"seed": 3}).seed == 3
