"""Every preset is valid, and every wrong key ends in one line that names it."""

from pathlib import Path

import pytest
import yaml

from blsh.corpora import READERS
from blsh.corpora.synthetic_noise import NOISES
from blsh.corpora.synthetic_speech import UTTERANCES_PER_SPEAKER
from blsh.experiment.config import load_config, parse_config
from blsh.experiment.config_corpora import _LABELS, READER_OPTIONS
from blsh.experiment.documents import GENERATED

ROOT = Path(__file__).resolve().parents[2]
PRESETS = [*sorted((ROOT / "config").glob("*.yaml")), ROOT / "tests/workflow/tiny.yaml"]


@pytest.fixture
def values() -> dict:
    return yaml.safe_load((ROOT / "tests/experiment/plain.yaml").read_text())


def change(values: dict, key: str, value) -> dict:
    *path, last = key.split(".")
    part = values
    for name in path:
        part = part.setdefault(name, {})
    part[last] = value
    return values


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_presets_are_valid_and_named_like_their_files(path):
    assert load_config(path).name == path.stem


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("gird", {}, r"unknown key gird; config/README.md lists the keys"),
        ("grid.rhos", [0.1], r"unknown key grid.rhos"),
        ("grid.rho", [0.0], r"grid.rho.0=0.0: Input should be greater than or equal to 0.000001"),
        ("grid.rho", [1.5], r"grid.rho.0=1.5: Input should be less than or equal to 1"),
        (
            "grid.rho",
            [0.1, 0.1],
            r"grid.rho.*\[0.1, 0.1\] must be a list of at least one value without repeats",
        ),
        ("grid.n_bits", [0], r"grid.n_bits.0=0: Input should be greater than or equal to 1"),
        ("grid.n_bits", [], r"grid.n_bits.*must be a list of at least one value"),
        ("grid.n_neighbours", 0, r"grid.n_neighbours=0"),
        ("grid.features", ["cqt"], r"grid.features.0='cqt'"),
        ("grid.systems", ["magic"], r"grid.systems.0='magic'"),
        (
            "grid.sets",
            ["elsewhere"],
            r"set 'elsewhere' is not in data.sets \(train, closed, validation, open\)",
        ),
        ("data.corpora.speech.reader", "timid", r"reader='timid' is unknown; choose one of demand, duan, esc"),
        ("data.corpora.speech.reader", "folder", r"reader 'folder' needs a folder"),
        ("data.corpora.speech.levels", ["speaker"], r"reader 'synthetic_speech' has no option 'levels'"),
        ("data.noise.open.corpus", "moise", r"corpus='moise' is not in data.corpora \(speech, noise\)"),
        ("data.sets", {"open": {"source": "open"}}, r"data.sets needs a set 'train'"),
        ("data.sets.loud", {"snr_db": 5}, r"a set has one of source, same_as and pairs, not none"),
        ("data.sets.loud", {"source": "open", "same_as": "open"}, r"not source and same_as"),
        ("data.sets.loud", {"same_as": "open", "mixtures": 3}, r"mixtures=3 does not go with same_as; leave it out"),
        ("data.sets.loud", {"pairs": "noise", "snr_db": 5}, r"snr_db=5.0 does not go with pairs; leave it out"),
        (
            "data.sets.loud",
            {"same_as": "train", "snr_db": 5},
            r"same_as='train' is no set with a source other than train \(closed, validation, open\)",
        ),
        (
            "data.sets.real",
            {"pairs": "noise"},
            r"pairs='noise' is no corpus with the reader voicebank \(there is none\)",
        ),
        (
            "data.speech.train",
            {"corpus": "speech", "speakers": "authors_train"},
            r"speakers='authors_train' is a rule for the reader timit, which corpus 'speech' has not; leave it out",
        ),
        (
            "networks.fc",
            ["3x"],
            r"variant '3x' of fc is not of the form 3x256, depth x width",
        ),
        ("networks.fc", ["4x64"], r"variant '4x64' of fc does not exist: its first number must be 2 or 3"),
        ("networks.fc", ["2x64", "2x64"], r"a network is named twice; once will do"),
        ("networks", {"conv_tasnet": ["3x8"], "loss": "mask_mse"}, r"loss='mask_mse' needs a mask, which conv_tasnet"),
        ("networks.device", "tpu", r"networks.device='tpu'"),
        ("networks.max_minutes", 0, r"networks.max_minutes=0"),
        ("networks.gru", ["2x64"], r"unknown key networks.gru"),
        ("tables.taslp", {"further_sets": ["elsewhere"]}, r"set 'elsewhere' is not in data.sets"),
        (
            "tables.taslp",
            {"further_sets": ["open"]},
            r"set 'open' is named twice in grid.sets and the tables' further_sets; once will do",
        ),
        (
            "grid.targets",
            ["rbf-0"],
            r"grid.targets=\['rbf-0'\]: the target rbf needs sigma2 > 0, not 0.0; config/README",
        ),
        ("grid.targets", ["ssm", "rbf--0.1"], r"grid.targets.*: the target rbf needs sigma2 > 0, not -0.1;"),
        ("grid.targets", ["rbf"], r"grid.targets.*: the target rbf needs its parameter, sigma2 > 0;"),
        ("grid.targets", ["rbf-wide"], r"grid.targets.*: target 'rbf-wide': 'wide' is not a number"),
        ("grid.targets", ["mix-2"], r"grid.targets.*: the target mix needs a weight between 0 and 1, not 2.0;"),
        ("grid.targets", ["cosine"], r"grid.targets.*: target='cosine' is unknown: choose one of ssm, rbf, power, mix"),
        ("grid.targets", ["centred-0.5"], r"target centred-0.5 is of residual boosting; use the system 'residual'"),
        ("grid.targets", ["rbf-0.5", "rbf-0.50"], r"\['rbf-0.5', 'rbf-0.5'\] must be a list .* without repeats"),
        ("grid.targets", [], r"grid.targets.*must be a list of at least one value"),
        (
            "grid.variants",
            ["context4"],
            r"variant 'context4' is unknown; choose weighted, or context and an odd number",
        ),
        ("grid.variants", ["context1"], r"variant 'context1' is unknown"),
        ("grid.variants", ["weighted", "weighted"], r"grid.variants.*without repeats"),
        ("grid.switches", ["passes"], r"grid.switches.0='passes'"),
        ("grid.switches", ["bias", "bias"], r"grid.switches.*without repeats"),
        ("training.residual", {"passes": 3}, r"switch 'passes' is unknown; choose one of beta_scale"),
        ("training.residual", {"n_segments": 0}, r"n_segments=0 must be at least 1"),
        ("tables.rivals", {"n_bits": [0]}, r"tables.rivals.n_bits.0=0"),
        ("tables.rivals", {"sets": ["elsewhere"]}, r"set 'elsewhere' is not in data.sets"),
        (
            "projections",
            {"mine": "my.npz"},
            r"projections={'mine': 'my.npz'} do not fit: name the system 'projections'",
        ),
        ("projections", {"a/b": "my.npz"}, r"projections.a/b"),
        ("training.n_bits", 100, r"grid.n_bits=150 exceeds training.n_bits=100; raise the latter"),
        ("training.profile", "theirs", r"training.profile='theirs'"),
        ("training.switches", {"passes": 3}, r"switch 'passes' is unknown; choose one of beta_scale"),
        ("training.switches", {"max_passes": 3}, r"max_passes=3 is below min_passes"),
        ("name", "a/b", r"name='a/b'"),
        ("name", "x" * 65, r"name='x+': String should have at most 64 characters"),
        (
            "data.sets",
            {"open" + 20 * "ab": {"same_as": "open"}},
            r"ends in twenty times the same, which Snakemake refuses",
        ),
        ("name", "data", r"name='data': results/data is the folder of the mixtures; choose another name"),
        ("name", "Data", r"name='Data': results/data is"),
        ("title", "a\nb", r"title='a\\nb': must be one line of text without control characters"),
        ("title", "", r"title='': must be one line of text"),
        ("title", "\ud800", r"title='\\ud800': must be one line of text"),
        (
            "title",
            "x" * 60_000,
            r"the configuration has 6\d,\d+ bytes when it is written out for a command, more than 50,",
        ),
        ("corpora_folder", "-x", r"corpora_folder='-x': begins with '-', which a command takes for a flag; rename it"),
        ("seed", -1, r"seed=-1"),
        ("seed", 2**63, r"seed=9223372036854775808: Input should be less than 9223372036854775808"),
        ("grid.repeats", 10**9, r"grid.repeats=1000000000: Input should be less than or equal to 1000"),
        ("grid.repeats", 1000, r"the grid has 108,000 combinations of set, .*, more than 100,000; take fewer"),
        ("grid.rho", [1e-300], r"grid.rho.0=1e-300: Input should be greater than or equal to 0.000001"),
        ("grid.n_bits", [70000], r"grid.n_bits.0=70000: Input should be less than or equal to 65535"),
        ("grid.variants", ["context101"], r"variant 'context101' is unknown; choose .* at most 99"),
        ("grid.targets", ["rbf-1e-50"], r"the target rbf needs sigma2 > 0, not 1e-50"),
        ("training.n_bits", 70000, r"training.n_bits=70000: Input should be less than or equal to 65535"),
        ("training.switches", {"segment_frames": 2.5}, r"wrong type \(segment_frames=2.5 must be a whole number\)"),
        ("training.switches", {"min_passes": True}, r"min_passes=True must be a whole number"),
        ("training.switches", {"n_segments": "40"}, r"n_segments='40' must be a whole number"),
        ("training.switches", {"segment_frames": 10**12}, r"segment_frames is above its largest value 1000000000"),
        ("training.switches", {"learning_rate": "1e-4"}, r"learning_rate='1e-4' must be a number\); YAML takes 1e-4"),
        ("training.switches", {"bias": 1}, r"bias=1 is unknown: choose one of True, False"),
        ("training.switches", {"beta_scale": True}, r"beta_scale=True is unknown: choose one of 1.0, 0.5"),
        (
            "metrics.sweep",
            [],
            r"metrics.sweep=\[\]: must be a list of at least one value; add one, or leave the key out",
        ),
        ("metrics.sweep", ["sdr", "sdr"], r"metrics.sweep.*'sdr' is named twice; once will do"),
        ("results.ssm_bits", [], r"results.ssm_bits=\[\]: must be a list of at least one value"),
        ("results.ssm_bits", [10, 10], r"results.ssm_bits=\[10, 10\]: 10 is named twice"),
        ("tables.taslp.blsh_bits", {"stft": 150}, r"blsh_bits=\{'stft': 150\} has no code length for 'mel', a feature"),
        ("tables.icassp", {"sets": ["open", "open"]}, r"tables.icassp.sets.*'open' is named twice"),
        ("networks.fc", ["2x64", "02x064"], r"a network is named twice; once will do"),
        (
            "networks.fc",
            ["3x99999"],
            r"'3x99999' of fc has 2e\+10 parameters, more than 1e\+09: take fewer or smaller lay",
        ),
        ("networks.conv_tasnet", ["1x17"], r"variant '1x17' of conv_tasnet has over 16 blocks: take fewer"),
        ("networks.max_minutes", float("nan"), r"networks.max_minutes=nan: Input should be a finite number"),
        (
            "data.corpora.units",
            {"reader": "synthetic_noise"},
            r"'units' is the table beside the manifests; choose anoth",
        ),
        ("data.corpora.SPEECH", {"reader": "synthetic_speech"}, r"corpora 'speech' and 'SPEECH' differ in case only"),
        ("data.corpora.noise.listing", "list.csv", r"reader 'synthetic_noise' makes its recordings and has no listing"),
        (
            "data.corpora.x",
            {"reader": "folder", "folder": "x"},
            r"reader 'folder' needs one of 'levels', .* and 'table'",
        ),
        (
            "data.corpora.x",
            {"reader": "folder", "folder": "x", "levels": ["class"], "table": "t.csv"},
            r"reader 'folder' needs one of 'levels'",
        ),
        ("data.corpora.x", {"reader": "folder", "folder": "x", "levels": ["split"]}, r"must name 'speaker' or 'class'"),
        ("data.corpora.x", {"reader": "folder", "folder": "x", "levels": ["room"]}, r"level 'room' is unknown"),
        (
            "data.corpora.x",
            {"reader": "duan", "folder": "x", "classes": ["cats"]},
            r"reader 'duan' has no class 'cats' \(it has: birds, .*, ocean\); correct the name, or leave it out",
        ),
        (
            "data.corpora.x",
            {"reader": "timit", "folder": "x", "splits": ["dev"]},
            r"'timit' has no split 'dev' \(it has:",
        ),
        ("data.corpora.x", {"reader": "esc", "folder": "x", "classes": ["a", "a"]}, r"'a' is named twice"),
        ("data.corpora.x", {"reader": "esc", "folder": "a\0b"}, r"folder='a\\x00b': must be one line of text without"),
        ("data.noise.open.splits", ["tset"], r"noise.open: corpus 'noise' has no split 'tset' \(it has: train, valid"),
        ("data.noise.open.classes", ["dog"], r"noise.open: corpus 'noise' has no class 'dog' \(it has: birds, casino"),
        (
            "data.noise.open.corpus",
            "speech",
            r"noise.open: corpus 'speech' \(reader 'synthetic_speech'\) is speech and",
        ),
        (
            "data.speech.open.corpus",
            "noise",
            r"speech.open: corpus 'noise' \(reader 'synthetic_noise'\) is noise and no",
        ),
        ("data.speech.open.classes", ["dog"], r"speech.open: classes=\['dog'\] are of noise; leave them out"),
        (
            "data.speech.open.splits",
            [],
            r"speech.train and speech.open take the same recordings of corpus 'speech'; name",
        ),
        ("data.speech.seconds", 0.03, r"data.speech.seconds=0.03: Input should be greater than or equal to 0.0320625"),
        ("data.speech.seconds", 1e300, r"data.speech.seconds=1e\+300: Input should be less than or equal to 3600"),
        ("data.speech.held_out", 0, r"set 'closed' has no speech with speech.held_out=0 and per_speaker=None"),
        ("data.speech.per_speaker", 1, r"set 'closed' has no speech with speech.held_out=1 and per_speaker=1"),
        ("data.sets.open.snr_db", float("nan"), r"data.sets.open.snr_db=nan: Input should be a finite number"),
        ("data.sets.open.snr_db", -7000, r"data.sets.open.snr_db=-7000: Input should be greater than or equal to -100"),
        ("data.sets.open.noises_per_utterance", 21, r"set 'open': noises_per_utterance=21 exceeds its noise's 20 clas"),
        ("data.sets.OPEN", {"source": "open"}, r"sets 'open' and 'OPEN' differ in case only, and so would their files"),
        ("data.sets.closed.source", "open", r"data.sets needs a set 'closed' whose source is 'closed'"),
        (
            "data.sets.validation",
            {"same_as": "open"},
            r"data.sets needs a set 'validation' whose source is 'validation'",
        ),
        ("seed", True, r"seed=True: true and false are no numbers; write a number"),
        ("grid.n_bits", [True, 20], r"grid.n_bits=\[True, 20\]: true and false are no numbers"),
        ("grid.rho", [True], r"grid.rho=\[True\]: true and false are no numbers"),
        ("data.speech.seconds", True, r"data.speech.seconds=True: true and false are no numbers"),
        ("tables.taslp.blsh_bits", {"stft": True, "mel": 50}, r"tables.taslp.blsh_bits: true and false are no numbers"),
        ("data.sets.voicebank", {"source": "open"}, r"set 'voicebank' is shown as VoiceBank-DEMAND and needs pairs"),
    ],
)
def test_wrong_values_are_named(values, key, value, message):
    with pytest.raises(ValueError, match=message) as caught:
        parse_config(change(values, key, value), "mine.yaml")
    assert str(caught.value).startswith("mine.yaml: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"systems": ["lsh", "projections"]}, r"projections=\{\} do not fit: name the system 'projections' and a file"),
        (
            {"systems": ["lsh"], "variants": ["weighted"]},
            r"variants=\['weighted'\] are of blsh, which is not in systems",
        ),
        (
            {"systems": ["lsh"], "switches": ["bias"]},
            r"switches=\['bias'\] are of blsh, which is not in systems; add it",
        ),
        (
            {"systems": ["blsh"], "switches": ["matrices"]},
            r"switches=\['matrices'\] is of lsh, which is not in systems",
        ),
    ],
)
def test_keys_that_need_a_system(values, grid, message):
    values["grid"] |= grid
    with pytest.raises(ValueError, match=message) as caught:
        parse_config(values)
    assert "\n" not in str(caught.value)


