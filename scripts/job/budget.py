"""Limit the bytes of unfiltered frames: extraction waits while the filter catches up.

The bytes on disk are counted, so a killed job leaves no wrong count behind. Waiting cannot block a run: if no filter
works for GRACE_S, or no filter has anything to do, the extraction that began first continues. Only then, or with a
video larger than half of the limit, can the frames exceed the limit. Jobs submitted to a cluster do not wait, because
they would keep their nodes idle while the filter jobs are in the queue.
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

MARKS = Path(".snakemake/frames")  # has a locked file per running extraction and filter job
GRACE_S = 30.0  # longer than the gap between two jobs on an overloaded machine
POLL_S = 0.2
STEP = 0.02  # share of the limit that an extraction claims beyond it


@contextmanager
def at_work(marks: Path, kind: str, name: str) -> Iterator[Path]:
    """Mark an `extract` or `filter` job as running until the block ends or the job is killed; yield the mark."""
    marks.mkdir(parents=True, exist_ok=True)
    mark = marks / f"{kind}-{time.time_ns():020d}-{name}"
    unlocked = marks / f".{mark.name}"
    unlocked.touch()
    with _held(unlocked):
        unlocked.rename(mark)  # other jobs see it only now, when it is locked
        try:
            yield mark
        finally:
            mark.unlink(missing_ok=True)


def working(marks: Path, kind: str) -> list[Path]:
    """Return the marks of running jobs in the order of their start. Delete the marks of killed jobs."""
    found = []
    for mark in sorted(marks.glob(f"{kind}-*")):
        try:
            lock = try_lock(mark)
        except OSError:
            continue  # this file system has no locks
        if lock is None:
            found.append(mark)
        else:  # its job was killed or has just ended
            mark.unlink(missing_ok=True)
            lock.release()
    return found


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Hold a lock file. Where files cannot be locked, as on some network file systems, no job waits for another."""
    path.touch()
    with ExitStack() as stack:
        with suppress(OSError):
            stack.enter_context(hold(path))
        yield


@dataclass
class Budget:
    """The limit that an extraction shares with the others of its run.

    `frames` and `filtered` are the folders of all videos' frames before and after the filter; `own` is this video's.
    """

    limit_bytes: float
    frames: Path
    filtered: Path
    own: Path
    marks: Path
    mark: Path
    _claimed: float = 0.0  # bytes that this extraction may write before it checks again
    _idle_since: float = field(default_factory=time.monotonic)
    _sizes: dict[str, int] = field(default_factory=dict)  # bytes per complete folder
    _filtered: set[str] = field(default_factory=set)

    def wait(self, own_bytes: float) -> None:
        """Wait until `own_bytes` of this video fit below the limit, together with the frames of the others."""
        logged = False
        while own_bytes > self._claimed and not self._claim(own_bytes):
            if not logged:
                logging.info("waiting for the filter: unfiltered frames have reached frames_budget_gb")
                logged = True
            time.sleep(POLL_S)

    def _claim(self, own_bytes: float) -> bool:
        """Claim `own_bytes` and a share of the free rest. Return False if this extraction has to wait."""
        with _held(self.marks / "lock"):
            extracting = working(self.marks, "extract")
            first = extracting[:1] == [self.mark]
            claims = {_name_in(mark): _claim_in(mark) for mark in extracting}
            waiting = self._unfiltered()
            others = sum(max(self._bytes(folder), claims.get(folder.name, 0.0)) for folder in waiting)
            # The extraction that began first has half. Otherwise all could stop half-way and wait for each other.
            room = self.limit_bytes * (1 if first else 0.5) - others - own_bytes
            filterable = any(folder.name in self._sizes for folder in waiting)
            if others and room < 0 and not self._must_continue(first, filterable):
                return False
            share = room / (1 + len(extracting))  # all extractions may claim it at once
            self._claimed = own_bytes + (share if room >= 0 else self.limit_bytes * STEP)
            self.mark.write_text(str(self._claimed))
            return True

    def _unfiltered(self) -> list[Path]:
        # A filter job writes its table, and only then are the frames deleted.
        deleting = {_name_in(mark) for mark in working(self.marks, "filter")}
        found = [entry.name for entry in os.scandir(self.frames) if entry.is_dir()]
        names = [name for name in found if name[0] != "."]  # those with a dot are being deleted
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
            complete = (folder / FRAMES_TABLE).exists()
            size = _size(folder)
            if not complete:
                return size
            self._sizes[folder.name] = size
        return self._sizes[folder.name]

    def _must_continue(self, first: bool, filterable: bool) -> bool:
        """Return whether waiting cannot help: no filter works, and none can start before the first extraction ends."""
        now = time.monotonic()
        if not first or working(self.marks, "filter"):
            self._idle_since = now
            return False
        return not filterable or now > self._idle_since + GRACE_S


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
    except FileNotFoundError:  # its job has just ended
        return 0.0


def _size(folder: Path) -> int:
    total = 0
    with suppress(FileNotFoundError):  # the filter has deleted it
        for entry in os.scandir(folder):
            with suppress(FileNotFoundError):
                total += entry.stat(follow_symlinks=False).st_size
    return total
