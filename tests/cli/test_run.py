"""What `blsh run` does before and after Snakemake, which is not started here."""

import contextlib
import errno
import io
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from snakemake import cli as snakemake_cli
from snakemake import common as snakemake_common
from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry
from snakemake_interface_executor_plugins.registry.plugin import Plugin
from snakemake_interface_executor_plugins.settings import CommonSettings, ExecutorSettingsBase

from blsh.cli import main as cli
from blsh.cli import run as verb
from blsh.experiment import dead_runs
from blsh.experiment.config import load_config, parse_config
from blsh.experiment.grid import data_folder
from blsh.experiment.status import note_run
from blsh.files.atomic import atomic_path
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
DATA = "results/data/demo"


class Snakemake:
    """Stands for Snakemake: keeps the words that it is started with, and ends as it is told."""

    def __init__(self):
        self.words: list[str] = []
        self.environment: dict[str, str] = {}
        self.targets: list[list[str]] = []
        self.status = 0
        self.left: list[Path] = []

    @property
    def given(self) -> list[str]:
        """The words after `python -m snakemake`, without the configuration that this verb writes."""
        place = self.words.index("--config", self.words.index(f"{self.file}"))
        return self.words[3 : place - 2] + self.words[place + 1 :]

    @property
    def file(self) -> Path:
        """The configuration file that is handed over: the last word but one before targets."""
        targets = self.words.index("--") if "--" in self.words else len(self.words)
        option, file, config = self.words[targets - 3 : targets]
        assert (option, config) == ("--configfile", "--config")
        return Path(file)

    def __call__(self, words, env=None, **_):
        self.words = list(words)
        self.environment = env or {}
        self.targets += [self.words[self.words.index("--") + 1 :]] if "--" in self.words else [[]]
        for path in self.left:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return SimpleNamespace(returncode=self.status, stdout=b"")


@dataclass
class SlurmSettings(ExecutorSettingsBase):
    """What profiles/slurm sets of the plugin's own."""

    status_command: str = field(default="", metadata={"help": "asks for jobs"})
    init_seconds_before_status_checks: int = field(default=0, metadata={"help": "before the first look"})


@pytest.fixture(autouse=True)
def slurm(monkeypatch):
    """An executor for SLURM, as its plugin would be, which the package does not need."""
    settings = CommonSettings(non_local_exec=True, implies_no_shared_fs=False, job_deploy_sources=False)
    plugin = Plugin(executor=None, common_settings=settings, _executor_settings_cls=SlurmSettings, _name="slurm")
    monkeypatch.setitem(ExecutorPluginRegistry().plugins, "slurm", plugin)


@pytest.fixture
def snakemake(tmp_path, monkeypatch) -> Snakemake:
    """An empty repository to work in, and no Snakemake."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    shutil.copy2(ROOT / "config/demo.yaml", tmp_path / "config")
    shutil.copytree(ROOT / "profiles", tmp_path / "profiles")
    (tmp_path / "Snakefile").touch()
    stub = Snakemake()
    monkeypatch.setattr(verb, "subprocess", SimpleNamespace(run=stub))
    return stub


@pytest.fixture
def lock(snakemake, tmp_path) -> Path:
    path = tmp_path / ".snakemake/locks/0.input.lock"
    path.parent.mkdir(parents=True)
    path.touch()
    return path


def process(program: str, *words: str) -> subprocess.Popen:
    """Start a process of this folder that does nothing, under a command line that looks like a program's."""
    Path(program).write_text("print(flush=True); input()")
    started = subprocess.Popen([sys.executable, program, *words], stdout=-1, stdin=-1)
    started.stdout.readline()
    return started


