"""What rules hand to their verbs: flags that the verbs read back, and slices that change only when they must."""

import json
import os
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from blsh.cli import aggregate
from blsh.cli.train import _params
from blsh.experiment import rules
from blsh.experiment.config import Config, parse_config
from blsh.experiment.config_grid import SYSTEMS
from blsh.experiment.families import Family, models
from blsh.experiment.grid import ScoreJob, expected_cells, score_jobs
from blsh.experiment.rules import Settings, Untracked
from blsh.hashing.profiles import PROFILES
from blsh.hashing.residual import RESIDUAL
from blsh.hashing.similarity import Target
from blsh.reporting.scores import CELL
from tests.experiment.commands import all_settings, assert_read_back, parsed, written_cells

ROOT = Path(__file__).resolve().parents[2]
PRESETS = [*sorted((ROOT / "config").glob("*.yaml")), ROOT / "tests/workflow/tiny.yaml"]
EVERYTHING = {
    "systems": ["mixture", "knn", "lsh", "blsh", "pca_sign", "itq", "residual", "projections"],
    "targets": ["ssm", "rbf-0.5"],
    "variants": ["weighted", "context3"],
    "switches": ["descent", "n_segments", "bias", "authors2022", "matrices"],
    "n_bits": [1, 20, 300],
    "repeats": 1,
}


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch):
    monkeypatch.chdir(ROOT)  # listings are relative to it


def values_of(path: Path = ROOT / "tests/experiment/plain.yaml") -> dict:
    return yaml.safe_load(path.read_text())


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_every_verb_reads_its_settings_back(path):
    for verb, settings in all_settings(parse_config(values_of(path))):
        assert_read_back(verb, settings)


@pytest.fixture
def everything(tmp_path) -> Config:
    """The demo with every rival, option and switch."""
    np.savez(tmp_path / "my.npz", P=np.ones((30, 513)), b=np.zeros(30))
    values = values_of() | {"projections": {"mine": str(tmp_path / "my.npz")}, "tables": {"rivals": {}}}
    values["training"] = {"residual": {"n_segments": 7}, "switches": {"max_passes": 12}}
    values["grid"] |= EVERYTHING
    return parse_config(values)


def test_rivals_options_and_switches_are_read_back(everything):
    for verb, settings in all_settings(everything):
        assert_read_back(verb, settings)
    written = written_cells(everything)
    expected = [tuple(row) for row in expected_cells(everything)[[*CELL, "repeat"]].itertuples(index=False)]
    assert sorted(written) == sorted(expected) and len(set(written)) == len(written)
    files = rules.score_files(everything) + rules.model_files(everything) + rules.history_files(everything)
    assert len(set(files)) == len(files)


def test_a_training_gets_its_own_switches(everything):
    def params(model):
        return _params(parsed("train", rules.train_settings(everything, model)))

    plain = params(Family("blsh", "stft", "ssm"))
    assert plain == replace(PROFILES["project"], max_passes=12)
    assert params(Family("blsh", "stft", "rbf-0.5")) == replace(plain, target=Target("rbf", 0.5))
    assert params(Family("blsh", "stft", "ssm", "context3")) == plain
    assert params(Family("blsh", "stft", "ssm", "switch-bias")) == replace(plain, bias=False)
    assert params(Family("blsh", "stft", "ssm", "switch-n_segments")) == replace(plain, n_segments=None)
    assert params(Family("blsh", "stft", "ssm", "switch-authors2022")) == PROFILES["authors2022"]
    assert params(Family("residual", "stft")) == replace(RESIDUAL, n_segments=7)
    by_switch = {model.switch: model for model in models(everything) if model.switch}
    seeds = {parsed("train", rules.train_settings(everything, model)).seed for model in by_switch.values()}
    assert set(by_switch) == {"descent", "n_segments", "bias", "authors2022"} and len(seeds) == 1
    context = rules.train_settings(everything, Family("blsh", "mel", "ssm", "context3"))
    assert parsed("train", context).context == 3


