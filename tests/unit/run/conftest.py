"""A run with a job server, for the tests of its parts."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.job.environment import OWNER
from scripts.job.process import owner_name
from scripts.run import launcher, warm_jobs
from tests._jobs import Start, gone, server_of


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator["subprocess.Popen[bytes]"]:
    """Return a process that stands for a run: the job server's owner. Its umask is not a usual one."""
    monkeypatch.chdir(tmp_path)
    before = os.umask(0o037)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        monkeypatch.setattr(warm_jobs, "owner_name", lambda _: owner_name(process.pid))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "modules"))
        monkeypatch.setenv(OWNER, owner_name(process.pid))
        monkeypatch.setenv("RUN", str(process.pid))
        yield process
        process.kill()
    os.umask(before)


@pytest.fixture
def start(run: "subprocess.Popen[bytes]", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Return a function that starts a script as Snakemake does, warm unless `cold`."""
    monkeypatch.setenv(launcher.SERVER, "")  # so that it is removed afterwards
    warm = warm_jobs.start_job_server()
    started: list[subprocess.Popen[str]] = []

    def start_script(text: str, name: str = "verify", cold: bool = False) -> "subprocess.Popen[str]":
        script = tmp_path / f"tmp0.{name}.py"
        script.write_text(text)
        command = f"trap '' INT; {sys.executable if cold else warm} {script}"
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(subprocess.Popen(["bash", "-c", command], text=True, **pipes))  # type: ignore[call-overload]
        return started[-1]

    yield start_script
    run.kill()
    for process in started:
        process.communicate(timeout=30)
    gone(server_of(run))
