"""Divide speech: which stretch of which recording trains, and which is closed, validation or open.

A selection is a corpus and, after it, the splits to take (all where none is named). Validation speakers are a selection
of their own or are set aside from the training selection.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from blsh.cli.data_arguments import add_data_arguments, open_recordings, read_manifests
from blsh.cli.numbers import COUNT, INDEX, SEED, Real
from blsh.corpora.manifest import Recording
from blsh.corpora.timit import SPEAKER_RULES, select_speakers
from blsh.experiment.seeds import generator
from blsh.mixtures.unit_table import write_units
from blsh.mixtures.units import cut_units, set_aside_speakers

EXAMPLE = (
    "blsh units --seed 2020 --train speech train-clean-100 --validation-speakers 25 --open speech test-other \\\n"
    "    --seconds 3 --per-speaker 4 --held-out 1 --manifest speech=speech.csv --folder speech=data/LibriSpeech \\\n"
    "    -o units.csv"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add_data_arguments(parser)
    parser.add_argument("--seed", type=SEED, required=True, help="base seed of the experiment")
    parser.add_argument("--train", nargs="+", required=True, metavar="WORD", help="CORPUS [SPLIT …] of training speech")
    parser.add_argument("--open", nargs="+", required=True, metavar="WORD", help="CORPUS [SPLIT …] of the open set's")
    validation = parser.add_mutually_exclusive_group(required=True)
    validation.add_argument("--validation", nargs="+", metavar="WORD", help="CORPUS [SPLIT …] of the validation set's")
    validation.add_argument(
        "--validation-speakers", type=COUNT, metavar="N", help="set N training speakers aside instead"
    )
    for part in ("train", "open"):
        parser.add_argument(
            f"--{part}-speakers", choices=SPEAKER_RULES, help=f"a rule that draws speakers of TIMIT for {part}"
        )
    parser.add_argument("--any-gender", action="store_true", help="set speakers aside without regard to gender")
    parser.add_argument("--seconds", type=Real(above=0), help="length of training excerpts (default: whole utterances)")
    parser.add_argument("--per-speaker", type=COUNT, metavar="N", help="at most N training excerpts of a speaker")
    parser.add_argument(
        "--held-out", type=INDEX, default=1, metavar="N", help="the last N are the closed set's (default 1)"
    )
    parser.add_argument("-o", "--output", required=True, type=Path, help="table of units to write (CSV)")


def run(arguments: argparse.Namespace) -> None:
    """Divide the speech, print what was found, write the table."""
    recordings = read_manifests(arguments)
    audio = open_recordings(arguments)
    training = _select(recordings, arguments.train, "--train")
    others: tuple[Recording, ...] = ()
    if arguments.train_speakers:
        training, others = _by_rule(training, arguments.train_speakers, "train", arguments.seed)
    if arguments.validation_speakers is None:
        validation = _select(recordings, arguments.validation, "--validation")
    else:
        validation, rest = set_aside_speakers(
            others or training,
            arguments.validation_speakers,
            balance_gender=not arguments.any_gender,
            rng=generator(arguments.seed, "validation speakers"),
        )
        # A rule's speakers are the papers' own: validation takes of those that it leaves.
        training = training if others else rest
    opened = _select(recordings, arguments.open, "--open")
    if arguments.open_speakers:
        opened, _ = _by_rule(opened, arguments.open_speakers, "open", arguments.seed)
    _check_disjoint({"train": training, "validation": validation, "open": opened})
    train, closed, skipped = cut_units(
        training,
        seconds=arguments.seconds,
        per_speaker=arguments.per_speaker,
        held_out=arguments.held_out,
        audio=audio,
    )
    whole = {"seconds": None, "per_speaker": None, "held_out": 0, "audio": audio}
    units = {"train": train, "closed": closed}
    units |= {"validation": cut_units(validation, **whole)[0], "open": cut_units(opened, **whole)[0]}
    for source, members in units.items():
        speakers = {unit.speaker: unit.gender for unit in members}
        genders = ", ".join(f"{list(speakers.values()).count(gender)} {gender}" for gender in ("F", "M"))
        seconds = sum(unit.piece.n_samples for unit in members) / 16000
        print(f"{source}: {len(members)} units, {len(speakers)} speakers ({genders}), {seconds / 60:.1f} min")
    if skipped:
        print(f"{len(skipped)} speakers without a whole excerpt: {', '.join(skipped)}")
    write_units(arguments.output, units)


def _select(recordings: Mapping[str, tuple[Recording, ...]], words: Sequence[str], flag: str) -> tuple[Recording, ...]:
    corpus, *splits = words
    if corpus not in recordings:
        raise ValueError(
            f"{flag} {corpus!r} is not a corpus of --manifest ({', '.join(recordings)}); name one of these"
        )
    chosen = tuple(r for r in recordings[corpus] if not splits or r.split in splits)
    missing = set(splits) - {r.split for r in chosen}
    if not chosen or missing:
        found = ", ".join(sorted({r.split for r in recordings[corpus]}))
        raise ValueError(f"{flag}: corpus {corpus!r} has no split {', '.join(sorted(missing))} (it has: {found})")
    return chosen


def _by_rule(
    recordings: Sequence[Recording], rule: str, part: str, seed: int
) -> tuple[tuple[Recording, ...], tuple[Recording, ...]]:
    chosen, others, found = select_speakers(recordings, rule, rng=generator(seed, "speakers", part))
    print(f"{part}: {found}")
    return chosen, others


def _check_disjoint(parts: Mapping[str, Sequence[Recording]]) -> None:
    """Nobody may be heard in two parts."""
    seen: dict[str, str] = {}
    for part, members in parts.items():
        for speaker in sorted({recording.speaker for recording in members}):
            if speaker in seen:
                raise ValueError(f"speaker {speaker!r} is in {seen[speaker]} and in {part}; select disjoint splits")
            seen[speaker] = part