def test_score_jobs_get_their_model_and_their_search(everything):
    jobs = {(job.set, job.stem): job for job in score_jobs(everything)}
    assert jobs == rules.score_jobs_by_stem(everything)

    def of(stem, set_name="open"):
        job = jobs[set_name, f"{stem}_rho-0.1_rep-1"]
        return job, parsed("score", rules.score_settings(everything, job))

    for stem, model in {
        "blsh_mel_ssm": "blsh_mel_ssm",
        "blsh-weighted_mel_ssm": "blsh_mel_ssm",
        "blsh-context3_mel_ssm": "blsh-context3_mel_ssm",
        "blsh-switch-bias_stft_ssm": "blsh-switch-bias_stft_ssm",
        "residual_mel": "residual_mel",
        "itq_stft": "itq_stft",
    }.items():
        assert rules.model_input(everything, of(stem)[0]) == [f"results/demo/models/{model}.npz"]
        assert Path(rules.model_input(everything, of(stem)[0])[0]).stem in rules.models_by_stem(everything)
    assert rules.model_input(everything, of("projections-mine_stft")[0]) == []
    assert of("blsh-weighted_mel_ssm")[1].weighted and not of("blsh_mel_ssm")[1].weighted
    assert of("blsh-context3_mel_ssm")[1].context == 3 and of("blsh_mel_ssm")[1].context == 1
    assert of("lsh-switch-matrices_stft")[1].matrix_per_length and not of("lsh_stft")[1].matrix_per_length
    neighbours = "results/demo/neighbours/open_mel_rho-0.1_rep-1.npy"
    assert rules.neighbours_file(everything, of("residual_mel")[0]) == [neighbours]
    assert rules.neighbours_file(everything, of("residual_mel", "closed")[0]) == []
    assert rules.neighbours_file(everything, jobs["open", "knn_mel_rho-0.1_rep-1"]) == [neighbours]
    assert rules.neighbours_file(everything, jobs["closed", "knn_mel_rho-0.1_rep-1"]) == []
    assert rules.neighbours_file(everything, jobs["open", "mixture"]) == []


def test_only_the_models_that_are_heard_are_waited_for(everything):
    heard = ["results/demo/models/blsh_stft_ssm.npz", "results/demo/models/residual_stft.npz"]
    assert rules.example_models(everything) == heard
    assert parsed("examples", rules.examples_settings(everything)).system == ["knn", "lsh", "blsh", "residual"]


def test_times_are_measured_of_what_the_complexity_table_shows(everything):
    values = parsed("speed", rules.speed_settings(everything))
    assert values.raw == ["stft", "mel"]
    # The file's projections have 30 bits. Of mel, BLSH is shown at 50, and as many bits as bands can be fitted.
    assert values.codes == ["stft=30,300", "mel=50,128,300"]
    changed = everything.model_copy(update={"networks": everything.networks.model_copy(update={"fc": ("2x32",)})})
    assert parsed("speed", rules.speed_settings(changed)).network == ["fc-2x32"]


def test_projections_outside_the_repository_leave_no_trace_of_the_machine(everything, tmp_path):
    text = str(rules.whole_settings(everything))
    assert str(tmp_path) not in text and "my.npz" in text
    for job in score_jobs(everything):
        assert str(tmp_path) not in str(rules.score_settings(everything, job))
    # The summaries need what is in them, and are told where they lie.
    arguments = parsed("aggregate", f"{text} {rules.projections_flag(everything)}")
    assert aggregate._config(arguments) == everything
    assert str(rules.projections_flag(parse_config(values_of()))) == ""


