"""See objects through the warm detector, a process that keeps a model loaded for all jobs of a run."""

import hashlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from scripts.core.code import code_hash_in
from scripts.core.errors import UserError
from scripts.core.layout import CHECKOUT, MODEL_CARD
from scripts.core.locks import hold
from scripts.job.environment import OWNER
from scripts.job.process import is_alive, owner_name
from scripts.model.inference import Floor, RuntimeOptions, Seen
from scripts.warm.devices import devices_for, hold_device
from scripts.warm.sockets import NO_SOCKET, NoDetector, clear_sockets, peer_of, socket_path, this_host, turn_of

LISTEN_S = 60.0  # for a new process to open its socket, before it loads the model
START_S = 300.0  # to load a model, with a cold disk
ANSWER_S = 120.0  # for a batch; a process that takes longer hangs
END_S = 10.0  # for a killed process to end
TRIES = 3


class Gone(Exception):
    """The detector died or hung; a new one may work."""


def see_warm(model: Path, images: list[Path], floor: Floor, runtime: RuntimeOptions) -> Iterator[Seen]:
    """Yield what the model sees in each image that can be read, as Engine.see does.

    Raise NoDetector, before the first image, if no detector can run, and UserError at any time.
    """
    done = 0
    with hold_device(model) as device, _Detector(model, device, runtime).turn() as detector:
        for attempt in range(1, TRIES + 1):
            try:
                for found in detector.see(images[done:], floor):
                    yield found
                    done = images.index(found.image, done) + 1
                return
            except Gone as error:
                detector.kill()
                if done == len(images):
                    return  # it died after its last answer
                if not is_alive(os.environ[OWNER]):
                    raise UserError("the run has ended") from None
                if attempt == TRIES:
                    raise UserError(f"the detector failed {TRIES} times: {error}; see {detector.log}") from None
                logging.warning("%s; starting another one", error)


def start_early(model: Path, runtime: RuntimeOptions) -> None:
    """Start the detector, so that it loads the model before the first job needs it."""
    with suppress(NoDetector, OSError):
        _Detector(model, devices_for(model)[0], runtime).start()


class _Detector:
    """A detector process as its clients see it: its socket, its log, and its start and end."""

    def __init__(self, model: Path, device: str, runtime: RuntimeOptions) -> None:
        owner = os.environ.get(OWNER, "")
        if not is_alive(owner):
            raise NoDetector("this job is not part of a run on this machine")
        card = (model / MODEL_CARD).read_bytes()
        code = code_hash_in(CHECKOUT / "scripts", "server", left_out=frozenset())
        key = json.dumps([str(model.absolute()), card.hex(), device, runtime.threads, code])
        name = hashlib.sha256(f"{this_host()} {owner} {key}".encode()).hexdigest()[:16]
        self._socket = socket_path(owner, name)
        self.log = runtime.work.absolute().parent / f"detector-{name}.log"
        self._process = ""
        work = str(runtime.work.absolute())
        self._command = [str(self._socket), owner, str(model.absolute()), device, str(runtime.threads), work]

    @contextmanager
    def turn(self) -> Iterator["_Detector"]:
        """Hold the process for one job: it serves one at a time, and a waiting job must not take it for hung."""
        with hold(turn_of(self._socket)):
            yield self

    def see(self, images: list[Path], floor: Floor) -> Iterator[Seen]:
        """Yield what the process sends. Raise Gone if it dies or hangs."""
        try:
            with self._connect() as connection, connection.makefile("rw", encoding="utf-8") as stream:
                connection.settimeout(START_S)
                stream.write(json.dumps({"images": [str(i.absolute()) for i in images], "floor": asdict(floor)}) + "\n")
                stream.flush()
                for line in stream:
                    message = json.loads(line)
                    if "ready" in message:
                        connection.settimeout(ANSWER_S)
                        continue
                    if "done" in message:
                        return
                    if "error" in message:
                        raise UserError(message["error"]) if message["expected"] else Gone(message["error"])
                    yield Seen(**{**message, "image": images[message["image"]]})
                raise Gone(f"the detector died: {self._last_log_line()}")
        except TimeoutError:
            raise Gone("the detector did not answer in time") from None
        except (ConnectionError, ValueError) as error:
            raise Gone(f"the detector died: {self._last_log_line() or error}") from None

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
        with hold(self._socket.parent / f"start{self._socket.name[-1]}.lock"):
            connection = self._connect_once() or self._start()
        self._process = owner_name(peer_of(connection).pid)
        return connection

    def _connect_once(self) -> socket.socket | None:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(self._socket))
        except OSError:
            connection.close()
            return None
        return connection

    def start(self) -> None:
        """Start the process if there is none."""
        with suppress(Gone):
            self._connect().close()

    def _start(self) -> socket.socket:
        self._socket.unlink(missing_ok=True)  # left by a killed process
        clear_sockets(self._socket.parent)
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
                raise NoDetector(f"no socket can be made in {self._socket.parent}")
            if process.returncode is not None:
                raise Gone(f"the detector did not start: {self._last_log_line()}")
            time.sleep(0.01)
        process.kill()
        raise Gone(f"the detector did not start within {LISTEN_S:g} s")

    def _last_log_line(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if self.log.exists() else []
        return "".join(lines[-1:])
