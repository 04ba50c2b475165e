"""Configurations drawn from the model's own fields: a new key is drawn by itself, from its type and its bounds.

What has to fit something else is told by hand: names of sets, corpora and features refer to what was drawn before. Most
of what comes out is accepted by the model; the rest it must refuse.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from blsh.corpora import READERS
from blsh.corpora.folder import LEVELS
from blsh.corpora.timit import SPEAKER_RULES
from blsh.experiment import config_base
from blsh.experiment.config import Config
from blsh.experiment.config_corpora import READER_OPTIONS, CorpusConfig
from blsh.experiment.config_data import DataConfig, NoiseConfig, Selection, SetAside, SetConfig, SpeechConfig
from blsh.experiment.config_grid import GridConfig, NetworksConfig
from blsh.experiment.config_tables import IcasspTables, OptionsTable, RivalsTable, TablesConfig, TaslpTables
from blsh.experiment.config_training import TrainingConfig, require_switches
from blsh.hashing.profiles import _CHOICES, PROFILES, TrainingParams
from blsh.hashing.residual import RESIDUAL
from blsh.signal.spectra import feature_width

# Names and texts that a shell, a pattern or a table could take for something else.
NAMES = ("a", "0", "b-c_d", "open_5", "lsh", "projections-a_lsh", "mixture", "stft", "long_name-" * 6 + "long")
TEXTS = ("plain", "a b", "$(touch RAN)", "it's", 'a "b"', "{x}", "é*", "a=b", "~", "#", "b\\c", "null", "1e3")
FILES = ("codes.npz", "my $(touch RAN) 'c{d}.npz", "--x/../é.npz".removeprefix("--"))
LISTINGS = ("listing.csv", "a b '$x'.csv")
BITS = (1, 5, 20, 50, 150, 300, 513, 514, 65535)


def make_files(folder: Path) -> None:
    """Write the listings and the projections that drawn configurations name, relative to a folder."""
    for name in LISTINGS:
        (folder / name).write_text("id,layout,path,sha256\n", encoding="utf-8")
    for feature in GridConfig.model_fields["features"].default:
        for place, name in enumerate(FILES):
            path = folder / feature / name
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez(path, P=np.ones((1 + 10 * place, feature_width(feature))), b=np.zeros(1 + 10 * place))


def keys() -> set[tuple[str, str]]:
    """Return every key of the model, as the class and the field that describe it."""
    return {(model.__name__, name) for model in _models(Config) for name in model.model_fields}


def changed_keys(part: object) -> Iterator[tuple[str, str]]:
    """Yield the keys that have another value than their default, or have none."""
    if isinstance(part, BaseModel):
        for name, field in type(part).model_fields.items():
            value = getattr(part, name)
            if field.is_required() or value != field.default:
                yield type(part).__name__, name
            yield from changed_keys(value)
    elif isinstance(part, dict):
        for value in part.values():
            yield from changed_keys(value)


def _models(annotation: Any) -> set[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        inner = (field.annotation for field in annotation.model_fields.values())
        return {annotation}.union(*map(_models, inner))
    return set().union(*map(_models, typing.get_args(annotation)))


def values_of(annotation: Any, metadata: tuple = ()) -> st.SearchStrategy:
    """Return a strategy for the plain values of a type, as far as its bounds say it."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return values_of(arguments[0], (*_flat(arguments[1:]), *metadata))
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*(values_of(part, metadata) for part in arguments if part is not types.NoneType))
    if origin is tuple:
        least = any(getattr(one, "func", None) is config_base._not_empty for one in metadata)
        return st.lists(values_of(arguments[0]), unique=True, min_size=int(least), max_size=3)
    if origin is dict:
        return st.dictionaries(values_of(arguments[0]), values_of(arguments[1]), max_size=2)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return part_of(annotation)
    if annotation is bool:
        return st.booleans()
    if annotation in (int, float):
        return _numbers(annotation, metadata)
    if annotation is str:
        has_pattern = any(getattr(one, "pattern", None) for one in metadata)
        return st.sampled_from(NAMES if has_pattern else TEXTS)
    raise TypeError(f"no values of {annotation} are known: say how to draw them")


def part_of(model: type[BaseModel], **told: st.SearchStrategy | None) -> st.SearchStrategy[dict]:
    """Return a strategy for a part of a configuration; what is told replaces a key's own values, None leaves it out."""
    assert set(told) <= set(model.model_fields), f"{model.__name__} has no {set(told) - set(model.model_fields)}"
    required, optional = {}, {}
    for name, field in model.model_fields.items():
        strategy = told[name] if name in told else _of_field(model, name)
        if strategy is not None:
            (required if field.is_required() or name in told else optional)[name] = strategy
    return _keys(required, optional)