def test_odd_values_are_read_back():
    values = values_of()
    values["data"]["corpora"]["noise"] = {
        "reader": "folder",
        "folder": "my noises",
        "levels": ["split", "class"],
        "licence": "it's free; ask $ME",
    }
    values["data"]["noise"]["open"] = {"corpus": "noise", "classes": ["a b", 'c"d', "é*"]}
    values["data"]["sets"]["open"] = {"source": "open", "snr_db": -5.0, "noises_per_utterance": 2}
    values["data"]["speech"] |= {"seconds": 0.1 + 0.2, "per_speaker": 3, "held_out": 0}
    values["data"]["speech"]["validation"] = {"speakers": 4, "balance_gender": False}
    # Nothing is held out for it.
    del values["data"]["sets"]["closed"]
    values["grid"]["sets"] = ["validation", "open"]
    values["tables"]["icassp"] = {"sets": ["open"]}
    config = parse_config(values)
    for verb, settings in all_settings(config):
        assert_read_back(verb, settings)
    units = parsed("units", rules.units_settings(config))
    assert (units.seconds, units.any_gender, units.validation_speakers) == (0.1 + 0.2, True, 4)
    assert units.validation is None and units.held_out == 0
    drawn = parsed("draw", rules.draw_settings(config, "open"))
    assert (drawn.snr_db, drawn.noise_classes) == ([-5.0], ["a b", 'c"d', "é*"])


def test_a_set_that_repeats_another_is_drawn_as_it_is():
    values = yaml.safe_load((ROOT / "tests/experiment/plain.yaml").read_text())
    values["data"]["corpora"]["voicebank"] = {"reader": "voicebank", "folder": "VoiceBank-DEMAND"}
    values["data"]["sets"] |= {"open_minus5": {"same_as": "open", "snr_db": -5}, "voicebank": {"pairs": "voicebank"}}
    config = parse_config(values)
    assert parse_config(config.model_dump(mode="json")) == config
    first, again = (parsed("draw", rules.draw_settings(config, name)) for name in ("open", "open_minus5"))
    assert vars(again) == vars(first) | {"set": "open_minus5", "snr_db": [-5.0], "drawn_as": "open"}
    recorded = parsed("draw", rules.draw_settings(config, "voicebank"))
    assert (recorded.set, recorded.pairs_corpus, recorded.source) == ("voicebank", "voicebank", None)


@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"bias": False, "segments": "fixed", "n_segments": None},
        {"learning_rate": 1e-5, "max_passes": 20, "beta_scale": 0.5},
        {"learning_rate": 2.5e-7},
        {"learning_rate": 1},
        {"epsilon_on": "training", "n_epsilon_segments": 0},
    ],
)
def test_switches_arrive_as_the_values_of_the_configuration(switches):
    config = parse_config(values_of() | {"training": {"switches": switches, "n_bits": 200, "seed": 5}})
    arguments = parsed("train", rules.train_settings(config, Family("blsh", "mel", "ssm")))
    params = _params(arguments)
    assert params == replace(PROFILES["project"], **switches, n_bits=200, target=Target("ssm"))
    for name, value in switches.items():
        assert getattr(params, name) == value and type(getattr(params, name)) is type(value)
    assert (arguments.seed, arguments.feature, arguments.target) == (5, "mel", "ssm")


def test_the_whole_configuration_is_read_back_without_its_folder():
    config = parse_config(values_of() | {"corpora_folder": "/somewhere/else"})
    text = parsed("aggregate", rules.whole_settings(config)).config
    assert "somewhere" not in text
    assert parse_config(json.loads(text)) == config.model_copy(update={"corpora_folder": "data"})


def test_settings_as_flags():
    settings = Settings(
        a_b=1, none=None, off=False, on=True, empty=(), text="", words=("x y", "z"), pairs={"p": None, "q": True}
    )
    settings["fingerprint_of_it"] = "123"
    assert str(settings) == "--a-b 1 --on --words 'x y' z --pairs p=null q=true"
    assert str(Settings(x=0, y=0.0)) == "--x 0 --y 0.0"


def test_snakemake_compares_settings_and_code_but_not_folders():
    from snakemake.persistence import PersistenceBase

    def compared(value):
        text = PersistenceBase._serialize_param_builtin(None, value)
        return text if isinstance(text, str) else None

    config = parse_config(values_of())
    assert compared(rules.units_settings(config)) is not None
    assert compared(rules.code("units")) is not None
    assert compared(Settings(rho=0.1, repeat=1)) != compared(Settings(rho=0.1, repeat=2))
    assert compared(rules.corpora_flags(config)) is None
    assert compared(rules.folder_flag(config, "speech")) is None
    assert str(Untracked("--folder", "a b")) == "--folder 'a b'"


