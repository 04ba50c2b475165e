"""The part of the configuration that says which recordings are used, for what, and how they are mixed."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from blsh.corpora import READERS
from blsh.corpora.timit import SPEAKER_RULES
from blsh.experiment.config_base import ConfigModel, Name, Positive

__all__ = [
    "READER_OPTIONS",
    "CorpusConfig",
    "DataConfig",
    "NoiseConfig",
    "Selection",
    "SetAside",
    "SetConfig",
    "SpeechConfig",
]

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


class CorpusConfig(ConfigModel):
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


class Selection(ConfigModel):
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


class SetAside(ConfigModel):
    """Speakers taken out of the training selection."""

    speakers: Positive
    """How many."""
    balance_gender: bool = True
    """As many women as men; `false` for corpora that do not tell the gender."""


class SpeechConfig(ConfigModel):
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


class NoiseConfig(ConfigModel):
    """Which noise serves which purpose; the closed set hears the training noises."""

    train: Selection
    validation: Selection
    open: Selection


class SetConfig(ConfigModel):
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


class DataConfig(ConfigModel):
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
