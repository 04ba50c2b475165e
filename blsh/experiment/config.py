"""The one description of an experiment: what a configuration file may say, and what it must obey.

A preset in ``config/`` is a YAML file of this model. Keys that are not in the model are errors, so a typing
mistake ends a run before it starts. ``config/README.md`` and ``workflow/schemas/config.schema.yaml`` are generated
from here; a test fails when they drift.
"""

from __future__ import annotations

import math
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from blsh.corpora import READERS
from blsh.corpora.timit import SPEAKER_RULES
from blsh.denoising.architectures import NETWORKS, parse_architecture
from blsh.denoising.network_params import LOSSES
from blsh.files.plain_yaml import read_plain_yaml
from blsh.hashing.profiles import PROFILES, TrainingParams
from blsh.hashing.residual import RESIDUAL
from blsh.hashing.similarity import parse_target
from blsh.hashing.switches import MATRICES, SWITCHES
from blsh.signal.spectra import FEATURES

__all__ = ["CONTROLS", "RIVALS", "SYSTEMS", "Config", "load_config", "parse_config", "portable"]

CONTROLS = ("mixture", "constant", "ibm", "irm")
PAPERS_SYSTEMS = (*CONTROLS, "knn", "lsh", "lsh_fixed", "blsh")
RIVALS = ("pca_sign", "itq", "residual", "projections")
SYSTEMS = (*PAPERS_SYSTEMS, *RIVALS)
METRICS = ("sdr", "sir", "sar", "si_sdr", "pesq", "estoi")
AGREEMENTS = ("recall", "mask_accuracy")

