"""Extraction waits for the filter while unfiltered frames reach the limit, and never without an end."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from scripts.job import budget as budget_module
from scripts.job.budget import Budget, at_work, working
from tests.conftest import REPO

MARK = """
import sys, time
from pathlib import Path
from scripts.job.budget import at_work
with at_work(Path(sys.argv[1]), sys.argv[2], "other"):
    print("marked", flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget_module, "GRACE_S", 0.6)
    monkeypatch.setattr(budget_module, "POLL_S", 0.02)


@contextmanager
def another(folder: Path, kind: str) -> Iterator[subprocess.Popen[str]]:
    """Yield another process that has marked itself as a running job."""
    command = [sys.executable, "-c", MARK, str(folder / "marks"), kind]
    with subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "marked\n"
        yield process
        process.kill()


def frames_of(folder: Path, video: str, size: int, whole: bool = True) -> Path:
    frames = folder / "frames" / video
    frames.mkdir(parents=True)
    (frames / "000000000.jpg").write_bytes(b"x" * size)
    if whole:
        (frames / "frames.parquet").touch()
    return frames


def filter_done(folder: Path, video: str) -> None:
    (folder / "filtered" / video).mkdir(parents=True)
    (folder / "filtered" / video / "filter.parquet").touch()


@contextmanager
def extraction(folder: Path, limit_bytes: int = 1000) -> Iterator[Budget]:
    """Yield the budget of a running extraction."""
    with at_work(folder / "marks", "extract", "own") as mark:
        own = folder / "frames/own"
        own.mkdir(parents=True, exist_ok=True)
        yield Budget(limit_bytes, folder / "frames", folder / "filtered", own, folder / "marks", mark)


def waited(budget: Budget, own_bytes: int) -> float:
    """Return the seconds that an extraction waited for room."""
    began = time.monotonic()
    budget.wait(own_bytes)
    return time.monotonic() - began


def test_frames_below_the_limit_do_not_wait(tmp_path: Path) -> None:
    frames_of(tmp_path, "a", 500)
    with extraction(tmp_path) as budget, another(tmp_path, "filter"):
        assert waited(budget, 400) < 0.3


def test_only_unfiltered_frames_count(tmp_path: Path) -> None:
    for video in ("a", "b", "c"):
        frames_of(tmp_path, video, 900)
        filter_done(tmp_path, video)
    with extraction(tmp_path) as budget, another(tmp_path, "filter"):
        assert waited(budget, 900) < 0.3
    os.utime(tmp_path / "filtered/a/filter.parquet", (1, 1))  # older than the frames, as after another extraction
    with extraction(tmp_path) as budget:
        assert waited(budget, 900) > 0.5


def test_an_extraction_waits_until_the_filter_has_made_room(tmp_path: Path) -> None:
    frames_of(tmp_path, "a", 900)
    with extraction(tmp_path) as budget, another(tmp_path, "filter"):
        threading.Timer(1.0, filter_done, (tmp_path, "a")).start()
        assert 0.8 < waited(budget, 200) < 3


def test_frames_count_until_the_filter_has_deleted_them(tmp_path: Path) -> None:
    frames_of(tmp_path, "other", 900)
    filter_done(tmp_path, "other")
    with another(tmp_path, "filter") as filtering, extraction(tmp_path) as budget:
        threading.Timer(1.0, filtering.kill).start()
        assert 0.8 < waited(budget, 200) < 3, "its table is written, its frames are still there"


def test_a_video_larger_than_the_limit_continues_alone(tmp_path: Path) -> None:
    with extraction(tmp_path) as budget, another(tmp_path, "filter"):
        assert waited(budget, 5000) < 0.3


def test_without_a_running_filter_extraction_continues(tmp_path: Path) -> None:
    frames_of(tmp_path, "a", 2000)  # its filter failed
    with extraction(tmp_path) as budget:
        assert 0.5 < waited(budget, 100) < 3, "as long as the next filter may take to begin"
        assert float(budget.mark.read_text()) == 120, "it claims 2 % of the limit, and then reads the disk again"
        assert waited(budget, 200) < 0.3, "and not again"


def test_without_a_filter_only_the_first_extraction_continues(tmp_path: Path) -> None:
    with another(tmp_path, "extract") as first:
        frames_of(tmp_path, "other", 900, whole=False)
        with extraction(tmp_path) as budget:
            threading.Timer(1.0, first.kill).start()
            assert 0.8 < waited(budget, 200) < 3, "the other one began before, until it was killed"


def test_marks_of_killed_jobs_are_deleted(tmp_path: Path) -> None:
    with another(tmp_path, "filter") as killed:
        assert len(working(tmp_path / "marks", "filter")) == 1
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
    assert working(tmp_path / "marks", "filter") == [] == list((tmp_path / "marks").iterdir())
    assert working(tmp_path / "none", "filter") == []


def test_an_ended_job_leaves_no_mark(tmp_path: Path) -> None:
    with at_work(tmp_path, "filter", "a"):
        assert len(working(tmp_path, "filter")) == 1
    assert not list(tmp_path.iterdir())


def test_claims_of_other_extractions_count(tmp_path: Path) -> None:
    with another(tmp_path, "extract"), another(tmp_path, "filter"):
        (tmp_path / "frames/other").mkdir(parents=True)  # has written nothing yet
        [mark] = working(tmp_path / "marks", "extract")
        mark.write_text("300")
        with extraction(tmp_path) as budget:
            threading.Timer(1.0, mark.write_text, ("100",)).start()
            assert waited(budget, 150) < 0.3 and 0.5 < waited(budget, 300) < 3


def test_half_of_the_limit_is_for_the_first_extraction(tmp_path: Path) -> None:
    with another(tmp_path, "extract") as first, another(tmp_path, "filter"):
        frames_of(tmp_path, "other", 300, whole=False)
        with extraction(tmp_path) as budget:
            assert waited(budget, 200) < 0.3
            threading.Timer(1.0, first.kill).start()
            assert 0.8 < waited(budget, 600) < 3, "now this one is the first"


def test_half_extracted_videos_continue_one_by_one(tmp_path: Path) -> None:
    frames_of(tmp_path, "half", 600, whole=False)  # it waits, and no filter has anything to do
    with extraction(tmp_path) as budget:
        assert waited(budget, 600) < 0.3


def test_a_new_first_extraction_waits_for_a_filter_again(tmp_path: Path) -> None:
    frames_of(tmp_path, "whole", 2000)
    with another(tmp_path, "extract") as first, extraction(tmp_path) as budget:
        threading.Timer(1.0, first.kill).start()
        assert 1.5 < waited(budget, 100) < 4, "a second until it is the first, and then as long as a filter may take"


def test_the_disk_is_not_read_for_every_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = []
    scandir = os.scandir

    def count(folder: Path) -> Any:
        reads.append(folder)
        return scandir(folder)

    monkeypatch.setattr("scripts.job.budget.os.scandir", count)
    with extraction(tmp_path, 1_000_000) as budget:
        for own_bytes in range(1000, 900_000, 1000):
            budget.wait(own_bytes)
    assert 1 < len(reads) < 20


def test_no_job_waits_where_files_cannot_be_locked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def no_locks(file: object, how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")  # as a cluster's file system without them says

    with at_work(tmp_path, "extract", "one"):
        assert len(working(tmp_path, "extract")) == 1
        with monkeypatch.context() as patch:
            patch.setattr("fcntl.flock", no_locks)
            assert working(tmp_path, "extract") == []
        assert list(tmp_path.glob("extract-*-one")), "which does not mean that it has ended"