def test_sets_have_the_names_that_jobs_know(values):
    sets = values["data"]["sets"]
    values["data"]["sets"] = {"train": sets["train"], "dev": sets["validation"], "test": sets["open"]}
    with pytest.raises(
        ValueError, match=r"needs a set 'validation' whose source is 'validation': train, validation and"
    ):
        parse_config(values)


def test_speakers_of_a_tree_have_no_gender_to_balance(values):
    values["data"]["corpora"]["speech"] = {"reader": "folder", "folder": "x", "levels": ["split", "speaker"]}
    values["data"]["speech"]["validation"] = {"speakers": 2}
    with pytest.raises(
        ValueError, match=r"speech.validation: corpus 'speech' has no level 'gender' .*balance_gender: f"
    ):
        parse_config(values)
    values["data"]["speech"]["validation"]["balance_gender"] = False
    parse_config(values)


def test_a_selection_lies_within_what_is_read_of_its_corpus(values):
    values["data"]["corpora"]["noise"] = {"reader": "duan", "folder": "x", "classes": ["birds", "ocean"]}
    of_noise = {"corpus": "noise", "classes": ["ocean"]}
    values["data"]["noise"] = {"train": of_noise, "validation": of_noise, "open": of_noise}
    parse_config(values)
    values["data"]["noise"]["open"] = {"corpus": "noise", "classes": ["jungle"]}
    with pytest.raises(ValueError, match=r"noise.open: corpus 'noise' has no class 'jungle' \(it has: birds, ocean\)"):
        parse_config(values)


