"""The verbs by hand, from recordings to scores, and every kind of bad input that a person may give them.

An error is one line on stderr, status 2 and no output. Lines of progress do not count.
"""

import errno
import json
import os
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml

from blsh.cli import main as cli
from blsh.corpora.manifest import read_manifest
from blsh.denoising.training_frames import count_frames
from blsh.files.arrays import load_array, load_stamped
from blsh.hashing.by_length import load_projections_by_length
from blsh.hashing.projections import load_projections, random_projections, save_projections
from blsh.mixtures.recipes import read_recipes
from blsh.mixtures.unit_table import read_units
from blsh.reporting.scores import read_scores
from tests.corpora.making import make_bad_files, make_voicebank, write

ROOT = Path(__file__).resolve().parents[2]
PROGRESS = re.compile(r".*: \d+/\d+, .* left.*")
N_BITS = 12
RESIDUAL_SWITCHES = "segment_frames=100 n_segments=2 min_passes=2 max_passes=2"
SWITCHES = "segment_frames=100 n_segments=2 epsilon_on=training n_epsilon_segments=0 min_passes=2 max_passes=2"


def blsh(*words: object) -> int:
    """Run a verb in this process, whose threads are set already."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli, "_set_threads", lambda argv: None)
        try:
            return cli.main([str(word) for words_ in words for word in str(words_).split()])
        except SystemExit as stop:
            return stop.code


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
    """A folder in which the whole chain has been run once."""

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


@pytest.fixture(scope="module")
def work(tmp_path_factory) -> Work:
    work = Work(tmp_path_factory.mktemp("work"))
    to = work.folder
    assert blsh(work.manifest(to)) == 0
    (to / "s.csv").rename(to / "speech.csv")
    shutil.move(to / "s.skipped.csv", to / "speech.skipped.csv")
    assert (
        blsh(f"manifest --reader folder --corpus noise --folder {work['noise']} --levels class -o {to}/noise.csv") == 0
    )
    assert blsh(work.units(to)) == 0
    (to / "u.csv").rename(to / "units.csv")
    for name, snr_db in (("train", 0), ("open", -2.5)):
        assert blsh(work.draw(to, f"--source {name} --set {name}", snr_db)) == 0
        (to / "r.csv").rename(to / f"{name}.csv")
    assert blsh(work.frames(to)) == 0
    assert blsh(work.train(to)) == 0
    shutil.copy(to / "model.npz", to / "blsh_mel_ssm.npz")
    return work


def test_recordings_of_any_rate_and_channels_are_listed(work):
    speech = {r.path: r for r in read_manifest(work["speech.csv"]).recordings}
    assert len(speech) == 8
    found = {(r.speaker, r.gender, r.split, r.sample_rate, r.channels) for r in speech.values()}
    assert found == {
        ("anna", "F", "train", 8000, 1),
        ("bob", "M", "train", 44100, 2),
        ("carla", "F", "test", 16000, 1),
        ("dan", "M", "tune", 16000, 1),
    }
    assert {r.seconds for r in speech.values()} == {1.1}
    assert {r.noise_class for r in read_manifest(work["noise.csv"]).recordings} == {"hiss", "hum"}


def test_units_and_recipes_are_those_that_the_flags_ask_for(work):
    units = read_units(work["units.csv"])
    # Two excerpts of 0.5 s in each of two recordings; the last of the four is closed.
    assert {name: len(members) for name, members in units.items()} == {
        "train": 6,
        "closed": 2,
        "validation": 2,
        "open": 2,
    }
    train, opened = read_recipes(work["train.csv"]), read_recipes(work["open.csv"])
    assert (len(train), len(opened)) == (6 * 2, 2 * 2)
    assert {r.snr_db for r in opened} == {-2.5} and {r.speaker for r in opened} == {"carla"}
    assert {r.seconds for r in train} == {0.5} and {r.seconds for r in opened} == {1.1}


def test_frames_and_model_have_the_sizes_that_follow(work):
    n_frames = count_frames(read_recipes(work["train.csv"]))
    assert load_array(work["features/stft.npy"]).shape == (n_frames, 513)
    assert load_array(work["features/mel.npy"]).shape == (n_frames, 128)
    assert load_array(work["masks.npy"]).shape == (n_frames, 65)
    assert load_array(work["constant.npy"]).shape == (513,)
    model = load_projections(work["model.npz"])
    assert (model.n_bits, model.n_features) == (N_BITS, 128)
    assert len(pd.read_csv(work["history.csv"])) == N_BITS
    assert not work["model.state.npz"].exists()


def test_scores_of_every_system(work, tmp_path, capsys):
    hashed = work.neighbours()
    plain = hashed.replace(f"--n-bits 4 {N_BITS} ", "")
    flags = {
        "mixture": "--metrics-at 0=sir,sar",
        "constant": f"--constant {work['constant.npy']}",
        "ibm": "",
        "irm": "",
        "knn": plain,
        "lsh": hashed,
        "lsh_fixed": hashed,
        "blsh": f"{hashed} --target ssm --profile project --metrics-at 4=pesq,estoi",
    }
    for system, more in flags.items():
        assert blsh(work.score(tmp_path, system, more)) == 0
    scores = read_scores(tmp_path.glob("*.parquet"))
    assert len(scores) == 4 * (5 + 3 * 2)
    assert set(scores["status"]) == {"ok"} and set(scores["reason"]) == {""}
    assert scores[["sdr", "si_sdr"]].notna().all(axis=None)
    mean = scores.groupby(["system", "n_bits"])["sdr"].mean()
    assert mean["irm", 0] > mean["blsh", N_BITS] > mean["mixture", 0]
    assert mean["ibm", 0] > mean["knn", 0] > mean["mixture", 0]
    np.testing.assert_allclose(scores.loc[scores["system"] == "mixture", "si_sdr"], -2.5, atol=1.5)
    asked = scores[scores["estoi"].notna()]
    assert set(zip(asked["system"], asked["n_bits"], strict=True)) == {("blsh", 4)}
    assert set(scores.loc[scores["sar"].notna(), "system"]) == {"mixture"}


def test_real_pairs_are_drawn_and_scored(work, tmp_path):
    make_voicebank(tmp_path / "pairs", ("p232_001", "p257_434"), seconds=0.8)
    named = f"--corpus vb --folder {tmp_path}/pairs"
    assert blsh(f"manifest --reader voicebank {named} -o {tmp_path}/vb.csv") == 0
    data = f"--manifest vb={tmp_path}/vb.csv --folder vb={tmp_path}/pairs"
    assert blsh(f"draw --set voicebank --seed 1 --pairs-corpus vb {data} -o {tmp_path}/pairs.csv") == 0
    more = f"--recipes {tmp_path}/pairs.csv --sweep-metrics sdr si_sdr {data}"
    assert blsh(f"score --system mixture {more} -o {tmp_path}/mixture.parquet") == 0
    scores = read_scores([tmp_path / "mixture.parquet"])
    assert scores["snr_db"].isna().all() and set(scores["noise"]) == {"recorded"}
    assert list(scores["speaker"]) == ["p232", "p257"] and scores[["sdr", "si_sdr"]].notna().all(axis=None)


def test_rivals_are_trained_fitted_and_scored(work, tmp_path, capsys):
    assert blsh(work.train_residual(tmp_path)) == 0
    assert not (tmp_path / "residual_mel.state.npz").exists() and len(pd.read_csv(tmp_path / "history.csv")) == N_BITS
    for system in ("pca_sign", "itq"):
        assert blsh(work.fit(tmp_path, system)) == 0
    drawn = random_projections(N_BITS, 128, rng=np.random.default_rng(4))
    np.savez(tmp_path / "projections_mel.npz", P=drawn.matrix, b=drawn.bias)
    assert blsh(work.raw_neighbours(tmp_path)) == 0
    truth = load_array(tmp_path / "neighbours.npy")
    assert truth.shape == (count_frames(read_recipes(work["open.csv"])), 4) and truth.dtype == np.int32
    agreement = f"--metrics-at {N_BITS}=recall,mask_accuracy --raw-neighbours {tmp_path}/neighbours.npy"
    for system in ("residual", "pca_sign", "itq", "projections"):
        named = work.neighbours().replace(str(work["model.npz"]), f"{tmp_path}/{system}_mel.npz")
        assert blsh(work.score(tmp_path, system, f"{named} --variant x {agreement}")) == 0
    plain = work.neighbours()
    assert blsh(work.score(tmp_path, "lsh", f"{plain} {agreement}")) == 0
    assert blsh(work.score(tmp_path, "ibm", "--metrics-at 0=mask_accuracy")) == 0
    scores = read_scores(tmp_path.glob("*.parquet"))
    assert set(scores.loc[scores["system"] == "itq", "variant"]) == {"x"}
    at = scores[scores["n_bits"] == N_BITS].groupby("system")[["recall", "mask_accuracy", "sdr"]].mean()
    assert set(at.index) == {"residual", "pca_sign", "itq", "projections", "lsh"}
    assert ((at["recall"] > 0) & (at["recall"] < 1)).all() and (at["mask_accuracy"] > 0.5).all()
    assert (scores.loc[scores["system"] == "ibm", "mask_accuracy"] == 1).all()
    assert scores.loc[scores["n_bits"] == 4, ["recall", "mask_accuracy"]].isna().all(axis=None)


def test_knn_scores_the_same_from_its_own_search_and_from_neighbours_found_before(work, tmp_path):
    plain = work.neighbours().replace(f"--n-bits 4 {N_BITS} ", "")
    assert blsh(work.raw_neighbours(tmp_path)) == 0
    scores = []
    for more in ("", f" --raw-neighbours {tmp_path}/neighbours.npy"):
        assert blsh(work.score(tmp_path, "knn", f"{plain} --metrics-at 0=mask_accuracy{more}")) == 0
        scores.append(read_scores([tmp_path / "knn.parquet"]))
    pd.testing.assert_frame_equal(*scores, check_exact=True)
    assert scores[0]["sdr"].notna().all()


def test_a_longer_list_of_lengths_changes_no_fitted_model(work, tmp_path):
    assert blsh(work.fit(tmp_path, "itq", "4 7 12")) == 0
    more = load_projections_by_length(tmp_path / "itq_mel.npz")
    assert blsh(work.fit(tmp_path, "itq", "7")) == 0
    alone = load_projections_by_length(tmp_path / "itq_mel.npz")
    assert list(more) == [4, 7, 12] and list(alone) == [7]
    np.testing.assert_array_equal(more[7].matrix, alone[7].matrix)
    assert blsh(work.fit(tmp_path, "pca_sign", "12")) == 0
    assert load_projections(tmp_path / "pca_sign_mel.npz").n_bits == 12


def test_options_of_search_features_and_projections(work, tmp_path):
    def sdr(name: str, more: str, system: str = "blsh") -> pd.Series:
        assert blsh(work.score(tmp_path / name, system, more)) == 0
        return read_scores([tmp_path / name / f"{system}.parquet"]).set_index(["n_bits", "utterance", "noise"])["sdr"]

    plain = work.neighbours()
    weighted = sdr("weighted", f"{plain} --weighted")
    assert weighted.notna().all() and not weighted.equals(sdr("plain", plain))
    for name, system in {"per_length": "lsh", "one": "lsh"}.items():
        sdr(name, f"{plain} {'--matrix-per-length' if name == 'per_length' else ''}", system)
    alone = sdr("alone", plain.replace(f"--n-bits 4 {N_BITS}", f"--n-bits {N_BITS}") + " --matrix-per-length", "lsh")
    both = read_scores([tmp_path / "per_length/lsh.parquet"]).set_index(["n_bits", "utterance", "noise"])["sdr"]
    one = read_scores([tmp_path / "one/lsh.parquet"]).set_index(["n_bits", "utterance", "noise"])["sdr"]
    assert both[both.index.get_level_values(0) == N_BITS].equals(alone) and not both.equals(one)
    assert blsh(work.train(tmp_path / "context", f"--context 3 --recipes {work['train.csv']}")) == 0
    model = tmp_path / "context/model.npz"
    assert load_projections(model).n_features == 3 * 128
    stacked = plain.replace(str(work["model.npz"]), str(model)) + f" --context 3 --training-recipes {work['train.csv']}"
    assert sdr("stacked", stacked).notna().all()


def test_matrices_of_the_figures(work, tmp_path):
    assert blsh(work.ssm(tmp_path)) == 0
    _, matrices = load_stamped(tmp_path / "ssm.npz", "ssm of one model", 1)
    names = {"truth", "weighted", *(f"{kind}_{n_bits}" for kind in ("bits", "pair_weights") for n_bits in (4, 12))}
    assert set(matrices) == names
    assert all(matrix.dtype == np.uint8 and matrix.shape[0] == matrix.shape[1] for matrix in matrices.values())
    assert all(matrices[name].max() == 255 for name in ("pair_weights_4", "pair_weights_12"))
    for name in ("bits_12", "weighted"):
        np.testing.assert_array_equal(matrices[name].diagonal(), 255)
    # The words of TASLP: a weighted sum of all bits, which is not their plain mean.
    assert not np.array_equal(matrices["bits_12"], matrices["weighted"])


def test_the_other_verbs_that_render(work, tmp_path, capsys):
    assert blsh(work.ssm(tmp_path)) == 0
    assert blsh(work.noises(tmp_path)) == 0
    assert pd.read_csv(tmp_path / "noises.csv")["noise"].tolist() == ["hiss", "hum"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["noises.csv", "ssm.npz"]


def test_speed_is_measured_of_searches_and_networks(work, tmp_path):
    assert blsh(work.speed(tmp_path)) == 0
    table = pd.read_csv(tmp_path / "speed.csv", keep_default_na=False)
    labels = table[["system", "variant", "feature", "rho", "n_bits"]].itertuples(index=False, name=None)
    assert list(labels) == [
        ("knn", "", "mel", 0.5, 0),
        ("codes", "", "mel", 0.5, 4),
        ("codes", "", "mel", 0.5, 12),
        ("fc", "2x32", "stft", 0.0, 0),
    ]
    n_rows = round(0.5 * len(np.load(work["masks.npy"], mmap_mode="r")))
    assert table["dictionary_rows"].tolist() == pytest.approx([n_rows, n_rows, n_rows, 0], abs=1)
    assert table["seconds_per_second"].between(1e-6, 10).all()
    assert set(table["threads"]) == {1} and table["machine"].str.len().min() > 0


def test_examples_have_one_gain_each_and_every_noise(work, tmp_path):
    assert blsh(work.train_residual(tmp_path)) == 0
    model = work["model.npz"].with_name("blsh_mel_ssm.npz")
    words = work.examples(tmp_path, "constant ibm knn lsh blsh residual")
    assert blsh(words.replace(f"--model {model}", f"--model {model} {tmp_path}/residual_mel.npz")) == 0
    examples = json.loads((tmp_path / "examples.json").read_text())
    assert len(examples) == 3
    assert len({example["title"] for example in examples[:2]}) == 2  # both noises come before one comes twice
    for example in examples:
        labels = [system["label"] for system in example["systems"]]
        assert [label.partition(" ")[0] for label in labels] == ["Constant", "IBM", "KNN", "LSH", "BLSH", "Residual"]
        assert all(re.search(r", SDR -?\d+\.\d dB$", label) for label in labels)
        names = [example["clean"], example["mixture"], *(system["path"] for system in example["systems"])]
        sounds = {name: soundfile.read(tmp_path / name)[0] for name in names}
        assert max(np.abs(sound).max() for sound in sounds.values()) == pytest.approx(0.99, abs=1e-3)
        # The mixture is speech and noise of the very same gain: what the clean sound leaves of it is no louder.
        mixture, clean = sounds[example["mixture"]], sounds[example["clean"]]
        assert 0.2 < np.std(mixture - clean) / np.std(mixture) < 1.2
    assert len(list(tmp_path.glob("*.wav"))) == 3 * 8
    assert blsh(work.examples(tmp_path / "none").replace("--mixtures 3", "--mixtures 0")) == 0
    assert json.loads((tmp_path / "none/examples.json").read_text()) == []


def test_a_verb_repeats_its_bytes(work, tmp_path):
    assert blsh(work.train(tmp_path)) == 0
    assert (tmp_path / "model.npz").read_bytes() == work["model.npz"].read_bytes()
    assert blsh(work.frames(tmp_path)) == 0
    for name in ("features/mel.npy", "masks.npy", "constant.npy"):
        assert (tmp_path / name).read_bytes() == work[name].read_bytes()


def test_bad_recordings_are_skipped_with_their_reasons(work, tmp_path, capsys):
    reasons = make_bad_files(tmp_path / "mine/eve")
    write(tmp_path / "mine/eve/good.wav", voice(0.5, 16000, 200, 0))
    assert blsh(work.manifest(tmp_path, tmp_path / "mine", "speaker")) == 0
    manifest = read_manifest(tmp_path / "s.csv")
    assert [r.path for r in manifest.recordings] == ["eve/good.wav"]
    found = {skipped.path: skipped.reason for skipped in manifest.skipped}
    assert set(found) == {f"eve/{name}" for name in reasons}
    for name, reason in reasons.items():
        assert re.search(reason, found[f"eve/{name}"]), (name, found[f"eve/{name}"])
        assert str(tmp_path) not in found[f"eve/{name}"] and "\n" not in found[f"eve/{name}"]
    written = pd.read_csv(tmp_path / "s.skipped.csv")
    assert set(written["path"]) == set(found)
    assert f"1 recordings, 0.0 min, {len(reasons)} skipped" in capsys.readouterr().out


def only_file(folder: Path, name: str) -> Path:
    """A corpus of one speaker with one of the bad files."""
    make_bad_files(folder / "all")
    (folder / "one/eve").mkdir(parents=True)
    shutil.copy(folder / "all" / name, folder / "one/eve" / name)
    return folder / "one"


def empty(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


def women_only(work: Work, folder: Path) -> Work:
    """The same work with a manifest in which nobody is a man."""
    shutil.copytree(work.folder, folder / "women")
    women = Work.__new__(Work)
    women.folder = folder / "women"
    table = pd.read_csv(women["speech.csv"], dtype=str, keep_default_na=False)
    table["gender"] = "F"
    table.to_csv(women["speech.csv"], index=False)
    return women


def preset(folder: Path, key: str, value: object) -> str:
    """A command that reads the demo with one key changed."""
    values = part = yaml.safe_load((ROOT / "config/demo.yaml").read_text())
    *path, last = key.split(".")
    for name in path:
        part = part.setdefault(name, {})
    part[last] = value
    (folder / "mine.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    return f"plan --configfile {folder}/mine.yaml"


def cut(path: Path, to: Path) -> Path:
    """The first half of a file."""
    to.mkdir(exist_ok=True)
    (to / path.name).write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return to / path.name


def fitted(work: Work, to: Path) -> bool:
    return blsh(work.fit(to, "itq")) == 0 and bool((to / "itq_mel.npz").rename(to / "brought.npz"))


def brought(to: Path, width: int) -> bool:
    np.savez(to / "brought.npz", P=np.ones((N_BITS, width)), b=np.zeros(N_BITS))
    return True


def at_model(work: Work, to: Path) -> tuple[str, str]:
    return str(work["model.npz"]), f"{to}/brought.npz"


# Name of the case: the command, given (work, folder of inputs, folder of outputs), and the line.
BAD_INPUT = {
    "missing folder": (
        lambda w, i, o: w.manifest(o, i / "none"),
        r"corpus folder .*/none does not exist: name the folder that holds the recordings",
    ),
    "empty folder": (
        lambda w, i, o: w.manifest(o, empty(i)),
        r"corpus folder .*/empty is empty: put the recordings there, or name another folder",
    ),
    "folder of another layout": (
        lambda w, i, o: f"manifest --reader esc --corpus n --folder {w['noise']} -o {o}/n.csv",
        r"noise.*(meta|ESC)",
    ),
    "missing listing": (
        lambda w, i, o: w.manifest(o) + f" --listing {i}/none.csv",
        r"/none.csv does not exist; correct the path",
    ),
    **{
        f"only {name}": (
            lambda w, i, o, name=name: w.manifest(o, only_file(i, name), "speaker"),
            rf"no usable recording in .*/one: 1 files cannot be used, first eve/{name}: .*({rule})",
        )
        for name, rule in {
            "text.wav": "decoded|truncated|not one of",
            "short.wav": "truncated",
            "nothing.wav": "decoded|no samples|truncated",
            "no_samples.wav": "no samples",
            "zeros.wav": "silent: its standard deviation",
            "nan.wav": "NaN",
            "infinite.wav": "infinite",
        }.items()
    },
    "unknown reader": (
        lambda w, i, o: f"manifest --reader timid --corpus s --folder {i} -o {o}/s.csv",
        r"--reader: invalid choice: 'timid' \(choose from .*'esc', 'folder'",
    ),
    "unknown level": (lambda w, i, o: w.manifest(o, levels="person"), r"level 'person' is unknown: choose from split"),
    "unknown corpus of speech": (
        lambda w, i, o: w.units(o).replace("--train speech", "--train talk"),
        r"--train 'talk' is not a corpus of --manifest \(speech, noise\); name one of these",
    ),
    "unknown split": (
        lambda w, i, o: w.units(o, "--validation speech tune dev"),
        r"--validation: corpus 'speech' has no split dev \(it has: test, train, tune\)",
    ),
    "one split for two purposes": (
        lambda w, i, o: w.units(o, "--validation speech test"),
        r"speaker 'carla' is in validation and in open; select disjoint splits",
    ),
    "no speaker of one gender": (
        lambda w, i, o: women_only(w, i).units(o, "--validation-speakers 1"),
        r"no male speaker among 2: add some or set balance_gender to false",
    ),
    "too few speakers to set aside": (
        lambda w, i, o: w.units(o, "--validation-speakers 2"),
        r"n=2 speakers cannot be set aside from 2",
    ),
    "a missing manifest": (
        lambda w, i, o: w.units(o).replace("noise.csv", "none.csv"),
        r"/none.csv does not exist; correct the path, or run the step that makes it",
    ),
    "a manifest cut short": (
        lambda w, i, o: w.units(o).replace(str(w["noise.csv"]), str(cut(w["noise.csv"], i))),
        r"/noise.csv",
    ),
    "unknown corpus of noise": (
        lambda w, i, o: w.draw(o).replace("--noise-corpus noise", "--noise-corpus moise"),
        r"--noise-corpus 'moise' is not in --manifest \(speech, noise\); name one of these",
    ),
    "unknown class of noise": (
        lambda w, i, o: w.draw(o) + " --noise-classes hum hiccup",
        r"corpus 'noise' has no noise_class 'hiccup' \(it has: hiss, hum\)",
    ),
    "no mixtures": (lambda w, i, o: w.draw(o) + " --mixtures 0", r"n_mixtures=0 must be at least 1 \(set 'train'\)"),
    "infinite level": (lambda w, i, o: w.draw(o, snr_db="inf"), r"snr_db=inf is not finite"),
    "speech as noise": (
        lambda w, i, o: w.draw(o).replace("--noise-corpus noise", "--noise-corpus speech"),
        r"of corpus 'speech' has no class: it is no noise recording",
    ),
    "unknown feature to write": (
        lambda w, i, o: w.frames(o, "stft cqt"),
        r"--feature: invalid choice: 'cqt' \(choose from '?stft'?, '?mel'?\)",
    ),
    "recordings that have gone": (
        lambda w, i, o: w.frames(o).replace(f"--folder speech={w['speech']}", f"--folder speech={i}"),
        r"\.wav",
    ),
    "unknown profile": (lambda w, i, o: w.train(o, profile="best"), r"--profile: invalid choice: 'best'"),
    "unknown switch": (lambda w, i, o: w.train(o, switches="passes=3"), r"'passes'"),
    "too few frames": (
        lambda w, i, o: w.train(o, switches="segment_frames=300"),
        r"lower (it|n_segments or segment_frames)",
    ),
    "features that are no array": (
        lambda w, i, o: w.train(o).replace(str(w["features/mel.npy"]), str(w["speech.csv"])),
        r"speech.csv cannot be loaded: .*make the file again",
    ),
    "rho of 0": (lambda w, i, o: w.score(o, "knn", w.neighbours(rho=0)), r"rho=0.0 must lie in \(0, 1\]"),
    "rho above 1": (lambda w, i, o: w.score(o, "lsh", w.neighbours(rho=1.5)), r"rho=1.5 must lie in \(0, 1\]"),
    "rho of less than a frame": (
        lambda w, i, o: w.score(o, "lsh", w.neighbours(rho=1e-4)),
        r"rho=0.0001 of \d+ frames leaves an empty dictionary",
    ),
    "L beyond the trained bits": (
        lambda w, i, o: w.score(o, "blsh", w.neighbours(n_bits="4 13")),
        r"n_bits=13 exceeds the 12 trained bits; train more or ask for less",
    ),
    "L beyond the trained bits in a figure": (
        lambda w, i, o: w.ssm(o, "4 13"),
        r"n_bits=13 exceeds the 12 trained bits of .*/model.npz; ask for less",
    ),
    "L of 0": (lambda w, i, o: w.score(o, "lsh", w.neighbours(n_bits="0")), r"n_bits=0 .*must be at least 1"),
    "K beyond the dictionary": (
        lambda w, i, o: w.score(o, "knn", w.neighbours(k=5000)),
        r"k=5000 exceeds the dictionary's \d+ frames: ask for fewer, or give a larger rho",
    ),
    "K beyond the dictionary of codes": (
        lambda w, i, o: w.score(o, "lsh", w.neighbours(k=5000)),
        r"k=5000 exceeds the dictionary's \d+ frames",
    ),
    "K of 0": (lambda w, i, o: w.score(o, "blsh", w.neighbours(k=0)), r"k=0 must be at least 1"),
    "unknown feature": (
        lambda w, i, o: w.score(o, "lsh", w.neighbours(feature="cqt")),
        r"feature 'cqt' is none of stft, mel",
    ),
    "another feature's dictionary": (
        lambda w, i, o: w.score(o, "lsh", w.neighbours(feature="stft")),
        r"features of width 128 do not fit projections of width 513",
    ),
    "unknown system": (lambda w, i, o: w.score(o, "magic"), r"--system: invalid choice: 'magic'"),
    "a system that is not heard": (
        lambda w, i, o: w.examples(o, "knn magic"),
        r"system='magic' is not one to hear; choose constant, ibm, knn, lsh, blsh or residual",
    ),
    "examples without the model": (
        lambda w, i, o: w.examples(o).replace("blsh_mel_ssm.npz", "model.npz"),
        r"system 'blsh' needs the model blsh_mel_ssm.npz; give it to --model",
    ),
    "unknown target": (
        lambda w, i, o: w.train(o).replace("--target ssm", "--target rbf-0"),
        r"the target rbf needs sigma2 > 0, not 0.0",
    ),
    "target of another rule": (
        lambda w, i, o: w.train(o).replace("--target ssm", "--target centred-0.5"),
        r"target centred-0.5 is of residual boosting; add --system residual",
    ),
    "training without a profile": (
        lambda w, i, o: w.train(o).replace("--profile project", ""),
        r"system 'blsh' needs --profile here; add it",
    ),
    "stacked frames without recipes": (
        lambda w, i, o: w.train(o, "--context 3"),
        r"system 'blsh' needs --recipes here; add it",
    ),
    "an even number of stacked frames": (
        lambda w, i, o: w.train(o, f"--context 2 --recipes {w['train.csv']}"),
        r"context=2 must be 1, 3, 5, …: a frame and as many before it as after it",
    ),
    "recipes of other frames": (
        lambda w, i, o: w.train(o, f"--context 3 --recipes {w['open.csv']}"),
        r"the recipes have \d+ frames and the features \d+: give the recipes that the features were written from",
    ),
    "more fitted bits than features": (
        lambda w, i, o: w.fit(o, "itq", "4 129"),
        r"n_bits=129 must lie in 1…\d+, the directions that the frames have: ask for fewer",
    ),
    "length that was not fitted": (
        lambda w, i, o: fitted(w, i) and w.score(o, "itq", w.neighbours(n_bits="5")).replace(*at_model(w, i)),
        r"n_bits=5 has no projections; they were fitted for 4, 12 bits: fit them again",
    ),
    "a model of one length where several are needed": (
        lambda w, i, o: w.score(o, "itq", w.neighbours()),
        r"/model.npz holds kind 'projections' where 'projections by length' is needed",
    ),
    "brought projections of another feature": (
        lambda w, i, o: brought(i, 513) and w.score(o, "projections", w.neighbours()).replace(*at_model(w, i)),
        r"/brought.npz is for the feature 'stft', not 'mel'; correct one",
    ),
    "brought projections of no feature": (
        lambda w, i, o: brought(i, 100) and w.score(o, "projections", w.neighbours()).replace(*at_model(w, i)),
        r"/brought.npz: P of shape \(12, 100\) has 100 columns, not 513 \(stft\), 128 \(mel\)",
    ),
    "brought file that is none": (
        lambda w, i, o: w.score(o, "projections", w.neighbours()).replace(str(w["model.npz"]), str(w["speech.csv"])),
        r"/speech.csv is no .npz of numbers",
    ),
    "weights of codes that have none": (
        lambda w, i, o: w.score(o, "lsh", w.neighbours() + " --weighted"),
        r"these projections have no weights β: the weighted search is for those learned by boosting",
    ),
    "recall without the truth": (
        lambda w, i, o: w.score(o, "lsh", w.neighbours() + " --metrics-at 4=recall"),
        r"recall needs the neighbours of the raw features: give them, or leave it out",
    ),
    "recall of other mixtures": (
        lambda w, i, o: (
            blsh(w.raw_neighbours(i, recipes="train.csv")) == 0
            and w.score(o, "lsh", f"{w.neighbours()} --metrics-at 4=recall --raw-neighbours {i}/neighbours.npy")
        ),
        r"raw neighbours of \d+ frames do not fit the mixtures' \d+: find them for the same recipes",
    ),
    "unknown metric": (lambda w, i, o: w.score(o, "ibm", "--metrics-at 0=loudness"), r"metric='loudness' is unknown"),
    "metrics at no number": (
        lambda w, i, o: w.score(o, "ibm", "--metrics-at all=pesq"),
        r"--metrics-at all=pesq: a code length is no whole number",
    ),
    "system without its input": (lambda w, i, o: w.score(o, "constant"), r"system 'constant' needs --constant; add it"),
    "a model cut short": (
        lambda w, i, o: w.score(o, "blsh", w.neighbours()).replace(str(w["model.npz"]), str(cut(w["model.npz"], i))),
        r"/model.npz is no projections file of blsh: .*make or fetch it again",
    ),
    "recipes that are another table": (
        lambda w, i, o: w.score(o, "ibm", recipes="units.csv"),
        r"units.csv is not the table that is needed: column 'set'",
    ),
    "folder of an unknown corpus": (
        lambda w, i, o: w.noises(o).replace(f"noise={w['noise']}", f"moise={w['noise']}"),
        r"corpus 'noise' has no folder: there are moise, speech",
    ),
    "code lengths that are no numbers": (
        lambda w, i, o: w.speed(o, "--codes mel=all"),
        r"--codes: 'all' is no list of code lengths; write mel=50,300",
    ),
    "a network of an unknown kind": (lambda w, i, o: w.speed(o, "--network gru-2x64"), r"gru"),
    "a pair without =": (
        lambda w, i, o: w.noises(o).replace(f"noise={w['noise']}", "noise"),
        r"--folder 'noise' is not NAME=VALUE with a new name",
    ),
    "unknown key": (lambda w, i, o: preset(i, "gird", {}), r"mine.yaml: unknown key gird; config/README.md lists"),
    "rho of 0 in a preset": (lambda w, i, o: preset(i, "grid.rho", [0.0]), r"mine.yaml: grid.rho.0=0.0: .* than 0"),
    "rho above 1 in a preset": (lambda w, i, o: preset(i, "grid.rho", [1.5]), r"mine.yaml: grid.rho.0=1.5: "),
    "L beyond the trained bits in a preset": (
        lambda w, i, o: preset(i, "training.n_bits", 20),
        r"grid.n_bits=150 exceeds training.n_bits=20; raise the latter",
    ),
    "unknown feature in a preset": (lambda w, i, o: preset(i, "grid.features", ["cqt"]), r"grid.features.0='cqt'"),
    "unknown corpus in a preset": (
        lambda w, i, o: preset(i, "data.noise.open.corpus", "moise"),
        r"corpus='moise' is not in data.corpora \(speech, noise\); name one of these",
    ),
    "a switch of another type in a preset": (
        lambda w, i, o: preset(i, "training.switches", {"learning_rate": "1e-4"}),
        r"mine.yaml: training.*a switch is of the wrong type .*write 1.0e-4",
    ),
    "no preset": (lambda w, i, o: f"plan --configfile {i}/none.yaml", r"/none.yaml: no such configuration file"),
    "a preset that is no YAML": (
        lambda w, i, o: f"plan --configfile {w['model.npz']}",
        r"/model.npz: not a YAML file",
    ),
}


def error_line(verb: str, printed: str) -> str:
    """Return the only line on stderr that is no progress."""
    lines = [line for line in printed.splitlines() if not PROGRESS.fullmatch(line)]
    assert len(lines) == 1, printed
    assert lines[0].startswith(f"blsh {verb}: ")
    return lines[0]


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_one_line_and_no_output(work, tmp_path, capsys, case):
    command, line = BAD_INPUT[case]
    inputs, outputs = tmp_path / "in", tmp_path / "out"
    inputs.mkdir()
    words = command(work, inputs, outputs)
    capsys.readouterr()
    assert blsh(words) == 2
    assert re.search(line, error_line(words.split()[0], capsys.readouterr().err))
    assert [path for path in outputs.rglob("*") if path.is_file()] == []


WRITING = {
    "manifest": lambda w, o: w.manifest(o),
    "units": lambda w, o: w.units(o),
    "draw": lambda w, o: w.draw(o),
    "frames": lambda w, o: w.frames(o),
    "train": lambda w, o: w.train(o),
    "fit": lambda w, o: w.fit(o, "itq"),
    "neighbours": lambda w, o: w.raw_neighbours(o),
    "score": lambda w, o: w.score(o, "blsh", w.neighbours()),
    "ssm": lambda w, o: w.ssm(o),
    "noises": lambda w, o: w.noises(o),
    "speed": lambda w, o: w.speed(o),
    "examples": lambda w, o: w.examples(o),
}


@pytest.mark.parametrize("verb", WRITING)
def test_a_disk_that_is_full_when_writing(work, tmp_path, capsys, monkeypatch, verb):
    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert blsh(WRITING[verb](work, tmp_path)) == 2
    line = error_line(verb, capsys.readouterr().err)
    assert re.search(rf"No space left on device \({tmp_path}/\S+\)", line)
    assert "free some space and run the same command again" in line
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("verb", ["frames", "train", "fit", "neighbours", "ssm"])
def test_a_disk_that_is_too_small_from_the_start(work, tmp_path, capsys, monkeypatch, verb):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
    assert blsh(WRITING[verb](work, tmp_path)) == 2
    line = error_line(verb, capsys.readouterr().err)
    assert re.search(rf"\.np[yz]\b.* needs \d+ bytes and 100 are free in {tmp_path}\S*: make room", line)
    assert [path for path in tmp_path.rglob("*.np?")] == []


def test_output_that_fails_leaves_the_old_file(work, tmp_path, monkeypatch):
    assert blsh(work.noises(tmp_path)) == 0
    before = (tmp_path / "noises.csv").read_bytes()
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, "Input/output error")))
    assert blsh(work.noises(tmp_path)) == 2
    assert (tmp_path / "noises.csv").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["noises.csv"]


def test_a_model_of_another_width_is_named(work, tmp_path, capsys, rng):
    save_projections(tmp_path / "stft.npz", random_projections(N_BITS, 513, rng=rng))
    words = work.score(tmp_path, "blsh", work.neighbours()).replace(str(work["model.npz"]), f"{tmp_path}/stft.npz")
    assert blsh(words) == 2
    line = error_line("score", capsys.readouterr().err)
    assert "features of width 128 do not fit projections of width 513" in line


def test_a_plan_is_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert blsh(f"plan --configfile {ROOT}/config/demo.yaml --cores 2") == 0
    printed = capsys.readouterr().out
    assert re.search(r"score_neighbours +\d+ +0 ", printed)
    assert "time left on 2 cores: about" in printed
    assert blsh(f"plan --configfile {ROOT}/config/demo.yaml --cores 0") == 2
    assert "--cores 0 is below 1" in capsys.readouterr().err
