"""Find and delete leftovers of killed runs: locks, unfinished files, copies of scripts."""

import os
import re
import shutil
import socket
from pathlib import Path

from scripts.job.process import is_alive, owner_name
from scripts.job.run_state import STATE, STOPPING

RUNS = Path(".snakemake/reelsieve")  # a file HOST_PID.START per unfinished run
LOCKS = Path(".snakemake/locks")
SCRIPTS = Path(".snakemake/scripts")  # Snakemake's copies of scripts for running jobs
BACKUPS = Path(".snakemake/backups")  # and of outputs that a job updates
WRITTEN = ("*", "*/*", "download/*/*")  # everything in results/ but the content of output folders
PART = re.compile(r"\..+\.\d+\.part")  # see whole_file()


def lock_message() -> str:
    """Return a message if a killed run of this machine left this folder locked; empty if another run may have it."""
    runs = _runs()
    if not runs or any(map(_may_run, runs)) or not (LOCKS.is_dir() and any(LOCKS.iterdir())):
        return ""
    numbers = ", ".join(owner.partition(".")[0] for _, owner in runs)
    return (
        f"reelsieve: a run that was killed (process {numbers}) left this folder locked, and no run is using it. Nothing"
        " is lost: run the same command with --unlock, which only removes the lock, then without it (if the run had"
        " submitted jobs to a cluster, cancel them first)"
    )


def register_run(results: Path, marks: Path) -> None:
    """Record that this run uses the folder. If no other run does, delete unfinished files of killed runs and jobs."""
    runs = _runs()
    if not any(map(_may_run, runs)):
        for path in [STOPPING, STATE, *STATE.parent.glob(f".{STATE.name}.*.part")]:
            path.unlink(missing_ok=True)
        for folder in (SCRIPTS, BACKUPS):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(marks, ignore_errors=True)
        for pattern in WRITTEN:
            for path in [path for path in results.glob(pattern) if PART.fullmatch(path.name)]:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        for run in runs:
            _file_of(*run).unlink(missing_ok=True)
    RUNS.mkdir(parents=True, exist_ok=True)
    _own_file().touch()


def end_run() -> None:
    """Remove the record of this run, which ends without having been killed."""
    STOPPING.unlink(missing_ok=True)
    shutil.rmtree(BACKUPS, ignore_errors=True)  # its jobs have ended, and left empty folders there
    _own_file().unlink(missing_ok=True)


def _runs() -> list[tuple[str, str]]:
    """Return host and process name of the unfinished runs of this folder."""
    names = sorted(path.name for path in RUNS.iterdir()) if RUNS.is_dir() else []
    return [(host, owner) for host, _, owner in (name.rpartition("_") for name in names)]


def _may_run(run: tuple[str, str]) -> bool:
    """Return whether a run is running, or may be because it is on another machine."""
    host, owner = run
    return host != socket.gethostname() or is_alive(owner)


def _file_of(host: str, owner: str) -> Path:
    return RUNS / f"{host}_{owner}"


def _own_file() -> Path:
    return _file_of(socket.gethostname(), owner_name(os.getpid()))
