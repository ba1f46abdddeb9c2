"""Start the job server, through which the jobs of this run start in milliseconds instead of a second."""

import hashlib
import os
import shlex
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from scripts.core.layout import CHECKOUT
from scripts.job.process import owner_name
from scripts.run.launcher import SERVER
from scripts.warm.sockets import NoDetector, socket_path, this_host

LOG = Path(".snakemake/job-server.log")
LAUNCHER = Path(__file__).with_name("launcher.py")
# Libraries read these when they are imported, and must not start threads in a process that forks. The last is for the
# memory allocator in pyarrow.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
ONE_THREAD["JE_ARROW_MALLOC_CONF"] = "background_thread:false"


def start_job_server() -> str:
    """Start the server of this run, and return the command that runs a script through it, in place of Python.

    Return Python itself where no server can run. Then each job starts its own interpreter.
    """
    python = shlex.quote(sys.executable)
    if sys.platform != "linux":
        return python
    owner = owner_name(os.getpid())
    name = hashlib.sha256(f"jobs of {this_host()} {owner}".encode()).hexdigest()[:16]
    with suppress(NoDetector, OSError), socket.socket(socket.AF_UNIX) as listener:
        path = socket_path(owner, name)
        listener.bind(str(path))
        listener.listen(1024)  # from now on, jobs can connect: they wait until the server has loaded
        _start(listener, path, owner)
        os.environ[SERVER] = str(path)
        return f"{python} -IS {shlex.quote(str(LAUNCHER))}"
    return python


def _start(listener: socket.socket, path: Path, owner: str) -> None:
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("w") as log:
        subprocess.Popen(
            [sys.executable, "-m", "scripts.run.job_server", str(listener.fileno()), str(path), owner, os.getcwd()],
            cwd=CHECKOUT,
            env={**os.environ, **ONE_THREAD},
            pass_fds=[listener.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            process_group=0,  # Ctrl-C on the terminal is for the jobs, which must be able to join their run's group
        )
