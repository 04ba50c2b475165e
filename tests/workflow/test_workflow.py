"""The workflow as a person runs it: dry, whole, again, killed, with one core, and failing half-way.

Every run works in a temporary folder that holds a copy of the repository's workflow, so that no test touches the
checkout's results. Three runs are shared by the tests, also among the processes of pytest-xdist:

``whole``    the smoke run on two cores
``one``      a smaller grid with a longer training, on one core, from nothing
``killed``   the same on two cores with the data of ``whole``, killed in the middle of training and run again
"""

import contextlib
import fcntl
import json
import os
import re
import shlex
import shutil
import signal
import site
import subprocess
import sys
import venv
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import psutil
import pytest
import yaml

from blsh.denoising.architectures import NETWORKS
from blsh.experiment.config import Config, load_config
from blsh.experiment.config_grid import CONTROLS
from blsh.experiment.grid import ScoreJob, data_folder, score_jobs
from blsh.experiment.rules import history_files, model_files, neighbours_file, network_files, score_files, ssm_files
from blsh.files.arrays import load_stamped
from blsh.hashing.training_state import KIND, VERSION
from blsh.reporting.scores import read_scores
from tests.waiting import PATIENCE_S, wait_until

ROOT = Path(__file__).resolve().parents[2]
TINY = "tests/workflow/tiny.yaml"
LONG = "long.yaml"
N_BITS = 300


