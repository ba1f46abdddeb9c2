"""A job ends when its run ends."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

from scripts.job.environment import OWNER
from scripts.job.process import owner_name
from scripts.job.run_state import STOPPING
from scripts.job.start import UNTIL_STARTED
from tests.conftest import REPO

JOB = """
import sys, time
from scripts.job.start import start_job
start_job(sys.argv[1])
print("begun", flush=True)
time.sleep(60)
"""
COMMAND = [sys.executable, "-c", JOB]


def test_a_job_ends_when_its_run_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as run:
        environment = os.environ | {OWNER: owner_name(run.pid)}
        with subprocess.Popen(
            [*COMMAND, str(tmp_path / "log")], cwd=REPO, env=environment, stdout=subprocess.PIPE
        ) as job:
            assert job.stdout and job.stdout.readline() == b"begun\n"
            run.kill()
            run.wait()
            assert job.wait(30) == 1
    assert "this job ends because its run was killed" in (tmp_path / "log").read_text()


def test_a_job_of_a_stopping_run_does_not_start(tmp_path: Path) -> None:
    (tmp_path / STOPPING).parent.mkdir()
    (tmp_path / STOPPING).touch()
    environment = os.environ | {"PYTHONPATH": str(REPO)}
    done = subprocess.run([*COMMAND, "log"], cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert done.returncode == 1 and done.stdout == b""
    assert (tmp_path / "log").read_text().endswith(" INFO interrupted\n")


def test_ctrl_c_is_ignored_until_a_job_has_started_and_then_stops_it(tmp_path: Path) -> None:
    command = f"{UNTIL_STARTED} exec {shlex.join([*COMMAND, str(tmp_path / 'log')])}"
    with subprocess.Popen(["bash", "-c", command], cwd=REPO, stdout=subprocess.PIPE) as job:
        assert job.stdout and job.stdout.readline() == b"begun\n"
        job.send_signal(signal.SIGINT)
        assert job.wait(30) != 0
    assert (tmp_path / "log").read_text().endswith(" INFO interrupted\n")
