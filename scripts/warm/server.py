"""The warm detector: a process that keeps one model loaded for all jobs of a run, and answers over a local socket.

python -m scripts.warm.server SOCKET OWNER MODEL DEVICE THREADS WORK; started by scripts/warm/client.py.
It ends with its owner, the run, or after IDLE_S without a request.
"""

import json
import logging
import os
import socket
import struct
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from scripts.core.errors import UserError
from scripts.job.process import is_alive
from scripts.model.engine import Engine
from scripts.model.inference import Inference
from scripts.warm.sockets import NO_SOCKET, turn_of

IDLE_S = 600.0  # longer than a site pauses between videos; the end of the run is noticed at once
LOOK_S = 0.5


class _Watch(threading.Thread):
    """End the process, whatever it is doing, when its owner is gone or nobody has asked for long."""

    def __init__(self, owner: str, path: Path) -> None:
        super().__init__(daemon=True)
        self._owner, self._path = owner, path
        self.busy = True  # loading
        self.since = time.monotonic()

    def run(self) -> None:
        while is_alive(self._owner) and (self.busy or time.monotonic() < self.since + IDLE_S):
            time.sleep(LOOK_S)
        self._path.unlink(missing_ok=True)
        turn_of(self._path).unlink(missing_ok=True)
        os._exit(0)  # inference cannot be interrupted in any other way


def listen(path: Path) -> socket.socket:
    """Return a socket on which jobs may already wait."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(64)
    return listener


def serve(listener: socket.socket, watch: "_Watch", engine: Engine) -> None:
    """Answer one request after the other."""
    while True:
        watch.busy, watch.since = False, time.monotonic()
        connection, _ = listener.accept()
        watch.busy = True
        with connection:
            if _peer_uid(connection) == os.getuid():
                answer(connection, engine)


def answer(connection: socket.socket, engine: Engine) -> None:
    """Read one request and send a line per image as it is done, then `done` or the error."""
    with suppress(OSError), connection.makefile("rw", encoding="utf-8", newline="\n") as stream:
        try:
            line = stream.readline()
            if not line:
                return  # somebody had it started early
            _say(stream, {"ready": True})
            asked, began = json.loads(line), time.monotonic()
            images = [Path(image) for image in asked["images"]]
            place = {image: number for number, image in enumerate(images)}
            for found in engine.detect(images, Inference(**asked["query"])):
                _say(stream, {**vars(found), "image": place[found.image]})
            _say(stream, {"done": True})
            logging.info("%d images in %.3f s", len(images), time.monotonic() - began)
        except (BrokenPipeError, ConnectionResetError):
            logging.info("a job hung up")
        except UserError as error:
            _say(stream, {"error": str(error), "expected": True})
        except Exception as error:
            logging.exception("a request failed")
            _say(stream, {"error": f"{type(error).__name__}: {error}", "expected": False})


def _say(stream: Any, message: dict[str, Any]) -> None:
    stream.write(json.dumps(message) + "\n")
    stream.flush()


def _peer_uid(connection: socket.socket) -> int:
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[1])


def main(path: str, owner: str, model: str, device: str, threads: str, work: str) -> None:
    """Open the socket, load the model and serve."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        listener = listen(Path(path))
    except OSError:
        logging.exception("no socket")
        sys.exit(NO_SOCKET)
    watch = _Watch(owner, Path(path))
    watch.start()
    began = time.monotonic()
    engine = Engine(Path(model), device, int(threads), Path(work))
    logging.info("loaded %s on %s in %.1f s", model, device, time.monotonic() - began)
    serve(listener, watch, engine)


if __name__ == "__main__":
    main(*sys.argv[1:])
