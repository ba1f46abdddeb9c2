"""A run without a terminal gets lines on failures, messages and finished stages."""

import io
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from scripts.job.run_state import STATE, STOPPING
from scripts.run.progress import Progress


class Before(logging.StreamHandler[io.StringIO]):
    """The part of Snakemake's handler that is used."""

    is_tty, nocolor = False, True


@pytest.fixture
def stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    monkeypatch.chdir(tmp_path)
    STATE.parent.mkdir()
    return io.StringIO()


@pytest.fixture
def idle() -> list[bool]:
    return []


@pytest.fixture
def progress(stream: io.StringIO, idle: list[bool]) -> Progress:
    return Progress(Before(stream), Path("results"), lambda: idle.append(True))


def send(progress: Progress, message: str, event: str = "", **fields: Any) -> None:
    """Log a message, or an event with its fields, as Snakemake does."""
    record = logging.LogRecord("snakemake", logging.INFO, "", 0, message, (), None)
    vars(record).update({"event": event or None} | fields)
    progress.handle(record)


def start(progress: Progress, job: int, rule: str, video: str) -> None:
    send(progress, "", "job_info", jobid=job, rule_name=rule, wildcards={"video": video})


def test_finished_stages_and_failed_downloads_get_a_line(progress: Progress, stream: io.StringIO) -> None:
    record = Path("results/download/a/video.json")
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"status": "blocked", "message": "HTTP Error 429"}))
    send(progress, "", "run_info", stats={"download_video": 2, "all": 1, "total": 3})
    start(progress, 1, "download_video", "a")
    send(progress, "", "job_finished", job_id=1)
    send(progress, "Select jobs to execute...")
    progress.stop()
    assert stream.getvalue() == "a: blocked: HTTP Error 429\ndownload_video: 1 of 2, about 1 s left\n"


def test_a_failed_job_is_counted_unless_it_was_interrupted(progress: Progress, stream: io.StringIO) -> None:
    for job, line in ((1, "2026 INFO interrupted"), (2, "2026 ERROR no such class")):
        Path(f"{job}.log").write_text(f"{line}\n")
        start(progress, job, "filter_frames", f"v{job}")
        send(progress, "", "job_error", jobid=job, rule_name="filter_frames", log=[f"{job}.log"])
    progress.stop()
    lines = stream.getvalue().splitlines()
    assert lines[0] == "filter_frames failed on video v2" and lines[1] == "  2026 ERROR no such class"
    assert lines[-1] == "filter_frames: 0 of 2, 1 failed" and len(lines) == 4


def test_repeated_messages_are_shown_once_and_a_stop_is_noted(progress: Progress, stream: io.StringIO) -> None:
    for _ in range(3):
        send(progress, "Terminating processes on user request")
    assert stream.getvalue() == "Terminating processes on user request\n" and STOPPING.exists()


def test_a_run_without_work_is_reported(progress: Progress, idle: list[bool]) -> None:
    send(progress, "Building DAG of jobs...")
    assert not idle
    send(progress, "Nothing to be done (all requested files are present and up to date).")
    assert idle == [True]


def test_jobs_that_the_user_requested_show_no_stages(progress: Progress, stream: io.StringIO) -> None:
    start(progress, 1, "verify", "")
    send(progress, "", "job_finished", job_id=1)
    progress.stop()
    assert stream.getvalue() == ""
