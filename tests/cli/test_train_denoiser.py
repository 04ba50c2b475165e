"""From folders of recordings to a model that denoises, and from an experiment's files to another."""

import contextlib
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest

from blsh.corpora.manifest import Manifest, read_manifest
from blsh.denoising.denoiser import denoise
from blsh.denoising.model_file import load_model
from blsh.hashing.projections import random_projections, save_projections
from blsh.mixtures.drawing import draw_recipes
from blsh.mixtures.recipes import Recipe, write_recipes
from blsh.mixtures.rendering import Recordings, render
from blsh.mixtures.units import cut_units
from tests.cli.working import run_verb as blsh
from tests.corpora.making import write
from tests.denoising.making import sound
from tests.mixtures.making import rng_for

SMALL = ("--n-bits", 16, "--n-rows", 60, "--mixtures", 12, "--seconds", 1, "--feature", "mel")


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> tuple[Path, Path]:
    """Three speakers, one of them a single file at another rate, and four noises of two kinds."""
    root = tmp_path_factory.mktemp("recordings")
    for seed, name in enumerate(["anna/a1.wav", "anna/deep/a2.wav", "bob/b.wav"]):
        write(root / "speech" / name, sound(32_000, seed))
    write(root / "speech/carla.wav", sound(60_000, 5), 44_100)
    rng = np.random.default_rng(0)
    for name in ("hiss/1.wav", "hiss/2.wav", "hum.wav", "hum2.wav"):
        write(root / "noise" / name, 0.1 * np.convolve(rng.standard_normal(40_000), np.ones(1 + 8 * ("hum" in name))))
    return root / "speech", root / "noise"


@pytest.fixture(scope="module")
def trained(folders, tmp_path_factory) -> tuple[Path, str]:
    path = tmp_path_factory.mktemp("model") / "my.blsh"
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert blsh("train-denoiser", "--speech", folders[0], "--noise", folders[1], "-o", path, *SMALL) == 0
    return path, printed.getvalue()


def test_the_model_is_whole_and_scored_on_what_was_kept_out(trained, folders):
    path, printed = trained
    model = load_model(path)
    assert (model.n_bits, model.n_rows, model.feature, len(model.masks.bands)) == (16, 60, "mel", 10)
    assert [source.name for source in model.sources] == ["noise", "speech"]
    assert model.scores[0].noise == "all" and model.scores[0].sdr > model.scores[0].sdr_mixture
    assert re.search(r"training: 12 mixtures, 0.2 min, 2 speakers, [123] noises", printed)
    assert re.search(r"validation: \d+ mixtures, .* 1 speakers, 1 noises", printed)
    assert f"SDR {model.scores[0].sdr:.2f} dB" in printed and "60 rows of 16 bits" in printed
    trained_on = {recording.path for recording in model.origins.recordings}
    speakers = {recording.speaker for recording in model.origins.recordings if recording.corpus == "speech"}
    noises = {path.relative_to(folders[1]).as_posix() for path in folders[1].rglob("*.wav")}
    assert len(speakers) == 2 and len(noises - trained_on) >= 1


def test_the_rows_can_be_heard_again(trained, folders):
    origins = load_model(trained[0]).origins
    audio = Recordings([Manifest(origins.recordings)], {"speech": folders[0], "noise": folders[1]})
    assert len(render(origins.recipe(7), audio).mixture) == 16_000


def test_it_denoises(trained):
    samples = sound(20_000, 77)
    cleaned = denoise(samples, load_model(trained[0]))
    assert cleaned.shape == samples.shape and cleaned.std() < samples.std()


def test_the_same_seed_gives_the_same_bytes(trained, folders, tmp_path):
    for seed, same in ((2020, True), (1, False)):
        words = ("--speech", folders[0], "--noise", folders[1], "--seed", seed, "-o", tmp_path / "again.blsh")
        words += ("--overwrite",)
        assert blsh("train-denoiser", *words, *SMALL) == 0
        assert ((tmp_path / "again.blsh").read_bytes() == trained[0].read_bytes()) is same


def test_settings_reach_the_model(folders, tmp_path):
    sources = tmp_path / "sources.json"
    credit = {"name": "Mine", "licence": "CC0-1.0", "attributions": ["Anna", "Bob"]}
    sources.write_text(json.dumps([credit]), encoding="utf-8")
    options = ("--learner", "papers", "--snr-db", 0, 5, "--bands", "--n-neighbours", 3, "--sources", sources)
    words = ("--speech", folders[0], "--noise", folders[1], "-o", tmp_path / "m.blsh")
    assert blsh("train-denoiser", *words, *SMALL, *options) == 0
    model = load_model(tmp_path / "m.blsh")
    assert model.masks.index is None and model.n_neighbours == 3
    assert model.settings["learner"] == "papers" and model.settings["snr_db"] == [0.0, 5.0]
    assert {score.snr_db for score in model.scores} == {0.0, 5.0}
    assert model.sources[0].attributions == ("Anna", "Bob")


def test_bad_requests_are_one_line(folders, tmp_path, capsys):
    speech, noise = folders
    write(tmp_path / "one speaker/a/1.wav", sound(32_000))
    write(tmp_path / "one noise/1.wav", sound(32_000))
    bad = tmp_path / "bad.json"
    bad.write_text('[{"name": "x", "colour": "red"}]', encoding="utf-8")
    requests = {
        "does not exist": (tmp_path / "none", noise),
        "--speech has 1 speaker": (tmp_path / "one speaker", noise),
        "--noise has 1 recording": (speech, tmp_path / "one noise"),
        "give a smaller --seconds": (speech, noise, "--seconds", 60),
        "sum to 65": (speech, noise, "--bands", 1, 2),
        "bad.json is no JSON list": (speech, noise, "--sources", bad),
        "n_neighbours=61": (speech, noise, "--n-neighbours", 61),
    }
    for message, (one, two, *more) in requests.items():
        status = blsh("train-denoiser", "--speech", one, "--noise", two, "-o", tmp_path / "m.blsh", *SMALL, *more)
        lines = [line for line in capsys.readouterr().err.splitlines() if " left" not in line]
        assert status == 2 and len(lines) == 1 and message in lines[0], (message, lines)
    assert not (tmp_path / "m.blsh").exists()


