"""The job server: a process that has loaded what a run's jobs import, and forks a child for each job.

python -m scripts.run.job_server LISTENER SOCKET OWNER FOLDER; see start_job_server(). It ends with its owner, the run.
"""

import gc
import importlib
import marshal
import os
import re
import selectors
import signal
import socket
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from scripts.core.layout import CHECKOUT
from scripts.run.forked_script import run_as_main
from scripts.run.launcher import N_BYTES
from scripts.warm.sockets import peer_of

SCRIPT_OF_RULE = re.compile(r"\.(\w+)\.py$")  # Snakemake copies a script to tmpXXXX.NAME.py
REQUEST_S = 10.0  # for a launcher to send its request
AT_START = ("snakemake.iocontainers", "snakemake.logging")  # what Snakemake's own lines in each script import
LONGEST_LESSON = 100_000  # bytes of the names of modules that a job has imported
Connection = socket.socket
Request = tuple[list[str], str, dict[str, str]]  # arguments, working directory, environment


class Unfit(Exception):
    """This server must not fork."""


class JobServer:
    """Forks a child per connection, and sends each launcher the number and the status of its child."""

    def __init__(self, listener: Connection, path: Path, owner: int) -> None:
        """Serve the socket at `path` until a process, the owner, ends."""
        self._listener, self._path = listener, path
        self._owner = os.pidfd_open(owner)
        self._wakeup = signals_as_bytes()
        self._learning, self._teaching = socket.socketpair(type=socket.SOCK_DGRAM)
        self._jobs: dict[int, Connection] = {}  # by the number of their child
        self._learnt: dict[str, list[str]] = {}  # modules, by the script that needs them
        self._code = state_of_code()
        self._has_ended = False
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._learning, selectors.EVENT_READ, self._learn)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(self._wakeup, selectors.EVENT_READ, self._reap)
        self._selector.register(self._owner, selectors.EVENT_READ, self._end)

    def serve(self) -> None:
        """Serve until the owner ends, and with it the last job: jobs watch their run themselves."""
        while not self._has_ended or self._jobs:
            for key, _ in self._selector.select():
                if key == self._selector.get_map().get(key.fd):  # an earlier event may have closed it
                    key.data()

    def _end(self) -> None:
        """Accept no more jobs; those of launchers that wait run without the server."""
        if self._has_ended:
            return
        self._has_ended = True
        self._path.unlink(missing_ok=True)
        for source in (self._owner, self._listener):
            self._selector.unregister(source)
        self._listener.close()

    def _learn(self) -> None:
        script, *modules = self._learning.recv(LONGEST_LESSON).decode().split()
        self._learnt[script] = modules

    def _load_for(self, script: str) -> None:
        """Import what a script imports, and what its earlier jobs have imported while they ran.

        Raise Unfit, now and from now on, if a child would not run as a new interpreter would.
        """
        load([script, *self._learnt.pop(script, [])])
        if self._code != state_of_code():
            self._end()
            raise Unfit("the code was edited, and old and new modules must not mix")
        if len(os.listdir("/proc/self/task")) > 1:
            self._end()
            raise Unfit("an import has started a thread, so that forks are not safe")

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        streams: list[int] = []
        try:
            request, streams = read_request(connection)
            script = module_of(request[0])
            self._load_for(script)
            pid = os.fork()
        except (OSError, ValueError, EOFError, Unfit) as error:
            log(f"a job runs without this server: {error!r}")
            connection.close()  # its launcher takes this as a request to run the job itself
            for stream in streams:
                os.close(stream)
            return
        if not pid:
            try:
                self._become_job(connection, streams)
                Path("/proc/self/comm").write_text(script.rpartition(".")[2])  # its name in lists of processes
                run_as_main(*request, lambda modules: self._teach(script, modules))
            finally:
                os._exit(1)  # whatever happens, a child does not go on as a server
        for stream in streams:
            os.close(stream)
        self._jobs[pid] = connection
        self._selector.register(connection, selectors.EVENT_READ, lambda: self._kill(pid))
        send(connection, pid)

    def _kill(self, pid: int) -> None:
        """Kill the job of a launcher that was killed: the connection has ended."""
        self._selector.unregister(self._jobs[pid])
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def _reap(self) -> None:
        self._wakeup.recv(4096)
        while self._jobs:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            connection = self._jobs.pop(pid)
            with suppress(KeyError):
                self._selector.unregister(connection)
            send(connection, status)
            connection.close()

    def _become_job(self, connection: Connection, streams: list[int]) -> None:
        """Turn this child into the job; it shares nothing with the server but what is loaded."""
        group = os.getpgid(peer_of(connection).pid)
        for shared in (connection, *self._jobs.values(), self._listener, self._wakeup, self._learning):
            shared.close()
        self._selector.close()
        os.close(self._owner)
        os.close(signal.set_wakeup_fd(-1))
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # until the job has started, as Snakemake's shell does
        with suppress(PermissionError):  # the launcher's session is another one
            os.setpgid(0, group)  # so that Ctrl-C on the terminal reaches the job
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)

    def _teach(self, script: str, modules: Iterable[str]) -> None:
        """Tell the server, as a job, which modules this script needs beside those that it had."""
        with suppress(OSError):  # too long, or too much at once: another job will tell
            self._teaching.send(" ".join([script, *sorted(modules)]).encode(), socket.MSG_DONTWAIT)


