"""The log of a job ends with a message that a user can act on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.job.log import SILENT
from tests.conftest import REPO

LOG = Path("logs/extract_frames/night.log")
START = "import sys, logging; from scripts.core.errors import UserError; from scripts.job.log import *;"


def run_job(code: str, folder: Path, silent: bool = False) -> tuple[str, str]:
    """Run code in a process of its own; return the content of LOG and stderr."""
    (folder / LOG).parent.mkdir(parents=True)
    environment = os.environ | {"PYTHONPATH": str(REPO)} | ({SILENT: "1"} if silent else {})
    command = [sys.executable, "-c", f"{START} {code}", str(LOG)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return (folder / LOG).read_text(), done.stderr


def test_the_log_of_a_user_error_has_no_traceback(tmp_path: Path) -> None:
    log, shown = run_job("log_to(sys.argv[1]); raise UserError('night: do this')", tmp_path)
    assert log.endswith(" ERROR night: do this\n") and shown == log and "Traceback" not in log


def test_other_errors_have_a_traceback(tmp_path: Path) -> None:
    log, _ = run_job("log_to(sys.argv[1]); {}['a']", tmp_path)
    assert " ERROR 'a'\nTraceback" in log and "KeyError" in log


def test_an_interrupted_job_ends_its_log_with_that_word(tmp_path: Path) -> None:
    log, _ = run_job("log_to(sys.argv[1]); raise KeyboardInterrupt", tmp_path)
    assert log.endswith(" INFO interrupted\n") and "Traceback" not in log


def test_jobs_of_a_run_that_draws_are_silent_unless_the_user_requested_them(tmp_path: Path) -> None:
    log, shown = run_job("log_to(sys.argv[1]); logging.info('a')", tmp_path / "drawn", silent=True)
    assert " INFO a\n" in log and shown == ""
    code = "log_and_show(sys.argv[1]); logging.info('a'); logging.info('b', extra={'log_only': True})"
    log, shown = run_job(code, tmp_path / "requested", silent=True)
    assert " INFO b\n" in log and " INFO a\n" in shown and " INFO b\n" not in shown


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_reported_with_the_job_and_the_remedy(tmp_path: Path) -> None:
    log, shown = run_job("log_to(sys.argv[1]); open('/dev/full', 'w').write('x' * 99999)", tmp_path)
    assert "extract_frames night: the disk is full" in shown and "Traceback" not in shown
    assert "free some space" in shown and "Traceback" in log


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_log_on_a_full_disk_leaves_its_errors_to_stderr(tmp_path: Path) -> None:
    (tmp_path / LOG).parent.mkdir(parents=True)
    command = [sys.executable, "-c", f"{START} log_to('/dev/full'); logging.info('a'); logging.error('b')"]
    environment = os.environ | {"PYTHONPATH": str(REPO), SILENT: "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == "b\n"


def test_no_log_line_does_anything_to_a_terminal(tmp_path: Path) -> None:
    log, shown = run_job("log_to(sys.argv[1]); logging.info('a\\x1b[2J\\x9b\\u202e\\rb\\nc'); {}['\\x1b']", tmp_path)
    assert " INFO a [2J   b\nc\n" in log and "\x1b" not in log + shown
