"""What the report plays: recordings inside the page, each with its spectrogram.

At most three utterances with eight systems each, the clean speech and the mixture first. Recordings go into the page
as FLAC, which is lossless and half of WAV. Spectrograms show 0 to 8 kHz and the loudest 60 dB of each utterance's
loudest sound, so that those of one utterance can be compared.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from blsh.signal.audio import SAMPLE_RATE, read_audio
from blsh.signal.spectra import stft

__all__ = ["Example", "make_players"]

EXAMPLES_MAX, SYSTEMS_MAX = 3, 8
# The page may have 15 MB, base64 makes 4 bytes of 3, and figures and tables take up to 5 MB.
BYTES_MAX = 7_000_000
RANGE_DB = 60.0
PICTURE_ROWS, PICTURE_COLUMNS_MAX = 128, 480


@dataclass(frozen=True)
class Example:
    """Recordings of one mixture to listen to: the clean speech, the mixture, and what systems made of it.

    ``systems`` maps a label to a sound file that `blsh.signal.audio.read_audio` reads.
    """

    title: str
    clean: Path
    mixture: Path
    systems: Mapping[str, Path]

    @property
    def tracks(self) -> tuple[tuple[str, Path], ...]:
        """Label and file of everything to play, the clean speech and the mixture first."""
        systems = list(self.systems.items())[:SYSTEMS_MAX]
        return (("Clean speech", self.clean), ("Mixture", self.mixture), *systems)


def make_players(examples: Sequence[Example]) -> tuple[list[dict[str, object]], int]:
    """Read recordings into players, whole examples at a time, as far as there is room.

    Returns
    -------
    players, n_left_out
        A player has a ``title`` and ``tracks``; a track has a ``label``, and as data addresses its ``sound`` and its
        ``spectrogram``.

    Raises
    ------
    FileNotFoundError
        If a recording is not there.
    ValueError
        If it is no sound file.
    """
    players: list[dict[str, object]] = []
    room = BYTES_MAX
    for example in examples[:EXAMPLES_MAX]:
        for _, path in example.tracks:
            if not Path(path).is_file():
                raise FileNotFoundError(f"{path}: the recording of an example is not there; leave the example out")
        sounds = {label: read_audio(path) for label, path in example.tracks}
        levels = {label: _levels_db(sound) for label, sound in sounds.items()}
        loudest = max(float(level.max()) for level in levels.values())
        parts = [(label, _flac(sound), _picture(levels[label], loudest)) for label, sound in sounds.items()]
        room -= sum(len(sound) + len(picture) for _, sound, picture in parts)
        if room < 0:
            break
        tracks = [
            {
                "label": label,
                "sound": f"data:audio/flac;base64,{base64.b64encode(sound).decode()}",
                "spectrogram": f"data:image/png;base64,{base64.b64encode(picture).decode()}",
            }
            for label, sound, picture in parts
        ]
        players.append({"title": example.title, "tracks": tracks})
    return players, len(examples) - len(players)


def _flac(sound: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, sound, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def _levels_db(sound: np.ndarray) -> np.ndarray:
    """Return a spectrogram's levels in dB, shape (frames, bins); silence is far below everything."""
    return 20 * np.log10(np.abs(stft(sound)) + 1e-12)


def _picture(levels: np.ndarray, loudest: float) -> bytes:
    """Draw levels as a PNG, time to the right and frequency upwards, loud ones black."""
    share = np.clip((levels - loudest) / RANGE_DB + 1, 0, 1)
    grey = np.round(255 * (1 - share)).astype(np.uint8)
    picture = Image.fromarray(np.ascontiguousarray(grey.T[::-1]))
    size = (min(picture.width, PICTURE_COLUMNS_MAX), PICTURE_ROWS)
    buffer = io.BytesIO()
    picture.resize(size, Image.Resampling.BOX).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
