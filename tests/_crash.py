"""Kill processes of a run, run it again as a user does, and compare it with an undisturbed run."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from scripts.job.process import owner_name
from scripts.warm.sockets import private_folder
from tests._disk import filled, small_disk
from tests._run import Outcome, Run

DISK_MB = 300  # a run does not begin with less than 100
END_S = 10.0  # for processes that notice that their run is gone
POLL_S = 0.05
CLOCKS = ("began_at", "recorded_at")  # of the store's video.json
SHARED = {"runs", "sites"}  # of the store: their names and times depend on the run
# These grow with each run or contain times.
OWN = ("logs", "benchmarks", ".snakemake/log", ".snakemake/metadata", "store/runs", "store/sites")


@dataclass(frozen=True)
class Aftermath:
    """How a disturbed run ended, its message, and the result of a second run."""

    code: int
    said: str
    asked: str  # the message that asks for --unlock, if any
    code_again: int
    jobs_again: Counter[str]
    differing: list[str]
    left: list[str]


@dataclass(frozen=True)
class FullDisk:
    """A rule to run on a full disk: the outputs to delete so that it runs, and the space that is left."""

    rule: str
    outputs: tuple[str, ...]
    left_kb: int


STAGES = (
    FullDisk("compile_model", ("results/models/*", "store/models/*", "results/filtered/*"), 100),
    FullDisk("extract_frames", ("results/frames/*", "results/filtered/*"), 40),
    FullDisk("filter_frames", ("results/filtered/*",), 0),
    FullDisk("hash_frames", ("results/hashes/*",), 8),
    FullDisk("deduplicate", ("results/dedup/*",), 8),
    FullDisk("detect_objects", ("results/detections/*",), 4),
    FullDisk("export_dataset", ("results/dataset",), 40),
    FullDisk("report", ("results/report.html", "results/registry.tsv"), 80),
)


@dataclass
class Started:
    """A running snakemake in its own process group."""

    run: Run
    process: subprocess.Popen[bytes]
    owner: str
    log: Path
    earlier: list[Path]  # Snakemake's own logs

    def wait(self) -> Outcome:
        """Return how it ended."""
        code, text = self.process.wait(), self.text()
        self.log.unlink()
        return Outcome(code, text)

    def text(self) -> str:
        """Return Snakemake's log of each job so far, then the output on the terminal."""
        own = [path for path in self.run.logs() if path not in self.earlier]
        return "".join(path.read_text(errors="replace") for path in (*own, self.log))


def start(run: Run) -> Started:
    """Start the whole workflow on a run folder; its output goes to a disk that no test fills."""
    earlier = run.logs()
    with tempfile.NamedTemporaryFile("w", suffix=".log", delete=False) as file:
        process = subprocess.Popen(
            [*run.command(), "--cores", "2", "--resources", "gpu=1"],
            cwd=run.folder.parent, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
        )  # fmt: skip
    return Started(run, process, owner_name(process.pid), Path(file.name), earlier)


def processes(run: Run) -> dict[int, str]:
    """Return the processes of a run folder by their kinds, and others by their command.

    A warm job is two processes: a launcher that Snakemake has started, and a child of the job server.
    """
    found = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            command, folder = process.cmdline(), Path(process.cwd())
            inside = folder == run.folder or run.folder in folder.parents
            if process.status() != psutil.STATUS_ZOMBIE and (inside or any(str(run.folder) in c for c in command)):
                found[process.pid] = _kind(command, inside)
    return found


def _kind(command: list[str], inside: bool) -> str:
    if "scripts.run.job_server" in command:
        return "job" if inside else "server"
    if any(part.endswith("/launcher.py") for part in command):
        return "launcher"
    if "scripts.warm.server" in command:
        return "detector"
    if command and Path(command[0]).name.startswith("ffmpeg"):
        return "ffmpeg"
    if any("/.snakemake/scripts/" in part for part in command):
        return "job"
    return "snakemake" if "snakemake" in command else " ".join(command)


def await_jobs(started: Started, count: int, rule: str = "") -> None:
    """Wait until this number of jobs has begun, of one rule or of any, or the run has ended."""
    while started.process.poll() is None:
        jobs = Outcome(0, started.text()).jobs
        if (jobs[rule] if rule else jobs.total()) >= count:
            return
        time.sleep(POLL_S)


def await_process(started: Started, kind: str) -> int | None:
    """Return the id of a process of this kind as soon as there is one, or None if the run ends before."""
    while started.process.poll() is None:
        for pid, found in processes(started.run).items():
            if found == kind:
                return pid
        time.sleep(POLL_S)
    return None


def kill(started: Started, kind: str, signal_number: signal.Signals = signal.SIGKILL) -> bool:
    """Send a signal to a process of this kind, or to the `group` of snakemake; return whether there was one."""
    target = started.process.pid if kind in ("group", "snakemake") else await_process(started, kind)
    if target is None or started.process.poll() is not None:
        return False
    with suppress(ProcessLookupError):
        os.killpg(target, signal_number) if kind == "group" else os.kill(target, signal_number)
        return True
    return False