def test_what_needs_no_recording_is_found_before_any_is_read(tmp_path, capsys):
    """The folders of speech and noise are not there, which would be found first."""
    bad, file = tmp_path / "bad.json", tmp_path / "file"
    bad.write_text('[{"name": 1}]', encoding="utf-8")
    file.write_text("", encoding="utf-8")
    requests = {
        "is a file, so": ("-o", file / "m.blsh"),
        "file exists": ("-o", file),
        "is a folder": ("-o", tmp_path),
        "bad.json is no JSON list": ("--sources", bad),
        "none.json does not exist": ("--sources", tmp_path / "none.json"),
        "must be positive and sum to 65": ("--bands", 60, 4),
        "n_neighbours=61 must lie in 1…60": ("--n-neighbours", 61),
        "--mixtures 1 is less than one for each of 2 --snr-db": ("--mixtures", 1, "--snr-db", 0, 5),
        "none is no folder": ("--scratch", tmp_path / "none"),
        "file is no folder": ("--scratch", file),
    }
    for message, more in requests.items():
        words = ("--speech", tmp_path / "x", "--noise", tmp_path / "y", "-o", tmp_path / "m.blsh", *SMALL, *more)
        assert blsh("train-denoiser", *words) == 2
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1, (message, error)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.json", "file"]


def test_too_few_frames_for_the_neighbours_are_found_before_they_are_rendered(folders, tmp_path, capsys):
    small = ("--mixtures", 1, "--seconds", 0.2, "--n-rows", 60, "--n-neighbours", 60, "--scratch", tmp_path)
    status = blsh("train-denoiser", "--speech", folders[0], "--noise", folders[1], "-o", tmp_path / "m.blsh", *small)
    error = capsys.readouterr().err
    assert status == 2 and "n_neighbours=60 must lie in 1…13, the rows of the dictionary" in error
    assert "training mixtures" not in error and not list(tmp_path.iterdir())


def draw(audio: Recordings, speech: Manifest, noise: Manifest, name: str, speakers: set[str]) -> tuple[Recipe, ...]:
    chosen = [recording for recording in speech.recordings if recording.speaker in speakers]
    units, *_ = cut_units(chosen, seconds=1, per_speaker=None, held_out=0, audio=audio)
    options = {"set_name": name, "drawn_as": name, "snrs_db": [0.0], "n_mixtures": 6, "noises_per_utterance": None}
    return draw_recipes(units, noise.recordings, audio=audio, rng_for=rng_for, **options)


def test_an_experiments_files_make_a_model(folders, tmp_path):
    """The verbs of the workflow, then pack-denoiser."""
    speech, noise = folders
    for name, folder, level in (("speech", speech, "speaker"), ("noise", noise, "class")):
        words = f"manifest --reader folder --corpus {name} --levels {level} -o {tmp_path}/{name}.csv --folder".split()
        assert blsh(*words, folder) == 0
    manifests = [read_manifest(tmp_path / f"{name}.csv") for name in ("speech", "noise")]
    audio = Recordings(manifests, {"speech": speech, "noise": noise})
    write_recipes(tmp_path / "train.csv", draw(audio, *manifests, "train", {"anna", "bob"}))
    write_recipes(tmp_path / "validation.csv", draw(audio, *manifests, "validation", {"carla"}))
    data = f"--manifest speech={tmp_path}/speech.csv noise={tmp_path}/noise.csv --folder speech={speech} noise={noise}"
    files = f"--features-to {tmp_path} --masks {tmp_path}/masks.npy --constant {tmp_path}/mean.npy"
    assert blsh(*f"frames --feature mel --recipes {tmp_path}/train.csv {files} {data}".split()) == 0
    save_projections(tmp_path / "p.npz", random_projections(12, 128, rng=np.random.default_rng(0)))
    pack = (
        f"pack-denoiser --recipes {tmp_path}/train.csv --feature mel --features {tmp_path}/mel.npy --n-bits 9 "
        f"--masks {tmp_path}/masks.npy --projections {tmp_path}/p.npz --validation {tmp_path}/validation.csv {data}"
    )
    for n_rows in (50, 80):
        assert blsh(*pack.split(), "--n-rows", n_rows, "-o", tmp_path / f"{n_rows}.blsh") == 0
    small, large = (load_model(tmp_path / f"{n_rows}.blsh") for n_rows in (50, 80))
    assert (small.n_bits, small.n_rows, small.settings["projections"]) == (9, 50, "p")
    assert [score.noise for score in small.scores] == ["all", "hiss", "hum", "hum2"] and small.scores[0].mixtures == 3
    # The smaller dictionary lies inside the larger one.
    assert {tuple(words) for words in small.codes.words} <= {tuple(words) for words in large.codes.words}
    for wrong in (
        ("--n-rows", 99999),
        ("--n-rows", 0),
        ("--n-bits", 13),
        ("--bands", 64),
        ("--validation", "none.csv"),
    ):
        assert blsh(*pack.split(), *wrong, "-o", tmp_path / "wrong.blsh") == 2
    assert not (tmp_path / "wrong.blsh").exists()
