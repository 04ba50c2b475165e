"""The plan of an experiment counted by hand, before it starts and half-way."""

from pathlib import Path

import pytest
import yaml

from blsh.experiment.config import Config, parse_config
from blsh.experiment.grid import data_folder, score_jobs
from blsh.experiment.plan import plan
from blsh.experiment.rules import model_files, score_files
from blsh.mixtures.recipes import Piece, write_recipes
from blsh.signal.spectra import n_frames
from tests.mixtures.making import recipe

ROOT = Path(__file__).resolve().parents[2]
RULES = (
    *("manifest", "units", "draw", "frames", "train", "train_network"),
    *("score_control", "score_neighbours", "score_codes", "score_network", "results"),
)


@pytest.fixture
def config(tmp_path, monkeypatch) -> Config:
    """Two sets to score, of 4 and 6 mixtures; the second is in tables, at L = 20."""
    monkeypatch.chdir(tmp_path)
    values = yaml.safe_load((ROOT / "tests/workflow/tiny.yaml").read_text())
    values["grid"] = {"sets": ["validation", "open"], "n_bits": [1, 10, 20], "rho": [0.5], "repeats": 3}
    values["data"]["sets"] = {
        "train": {"source": "train"},
        "closed": {"source": "closed"},
        "validation": {"source": "validation", "mixtures": 4},
        "open": {"source": "open", "mixtures": 6},
    }
    for name in ("tables", "metrics"):
        values.pop(name, None)
    return parse_config(values)


def touch(path: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).touch()


def draw(config: Config, name: str, n: int, n_samples: int = 16000) -> None:
    path = Path(data_folder(config), "mixtures", f"{name}.csv")
    pieces = Piece("speech", "s.wav", 0, n_samples), (Piece("noise", "n.wav", 0, n_samples),)
    write_recipes(
        path,
        [
            recipe(set=name, utterance=str(i), speech=pieces[0], noise_pieces=pieces[1], seconds=n_samples / 16000)
            for i in range(n)
        ],
    )


def test_jobs_are_those_of_the_workflow(config):
    steps = {step.rule: step for step in plan(config).steps}
    assert tuple(steps) == RULES
    assert {rule: step.jobs for rule, step in steps.items()} == {
        "manifest": 2,
        "units": 1,
        "draw": 4,
        "frames": 1,
        "train": 2,
        "train_network": 1,
        "score_control": 2 * 4,
        "score_neighbours": 2 * 3 * 2 * 3,  # sets, systems, features, repeats
        "score_codes": 2 * 2 * 3,
        "score_network": 2,
        "results": 1,
    }
    assert sum(step.jobs for rule, step in steps.items() if rule.startswith("score")) == len(score_jobs(config))
    assert all(step.done == 0 and step.seconds > 0 for step in steps.values())


def test_numbers_to_compute(config):
    # SDR and SI-SDR of 4 mixtures of validation and 6 of open: of a control, the network and KNN once, of hashes at 3
    # lengths.
    sweep = (4 + 6) * 2 * (4 + 1 + 2 * 3 * (1 + 3 + 3 + 3))
    # Besides, on the open set, the tables' other four metrics at one length; two for LSH with one matrix.
    tables = 6 * ((4 + 1) * 4 + 2 * 3 * (4 + 4 + 2 + 4))
    assert plan(config).scores == sweep + tables


def test_rivals_options_and_switches_are_counted(config):
    values = config.model_dump(mode="json")
    values["grid"]["systems"] += ["pca_sign", "itq", "residual"]
    values["grid"] |= {"variants": ["weighted", "context3"], "switches": ["bias", "n_segments", "matrices"]}
    values["tables"]["rivals"] = {"n_bits": [10]}
    more = parse_config(values)
    before, after = ({step.rule: step for step in plan(each).steps} for each in (config, more))
    added = {rule: step.jobs - (before[rule].jobs if rule in before else 0) for rule, step in after.items()}
    assert {rule: jobs for rule, jobs in added.items() if jobs} == {
        "train": 2 + 2 + 2,  # residual and stacked frames with two features, two switches with one
        "fit": 2 * 2,
        "neighbours": 2 * 3,  # of the open set: features, repeats
        "score_neighbours": 2 * 3,  # one switch of lsh: sets, repeats
        "score_codes": 2 * 3 * (3 * 2 + 2 * 2 + 2),
    }
    assert sum(step.jobs for rule, step in after.items() if rule.startswith("score")) == len(score_jobs(more))
    assert {path for path in model_files(more)} > set(model_files(config))
    touch(model_files(more)[0])
    touch("results/tiny/neighbours/open_stft_rho-0.5_rep-2.npy")
    done = {step.rule: step.done for step in plan(more).steps if step.done}
    assert done == {"train": 1, "neighbours": 1}
    # All segments of a training take longer than forty.
    draw(more, "train", 60, 600_000)
    many = {step.rule: step for step in plan(more).steps}
    assert many["train"].seconds > 2 * after["train"].seconds


def test_what_is_not_drawn_yet_is_assumed(config):
    assert plan(config).assumed == ("train", "closed", "validation", "open")
    draw(config, "train", 2, 40_000)
    assert plan(config).assumed == ("closed", "validation", "open")


def test_utterances_that_are_not_drawn_yet_are_as_long_as_their_corpus_has_them(config):
    values = config.model_dump(mode="json")
    values["data"]["speech"]["seconds"] = None
    ours = plan(parse_config(values)).disk_bytes
    values["data"]["corpora"]["speech"] = {"reader": "librispeech", "folder": "LibriSpeech"}
    assert plan(parse_config(values)).disk_bytes == pytest.approx(ours * 8 / 3, abs=1)


def test_the_disk_is_that_of_the_training_frames(config):
    draw(config, "train", 3, 256_000)
    bytes_per_frame = 4 * (513 + 128) + 65
    found = plan(config).disk_bytes
    assert found == 3 * 1000 * bytes_per_frame  # 62.5 frames a second
    assert abs(found / bytes_per_frame - 3 * n_frames(256_000)) <= 3  # but for the frame at each end


def test_done_jobs_take_no_more_time(config):
    before = {step.rule: step for step in plan(config).steps}
    scores = [path for path in score_files(config) if "/blsh_" in path]
    for path in [*scores[:5], model_files(config)[0], f"{data_folder(config)}/manifests/units.csv"]:
        touch(path)
    after = {step.rule: step for step in plan(config).steps}
    assert {rule: step.done for rule, step in after.items() if step.done} == {
        "units": 1,
        "train": 1,
        "score_codes": 5,
    }
    assert after["train"].seconds == pytest.approx(before["train"].seconds / 2)
    assert after["units"].seconds == 0
    assert 0 < after["score_codes"].seconds < before["score_codes"].seconds
    assert all(after[rule] == before[rule] for rule in RULES if rule not in ("units", "train", "score_codes"))


def test_more_cores_and_more_work(config):
    estimate = plan(config)
    assert estimate.wall_seconds(1) == pytest.approx(sum(step.seconds for step in estimate.steps))
    assert estimate.wall_seconds(4) == pytest.approx(estimate.wall_seconds(1) / 4)
    draw(config, "train", 60)
    draw(config, "open", 600)
    assert plan(config).wall_seconds(1) > estimate.wall_seconds(1)
