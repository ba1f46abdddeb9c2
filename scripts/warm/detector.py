"""A detector process as its clients see it: its socket, its log, and its start and end."""

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from scripts.core.code import code_hash_in
from scripts.core.errors import UserError
from scripts.core.layout import CHECKOUT, MODEL_CARD
from scripts.core.locks import hold
from scripts.job.environment import OWNER
from scripts.job.process import is_alive, owner_name
from scripts.model.inference import Floor, RuntimeOptions, Seen
from scripts.warm.sockets import NO_SOCKET, NoDetector, clear_sockets, peer_of, socket_path, this_host

LISTEN_S = 60.0  # for a new process to open its socket, before it loads the model
START_S = 300.0  # to load a model, with a cold disk
ANSWER_S = 120.0  # for a batch; a process that takes longer hangs
END_S = 10.0  # for a killed process to end
MOST_AHEAD = 48  # images: three batches, as the engine decodes ahead; their paths fit into the buffer of a socket


class Gone(Exception):
    """The detector died or hung; a new one may work."""


class Detector:
    """A detector process as its clients see it: its socket, its log, and its start and end."""

    def __init__(self, model: Path, device: str, runtime: RuntimeOptions) -> None:
        """Name the process of a model on a device. Raise NoDetector if there can be none."""
        owner = os.environ.get(OWNER, "")
        if not is_alive(owner):
            raise NoDetector("this job is not part of a run on this machine")
        card = (model / MODEL_CARD).read_bytes()
        code = code_hash_in(CHECKOUT / "scripts", "server", left_out=frozenset())
        key = json.dumps([str(model.absolute()), card.hex(), device, runtime.threads, code])
        name = hashlib.sha256(f"{this_host()} {owner} {key}".encode()).hexdigest()[:16]
        self.socket = socket_path(owner, name)
        self.log = runtime.work.absolute().parent / f"detector-{name}.log"
        self._process = ""
        work = str(runtime.work.absolute())
        self._command = [str(self.socket), owner, str(model.absolute()), device, str(runtime.threads), work]

    def see(
        self, images: list[Path], floor: Floor, ahead: socket.socket | None, on_submitted: Callable[[], None]
    ) -> Iterator[Seen]:
        """Yield what the process sends, through the connection from decode_ahead() or a new one.

        `on_submitted` is called when the process has no image left to submit. Raise Gone if it dies or hangs.
        """
        try:
            with self._reuse(ahead) or self._connect() as connection:
                yield from self._answers(connection, images, floor, on_submitted)
        except TimeoutError:
            raise Gone("the detector did not answer in time") from None
        except (ConnectionError, ValueError) as error:
            raise Gone(f"the detector died: {self._last_log_line() or error}") from None

    def decode_ahead(self, images: list[Path], floor: Floor) -> socket.socket | None:
        """Let the process decode the first images while it infers for another job; None if it cannot now.

        The connection must be closed, or passed to see(). This never waits: as few paths fit into the socket's buffer.
        """
        if not (connection := self._connect_once()):
            return None
        try:
            connection.sendall(_request(images[:MOST_AHEAD], floor, ahead=True))
        except OSError:
            connection.close()
            return None
        return connection

    def _answers(
        self, connection: socket.socket, images: list[Path], floor: Floor, on_submitted: Callable[[], None]
    ) -> Iterator[Seen]:
        connection.settimeout(START_S)
        connection.sendall(_request(images, floor))
        with connection.makefile("r", encoding="utf-8") as stream:
            for line in stream:
                message = json.loads(line)
                if "ready" in message:
                    connection.settimeout(ANSWER_S)
                elif "submitted" in message:
                    on_submitted()
                elif "done" in message:
                    return
                elif "error" in message:
                    raise UserError(message["error"]) if message["expected"] else Gone(message["error"])
                else:
                    yield Seen(**{**message, "image": images[message["image"]]})
        raise Gone(f"the detector died: {self._last_log_line()}")

    def _reuse(self, ahead: socket.socket | None) -> socket.socket | None:
        """Return a connection that is still open, or None: its process may have been killed for another job."""
        if ahead is None:
            return None
        try:
            ahead.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)  # the process sends nothing before the request
        except BlockingIOError:
            self._process = owner_name(peer_of(ahead).pid)
            return ahead
        except OSError:
            pass
        ahead.close()
        return None

    def kill(self) -> None:
        """Kill the process and wait for its end: until then its socket still accepts connections."""
        end = time.monotonic() + END_S
        with suppress(ProcessLookupError):
            if is_alive(self._process):
                os.kill(int(self._process.split(".")[0]), signal.SIGKILL)
        while is_alive(self._process) and time.monotonic() < end:
            time.sleep(0.01)

    def _connect(self) -> socket.socket:
        # A lock makes simultaneous jobs start one process. Lock files cannot be deleted safely, so all share 16.
        with hold(self.socket.parent / f"start{self.socket.name[-1]}.lock"):
            connection = self._connect_once() or self._start()
        self._process = owner_name(peer_of(connection).pid)
        return connection

    def _connect_once(self) -> socket.socket | None:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(self.socket))
        except OSError:
            connection.close()
            return None
        return connection

    def start(self) -> None:
        """Start the process if there is none."""
        with suppress(Gone):
            self._connect().close()

    def _start(self) -> socket.socket:
        self.socket.unlink(missing_ok=True)  # left by a killed process
        clear_sockets(self.socket.parent)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "scripts.warm.server", *self._command],
                cwd=CHECKOUT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # it must outlive this job
            )
        end = time.monotonic() + LISTEN_S
        while time.monotonic() < end:
            if connection := self._connect_once():
                return connection
            if process.poll() == NO_SOCKET:
                raise NoDetector(f"no socket can be made in {self.socket.parent}")
            if process.returncode is not None:
                raise Gone(f"the detector did not start: {self._last_log_line()}")
            time.sleep(0.01)
        process.kill()
        raise Gone(f"the detector did not start within {LISTEN_S:g} s")

    def _last_log_line(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if self.log.exists() else []
        return "".join(lines[-1:])


def _request(images: list[Path], floor: Floor, ahead: bool = False) -> bytes:
    line = {"images": [str(image.absolute()) for image in images], "floor": asdict(floor)}
    return (json.dumps(line | ({"ahead": True} if ahead else {})) + "\n").encode()
