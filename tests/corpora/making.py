"""Small corpora on disk, for the tests of the readers and of what follows them."""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from blsh.corpora.manifest import Recording


def noise(seconds: float, *, seed: int = 0, rate: int = 16000, level: float = 0.1) -> np.ndarray:
    return (level * np.random.default_rng(seed).standard_normal(round(seconds * rate))).clip(-1, 1)


def write(path: Path, samples: np.ndarray, rate: int = 16000, subtype: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


def make_librispeech(root: Path, *, split: str = "train-clean-100", n_speakers: int = 4, seconds: float = 0.5) -> Path:
    """Speakers 11, 12, …, female and male in turn, with one chapter of two utterances each."""
    lines = ["; a comment", ";ID  |SEX| SUBSET | MINUTES | NAME"]
    for s in range(n_speakers):
        speaker = str(11 + s)
        lines.append(f"{speaker}   | {'FM'[s % 2]} | {split} | 25.0 | |a|name {s}")
        for k in range(2):
            name = f"{speaker}-7-{k:04d}"
            write(root / split / speaker / "7" / f"{name}.flac", noise(seconds, seed=10 * s + k))
    (root / "SPEAKERS.TXT").write_text("\n".join(lines) + "\n")
    return root


def make_voicebank(
    root: Path, names: Sequence[str] = ("p232_001", "p257_434", "p300_005"), *, rate: int = 16000, seconds: float = 0.1
) -> Path:
    """Write pairs of clean and noisy files."""
    for k, name in enumerate(names):
        clean = noise(seconds, seed=k, rate=rate)
        write(root / "clean_testset_wav" / f"{name}.wav", clean, rate)
        added = noise(seconds, seed=99 + k, rate=rate, level=0.01)
        write(root / "noisy_testset_wav" / f"{name}.wav", clean + added, rate)
    return root


def make_bad_files(folder: Path) -> dict[str, str]:
    """Files that cannot be used; the reason that each must be skipped with, as a pattern."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "text.wav").write_text("this is a note, not a recording\n" * 40)
    (folder / "nothing.wav").write_bytes(b"")
    write(folder / "short.wav", noise(1.0))
    whole = (folder / "short.wav").read_bytes()
    (folder / "short.wav").write_bytes(whole[: len(whole) // 2])
    write(folder / "short.flac", noise(1.0))
    whole = (folder / "short.flac").read_bytes()
    (folder / "short.flac").write_bytes(whole[: len(whole) // 2])
    write(folder / "no_samples.wav", np.zeros(0))
    write(folder / "silent.wav", noise(1.0, level=5e-5))
    write(folder / "zeros.wav", np.zeros(16000))
    write(folder / "nan.wav", np.array([0.1, np.nan, -0.1, 0.2]), subtype="FLOAT")
    write(folder / "infinite.wav", np.array([0.1, np.inf, -0.1, 0.2]), subtype="FLOAT")
    (folder / "unsupported.mp3").write_bytes(b"ID3\x03\x00" + bytes(200))
    header = whole_header(3 << 30)
    (folder / "huge.wav").write_bytes(header + bytes(64))
    return {
        "text.wav": "decoded|truncated|not one of",
        "nothing.wav": "decoded|no samples|truncated",
        "short.wav": "truncated",
        "short.flac": "truncated",
        "no_samples.wav": "no samples",
        "silent.wav": "silent: its standard deviation",
        "zeros.wav": "silent: its standard deviation",
        "nan.wav": "NaN",
        "infinite.wav": "infinite",
        "unsupported.mp3": "decoded|not one of|truncated",
        "huge.wav": "truncated",
    }


def whole_header(n_bytes: int) -> bytes:
    """Header of a 16-bit mono WAV file that claims `n_bytes` of samples."""
    form = struct.pack("<HHIIHH", 1, 1, 16000, 32000, 2, 16)
    return struct.pack("<4sI4s4sI16s4sI", b"RIFF", 36 + n_bytes, b"WAVE", b"fmt ", 16, form, b"data", n_bytes)


def recording(path: str = "a/b.wav", **changes: object) -> Recording:
    values: dict[str, object] = {
        "path": path,
        "corpus": "speech",
        "split": "train",
        "speaker": "19",
        "gender": "F",
        "noise_class": "",
        "start": 0,
        "n_samples": 16000,
        "seconds": 1.0,
        "sample_rate": 16000,
        "channels": 1,
        "sha256": "ab" * 32,
        "licence": "CC BY 4.0",
    }
    return Recording(**(values | changes))
