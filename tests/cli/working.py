"""A folder in which the verbs work by hand on made-up sound, and the commands that they are given there."""

import re
from pathlib import Path

import numpy as np
import pytest

from blsh.cli import main as cli
from tests.corpora.making import write

PROGRESS = re.compile(r".*: \d+/\d+, .* left.*")
N_BITS = 12
RESIDUAL_SWITCHES = "segment_frames=100 n_segments=2 min_passes=2 max_passes=2"
SWITCHES = "segment_frames=100 n_segments=2 epsilon_on=training n_epsilon_segments=0 min_passes=2 max_passes=2"


def run_verb(*words: object) -> int:
    """Run a verb in this process, whose threads are set already."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli, "_set_threads", lambda argv: None)
        try:
            return cli.main([str(word) for word in words])
        except SystemExit as stop:
            return stop.code


def blsh(command: str) -> int:
    """Run a command whose words hold no spaces."""
    return run_verb(*command.split())


def voice(seconds: float, rate: int, pitch: float, seed: int) -> np.ndarray:
    """Harmonics that come and go four times a second, and a little breath."""
    rng = np.random.default_rng(seed)
    times = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * pitch * (times + 0.02 * np.sin(2 * np.pi * 2 * times))
    tones = sum(np.sin(k * phase) / k for k in range(1, 20) if k * pitch * 1.3 < rate / 2)
    return 0.1 * tones * np.sin(2 * np.pi * 2 * times) ** 2 + 0.001 * rng.standard_normal(times.size)


def make_speech(folder: Path) -> None:
    speakers = {"train/F/anna": (210, 8000, 1), "train/M/bob": (110, 44100, 2), "test/F/carla": (190, 16000, 1)}
    for name, (pitch, rate, channels) in (speakers | {"tune/M/dan": (130, 16000, 1)}).items():
        for k in range(2):
            samples = voice(1.1, rate, pitch, k)
            write(folder / name / f"{name[-1]}{k}.wav", np.stack([samples] * channels, axis=1), rate)


def make_noise(folder: Path) -> None:
    rng = np.random.default_rng(9)
    for k in range(2):
        write(folder / "hiss" / f"h{k}.wav", 0.1 * rng.standard_normal(24000))
        write(folder / "hum" / f"m{k}.wav", 0.01 * np.cumsum(rng.standard_normal(24000)).clip(-99, 99))


class Work:
    """A folder with speech and noise, and commands for it."""

    def __init__(self, folder: Path):
        self.folder = folder
        make_speech(folder / "speech")
        make_noise(folder / "noise")

    def __getitem__(self, name: str) -> Path:
        return self.folder / name

    @property
    def data(self) -> str:
        """What every verb that renders is given."""
        f = self.folder
        return f"--manifest speech={f}/speech.csv noise={f}/noise.csv --folder speech={f}/speech noise={f}/noise"

    def manifest(self, to: Path, folder: object = None, levels: str = "split gender speaker") -> str:
        folder = folder or self["speech"]
        return f"manifest --reader folder --corpus speech --folder {folder} --levels {levels} -o {to}/s.csv"

    def units(self, to: Path, more: str = "--validation speech tune") -> str:
        return f"units --seed 1 --train speech train --open speech test {more} --seconds 0.5 {self.data} -o {to}/u.csv"

    def draw(self, to: Path, more: str = "--source train --set train", snr_db: object = 0) -> str:
        units = f"--seed 1 --units {self['units.csv']} --noise-corpus noise --snr-db {snr_db}"
        return f"draw {more} {units} {self.data} -o {to}/r.csv"

    def frames(self, to: Path, features: str = "stft mel", recipes: str = "train.csv") -> str:
        files = f"--features-to {to}/features --masks {to}/masks.npy --constant {to}/constant.npy"
        return f"frames --feature {features} --recipes {self[recipes]} {files} {self.data}"

    def train(self, to: Path, more: str = "", profile: str = "project", switches: str = SWITCHES) -> str:
        files = f"--features {self['features/mel.npy']} --masks {self['masks.npy']} --history {to}/history.csv"
        named = f"--seed 1 --feature mel --target ssm --profile {profile} --n-bits {N_BITS} --switch {switches}"
        return f"train {named} {files} -o {to}/model.npz {more}"

    def train_residual(self, to: Path, more: str = "") -> str:
        files = f"--features {self['features/mel.npy']} --masks {self['masks.npy']} --history {to}/history.csv"
        named = f"--system residual --seed 1 --feature mel --n-bits {N_BITS} --switch {RESIDUAL_SWITCHES}"
        return f"train {named} {files} -o {to}/residual_mel.npz {more}"

    def fit(self, to: Path, system: str, n_bits: str = f"4 {N_BITS}") -> str:
        named = f"--system {system} --seed 1 --feature mel --n-bits {n_bits}"
        return f"fit {named} --features {self['features/mel.npy']} -o {to}/{system}_mel.npz"

    def raw_neighbours(self, to: Path, k: int = 4, recipes: str = "open.csv") -> str:
        named = f"--seed 1 --feature mel --rho 0.5 --repeat 1 --n-neighbours {k} --recipes {self[recipes]}"
        return f"neighbours {named} --features {self['features/mel.npy']} {self.data} -o {to}/neighbours.npy"

    def score(self, to: Path, system: str, more: str = "", recipes: str = "open.csv") -> str:
        common = f"--system {system} --sweep-metrics sdr si_sdr --recipes {self[recipes]} {self.data}"
        return f"score {common} {more} -o {to}/{system}.parquet"

    def neighbours(self, rho: object = 0.5, k: int = 4, n_bits: str = f"4 {N_BITS}", feature: str = "mel") -> str:
        files = f"--features {self['features/mel.npy']} --masks {self['masks.npy']} --model {self['model.npz']}"
        return f"--seed 1 --feature {feature} --rho {rho} --repeat 1 --n-neighbours {k} --n-bits {n_bits} {files}"

    def ssm(self, to: Path, n_bits: str = "4 12") -> str:
        model = f"--feature mel --target ssm --n-bits {n_bits} --model {self['model.npz']}"
        return f"ssm {model} --recipes {self['open.csv']} {self.data} -o {to}/ssm.npz"

    def noises(self, to: Path) -> str:
        return f"noises --recipes {self['open.csv']} {self.data} -o {to}/noises.csv"

    def speed(self, to: Path, more: str = "--raw mel --codes mel=4,12 --network fc-2x32") -> str:
        files = f"--features-from {self['features']} --masks {self['masks.npy']} --recipes {self['open.csv']}"
        return f"speed --seed 1 {more} --rho 0.5 --n-neighbours 4 {files} {self.data} -o {to}/speed.csv"

    def examples(self, to: Path, systems: str = "constant ibm knn lsh blsh") -> str:
        files = f"--features-from {self['features']} --masks {self['masks.npy']} --constant {self['constant.npy']}"
        model = f"--model {self['model.npz'].with_name('blsh_mel_ssm.npz')}"
        named = f"--seed 1 --system {systems} --feature mel --target ssm --rho 0.5 --n-neighbours 4 --n-bits {N_BITS}"
        recipes = f"--mixtures 3 --recipes {self['open.csv']}"
        return f"examples {named} {recipes} {files} {model} {self.data} -o {to}/examples.json"


def listed_work(folder: Path) -> Work:
    """Return a folder in which the recordings are listed and cut into units."""
    work = Work(folder)
    assert blsh(work.manifest(folder)) == 0
    for end in ("csv", "skipped.csv"):
        (folder / f"s.{end}").rename(folder / f"speech.{end}")
    noise = f"manifest --reader folder --corpus noise --folder {work['noise']} --levels class -o {folder}/noise.csv"
    assert blsh(noise) == 0
    assert blsh(work.units(folder)) == 0
    (folder / "u.csv").rename(folder / "units.csv")
    return work
