"""The part of the configuration that says which recordings are used, for what, and how they are mixed."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Annotated, Literal

from pydantic import Field, model_validator

from blsh.corpora.timit import SPEAKER_RULES
from blsh.experiment.config_base import ConfigModel, Name, Positive, Seed, Several, Word, refuse_twins
from blsh.experiment.config_corpora import CorpusConfig, require_known
from blsh.signal.spectra import LEAST_SAMPLES, SAMPLE_RATE

__all__ = [
    "DataConfig",
    "NoiseConfig",
    "Selection",
    "SetAside",
    "SetConfig",
    "SpeechConfig",
]


class Selection(ConfigModel):
    """A part of one corpus."""

    corpus: str
    """The corpus, a key of `data.corpora`."""
    splits: Several[Word] = ()
    """Splits to take; none named means all."""
    classes: Several[Word] = ()
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
    seconds: Annotated[float, Field(ge=LEAST_SAMPLES / SAMPLE_RATE, le=3600)] | None = None
    """Training and closed speech is cut into whole excerpts of this length; none means whole utterances. Networks train
    on crops of a second, so with `networks` it is at least 1."""
    per_speaker: Positive | None = None
    """At most so many excerpts of a training speaker."""
    held_out: Annotated[int, Field(ge=0, le=10**9)] = 1
    """The last so many excerpts of a training speaker who has more are the closed set's; 0 goes without such a set."""


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
    snr_db: Annotated[float, Field(ge=-100, le=100)] = 0.0
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
    seed: Seed = 2020
    """Base of the random choices of the data: validation speakers, excerpts of noise."""
    corpora: dict[Name, CorpusConfig]
    """Folders of recordings, by any names but `units`."""
    speech: SpeechConfig
    noise: NoiseConfig
    sets: dict[Name, SetConfig]
    """The sets of mixtures. Jobs and tables know some by name: `train`, `validation` and `open`, which are needed, and
    `closed` have the source of that name, `voicebank` has `pairs`; further ones may have any name."""

    @model_validator(mode="after")
    def _has_corpora(self) -> DataConfig:
        refuse_twins(self.corpora, "corpora")
        if twin := next((name for name in self.corpora if name.lower() == "units"), ""):
            raise ValueError(f"corpora: {twin!r} is the table beside the manifests; choose another name")
        for part, selection in self._spoken.items():
            self._check_selection(f"speech.{part}", selection, is_speech=True)
        for part in ("train", "validation", "open"):
            self._check_selection(f"noise.{part}", getattr(self.noise, part), is_speech=False)
        return self

    @property
    def _spoken(self) -> dict[str, Selection]:
        speech = {part: getattr(self.speech, part) for part in ("train", "validation", "open")}
        return {part: selection for part, selection in speech.items() if isinstance(selection, Selection)}

    def _check_selection(self, key: str, selection: Selection, *, is_speech: bool) -> None:
        name = selection.corpus
        if name not in self.corpora:
            known = ", ".join(self.corpora)
            raise ValueError(f"corpus={name!r} is not in data.corpora ({known}); name one of these")
        labels, reader = self.corpora[name].labels, self.corpora[name].reader
        if selection.speakers is not None and (reader != "timit" or key not in ("speech.train", "speech.open")):
            whose = "train and open speech" if reader == "timit" else f"the reader timit, which corpus {name!r} has not"
            raise ValueError(f"speakers={selection.speakers!r} is a rule for {whose}; leave it out")
        if not (labels.speakers if is_speech else labels.noises):
            here, there = ("noise", "speech") if is_speech else ("speech", "noise")
            raise ValueError(f"{key}: corpus {name!r} (reader {reader!r}) is {here} and no {there}; name another")
        if is_speech and selection.classes:
            raise ValueError(f"{key}: classes={list(selection.classes)!s:.80} are of noise; leave them out")
        require_known(selection.splits, labels.splits, "split", f"{key}: corpus {name!r}")
        require_known(selection.classes, labels.classes, "class", f"{key}: corpus {name!r}")

    @model_validator(mode="after")
    def _speakers_are_disjoint(self) -> DataConfig:
        for (part, one), (other_part, other) in combinations(self._spoken.items(), 2):
            is_ruled = one.speakers is not None or other.speakers is not None
            shares = not one.splits or not other.splits or set(one.splits) & set(other.splits)
            if one.corpus == other.corpus and shares and not is_ruled:
                raise ValueError(
                    f"speech.{part} and speech.{other_part} take the same recordings of corpus {one.corpus!r}; "
                    "name disjoint splits"
                )
        train, aside = self.speech.train.corpus, self.speech.validation
        if isinstance(aside, SetAside) and aside.balance_gender and not self.corpora[train].has_genders:
            raise ValueError(
                f"speech.validation: corpus {train!r} has no level 'gender' to balance its speakers by; "
                "add balance_gender: false"
            )
        return self

    @model_validator(mode="after")
    def _has_known_sets(self) -> DataConfig:
        refuse_twins(self.sets, "sets")
        for name in ("train", "validation", "open", *({"closed"} & set(self.sets))):
            if name not in self.sets or self.sets[name].source != name:
                raise ValueError(
                    f"data.sets needs a set {name!r} whose source is {name!r}: train, validation and open are needed "
                    "and known by name, as closed is; name it so"
                )
        if "voicebank" in self.sets and self.sets["voicebank"].pairs is None:
            raise ValueError("set 'voicebank' is shown as VoiceBank-DEMAND and needs pairs; choose another name")
        return self

    @model_validator(mode="after")
    def _sets_can_be_drawn(self) -> DataConfig:
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
            if described.source is not None:
                self._check_drawn(name, described, described.source)
        return self

    def _check_drawn(self, name: str, described: SetConfig, source: str) -> None:
        speech = self.speech
        if source == "closed" and (speech.held_out == 0 or speech.per_speaker == 1):
            raise ValueError(
                f"set {name!r} has no speech with speech.held_out={speech.held_out} and "
                f"per_speaker={speech.per_speaker}: its excerpts are held out of two or more; raise them, or leave the "
                "set out"
            )
        selection = getattr(self.noise, "train" if source == "closed" else source)
        classes = selection.classes or self.corpora[selection.corpus].labels.classes
        wanted = described.noises_per_utterance
        if wanted is not None and classes is not None and wanted > len(classes):
            raise ValueError(
                f"set {name!r}: noises_per_utterance={wanted} exceeds its noise's {len(classes)} classes; take fewer"
            )
