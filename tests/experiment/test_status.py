"""A run's state and its jobs' fates, read out of Snakemake's log."""

import os
import re
import socket
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from blsh.cli import main as cli
from blsh.experiment.config import parse_config
from blsh.experiment.job_logs import last_lines
from blsh.experiment.snakemake_log import ending_of, jobs_of, totals_of
from blsh.experiment.status import UNSEEN, is_alive, note_run, read_run, read_state, read_status

ROOT = Path(__file__).resolve().parents[2]
BEGIN = """\
Assuming unrestricted shared filesystem usage.
Job stats:
job              count
-------------  -------
draw                 2
train                1
score_control        1
default              1
total                5

Select jobs to execute...
[Sat Nov 21 09:54:22 2026]
localrule draw:
    output: results/data/x/mixtures/train.csv
    log: results/data/x/logs/draw_train.log
    jobid: 6
    benchmark: results/data/x/benchmarks/draw/train.tsv
    wildcards: set=train
    threads: 2
[Sat Nov 21 09:54:22 2026]
localrule draw:
    log: results/data/x/logs/draw_open.log
    jobid: 7
    wildcards: set=open
[Sat Nov 21 09:54:32 2026]
Finished jobid: 6 (Rule: draw)
1 of 5 steps (20%) done
"""
FAILED = """\
[Sat Nov 21 09:54:42 2026]
localrule train:
    log: results/demo/logs/train_mel_ssm.log
    jobid: 3
    wildcards: feature=mel, target=ssm
RuleException:
CalledProcessError in file "workflow/rules/hashing.smk", line 24:
[Sat Nov 21 09:55:00 2026]
Error in rule train:
    message: None
    jobid: 3
    log: results/demo/logs/train_mel_ssm.log (check log file(s) for error details)
"""
AGAIN = """\
Trying to restart job 3.
"""
RESTARTED = """\
[Sat Nov 21 09:55:01 2026]
rule train:
    log: results/demo/logs/train_mel_ssm.log
    jobid: 3
    wildcards: feature=mel, target=ssm
"""
GROUP = """\
[Sat Nov 21 10:26:27 2026] Group job scores (jobs in lexicogr. order):
    [Sat Nov 21 10:26:27 2026]
    rule score_control:
        log: results/demo/logs/score_open_mixture.log
        jobid: 4
        wildcards: set=open, control=mixture
Job ff9ae679-8196 has been submitted with SLURM jobid 17 (log: .snakemake/slurm_logs/17.log).
"""


def benchmark_of(rule: str, results: Path) -> Path:
    """The file to which a rule of the workflow writes what a job cost."""
    texts = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    pattern = re.search(rf'^rule {rule}:.*?benchmark:\s*f"(.*?)"', texts, re.MULTILINE | re.DOTALL)[1]
    return Path(re.sub(r"\{\{\w+\}\}", "it", pattern).format(RESULTS=results))


def of(*texts: str) -> list[tuple[str, str, str]]:
    return [(job.rule, job.wildcards, job.state) for job in jobs_of("".join(texts).splitlines())]


def test_jobs_that_run_and_jobs_that_are_done():
    assert of(BEGIN) == [("draw", "set=train", "done"), ("draw", "set=open", "running")]
    first, second = jobs_of(BEGIN.splitlines())
    assert (first.ended - first.began, second.ended) == (10.0, 0.0)
    assert first.log == Path("results/data/x/logs/draw_train.log")


def test_a_failed_job_that_is_tried_again():
    assert of(BEGIN, FAILED)[-1] == ("train", "feature=mel, target=ssm", "failed")
    assert of(BEGIN, FAILED, AGAIN)[-1][-1] == "waiting"
    assert of(BEGIN, FAILED, AGAIN, RESTARTED)[-1][-1] == "running"
    assert jobs_of((BEGIN + FAILED).splitlines())[-1].log == Path("results/demo/logs/train_mel_ssm.log")


def test_a_group_of_jobs_on_a_cluster():
    assert of(BEGIN, GROUP)[-1] == ("score_control", "set=open, control=mixture", "running")
    # The number of a group is none of a job's.
    assert of(BEGIN, GROUP, "Trying to restart job ff9ae679-8196.\n") == of(BEGIN, GROUP)


def test_rules_that_only_name_targets_are_no_jobs():
    target = "[Sat Nov 21 10:00:00 2026]\nlocalrule default:\n    jobid: 0\n"
    assert of(BEGIN, target) == of(BEGIN)
    assert totals_of(BEGIN.splitlines()) == {"draw": 2, "train": 1, "score_control": 1}


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        (BEGIN, ""),
        (BEGIN + FAILED, ""),
        (BEGIN + "5 of 5 steps (100%) done\nComplete log(s): x\n", "finished"),
        (BEGIN + FAILED + "Exiting because a job execution failed. Look above for error messages\n", "failed"),
        (BEGIN + "Terminating processes on user request, this might take some time.\n" + FAILED, "stopped"),
        ("WorkflowError:\nsomething else went wrong\n", "failed"),
        ("", ""),
    ],
)
def test_how_a_run_ended(text, ending):
    assert ending_of(text.splitlines()) == ending


