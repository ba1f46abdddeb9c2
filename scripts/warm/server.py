"""The warm detector: a process that keeps one model loaded for all jobs of a run, and serves them over a local socket.

python -m scripts.warm.server SOCKET OWNER MODEL DEVICE THREADS WORK; started by scripts/warm/client.py.
It ends with its owner, the run, or after IDLE_S without a request.
"""

import json
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NotRequired, TypedDict

from scripts.core.errors import UserError
from scripts.job.process import is_alive
from scripts.model.engine import Engine
from scripts.model.inference import Floor
from scripts.warm.sockets import NO_SOCKET, next_of, peer_of

IDLE_S = 600.0  # longer than the pause between two downloads of a site
POLL_S = 0.5


class Request(TypedDict):
    """What a client sends: paths of images, and the fields of a Floor.

    `ahead`: these are only the first images, to be decoded while another job has its turn; all follow in another line.
    """

    images: list[str]
    floor: dict[str, Any]
    ahead: NotRequired[bool]


class Watchdog(threading.Thread):
    """End the process when its owner is gone, or after IDLE_S without a request."""

    def __init__(self, owner: str, path: Path) -> None:
        """Watch for the owner of the socket `path`."""
        super().__init__(daemon=True)
        self._owner, self._path = owner, path
        self._at_work, self._guard = 0, threading.Lock()
        self._idle_since = time.monotonic()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Keep the process until the block ends."""
        with self._guard:
            self._at_work += 1
        try:
            yield
        finally:
            with self._guard:
                self._at_work, self._idle_since = self._at_work - 1, time.monotonic()

    def run(self) -> None:
        """Wait for the end, then delete the socket and exit."""
        while is_alive(self._owner) and (self._at_work or time.monotonic() < self._idle_since + IDLE_S):
            time.sleep(POLL_S)
        self._path.unlink(missing_ok=True)
        next_of(self._path).unlink(missing_ok=True)
        os._exit(0)  # nothing else interrupts inference


def listen(path: Path) -> socket.socket:
    """Return a socket to which jobs can connect from now on."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(64)
    return listener


def serve(listener: socket.socket, watchdog: Watchdog, engine: Engine) -> None:
    """Answer each request of this user in a thread of its own. The jobs see to it that only one is inferred."""
    while True:
        connection, _ = listener.accept()
        if peer_of(connection).uid == os.getuid():
            threading.Thread(target=_serve_one, args=(connection, watchdog, engine), daemon=True).start()
        else:
            connection.close()


def _serve_one(connection: socket.socket, watchdog: Watchdog, engine: Engine) -> None:
    with watchdog.busy(), connection:
        answer(connection, engine)


def answer(connection: socket.socket, engine: Engine) -> None:
    """Read one request and send `ready`, a line per image, `submitted` before the last ones, `done` or the error."""
    with suppress(OSError), connection.makefile("rw", encoding="utf-8", newline="\n") as stream:
        try:
            request, prepared = _read(stream), None
            if request is not None and request.get("ahead"):
                prepared = engine.prepare(*_query(request))
                request = _read(stream)
            if request is None:
                return  # the client only started it, see start_early, or went to another detector
            _send(stream, {"ready": True})
            began = time.monotonic()
            images, floor = _query(request)
            position = {image: number for number, image in enumerate(images)}
            for found in engine.see(images, floor, prepared, lambda: _send(stream, {"submitted": True})):
                _send(stream, {**vars(found), "image": position[found.image]})
            _send(stream, {"done": True})
            logging.info("%d images in %.3f s", len(images), time.monotonic() - began)
        except (BrokenPipeError, ConnectionResetError):
            logging.info("a job closed the connection")
        except UserError as error:
            _send(stream, {"error": str(error), "expected": True})
        except Exception as error:
            logging.exception("a request failed")
            _send(stream, {"error": f"{type(error).__name__}: {error}", "expected": False})


def _read(stream: IO[str]) -> Request | None:
    line = stream.readline()
    return json.loads(line) if line else None


def _query(request: Request) -> tuple[list[Path], Floor]:
    return [Path(image) for image in request["images"]], Floor(**request["floor"])


def _send(stream: IO[str], message: Mapping[str, object]) -> None:
    stream.write(json.dumps(message) + "\n")
    stream.flush()


def main(path: str, owner: str, model: str, device: str, threads: str, work: str) -> None:
    """Open the socket, load the model and serve."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        listener = listen(Path(path))
    except OSError:
        logging.exception("cannot open the socket")
        sys.exit(NO_SOCKET)
    watchdog = Watchdog(owner, Path(path))
    with watchdog.busy():
        watchdog.start()
        began = time.monotonic()
        engine = Engine(Path(model), device, int(threads), Path(work))
        logging.info("loaded %s on %s in %.1f s", model, device, time.monotonic() - began)
    serve(listener, watchdog, engine)


if __name__ == "__main__":
    main(*sys.argv[1:])
