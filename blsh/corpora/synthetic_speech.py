"""The embedded speech corpus: 42 synthetic speakers on 168 sentences written for this project.

So that the demo runs anywhere without a download, its speech comes from a packaged text-to-speech engine. A
speaker is a row of `speakers.csv`: accent and variant of the engine, pitch, pitch range and rate; 12 women
and 12 men train (five utterances each, so that one can be held out), 6 and 6 are for the open set (three
each), 3 and 3 for validation (two each). A variant, which fixes the formants and the voice quality, belongs
to one split. `sentences.txt` has one sentence a line under the name of its split; they are dealt out in
order, each is spoken once.

The engine, eSpeak NG, is GPL-3.0-or-later software and runs as a separate process for each utterance, see
`speech_engine`. Its 22.05 kHz output is resampled to 16 kHz (soxr, HQ), cut to what is louder than -46 dB of
the peak with at most 50 ms before and 50 ms after, and scaled to a standard deviation of 0.05.

This is formant synthesis: a fair stand-in for speech in its spectrum, harmonics and rhythm, far from its
variety. Results on it show that the system works; they say nothing about real speech.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import soxr

from blsh.corpora import generated, speech_engine
from blsh.corpora.listing import Layout
from blsh.corpora.manifest import Manifest
from blsh.corpora.scanning import Labels, Progress, scan
from blsh.files import tables
from blsh.signal.audio import SAMPLE_RATE

LICENCE = "generated (eSpeak NG, GPL-3.0-or-later engine; output unrestricted)"
UTTERANCES_PER_SPEAKER = {"train": 5, "test": 3, "validation": 2}

_SPEAKERS = Path(__file__).with_name("speakers.csv")
_SENTENCES = Path(__file__).with_name("sentences.txt")
_COLUMNS = {
    "speaker": str,
    "split": str,
    "gender": str,
    "voice": str,
    "pitch": int,
    "pitch_range": int,
    "rate": int,
}

_STD = 0.05
_SILENCE = 0.005  # of the peak, -46 dB
_MARGIN = round(0.05 * SAMPLE_RATE)


@dataclass(frozen=True)
class Speaker:
    """A voice of the engine with its settings; see `speech_engine.speak` for their units."""

    name: str
    split: str
    gender: str
    voice: str
    pitch: int
    pitch_range: int
    rate: int


@dataclass(frozen=True)
class Utterance:
    """One sentence by one speaker; `number` counts from 1 within the speaker."""

    speaker: Speaker
    number: int
    text: str

    @property
    def id(self) -> str:
        """Name of the utterance, `f01-1`."""
        return f"{self.speaker.name}-{self.number}"

    @property
    def path(self) -> str:
        """Path in the corpus' folder, `train/f01/f01-1.wav`."""
        return f"{self.speaker.split}/{self.speaker.name}/{self.id}.wav"


def read(folder: str | Path, *, corpus: str, n_jobs: int = 1, progress: Progress | None = None) -> Manifest:
    """Make what is missing of the corpus in `folder` and return its manifest.

    Parameters
    ----------
    folder
        Where the recordings are or will be (16 MB).
    corpus
        Name under which the recordings are listed.
    n_jobs, progress
        See `synthesise`.

    Raises
    ------
    FileNotFoundError
        If the speech engine is not installed.
    """
    folder = Path(folder)
    synthesise(folder, n_jobs=n_jobs, progress=progress)
    spoken = {utterance.path: utterance for utterance in utterances()}

    def describe(path: str) -> Labels:
        utterance = spoken[path]
        speaker = utterance.speaker
        return Labels(utterance.id, speaker.split, speaker=speaker.name, gender=speaker.gender, licence=LICENCE)

    return scan(folder, Layout("synthetic", folder), spoken, describe, corpus=corpus)


def synthesise(folder: str | Path, *, n_jobs: int = 1, progress: Progress | None = None) -> dict[str, str]:
    """Make every utterance that is missing in `folder` or damaged; return the SHA-256 of each path.

    Parameters
    ----------
    folder
        Made when absent.
    n_jobs : int > 0
        Number of engine processes at a time; the bytes do not depend on it.
    progress
        Called with the number of utterances done and of all.

    Raises
    ------
    FileNotFoundError
        If the speech engine is not installed or incomplete.
    """
    engine = speech_engine.engine_files()
    makers = {utterance.path: partial(waveform, utterance, *engine) for utterance in utterances()}
    key = generated.platform_key("espeakng-loader", "soxr")
    return generated.keep_or_make(folder, makers, key=key, n_jobs=n_jobs, progress=progress)


def utterances() -> Iterator[Utterance]:
    """Deal the sentences of each split out to its speakers, in the order of the two files."""
    texts = {split: iter(lines) for split, lines in sentences().items()}
    for speaker in speakers():
        for number in range(1, UTTERANCES_PER_SPEAKER[speaker.split] + 1):
            yield Utterance(speaker, number, next(texts[speaker.split]))


def speakers() -> tuple[Speaker, ...]:
    """Return all speakers in the order of their table."""
    rows = tables.read_csv(_SPEAKERS, _COLUMNS).to_numpy()
    return tuple(Speaker(*row) for row in rows.tolist())


def sentences() -> dict[str, list[str]]:
    """Return the sentences of each split."""
    found: dict[str, list[str]] = {}
    for line in _SENTENCES.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            found[line.strip("[]")] = section = []
        else:
            section.append(line)
    return found


def waveform(utterance: Utterance, library: Path, data: Path) -> np.ndarray:
    """Speak one utterance.

    Parameters
    ----------
    utterance
        What is said by whom.
    library, data
        The engine, from `speech_engine.engine_files`.

    Returns
    -------
    ndarray of float32, shape (samples,)
        At 16 kHz, trimmed, of standard deviation 0.05.

    Raises
    ------
    ValueError
        If the engine is silent.
    """
    speaker = utterance.speaker
    spoken = speech_engine.speak(
        utterance.text,
        voice=speaker.voice,
        pitch=speaker.pitch,
        pitch_range=speaker.pitch_range,
        rate=speaker.rate,
        library=library,
        data=data,
    )
    samples = np.frombuffer(spoken, "<i2").astype(np.float32) / 32768
    samples = soxr.resample(samples, speech_engine.ENGINE_RATE, SAMPLE_RATE, quality="HQ")
    loudness = np.abs(samples)
    loud = np.flatnonzero(loudness > _SILENCE * loudness.max(initial=0))
    if not len(loud):
        raise ValueError(f"the speech engine said nothing for {utterance.id}: {utterance.text!r}")
    samples = samples[max(loud[0] - _MARGIN, 0) : loud[-1] + _MARGIN].astype(np.float64)
    return (samples * (_STD / samples.std())).astype(np.float32)