def test_networks_train_on_crops_of_a_second(values):
    values["data"]["speech"]["seconds"] = 0.8
    parse_config(values)
    values["networks"] = {"fc": ["2x32"]}
    with pytest.raises(ValueError, match=r"data.speech.seconds=0.8 is shorter than the crops of a second"):
        parse_config(values)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["context3"], r"projections: 'context3' begins like an option of blsh; choose another name"),
        (["weighted"], r"projections: 'weighted' begins like an option"),
        (["mine", "Mine"], r"projections 'mine' and 'Mine' differ in case only"),
    ],
)
def test_projections_have_names_of_their_own(values, names, message):
    values["grid"]["systems"] = ["projections"]
    with pytest.raises(ValueError, match=message):
        parse_config(values | {"projections": dict.fromkeys(names, "my.npz")})


def test_labels_of_built_in_corpora_are_those_of_their_readers():
    assert _LABELS["synthetic_noise"].classes == tuple(noise.name for noise in NOISES)
    assert set(_LABELS["synthetic_noise"].splits) == {noise.split for noise in NOISES} == set(UTTERANCES_PER_SPEAKER)
    assert {*_LABELS, "folder"} == set(READERS)


def test_a_switch_must_fit_the_others(values):
    # All segments cannot be drawn afresh each round.
    values["training"] = {"switches": {"segments": "fresh", "n_segments": 3}}
    values["grid"]["switches"] = ["n_segments"]
    with pytest.raises(ValueError, match="segments='fresh' needs n_segments"):
        parse_config(values)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", r"not a YAML file"),
        ("", r"holds no keys"),
        ("- a\n- b", r"holds no keys"),
        ("__use_yte__: true\n?print(1): 2", r"__use_yte__ would run code"),
        ("a: {__use_yte__: true}", r"__use_yte__ would run code"),
        ("a: !!python/object/apply:os.system [true]", r"line 1 is of the kind 'python/object/apply:os.system'"),
    ],
)
def test_files_that_are_no_configuration(tmp_path, text, message):
    path = tmp_path / "odd.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        load_config(path)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none.yaml: no such configuration file; presets are in config/"):
        load_config(tmp_path / "none.yaml")


@pytest.mark.parametrize("name", GENERATED)
def test_generated_documents_are_up_to_date(name):
    assert (ROOT / name).read_text(encoding="utf-8") == GENERATED[name](), "run 'make docs'"


def test_every_reader_has_its_options_listed():
    assert set(READER_OPTIONS) == set(READERS)
