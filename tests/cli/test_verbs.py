"""The verbs by hand, from recordings to scores."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from blsh.cli.main import main
from blsh.corpora.manifest import read_manifest
from blsh.denoising.training_frames import count_frames
from blsh.files.arrays import load_array, load_stamped
from blsh.hashing.by_length import load_projections_by_length
from blsh.hashing.projections import load_projections, random_projections
from blsh.mixtures.recipes import read_recipes
from blsh.mixtures.unit_table import read_units
from blsh.reporting.scores import read_scores
from tests.cli.working import N_BITS, blsh
from tests.corpora.making import make_voicebank

ROOT = Path(__file__).resolve().parents[2]


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


def test_a_plan_is_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert blsh(f"plan --configfile {ROOT}/config/demo.yaml --cores 2") == 0
    printed = capsys.readouterr().out
    assert re.search(r"score_neighbours +\d+ +0 ", printed)
    assert "time left on 2 cores: about" in printed
    assert blsh(f"plan --configfile {ROOT}/config/demo.yaml --cores 0") == 2
    assert "--cores 0 is below 1" in capsys.readouterr().err


def test_a_plan_takes_the_arguments_of_a_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def jobs(*words: str) -> int:
        assert main(["plan", "--configfile", f"{ROOT}/config/demo.yaml", *words]) == 0
        return int(re.search(r"score_neighbours +(\d+) ", capsys.readouterr().out)[1])

    (tmp_path / "profile.yaml").write_text("config:\n  grid: {repeats: 5}\ncores: 3\n")
    one = jobs("--config", "grid={repeats: 1}", "corpora_folder=elsewhere")
    assert jobs("--config", "grid={repeats: 5}") == jobs("--profile", "profile.yaml") > one
    assert main(["plan", "--profil", "profile.yaml", "--nonsense"]) == 2
    assert capsys.readouterr().err.startswith("blsh plan: ")
