"""A SLURM cluster of one node, this machine: Debian's `slurm-wlm` and `munge`, started for a test and stopped again.

Everything lies in one folder but for the configuration: jobs look for it in `/etc/slurm`, because the executor takes
all `SLURM_…` variables away from them. There is no accounting, as on many small clusters.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CONFIGURATION = Path("/etc/slurm/slurm.conf")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue")
DAEMONS = ("slurmd", "slurmctld", "munged")
SECONDS_TO_START = 300.0


def reason_against() -> str:
    """Say why no cluster can be started here, or ''."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "only root can start a cluster"
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        return f"{', '.join(missing)} not found: install slurm-wlm and munge (Debian's names)"
    if CONFIGURATION.exists():
        return f"this machine has a cluster already ({CONFIGURATION})"
    return ""


@contextmanager
def cluster(folder: Path) -> Iterator[None]:
    """Start the cluster, give it back when it has an idle node, and stop it.

    Raises
    ------
    RuntimeError
        If the node does not become idle; the message holds the daemons' logs.
    """
    for name in ("state", "spool", "run"):
        (folder / name).mkdir(parents=True)
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o400)
    (folder / "run").chmod(0o755)
    configuration = folder / "slurm.conf"
    configuration.write_text(_configuration(folder))
    CONFIGURATION.parent.mkdir(exist_ok=True)
    CONFIGURATION.symlink_to(configuration)
    try:
        munge = {"key-file": key, "socket": folder / "run/munge.socket", "pid-file": folder / "run/munged.pid"}
        munge |= {"log-file": folder / "munged.log", "seed-file": folder / "run/munged.seed"}
        subprocess.run(["munged", "--force", *(f"--{name}={path}" for name, path in munge.items())], check=True)
        subprocess.run(["slurmctld"], check=True)
        subprocess.run(["slurmd"], check=True)
        _wait_until_idle(folder)
        yield
    finally:
        subprocess.run(["scancel", "--state", "running,pending", "--user", "root"], check=False)
        CONFIGURATION.unlink()
        for name in DAEMONS:
            _stop(folder / "run" / f"{name}.pid")


def _configuration(folder: Path) -> str:
    host = socket.gethostname()
    megabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    lines = {
        "ClusterName": "test",
        "SlurmctldHost": host,
        "SlurmUser": "root",
        "AuthType": "auth/munge",
        "AuthInfo": f"socket={folder}/run/munge.socket",
        "StateSaveLocation": folder / "state",
        "SlurmdSpoolDir": folder / "spool",
        "SlurmctldPidFile": folder / "run/slurmctld.pid",
        "SlurmdPidFile": folder / "run/slurmd.pid",
        "SlurmctldLogFile": folder / "slurmctld.log",
        "SlurmdLogFile": folder / "slurmd.log",
        # Without control groups, which a container may not have.
        "ProctrackType": "proctrack/linuxproc",
        "TaskPlugin": "task/none",
        "SelectType": "select/cons_tres",
        "SelectTypeParameters": "CR_Core_Memory",
        "AccountingStorageType": "accounting_storage/none",
        "JobAcctGatherType": "jobacct_gather/none",
        "ReturnToService": "2",
        "SchedulerParameters": "sched_interval=1,batch_sched_delay=0",
        "NodeName": f"{host} NodeAddr=127.0.0.1 CPUs={os.cpu_count()} RealMemory={megabytes * 9 // 10} State=UNKNOWN",
        "PartitionName": f"all Nodes={host} Default=YES MaxTime=INFINITE State=UP",
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def _wait_until_idle(folder: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        found = subprocess.run(["sinfo", "--noheader", "--format=%T"], capture_output=True, text=True)
        if found.stdout.strip() == "idle":
            return
        time.sleep(0.5)
    logs = "\n".join(path.read_text(errors="replace") for path in sorted(folder.glob("*.log")))
    raise RuntimeError(f"the cluster's node is not idle after {SECONDS_TO_START} s:\n{logs}")


def _stop(pid_file: Path) -> None:
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text())
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + SECONDS_TO_START
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