READER_OPTIONS = {
    "librispeech": ("splits",),
    "timit": ("splits", "sa"),
    "voicebank": (),
    "esc": ("classes",),
    "duan": ("classes",),
    "demand": ("channel", "classes"),
    "musan": (),
    "folder": ("levels", "table", "licence"),
    "synthetic_speech": (),
    "synthetic_noise": (),
}

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
Positive = Annotated[int, Field(ge=1)]
Rho = Annotated[float, Field(gt=0, le=1)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class CorpusConfig(_Model):
    """One folder of recordings."""

    reader: str
    """How to read the folder: one of the readers of `blsh.corpora`."""
    folder: str | None = None
    """The folder, relative to `corpora_folder`; the embedded corpora need none."""
    listing: str | None = None
    """A CSV that restricts the corpus to listed files and checks their SHA-256; relative to the repository."""
    splits: tuple[str, ...] = ()
    """`librispeech`, `timit`: read only these splits; none named means all."""
    classes: tuple[str, ...] = ()
    """`esc`, `duan`, `demand`: read only these classes; none named means all."""
    sa: Literal["keep", "drop"] | None = None
    """`timit`: what to do with the two sentences that every speaker reads; none means keep."""
    channel: Annotated[int, Field(ge=1, le=16)] | None = None
    """`demand`: the microphone, 1 to 16; none means 1."""
    levels: tuple[str, ...] = ()
    """`folder`: what the levels of a tree mean, such as `[speaker]` or `[split, class]`."""
    table: str | None = None
    """`folder`: a CSV inside the folder that lists the recordings, in place of a tree."""
    licence: str | None = None
    """`folder`: the recordings' licence."""

    @field_validator("reader")
    @classmethod
    def _known_reader(cls, reader: str) -> str:
        if reader not in READERS:
            raise ValueError(f"reader={reader!r} is unknown; choose one of {', '.join(sorted(READERS))}")
        return reader

    @model_validator(mode="after")
    def _fits_reader(self) -> CorpusConfig:
        for option in self.options:
            if option not in READER_OPTIONS[self.reader]:
                known = ", ".join(READER_OPTIONS[self.reader]) or "none"
                raise ValueError(f"reader {self.reader!r} has no option {option!r} (it has: {known}); remove the key")
        if self.folder is None and not self.is_embedded:
            raise ValueError(f"reader {self.reader!r} needs a folder; add the key 'folder'")
        return self

    @property
    def options(self) -> dict[str, Any]:
        """The reader's options that are set."""
        names = ("splits", "classes", "sa", "channel", "levels", "table", "licence")
        return {name: getattr(self, name) for name in names if getattr(self, name)}

    @property
    def is_embedded(self) -> bool:
        """Whether the recordings are generated rather than brought."""
        return self.reader.startswith("synthetic_")


class Selection(_Model):
    """A part of one corpus."""

    corpus: str
    """The corpus, a key of `data.corpora`."""
    splits: tuple[str, ...] = ()
    """Splits to take; none named means all."""
    classes: tuple[str, ...] = ()
    """Noise classes to take; none named means all."""
    speakers: Literal[tuple(SPEAKER_RULES)] | None = None
    """`timit`, of `train` and `open`: a rule of the papers' authors, ten women and ten men of each dialect region
    (`authors_train`) or as many women as men of each (`authors_test`); none means everyone."""


class SetAside(_Model):
    """Speakers taken out of the training selection."""

    speakers: Positive
    """How many."""
    balance_gender: bool = True
    """As many women as men; `false` for corpora that do not tell the gender."""


class SpeechConfig(_Model):
    """Which speech serves which purpose."""

    train: Selection
    """Speech of the training and closed sets."""
    validation: Selection | SetAside
    """Speech on which every choice is made: a selection, or a number of speakers set aside from `train`."""
    open: Selection
    """Speech of speakers never heard in training."""
    seconds: Annotated[float, Field(gt=0)] | None = None
    """Training and closed speech is cut into whole excerpts of this length; none means whole utterances."""
    per_speaker: Positive | None = None
    """At most so many excerpts of a training speaker."""
    held_out: Annotated[int, Field(ge=0)] = 1
    """The last so many excerpts of a training speaker who has more are the closed set's."""


class NoiseConfig(_Model):
    """Which noise serves which purpose; the closed set hears the training noises."""

    train: Selection
    validation: Selection
    open: Selection


class SetConfig(_Model):
    """A set of mixtures, with one of `source`, `same_as` and `pairs`."""

    source: Literal["train", "closed", "validation", "open"] | None = None
    """Where its speech and noise come from."""
    same_as: Name | None = None
    """The set whose speech and noise are mixed once more, at another SNR."""
    pairs: Name | None = None
    """The corpus whose pairs of clean and noisy recordings are used as they are; its reader is `voicebank`."""
    snr_db: float = 0.0
    """Signal-to-noise ratio of every single mixture, in dB; not of `pairs`."""
    mixtures: Positive | None = None
    """At most so many mixtures, balanced over speakers and classes; none means all."""
    noises_per_utterance: Positive | None = None
    """So many noise classes for an utterance; none means every class."""

    @model_validator(mode="after")
    def _has_one_origin(self) -> SetConfig:
        given = [name for name in ("source", "same_as", "pairs") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"a set has one of source, same_as and pairs, not {' and '.join(given) or 'none'}")
        unfit = {"mixtures", "noises_per_utterance"} if self.source is None else set()
        unfit |= {"snr_db"} if self.pairs is not None else set()
        for name in sorted(unfit):
            if getattr(self, name) not in (None, 0.0):
                raise ValueError(f"{name}={getattr(self, name)} does not go with {given[0]}; leave it out")
        return self

    @property
    def level_db(self) -> float:
        """SNR in dB as it stands in tables: NaN for recordings that nobody mixed."""
        return self.snr_db if self.pairs is None else math.nan


class DataConfig(_Model):
    """The recordings and the mixtures made of them."""

    name: Name
    """Folder under results/data; experiments with the same name share their mixtures and features."""
    seed: Annotated[int, Field(ge=0)] = 2020
    """Base of the random choices of the data: validation speakers, excerpts of noise."""
    corpora: dict[Name, CorpusConfig]
    speech: SpeechConfig
    noise: NoiseConfig
    sets: dict[Name, SetConfig]
    """The sets of mixtures; `train` is the one that is learned from."""

    @model_validator(mode="after")
    def _consistent(self) -> DataConfig:
        selections = [self.speech.train, self.speech.validation, self.speech.open]
        selections += [self.noise.train, self.noise.validation, self.noise.open]
        for selection in selections:
            if isinstance(selection, Selection) and selection.corpus not in self.corpora:
                known = ", ".join(self.corpora)
                raise ValueError(f"corpus={selection.corpus!r} is not in data.corpora ({known}); name one of these")
        ruled = [name for name, one in self.corpora.items() if one.reader == "timit"]
        for selection in (self.speech.train, self.speech.open):
            if selection.speakers is not None and selection.corpus not in ruled:
                raise ValueError(
                    f"speakers={selection.speakers!r} is a rule for the reader timit, which corpus "
                    f"{selection.corpus!r} has not; leave it out"
                )
        if "train" not in self.sets or self.sets["train"].source != "train":
            raise ValueError("data.sets needs a set 'train' whose source is 'train'")
        for name, described in self.sets.items():
            if described.same_as is not None:
                drawn = [other for other, one in self.sets.items() if one.source not in (None, "train")]
                if described.same_as not in drawn:
                    raise ValueError(
                        f"set {name!r}: same_as={described.same_as!r} is no set with a source other than train "
                        f"({', '.join(drawn)}); name one of these"
                    )
            if described.pairs is not None:
                paired = [corpus for corpus, one in self.corpora.items() if one.reader == "voicebank"]
                if described.pairs not in paired:
                    raise ValueError(
                        f"set {name!r}: pairs={described.pairs!r} is no corpus with the reader voicebank "
                        f"({', '.join(paired) or 'there is none'}); name one"
                    )
        return self


class GridConfig(_Model):
    """What is varied."""

    systems: tuple[Literal[SYSTEMS], ...] = PAPERS_SYSTEMS
    """The systems to score. Not of the papers are `pca_sign`, `itq`, `residual` and, from files, `projections`."""
    features: tuple[Literal[FEATURES], ...] = FEATURES
    """Frame features: 513 STFT magnitudes or 128 mel bands."""
    targets: tuple[str, ...] = ("ssm",)
    """Target self-similarities of `blsh`: `ssm`, `rbf-0.5` (σ²), `power-2` (γ), `mix-0.5` (weight of the masks)."""
    variants: tuple[str, ...] = ()
    """Options of `blsh`: `weighted` (bits count by β), `context3`, `context5`, … (projections of stacked frames)."""
    switches: tuple[Literal[(*SWITCHES, MATRICES)], ...] = ()
    """Single changes of the training of `blsh` whose price is wanted; `matrices` draws one for each L of `lsh`."""
    rho: tuple[Rho, ...] = (0.1, 0.01)
    """Fractions of the training frames kept in a dictionary."""
    n_bits: tuple[Positive, ...]
    """Code lengths L; one model of the largest L serves all as prefixes."""
    n_neighbours: Positive = 10
    """K, the number of neighbours whose masks are averaged."""
    repeats: Positive = 10
    """Dictionaries drawn (and, for `lsh`, matrices)."""
    sets: tuple[Name, ...] = ("closed", "validation", "open")
    """Sets to score."""

    @field_validator("targets")
    @classmethod
    def _known_targets(cls, targets: tuple[str, ...]) -> tuple[str, ...]:
        parsed = [parse_target(target) for target in targets]
        for target in parsed:
            if not target.is_share:
                raise ValueError(f"target {target} is of residual boosting; use the system 'residual'")
        # One spelling of each number, so that one target has one file.
        return tuple(map(str, parsed))

    @field_validator("variants")
    @classmethod
    def _known_variants(cls, variants: tuple[str, ...]) -> tuple[str, ...]:
        for variant in variants:
            if variant != "weighted" and not re.fullmatch(r"context([3579]|[1-9][0-9]*[13579])", variant):
                raise ValueError(
                    f"variant {variant!r} is unknown; choose weighted, or context and an odd number above 1"
                )
        return variants

    @field_validator("features", "systems", "targets", "rho", "n_bits", "sets")
    @classmethod
    def _not_empty(cls, values: tuple) -> tuple:
        if not values:
            raise ValueError(f"{list(values)} must be a list of at least one value without repeats")
        return tuple(sorted(values)) if isinstance(values[0], int) else values

    @field_validator("features", "systems", "targets", "variants", "switches", "rho", "n_bits", "sets")
    @classmethod
    def _distinct(cls, values: tuple) -> tuple:
        if len(set(values)) != len(values):
            raise ValueError(f"{list(values)} must be a list of at least one value without repeats")
        return values

    @model_validator(mode="after")
    def _options_have_their_systems(self) -> GridConfig:
        needed = {"variants": self.variants, "switches": set(self.switches) - {MATRICES}}
        for key, values in needed.items():
            if values and "blsh" not in self.systems:
                raise ValueError(f"{key}={sorted(values)} are of blsh, which is not in systems; add it")
        if MATRICES in self.switches and "lsh" not in self.systems:
            raise ValueError(f"switches={[MATRICES]} is of lsh, which is not in systems; add it")
        return self


class NetworksConfig(_Model):
    """The neural networks that are trained and scored beside the codes; docs/networks.md says how."""

    fc: tuple[str, ...] = ()
    """Fully-connected ones, as hidden layers x units: `[3x1024, 3x256, 2x64]`."""
    bilstm: tuple[str, ...] = ()
    """Recurrent ones, as layers x units of a direction: `[2x64]`."""
    conv_tasnet: tuple[str, ...] = ()
    """Conv-TasNets, as repeats x blocks: `[3x8]`. Days on a CPU."""
    loss: Literal[LOSSES] = "si_sdr"
    """What training makes small: negative SI-SDR of the sound, or the mask's squared distance from the ideal one."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where networks are trained; they are scored on the CPU."""
    batches_per_epoch: Positive = 100
    """Batches of 128 one-second crops between two looks at the validation set."""
    patience: Positive = 10
    """The stop rule: so many epochs in a row without a better validation loss."""
    max_epochs: Positive = 500
    """A limit; a network that it ends does not count as trained, and a higher one goes on with it."""
    max_minutes: Annotated[float, Field(gt=0)] | None = None
    """A limit on time, likewise; none means no limit."""

    @model_validator(mode="after")
    def _are_networks(self) -> NetworksConfig:
        for system, variant in self.names:
            architecture = parse_architecture(system, variant)
            if self.loss == "mask_mse" and architecture.takes_waveforms:
                raise ValueError(f"loss='mask_mse' needs a mask, which {system} has not; take si_sdr")
        if len(set(self.names)) < len(self.names):
            raise ValueError("a network is named twice; once will do")
        return self

    @property
    def names(self) -> tuple[tuple[str, str], ...]:
        """(system, variant) of each network."""
        return tuple((system, variant) for system in NETWORKS for variant in getattr(self, system))


def _require_switches(params: TrainingParams, switches: dict[str, Any]) -> None:
    known = {field.name for field in fields(TrainingParams)} - {"target", "n_bits"}
    for name in switches:
        if name not in known:
            raise ValueError(f"switch {name!r} is unknown; choose one of {', '.join(sorted(known))}")
    try:
        replace(params, **switches)
    except TypeError as error:
        raise ValueError(f"a switch is of the wrong type ({error}); YAML takes 1e-4 for text, write 1.0e-4") from None


class TrainingConfig(_Model):
    """How the projections are learned."""

    profile: Literal[tuple(PROFILES)] = "project"
    """The set of switches: `project` (our best on validation) or `authors2022` (the TASLP authors' code)."""
    seed: Annotated[int, Field(ge=0)] | None = None
    """Base of the training's random choices; none means the experiment's `seed`."""
    n_bits: Positive | None = None
    """Bits to learn; none means the longest code of the grid."""
    switches: dict[str, Any] = {}
    """Single switches changed from the profile; docs/training.md lists them."""
    residual: dict[str, Any] = {}
    """Single switches changed from those of residual boosting, which has its own."""

    @model_validator(mode="after")
    def _valid_switches(self) -> TrainingConfig:
        _require_switches(PROFILES[self.profile], self.switches)
        _require_switches(RESIDUAL, self.residual)
        return self


class MetricsConfig(_Model):
    """Scores of the whole grid; the tables' further ones are under `tables`."""

    sweep: tuple[Literal[METRICS], ...] = ("sdr", "si_sdr")
    """Scores of every system, set, code length and repeat."""


class IcasspTables(_Model):
    """ICASSP Table 1."""

    n_bits: Positive = 150
    """L of LSH and BLSH."""
    metrics: tuple[Literal[METRICS], ...] = ("sdr", "sir", "sar")
    """Its scores."""
    sets: tuple[Name, ...] = ("closed", "open")
    """Its sets among those of the grid."""
    further_sets: tuple[Name, ...] = ()
    """Its sets outside the grid: scored at this L and with these metrics alone."""


class TaslpTables(_Model):
    """TASLP Tables I to III."""

    lsh_bits: Positive = 300
    """L of the LSH rows."""
    blsh_bits: dict[Literal[FEATURES], Positive] = {"stft": 300, "mel": 50}
    """L of the BLSH rows, by feature."""
    metrics: tuple[Literal[METRICS], ...] = ("sdr", "si_sdr", "pesq", "estoi")
    """Their scores; PESQ and ESTOI cost more than all the rest."""
    sets: tuple[Name, ...] = ("open",)
    """Their sets among those of the grid."""
    further_sets: tuple[Name, ...] = ()
    """Sets outside the grid, of Tables II and III: scored at these L and with these metrics alone."""


class OptionsTable(_Model):
    """What `grid.variants` and `grid.switches` are worth, at the L of the other tables."""

    sets: tuple[Name, ...] = ("validation", "open")
    """Its sets, of those that are scored."""


class RivalsTable(_Model):
    """How well codes find what the raw features find, beside the rivals' quality over bits."""

    n_bits: tuple[Positive, ...] = (25, 50, 100, 300)
    """L at which agreement is computed."""
    metrics: tuple[Literal[AGREEMENTS], ...] = AGREEMENTS
    """Agreement with the raw features' neighbours and with the ideal mask."""
    sets: tuple[Name, ...] = ("open",)
    """Its sets."""


class TablesConfig(_Model):
    """What the tables show; a longer code than the grid's longest is replaced by that."""

    @property
    def further_sets(self) -> tuple[str, ...]:
        """The sets that are scored for the papers' tables alone."""
        return (*self.icassp.further_sets, *self.taslp.further_sets)

    icassp: IcasspTables = IcasspTables()
    taslp: TaslpTables = TaslpTables()
    options: OptionsTable = OptionsTable()
    rivals: RivalsTable | None = None
    """None means that agreement is not computed."""


class ResultsConfig(_Model):
    """What is shown besides tables."""

    example_mixtures: Annotated[int, Field(ge=0, le=6)] = 3
    """Playable examples in the report, one of each noise first."""
    ssm_bits: tuple[Positive, ...] = (10, 50, 150)
    """Code lengths whose similarity matrices are drawn."""


class Config(_Model):
    """An experiment."""

    name: Name
    """The results are written to results/NAME."""
    title: str
    """One line for the report."""
    seed: Annotated[int, Field(ge=0)] = 2020
    """Base of the random choices of the experiment: dictionaries, random projections, training."""
    corpora_folder: str = "data"
    """Where the corpora's folders lie; changing it alone reruns nothing."""
    data: DataConfig
    grid: GridConfig
    projections: dict[Name, str] = {}
    """Files of anyone's projections, by their names in tables: an `.npz` of `P` (bits, width) and `b` (bits,)."""
    training: TrainingConfig = TrainingConfig()
    networks: NetworksConfig = NetworksConfig()
    metrics: MetricsConfig = MetricsConfig()
    tables: TablesConfig = TablesConfig()
    results: ResultsConfig = ResultsConfig()

    @model_validator(mode="after")
    def _consistent(self) -> Config:
        tables = [self.tables.icassp, self.tables.taslp, self.tables.rivals]
        tables += [self.tables.options] if self.grid.variants or self.grid.switches else []
        scored = (*self.grid.sets, *self.tables.further_sets)
        if doubled := sorted(name for name in set(scored) if scored.count(name) > 1):
            raise ValueError(
                f"set {doubled[0]!r} is named twice in grid.sets and the tables' further_sets; once will do"
            )
        for name in (*scored, *(name for table in tables if table for name in table.sets)):
            if name not in self.data.sets:
                raise ValueError(f"set {name!r} is not in data.sets ({', '.join(self.data.sets)}); name one of these")
        if self.training.n_bits is not None and self.training.n_bits < max(self.grid.n_bits):
            raise ValueError(
                f"grid.n_bits={max(self.grid.n_bits)} exceeds training.n_bits={self.training.n_bits}; "
                "raise the latter or leave it out"
            )
        if ("projections" in self.grid.systems) != bool(self.projections):
            raise ValueError(
                f"grid.systems={list(self.grid.systems)} and projections={dict(self.projections)} do not fit: "
                "name the system 'projections' and a file, or neither"
            )
        for name in set(self.grid.switches) - {MATRICES}:
            _require_switches(PROFILES[self.training.profile], self.training.switches | dict(SWITCHES[name]))
        return self


def portable(config: Config) -> dict[str, Any]:
    """Return a configuration as plain values that say nothing of the machine: no folder outside `corpora_folder`."""
    values = config.model_dump(mode="json", exclude={"corpora_folder"})
    for corpus in values["data"]["corpora"].values():
        for key in ("folder", "listing"):
            if corpus[key] and Path(corpus[key]).is_absolute():
                corpus[key] = Path(corpus[key]).name
    for name, file in values["projections"].items():
        if Path(file).is_absolute():
            values["projections"][name] = Path(file).name
    return values


def parse_config(values: dict[str, Any], source: str = "config") -> Config:
    """Check a configuration given as plain values.

    Raises
    ------
    ValueError
        One line for the first wrong key: file, key, value and rule.
    """
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        key = repr(".".join(str(part) for part in problem["loc"]))[1:-1][:200] or "(whole file)"
        if problem["type"] == "extra_forbidden":
            raise ValueError(f"{source}: unknown key {key}; config/README.md lists the keys") from None
        message = problem["msg"].removeprefix("Value error, ")
        value = "" if isinstance(problem["input"], dict) else f"={problem['input']!r:.200}"
        raise ValueError(f"{source}: {key}{value}: {message}; config/README.md lists the keys") from None


def load_config(path: str | Path, changes: dict[str, Any] | None = None) -> Config:
    """Read a YAML configuration file; `changes` replace top-level keys, as ``--config`` does.

    Raises
    ------
    FileNotFoundError, ValueError
        One line that names the file, the key and the rule.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such configuration file; presets are in config/")
    try:
        values = read_plain_yaml(path)
    except ValueError as error:
        raise ValueError(f"{error}; see config/demo.yaml") from None
    return parse_config(values | (changes or {}), str(path))
