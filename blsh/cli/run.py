"""Run an experiment with Snakemake, continuing one that was killed.

What a killed run left behind is cleared away first: its jobs that still work (they could write an old result over a
new one), its lock, and its files under temporary names; and at the end what jobs left that were killed in this run.
While another run works in the same folder, this verb refuses.

Manifests and recipes that are there from an earlier run are looked at by themselves first. Once Snakemake makes one of
them again, all that depends on it counts as old; at its next start it compares their content. So recordings that were
copied or unpacked again, with other times and the same sound, cost their manifests and recipes and nothing else.

Further arguments go to Snakemake, such as ``--dry-run``, ``--keep-going``, ``--until RULE``, or files to be made.
"""

import argparse
import errno
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from blsh.experiment.command_line import ARGUMENTS, FINISH, CommandLine, read_command_line
from blsh.experiment.config import Config
from blsh.experiment.dead_runs import clear_away, refuse_beside_another_run, remove_temporary_files
from blsh.experiment.grid import data_folder, results_folder, score_jobs
from blsh.experiment.inputs import require_inputs
from blsh.experiment.outputs import recipes_file
from blsh.files.atomic import write_text
from blsh.files.fail_points import fail_point

EXAMPLE = "blsh run --configfile config/demo.yaml --cores 2"
PASSES_ARGUMENTS_ON = True

# Snakemake looks over its jobs again one timespan after every look, and each job that ends adds a look, for good. With
# its own timespan of a second that came to 22 % of a core after 200 jobs. A finished run ends a timespan later.
RATE, LONG_RUN_RATE, LONG_RUN_JOBS = "--max-jobs-per-timespan", "1000/10s", 200
# Where Snakemake finds the configuration, beside its own notes: jobs on other machines read it too.
CONFIGURATIONS, CACHE = Path(".snakemake/blsh"), Path(".snakemake/cache")
# Below this a disk counts as full: not even the logs of a run fit.
FULL_BYTES = 1 << 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments, which Snakemake's parser reads."""
    parser.add_argument_group("experiment and machine", ARGUMENTS)


def run(arguments: argparse.Namespace) -> int:
    """Clear a dead run away, run Snakemake, and name the report."""
    words = arguments.more
    given = read_command_line(words)
    config, options = given.config, given.options
    require_inputs(config)
    if not Path("Snakefile").is_file():
        raise FileNotFoundError(f"{Path.cwd()} holds no Snakefile; run this in the repository's folder")
    _require_fit_paths(options)
    if not options.dryrun:
        _require_writable(config)
        refuse_beside_another_run()
        clear_away(config)
        fail_point("run.started")
    environment = _environment(given)
    place = words.index("--") if "--" in words else len(words)
    targets = words[place:]
    command = [sys.executable, "-m", "snakemake", *_machine(given), *words[:place]]
    # Given last these two hold, so that Snakemake reads none of the user's files, which may hold code.
    command += ["--configfile", str(_write_configuration(given)), "--config"]
    report = Path(results_folder(config), "report.html")
    before = _time_of(report)
    status = 0
    if not given.chooses and (lists := _lists(config)):
        print("manifests and recipes first: only what depends on a changed one is made again", flush=True)
        status = subprocess.run([*command, "--", *lists], env=environment).returncode
    if status == 0:
        status = subprocess.run([*command, *targets], env=environment).returncode
    if options.dryrun:
        return status
    # A job that was killed and then tried again left its temporary files. Of a killed Snakemake, jobs may go on.
    if status >= 0:
        remove_temporary_files(config)
    if status != 0:
        _tell_full_disk(results_folder(config))
    elif report.is_file() and (not given.chooses or _time_of(report) != before):
        print(f"report: {report}")
    else:
        # Beside what Snakemake may print on standard output, such as a graph.
        print(f"done as asked; the same command without a choice of jobs goes on to {report}", file=sys.stderr)
    return status


def _is_local(options: argparse.Namespace) -> bool:
    return options.executor in (None, "local")


def _require_fit_paths(options: argparse.Namespace) -> None:
    """Raise for folders in which Snakemake or its executors would fail, or run what stands in a name."""
    here = str(Path.cwd())
    if options.directory is not None:
        raise ValueError("--directory: blsh run works in the folder where it is started; start it there, or snakemake")
    if set("{}") & set(here):
        raise ValueError(f"{here}: Snakemake takes braces in a folder's name for variables; rename the folder")
    for path in () if _is_local(options) else (here, sys.executable):
        if shlex.quote(path) != path:
            raise ValueError(f"{path}: a cluster's jobs need a path without spaces and quotes; move the repository")


def _write_configuration(given: CommandLine) -> Path:
    """Write the merged configuration as JSON, in the order of its keys, under a name that no other one has."""
    text = json.dumps(given.values, indent=2)
    path = CONFIGURATIONS / f"{given.config.name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"
    write_text(path, text)
    return path


def _environment(given: CommandLine) -> dict[str, str]:
    """Return the variables of Snakemake and its jobs."""
    from snakemake.common import get_appdirs

    # What the run needs is told by the experiment, not by the shell that starts it.
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    try:
        _try_to_write(Path(get_appdirs().user_cache_dir))
    except OSError:  # a service without a home; Snakemake would end in a traceback
        environment["XDG_CACHE_HOME"] = str(CACHE.absolute())
    return environment | {FINISH: given.finish}


def _lists(config: Config) -> list[str]:
    """Return the recipes that are there."""
    recipes = (recipes_file(config, name) for name in config.data.sets)
    return [path for path in recipes if Path(path).is_file()]


def _machine(given: CommandLine) -> list[str]:
    """Return the cores to use and how often jobs are looked over, as far as neither words nor profiles say."""
    options = given.options
    if not _is_local(options) or options.jobs is not None:
        return []
    words = ["--cores", "all"] if options.cores is None else []
    is_long = len(score_jobs(given.config)) >= LONG_RUN_JOBS
    return words + ([RATE, LONG_RUN_RATE] if is_long and not options.profile else [])


def _time_of(path: Path) -> int:
    return path.stat().st_mtime_ns if path.is_file() else 0


def _require_writable(config: Config) -> None:
    """Raise before Snakemake starts, which answers a folder that cannot be written with a page of Python."""
    for folder in (Path(results_folder(config)), Path(data_folder(config)), Path(".snakemake")):
        try:
            _try_to_write(folder)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise OSError(
                    errno.ENOSPC, f"{folder}: the disk is full; make room and run the same command again"
                ) from None
            raise ValueError(
                f"{folder} cannot be written ({error.strerror}); change its permissions, or work in another folder"
            ) from None


def _try_to_write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as handle:
        handle.write(b"some bytes")


def _tell_full_disk(folder: str) -> None:
    """Raise after a run that failed on a full disk, which left no room for the logs that say so."""
    free = shutil.disk_usage(folder).free
    if free < FULL_BYTES:
        raise OSError(
            errno.ENOSPC,
            f"{folder}: the disk is full, {free} bytes are free; make room and run the same command again",
        )
