"""What jobs say in their own logs: how far they are, and why a score is missing.

Every rule writes what its verb prints to ``results/NAME/logs/RULE_….log``; the first line is the command. A verb that
fails ends with one line, ``blsh score: …``; a job that was killed, or ran out of memory or time, just ends.
"""

from __future__ import annotations

from pathlib import Path

from blsh.experiment.config import Config
from blsh.experiment.families import model_of
from blsh.experiment.grid import ScoreJob, results_folder, score_jobs
from blsh.experiment.outputs import score_file

__all__ = ["last_lines", "missing_reasons"]

NOT_RUN = "not run yet"
KILLED = "the job was killed, or ran out of memory or time"

MODEL_RULES = ("train", "fit", "train_network")
MODEL_SUFFIXES = (".npz", ".safetensors")


def last_lines(path: Path | None, count: int = 3) -> tuple[str, ...]:
    """Return the last lines of a log that say something, without the command that it begins with."""
    if path is None or not path.is_file():
        return ()
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return tuple(line for line in lines if line.strip() and not line.startswith("$ blsh "))[-count:]


def missing_reasons(config: Config) -> dict[ScoreJob, str]:
    """Say of every score file that is not there why, from the repository's folder.

    Returns
    -------
    dict
        What its own job said last, or the training that it waits for, or ``not run yet``.
    """
    results = Path(results_folder(config))
    return {job: _reason(results, job) for job in score_jobs(config) if not Path(score_file(config, job)).is_file()}


def _reason(results: Path, job: ScoreJob) -> str:
    stem = (model_of(job.family) or job.family).stem
    if not any((results / "models" / f"{stem}{suffix}").is_file() for suffix in MODEL_SUFFIXES):
        for rule in MODEL_RULES:
            if (log := results / "logs" / f"{rule}_{stem}.log").is_file():
                return _end_of(log)
    return _end_of(results / "logs" / f"score_{job.set}_{job.stem}.log")


def _end_of(log: Path) -> str:
    if not log.is_file():
        return NOT_RUN
    lines = last_lines(log, 1)
    return lines[0] if lines and lines[0].startswith("blsh ") else KILLED
