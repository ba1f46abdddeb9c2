"""The job server of a run, and the jobs that it has forked."""

import subprocess
from collections.abc import Callable

import psutil

Start = Callable[..., "subprocess.Popen[str]"]  # see the fixture `start`


def server_of(run: "subprocess.Popen[bytes]") -> psutil.Process | None:
    """Return the job server of a run."""
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if "scripts.run.job_server" in command and command[-2].startswith(f"{run.pid}."):
            return process
    return None


def gone(process: psutil.Process | None) -> None:
    if process:
        process.wait(20)


def jobs_of(run: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    server = server_of(run)
    return server.children() if server else []


def end(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate("a line\n", timeout=60)
    return process.returncode, out, err
