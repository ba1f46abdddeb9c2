"""Notice what a killed run left in its folder: its lock, unfinished files, copies of scripts."""

import os
import re
import shutil
import socket
from pathlib import Path

from scripts.job.process import is_alive, owner_name
from scripts.job.run_state import STATE, STOPPING

RUNS = Path(".snakemake/reelsieve")  # a file per run that began here and did not finish: HOST_PID.START
LOCKS = Path(".snakemake/locks")
SCRIPTS = Path(".snakemake/scripts")  # Snakemake's copies of scripts, for jobs at work
WRITTEN = ("*", "*/*", "download/*/*")  # where results/ holds what is no member of an output folder
PART = re.compile(r"\..+\.\d+\.part")  # see whole_file()


def lock_message() -> str:
    """Say how to go on if only killed runs of this machine can have left the lock on this folder, or nothing."""
    runs = _runs()
    if not runs or any(map(_may_work, runs)) or not (LOCKS.is_dir() and any(LOCKS.iterdir())):
        return ""
    numbers = ", ".join(owner.partition(".")[0] for _, owner in runs)
    return (
        f"reelsieve: this folder is still locked by a run that was killed (process {numbers}), and no run is at work on"
        " it. Nothing is lost: run the same command with --unlock, which only removes the lock, then again without"
        " (if it had submitted jobs to a cluster, cancel these before)"
    )


def begin_run(results: Path, marks: Path) -> None:
    """Note that this run is at work; if no other one is, delete what killed runs and jobs left unfinished."""
    runs = _runs()
    if not any(map(_may_work, runs)):
        for path in [STOPPING, STATE, *STATE.parent.glob(f".{STATE.name}.*.part")]:
            path.unlink(missing_ok=True)
        shutil.rmtree(SCRIPTS, ignore_errors=True)
        shutil.rmtree(marks, ignore_errors=True)
        for pattern in WRITTEN:
            for path in [path for path in results.glob(pattern) if PART.fullmatch(path.name)]:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        for run in runs:
            _file_of(*run).unlink(missing_ok=True)
    RUNS.mkdir(parents=True, exist_ok=True)
    _own_file().touch()


def end_run() -> None:
    """Note that this run is over, and not by having been killed."""
    STOPPING.unlink(missing_ok=True)
    _own_file().unlink(missing_ok=True)


def _runs() -> list[tuple[str, str]]:
    """Return host and name of the runs that began here and did not finish."""
    names = sorted(path.name for path in RUNS.iterdir()) if RUNS.is_dir() else []
    return [(host, owner) for host, _, owner in (name.rpartition("_") for name in names)]


def _may_work(run: tuple[str, str]) -> bool:
    """Tell whether a run is at work, or may be, since it began on another machine."""
    host, owner = run
    return host != socket.gethostname() or is_alive(owner)


def _file_of(host: str, owner: str) -> Path:
    return RUNS / f"{host}_{owner}"


def _own_file() -> Path:
    return _file_of(socket.gethostname(), owner_name(os.getpid()))
