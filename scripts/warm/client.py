"""See objects through the warm detector, a process that keeps a model loaded for all jobs of a run."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING

from scripts.core.errors import UserError
from scripts.core.locks import try_lock
from scripts.job.environment import OWNER
from scripts.job.process import is_alive
from scripts.model.inference import Floor, RuntimeOptions, Seen
from scripts.warm.detector import Detector, Gone
from scripts.warm.devices import devices_for, hold_device
from scripts.warm.sockets import NoDetector, next_of

if TYPE_CHECKING:
    from filelock import FileLock

TRIES = 3


def see_warm(model: Path, images: list[Path], floor: Floor, runtime: RuntimeOptions) -> Iterator[Seen]:
    """Yield what the model sees in each image that can be read, as Engine.see does.

    This job holds a device until the last image is submitted. While it waits for one, its first images are decoded.
    Raise NoDetector, before the first image, if no detector can run, and UserError at any time.
    """
    done = 0
    detectors = {device: Detector(model, device, runtime) for device in devices_for(model)}
    with closing(Ahead(detectors, images, floor)) as ahead:
        for attempt in range(1, TRIES + 1):
            with hold_device(list(detectors), ahead.start) as held:
                detector = detectors[held.name]
                # After a fault the next job waits for the end: its detector must not die of this job's images again.
                on_submitted = held.release if attempt == 1 else lambda: None
                try:
                    for found in detector.see(images[done:], floor, ahead.take(held.name), on_submitted):
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
        Detector(model, devices_for(model)[0], runtime).start()


class Ahead:
    """A connection to a detector that decodes the first images of a job which waits for a device.

    A detector does so for one job at a time. The connection may go unused: another device may be free first.
    """

    def __init__(self, detectors: Mapping[str, Detector], images: list[Path], floor: Floor) -> None:
        """Choose among the detectors of these devices."""
        self._detectors, self._images, self._floor = detectors, images, floor
        self._device = ""
        self._connection: socket | None = None
        self._lock: FileLock | None = None

    def close(self) -> None:
        """Close a connection that was not taken."""
        self.take("")

    def start(self) -> None:
        """Connect to a detector that runs and decodes for no other waiting job. It may be called again and again."""
        for device, detector in self._detectors.items() if not self._device else ():
            self._lock = try_lock(next_of(detector.socket))
            self._connection = detector.decode_ahead(self._images, self._floor) if self._lock else None
            if self._connection:
                self._device = device
                return
            self.close()

    def take(self, device: str) -> socket | None:
        """Return the connection, once, if it is to the detector of this device. Close one to another device."""
        connection, self._connection = self._connection, None
        if self._lock:
            self._lock.release()
            self._lock = None
        if connection and self._device != device:
            connection.close()
            return None
        return connection
