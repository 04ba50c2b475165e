"""Sound files: 16 kHz mono float32 in memory, whatever the file holds.

Channels are averaged, then soxr (quality HQ) resamples; nothing is clipped or scaled. A file is decoded
block by block (`blsh.signal.sounds`), and one that holds less than its header promises, or more than would be
read, is an error; so are NaN and infinite samples. Silence is no error here; whether a silent recording is of
use is the corpus readers' question.

What is written is for listening: 16-bit PCM WAV.

Conventions: a region of a file is counted in samples of the file's own rate ("native"); a waveform is an
array (samples,) of float32 at `SAMPLE_RATE`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from blsh.files import atomic_path, require_free_space
from blsh.signal.sounds import Sound, open_sound

SAMPLE_RATE = 16_000
# One read gives at most 4.6 hours at 16 kHz (1 GiB): a FLAC file of silence can be a hundred thousand times
# larger decoded than on disk.
MAX_SAMPLES = 1 << 28
_BLOCK_SAMPLES = 1 << 18


@dataclass(frozen=True)
class AudioInfo:
    """What a sound file holds: native rate in Hz, number of channels, samples of each channel."""

    sample_rate: int
    channels: int
    n_samples: int


def probe(path: str | Path) -> AudioInfo:
    """Return what a sound file's header says, decoding it only where that leaves the length open.

    A header's promise is checked here as far as the file's size can tell; `read_audio` checks it by decoding.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not WAV, FLAC, Ogg or NIST SPHERE, is truncated, holds more than would be read, or no samples.
    """
    with open_sound(path) as sound:
        return AudioInfo(sound.sample_rate, sound.channels, sound.n_samples)


def read_audio(path: str | Path, *, start: int = 0, n_samples: int | None = None) -> np.ndarray:
    """Decode a sound file, or a region of it, to 16 kHz mono.

    Parameters
    ----------
    path
        A WAV, FLAC, Ogg (Vorbis, Opus) or NIST SPHERE file of any rate and number of channels.
    start : int >= 0
        First native sample of the region.
    n_samples : int > 0, optional
        Its number of native samples; to the end by default.

    Returns
    -------
    np.ndarray, float32, shape (samples,)
        The region alone is resampled, so it depends on nothing around it.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it cannot be decoded, is truncated, holds more than would be read, no samples or NaN or infinite ones,
        is longer than `MAX_SAMPLES`, or does not contain the region.
    """
    with open_sound(path) as sound:
        wanted = sound.n_samples - start if n_samples is None else n_samples
        if start < 0 or wanted < 1 or start + wanted > sound.n_samples:
            raise ValueError(
                f"start={start}, n_samples={n_samples} is no region of the {sound.n_samples} samples of {path}: "
                "make the manifest again"
            )
        rate = sound.sample_rate
        region = _decode(sound, start, wanted, path)
    waveform = region if rate == SAMPLE_RATE else soxr.resample(region, rate, SAMPLE_RATE, quality="HQ")
    if not waveform.size:
        raise ValueError(f"{wanted} samples at {rate} Hz give none at {SAMPLE_RATE} Hz ({path}): take a longer region")
    if not np.isfinite(waveform).all():
        raise ValueError(f"{path} holds NaN or infinite samples: convert it to 16-bit WAV or FLAC, or leave it out")
    return waveform


def read_blocks(path: str | Path) -> Iterator[np.ndarray]:
    """Decode a whole sound file block by block, at its own rate and with its own channels.

    Yields
    ------
    np.ndarray, float32, shape (samples, channels)

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_audio`, but NaN and infinite samples are passed on.
    """
    with open_sound(path) as sound:
        yield from sound.blocks(0, sound.n_samples, _BLOCK_SAMPLES)


def write_wav(path: str | Path, samples: np.ndarray, sample_rate: int = SAMPLE_RATE) -> None:
    """Write a mono waveform as 16-bit PCM WAV, for listening.

    One step is 1/32768, as `read_audio` takes it, so what came from a 16-bit file goes back unchanged; only
    +1.0 itself becomes 32767/32768.

    Raises
    ------
    ValueError
        If the waveform is not (samples,), is empty, not finite, or exceeds [−1, 1]: the caller scales, with
        one factor for all files that are compared by ear.
    """
    samples = np.asarray(samples)
    if samples.ndim != 1 or not 0 < samples.size <= MAX_SAMPLES:
        raise ValueError(f"samples.shape={samples.shape} must be (samples,) with 1..{MAX_SAMPLES} of them ({path})")
    peak = np.abs(samples).max()
    if not peak <= 1:
        raise ValueError(f"peak={peak:.6g} exceeds 1, the most that {path} can hold: divide the waveform by its peak")
    levels = np.clip(np.rint(samples * 32768.0), -32768, 32767).astype("<i2")
    form = struct.pack("<HHIIHH", 1, 1, sample_rate, 2 * sample_rate, 2, 16)  # PCM, mono, 2 bytes a sample
    header = struct.pack(
        "<4sI4s4sI16s4sI", b"RIFF", 36 + levels.nbytes, b"WAVE", b"fmt ", 16, form, b"data", levels.nbytes
    )
    require_free_space(path, len(header) + levels.nbytes, Path(path).name)
    with atomic_path(path) as temporary:
        temporary.write_bytes(header + levels.tobytes())


def _decode(sound: Sound, start: int, n_samples: int, path: str | Path) -> np.ndarray:
    """Average the channels of a region, block by block, so that only what is really there takes memory."""
    averages, n_read = [], 0
    for block in sound.blocks(start, n_samples, _BLOCK_SAMPLES):
        with np.errstate(all="ignore"):  # what is no finite number is told when all is read
            averages.append(block.mean(axis=1, dtype=np.float64).astype(np.float32))
        n_read += len(block)
        if max(n_read, n_read * SAMPLE_RATE // sound.sample_rate) > MAX_SAMPLES:
            raise ValueError(f"{path} is longer than {MAX_SAMPLES} samples: cut it, or read it region by region")
    return np.concatenate(averages)
