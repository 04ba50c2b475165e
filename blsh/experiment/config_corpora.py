"""The part of the configuration that says where recordings lie, and what each reader finds in its folder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from blsh.corpora import READERS
from blsh.corpora.duan import CLASSES
from blsh.corpora.folder import check_levels
from blsh.corpora.musan import NOISE_CLASS
from blsh.corpora.timit import SPLITS
from blsh.corpora.voicebank import SIDES
from blsh.experiment.config_base import ConfigModel, Several, Word

__all__ = ["READER_OPTIONS", "CorpusConfig", "Labels", "require_known"]

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


@dataclass(frozen=True)
class Labels:
    """What the recordings of a corpus are labelled with, as far as its reader says it before it reads.

    Attributes
    ----------
    speakers, noises
        Whether they may be speech, whether they may be noise.
    splits, classes
        Those that there are; None where only the folder tells. Without splits, or without classes, there are none.
    """

    speakers: bool
    noises: bool
    splits: tuple[str, ...] | None = None
    classes: tuple[str, ...] | None = None


_EMBEDDED_SPLITS = ("train", "validation", "test")
# Spelt out because the module that makes them takes a second to load; a test compares.
_EMBEDDED_NOISES = (
    *("birds", "casino", "cicadas", "computer_keyboard", "eating_chips"),
    *("frogs", "jungle", "machine_guns", "motorcycles", "ocean"),
    *("cafeteria", "metro", "rain_on_tent", "river", "station_hall", "traffic", "washing_machine", "wind"),
    *("kitchen", "vacuum_cleaner"),
)
_LABELS = {
    "librispeech": Labels(True, False),
    "timit": Labels(True, False, SPLITS),
    "voicebank": Labels(True, False, SIDES),
    "esc": Labels(False, True, tuple(f"fold-{fold}" for fold in range(1, 6))),
    "duan": Labels(False, True, (), CLASSES),
    "demand": Labels(False, True, ()),
    "musan": Labels(False, True, (), (NOISE_CLASS,)),
    "synthetic_speech": Labels(True, False, _EMBEDDED_SPLITS),
    "synthetic_noise": Labels(False, True, _EMBEDDED_SPLITS, _EMBEDDED_NOISES),
}


class CorpusConfig(ConfigModel):
    """One folder of recordings."""

    reader: str
    """How to read the folder: one of the readers of `blsh.corpora`."""
    folder: Word | None = None
    """The folder, relative to `corpora_folder`; the embedded corpora have none."""
    listing: Word | None = None
    """A CSV that restricts the corpus to listed files and checks their SHA-256; relative to the repository."""
    splits: Several[Word] = ()
    """`librispeech`, `timit`: read only these splits; none named means all."""
    classes: Several[Word] = ()
    """`esc`, `duan`, `demand`: read only these classes; none named means all."""
    sa: Literal["keep", "drop"] | None = None
    """`timit`: what to do with the two sentences that every speaker reads; none means keep."""
    channel: Annotated[int, Field(ge=1, le=16)] | None = None
    """`demand`: the microphone, 1 to 16; none means 1."""
    levels: Several[Word] = ()
    """`folder`: what the levels of a tree mean, such as `[speaker]` or `[split, class]`; or else `table`."""
    table: Word | None = None
    """`folder`: a CSV inside the folder that lists the recordings, in place of a tree."""
    licence: Word | None = None
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
        for key in ("folder", "listing"):
            if self.is_embedded and getattr(self, key) is not None:
                raise ValueError(f"reader {self.reader!r} makes its recordings and has no {key}; remove the key")
        if self.folder is None and not self.is_embedded:
            raise ValueError(f"reader {self.reader!r} needs a folder; add the key 'folder'")
        if self.reader == "folder":
            if bool(self.levels) == (self.table is not None):
                raise ValueError(
                    "reader 'folder' needs one of 'levels', such as [speaker] or [split, class], and 'table', "
                    "a CSV in the folder; add or remove one"
                )
            if self.levels:
                check_levels(self.levels)
        known = self._known
        require_known(self.splits, known.splits, "split", f"reader {self.reader!r}")
        require_known(self.classes, known.classes, "class", f"reader {self.reader!r}")
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

    @property
    def labels(self) -> Labels:
        """What the recordings that are read are labelled with."""
        known = self._known
        return Labels(known.speakers, known.noises, self.splits or known.splits, self.classes or known.classes)

    @property
    def has_genders(self) -> bool:
        """Whether speakers may have a gender."""
        return self.reader != "folder" or not self.levels or "gender" in self.levels

    @property
    def _known(self) -> Labels:
        if self.reader != "folder":
            return _LABELS[self.reader]
        if not self.levels:  # a table
            return Labels(True, True)
        return Labels("speaker" in self.levels, "class" in self.levels, None if "split" in self.levels else ())


def require_known(names: Iterable[str], known: tuple[str, ...] | None, what: str, whose: str) -> None:
    """Raise ValueError unless all names are among the known ones, if any are known."""
    for name in names:
        if known is not None and name not in known:
            found = ", ".join(known)[:300] or "none"
            raise ValueError(f"{whose} has no {what} {name!r:.80} (it has: {found}); correct the name, or leave it out")
