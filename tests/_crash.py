"""Kill processes of a run, fill its disk, and see what is left of it afterwards."""

import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from scripts._owner import owner_name
from scripts._warm import private_folder
from tests.workflow.conftest import Outcome, Run

END_S = 10.0  # for processes that notice that their run is gone
LOOK_S = 0.01
CLOCKS = ("began_at", "recorded_at")  # of video.json
OWN = ("logs", "benchmarks", ".snakemake/log", ".snakemake/metadata")  # grow with each run, or hold clocks


@dataclass
class Started:
    """A snakemake at work, in a process group of its own."""

    run: Run
    process: subprocess.Popen[bytes]
    owner: str
    log: Path

    def wait(self) -> Outcome:
        """Return how it ended."""
        return Outcome(self.process.wait(), self.log.read_text(errors="replace"))


def start(run: Run) -> Started:
    """Start the whole workflow on a run folder."""
    log = run.folder.with_name(f"{run.folder.name}.{time.monotonic_ns()}.log")
    with log.open("w") as file:
        process = subprocess.Popen(
            [*run.command(), "--cores", "2", "--resources", "gpu=1"],
            cwd=run.folder.parent, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
        )  # fmt: skip
    return Started(run, process, owner_name(process.pid), log)


def processes(run: Run) -> dict[int, str]:
    """Return the processes at work on a run folder: snakemake, job, ffmpeg or detector; others by their command."""
    found = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            command, folder = process.cmdline(), Path(process.cwd())
            inside = folder == run.folder or run.folder in folder.parents
            if process.status() != psutil.STATUS_ZOMBIE and (inside or any(str(run.folder) in c for c in command)):
                found[process.pid] = _kind(command)
    return found


def _kind(command: list[str]) -> str:
    if "scripts._warm_server" in command:
        return "detector"
    if command and Path(command[0]).name.startswith("ffmpeg"):
        return "ffmpeg"
    if any("/.snakemake/scripts/" in part for part in command):
        return "job"
    return "snakemake" if "snakemake" in command else " ".join(command)


def await_process(started: Started, kind: str) -> int | None:
    """Return the number of a process of this kind as soon as there is one; None if the run ends without."""
    while started.process.poll() is None:
        for pid, found in processes(started.run).items():
            if found == kind:
                return pid
        time.sleep(LOOK_S)
    return None


def kill(started: Started, kind: str, signal_number: signal.Signals = signal.SIGKILL) -> bool:
    """Send a signal to a process of this kind, or to the `group` of snakemake; tell whether there was one."""
    target = started.process.pid if kind in ("group", "snakemake") else await_process(started, kind)
    if target is None or started.process.poll() is not None:
        return False
    with suppress(ProcessLookupError):
        os.killpg(target, signal_number) if kind == "group" else os.kill(target, signal_number)
        return True
    return False


def run_again(run: Run) -> tuple[Outcome, str]:
    """Do what a user does: the same command, with --unlock before if it asks for it; return what it asked for."""
    first = start(run).wait()
    if "locked" not in first.text:
        return first, ""
    asked = [line for line in first.text.splitlines() if line.startswith("reelsieve:") and "--unlock" in line]
    assert run.snakemake("--unlock").code == 0
    return start(run).wait(), asked[0] if asked else "nothing plain"


def contents(run: Run) -> dict[str, str]:
    """Return a digest of each file under results/ and store/, clocks left out."""
    return {
        str(path.relative_to(run.folder)): _digest(path)
        for part in ("results", "store")
        for path in sorted((run.folder / part).rglob("*"))
        if path.is_file() and path.name != ".snakemake_timestamp" and "runs" not in path.parts
    }


def _digest(path: Path) -> str:
    data = path.read_bytes()
    if path.name == "video.json":
        record = {key: value for key, value in json.loads(data).items() if key not in CLOCKS}
        data = json.dumps(record, sort_keys=True).encode()
    return hashlib.sha256(data).hexdigest()


def differing(run: Run, undisturbed: Run) -> list[str]:
    """Return the files under results/ and store/ that are not as in an undisturbed run."""
    mine, others = contents(run), contents(undisturbed)
    return sorted(name for name in mine.keys() | others.keys() if mine.get(name) != others.get(name))


def leftovers(run: Run, undisturbed: Run, owners: list[str]) -> list[str]:
    """Return what is there but not in an undisturbed run: processes, sockets, files, folders."""
    end = time.monotonic() + END_S
    while (alive := processes(run)) and time.monotonic() < end:
        time.sleep(LOOK_S)
    sockets = [p.name for p in private_folder().iterdir() if any(p.name.startswith(owner) for owner in owners)]
    left = {f"process {kind}" for kind in alive.values()} | {f"socket {name}" for name in sockets}
    return sorted(left | (_paths(run) - _paths(undisturbed)))


def _paths(run: Run) -> set[str]:
    found = (path.relative_to(run.folder) for path in run.folder.rglob("*"))
    own = tuple(Path(name) for name in OWN)
    return {str(p) for p in found if not any(o in p.parents for o in own) and not p.match(".snakemake/detector-*.log")}


@contextmanager
def small_disk(folder: Path, size_mb: int) -> Iterator[None]:
    """Mount an empty file system of its own on a folder (Linux, as root)."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def filled(folder: Path, left_kb: int) -> Iterator[None]:
    """Fill the disk of a folder up to so many kB, until the block ends."""
    ballast = folder / ".ballast"
    disk = os.statvfs(folder)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(4096, disk.f_bavail * disk.f_frsize - left_kb * 1024))
    try:
        yield
    finally:
        ballast.unlink()
