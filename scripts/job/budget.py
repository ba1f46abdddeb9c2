"""Hold the bytes of raw frames that wait for the filter under a limit: extraction waits while the filter catches up.

What is on disk is counted, so that nothing has to be told of, or can be forgotten, when a job is killed. Waiting can
never block a run: if no filter is at work for GRACE_S, or none has anything to do, the extraction that began first goes
on. Only then, or with a video larger than half of the limit, may there be more than the limit. Submissions to a cluster
do not wait, since they would hold their nodes idle while the filters are in the queue.
"""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from scripts.core.layout import FILTER_TABLE, FRAMES_TABLE
from scripts.core.locks import hold, try_lock

MARKS = Path(".snakemake/frames")  # a locked file per extraction and filter at work
GRACE_S = 30.0  # longer than one job takes to end and the next to begin, on a machine with far too much to do
LOOK_S = 0.2
STEP = 0.02  # of the limit, for an extraction that goes on beyond it


@contextmanager
def at_work(marks: Path, what: str, name: str) -> Iterator[Path]:
    """Mark a job as at work, `extract` or `filter`, until the block ends or the job is killed."""
    marks.mkdir(parents=True, exist_ok=True)
    mark = marks / f"{what}-{time.time_ns():020d}-{name}"
    unlocked = marks / f".{mark.name}"
    unlocked.touch()
    with _held(unlocked):
        unlocked.rename(mark)  # from now on others see it, and that it is locked
        try:
            yield mark
        finally:
            mark.unlink(missing_ok=True)


def working(marks: Path, what: str) -> list[Path]:
    """Return the marks of the jobs at work, the first to begin first; forget those of killed ones."""
    found = []
    for mark in sorted(marks.glob(f"{what}-*")):
        try:
            lock = try_lock(mark)
        except OSError:
            continue  # nothing can be locked here
        if lock is None:
            found.append(mark)
        else:  # its job was killed, or ended just now
            mark.unlink(missing_ok=True)
            lock.release()
    return found


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Hold a lock file. Where none can be locked, as on some network file systems, no job waits for another."""
    with ExitStack() as stack:
        with suppress(OSError):
            stack.enter_context(hold(path))
        yield


@dataclass
class Budget:
    """The room that one extraction shares with the others of its run.

    `frames` and `filtered` are the folders of all videos' frames, before and after the filter; `own` is this video's.
    """

    limit_bytes: float
    frames: Path
    filtered: Path
    own: Path
    marks: Path
    mark: Path
    _claimed: float = 0.0  # bytes that this extraction may write before it has to look again
    _idle_since: float = field(default_factory=time.monotonic)
    _sizes: dict[str, int] = field(default_factory=dict)  # of folders that are whole
    _filtered: set[str] = field(default_factory=set)

    def wait(self, own_bytes: float) -> None:
        """Wait until `own_bytes` of this video fit beside the frames of the others."""
        told = False
        while own_bytes > self._claimed and not self._claim(own_bytes):
            if not told:
                logging.info("frames_budget_gb: as many raw frames as may wait for the filter do, so this video waits")
                told = True
            time.sleep(LOOK_S)

    def _claim(self, own_bytes: float) -> bool:
        """Claim room for `own_bytes` and a share of what is left, if there is any or waiting is in vain."""
        with _held(self.marks / "lock"):
            extracting = working(self.marks, "extract")
            first = extracting[:1] == [self.mark]
            claims = {_name_in(mark): _claim_in(mark) for mark in extracting}
            waiting = self._unfiltered()
            others = sum(max(self._bytes(folder), claims.get(folder.name, 0.0)) for folder in waiting)
            # Half is for the extraction that began first, so that not every video stops before its end for the others.
            room = self.limit_bytes * (1 if first else 0.5) - others - own_bytes
            whole = any(folder.name in self._sizes for folder in waiting)
            if others and room < 0 and not self._must_go(first, whole):
                return False
            share = room / (1 + len(extracting))  # all of them may take it at once
            self._claimed = own_bytes + (share if room >= 0 else self.limit_bytes * STEP)
            self.mark.write_text(str(self._claimed))
            return True

    def _unfiltered(self) -> list[Path]:
        deleting = {_name_in(mark) for mark in working(self.marks, "filter")}  # or about to, when the table is written
        found = [entry.name for entry in os.scandir(self.frames) if entry.is_dir()]
        names = [name for name in found if name[0] != "."]  # the others are being deleted
        waiting = []
        for name in set(names) - self._filtered - {self.own.name}:
            filtered = _is_newer(self.filtered / name / FILTER_TABLE, self.frames / name / FRAMES_TABLE)
            if filtered and name not in deleting:
                self._filtered.add(name)
            else:
                waiting.append(self.frames / name)
        return waiting

    def _bytes(self, folder: Path) -> int:
        if folder.name not in self._sizes:
            whole = (folder / FRAMES_TABLE).exists()
            size = _size(folder)
            if not whole:
                return size
            self._sizes[folder.name] = size
        return self._sizes[folder.name]

    def _must_go(self, first: bool, whole: bool) -> bool:
        """Tell whether waiting is in vain: no filter is at work, nor may one be before the first extraction ends."""
        now = time.monotonic()
        if not first or working(self.marks, "filter"):
            self._idle_since = now
            return False
        return not whole or now > self._idle_since + GRACE_S


def _is_newer(table: Path, other: Path) -> bool:
    try:
        return table.stat().st_mtime_ns >= other.stat().st_mtime_ns
    except FileNotFoundError:
        return False


def _name_in(mark: Path) -> str:
    return mark.name.split("-", 2)[2]


def _claim_in(mark: Path) -> float:
    try:
        return float(mark.read_text() or 0)
    except FileNotFoundError:  # it ended just now
        return 0.0


def _size(folder: Path) -> int:
    total = 0
    with suppress(FileNotFoundError):  # the filter is done with it
        for entry in os.scandir(folder):
            with suppress(FileNotFoundError):
                total += entry.stat(follow_symlinks=False).st_size
    return total