def folder_config(folder: Path) -> Config:
    values = values_of() | {"corpora_folder": str(folder)}
    values["data"]["corpora"]["noise"] = {"reader": "folder", "folder": "noises", "levels": ["split", "class"]}
    return parse_config(values)


def test_a_moved_folder_changes_no_settings_and_a_changed_one_does(tmp_path):
    (tmp_path / "here/noises/rain").mkdir(parents=True)
    (tmp_path / "here/noises/rain/1.wav").write_bytes(b"one")
    config = folder_config(tmp_path / "here")
    settings = rules.manifest_settings(config, "noise")
    flag = str(rules.folder_flag(config, "noise"))
    assert flag == f"--folder {tmp_path}/here/noises"
    assert str(tmp_path) not in str(settings) and "fingerprint" not in str(settings)

    (tmp_path / "here").rename(tmp_path / "there")
    moved = folder_config(tmp_path / "there")
    assert rules.manifest_settings(moved, "noise") == settings
    assert str(rules.folder_flag(moved, "noise")) != flag
    pairs = zip(all_settings(moved), all_settings(config), strict=True)
    assert {verb for (verb, new), (_, old) in pairs if new != old} == {"manifest"}  # that of the old, absent folder

    file = tmp_path / "there/noises/rain/1.wav"
    os.utime(file, ns=(1, 1))
    touched = rules.manifest_settings(moved, "noise")
    assert touched != settings
    shutil.copy2(file, file.with_name("2.wav"))
    grown = rules.manifest_settings(moved, "noise")
    assert grown not in (touched, settings)
    file.rename(file.with_name("3.wav"))
    assert rules.manifest_settings(moved, "noise") not in (grown, touched, settings)


def test_an_absent_folder_passes_a_dry_run(tmp_path):
    assert rules.manifest_settings(folder_config(tmp_path / "none"), "noise")["fingerprint"] == "absent"
    assert rules.manifest_settings(parse_config(values_of()), "noise")["fingerprint"] == "embedded"


def listed_config(listing: str) -> Config:
    """A configuration whose noise is restricted to listed files."""
    values = values_of()
    noise = {"reader": "folder", "folder": "noises", "levels": ["split", "class"], "listing": listing}
    values["data"]["corpora"]["noise"] = noise
    return parse_config(values)


def test_a_listing_belongs_to_the_settings_by_its_content(tmp_path):
    def settings(text: str) -> Settings:
        (tmp_path / "list.csv").write_text(text)
        return rules.manifest_settings(listed_config(str(tmp_path / "list.csv")), "noise")

    assert settings("a") == settings("a")
    assert settings("a") != settings("b")


