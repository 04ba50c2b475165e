"""From a noisy sound file to a clean one of the same rate, channels, length, format and subtype.

A file is read twice, block by block: once for its level, once to clean it. So memory does not grow with its length,
and ten hours are cleaned in that of ten seconds. The input is only read. The output appears under its name when it is
whole; what fails leaves nothing. At strength 0 the file is copied: no encoder gives back what it was given.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile

from blsh.denoising.model_file import DenoiserModel
from blsh.denoising.streaming import AnyRateDenoiser, level_of_stream
from blsh.files.atomic import atomic_path, require_free_space
from blsh.signal.audio import open_sound, probe, read_blocks

__all__ = ["denoise_file"]

# What a container can say of a recording, but for `software`: libsndfile adds its own name to that each time.
_TAGS = ("title", "copyright", "artist", "comment", "date", "album", "license", "tracknumber", "genre")


def denoise_file(
    source: str | Path,
    target: str | Path,
    model: DenoiserModel,
    *,
    level: float | None = None,
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
    **settings
        See ``model_estimator``: n_bits, strength, floor.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it cannot be decoded, is truncated, too short, silent, or holds NaN; if `target` is `source`; if a setting
        is out of range.
    OSError
        If `target` cannot be written.
    """
    source, target = Path(source), Path(target)
    if target.exists() and source.exists() and target.samefile(source):
        raise ValueError(f"{target} is the input: give the output another name")
    with open_sound(source) as sound:
        rate, channels = sound.samplerate, sound.channels
        form = {name: getattr(sound, name) for name in ("samplerate", "channels", "format", "subtype", "endian")}
        tags = {name: text for name, text in sound.copy_metadata().items() if name in _TAGS and text}
    if not soundfile.check_format(form["format"], form["subtype"], form["endian"]):
        raise ValueError(f"{source} is {form['format']} {form['subtype']}, which cannot be written: convert it first")
    is_untouched = settings.get("strength") == 0
    try:
        if level is None and not is_untouched:
            level = level_of_stream(read_blocks(source), rate)
        denoiser = AnyRateDenoiser(model, rate, channels, level=level, **settings)
        require_free_space(target, source.stat().st_size, target.name)
        with atomic_path(target) as temporary:
            if is_untouched:
                for block in read_blocks(source):
                    denoiser.push(block)  # a bad file is refused all the same
                shutil.copyfile(source, temporary)
                return
            with _Writer(temporary, target, form, tags) as writer:
                for block in read_blocks(source):
                    writer.write(denoiser.push(block))
                writer.write(denoiser.flush())
            writer.require_whole(temporary)
    except ValueError as error:
        # What the reader says names the file; what the denoiser says of its samples does not.
        raise error if str(source) in str(error) else ValueError(f"{source}: {error}") from error


class _Writer:
    """A sound file that is being written; errors name the final file."""

    def __init__(self, temporary: Path, target: Path, form: dict[str, str | int], tags: dict[str, str]) -> None:
        self._target = target
        self._n_samples = 0
        temporary.touch()  # the system's own error, where the folder cannot be written to
        with self._one_line_errors():
            self._sound = soundfile.SoundFile(temporary, "w", **form)
            for name, text in tags.items():
                setattr(self._sound, name, text)

    def write(self, samples: np.ndarray) -> None:
        with self._one_line_errors():
            self._sound.write(samples)
        self._n_samples += len(samples)

    def require_whole(self, temporary: Path) -> None:
        """Look at what was written: not every format's writer notices that the disk is full."""
        try:
            n_samples = probe(temporary).n_samples
        except ValueError:
            n_samples = 0
        if n_samples != self._n_samples:
            raise self._failure()

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
            raise self._failure() from error

    def _failure(self) -> OSError:
        return OSError(f"{self._target} cannot be written: the disk is full, or failed; make room and try again")