@st.composite
def _keys(draw: st.DrawFn, required: dict[str, st.SearchStrategy], optional: dict[str, st.SearchStrategy]) -> dict:
    """Draw a dictionary in which every second of the optional keys is there: `fixed_dictionaries` has far fewer."""
    chosen = required | {name: strategy for name, strategy in optional.items() if draw(st.booleans())}
    return {name: draw(strategy) for name, strategy in chosen.items()}


@cache
def _of_field(model: type[BaseModel], name: str) -> st.SearchStrategy:
    field = model.model_fields[name]
    return values_of(field.annotation, tuple(_flat(field.metadata)))


def _flat(metadata: typing.Iterable) -> Iterator:
    """Yield single bounds; a `Field` inside a type holds several."""
    for one in metadata:
        yield from one.metadata if isinstance(one, FieldInfo) else (one,)


def _numbers(kind: type, metadata: tuple) -> st.SearchStrategy:
    """Draw what lies within the bounds: near the lower one, at both, and in between."""
    low, high = (-1000, 1000)
    for bound in metadata:
        if isinstance(bound, (Ge, Gt)):
            low = getattr(bound, "ge", None) or getattr(bound, "gt", 0)
            low += kind is int and isinstance(bound, Gt)
        if isinstance(bound, (Le, Lt)):
            high = bound.le if isinstance(bound, Le) else bound.lt - (kind is int)
    high = max(high, low + 1000) if not any(isinstance(bound, (Le, Lt)) for bound in metadata) else high
    if kind is int:
        return st.one_of(st.integers(low, min(low + 5, high)), st.sampled_from((low, high)), st.integers(low, high))
    between = st.floats(low, high, exclude_min=any(isinstance(bound, Gt) for bound in metadata))
    return st.one_of(
        between, st.sampled_from((float(high), 1e-05 if low < 0 else float(high), -1e-05 if low < 0 else 1.0))
    )


def _some(values: typing.Iterable, *, least: int = 0, most: int = 3) -> st.SearchStrategy[list]:
    values = sorted(values)
    return (
        st.lists(st.sampled_from(values), unique=True, min_size=min(least, len(values)), max_size=most)
        if values
        else st.just([])
    )


_LENGTHS = st.lists(st.sampled_from(BITS), unique=True, min_size=1, max_size=4)