@pytest.fixture
def started(tmp_path, monkeypatch) -> Path:
    """A folder in which this process has noted that it runs the demo."""
    monkeypatch.chdir(tmp_path)
    log = tmp_path / ".snakemake/log/1.snakemake.log"
    log.parent.mkdir(parents=True)
    log.write_text(BEGIN)
    note_run(parse_config(yaml.safe_load((ROOT / "tests/experiment/plain.yaml").read_text())), log)
    return Path("results/demo")


@pytest.fixture
def clock(monkeypatch) -> SimpleNamespace:
    """A clock for the reader of the state, so that no test depends on how long its lines take."""
    own = SimpleNamespace(now=0.0)
    monkeypatch.setattr("blsh.experiment.status.time", SimpleNamespace(time=lambda: own.now))
    return own


def test_a_run_that_goes_on(started, clock):
    clock.now = read_run(started).began + 30.0
    status = read_status(started)
    assert (status.state, status.count("done"), status.count("running"), status.count("done", "train")) == (
        "running",
        1,
        1,
        0,
    )
    assert status.run.log == Path(".snakemake/log/1.snakemake.log") and status.run.pid == os.getpid()
    assert status.seconds_left > 0
    assert status.seconds == 30.0


def test_the_time_left_comes_from_this_run_then_from_earlier_ones(started, clock):
    clock.now = float(int(read_run(started).began) + 1)  # Snakemake's log knows whole seconds
    begin, later = (time.strftime("%a %b %d %H:%M:%S %Y", time.localtime(clock.now + more)) for more in (0, 100))
    text = BEGIN.replace("Sat Nov 21 09:54:22 2026", begin)
    Path(".snakemake/log/1.snakemake.log").write_text(text.replace("Sat Nov 21 09:54:32 2026", later))
    for rule, seconds in (("train", 300), ("score_control", 5000)):
        path = benchmark_of(rule, results=started)
        path.parent.mkdir(parents=True)
        path.write_text(f"s\tmax_uss\n{seconds}\t100\n")
    # One draw of 100 s is done and one just began; training and scoring are known from before. 100 s of work within
    # the first second of the run are a hundred jobs at a time.
    assert read_status(started).seconds_left == pytest.approx((100 + 300 + 5000) / 100)


def test_a_killed_run(started, monkeypatch):
    run = read_run(started)
    assert is_alive(run) is True
    # Another process has the number by now: it began after the run.
    assert is_alive(replace(run, began=0.0)) is False
    assert is_alive(replace(run, pid=2**22 + 1)) is False
    monkeypatch.setattr("blsh.experiment.status.is_alive", lambda run: False)
    status = read_status(started)
    assert (status.state, status.jobs[-1].state, status.seconds_left) == ("killed", "interrupted", 0.0)


def test_a_run_on_another_machine(started, monkeypatch):
    host = socket.gethostname()
    monkeypatch.setattr(socket, "gethostname", lambda: "login2")
    run, state = read_state(started)
    assert (run.host, state, is_alive(run)) == (host, UNSEEN, None)


def test_a_failed_run_is_told_with_the_last_lines_of_its_logs(started, capsys):
    end = "Exiting because a job execution failed. Look above for error messages\n"
    Path(".snakemake/log/1.snakemake.log").write_text(BEGIN + FAILED + end)
    log = started / "logs/train_mel_ssm.log"
    log.parent.mkdir()
    log.write_text("$ blsh train --seed 1\nproject: many switches\nround 1\nround 2\nblsh train: no space is left\n\n")
    assert last_lines(log) == ("round 1", "round 2", "blsh train: no space is left")
    assert last_lines(log, 1) == ("blsh train: no space is left",)
    assert last_lines(started / "none.log") == last_lines(None) == ()
    assert cli.main(["status", str(started)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("results/demo: failed, begun ")
    assert "type the same command again to go on" in printed
    assert "failed: train feature=mel, target=ssm, results/demo/logs/train_mel_ssm.log\n    round 1\n" in printed
    assert "    blsh train: no space is left\n" in printed


def test_a_job_that_was_killed_left_nothing_to_tell(started, capsys):
    end = "Exiting because a job execution failed. Look above for error messages\n"
    Path(".snakemake/log/1.snakemake.log").write_text(BEGIN + FAILED + end)
    assert cli.main(["status", str(started)]) == 0
    assert "the log is empty: the job was killed, or ran out of memory or time" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("breaking", "message"),
    [
        (lambda note: note.unlink(), r"results/demo/run\.json: no run has been started here"),
        (lambda note: note.write_text("{"), r"results/demo/run\.json is damaged"),
        (lambda note: note.write_text('{"pid": 1}'), r"results/demo/run\.json is damaged \('host'\)"),
        (lambda note: Path(".snakemake/log/1.snakemake.log").unlink(), r"the log of the latest run .* is gone"),
    ],
)
def test_what_is_missing_is_told_in_one_line(started, capsys, breaking, message):
    breaking(started / "run.json")
    assert cli.main(["status", str(started)]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert re.search(message, told)
