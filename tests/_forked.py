"""Run snakemake in forks of a process that has loaded it: to load it takes most of the time of a small run.

As a program, it serves requests at the socket that is its standard input. Each is a byte with three open files: one
with a JSON object of `arguments`, `folder` and `environment`, one for what snakemake prints, and one for its process id
and its exit code, a line each.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from select import select
from typing import Any, NoReturn

# What a run loads besides, but not `scripts`, which is each checkout's own.
LOADED = (
    "docutils.parsers.rst.directives.images", "jsonschema", "requests", "smart_open", "snakemake.cli",
    "snakemake.executors.local", "snakemake.report.html_reporter",
)  # fmt: skip


class Forker:
    """Asks the process for runs; it ends when this object is closed."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        # Not a module of tests: `scripts` would be found in this checkout first.
        command = [sys.executable, str(Path(__file__).resolve()), "snakemake"]
        self._process = subprocess.Popen(command, stdin=theirs.fileno())
        theirs.close()

    def run(self, arguments: list[str], folder: Path, timeout_s: float = 600) -> tuple[int, str]:
        """Return the exit code and the text of `snakemake` with these arguments, called in a folder.

        Its environment is that of now. Raise TimeoutError, after killing it, if it takes longer.
        """
        reading, writing = os.pipe()
        with tempfile.TemporaryFile("w+") as request, tempfile.TemporaryFile("w+") as said, open(reading) as answer:
            json.dump({"arguments": arguments, "folder": str(folder), "environment": dict(os.environ)}, request)
            request.seek(0)
            socket.send_fds(self._socket, [b"."], [request.fileno(), said.fileno(), writing])
            os.close(writing)
            process = int(answer.readline())
            end = time.monotonic() + timeout_s
            try:
                if not select([answer], [], [], end - time.monotonic())[0]:
                    raise TimeoutError(f"snakemake {' '.join(arguments)} takes longer than {timeout_s:g} s")
            except BaseException:
                os.kill(process, signal.SIGKILL)
                raise
            code = int(answer.readline())
            said.seek(0)
            return code, said.read()

    def close(self) -> None:
        """End the process."""
        self._socket.close()
        self._process.wait()


def _serve(requests: socket.socket) -> None:
    """Fork for each request until the other end is closed."""
    while True:
        request, files, _, _ = socket.recv_fds(requests, 1, 3)
        if not request:
            break
        if not os.fork():
            requests.detach()  # the run has another standard input
            _watch(*files)
        for file in files:
            os.close(file)
        _reap(os.WNOHANG)
    _reap(0)


def _reap(options: int) -> None:
    """Take note of forks that ended; with options 0, of all."""
    try:
        while os.waitpid(-1, options)[0]:
            pass
    except ChildProcessError:
        pass


def _watch(request: int, said: int, answer: int) -> None:
    """Fork once more for the run, and report on it."""
    if not (process := os.fork()):
        os.close(answer)
        with open(request) as file:
            asked = json.load(file)
        _become(asked, said)
    os.write(answer, f"{process}\n".encode())
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    os.write(answer, f"{code}\n".encode())
    os._exit(0)


def _become(asked: dict[str, Any], said: int) -> NoReturn:
    """Be `python -m snakemake`, called in a folder."""
    from snakemake.cli import main

    nothing = os.open(os.devnull, os.O_RDONLY)
    for file, number in ((nothing, 0), (said, 1), (said, 2)):
        os.dup2(file, number)
    os.close(nothing)
    os.close(said)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv[:] = ["snakemake", *asked["arguments"]]
    sys.path[0] = asked["folder"]
    main()
    sys.exit(0)


if __name__ == "__main__":
    import gc
    import importlib

    for module in LOADED:
        importlib.import_module(module)
    gc.freeze()  # the collector would copy the pages of what is loaded
    _serve(socket.socket(fileno=0))