@st.composite
def configs(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the plain values of a configuration."""
    data = draw(_data())
    grid = draw(_grid(data))
    named = {}
    if "projections" in grid["systems"]:
        files = st.sampled_from([f"{feature}/{name}" for feature in grid["features"] for name in FILES])
        named = draw(st.dictionaries(st.sampled_from(NAMES), files, min_size=1, max_size=2))
    networks = draw(_networks())
    if any(networks.get(system) for system in ("fc", "bilstm", "conv_tasnet")) and data["speech"].get("seconds", 1) < 1:
        data["speech"]["seconds"] = 1.0
    return draw(
        part_of(
            Config,
            name=st.sampled_from(NAMES),
            data=st.just(data),
            grid=st.just(grid),
            projections=st.just(named),
            training=_training(grid),
            networks=st.just(networks),
            tables=_tables(data, grid),
        )
    )


@st.composite
def _data(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=3, max_size=5))
    corpora = {name: draw(_corpus()) for name in names}
    corpora[names[0]] = draw(_corpus(["librispeech", "timit", "synthetic_speech"])) | {"splits": []}
    corpora[names[1]] = draw(_corpus(["esc", "duan", "demand", "musan", "synthetic_noise"]))
    # These have most to say.
    corpora[names[2]] = draw(_corpus(["voicebank", "folder"]))
    labels = {}
    for name, values in corpora.items():
        try:
            labels[name] = CorpusConfig.model_validate(values).labels
        except ValidationError:
            continue
    spoken = [name for name in names if name in labels and labels[name].speakers] or names[:1]
    noisy = [name for name in names if name in labels and labels[name].noises] or names[1:2]
    left = {
        name: list(labels[name].splits if labels.get(name) and labels[name].splits is not None else TEXTS)
        for name in spoken
    }

    def speech(part: str) -> dict[str, Any]:
        corpus = draw(st.sampled_from([name for name in spoken if left[name]] or spoken))
        splits = draw(_some(left[corpus], least=1, most=1))
        left[corpus] = [split for split in left[corpus] if split not in splits]
        is_ruled = corpora[corpus]["reader"] == "timit" and part != "validation" and draw(st.booleans())
        rules = st.sampled_from(sorted(SPEAKER_RULES)) if is_ruled else None
        return draw(part_of(Selection, corpus=st.just(corpus), splits=st.just(splits), classes=None, speakers=rules))

    def noise() -> dict[str, Any]:
        corpus = draw(st.sampled_from(noisy))
        known = labels.get(corpus)
        splits, classes = (
            TEXTS if one is None else one for one in ((known.splits, known.classes) if known else ((), ()))
        )
        told = {"splits": _some(splits), "classes": _some(classes)}
        return draw(part_of(Selection, corpus=st.just(corpus), speakers=None, **told))

    train, open_ = speech("train"), speech("open")
    aside = part_of(SetAside)
    if corpora[train["corpus"]].get("levels") and "gender" not in corpora[train["corpus"]]["levels"]:
        aside = part_of(SetAside, balance_gender=st.just(False))
    validation = draw(aside) if draw(st.booleans()) else speech("validation")
    parts = {"train": st.just(train), "validation": st.just(validation), "open": st.just(open_)}
    spoken_parts = draw(part_of(SpeechConfig, **parts))
    noises = draw(part_of(NoiseConfig, **{part: st.just(noise()) for part in parts}))
    holds_out = spoken_parts.get("held_out", 1) and spoken_parts.get("per_speaker", 2) > 1
    # Sometimes as a user might call them.
    known = draw(st.sampled_from([("train", "validation", "open", "closed")] * 9 + [("train", "dev", "test", "seen")]))
    sources = dict(zip(known, ("train", "validation", "open", "closed"), strict=True))
    if not holds_out:
        del sources[known[3]]
    few = st.sampled_from((1, 1, 1, 1, 1, 1, 1, 2))
    sets = {
        name: draw(part_of(SetConfig, source=st.just(source), same_as=None, pairs=None, noises_per_utterance=few))
        for name, source in sources.items()
    }
    for one in sets.values():
        if draw(st.booleans()):
            del one["noises_per_utterance"]
    same = st.sampled_from([name for name in sets if name != "train"])
    further = [part_of(SetConfig, source=None, same_as=same, pairs=None, mixtures=None, noises_per_utterance=None)]
    if paired := [name for name in names if corpora[name]["reader"] == "voicebank"]:
        left_out = dict.fromkeys(("source", "same_as", "snr_db", "mixtures", "noises_per_utterance"))
        further.append(part_of(SetConfig, pairs=st.sampled_from(paired), **left_out))
    more = draw(st.dictionaries(st.sampled_from((*NAMES, "open_10", "real")), st.one_of(further), max_size=3))
    told = {"corpora": corpora, "speech": spoken_parts, "noise": noises, "sets": more | sets}
    return draw(part_of(DataConfig, name=st.sampled_from(NAMES), **{key: st.just(part) for key, part in told.items()}))


@st.composite
def _corpus(draw: st.DrawFn, readers: typing.Iterable[str] = READERS) -> dict[str, Any]:
    reader = draw(st.sampled_from(sorted(readers)))
    known = READER_OPTIONS[reader]
    values = draw(
        part_of(CorpusConfig, reader=st.just(reader), folder=st.sampled_from(TEXTS), listing=st.sampled_from(LISTINGS))
    )
    embedded = reader.startswith("synthetic_")
    if embedded or draw(st.booleans()):
        del values["listing"]
    if embedded:
        del values["folder"]
    for option in ("splits", "classes", "sa", "channel", "levels", "table", "licence"):
        if option not in known:
            values.pop(option, None)
    if reader == "timit" and "splits" in values:
        values["splits"] = draw(_some(("train", "test")))
    if reader == "duan" and "classes" in values:
        values["classes"] = draw(_some(("birds", "ocean", "frogs"), least=1))
    if reader == "folder":
        of = draw(st.sampled_from(("speaker", "class", "table")))
        values.pop("levels", None)
        if of == "table":
            values.setdefault("table", "list.csv")
        else:
            values.pop("table", None)
            values["levels"] = [*draw(_some(set(LEVELS) - {"speaker", "class"})), of]
    return values


@st.composite
def _grid(draw: st.DrawFn, data: dict[str, Any]) -> dict[str, Any]:
    sets = sorted(data["sets"])
    scored = draw(_some(sets, least=1, most=2))
    systems = GridConfig.model_fields["systems"].annotation
    grid = draw(
        part_of(
            GridConfig,
            systems=st.lists(values_of(typing.get_args(systems)[0]), unique=True, min_size=1, max_size=6),
            features=_some(GridConfig.model_fields["features"].default, least=1),
            targets=_some(
                ("ssm", "rbf-0.5", "rbf-1e-07", "rbf-0.50", "power-1e20", "power-2", "mix-0.25"), least=1, most=2
            ),
            variants=_some(("weighted", "context3", "context99"), most=2),
            n_bits=_LENGTHS,
            rho=st.lists(_of_rho(), unique=True, min_size=1, max_size=2),
            repeats=st.integers(1, 2),
            repeats_of_sets=st.dictionaries(st.sampled_from(scored), st.just(1)),
            sets=st.just(scored),
        )
    )
    for key in ("variants", "repeats_of_sets"):
        if draw(st.booleans()):
            del grid[key]
    if grid.get("variants") or set(grid.get("switches", ())) - {"matrices"}:
        grid["systems"] = list(dict.fromkeys([*grid["systems"], "blsh"]))
    if "matrices" in grid.get("switches", ()):
        grid["systems"] = list(dict.fromkeys([*grid["systems"], "lsh"]))
    return grid


def _of_rho() -> st.SearchStrategy[float]:
    annotation = GridConfig.model_fields["rho"].annotation
    return values_of(typing.get_args(annotation)[0])


@st.composite
def _training(draw: st.DrawFn, grid: dict[str, Any]) -> dict[str, Any]:
    profile = draw(st.sampled_from(sorted(PROFILES)))
    least = max(grid["n_bits"])
    values = draw(
        part_of(
            TrainingConfig,
            profile=st.just(profile),
            n_bits=st.integers(least, min(least + 5, 65535)),
            switches=_switches(PROFILES[profile]),
            residual=_switches(RESIDUAL),
        )
    )
    for key in ("n_bits", "switches", "residual"):
        if draw(st.booleans()):
            del values[key]
    return values


@st.composite
def _switches(draw: st.DrawFn, params: TrainingParams) -> dict[str, Any]:
    """Draw values of a few switches, each by its type, that go together."""
    of_type = {
        "int": st.integers(1, 1000),
        "int | None": st.one_of(st.none(), st.integers(1, 1000)),
        "float": st.one_of(st.floats(1e-300, 1.0), st.sampled_from((1, 1e-05))),
    }
    known = {
        field.name: st.sampled_from(_CHOICES[field.name]) if field.name in _CHOICES else of_type[field.type]
        for field in fields(TrainingParams)
        if field.name not in ("n_bits", "target")
    }
    names = draw(_some(known, most=3))
    values = {name: draw(known[name]) for name in names}
    try:
        require_switches(params, values)
    except ValueError:
        return {}
    return values


@st.composite
def _networks(draw: st.DrawFn) -> dict[str, Any]:
    told = {
        "fc": _some(("2x32", "3x1024", "03x0256")),
        "bilstm": _some(("2x64", "2x8")),
        "conv_tasnet": _some(("1x1", "3x8")),
    }
    values = draw(part_of(NetworksConfig, **told))
    for system in told:
        if draw(st.booleans()) or (system == "conv_tasnet" and values.get("loss") == "mask_mse"):
            del values[system]
    return values


@st.composite
def _tables(draw: st.DrawFn, data: dict[str, Any], grid: dict[str, Any]) -> dict[str, Any]:
    sets = sorted(data["sets"])
    left = [name for name in sets if name not in grid["sets"]]
    further = draw(_some(left))
    icassp = draw(_some(further))
    taslp = [name for name in further if name not in icassp]
    some = _some(sets)
    return draw(
        part_of(
            TablesConfig,
            # Those that are named by default need not be there.
            icassp=part_of(IcasspTables, sets=some, further_sets=st.just(icassp)),
            taslp=part_of(TaslpTables, sets=some, further_sets=st.just(taslp), blsh_bits=_lengths_of_features(grid)),
            options=part_of(OptionsTable, sets=some),
            rivals=st.one_of(st.none(), part_of(RivalsTable, sets=some)),
        )
    )


def _lengths_of_features(grid: dict[str, Any]) -> st.SearchStrategy[dict]:
    annotation = TaslpTables.model_fields["blsh_bits"].annotation
    drawn = values_of(annotation)
    whole = st.fixed_dictionaries({feature: st.sampled_from(BITS) for feature in grid["features"]})
    return st.one_of(*[whole] * 7, drawn)