def signals_as_bytes() -> Connection:
    """Return a socket on which a byte comes in when a child has ended."""
    reading, writing = socket.socketpair()
    for end_of_pair in (reading, writing):
        end_of_pair.setblocking(False)
    signal.set_wakeup_fd(writing.detach(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return reading


def read_request(connection: Connection) -> tuple[Request, list[int]]:
    """Return a launcher's request and its standard streams. Raise an error for another user."""
    if peer_of(connection).uid != os.getuid():
        raise PermissionError("another user")
    connection.settimeout(REQUEST_S)
    header, streams, _, _ = socket.recv_fds(connection, N_BYTES, 3)
    size = int.from_bytes(header, sys.byteorder)
    data = bytearray()
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise EOFError("it ended")
        data += part
    connection.settimeout(None)
    return marshal.loads(data), streams


def send(connection: Connection, number: int) -> None:
    """Send a number to a launcher, which may have been killed."""
    with suppress(OSError):
        connection.sendall(number.to_bytes(N_BYTES, sys.byteorder))


def state_of_code() -> dict[str, tuple[int, int]]:
    """Return date and size of each file of scripts/, which differ after an edit."""
    files = [Path(folder) / name for folder, _, names in os.walk(CHECKOUT / "scripts") for name in names]
    return {str(file): (file.stat().st_mtime_ns, file.stat().st_size) for file in files if file.suffix == ".py"}


def module_of(arguments: list[str]) -> str:
    """Return the module of which Snakemake has made this copy. Raise ValueError if it is not one of ours."""
    found = SCRIPT_OF_RULE.search(arguments[0])
    scripts = list((CHECKOUT / "scripts").glob(f"*/{found[1]}.py")) if found else []
    if len(scripts) != 1:
        raise ValueError(f"not a script of this workflow: {arguments}")
    return ".".join(scripts[0].relative_to(CHECKOUT).with_suffix("").parts)


def load(modules: Iterable[str]) -> None:
    """Import modules, so that later jobs find them loaded. Faults are for the job to tell."""
    new = [module for module in modules if module not in sys.modules]
    if not new:
        return
    began = time.process_time()
    for module in new:
        with suppress(Exception):
            importlib.import_module(module)
    with suppress(Exception):  # of a plugin
        if "yt_dlp.extractor" in new:
            compile_url_patterns()
    gc.collect()
    gc.freeze()  # a child's collector would write to, and so copy, the pages of all objects
    log(f"loaded {new[0]} and {len(new) - 1} more in {time.process_time() - began:.2f} CPU s")


def compile_url_patterns() -> None:
    """Compile the patterns of all sites once: they take half a second."""
    from yt_dlp.extractor import gen_extractor_classes

    for extractor in gen_extractor_classes():
        extractor.suitable("https://reelsieve.invalid/")


def log(line: str) -> None:
    """Write a line to the server's log; `logging` is left for the jobs to configure."""
    print(time.strftime("%Y-%m-%d %H:%M:%S"), line, file=sys.stderr, flush=True)


def main(listener: str, path: str, owner: str, _folder: str) -> None:
    """Serve the jobs of a run. The folder is for people who list processes."""
    server = JobServer(socket.socket(fileno=int(listener)), Path(path), int(owner.partition(".")[0]))
    load(AT_START)
    server.serve()


if __name__ == "__main__":
    main(*sys.argv[1:])
