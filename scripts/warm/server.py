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
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, TypedDict

from scripts.core.errors import UserError
from scripts.job.process import is_alive
from scripts.model.engine import Engine
from scripts.model.inference import Floor
from scripts.warm.sockets import NO_SOCKET, peer_of, turn_of

IDLE_S = 600.0  # longer than the pause between two downloads of a site
POLL_S = 0.5


class Request(TypedDict):
    """What a client sends: paths of images, and the fields of a Floor."""

    images: list[str]
    floor: dict[str, Any]


class Watchdog(threading.Thread):
    """End the process when its owner is gone, or after IDLE_S without a request."""

    def __init__(self, owner: str, path: Path) -> None:
        """Watch for the owner of the socket `path`."""
        super().__init__(daemon=True)
        self._owner, self._path = owner, path
        self.busy = True  # loading the model
        self.idle_since = time.monotonic()

    def run(self) -> None:
        """Wait for the end, then delete the socket and exit."""
        while is_alive(self._owner) and (self.busy or time.monotonic() < self.idle_since + IDLE_S):
            time.sleep(POLL_S)
        self._path.unlink(missing_ok=True)
        turn_of(self._path).unlink(missing_ok=True)
        os._exit(0)  # nothing else interrupts inference


def listen(path: Path) -> socket.socket:
    """Return a socket to which jobs can connect from now on."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(64)
    return listener


def serve(listener: socket.socket, watchdog: Watchdog, engine: Engine) -> None:
    """Answer one request after the other, only from processes of this user."""
    while True:
        watchdog.busy, watchdog.idle_since = False, time.monotonic()
        connection, _ = listener.accept()
        watchdog.busy = True
        with connection:
            if peer_of(connection).uid == os.getuid():
                answer(connection, engine)


def answer(connection: socket.socket, engine: Engine) -> None:
    """Read one request and send `ready`, a line per image, and then `done` or the error."""
    with suppress(OSError), connection.makefile("rw", encoding="utf-8", newline="\n") as stream:
        try:
            line = stream.readline()
            if not line:
                return  # the client only started it, see start_early
            _send(stream, {"ready": True})
            began = time.monotonic()
            request: Request = json.loads(line)
            images = [Path(image) for image in request["images"]]
            position = {image: number for number, image in enumerate(images)}
            for found in engine.see(images, Floor(**request["floor"])):
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
    watchdog.start()
    began = time.monotonic()
    engine = Engine(Path(model), device, int(threads), Path(work))
    logging.info("loaded %s on %s in %.1f s", model, device, time.monotonic() - began)
    serve(listener, watchdog, engine)


if __name__ == "__main__":
    main(*sys.argv[1:])