def test_a_listing_is_found_in_the_repository_from_any_folder(tmp_path, monkeypatch):
    config = listed_config("config/list.csv")
    (tmp_path / "repository/config").mkdir(parents=True)
    (tmp_path / "repository/config/list.csv").write_text("a")
    monkeypatch.chdir(tmp_path)
    elsewhere = rules.manifest_settings(config, "noise", "repository")
    assert elsewhere["listing"] == "repository/config/list.csv"
    monkeypatch.chdir("repository")
    assert rules.manifest_settings(config, "noise", "/none") == elsewhere | {"listing": "config/list.csv"}
    Path("config/list.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"the listing config/list.csv is neither in .*repository nor in /none"):
        rules.manifest_settings(config, "noise", "/none")


@pytest.mark.parametrize("name", ["a $(touch RAN) 'b.npz", "{set}.npz", "<results>.npz", "./-x.npz", 'a"`b`;.npz'])
def test_projections_of_any_name_reach_their_job(tmp_path, monkeypatch, name):
    """By a flag, and by their content; Snakemake itself never sees the name."""
    monkeypatch.chdir(tmp_path)
    np.savez(name, P=np.ones((30, 513)), b=np.zeros(30))
    values = values_of() | {"projections": {"mine": name}}
    values["grid"] |= {"systems": ["projections"]}
    config = parse_config(values)
    job = score_jobs(config)[0]
    option, file = shlex.split(str(rules.model_flag(config, job)))
    assert option == "--model" and Path(file) == Path(name) and not file.startswith("-")
    assert rules.model_input(config, job) == []
    settings = rules.score_settings(config, job)
    assert "fingerprint" not in str(settings)
    np.savez(name, P=np.ones((30, 513)), b=np.ones(30))
    assert rules.score_settings(config, job) != settings
    assert rules.model_input(config, ScoreJob("open", "itq", "mel")) == ["results/demo/models/itq_mel.npz"]


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_score_jobs_write_the_cells_that_are_expected(path):
    config = parse_config(values_of(path))
    written = written_cells(config)
    cells = expected_cells(config)[[*CELL, "repeat"]].fillna({"snr_db": -1000.0})
    expected = [tuple(row) for row in cells.itertuples(index=False)]
    assert sorted(written) == sorted(expected)
    assert len(set(written)) == len(written)


def test_files_of_jobs_are_all_different():
    config = parse_config(values_of())
    files = rules.score_files(config) + rules.model_files(config) + rules.history_files(config)
    files += rules.ssm_files(config) + rules.all_manifests(config)
    assert len(set(files)) == len(files)


def test_another_system_or_repeat_changes_no_other_jobs_settings():
    def of(**grid):
        values = values_of()
        values["grid"] |= grid
        config = parse_config(values)
        own = {job.stem: rules.score_settings(config, job) for job in score_jobs(config)}
        shared = [s for v, s in all_settings(config) if v in ("manifest", "units", "draw", "frames", "ssm")]
        return own, shared, {model.stem: rules.train_settings(config, model) for model in models(config)}

    fewer, shared, trained = of(systems=["mixture", "lsh", "blsh"])
    more = {"systems": [*SYSTEMS[:-1]], "variants": ["weighted", "context5"], "switches": ["beta_scale", "matrices"]}
    for changes in ({"repeats": 3}, {"targets": ["ssm", "rbf-0.5"]}, more):
        jobs, shared_by_more, trained_by_more = of(**changes)
        assert set(fewer) < set(jobs)
        assert {stem: jobs[stem] for stem in fewer} == fewer
        assert [settings for settings in shared_by_more if settings in shared] == shared
        assert {stem: trained_by_more[stem] for stem in trained} == trained
    # A longer code belongs to the hashed systems and the training alone.
    longer, *_ = of(n_bits=[1, 5, 10, 25, 50, 100, 150, 200])
    changed = {stem.partition("_")[0] for stem in fewer if longer[stem] != fewer[stem]}
    assert changed == {"lsh", "blsh"}


def test_units_see_the_corpora_of_their_inputs_and_no_other():
    config = parse_config(values_of())
    flags = shlex.split(str(rules.corpora_flags(config, rules.speech_corpora(config))))
    named = [word.partition("=")[2] for word in flags if word.startswith("speech=")]
    assert not [word for word in flags if word.startswith("noise=")]
    assert named[0] in rules.speech_manifests(config) and len(named) == 2


def test_a_failed_run_is_told_how_to_finish():
    config = parse_config(values_of())
    command = rules.partial_command(config, "blsh run --configfile 'config/{a} b.yaml'")
    # Snakemake formats it once more.
    words = shlex.split(command.format().removeprefix("(").partition(") 2>")[0])
    first, second = words[: words.index("&&")], words[words.index("&&") + 1 :]
    assert first[:2] == ["blsh", "aggregate"] and second[:2] == ["blsh", "report"]
    assert parse_config(json.loads(first[first.index("--config") + 1])) == config
    assert second[second.index("--finish") + 1] == "blsh run --configfile 'config/{a} b.yaml'"
    assert "results/demo/partial" in second and "results/demo/partial/summaries" in first
