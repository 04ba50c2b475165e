"""Run the packaged text-to-speech engine eSpeak NG, one process an utterance.

eSpeak NG is software under the GPL-3.0-or-later. It is no part of this project and is not linked into it:
the optional package `espeakng-loader` (``pip install espeakng-loader==0.2.4``) brings its library and its voices, and
this file, started as a program of its own, loads the library, speaks one sentence, writes the samples to
its standard output and ends. The speech that a synthesiser makes of one's own sentences is not covered by
the synthesiser's licence.

Why one process an utterance: the engine keeps state between two sentences (its random numbers, its echo
buffer), so a sentence sounds a little different after another one. And it seeds its random numbers from the
clock when it starts: the voices with breath then change every second, so the seed is set here. In a fresh
process with a fixed seed the output repeats bit by bit, however many utterances are made at a time. To keep
that cheap this file imports the standard library only and is started by its path, isolated and without site
packages (``python -I -S``): about 25 ms each.

Why an explicit data path: without one the engine silently falls back to whatever voices the system has, and
for an unknown accent or variant to its default voice. Both are checked here first.

References
----------
eSpeak NG 1.52, ``speak_lib.h``: https://github.com/espeak-ng/espeak-ng
"""

from __future__ import annotations

import argparse
import ctypes
import importlib.util
import subprocess
import sys
from pathlib import Path

ENGINE_RATE = 22050  # samples a second; the engine's voices have no other

# speak_lib.h: output mode, options, parameters, text encoding and return value
_SYNCHRONOUS = 2
_DO_NOT_EXIT = 0x8000
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4
_UTF8, _END_PAUSE = 1, 0x1000
_OK = 0

_REMEDY = "pip install --force-reinstall espeakng-loader==0.2.4"
# Half the engine's default: its filters clip the loudest variants at 100.
_HALF_VOLUME = 50
_SEED = 1
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def engine_files() -> tuple[Path, Path]:
    """Return where the engine's library and its data folder are, without loading either.

    Raises
    ------
    FileNotFoundError
        If `espeakng-loader` is not installed.
    """
    package = importlib.util.find_spec("espeakng_loader")
    if package is None or package.origin is None:
        raise FileNotFoundError(
            "the embedded speech corpus needs the speech engine espeakng-loader, which is not installed: "
            "pip install espeakng-loader==0.2.4"
        )
    folder = Path(package.origin).parent
    library = {"win32": "espeak-ng.dll", "darwin": "libespeak-ng.dylib"}.get(sys.platform, "libespeak-ng.so")
    return folder / library, folder / "espeak-ng-data"


def speak(text: str, *, voice: str, pitch: int, pitch_range: int, rate: int, library: Path, data: Path) -> bytes:
    """Speak one sentence in a process of its own.

    Parameters
    ----------
    text
        An English sentence.
    voice
        An accent and a variant of the engine, `en-us+f2`.
    pitch, pitch_range : int
        0 to 99, 50 is the variant's own.
    rate : int
        Words a minute.
    library, data
        The engine's library and its data folder, see `engine_files`.

    Returns
    -------
    bytes
        Little-endian 16-bit samples at 22,050 Hz.

    Raises
    ------
    FileNotFoundError
        If the library or the data folder is not where it should be.
    ValueError
        If the engine does not know the voice, or fails.
    """
    command = [sys.executable, "-I", "-S", __file__, "--library", str(library), "--data", str(data)]
    command += [
        "--voice",
        voice,
        "--pitch",
        str(pitch),
        "--pitch-range",
        str(pitch_range),
        "--rate",
        str(rate),
        text,
    ]
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        lines = done.stderr.decode(errors="replace").splitlines() or [f"exit status {done.returncode}"]
        kind = FileNotFoundError if done.returncode == 3 else ValueError
        raise kind(lines[-1])
    return done.stdout


def main(arguments: list[str] | None = None) -> int:
    """Speak one sentence to standard output; return 0, or 2 or 3 (a file is missing) after one line."""
    parser = argparse.ArgumentParser(
        description="Speak one sentence with eSpeak NG; raw 16-bit samples to standard output."
    )
    for name in ("library", "data", "voice"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("pitch", "pitch-range", "rate"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("text")
    options = parser.parse_args(arguments)
    try:
        samples = _speak_here(options)
    except (FileNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        return 3 if isinstance(error, FileNotFoundError) else 2
    sys.stdout.buffer.write(samples)
    return 0


def _speak_here(options: argparse.Namespace) -> bytes:
    accent, _, variant = options.voice.partition("+")
    data = Path(options.data)
    if not Path(options.library).is_file():
        raise FileNotFoundError(f"no speech engine at {options.library}: {_REMEDY}")
    if not (data / "phontab").is_file():
        raise FileNotFoundError(f"no voices of the speech engine in {data}: {_REMEDY}")
    if not (data / "voices" / "!v" / variant).is_file():
        raise ValueError(f"voice {options.voice!r} has no variant in {data}: see its folder voices/!v")

    engine = ctypes.CDLL(options.library)
    chunks: list[bytes] = []

    @_CALLBACK
    def collect(samples, count, _events):
        if samples and count > 0:
            chunks.append(ctypes.string_at(samples, 2 * count))
        return 0

    if engine.espeak_Initialize(_SYNCHRONOUS, 0, str(data).encode(), _DO_NOT_EXIT) != ENGINE_RATE:
        raise ValueError(f"the speech engine does not start with the voices in {data} (is the path too long?)")
    engine.espeak_ng_SetRandSeed(ctypes.c_long(_SEED))
    engine.espeak_SetSynthCallback(collect)
    if engine.espeak_SetVoiceByName(options.voice.encode()) != _OK:
        raise ValueError(f"accent {accent!r} of voice {options.voice!r} is unknown to the speech engine")
    settings = {
        _RATE: options.rate,
        _PITCH: options.pitch,
        _RANGE: options.pitch_range,
        _VOLUME: _HALF_VOLUME,
    }
    for parameter, value in settings.items():
        engine.espeak_SetParameter(parameter, value, 0)
    text = options.text.encode()
    size = ctypes.c_size_t(len(text) + 1)
    if engine.espeak_Synth(text, size, 0, 1, 0, _UTF8 | _END_PAUSE, None, None) != _OK:
        raise ValueError(f"the speech engine cannot speak {options.text!r}")
    return b"".join(chunks)


if __name__ == "__main__":
    sys.exit(main())
