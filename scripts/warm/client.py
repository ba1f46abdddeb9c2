"""Ask the warm detector, a process that keeps a model loaded for all jobs of a run; start it if it is not there."""

import hashlib
import json
import logging
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from scripts.core.code import code_hash_in
from scripts.core.errors import UserError
from scripts.core.layout import MODEL_CARD
from scripts.core.locks import hold, try_lock
from scripts.job.environment import OWNER
from scripts.job.process import is_alive, owner_name
from scripts.model.card import read_model_card, runs_on_cpu
from scripts.model.inference import Detections, Inference, RuntimeOptions
from scripts.warm.sockets import LONGEST_PATH, NO_SOCKET, NoPlace, clear_sockets, private_folder, this_host, turn_of

ROOT = Path(__file__).parents[2]  # from which `python -m scripts...` works
LISTEN_S = 60.0  # for a new process to open its socket, before it loads anything
START_S = 300.0  # to load a model, with a cold disk
ANSWER_S = 120.0  # for a batch; a process that takes longer hangs
END_S = 10.0  # for a killed process to be gone
TRIES = 3


class Gone(Exception):
    """The detector died or hung; another one may do."""


def detect_warm(model: Path, images: list[Path], query: Inference, runtime: RuntimeOptions) -> Iterator[Detections]:
    """Yield the detections of each image that can be read, as Engine.detect does, or raise NoPlace before the first."""
    done = 0
    with _device(model) as device, _Detector(model, device, runtime).turn() as detector:
        for attempt in range(1, TRIES + 1):
            try:
                for found in detector.ask(images[done:], query):
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
    """Have a detector load the model while there is nothing to ask it yet."""
    devices = cuda_devices()
    device = devices[0] if devices and not runs_on_cpu(read_model_card(model)) else "cpu"
    with suppress(NoPlace, OSError):
        _Detector(model, device, runtime).start()


class _Detector:
    """One detector process as its clients see it: a socket, a lock against double starts, a log."""

    def __init__(self, model: Path, device: str, runtime: RuntimeOptions) -> None:
        owner = os.environ.get(OWNER, "")
        if not is_alive(owner):
            raise NoPlace("this job is not part of a run on this machine")
        card = (model / MODEL_CARD).read_bytes()
        code = code_hash_in(ROOT / "scripts", "server", left_out=frozenset())
        key = json.dumps([str(model.absolute()), card.hex(), device, runtime.threads, code])
        name = hashlib.sha256(f"{this_host()} {owner} {key}".encode()).hexdigest()[:16]
        # Nodes may share the folder of sockets; and by the owner those that killed runs left are known.
        self._socket = private_folder() / f"{this_host()}-{owner.replace('.', '_')}-{name}"
        if len(os.fsencode(self._socket)) > LONGEST_PATH:
            raise NoPlace(f"the path of the socket is too long: {self._socket}")
        self.log = runtime.work.absolute().parent / f"detector-{name}.log"
        self._process = ""
        work = str(runtime.work.absolute())
        self._command = [str(self._socket), owner, str(model.absolute()), device, str(runtime.threads), work]

    @contextmanager
    def turn(self) -> Iterator["_Detector"]:
        """Hold the process for one job: it answers one after the other, and who waits for it must not think it hung."""
        with hold(turn_of(self._socket)):
            yield self

    def ask(self, images: list[Path], query: Inference) -> Iterator[Detections]:
        """Yield what the process answers; raise Gone if it dies or hangs."""
        try:
            with self._connect() as connection, connection.makefile("rw", encoding="utf-8") as stream:
                connection.settimeout(START_S)
                stream.write(json.dumps({"images": [str(i.absolute()) for i in images], "query": asdict(query)}) + "\n")
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
                    yield Detections(**{**message, "image": images[message["image"]]})
                raise Gone(f"the detector died: {self._last_words()}")
        except TimeoutError:
            raise Gone("the detector did not answer in time") from None
        except (ConnectionError, ValueError) as error:
            raise Gone(f"the detector died: {self._last_words() or error}") from None

    def kill(self) -> None:
        """End the process and wait until it is gone: while it dies, its socket still takes calls."""
        end = time.monotonic() + END_S
        with suppress(ProcessLookupError):
            if is_alive(self._process):
                os.kill(int(self._process.split(".")[0]), signal.SIGKILL)
        while is_alive(self._process) and time.monotonic() < end:
            time.sleep(0.01)

    def _connect(self) -> socket.socket:
        # Jobs that come at once start one process. A lock file cannot be deleted safely, so 16 serve all.
        with hold(self._socket.parent / f"start{self._socket.name[-1]}.lock"):
            connection = self._try() or self._start()
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        self._process = owner_name(struct.unpack("3i", credentials)[0])
        return connection

    def _try(self) -> socket.socket | None:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(self._socket))
        except OSError:
            connection.close()
            return None
        return connection

    def start(self) -> None:
        """Have a process load the model, unless one is there."""
        with suppress(Gone):
            self._connect().close()

    def _start(self) -> socket.socket:
        self._socket.unlink(missing_ok=True)  # of a process that was killed
        clear_sockets(self._socket.parent)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "scripts.warm.server", *self._command],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # the end of this job is not its end
            )
        end = time.monotonic() + LISTEN_S
        while time.monotonic() < end:
            if connection := self._try():
                return connection
            if process.poll() == NO_SOCKET:
                raise NoPlace(f"no socket can be made in {self._socket.parent}")
            if process.returncode is not None:
                raise Gone(f"the detector did not start: {self._last_words()}")
            time.sleep(0.01)
        process.kill()
        raise Gone(f"the detector did not start within {LISTEN_S:g} s")

    def _last_words(self) -> str:
        said = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if self.log.exists() else []
        return "".join(said[-1:])


@contextmanager
def _device(model: Path) -> Iterator[str]:
    """Yield a device that no other job of this user is using, so that N jobs use N devices.

    Each submission to SLURM has devices of its own, and calls the first one cuda:0 whichever it is.
    """
    devices = cuda_devices()
    if not devices or runs_on_cpu(read_model_card(model)):
        yield "cpu"
        return
    owner = private_folder() / f"{socket.gethostname()}-{os.environ.get('SLURM_JOB_ID', '')}"
    while True:
        for device in devices:
            path = Path(f"{owner}-{device.replace(':', '')}.lock")
            if lock := try_lock(path):
                try:
                    yield device
                finally:
                    path.unlink(missing_ok=True)
                    lock.release()
                return
        time.sleep(0.1)


def cuda_devices() -> list[str]:
    """Return the GPUs that PyTorch will see, without loading it."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        count = len([name for name in visible.split(",") if name.strip() not in ("", "-1")])
    else:
        count = len(list(Path("/proc/driver/nvidia/gpus").glob("*")))
    return [f"cuda:{number}" for number in range(count)]
