"""Run Python in forks of a process that has loaded what takes long to load: Snakemake, or PyTorch.

As a program, it loads the modules that it is given, then serves requests at the socket that is its standard input. Each
is a byte with three open files: a JSON object of `code`, `arguments`, `folder` and `environment`; what is printed; what
is printed as errors; and a pipe for the process id and the exit code, a line each.
"""

import atexit
import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from select import select
from typing import Any

REPO = Path(__file__).resolve().parents[1]
NO_CHANGES: Mapping[str, str] = {}
# Not `scripts`, which is each checkout's own, and not ultralytics, which reads its settings as it is loaded.
SNAKEMAKE = (
    "docutils.parsers.rst.directives.images", "jsonschema", "requests", "smart_open", "snakemake.cli",
    "snakemake.executors.local", "snakemake.report.html_reporter",
)  # fmt: skip
TORCH = ("torch", "torchvision", "cv2", "matplotlib.pyplot", "pyarrow.parquet", "psutil", "requests")
DATASETS = ("pyarrow.dataset", "pyarrow.parquet", "pandas", "dill", "multiprocess", "httpx", "fsspec", "xxhash", "yaml")
AT_LOAD = {"OMP_NUM_THREADS": "1"}  # PyTorch reads it then, and ultralytics, which jobs load first, sets it


class Forker:
    """Asks such a process to run code; it ends when this object is closed."""

    def __init__(self, modules: tuple[str, ...]) -> None:
        self._socket, theirs = socket.socketpair()
        # Not a module of tests: `scripts` would be found in this checkout first.
        command = [sys.executable, str(Path(__file__).resolve()), *modules]
        self._process = subprocess.Popen(command, stdin=theirs.fileno(), env=os.environ | AT_LOAD)
        theirs.close()

    def run(
        self, code: str, arguments: list[str], folder: Path, environment: dict[str, str], timeout_s: float = 600
    ) -> subprocess.CompletedProcess[str]:
        """Run code as `python -c` does and return how it ended.

        Raise TimeoutError, after killing it, if it takes longer.
        """
        request = {"code": code, "arguments": arguments, "folder": str(folder), "environment": environment}
        reading, writing = os.pipe()
        with (
            tempfile.TemporaryFile("w+") as asked,
            tempfile.TemporaryFile("w+") as out,
            tempfile.TemporaryFile("w+") as errors,
            open(reading) as answer,
        ):
            json.dump(request, asked)
            asked.flush()
            socket.send_fds(self._socket, [b"."], [asked.fileno(), out.fileno(), errors.fileno(), writing])
            os.close(writing)
            process = int(answer.readline())
            try:
                end = time.monotonic() + timeout_s
                if not select([answer], [], [], end - time.monotonic())[0]:
                    raise TimeoutError(f"{arguments} takes longer than {timeout_s:g} s")
            except BaseException:
                os.kill(process, signal.SIGKILL)
                raise
            ended = int(answer.readline())
            for file in (out, errors):
                file.seek(0)
            return subprocess.CompletedProcess([code, *arguments], ended, out.read(), errors.read())

    def close(self) -> None:
        """End the process."""
        self._socket.close()
        self._process.wait()


@cache
def forker(modules: tuple[str, ...]) -> Forker:
    """Return this process's forker with these modules; both end together."""
    started = Forker(modules)
    atexit.register(started.close)
    return started


def run_loaded(
    modules: tuple[str, ...],
    code: str,
    *arguments: object,
    folder: Path = REPO,
    environment: Mapping[str, str] = NO_CHANGES,
) -> str:
    """Return what code prints, run with these arguments and further variables, with the modules loaded already."""
    done = forker(modules).run(code, list(map(str, arguments)), folder, {**os.environ, **environment})
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def _serve(requests: socket.socket) -> dict[str, Any]:
    """Fork for each request until the other end is closed; only the forks return, each with what it is to run."""
    while True:
        byte, files, _, _ = socket.recv_fds(requests, 1, 4)
        if not byte:
            _reap(0)
            sys.exit(0)
        if not os.fork():
            requests.detach()  # the fork has another standard input
            return _report_on_fork(*files)
        for file in files:
            os.close(file)
        _reap(os.WNOHANG)


def _reap(options: int) -> None:
    """Take note of forks that ended; with options 0, of all."""
    try:
        while os.waitpid(-1, options)[0]:
            pass
    except ChildProcessError:
        pass


def _report_on_fork(asked: int, out: int, errors: int, answer: int) -> dict[str, Any]:
    """Fork once more, for the run itself, and report how it ends."""
    if process := os.fork():
        os.write(answer, f"{process}\n".encode())
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        os.write(answer, f"{code}\n".encode())
        os._exit(0)
    os.close(answer)
    with open(asked) as file:
        file.seek(0)
        request: dict[str, Any] = json.load(file)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, file_number in enumerate((nothing, out, errors)):
        os.dup2(file_number, number)
        os.close(file_number)
    return request


if __name__ == "__main__":
    for module in sys.argv[1:]:
        importlib.import_module(module)
    gc.freeze()  # the collector would copy the pages of what is loaded
    request = _serve(socket.socket(fileno=0))
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv[:] = ["-c", *request["arguments"]]
    sys.path[0] = request["folder"]
    exec(compile(request["code"], "<string>", "exec"), {"__name__": "__main__"})
