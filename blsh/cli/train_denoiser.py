"""Make a denoiser's model from your own recordings of speech and of noise, and measure it on some of them.

Speech is a folder with a folder for each speaker, or with a file for each; noise a folder with one for each kind of
noise, or with a file for each. A tenth of the speakers and a fifth of the noise recordings are kept out of training;
the score at the end is of mixtures of these alone. Other layouts: see --speech-reader.
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from blsh.cli.model_arguments import add_model_arguments, bands_of, check_model_arguments, read_sources, score_and_save
from blsh.cli.numbers import COUNT, SNR_DB, Real
from blsh.cli.outputs import require_writable
from blsh.cli.progress import Progress
from blsh.corpora import READERS
from blsh.corpora.manifest import Manifest, Recording
from blsh.denoising.dictionary import draw_rows
from blsh.denoising.model_file import require_neighbours
from blsh.denoising.model_making import make_model, typical_level
from blsh.denoising.training_frames import count_frames, write_training_frames
from blsh.experiment.seeds import generator
from blsh.files.arrays import load_array
from blsh.hashing.boosting import Rule, boost
from blsh.hashing.profiles import PROFILES, TrainingParams
from blsh.hashing.projections import Projections
from blsh.hashing.residual import RESIDUAL, residual_rule
from blsh.hashing.weights import papers_rule
from blsh.mixtures.drawing import draw_recipes
from blsh.mixtures.recipes import Recipe
from blsh.mixtures.rendering import Recordings
from blsh.mixtures.units import cut_units, set_aside_speakers
from blsh.signal.spectra import FEATURES

EXAMPLE = "blsh train-denoiser --speech my/speech --noise my/noise -o my.blsh"
LEARNERS: dict[str, tuple[TrainingParams, Rule]] = {
    "residual": (RESIDUAL, residual_rule),
    "papers": (PROFILES["project"], papers_rule),
}
_HELD_OUT_SPEAKERS, _HELD_OUT_NOISE = 0.1, 0.2
_VALIDATION_MIXTURES = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--speech", required=True, type=Path, metavar="DIR", help="folder of speech")
    parser.add_argument("--noise", required=True, type=Path, metavar="DIR", help="folder of noise")
    for name in ("speech", "noise"):
        parser.add_argument(
            f"--{name}-reader", choices=sorted(READERS), default="folder", help=f"layout of the {name} (default folder)"
        )
    parser.add_argument("--learner", choices=sorted(LEARNERS), default="residual", help="rule of boosting")
    parser.add_argument("--feature", choices=FEATURES, default="stft", help="what is hashed (default stft)")
    parser.add_argument("--snr-db", type=SNR_DB, nargs="+", default=[0.0], help="of every mixture (default 0)")
    parser.add_argument("--seconds", type=Real(above=0), default=3.0, help="length of a mixture (default 3)")
    parser.add_argument("--mixtures", type=COUNT, default=2000, help="at most so many to learn from (default 2000)")
    parser.add_argument("--scratch", type=Path, help="folder for the training frames (default: the system's)")
    add_model_arguments(parser)


def run(arguments: argparse.Namespace) -> None:
    """Read, divide, draw, render, learn, pack, measure."""
    _check(arguments)
    rng_for = partial(generator, arguments.seed)
    speech = _read("speech", arguments.speech, arguments.speech_reader)
    noise = _read("noise", arguments.noise, arguments.noise_reader)
    audio = Recordings([speech, noise], {"speech": arguments.speech, "noise": arguments.noise})
    held_out_speech, training_speech = _hold_out_speakers(speech.recordings, rng_for("validation speakers"))
    held_out_noise, training_noise = _hold_out_noise(noise.recordings, rng_for("validation noise"))
    draw = partial(_draw, arguments=arguments, audio=audio, rng_for=rng_for)
    training = draw("train", training_speech, training_noise, n_mixtures=arguments.mixtures)
    validation = draw("validation", held_out_speech, held_out_noise, n_mixtures=_VALIDATION_MIXTURES)
    for name, recipes in {"training": training, "validation": validation}.items():
        print(
            f"{name}: {len(recipes)} mixtures, {sum(r.seconds for r in recipes) / 60:.1f} min, "
            f"{len({r.speaker for r in recipes})} speakers, {len({r.noise for r in recipes})} noises",
            flush=True,
        )
    n_rows = min(arguments.n_rows, count_frames(training))
    require_neighbours(arguments.n_neighbours, n_rows)
    with tempfile.TemporaryDirectory(prefix="blsh-", dir=arguments.scratch) as folder:
        features, masks = Path(folder, "features.npy"), Path(folder, "masks.npy")
        n_frames = write_training_frames(
            training,
            audio,
            features={arguments.feature: features},
            masks=masks,
            progress=Progress("training mixtures"),
        )
        mapped = load_array(features, mapped=True), load_array(masks, mapped=True)
        projections = _learn(*mapped, arguments, rng_for)
        used = (*training_speech, *training_noise)
        model = make_model(
            projections,
            *mapped,
            draw_rows(n_frames, n_rows / n_frames, rng=rng_for("dictionary", 1)),
            feature=arguments.feature,
            n_neighbours=arguments.n_neighbours,
            bands=bands_of(arguments),
            level=typical_level(training, audio),
            recipes=training,
            recordings=used,
            sources=read_sources(arguments.sources, used),
            settings={
                "learner": arguments.learner,
                "seed": arguments.seed,
                "snr_db": list(arguments.snr_db),
                "mixtures": len(training),
                "frames": n_frames,
            },
            rng=rng_for("mask patterns"),
        )
    score_and_save(model, validation, audio, arguments.output)


def _check(arguments: argparse.Namespace) -> None:
    """Raise what would be found after reading or training."""
    check_model_arguments(arguments, arguments.n_rows)
    if arguments.mixtures < len(arguments.snr_db):
        raise ValueError(
            f"--mixtures {arguments.mixtures} is less than one for each of {len(arguments.snr_db)} --snr-db: give more"
        )
    if arguments.scratch is not None:
        if not arguments.scratch.is_dir():
            raise ValueError(f"--scratch {arguments.scratch} is no folder: make it, or name another")
        require_writable(arguments.scratch)


def _read(corpus: str, folder: Path, reader: str) -> Manifest:
    options = {"levels": ["speaker" if corpus == "speech" else "class"]} if reader == "folder" else {}
    manifest = READERS[reader](folder, corpus=corpus, progress=Progress(corpus), **options)
    for skipped in manifest.skipped:
        print(f"{corpus}: {skipped.path} is left out: {skipped.reason}")
    return manifest


def _hold_out_speakers(
    recordings: Sequence[Recording], rng: np.random.Generator
) -> tuple[tuple[Recording, ...], tuple[Recording, ...]]:
    n_speakers = len({recording.speaker for recording in recordings})
    if n_speakers < 2:
        raise ValueError(
            f"--speech has {n_speakers} speaker: at least 2 are needed, as one is kept out to measure with"
        )
    return set_aside_speakers(recordings, max(1, round(_HELD_OUT_SPEAKERS * n_speakers)), balance_gender=False, rng=rng)


def _hold_out_noise(
    recordings: Sequence[Recording], rng: np.random.Generator
) -> tuple[tuple[Recording, ...], tuple[Recording, ...]]:
    if len(recordings) < 2:
        raise ValueError("--noise has 1 recording: at least 2 are needed, as one is kept out to measure with")
    order = rng.permutation(len(recordings))
    held_out = set(order[: max(1, round(_HELD_OUT_NOISE * len(order)))].tolist())
    return (
        tuple(recording for i, recording in enumerate(recordings) if i in held_out),
        tuple(recording for i, recording in enumerate(recordings) if i not in held_out),
    )


def _draw(
    name: str,
    speech: Sequence[Recording],
    noise: Sequence[Recording],
    *,
    n_mixtures: int,
    arguments: argparse.Namespace,
    audio: Recordings,
    rng_for,
) -> tuple[Recipe, ...]:
    units, _, _ = cut_units(speech, seconds=arguments.seconds, per_speaker=None, held_out=0, audio=audio)
    if not units:
        raise ValueError(f"no {name} speaker has {arguments.seconds:g} s in one recording: give a smaller --seconds")
    return draw_recipes(
        units,
        noise,
        set_name=name,
        drawn_as=name,
        snrs_db=arguments.snr_db,
        # A pair is mixed at every SNR.
        n_mixtures=max(1, n_mixtures // len(arguments.snr_db)),
        noises_per_utterance=None,
        audio=audio,
        rng_for=rng_for,
    )


def _learn(features: np.ndarray, masks: np.ndarray, arguments: argparse.Namespace, rng_for) -> Projections:
    params, rule = LEARNERS[arguments.learner]
    segment_frames = min(params.segment_frames, len(features))
    params = replace(
        params,
        n_bits=arguments.n_bits,
        segment_frames=segment_frames,
        n_segments=min(params.n_segments, len(features) // segment_frames),
    )
    show = Progress("bits")
    projections, _ = boost(
        features,
        params,
        rng_for_round=partial(rng_for, "boosting", arguments.feature, str(params.target)),
        masks=masks,
        rule=rule,
        progress=lambda done, total, *_: show(done, total),
    )
    return projections