def note_on_another_machine(log: str, ending: str = "") -> None:
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    Path(log).write_text(f"[Sat Nov 21 09:54:22 2026]\n{ending}")
    note_run(load_config("config/demo.yaml"), log)
    path = Path("results/demo/run.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"host": "login2", "pid": 7}))


def test_an_executor_that_is_not_installed_is_told_with_its_package(snakemake, monkeypatch, capsys):
    monkeypatch.delitem(ExecutorPluginRegistry().plugins, "slurm")
    for words in (["--profile", "profiles/slurm"], ["--executor", "slurm"]):
        assert cli.main(["run", *words]) == 2
        line = "blsh run: the executor 'slurm' is not installed; pip install snakemake-executor-plugin-slurm\n"
        assert capsys.readouterr().err == line


@pytest.mark.parametrize(
    "words",
    [
        ["--resources", "mem_mb=x"],
        ["--max-jobs-per-timespan", "x"],
        ["--set-resources", "x"],
        ["--default-resources", "x"],
    ],
)
@pytest.mark.parametrize("verb_name", ["run", "plan"])
def test_options_that_snakemake_cannot_read_are_one_line(snakemake, capsys, verb_name, words):
    assert cli.main([verb_name, *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"blsh {verb_name}: ") and words[0] in line and not snakemake.words


def test_snakemake_gets_the_preset_all_cores_and_what_else_was_given(snakemake):
    assert cli.main(["run", "--keep-going"]) == 0
    assert snakemake.given == ["--cores", "all", "--keep-going"]
    assert parse_config(json.loads(snakemake.file.read_text())) == load_config("config/demo.yaml")


@pytest.mark.parametrize(
    "words",
    [
        ["--config", "name=other", "networks={fc: [2x8], max_minutes: null}"],
        ["--config=name=other"],
        ["-Cname=other"],
        ["-C", "name=other", "--keep-going"],
        ["--config", "seed=1", "--config", "name=other"],
        ["--configfile", "config/demo.yaml", "more.yaml"],
        ["--configfiles=more.yaml"],
        ["--profile", "mine"],
        ["--profile", "mine", "--config", "name=other"],
        ["--profile=mine/profile.yaml", "--configfile", "config/demo.yaml"],
        ["--config", "name=other", "--", "results/other/provenance.json"],
    ],
)
def test_snakemake_runs_the_configuration_that_was_read(snakemake, words):
    """However it is spelt: Snakemake's own parser takes our file, last in line, and nothing else."""
    Path("more.yaml").write_text(
        Path("config/demo.yaml").read_text().replace("name: demo\ntitle", "name: other\ntitle")
    )
    Path("mine").mkdir()
    Path("mine/profile.yaml").write_text("configfile: more.yaml\nconfig:\n  name: other\n  networks: {patience: 3}\n")
    assert cli.main(["run", *words]) == 0
    with contextlib.redirect_stderr(io.StringIO()):  # it names the profiles that it reads
        _, options = snakemake_cli.parse_args(snakemake.words[3:])
    assert options.configfile == [snakemake.file] and not options.config
    values = json.loads(snakemake.file.read_text())
    assert values["name"] == "other"
    assert list(values["data"]["sets"]) == list(load_config("config/demo.yaml").data.sets)
    assert Path("results/other").is_dir() and not Path("results/demo").exists()


def test_a_configuration_file_is_handed_over_as_its_values(snakemake):
    """Under a name of its own: jobs of another run may still read theirs."""
    assert cli.main(["run"]) == 0
    first = snakemake.file
    assert cli.main(["run", "--dry-run", "--config", "seed=3"]) == 0
    assert snakemake.file != first and first.is_file()


@pytest.mark.parametrize(
    "words",
    [["--cores", "0"], ["--cores", "-1"], ["-c0"], ["--cores=x"], ["--jobs", "0"], ["--local-cores", "0"], ["--cores"]],
)
def test_numbers_that_no_run_can_use(snakemake, capsys, words):
    assert cli.main(["run", *words]) == 2
    told = capsys.readouterr().err
    assert told.startswith("blsh run: ") and told.count("\n") == 1
    assert snakemake.words == [] and not Path("results").exists()


def test_without_a_home_snakemake_keeps_its_cache_here(snakemake, monkeypatch):
    monkeypatch.setattr(snakemake_common, "APPDIRS", None)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(Path("Snakefile").absolute() / "below a file"))
    assert cli.main(["run"]) == 0
    assert snakemake.environment["XDG_CACHE_HOME"] == f"{Path.cwd()}/.snakemake/cache"
    monkeypatch.setattr(snakemake_common, "APPDIRS", None)
    monkeypatch.setenv("HOME", str(Path.cwd()))
    assert cli.main(["run"]) == 0
    assert "XDG_CACHE_HOME" not in snakemake.environment


def test_a_run_in_another_folder_is_refused(snakemake, capsys):
    assert cli.main(["run", "--directory", "elsewhere"]) == 2
    assert "blsh run works in the folder where it is started" in capsys.readouterr().err
    assert snakemake.words == []


@pytest.mark.parametrize(
    ("folder", "words", "told"),
    [
        ("a {b}", [], "Snakemake takes braces in a folder's name for variables"),
        ("a b", ["--executor", "slurm", "--jobs", "9"], "a cluster's jobs need a path without spaces and quotes"),
    ],
)
def test_a_folder_in_which_snakemake_would_fail(snakemake, monkeypatch, capsys, folder, words, told):
    shutil.copytree(".", f"../{folder}")
    monkeypatch.chdir(f"../{folder}")
    assert cli.main(["run", *words]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"blsh run: {Path.cwd()}: {told}")
    assert error.count("\n") == 1 and snakemake.words == []


REPORT = Path("results/demo/report.html")


@pytest.mark.parametrize("words", [[], ["--cores", "2", "-k"], ["--forceall"], ["--", "results/demo/report.html"]])
def test_the_report_is_named_when_it_is_there(snakemake, capsys, words):
    snakemake.left = [REPORT]
    assert cli.main(["run", *words]) == 0
    assert capsys.readouterr() == (f"report: {REPORT}\n", "")


@pytest.mark.parametrize("is_there", [False, True])
def test_who_chose_less_is_told_what_makes_the_report(snakemake, capsys, is_there):
    if is_there:
        REPORT.parent.mkdir(parents=True)
        REPORT.touch()
    assert cli.main(["run", "--until", "train"]) == 0
    expected = f"done as asked; the same command without a choice of jobs goes on to {REPORT}\n"
    assert capsys.readouterr() == ("", expected)


def test_a_long_run_on_one_machine_has_its_jobs_looked_over_less_often(snakemake):
    for path in (ROOT / "config").glob("open_small*"):  # and its listings
        shutil.copy2(path, "config")
    preset = ["--configfile", "config/open_small.yaml"]
    assert cli.main(["run", *preset, "--keep-going"]) == 0
    assert snakemake.given == ["--cores", "all", "--max-jobs-per-timespan", "1000/10s", *preset, "--keep-going"]
    assert cli.main(["run", *preset, "--profile", "profiles/slurm"]) == 0
    assert "--max-jobs-per-timespan" not in snakemake.words


@pytest.fixture
def recipes(snakemake) -> list[str]:
    """Recipes of an earlier run, and one of another experiment on the same data."""
    folder = Path(data_folder(load_config("config/demo.yaml")), "mixtures")
    folder.mkdir(parents=True)
    for name in ("open", "train", "another"):
        (folder / f"{name}.csv").touch()
    return [f"{folder}/train.csv", f"{folder}/open.csv"]


@pytest.mark.parametrize(
    "given",
    [
        [],
        ["--keep-going", "--config", "seed=1", "title=again"],
        ["--profile", "profiles/slurm", "-k"],
        ["--executor=slurm", "--jobs", "9"],
        ["--max-jobs-per-timespan", "9/1m"],
    ],
)
def test_manifests_and_recipes_of_an_earlier_run_are_made_first(recipes, snakemake, given):
    assert cli.main(["run", *given]) == 0
    assert [sorted(targets) for targets in snakemake.targets] == [sorted(recipes), []]


@pytest.mark.parametrize(
    "given",
    [
        ["--dry-run"],
        ["-np"],
        ["--until", "train"],
        ["--forceall"],
        ["results/demo/summaries/aggregated.csv"],
        ["--keep-going", "results/demo/summaries/aggregated.csv"],
        ["--profile", "profiles/slurm", "results/demo/summaries/aggregated.csv"],
        ["--report", "report.html"],
    ],
)
def test_who_chooses_what_is_made_gets_that_only(recipes, snakemake, given):
    assert cli.main(["run", *given]) == 0
    assert snakemake.targets == [[]] and snakemake.given[-len(given) :] == given


def test_nothing_follows_when_manifests_fail(recipes, snakemake):
    snakemake.status = 1
    assert cli.main(["run"]) == 1
    assert len(snakemake.targets) == 1


@pytest.mark.parametrize(
    ("given", "cores"),
    [
        ([], ["--cores", "all"]),
        (["--cores", "3"], ["--cores", "3"]),
        (["--profile", "profiles/slurm"], []),
        (["--profile=profiles/slurm"], []),
        (["--executor", "slurm", "--jobs", "9"], []),
        (["--profile", "profiles/slurm", "--cores", "2"], ["--cores", "2"]),
    ],
)
def test_a_cluster_is_not_limited_to_the_cores_of_this_machine(snakemake, given, cores):
    assert cli.main(["run", *given]) == 0
    assert [word for word in snakemake.given if word not in given] == [word for word in cores if word not in given]
    assert ("--cores" in snakemake.words) == bool(cores)


@pytest.mark.parametrize("word", ["--dry-run", "-n", "-np"])
def test_a_dry_run_changes_nothing(lock, snakemake, capsys, word):
    assert cli.main(["run", word]) == 0
    assert lock.exists() and not Path("results").exists()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("words", [["blsh", "train", "--log-command"], ["snakemake", "--mode", "remote"]])
def test_what_a_dead_run_left_is_cleared_away(lock, snakemake, capsys, words):
    job = process(*words)
    bystander = process("tail", "-f", ".snakemake/log/1.snakemake.log")
    other = Path("results/other/models/.model-0123abcd.tmp.npz")
    left = [Path("results/demo/models/.model-0123abcd.tmp.npz"), Path(DATA, "k/features/.mel-0123abcd.tmp.npy")]
    kept = [Path("results/demo/models/blsh_mel_ssm.state.npz"), Path("results/demo/models/.model.npz"), other]
    for path in (*left, *kept):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    try:
        with pytest.MonkeyPatch.context() as patch:
            # The key of the data's folder is not of interest here.
            patch.setattr(dead_runs, "data_folder", lambda config: f"{DATA}/k")
            # Who does not end in time is killed, and seen to be gone a moment later only.
            patch.setattr(dead_runs, "GRACE_SECONDS", PATIENCE_S)
            assert cli.main(["run"]) == 0
        assert not psutil.pid_exists(job.pid)
        assert bystander.poll() is None
    finally:
        for started in (job, bystander):
            started.kill()
            started.communicate()
    assert f"ending process {job.pid}, a job of a dead run\n" in capsys.readouterr().out
    assert not lock.exists()
    assert [path.exists() for path in (*left, *kept)] == [False] * len(left) + [True] * len(kept)


def test_a_temporary_name_of_a_write_is_one_that_is_removed(snakemake):
    with atomic_path("results/demo/models/blsh_mel_ssm.npz") as temporary:
        temporary.touch()
        assert cli.main(["run"]) == 0
        assert not temporary.exists()
        temporary.touch()


@pytest.mark.parametrize(("status", "remains"), [(0, False), (1, False), (-9, True)])
def test_what_a_job_left_that_was_killed_in_this_run_is_cleared_away_at_its_end(snakemake, status, remains):
    # Jobs of a Snakemake that was killed itself may still be writing.
    snakemake.left = [Path("results/demo/models/.model-0123abcd.tmp.npz")]
    snakemake.status = status
    cli.main(["run"])
    assert snakemake.left[0].exists() == remains


def test_another_run_in_the_folder_is_left_alone(lock, snakemake, capsys):
    other = process("snakemake", "--cores", "2")
    try:
        assert cli.main(["run"]) == 2
        assert other.poll() is None and lock.exists() and snakemake.words == []
    finally:
        other.kill()
        other.communicate()
    told = capsys.readouterr().err
    assert told == f"blsh run: process {other.pid} runs Snakemake in {Path.cwd()}; wait for it or stop it\n"


def test_a_run_on_another_machine_is_left_alone(lock, snakemake, capsys):
    note_on_another_machine(".snakemake/log/1.snakemake.log")
    assert cli.main(["run"]) == 2
    assert lock.exists() and snakemake.words == []
    assert capsys.readouterr().err == (
        "blsh run: process 7 on login2 runs results/demo, or was killed there; "
        "look there, and remove results/demo/run.json if it is dead\n"
    )
    Path("results/demo/run.json").unlink()
    assert cli.main(["run"]) == 0 and not lock.exists()


def test_a_run_that_ended_on_another_machine_is_no_obstacle(lock, snakemake):
    note_on_another_machine(".snakemake/log/1.snakemake.log", "5 of 5 steps (100%) done\n")
    assert cli.main(["run"]) == 0 and not lock.exists()


def test_a_damaged_note_is_no_obstacle(lock, snakemake):
    Path("results/demo").mkdir(parents=True)
    Path("results/demo/run.json").write_text("{")
    assert cli.main(["run"]) == 0 and not lock.exists()


def test_jobs_that_a_killed_run_submitted_are_ended(lock, snakemake, monkeypatch):
    note_on_another_machine(".snakemake/log/1.snakemake.log", "SLURM run ID: 41e97b2e-5f51\n")
    dead = psutil.Process().pid + 2**22
    path = Path("results/demo/run.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"host": os.uname().nodename, "pid": dead}))
    called = []
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(
        dead_runs, "subprocess", SimpleNamespace(run=lambda words, **_: (called.append(words), snakemake(words))[1])
    )
    assert cli.main(["run"]) == 0
    assert called[0] == ["scancel", "--name", "41e97b2e-5f51"]
    assert called[1] == ["squeue", "--noheader", "--name", "41e97b2e-5f51"]


def test_a_folder_that_cannot_be_written_is_told_before_anything_starts(snakemake, capsys):
    Path("results").touch()
    assert cli.main(["run"]) == 2
    assert snakemake.words == []
    told = capsys.readouterr().err
    assert told.startswith("blsh run: results/demo cannot be written (Not a directory); change its permissions")
    assert told.count("\n") == 1


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_is_full_at_the_beginning(snakemake, monkeypatch, capsys, number):
    def full(dir):
        raise OSError(number, os.strerror(number), str(dir))

    monkeypatch.setattr(verb.tempfile, "TemporaryFile", full)
    assert cli.main(["run"]) == 2
    assert snakemake.words == []
    assert capsys.readouterr().err == (
        "blsh run: results/demo: the disk is full; make room and run the same command again\n"
    )


def test_a_disk_that_is_full_at_the_end(snakemake, monkeypatch, capsys):
    snakemake.status = 1
    assert cli.main(["run"]) == 1
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=1234))
    assert cli.main(["run"]) == 2
    assert capsys.readouterr().err == (
        "blsh run: results/demo: the disk is full, 1234 bytes are free; make room and run the same command again\n"
    )