def make_workspace(folder: Path) -> None:
    """Copy what a run needs of the repository, and add a preset whose training can be killed half-way."""
    for name in ("workflow", "config", "profiles", "tests/workflow"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", "environment.yml"):
        shutil.copy2(ROOT / name, folder)
    values = yaml.safe_load((ROOT / TINY).read_text())
    values["name"] = "long"
    del values["networks"]  # of their training tables show the time
    values["grid"] |= {"systems": ["mixture", "lsh", "blsh"], "features": ["mel"], "sets": ["open"], "repeats": 1}
    # A state of unfinished training is first saved after some seconds.
    values["training"] = {
        "n_bits": N_BITS,
        "switches": values["training"]["switches"]
        | {"segment_frames": 500, "n_segments": 6, "min_passes": 10, "max_passes": 10},
    }
    (folder / LONG).write_text(yaml.safe_dump(values, sort_keys=False))


def command(preset: str, cores: int) -> list[str]:
    return [sys.executable, "-m", "blsh", "run", "--configfile", preset, "--cores", str(cores)]


def run(words: list[str], folder: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess:
    found = subprocess.run(
        words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE_S, env=env
    )
    assert found.returncode == 0, found.stdout[-4000:]
    return found


def once(folder: Path, make: Callable[[Path], None]) -> Path:
    """Make a folder in whichever process comes first; the others wait for it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    done = folder.with_suffix(".done")
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            make_workspace(folder)
            make(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def runs(tmp_path_factory) -> Path:
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "runs"


@pytest.fixture(scope="session")
def whole(runs) -> Path:
    return once(runs / "whole", lambda folder: run(command(TINY, 2), folder))


@pytest.fixture(scope="session")
def one(runs) -> Path:
    return once(runs / "one", lambda folder: run(command(LONG, 1), folder))


@pytest.fixture(scope="session")
def killed(runs, whole) -> Path:
    def make(folder: Path) -> None:
        shutil.copytree(whole / "results/data", folder / "results/data")
        kill_while_training(folder)
        run(command(LONG, 2), folder)

    return once(runs / "killed", make)


def kill_while_training(folder: Path) -> None:
    """Start a run, kill it without warning when a state of its training is on disk, and write down what was left."""
    models = folder / "results/long/models"
    state, model = models / "blsh_mel_ssm.state.npz", models / "blsh_mel_ssm.npz"
    with open(folder / "killed.log", "w") as log:
        process = subprocess.Popen(
            command(LONG, 2), cwd=folder, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        wait_until(lambda: state.exists() or model.exists() or process.poll() is not None, "training")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    wait_until(lambda: not at_work_in(folder), "the end of all jobs")
    rounds = len(load_stamped(state, KIND, VERSION)[1]["beta"]) if state.exists() else 0
    facts = {
        "rounds in the state": rounds,
        "model": model.exists(),
        "locks": len(list(folder.glob(".snakemake/locks/*"))),
        "history": model.with_suffix(".csv").exists(),
    }
    (folder / "killed.json").write_text(json.dumps(facts))


def at_work_in(folder: Path) -> list[int]:
    found = []
    for process in psutil.process_iter(["pid", "cwd", "status"]):
        if process.info["cwd"] == str(folder.resolve()) and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process.info["pid"])
    return found


def config_of(folder: Path, preset: str) -> Config:
    return load_config(folder / preset)


def jobs_of(printed: str) -> dict[str, int]:
    """Read the table of jobs that Snakemake prints."""
    table = re.search(r"Job stats:\n(.*?)\n\n", printed, re.DOTALL).group(1)
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}


def by_rule(jobs: Iterable[ScoreJob]) -> Counter:
    """Count score jobs by the rule that does them."""
    rules = dict.fromkeys(CONTROLS, "score_control") | dict.fromkeys(("knn", "lsh", "lsh_fixed"), "score_neighbours")
    rules |= dict.fromkeys(NETWORKS, "score_network")
    return Counter(rules.get(job.system, "score_codes") for job in jobs)


def same_files(first: Path, second: Path, pattern: str) -> list[str]:
    """Names, relative to the folders, of the files that both have with the same bytes; every one must be.

    The table of complexity is left out: it shows measured times.
    """

    def named(folder: Path) -> list[str]:
        found = (path for path in folder.glob(pattern) if path.is_file() and path.stem != "complexity")
        return sorted(str(path.relative_to(folder)) for path in found)

    names = named(first)
    assert names and names == named(second)
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    return names


ELSEWHERE = ["-s", "workflow/Snakefile", "--directory", "../elsewhere"]


@pytest.mark.parametrize("entry", [[], ELSEWHERE], ids=["root", "workflow"])
@pytest.mark.parametrize("preset", [TINY, "config/open_small.yaml"])
def test_dry_runs_from_both_entry_points(tmp_path, preset, entry):
    make_workspace(tmp_path / "work")
    changes = ["--config", "training={n_bits: null, seed: 3}", "title=*bold*"]
    words = [sys.executable, "-m", "snakemake", *entry, "--configfile", preset, "--dry-run", *changes]
    printed = run(words, tmp_path / "work").stdout
    assert "profiles/default" in printed
    found = jobs_of(printed)
    config = config_of(tmp_path / "work", preset)
    expected = by_rule(score_jobs(config)) | {
        "manifest": 2,
        "units": 1,
        "draw": len(config.data.sets),
        "frames": 1,
        "train": len(history_files(config)),
        "fit": len(model_files(config)) - len(history_files(config)),
        "neighbours": len({path for job in score_jobs(config) for path in neighbours_file(config, job)}),
        "ssm": len(ssm_files(config)),
        "train_network": len(network_files(config)),
        "noises": len(config.grid.sets),
    }
    expected |= dict.fromkeys(("examples", "speed", "aggregate", "provenance", "report"), 1)
    expected = {name: count for name, count in expected.items() if count}
    assert {name: found[name] for name in expected} == expected
    assert found["total"] == sum(expected.values()) + 1
    assert not (tmp_path / "work/results").exists()


def test_snakemakes_own_report_has_every_result_with_its_caption(whole, tmp_path):
    path = tmp_path / "snakemake.html"
    run([sys.executable, "-m", "snakemake", "--configfile", TINY, "--report", str(path)], whole)
    page = path.read_text(encoding="utf-8")
    shown = [*whole.glob("results/tiny/tables/*.csv"), *whole.glob("results/tiny/figures/*.png")]
    shown += [whole / "results/tiny/scorecard.csv", whole / "results/tiny/report.html"]
    assert len(shown) > 15
    assert [one.name for one in shown if f'"{one.relative_to(whole)}": {{' not in page] == []
    for words in (
        "from recordings to tables and figures",
        "the arrangement of ICASSP 2020, Table 1",
        "TASLP 2022, Fig. 6",
    ):
        assert words in page


def test_all_files_of_the_contract_are_there(whole):
    config = config_of(whole, TINY)
    data, results = whole / data_folder(config), whole / "results/tiny"
    expected = [whole / path for path in score_files(config) + model_files(config) + network_files(config)]
    expected += [whole / path for path in history_files(config) + ssm_files(config)]
    expected += [
        data / "manifests" / f"{name}{suffix}" for name in config.data.corpora for suffix in (".csv", ".skipped.csv")
    ]
    expected += [data / "mixtures" / f"{name}.csv" for name in config.data.sets]
    expected += [data / "features" / f"{name}.npy" for name in config.grid.features]
    expected += [data / "masks/train.npy", data / "masks/constant.npy"]
    names = ("aggregated.csv", "training.csv", "sizes.csv", "claims.csv", "ssm.npz", "utterances.parquet")
    expected += [results / "summaries" / name for name in names]
    expected += [results / "tables" / f"icassp_table1.{suffix}" for suffix in ("csv", "md", "tex")]
    for figure in ("icassp_fig2", "icassp_fig3", "taslp_fig6"):
        expected += [results / "figures" / f"{figure}.{suffix}" for suffix in ("pdf", "png", "svg")]
    expected += [results / name for name in ("provenance.json", "audio/examples.json", "report.html")]
    assert [str(path) for path in expected if not path.is_file()] == []
    assert [str(path) for path in expected if path.stat().st_size == 0] == []
    # No temporary names; Snakemake itself marks folders that are results as a whole.
    hidden = {str(path.relative_to(results)) for path in whole.glob("results/**/.*") if path.is_file()}
    assert hidden == {f"{name}/.snakemake_timestamp" for name in ("tables", "figures")}
    assert list(whole.glob("results/**/*.state.npz")) == []


def test_the_report_is_one_whole_page(whole):
    page = (whole / "results/tiny/report.html").read_text(encoding="utf-8")
    assert len(page) < 15_000_000
    sources = re.findall(r"""(?:src|href)=["']([^"']{0,40})""", page)
    assert sources and all(source.startswith(("data:", "#", "https://")) for source in sources)
    assert not re.search(r"""src=["']https?:""", page)
    assert str(whole) not in page
    assert page.count("data:audio/") >= 3


def test_scores_are_all_there_and_ordered(whole):
    config = config_of(whole, TINY)
    scores = read_scores([whole / path for path in score_files(config)])
    assert (scores["sdr"].notna() | (scores["reason"] != "")).all()
    mean = scores.groupby(["set", "system"])["sdr"].mean()
    for name in config.grid.sets:
        best = mean[name].idxmax()
        assert best in ("ibm", "irm")
        assert mean[name, "knn"] > mean[name, "mixture"]


def test_every_job_leaves_its_command_and_its_cost(whole):
    results = [whole / "results/tiny", whole / data_folder(config_of(whole, TINY))]
    logs = [path for folder in results for path in (folder / "logs").rglob("*.log")]
    costs = [path for folder in results for path in (folder / "benchmarks").rglob("*.tsv")]
    assert len(logs) == len(costs) > 20
    assert all(path.read_text().startswith("$ blsh ") for path in logs)


def test_the_command_of_a_log_makes_the_same_bytes(whole):
    results = whole / "results/tiny"
    log = sorted(results.glob("logs/score_open_lsh_mel_*.log"))[0]
    words = shlex.split(log.read_text().splitlines()[0].removeprefix("$ blsh "))
    output = words[words.index("-o") + 1]
    again = "by_hand.parquet"
    run([sys.executable, "-m", "blsh", *[again if word == output else word for word in words]], whole)
    assert (whole / again).read_bytes() == (whole / output).read_bytes()


def make_environment(folder: Path) -> Path:
    """Make a Python environment that has what this one has, with a script `blsh`; return its Python."""
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    lines = [f"import site; site.addsitedir({path!r})\n" for path in site.getsitepackages()]
    (packages / "same.pth").write_text("".join(lines))
    script = folder / "bin/blsh"
    script.write_text('#!/bin/sh\nexec "$(dirname "$0")/python" -m blsh "$@"\n')
    script.chmod(0o755)
    return folder / "bin/python"


def test_no_name_of_a_file_or_folder_is_run_by_a_shell(whole, tmp_path):
    folder = tmp_path / "a $(touch RAN) 'folder"
    shutil.copytree(whole, folder)
    python = make_environment(folder / ".venv")
    values = yaml.safe_load((folder / TINY).read_text())
    values["grid"]["systems"].append("projections")
    values["projections"] = {"mine": "a $(touch RAN) 'b.npz"}
    rng = np.random.default_rng(0)
    np.savez(folder / "a $(touch RAN) 'b.npz", P=rng.standard_normal((16, 128)), b=rng.standard_normal(16))
    preset = "my $(touch RAN) {'preset}.yaml"
    (folder / preset).write_text(yaml.safe_dump(values, sort_keys=False))
    score = "results/tiny/scores/open/projections-mine_mel_rho-0.1_rep-1.parquet"
    words = ["-m", "blsh", "run", "--configfile", preset, "--config", "title=$(touch RAN)", "--cores", "2", "--", score]
    assert jobs_of(run([str(python), *words], folder).stdout) == {"score_codes": 1, "total": 1}
    made = (folder / score).read_bytes()
    log = (folder / "results/tiny/logs/score_open_projections-mine_mel_rho-0.1_rep-1.log").read_text()
    # The command in its log, pasted into a shell.
    pasted = log.splitlines()[0].removeprefix("$ ").replace(score, "by_hand.parquet")
    run(["sh", "-c", pasted], folder, os.environ | {"PATH": f"{python.parent}:{os.environ['PATH']}"})
    assert (folder / "by_hand.parquet").read_bytes() == made
    assert not list(tmp_path.rglob("RAN"))


@pytest.mark.long
def test_more_systems_add_their_jobs_and_do_nothing_again(whole, tmp_path):
    folder = tmp_path / "work"
    shutil.copytree(whole, folder)
    values = yaml.safe_load((folder / TINY).read_text())
    values["grid"] |= {
        "systems": [*values["grid"]["systems"], "pca_sign", "itq", "residual", "projections"],
        "sets": ["open"],
        "targets": ["ssm", "rbf-0.5"],
        "variants": ["weighted", "context3"],
        "switches": ["segments", "matrices"],
    }
    values["projections"] = {"mine": str(folder / "my.npz")}  # outside the repository, for all that jobs know
    rng = np.random.default_rng(0)
    np.savez(folder / "my.npz", P=rng.standard_normal((16, 128)), b=rng.standard_normal(16))
    (folder / "more.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    before, config = config_of(folder, TINY), config_of(folder, "more.yaml")
    with contextlib.chdir(folder):
        added = [job for job in score_jobs(config) if job not in score_jobs(before)]
        expected = by_rule(added) | {
            "train": len(history_files(config)) - len(history_files(before)),
            "fit": 4,
            "neighbours": 0,
            "ssm": 1,  # a further target has the first feature only
            "speed": 1,
            "aggregate": 1,
        }
        scored = {path: (folder / path).stat().st_mtime_ns for path in score_files(before)}
    target = "results/tiny/summaries/aggregated.csv"
    words = [sys.executable, "-m", "snakemake", "--configfile", "more.yaml", "--cores", "2"]
    found = jobs_of(run([*words, target], folder).stdout)
    assert found == {name: count for name, count in expected.items() if count} | {"total": sum(expected.values())}
    assert {path: (folder / path).stat().st_mtime_ns for path in scored} == scored
    with contextlib.chdir(folder):
        scores = read_scores(score_files(config))
    cells = scores.groupby(["system", "variant", "feature", "target"])["n_bits"].agg(["min", "max"])
    assert cells.loc["projections", "mine", "mel", ""].tolist() == [1, 16]
    assert cells.loc["blsh", "context3", "stft", "ssm"].tolist() == [20, 20]
    assert cells.loc["lsh", "switch-matrices", "stft", ""].tolist() == [20, 20]
    assert cells.loc["itq", "", "mel", ""].tolist() == cells.loc["residual", "", "stft", ""].tolist() == [1, 20]
    at = scores[(scores["n_bits"] == 20) & (scores["variant"] == "")].groupby("system")["recall"].mean()
    assert ((at > 0) & (at < 1)).all() and set(at.index) == {"lsh", "blsh", "pca_sign", "itq", "residual"}


def test_a_second_run_finds_nothing_to_do(whole):
    printed = run(command(TINY, 2), whole).stdout
    assert "Nothing to be done" in printed
    assert printed.splitlines()[-1] == "report: results/tiny/report.html"


@pytest.mark.long
def test_a_killed_run_resumes_with_the_same_result(killed, one):
    facts = json.loads((killed / "killed.json").read_text())
    if not facts["rounds in the state"]:
        pytest.skip(f"training of {N_BITS} bits ended before its first state was saved: this machine is too fast")
    assert 0 < facts["rounds in the state"] < N_BITS
    assert (facts["model"], facts["history"]) == (False, False)
    assert facts["locks"] > 0
    assert not list(killed.glob("results/long/models/*.state.npz"))
    assert not list(killed.glob(".snakemake/locks/*"))
    same_files(one / "results/long", killed / "results/long", "models/*")
    tables = same_files(one / "results/long", killed / "results/long", "tables/*.csv")
    assert "tables/icassp_table1.csv" in tables
    for name in ("aggregated.csv", "training.csv", "sizes.csv", "claims.csv", "utterances.parquet"):
        same_files(one / "results/long", killed / "results/long", f"summaries/{name}")


@pytest.mark.long
def test_one_core_and_two_make_the_same_bytes(one, whole, killed):
    folder = data_folder(config_of(one, LONG))
    for pattern in ("manifests/*.csv", "mixtures/*.csv", "masks/*.npy", "noises/open.csv", "features/mel.npy"):
        same_files(one / folder, whole / folder, pattern)
    # All figures but cost.svg, which shows seconds.
    for pattern in ("scores/**/*.parquet", "tables/*.csv", "tables/*.md", "figures/*_fig*.svg", "audio/*"):
        same_files(one / "results/long", killed / "results/long", pattern)
    # A smaller grid changes no score: these jobs are the smoke run's too.
    for name in ("mixture", "lsh_mel_rho-0.1_rep-1"):
        path = f"scores/open/{name}.parquet"
        assert (one / "results/long" / path).read_bytes() == (whole / "results/tiny" / path).read_bytes()


def test_a_failed_run_shows_what_there_is_and_how_to_finish(one, tmp_path):
    folder = tmp_path / "work"
    shutil.copytree(one, folder)
    model = folder / "results/long/models/blsh_mel_ssm.npz"
    model.write_bytes(model.read_bytes()[:1000])
    found = subprocess.run(
        command(LONG, 2), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE_S
    )
    assert found.returncode != 0
    # The end of the failed job's log is shown, with its one line.
    assert re.search(r"^blsh \w+: \S*blsh_mel_ssm.npz is no projections file of blsh: ", found.stdout, re.MULTILINE)
    assert not list(folder.glob("results/long/scores/open/blsh_*.parquet"))
    page = (folder / "results/long/partial/report.html").read_text(encoding="utf-8")
    assert f"blsh run --configfile {LONG}" in page
    assert str(tmp_path) not in page
