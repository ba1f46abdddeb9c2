"""Run the script of a job in a child of the job server, or in an interpreter of its own if no server answers.

python -IS launcher.py SCRIPT; Snakemake starts it in place of Python, see start_job_server(). Each job pays for its
imports, so they are few: the module `socket` alone would double its 15 ms.
"""

import os
import sys
from _socket import AF_UNIX, SCM_RIGHTS, SOL_SOCKET, socket
from marshal import dumps

SERVER = "REELSIEVE_JOB_SERVER"  # the environment variable with the path of the server's socket
N_BYTES = 4  # of each number on the socket


def launch(arguments: list[str]) -> None:
    """Run the script to its end, and end as it ended."""
    connection = socket(AF_UNIX)
    try:
        connection.connect(os.environ[SERVER])
        send_request(connection, arguments)
        pid = receive(connection)
    except (OSError, KeyError):  # nothing has begun
        os.execv(sys.executable, [sys.executable, *arguments])
    try:
        job = os.pidfd_open(pid)
    except ProcessLookupError:
        job = None  # it has ended already
    try:
        code = os.waitstatus_to_exitcode(receive(connection))
    except ConnectionError:
        code = kill(job)
    if code < 0:
        die_of(-code)
    os._exit(code)


def send_request(connection: socket, arguments: list[str]) -> None:
    """Send the arguments, the working directory, the environment, and the standard streams."""
    request = dumps((arguments, os.getcwd(), dict(os.environ)))
    streams = b"".join(stream.to_bytes(N_BYTES, sys.byteorder) for stream in (0, 1, 2))
    connection.sendmsg([len(request).to_bytes(N_BYTES, sys.byteorder)], [(SOL_SOCKET, SCM_RIGHTS, streams)])
    connection.sendall(request)


def receive(connection: socket) -> int:
    """Return the next number that the server sends. Raise ConnectionError if the server ends first."""
    data = connection.recv(N_BYTES)
    if len(data) < N_BYTES:
        raise ConnectionError
    return int.from_bytes(data, sys.byteorder)


def kill(job: int | None) -> int:
    """Kill a job whose server has been killed, wait for its end, and return the exit code of a killed process."""
    from select import POLLIN, poll
    from signal import SIGKILL, pidfd_send_signal

    if job is None:
        return -SIGKILL
    try:
        pidfd_send_signal(job, SIGKILL)
        end = poll()
        end.register(job, POLLIN)
        end.poll()
    except ProcessLookupError:
        pass
    return -SIGKILL


def die_of(signal_number: int) -> None:
    """End this process by a signal, as the job did."""
    from signal import SIG_DFL, signal

    if signal_number not in (9, 19):  # SIGKILL and SIGSTOP have no handlers
        signal(signal_number, SIG_DFL)
    os.kill(os.getpid(), signal_number)


if __name__ == "__main__":
    launch(sys.argv[1:])
