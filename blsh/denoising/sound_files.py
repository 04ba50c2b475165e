"""From a noisy sound file to a clean one of the same rate, channels, length, format, subtype and tags.

Codes of whole blocks (ADPCM) are filled up with silence to the end of the last block, where the blocks that are written
are of another length than those that were read.

A file is read twice, block by block: once for its level, once to clean it. So memory does not grow with its length,
and ten hours are cleaned in that of ten seconds. The input is only read. The output appears under its name when it is
whole; what fails leaves nothing. At strength 0 the file is copied: no encoder gives back what it was given.
"""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile

from blsh.denoising.model_file import DenoiserModel
from blsh.denoising.streaming import AnyRateDenoiser, level_of_stream, require_stream
from blsh.files.atomic import atomic_path, require_free_space
from blsh.signal._tags import write_tags
from blsh.signal.audio import probe, read_blocks
from blsh.signal.sounds import open_sound

__all__ = ["denoise_file"]


def denoise_file(
    source: str | Path,
    target: str | Path,
    model: DenoiserModel,
    *,
    level: float | None = None,
    when_whole: Callable[[Path], object] | None = None,
    **settings: float | None,
) -> None:
    """Clean a sound file.

    Parameters
    ----------
    source
        A WAV, FLAC or Ogg file of any rate and number of channels.
    target
        The file to write, in the format of `source` whatever its suffix; another one is replaced.
    model : DenoiserModel
    level : float, optional
        What to divide by before and multiply with afterwards; by default the file's own standard deviation.
    when_whole : callable, optional
        Called with the temporary name of the output when it is whole, before it appears as `target`. What it raises
        leaves no output.
    **settings
        See ``model_estimator``: n_bits, strength, floor.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it cannot be decoded, is truncated, too short, silent, or holds NaN; if its form cannot be written; if
        `target` is `source`; if `source` changes while it is read; if a setting is out of range.
    OSError
        If `target` cannot be written.
    """
    source, target = Path(source), Path(target)
    if target.exists() and source.exists() and target.samefile(source):
        raise ValueError(f"{target} is the input: give the output another name")
    version = _version(source)
    with open_sound(source) as sound:
        rate, channels, form, tags = sound.sample_rate, sound.channels, sound.form, sound.tags
    is_untouched = settings.get("strength") == 0
    try:
        require_stream(rate, channels)
        if not is_untouched:
            _require_writable(form)
        if level is None and not is_untouched:
            level = level_of_stream(read_blocks(source), rate)
        denoiser = AnyRateDenoiser(model, rate, channels, level=level, **settings)
        require_free_space(target, source.stat().st_size, target.name)
        with atomic_path(target) as temporary:
            if is_untouched:
                for block in read_blocks(source):
                    denoiser.push(block)  # a bad file is refused all the same
                shutil.copyfile(source, temporary)
            else:
                with _Writer(temporary, target, form, tags) as writer:
                    for block in read_blocks(source):
                        writer.write(denoiser.push(block))
                    writer.write(denoiser.flush())
                writer.require_whole()
            if _version(source) != version:
                raise ValueError(f"{source} changed while it was read: run again when it is whole")
            if when_whole is not None:
                when_whole(temporary)
    except ValueError as error:
        # What the reader says names the file; what the denoiser says of its samples does not.
        raise error if str(source) in str(error) else ValueError(f"{source}: {error}") from error


def _version(path: Path) -> tuple[int, ...]:
    """Return what differs if a file is written to or replaced between two readings, each of which opens it anew."""
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _require_writable(form: Mapping[str, str | int]) -> None:
    """Raise ValueError if libsndfile reads files of a form and writes none."""
    try:
        soundfile.SoundFile(io.BytesIO(), "w", **form).close()
    except (soundfile.LibsndfileError, ValueError) as error:
        raise ValueError(
            f"{form['format']} {form['subtype']} of {form['channels']} channels at {form['samplerate']} Hz is read, "
            f"but cannot be written ({error}): convert it to 16-bit WAV or FLAC first"
        ) from error


class _Writer:
    """A sound file that is being written; errors name the final file."""

    def __init__(self, temporary: Path, target: Path, form: Mapping[str, str | int], tags: Mapping[str, bytes]) -> None:
        self._temporary, self._target = temporary, target
        self._n_samples = 0
        temporary.touch()  # the system's own error, where the folder cannot be written to
        with self._one_line_errors():
            # As bytes, because names need not be UTF-8, as the library's own conversion demands.
            self._sound = soundfile.SoundFile(os.fsencode(temporary), "w", **form)
            write_tags(self._sound, tags)

    def write(self, samples: np.ndarray) -> None:
        with self._one_line_errors():
            self._sound.write(samples)
        self._n_samples += len(samples)

    def require_whole(self) -> None:
        """Look at what was written: not every format's writer notices that the disk is full."""
        try:
            n_samples = probe(self._temporary).n_samples
        except ValueError as error:
            raise self._failure(str(error).replace(str(self._temporary), "it")) from error
        if n_samples < self._n_samples:  # a code of whole blocks may have more
            raise self._failure(f"{n_samples} of {self._n_samples} samples were written")

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *_: object) -> None:
        with self._one_line_errors():
            self._sound.close()

    @contextmanager
    def _one_line_errors(self) -> Iterator[None]:
        try:
            yield
        except (soundfile.LibsndfileError, AssertionError) as error:  # the latter where only a part was written
            raise self._failure(str(error) or "fewer samples were written than given") from error

    def _failure(self, reason: str) -> OSError:
        """Return the system's error if no more can be written, which libsndfile does not pass on, or else `reason`."""
        try:
            with open(self._temporary, "ab") as handle:
                handle.write(bytes(1 << 16))
                handle.flush()
                os.fsync(handle.fileno())
        except OSError as error:
            return OSError(f"{self._target} cannot be written: {error.strerror}; make room, or write elsewhere")
        return OSError(f"{self._target} cannot be written ({reason}): convert the input to 16-bit WAV or FLAC")
