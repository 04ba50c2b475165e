"""Open sound files: their form, and their samples at their own rate and with their own channels.

A file is opened by its contents, not its suffix. One that holds less than its header promises is an error, and so is
one that holds more than would be read (`blsh.signal._containers`). Where a header leaves the length open, as it must
in a pipe, the sound goes on to the end of the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile

from blsh.signal._containers import flac_of_unknown_length, streams_of
from blsh.signal._pieces import Pieces
from blsh.signal._tags import read_tags

__all__ = ["RATES", "Sound", "open_sound"]

# Telephone bands lie far above the lower end; a rate outside is a damaged header and would ask for a huge resampler.
RATES = range(1_000, 1_000_001)
"""Rates in Hz that are read and cleaned."""

_CONTAINERS = ("WAV", "WAVEX", "RF64", "NIST", "FLAC", "OGG")
_FORM = ("samplerate", "channels", "format", "subtype", "endian")
_BLOCK_SAMPLES = 1 << 18
_UNKNOWN_LENGTH = (1 << 63) - 1  # what libsndfile says of a FLAC stream whose header leaves it open
_REMEDY = "convert it to 16-bit WAV or FLAC, or leave it out"
_WHOLE = "get the whole file, or leave it out"


@contextmanager
def open_sound(path: str | Path) -> Iterator[Sound]:
    """Open a sound file, with libsndfile's errors in one line.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not WAV, FLAC, Ogg or NIST SPHERE, is truncated, holds more than would be read, or no samples.
    """
    if Path(path).exists() and not Path(path).is_file():
        raise ValueError(f"{path} is not a regular file: give a sound file")
    with open(path, "rb", buffering=0) as handle:
        try:
            streams = streams_of(handle, Path(path).stat().st_size)
        except ValueError as error:
            raise ValueError(f"{path} {error}") from error
        yield Sound(path, streams)


class Sound:
    """A sound file that is open for reading: one stream of samples, or several of one form after another.

    Parameters
    ----------
    path
        Its name, for messages.
    streams : list of Pieces

    Attributes
    ----------
    form : dict
        samplerate, channels, format, subtype and endian, in the words of soundfile.
    tags : Mapping[str, bytes]
        Title, artist and so on; of several streams the first one's.
    n_samples : int
        Of each channel.

    Raises
    ------
    ValueError
        As `open_sound`.
    """

    def __init__(self, path: str | Path, streams: list[Pieces]) -> None:
        self._path = path
        self._streams: list[tuple[Pieces, int]] = []
        for stream in streams:
            with self._opened(stream) as sound:
                form = {name: getattr(sound, name) for name in _FORM}
                if not self._streams:
                    self.form: dict[str, str | int] = form
                    self.tags: Mapping[str, bytes] = read_tags(sound)
                    self._require_readable()
                elif form != self.form:
                    raise ValueError(
                        f"{path} is a chain of {_words(self.form)} and {_words(form)}: make a file of each"
                    )
                self._streams.append((stream, self._length(sound, stream)))
        self.n_samples = sum(n for _, n in self._streams)

    @property
    def sample_rate(self) -> int:
        """Rate in Hz."""
        return self.form["samplerate"]

    @property
    def channels(self) -> int:
        """Number of channels."""
        return self.form["channels"]

    def blocks(self, start: int, n_samples: int, block_samples: int = _BLOCK_SAMPLES) -> Iterator[np.ndarray]:
        """Decode a region block by block.

        Yields
        ------
        np.ndarray, float32, shape (samples, channels)
            At most `block_samples` numbers.

        Raises
        ------
        ValueError
            If less is there than was promised.
        """
        first = 0
        for stream, length in self._streams:
            region = range(max(start - first, 0), min(start + n_samples - first, length))
            if region:
                with self._opened(stream) as sound:
                    yield from self._blocks(sound, region, first, max(1, block_samples // self.channels))
            first += length

    @contextmanager
    def _opened(self, stream: Pieces) -> Iterator[soundfile.SoundFile]:
        try:
            sound = _Stream(stream.source, closefd=False)
        except soundfile.LibsndfileError as error:
            raise ValueError(f"{self._path} cannot be decoded ({error.error_string.strip()}): {_REMEDY}") from error
        with sound:
            yield sound

    def _require_readable(self) -> None:
        form, path = self.form, self._path
        if form["format"] not in _CONTAINERS:
            raise ValueError(f"{path} is {form['format']}, not one of {', '.join(_CONTAINERS)}: {_REMEDY}")
        if form["subtype"].startswith("MPEG"):  # of which libsndfile decodes less than it promises
            raise ValueError(f"{path} is {form['format']} that holds {form['subtype']}: {_REMEDY}")
        if self.sample_rate not in RATES:
            raise ValueError(
                f"sample_rate={self.sample_rate} Hz of {path} lies outside {RATES[0]}…{RATES[-1]}: {_REMEDY}"
            )

    def _length(self, sound: soundfile.SoundFile, stream: Pieces) -> int:
        """Return the number of samples, counted where a FLAC header does not say it, and see that it is all."""
        if sound.frames < 1:
            raise ValueError(f"{self._path} holds no samples: {_REMEDY}")
        if sound.format != "FLAC":
            return sound.frames
        if sound.frames == _UNKNOWN_LENGTH:
            return self._counted(sound)
        with self._opened(flac_of_unknown_length(stream)) as unlimited:
            try:
                unlimited.seek(sound.frames)
            except soundfile.LibsndfileError:  # nothing is there
                return sound.frames
        raise ValueError(f"{self._path} holds more than the {sound.frames} samples of its header: {_REMEDY}")

    def _counted(self, sound: soundfile.SoundFile) -> int:
        n_samples = 0
        try:
            while n := len(sound.read(max(1, _BLOCK_SAMPLES // sound.channels), dtype="float32", always_2d=True)):
                n_samples += n
        except soundfile.LibsndfileError as error:
            raise ValueError(f"{self._path} is truncated or damaged after sample {n_samples}: {_WHOLE}") from error
        return n_samples

    def _blocks(self, sound: soundfile.SoundFile, region: range, first: int, block: int) -> Iterator[np.ndarray]:
        """Decode a region of one stream, an Ogg stream from its beginning, see `_Stream`."""
        position = 0
        try:
            if region.start and sound.format != "OGG":
                position = sound.seek(region.start)
            while position < region.stop:
                samples = sound.read(min(block, region.stop - position), dtype="float32", always_2d=True)
                if not len(samples):
                    break
                if position + len(samples) > region.start:
                    yield samples[max(0, region.start - position) :]
                position += len(samples)
        except soundfile.LibsndfileError as error:
            raise self._truncated(first + position) from error
        if position < region.stop:
            raise self._truncated(first + position)

    def _truncated(self, n_read: int) -> ValueError:
        return ValueError(
            f"{self._path} is truncated or damaged, "
            f"sample {n_read} of its {self.n_samples} or a later one cannot be decoded: {_WHOLE}"
        )


def _words(form: Mapping[str, str | int]) -> str:
    return f"{form['subtype']} of {form['channels']} channels at {form['samplerate']} Hz"


class _Stream(soundfile.SoundFile):
    """A sound file in which nothing is sought that is not asked for.

    Of a file that can be sought in, `SoundFile` seeks the position at which it is already after every read. libsndfile
    1.2.2 cannot be trusted to do that in an Ogg stream: near the end it lands some hundred samples beside, and in a
    damaged stream it dies (SIGSEGV).
    """

    def seekable(self) -> bool:
        return False
