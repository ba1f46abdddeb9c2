"""A SLURM of one node with one GPU that is none, on this machine: root starts it, without systemd or a database."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

# Not elsewhere: the executor takes SLURM_CONF from the environment of its jobs.
CONF = Path("/etc/slurm/slurm.conf")
OURS = "# of reelsieve's tests"
MUNGE_KEY = Path("/etc/munge/munge.key")
START_S = 30.0
PORT = 26817  # of the controller
TEMPLATE = """{ours}
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldPort={port}
SlurmdPort=26818
SlurmdSpoolDir={folder}/spool
StateSaveLocation={folder}/state
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MinJobAge=3600
KillWait=5
MailProg=/bin/true
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 Boards=1 SocketsPerBoard=1 CoresPerSocket=4 ThreadsPerCore=1 \
RealMemory=64000 Gres=gpu:1 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


@dataclass(frozen=True)
class Submission:
    """What SLURM tells of a job, at the end of the tests' patience if it still runs."""

    number: int
    state: str
    comment: str
    memory: str
    has_gpu: bool
    began: datetime
    ended: datetime


def submissions(folder: Path) -> list[Submission]:
    """Return all submissions of a run folder, the first one first, once the node has ended those that are over."""
    command, found = ["scontrol", "show", "job", "-o"], []
    while "JobState=COMPLETING" in (said := subprocess.run(command, capture_output=True, text=True, check=True).stdout):
        time.sleep(0.1)
    for line in said.splitlines():
        facts = dict(re.findall(r"([A-Z]\w+)=(.*?)(?= [A-Z]\w+=|$)", line))
        if facts.get("WorkDir") != str(folder) or facts["StartTime"] == "Unknown":
            continue
        times = [datetime.fromisoformat(facts[key]) for key in ("StartTime", "EndTime")]
        gpu = "gpu" in facts.get("TresPerJob", "")
        memory = facts["MinMemoryNode"]
        found.append(
            Submission(int(facts["JobId"]), facts["JobState"], facts.get("Comment", "").strip(), memory, gpu, *times)
        )
    return sorted(found, key=lambda job: job.number)


def why_not() -> str:
    """Return why no SLURM can be started here, or nothing; install it if need be."""
    if os.getuid():
        return "a SLURM of the tests' own needs root"
    if CONF.exists() and not CONF.read_text().startswith(OURS):
        return f"{CONF} is there: this machine belongs to a cluster"
    if shutil.which("slurmctld") and shutil.which("slurmd") and shutil.which("munged"):
        return ""
    if not shutil.which("apt-get"):
        return "SLURM is not installed, and there is no apt-get"
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "slurm-wlm", "munge"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    )
    return "" if done.returncode == 0 else f"apt-get cannot install SLURM: {done.stderr.strip()[-200:]}"


@contextmanager
def running_cluster(folder: Path) -> Iterator[None]:
    """Run SLURM until the block ends. This machine belongs to no other one, see why_not."""
    for name in ("slurmctld", "slurmd"):  # of tests that were killed; they would answer, and fail
        subprocess.run(["pkill", "-KILL", "-x", name], check=False)
    host = socket.gethostname().split(".")[0]
    for name in ("spool", "state"):
        (folder / name).mkdir()
    CONF.parent.mkdir(parents=True, exist_ok=True)
    CONF.write_text(TEMPLATE.format(port=PORT, ours=OURS, host=host, folder=folder))
    (CONF.parent / "gres.conf").write_text("Name=gpu File=/dev/null\n")  # any device will do; without one, no GPU
    if subprocess.run(["getent", "hosts", host], capture_output=True, check=False).returncode:
        with Path("/etc/hosts").open("a") as hosts:
            hosts.write(f"127.0.0.1 {host}\n")
    daemons = [*_munge(), ["slurmctld", "-c", "-D"], ["slurmd", "-D", "-N", host]]
    with (folder / "daemons.log").open("w") as log:
        started = [subprocess.Popen(command, stdout=log, stderr=log) for command in daemons]
        try:
            _wait_for_node(folder)
            yield
        finally:
            for daemon in reversed(started):
                daemon.terminate()
                daemon.wait()
            CONF.unlink()


def _munge() -> list[list[str]]:
    """Return the command that starts munge, unless it runs, and give it a key if it has none."""
    if subprocess.run(["munge", "-n"], capture_output=True, check=False).returncode == 0:
        return []
    subprocess.run(["install", "-d", "-o", "munge", "-g", "munge", "-m", "0755", "/run/munge"], check=True)
    if not MUNGE_KEY.exists() or not MUNGE_KEY.stat().st_size:
        MUNGE_KEY.write_bytes(os.urandom(1024))
        shutil.chown(MUNGE_KEY, "munge", "munge")
        MUNGE_KEY.chmod(0o400)
    return [["runuser", "-u", "munge", "--", "munged", "--foreground"]]


def _wait_for_node(folder: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        told = subprocess.run(["sinfo", "-h", "-o", "%T"], capture_output=True, text=True, check=False)
        if told.stdout.strip() == "idle":
            return
        time.sleep(0.2)
    raise RuntimeError(f"SLURM does not start: {told.stderr} {(folder / 'daemons.log').read_text()[-2000:]}")