def crash(run: Run, undisturbed: Run, kind: str, signal_number: signal.Signals, moment: tuple[int, float]) -> Aftermath:
    """Send a signal to a process of this kind after a number of jobs and seconds, then run again.

    If there is no such process any more, the run starts again and gets the signal earlier.
    """
    jobs, delay_s = moment
    started = start(run)
    await_jobs(started, jobs)
    time.sleep(delay_s)
    if not kill(started, kind, signal_number):
        started.wait()
        for name in ("results", "store", ".snakemake", "logs", "benchmarks"):
            shutil.rmtree(run.folder / name)
        return crash(run, undisturbed, kind, signal_number, (jobs // 2, delay_s / 2))
    return go_on(started.wait(), run, undisturbed, started.owner)


def fill_up(disk: Path, undisturbed: Run, stage: FullDisk) -> Aftermath:
    """Run a stage of a finished run again, on a small disk that is full as soon as its first job begins."""
    with small_disk(disk, DISK_MB):
        run = undisturbed.copy(disk / "run")
        for path in [path for outputs in stage.outputs for path in run.folder.glob(outputs)]:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        started = start(run)
        await_jobs(started, 1, stage.rule)
        with filled(disk, stage.left_kb):
            ended = started.wait()
        seen = go_on(ended, run, undisturbed, started.owner)
        named = [line for line in ended.text.splitlines() if f"ERROR {stage.rule}" in line]  # other rules may also fail
        return replace(seen, said=named[0].split("ERROR ")[1] if named else seen.said)


def go_on(ended: Outcome, run: Run, undisturbed: Run, owner: str) -> Aftermath:
    """Run an interrupted run again and compare it."""
    again, asked = run_again(run)
    left = leftovers(run, undisturbed, [owner])
    other = differing(run, undisturbed)
    said = last_word(ended.text) if ended.code >= 0 else ""  # a killed process prints nothing
    return Aftermath(ended.code, said, asked, again.code, again.jobs, other, left)


def last_word(text: str) -> str:
    """Return the most useful line: the first cause that is repeated at the end, or our last message."""
    lines = text.splitlines()
    after = [at for at, line in enumerate(lines) if line.startswith("reelsieve: the run ")]
    if after and lines[after[-1] + 1].startswith("  "):
        return lines[after[-1] + 1].strip()
    return next((line for line in reversed(lines) if re.match("reelsieve:|WorkflowError|.*Error:", line)), "")


def run_again(run: Run) -> tuple[Outcome, str]:
    """Run the same command, with --unlock first if its message asks for it; return also that message."""
    first = run.snakemake()
    if "locked" not in first.text:
        return first, ""
    asked = [line for line in first.text.splitlines() if line.startswith("reelsieve:") and "--unlock" in line]
    assert run.snakemake("--unlock").code == 0
    return run.snakemake(), asked[0] if asked else "no message"


def contents(run: Run) -> dict[str, str]:
    """Return a digest of each file under results/ and store/, without times."""
    return {
        str(path.relative_to(run.folder)): _digest(path)
        for part in ("results", "store")
        for path in sorted((run.folder / part).rglob("*"))
        if path.is_file() and path.name != ".snakemake_timestamp"
        if not SHARED & set(path.relative_to(run.folder).parts)
    }


def _digest(path: Path) -> str:
    data = path.read_bytes()
    if path.name == "video.json":
        record = {key: value for key, value in json.loads(data).items() if key not in CLOCKS}
        data = json.dumps(record, sort_keys=True).encode()
    return hashlib.sha256(data).hexdigest()


def differing(run: Run, undisturbed: Run) -> list[str]:
    """Return the files under results/ and store/ that differ from an undisturbed run."""
    mine, others = contents(run), contents(undisturbed)
    return sorted(name for name in mine.keys() | others.keys() if mine.get(name) != others.get(name))


def leftovers(run: Run, undisturbed: Run, owners: list[str]) -> list[str]:
    """Return the processes, sockets, files and folders that an undisturbed run does not leave."""
    end = time.monotonic() + END_S
    while (alive := processes(run)) and time.monotonic() < end:
        time.sleep(POLL_S)
    sockets = [p.name for p in private_folder().iterdir() if any(o.replace(".", "_") in p.name for o in owners)]
    left = {f"process {kind}" for kind in alive.values()} | {f"socket {name}" for name in sockets}
    return sorted(left | (_paths(run) - _paths(undisturbed)))


def _paths(run: Run) -> set[str]:
    found = (path.relative_to(run.folder) for path in run.folder.rglob("*"))
    own = tuple(Path(name) for name in OWN)
    return {str(p) for p in found if not any(o in p.parents for o in own) and not p.match(".snakemake/detector-*.log")}
